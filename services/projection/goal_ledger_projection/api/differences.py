"""What differs between two JSON bodies: a JSON patch (RFC 6902) from one to the other, with the words of the domain beside.

Items of a list are known by what they are (an id, a part, a reference …), not by their place, so that one more item is one
change. A patch's places are places all the same: whoever applies the changes in order gets the second body.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Pointer = tuple[str | int, ...]

_IDENTITIES = [
    "id",
    "ref",
    "event_id",
    "part",
    "link",
    "name",
    "key",
    "seq",
    "objective",
    "key_result",
    "at",
    "start",
    "unit",
    "wave",
    "person",
    "holder",
    "scope",
    "node",
    "date",
    "as_of",
]
"""Members by which an item of a list may be known; the first that all items have, each its own, is taken."""
_KINDS = {
    "objective": "objective",
    "nodes": "objective",
    "key_result": "key-result",
    "key_results": "key-result",
    "check_in": "check-in",
    "unit": "unit",
    "person": "person",
    "cycle": "cycle",
    "summary": "cycle",
    "moment": "moment",
    "feed": "feed",
    "system": "system",
}
"""What a member of an answer holds."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the body; in the words of the domain: the thing, and which member of it."""

    pointer: Pointer
    thing: str | None = None
    field: tuple[str, ...] = ()

    def member(self, name: str, value: Any) -> _Place:
        thing = _thing(_KINDS.get(name), value)
        if thing is None:
            return _Place((*self.pointer, name), self.thing, (*self.field, name))
        return _Place((*self.pointer, name), thing)

    def item(self, index: int, name: Hashable, value: Any, kind: str | None) -> _Place:
        thing = _thing(kind, value)
        if thing is None:
            return _Place((*self.pointer, index), self.thing, (*self.field, str(name)))
        return _Place((*self.pointer, index), thing)

    def change(self, op: str, **more: Any) -> Json:
        words = {"thing": self.thing, "field": "/".join(self.field) or None}
        return {"op": op, "path": written(self.pointer), **words, **more}


def _thing(kind: str | None, value: Any) -> str | None:
    if kind is None or not isinstance(value, Mapping):
        return None
    id = value.get("id", value.get("name", value.get(kind.replace("-", "_"))))
    return f"{kind}/{id}" if isinstance(id, str) else None


def written(pointer: Pointer) -> str:
    """As RFC 6901 has it."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in pointer)


def differences(before: Json, after: Json, kind: str | None = None) -> list[Json]:
    """The changes in the order in which they are applied. ``kind``: what the answer's ``items`` are."""
    kinds = {"items": kind, "nodes": "objective", "key_results": "key-result", "children": None}
    return list(_Differences(kinds).of(before, after, _Place((), after.get("ref"))))


class _Differences:
    def __init__(self, kinds: Mapping[str, str | None]) -> None:
        self._kinds = kinds

    def of(self, before: Any, after: Any, place: _Place) -> Iterator[Json]:
        if before == after and type(before) is type(after):
            return
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self._of_members(before, after, place)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self._of_items(before, after, place)
        else:
            yield place.change("replace", before=before, value=after)

    def _of_members(self, before: Json, after: Json, place: _Place) -> Iterator[Json]:
        for name, value in before.items():
            if name not in after:
                yield place.member(name, value).change("remove", before=value)
        for name, value in after.items():
            there = place.member(name, value)
            if name not in before:
                yield there.change("add", value=value)
            else:
                yield from self.of(before[name], value, there)

    def _of_items(self, before: list[Any], after: list[Any], place: _Place) -> Iterator[Json]:
        kind = self._kinds.get(str(place.pointer[-1]))
        named = _names(before, after)
        if named is None:
            yield from self._in_their_places(before, after, place, kind)
            return
        were, are = named
        old, new = dict(zip(were, before, strict=True)), dict(zip(are, after, strict=True))
        for index in range(len(were) - 1, -1, -1):
            if were[index] not in new:
                gone = place.item(index, were[index], before[index], kind)
                yield gone.change("remove", before=before[index])
        yield from self._in_order([one for one in were if one in new], are, new, place, kind)
        for index, name in enumerate(are):
            if name in old:
                there = place.item(index, name, new[name], kind)
                yield from self.of(old[name], new[name], there)

    def _in_order(
        self,
        left: list[Hashable],
        are: list[Hashable],
        new: Mapping[Hashable, Any],
        place: _Place,
        kind: str | None,
    ) -> Iterator[Json]:
        """Items that are new, or come elsewhere, each put right behind the one that it follows."""
        if left == are:
            return
        staying, there = _longest_in_order(left, are), set(left)
        for index, name in enumerate(are):
            if name in staying:
                continue
            start = left.index(name) if name in there else None
            if start is not None:
                del left[start]
            to = left.index(are[index - 1]) + 1 if index else 0
            left.insert(to, name)
            where = place.item(to, name, new[name], kind)
            if start is None:
                yield where.change("add", value=new[name])
            elif start != to:
                yield where.change("move", **{"from": written((*place.pointer, start))})

    def _in_their_places(
        self, before: list[Any], after: list[Any], place: _Place, kind: str | None
    ) -> Iterator[Json]:
        """Items that nothing tells apart."""
        for index in range(len(before) - 1, len(after) - 1, -1):
            yield place.item(index, index, before[index], kind).change("remove", before=before[index])
        for index, value in enumerate(after):
            there = place.item(index, index, value, kind)
            if index < len(before):
                yield from self.of(before[index], value, there)
            else:
                yield there.change("add", value=value)


def _names(before: list[Any], after: list[Any]) -> tuple[list[Hashable], list[Hashable]] | None:
    """What the items of both lists are known by; None: nothing tells them apart."""
    every = [*before, *after]
    if all(isinstance(one, str) for one in every):
        return (before, after) if _each_its_own(before) and _each_its_own(after) else None
    if not all(isinstance(one, dict) for one in every):
        return None
    for name in _IDENTITIES:
        if all(isinstance(one.get(name), str | int) for one in every):
            were, are = [one[name] for one in before], [one[name] for one in after]
            if _each_its_own(were) and _each_its_own(are):
                return were, are
    return None


def _each_its_own(many: Sequence[Hashable]) -> bool:
    return len(set(many)) == len(many)


def _longest_in_order(left: Sequence[Hashable], are: Sequence[Hashable]) -> set[Hashable]:
    """As many of those left as can stay where they are (the longest increasing subsequence of their new places)."""
    places = {name: index for index, name in enumerate(are)}
    ends: list[int] = []
    at: list[int] = []
    before: list[int | None] = []
    for n, name in enumerate(left):
        length = bisect_left(ends, places[name])
        before.append(at[length - 1] if length else None)
        ends[length : length + 1] = [places[name]]
        at[length : length + 1] = [n]
    found, last = set(), at[-1] if at else None
    while last is not None:
        found.add(left[last])
        last = before[last]
    return found
