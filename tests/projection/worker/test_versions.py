"""`versions` and `drop` of the worker's command line."""

from __future__ import annotations

import pytest
from goal_ledger_projection.folding.rebuilding import new_version
from goal_ledger_projection.folding.versions import CannotDrop, drop_version, list_versions


async def test_versions_are_listed_and_one_that_is_not_live_is_dropped(
    read_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await new_version(read_url)
    await list_versions(read_url)
    assert made == "read_v2"
    assert "read_v1" in (told := capsys.readouterr().out) and "read_v2" in told
    assert "would be dropped" in await drop_version(read_url, made, really=False)
    assert await drop_version(read_url, made, really=True) == "read_v2 is dropped"
    with pytest.raises(CannotDrop, match="there is no projection version read_v2"):
        await drop_version(read_url, made, really=True)
    with pytest.raises(CannotDrop, match="read_v1 is live"):
        await drop_version(read_url, "read_v1", really=True)


async def test_a_version_that_never_went_live_makes_room_for_the_next(read_url: str) -> None:
    assert await new_version(read_url) == "read_v2"
    assert await new_version(read_url) == "read_v3"
    with pytest.raises(CannotDrop):
        await drop_version(read_url, "read_v2", really=True)
