"""The answers that a dossier is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_PEOPLE = frozenset({"actor", "author", "owner", "present_owner", "by", "endorsed_by", "contributors"})
"""The members that name people and units."""


@dataclass(frozen=True, slots=True)
class DossierAnswers:
    """All at one token but ``at_commitment``, which is the objective's answer at its first activation. None: the goal was not
    committed to, or (``attribution``) rests on too many facts."""

    objective: Json
    at_commitment: Json | None
    commitment: Json | None
    amendments: Json
    attribution: Json | None
    explain: Json
    timeline: Json
    check_ins: Json
    comments: Json
    kudos: Json

    @property
    def token(self) -> str:
        return str(self.objective["token"])

    def computed(self) -> Mapping[str, Json]:
        """Those that the offline verifier computes again, by name."""
        both = {"objective": self.objective, "at-commitment": self.at_commitment}
        return {name: one for name, one in both.items() if one is not None}

    def told(self) -> Mapping[str, Json]:
        """The others, by name."""
        found = {
            "commitment": self.commitment,
            "amendments": self.amendments,
            "attribution": self.attribution,
            "explain": self.explain,
            "timeline": self.timeline,
            "check-ins": self.check_ins,
            "comments": self.comments,
            "kudos": self.kudos,
        }
        return {name: one for name, one in found.items() if one is not None}

    def holders(self) -> set[str]:
        """Whoever is named in them: ``person/<id>`` and ``unit/<id>``."""
        named: set[str] = set()
        for one in (*self.computed().values(), *self.told().values()):
            named.update(_named(one))
        return {one for one in named if one.startswith(("person/", "unit/"))}


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in _PEOPLE:
                yield from (
                    each for each in (one if isinstance(one, list) else [one]) if isinstance(each, str)
                )
            else:
                yield from _named(one)
