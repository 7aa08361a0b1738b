"""Settings of a process: from the environment; what is missing or wrong is told in one line, with exit code 2."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from goal_ledger_edge.connections import Limits

Settings = TypeVar("Settings", bound=BaseSettings)

_DEFAULT = Limits()


class ListenerSettings(BaseSettings):
    """Of every process that answers requests: how long one may take to come, and how large its head may be
    (:class:`Limits`). The same bounds stand in ``deploy/gateway/nginx.conf``."""

    header_timeout_seconds: float = _DEFAULT.header_timeout_seconds
    body_timeout_seconds: float = _DEFAULT.body_timeout_seconds
    body_min_bytes_per_second: int = _DEFAULT.body_min_bytes_per_second
    send_timeout_seconds: float = _DEFAULT.send_timeout_seconds
    keep_alive_seconds: int = _DEFAULT.keep_alive_seconds
    max_target_bytes: int = _DEFAULT.max_target_bytes
    max_headers: int = _DEFAULT.max_headers
    max_header_bytes: int = _DEFAULT.max_header_bytes

    def limits(self) -> Limits:
        """Of this process's listeners."""
        return Limits(**{one.name: getattr(self, one.name) for one in fields(Limits)})


MISCONFIGURED = 2
"""The exit code of a process that cannot start as it is set."""


def settings_of(kind: type[Settings]) -> Settings:
    """``kind`` from the environment. Raises SystemExit with code 2, having named the settings, and no values: they may
    be secrets."""
    try:
        return kind()
    except ValidationError as wrong:
        missing = [_name(one["loc"]) for one in wrong.errors() if one["type"] == "missing"]
        others = [_told(one["loc"], one["msg"]) for one in wrong.errors() if one["type"] != "missing"]
        told = [f"these settings are missing: {', '.join(missing)}"] if missing else []
        told += [f"these settings are wrong: {', '.join(others)}"] if others else []
        raise misconfigured("; ".join(told)) from None


def misconfigured(sentence: str) -> SystemExit:
    """Says it on stderr; to be raised."""
    print(sentence, file=sys.stderr)
    return SystemExit(MISCONFIGURED)


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]).upper()


def _told(location: tuple[int | str, ...], why: str) -> str:
    """Of settings that contradict each other there is no one name."""
    return f"{_name(location)} ({why})" if location else why
