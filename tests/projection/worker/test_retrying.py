"""What is tried again, and what is not."""

from __future__ import annotations

import asyncpg
import pytest
from goal_ledger_projection.folding.retrying import is_transient


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionRefusedError("refused"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    ],
)
def test_a_server_that_is_away_may_come_back(failure: Exception) -> None:
    assert is_transient(failure)


@pytest.mark.parametrize(
    "failure", [asyncpg.CheckViolationError("a row"), ValueError("a value"), asyncpg.DataError("a value")]
)
def test_what_lies_with_the_data_comes_again(failure: Exception) -> None:
    assert not is_transient(failure)
