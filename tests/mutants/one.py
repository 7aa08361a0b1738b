"""One mutant at a time, without a tool: a module is loaded from its source with one piece replaced, and tests are run.

``python one.py MODULE WAS BECOMES TEST…`` from the root of the repository ends with pytest's exit code: 1, a test noticed.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import decode_source

import pytest


class _Mutated(SourceFileLoader):
    was = becomes = ""

    def get_code(self, fullname: str) -> object:
        source = decode_source(self.get_data(self.path))
        if source.count(self.was) != 1:
            raise SystemExit(f"{fullname} does not hold {self.was!r} once")
        return compile(source.replace(self.was, self.becomes), self.path, "exec")


class _Finder(PathFinder):
    module = ""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):  # type: ignore[no-untyped-def]
        spec = super().find_spec(fullname, path, target) if fullname == cls.module else None
        if spec is not None:
            spec.loader = _Mutated(fullname, spec.origin)
        return spec


if __name__ == "__main__":
    _Finder.module, _Mutated.was, _Mutated.becomes, *tests = sys.argv[1:]
    sys.meta_path.insert(0, _Finder)
    sys.exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--noconftest", *tests]))
