"""Settings of a process: from the environment; what is missing or wrong is told in one line, with exit code 2."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings

from goal_ledger_edge.connections import Limits
from goal_ledger_edge.tokens import LEEWAY_SECONDS, TokenVerifier, Trust

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


LOCAL_ISSUER = "https://local.goal-ledger.invalid"


class TokenSettings(BaseSettings):
    """Of the processes that people sign in to."""

    token_issuer: str = LOCAL_ISSUER
    token_audience: str = "goal-ledger"
    token_keys_file: Path | None = None
    """JWKS with the issuer's public keys; left out: they are found by OIDC discovery."""
    token_leeway_seconds: int = Field(LEEWAY_SECONDS, ge=0, le=600)
    """How far the issuer's clock and ours may differ."""

    def verifier(self, services: Trust | None = None) -> TokenVerifier:
        """Raises SystemExit with code 2 if no issuer is named, or a file of keys cannot be read."""
        if self.token_keys_file is None and self.token_issuer == LOCAL_ISSUER:
            raise misconfigured("these settings are missing: TOKEN_ISSUER (or TOKEN_KEYS_FILE)")
        try:
            return TokenVerifier(
                Trust(self.token_issuer, self.token_keys_file),
                self.token_audience,
                services,
                leeway_seconds=self.token_leeway_seconds,
            )
        except (OSError, ValueError) as wrong:
            raise misconfigured(f"the token keys cannot be read: {wrong}") from None


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
