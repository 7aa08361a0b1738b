"""How `python -m goal_ledger_local restart <part>` reaches the running supervisor.

A listener on 127.0.0.1 whose port and secret lie in a file (mode 0600) of the data directory; one JSON line each way:
`{"secret", "part"}` in, `{"pid"}` or `{"problem"}` out. Not a Unix socket: their paths end at 108 bytes.
"""

from __future__ import annotations

import json
import secrets
import socketserver
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import create_connection

from goal_ledger_local.credentials import write_in_one_piece
from goal_ledger_local.processes import PartFailed
from goal_ledger_local.tools import ToolMissing

ANSWER_WITHIN_S = 480.0  # draining 30 s, then starting 180 s, for each of two askers


class Control:
    """Answers restart requests until closed; each on a thread of its own."""

    def __init__(self, file: Path, restart: Callable[[str], int]) -> None:
        self._file = file
        secret = secrets.token_urlsafe(24)

        class Request(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = json.loads(self.rfile.readline(4096))
                if secrets.compare_digest(str(asked.get("secret")), secret):
                    self.wfile.write(json.dumps(_answer(restart, str(asked.get("part")))).encode() + b"\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Request)
        self._server.daemon_threads = True
        serve = partial(self._server.serve_forever, poll_interval=0.05)
        threading.Thread(target=serve, name="control", daemon=True).start()
        write_in_one_piece(file, json.dumps({"port": self._server.server_address[1], "secret": secret}))

    def close(self) -> None:
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()


def _answer(restart: Callable[[str], int], part: str) -> dict[str, int | str]:
    try:
        return {"pid": restart(part)}
    except (PartFailed, ToolMissing) as problem:
        return {"problem": str(problem)}


def ask_restart(file: Path, part: str) -> int:
    """Ask the supervisor of this data directory to start a part; its new pid, when it is ready.

    Raises:
        PartFailed: no supervisor runs there, or the part did not start.
    """
    try:
        where = json.loads(file.read_text())
        connection = create_connection(("127.0.0.1", where["port"]), timeout=ANSWER_WITHIN_S)
    except OSError:
        raise PartFailed(f"no stack is running with its data in {file.parent}") from None
    with connection, connection.makefile("rw") as lines:
        lines.write(json.dumps({"secret": where["secret"], "part": part}) + "\n")
        lines.flush()
        answer = json.loads(lines.readline() or '{"problem": "the supervisor ended before it answered"}')
    if "pid" not in answer:
        raise PartFailed(str(answer["problem"]))
    return int(answer["pid"])
