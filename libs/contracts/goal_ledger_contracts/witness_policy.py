"""Which witnesses see the signed heads, and how many of them make a head good: a file that public programs read too.

The lines are those of a witness policy as Tessera, Sigsum (with verifier keys) and torchwood write it; ``#`` begins a remark:

    witness <name> <verifier key> [<URL>]
    group <name> <any | all | number> <name of a witness or group> …
    quorum <name of a witness or group | none>

``log <verifier key>`` lines are for readers: each workspace and epoch is a log of its own, and who writes knows its key. A
witness without a URL is not asked; its cosignature may count all the same, if somebody else brings it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from goal_ledger_contracts.verifier_key import COSIGNATURES, VerifierKey, parse_verifier_key


class BadPolicy(ValueError):
    """Not a witness policy; the message says where."""


@dataclass(frozen=True, slots=True)
class LogWitness:
    """``url``: the prefix before ``/add-checkpoint``; None: it is not asked."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class WitnessGroup:
    """Satisfied when ``needed`` of its members are."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """``quorum``: the witness or group that must have cosigned; None: no cosignature is asked for. ``logs``: the keys of
    logs, as they are written."""

    witnesses: tuple[LogWitness, ...] = ()
    groups: Mapping[str, WitnessGroup] | None = None
    quorum: str | None = None
    logs: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[LogWitness, ...]:
        """The witnesses with an address."""
        return tuple(one for one in self.witnesses if one.url is not None)

    def is_satisfied(self, cosigners: Collection[str]) -> bool:
        """Whether the cosignatures of these (by the policy's names) make a head good."""
        return self.quorum is None or self._counts(self.quorum, cosigners)

    def _counts(self, name: str, cosigners: Collection[str]) -> bool:
        group = (self.groups or {}).get(name)
        if group is None:
            return name in cosigners
        return sum(self._counts(one, cosigners) for one in group.members) >= group.needed


def parse_policy(text: str) -> WitnessPolicy:
    """Raises :class:`BadPolicy` with the number of the line."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        try:
            if words:
                reader.take(*words)
        except ValueError as wrong:
            raise BadPolicy(f"line {number}: {wrong}") from None
    if reader.quorum is None:
        raise BadPolicy("no quorum is named; of none say: quorum none")
    quorum = None if reader.quorum == "none" else reader.quorum
    return WitnessPolicy(tuple(reader.witnesses.values()), reader.groups, quorum, tuple(reader.logs))


_WORDS = {"log": (1, 9), "witness": (2, 3), "group": (3, 999), "quorum": (1, 1)}
"""How many words each kind of line has behind its first, at least and at most."""


class _Reader:
    """Takes line by line; what a line names must stand above it."""

    def __init__(self) -> None:
        self.witnesses: dict[str, LogWitness] = {}
        self.groups: dict[str, WitnessGroup] = {}
        self.quorum: str | None = None
        self.logs: list[str] = []

    def take(self, word: str, *rest: str) -> None:
        """Raises ValueError."""
        least, most = _WORDS.get(word, (1, 0))
        if not least <= len(rest) <= most:
            raise ValueError(f"not a line of a policy: {word[:40]} and {len(rest)} words more")
        match word:
            case "log":
                self.logs.append(rest[0])
            case "witness":
                self._witness(*rest)
            case "group":
                self._group(*rest)
            case "quorum":
                self._quorum(*rest)

    def _witness(self, name: str, key: str, url: str | None = None) -> None:
        self._need_new(name)
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError(f"not an address: {url!r}")
        parsed = parse_verifier_key(key)
        if parsed.kind not in COSIGNATURES:
            raise ValueError(f"a key of notes, not of cosignatures: {key[:80]}")
        if any(parsed.name == one.key.name for one in self.witnesses.values()):
            raise ValueError(f"the key of {parsed.name} stands here twice")
        self.witnesses[name] = LogWitness(name, parsed, None if url is None else url.rstrip("/"))

    def _group(self, name: str, needed: str, *members: str) -> None:
        self._need_new(name)
        for one in members:
            self._need_known(one)
        count = {"any": 1, "all": len(members)}.get(needed)
        count = int(needed) if count is None else count
        if not 1 <= count <= len(members):
            raise ValueError(f"{needed} of {len(members)} members")
        self.groups[name] = WitnessGroup(count, members)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise ValueError("a second quorum")
        if name != "none":
            self._need_known(name)
        self.quorum = name

    def _need_new(self, name: str) -> None:
        if name in self.witnesses or name in self.groups or name == "none":
            raise ValueError(f"the name {name} is taken")

    def _need_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ValueError(f"nothing above is named {name}")
