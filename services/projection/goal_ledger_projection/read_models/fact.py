"""A fact as the read models fold it: its stored text, and the parsed JSON of that text.

No dataclass is built of the data: folding is the hot path, and what the command service appended was checked there.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any

import orjson
from goal_ledger_contracts.facts import SCHEMA
from goal_ledger_contracts.lifting import lift

JsonObject = dict[str, Any]


class CannotApply(Exception):
    """The fact `seq` cannot be folded; the message is the reason its workspace is parked with."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.seq = seq
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A fact's place in its stream's chain: its version, and SHA-256(0x00 ‖ bytes) in hex."""

    version: int
    hash: str | None


class FactRead:
    """One fact of a workspace. `id` is the stream's id without its kind: `shop` of `objective/shop`.

    `link` and `previous` are what its stream's chain is made of; `unknown` says why this release cannot fold it.
    """

    __slots__ = (
        "body",
        "data",
        "id",
        "kind",
        "link",
        "previous",
        "seq",
        "stream",
        "text",
        "type",
        "unknown",
        "workspace",
    )

    def __init__(self, workspace: str, seq: int, stored: bytes) -> None:
        """Raises :class:`CannotApply` for bytes that are not the canonical bytes of the workspace's fact `seq`."""
        self.workspace = workspace
        self.seq = seq
        try:
            body: JsonObject = orjson.loads(stored)
            if orjson.dumps(body, option=orjson.OPT_SORT_KEYS) != stored:
                raise CannotApply(seq, "not a fact: its bytes are not canonical")
            self.text: str = stored.decode()
            self.type: str = body["type"]
            self.stream: str = body["stream"]
            kind, _, id = self.stream.partition("/")
            self.kind: str = kind
            self.id: str = id
            self.data: JsonObject = body["data"]
            if repr(body["seq"]) != str(seq) or body["workspace"] != workspace:
                raise CannotApply(seq, f"the bytes are of fact {body['seq']} of {body['workspace']}")
            self.previous: str | None = body["previous"]
            self.link = ChainLink(body["version"], sha256(b"\x00" + stored).hexdigest())
            self._lift(body)
        except (KeyError, TypeError, AttributeError, ValueError) as bad:
            raise CannotApply(seq, f"not a fact: {type(bad).__name__} {bad}") from None
        self.body = body

    def _lift(self, body: JsonObject) -> None:
        """Bring the data to the schema that is folded; a type or schema that this release does not know is noted."""
        self.unknown: str | None = None
        if SCHEMA.get(self.type) != body["schema"]:
            try:
                self.data = lift(self.type, body["schema"], self.data)
            except ValueError as unknown:
                self.unknown = str(unknown)

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
