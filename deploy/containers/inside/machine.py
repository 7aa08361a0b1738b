"""Run inside a container of ours: what it reads, writes and reaches, as one JSON object."""

import json
import os
import re
import socket
from pathlib import Path

SERVERS = {"postgres": 5432, "postgres-keys": 5432, "postgres-read": 5432, "kafka": 9092}
PLACES = ("/", "/app", "/etc", "/secrets", "/usr", "/var")
NAMES_A_SECRET = re.compile("PASSWORD|SECRET|KEY|TOKEN")
NO_SECRET = ("/secrets/", "http", "postgresql:")
HOLDS_A_PASSWORD = re.compile("://[^/]*:[^/]*@")


def reaches(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 3).close()
    except OSError:
        return False
    return True


def may_write(directory: str) -> bool:
    try:
        Path(directory, "probe").write_text("")
    except OSError:
        return False
    return True


def is_secret(name: str, value: str) -> bool:
    names = NAMES_A_SECRET.search(name) is not None and not value.startswith(NO_SECRET)
    return names or HOLDS_A_PASSWORD.search(value) is not None


def capabilities() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("CapEff")), 16)


def leads_out() -> bool:
    """Is there a route to anywhere."""
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    return any(route.split()[1] == "00000000" for route in routes)


print(
    json.dumps(
        {
            "user": os.getuid(),
            "secrets": sorted(file.name for file in Path("/secrets").iterdir()),
            "reaches": [host for host, port in SERVERS.items() if reaches(host, port)],
            "writes": [directory for directory in PLACES if may_write(directory)],
            "capabilities": capabilities(),
            "leads_out": leads_out(),
            "told_secrets": [name for name, value in os.environ.items() if is_secret(name, value)],
        }
    )
)
