"""What a stream of server-sent events says, line by line: the one core of the sync and the async client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from goal_ledger_client.exchange import USUAL_RETRY, Problem


@dataclass(frozen=True, slots=True)
class Event:
    """A fact as it was recorded. ``position``: of the fact; who listens again after it misses nothing."""

    position: str
    fact: dict[str, Any]


@dataclass(slots=True)
class Heard:
    """How far a listener has come; ``position`` None: it has not heard anything."""

    position: str | None
    pause_s: float = USUAL_RETRY.first_pause_s
    """Before the stream is asked for again, once it ended: as the service says."""
    _fields: dict[str, str] = field(default_factory=dict)

    def line(self, line: str) -> Event | None:
        """An event, once its last line has come. Raises :class:`Problem` where the service says why it ends."""
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        said, self._fields = self._fields, {}
        if "retry" in said:
            self.pause_s = int(said["retry"]) / 1000
        if said.get("event") == "closed":
            document = json.loads(said["data"])
            raise Problem(document["status"], document)
        self.position = said.get("id", self.position)
        if "data" not in said or self.position is None:
            return None
        return Event(self.position, json.loads(said["data"]))

    def cut_off(self) -> None:
        """The stream ended: what had come of an event is no event."""
        self._fields = {}
