"""The gateway as a caller from outside sees it: whole requests, and bytes of a caller who means no good."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from containers.engine import Failed

ANSWER_WITHIN_S = 60.0
HEAD_MAX_BYTES = 65_536


class Answer(NamedTuple):
    """Status 0: nobody answered. `body` is empty where it is no JSON object."""

    status: int
    body: dict[str, Any]

    @property
    def refused(self) -> tuple[int, object]:
        """Status and code."""
        return self.status, self.body.get("code")


class Gateway:
    """Asks with the person's token, unless another credential is given."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.token = ""
        self.position = ""

    def command(self, path: str, body: object) -> dict[str, Any]:
        """Records, and remembers the position. Raises Failed."""
        answer = self.post(path, body)
        self.position = str(answer["position"])
        return answer

    def post(
        self, path: str, body: object, credential: str = "", media_type: str = "application/json"
    ) -> dict[str, Any]:
        """The answer. Raises Failed if it is a refusal."""
        status, answer = self.ask(path, credential or self.token, body, media_type)
        if status not in (200, 201):
            raise Failed(f"POST {path} answered {status}: {answer}")
        return answer

    def get(self, path: str, credential: str = "") -> dict[str, Any]:
        """The answer, or nothing while there is none."""
        status, answer = self.ask(path, credential or self.token)
        return answer if status == 200 else {}

    def ask(
        self, path: str, credential: str = "", body: object = None, media_type: str = "application/json"
    ) -> Answer:
        """One request: GET, or POST where there is a body."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = media_type
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, _object(refused.read()))
        except OSError:
            return Answer(0, {})

    def send_raw(self, head: bytes) -> Answer:
        """What these bytes are answered."""
        with self._connected() as connection:
            connection.sendall(head)
            said = connection.recv(HEAD_MAX_BYTES)
        status = said.split(b" ", 2)[1:2]
        return Answer(int(status[0]) if status else 0, _object(said.partition(b"\r\n\r\n")[2]))

    def closed_after_s(self, half: bytes, how_many: int) -> float:
        """After how many seconds the last of so many connections with half a request was closed. Raises Failed."""
        began = time.monotonic()
        connections = [self._connected() for _ in range(how_many)]
        try:
            for connection in connections:
                connection.sendall(half)
            for connection in connections:
                _await_closed(connection)
        finally:
            for connection in connections:
                connection.close()
        return time.monotonic() - began

    def _connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_WITHIN_S)


def _await_closed(connection: socket.socket) -> None:
    try:
        while connection.recv(HEAD_MAX_BYTES):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        raise Failed(f"half a request was not closed within {ANSWER_WITHIN_S:.0f} s") from None


def _object(said: bytes) -> dict[str, Any]:
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
