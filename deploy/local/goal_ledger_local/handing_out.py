"""The secrets of an installation with containers: each part gets a directory with what it needs and nothing else.

    python -m goal_ledger_local hand-out /secrets

`/secrets/kept` holds all of them, made once; `/secrets/<part>` is the volume of one container. Passwords of database
roles go as libpq's password file (`PGPASSFILE`), so that no address holds one.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from goal_ledger_local.credentials import Credentials, write_in_one_piece
from goal_ledger_local.logins import LOGINS, PARTS, Login

OURS = 10001
"""The user id of our images (deploy/Dockerfile)."""
POSTGRES = 999
"""The user id of the image of PostgreSQL."""


SERVERS = ("postgres", "postgres-keys", "postgres-read")


def hand_out(directory: Path) -> None:
    """Make what is not there yet below `kept`, and lay out each part's directory anew."""
    kept = directory / "kept"
    Credentials(kept).make()
    for login in LOGINS:
        _make_password(kept, f"{login.host}-{login.role}")
    for part, of in PARTS.items():
        files = {name: (kept / name).read_text() for name in of.files}
        lines = (f"{one.host}:5432:{one.database}:{one.role}:{_password(kept, one)}\n" for one in of.logins)
        _lay_out(directory / part, {**files, "pgpass": "".join(lines)}, OURS)
    for server in SERVERS:
        _make_password(kept, f"{server}-superuser")
        _lay_out(directory / server, dict(_of_server(kept, server)), POSTGRES)


def _of_server(kept: Path, server: str) -> Iterator[tuple[str, str]]:
    yield "superuser", (kept / f"password-{server}-superuser").read_text()
    for login in LOGINS:
        if login.host == server:
            yield login.role, _password(kept, login)


def _make_password(kept: Path, name: str) -> None:
    if not (kept / f"password-{name}").exists():
        write_in_one_piece(kept / f"password-{name}", secrets.token_hex(24))


def _password(kept: Path, login: Login) -> str:
    return (kept / f"password-{login.host}-{login.role}").read_text()


def _lay_out(directory: Path, files: Mapping[str, str], owner: int) -> None:
    """The directory holds these files and no others, readable by `owner` alone (if we may say so: as root)."""
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        if old.name not in files:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name, content in files.items():
        write_in_one_piece(directory / name, content)
    directory.chmod(0o700)
    if os.geteuid() == 0:
        for path in (*directory.iterdir(), directory):
            os.chown(path, owner, owner)
