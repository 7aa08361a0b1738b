"""pyarrow, loaded when an export first uses it: a process that exports nothing does not hold its 42 MB."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.ipc as pa_ipc
    import pyarrow.parquet as pq
else:

    class _Later:
        def __init__(self, name: str) -> None:
            self.module = name

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self.module), name)

    pa, pc, pa_csv = _Later("pyarrow"), _Later("pyarrow.compute"), _Later("pyarrow.csv")
    pa_ipc, pq = _Later("pyarrow.ipc"), _Later("pyarrow.parquet")


def load_pyarrow() -> None:
    """All that exports use of it. It takes a moment the first time: not for an event loop."""
    for one in (pa, pc, pa_csv, pa_ipc, pq):
        import_module(one.module)


__all__ = ["load_pyarrow", "pa", "pa_csv", "pa_ipc", "pc", "pq"]
