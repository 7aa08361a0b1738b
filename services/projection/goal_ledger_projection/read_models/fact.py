"""A fact as the read models fold it: its stored text, and the parsed JSON of that text.

No dataclass is built of the data: folding is the hot path, and what the command service appended was checked there.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder, dumps
from typing import Any

from goal_ledger_contracts.facts import SCHEMA
from goal_ledger_contracts.lifting import lift

Body = dict[str, Any]

_scan = JSONDecoder().raw_decode
"""Canonical text has nothing round its object: the decoder's search for white space is not needed."""


class CannotApply(Exception):
    """The fact `seq` cannot be folded; the message is the reason its workspace is parked with."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq
        self.reason = reason


class Fact:
    """One fact of a workspace. `id` is the stream's id without its kind: `shop` of `objective/shop`."""

    __slots__ = ("body", "data", "id", "kind", "seq", "text", "type", "workspace")

    def __init__(self, workspace: str, seq: int, stored: bytes) -> None:
        """Raises :class:`CannotApply` for bytes that are not the fact `seq` in a shape this release knows."""
        self.workspace = workspace
        self.seq = seq
        try:
            self.text: str = stored.decode()
            body: Body
            body, end = _scan(self.text)
            if end != len(self.text):
                raise CannotApply(seq, "not a fact: something follows its object")
            self.type: str = body["type"]
            stream: str = body["stream"]
            self.kind, _, self.id = stream.partition("/")
            data: Body = body["data"]
            if body["seq"] != seq or body["workspace"] != workspace:
                raise CannotApply(seq, f"the bytes are of fact {body['seq']} of {body['workspace']}")
            if SCHEMA.get(self.type) != body["schema"]:
                data = lift(self.type, body["schema"], data)
        except (
            KeyError,
            TypeError,
            AttributeError,
            JSONDecodeError,
            UnicodeDecodeError,
            RecursionError,
        ) as bad:
            raise CannotApply(seq, f"not a fact: {type(bad).__name__} {bad}") from None
        except ValueError as unknown:
            raise CannotApply(seq, str(unknown)) from None
        self.body = body
        self.data = data

    @property
    def data_text(self) -> str:
        """The JSON object `data` as it stands in the canonical text.

        Keys are sorted: `effective_at` follows `data`, and no fact's data has a member of that name; inside strings
        the quotes would be escaped. Schemas lifted have no text of their own.
        """
        if self.data is not self.body["data"]:
            return dumps(self.data, ensure_ascii=False)
        begin = self.text.index('"data":{') + len('"data":')
        return self.text[begin : self.text.index(',"effective_at":', begin)]

    @property
    def event_id(self) -> str:
        return str(self.body["event_id"])

    @property
    def effective_at(self) -> str:
        return str(self.body["effective_at"])
