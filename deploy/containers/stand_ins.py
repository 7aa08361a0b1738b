"""Images that stand in for those which the compose file and the Dockerfile name, made of packages that can be had.

| named | stands in | what it does differently |
|---|---|---|
| python:3.11-slim | Debian 12 with its own Python 3.11 | Python lies in /usr/bin; pip is Debian's |
| postgres:17 | Debian's PostgreSQL 15, a start script of our own | a server two releases older |
| apache/kafka:4.4.0 | the same release's jars from Maven, a start script of our own | Debian's Java 17; its health check asks for the port alone |
| nginx:1.29-alpine | Debian's nginx 1.22 | seven minor releases older |

User ids, directories, variables and health checks are those of the images that are named.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from goal_ledger_local.kafka_jars import kafka_jars

from containers.engine import BUILD_S, Engine, Failed, run

HERE = Path(__file__).parent / "stand_ins"
BASE = "localhost/goal-ledger-debian:bookworm"
SUITE = "bookworm"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
STAND_INS = {
    "python": "python:3.11-slim",
    "postgres": "postgres:17",
    "kafka": "apache/kafka:4.4.0",
    "nginx": "nginx:1.29-alpine",
}


def make_stand_ins(engine: Engine) -> None:
    """Those that are not there yet. Raises Failed."""
    with tempfile.TemporaryDirectory(prefix="goal-ledger-stand-ins-") as directory:
        context = Path(directory)
        shutil.copytree(HERE, context, dirs_exist_ok=True)
        for name, image in STAND_INS.items():
            if not _is_there(engine, f"localhost/{image}"):
                _make_base(engine, context)
                _prepare(name, context)
                file = str(context / f"{name}.Dockerfile")
                words = ["--network", "host", "-q", "-f", file, "-t", f"localhost/{image}", directory]
                engine.podman("build", *words, within_s=BUILD_S)
            print(f"  {image}: {name}.Dockerfile", flush=True)


def _prepare(name: str, context: Path) -> None:
    if name == "kafka":
        shutil.copytree(kafka_jars().directory, context / "jars")
    elif name == "python":
        shutil.copy(CERTIFICATES, context)


def _make_base(engine: Engine, context: Path) -> None:
    if _is_there(engine, BASE):
        return
    root = context / "root"
    run("debootstrap", "--variant=minbase", SUITE, str(root), within_s=BUILD_S)
    packed = engine.directory / "base.tar"
    run("tar", "-C", str(root), "-cf", str(packed), ".", within_s=BUILD_S)
    shutil.rmtree(root)
    engine.podman("import", "-q", str(packed), BASE, within_s=BUILD_S)
    packed.unlink()


def _is_there(engine: Engine, image: str) -> bool:
    try:
        engine.podman("image", "exists", image)
    except Failed:
        return False
    return True
