"""Objectives and check-ins in the export: the commitment, what it is now, and when what changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Json = dict[str, Any]
_OBJECTIVE = {
    "title": "wording",
    "description": "wording",
    "owner": "assignment",
    "contributors": "assignment",
    "kind": "kind",
    "cycle": "cycle",
}
_KEY_RESULT = {
    "text": "text",
    "description": "text",
    "measure": "measure",
    "weight": "weight",
    "owner": "owner",
}
_SAID = ("values", "confidence", "status", "method", "author", "note", "blockers", "evidence")
LAST_SEQ = 2**63
_DEFAULTS: Json = {"description": None, "contributors": [], "kind": None, "cycle": None, "owner": None}


class Goals:
    """Folds the facts of objectives' streams."""

    def __init__(self) -> None:
        self._goals: dict[str, Json] = {}
        self._objective_of: dict[str, str] = {}
        self._check_ins: dict[str, Json] = {}
        self._closed: list[int] = []

    def take(self, id: str, fact: Json, when: Json) -> None:
        type, data = fact["type"], fact["data"]
        if type == "ObjectiveDrafted":
            now = {name: data.get(name, _DEFAULTS.get(name)) for name in _OBJECTIVE}
            lineage = {"carried_from": data["carried_from"]} if data.get("carried_from") else {}
            row = {"now": now, "changed": {}, "key_results": {}, "links": [], "closings": [], "drafted": when}
            self._goals[id] = row | lineage
        elif type.startswith("CheckIn"):
            self._check_in(id, type, data, fact, when)
        elif "key_result" in data:
            self._key_result(self._goals[id], id, type, data, when)
        else:
            self._objective(self._goals[id], type, data, fact, when)

    # Objectives

    def _objective(self, goal: Json, type: str, data: Json, fact: Json, when: Json) -> None:
        match type:
            case "ObjectiveReworded":
                self._define(goal, "wording", {"description": None, **data}, when)
            case "ObjectiveAssigned":
                self._define(goal, "assignment", {"contributors": [], **data}, when)
            case "KindGiven":
                self._define(goal, "kind", data, when)
            case "PutInCycle" | "MovedToCycle":
                self._define(goal, "cycle", data, when)
            case "ObjectiveActivated":
                if "activated" not in goal:
                    _commit(goal, when)
            case "ObjectiveClosed":
                self._closed.append(fact["seq"])
                author = data.get("author") or _person(fact["actor"])
                said = {"author": author} if data.get("retrospective") and author else {}
                kept = {name: one for name, one in data.items() if name != "author"}
                goal["closings"].append({**kept, **said, **when})
            case "ObjectiveReopened":
                goal["closings"][-1]["reopened"] = when
                goal.pop("archived", None)
            case "ObjectiveArchived":
                goal["archived"] = when
            case "ObjectiveAligned":
                link = {"id": data["link"], "parent": data["parent"], "mode": data["mode"]}
                goal["links"].append({**link, "weight": data.get("weight", "1"), "linked": when})
            case "ObjectiveUnaligned":
                of_parent = [link for link in goal["links"] if link["parent"] == data["parent"]]
                of_parent[-1]["ended"] = when

    @staticmethod
    def _define(goal: Json, group: str, to: Json, when: Json) -> None:
        goal["now"] |= to
        if "activated" in goal:
            goal["changed"][group] = when

    # Key results

    def _key_result(self, goal: Json, objective: str, type: str, data: Json, when: Json) -> None:
        id, active = data["key_result"], "activated" in goal
        if type == "KeyResultAdded":
            self._objective_of[id] = objective
            now = {name: data.get(name, "1" if name == "weight" else None) for name in _KEY_RESULT}
            goal["key_results"][id] = {"now": now, "changed": {}, "bindings": []}
            if active:
                goal["key_results"][id] |= {"added": when, "committed": deepcopy(now)}
            return
        one = goal["key_results"][id]
        match type:
            case "PartBound":
                _unbind(one, data["part"], active, when)
                bound = {name: data[name] for name in ("part", "feed", "aggregation")}
                one["bindings"].append(bound | ({"bound": when} if active else {}))
            case "PartUnbound":
                _unbind(one, data["part"], active, when)
            case "KeyResultDropped":
                one["dropped"] = when
                one.pop("taken_up", None)
            case "KeyResultTakenUp":
                one["taken_up"] = when
            case _:
                changed = {name: one_ for name, one_ in data.items() if name in _KEY_RESULT}
                if type == "KeyResultOwnerChanged":
                    changed = {"owner": data.get("owner")}
                if type == "KeyResultReworded":
                    changed = {"description": None, **changed}
                one["now"] |= changed
                if active:
                    one["changed"] |= dict.fromkeys({_KEY_RESULT[name] for name in changed}, when)

    # Check-ins

    def _check_in(self, objective: str, type: str, data: Json, fact: Json, when: Json) -> None:
        id = data["check_in"]
        if type == "CheckInRetracted":
            self._check_ins[id]["retracted"] = when
            return
        said = {name: data[name] for name in _SAID if name in data}
        if "author" not in said and _person(fact["actor"]) is not None:
            said["author"] = _person(fact["actor"])
        revision = {
            "effective_at": fact["effective_at"],
            **said,
            "order": fact["seq"],
            **_only(when, "reason"),
        }
        if type == "CheckInRecorded":
            on = {"key_result": data["key_result"]} if data.get("key_result") else {"objective": objective}
            self._check_ins[id] = {"on": on, "revisions": []}
        self._check_ins[id]["revisions"].append(revision)

    def _check_in_row(self, id: str, check_in: Json) -> Json | None:
        """What it says now; what it said first, and whenever a goal was closed. None: retracted before any closing."""
        revisions, retracted = check_in["revisions"], check_in.get("retracted")
        ends = [one["order"] for one in revisions[1:]] + [retracted["order"] if retracted else LAST_SEQ]
        counted = [
            any(one["order"] < closed < end for closed in self._closed)
            for one, end in zip(revisions, ends, strict=True)
        ]
        if retracted and not any(counted):
            return None
        last, first = revisions[-1], revisions[0]
        row = {"id": id, **check_in["on"], **last, "order": first["order"]}
        row.pop("reason", None)
        row |= _only(first, "reason")
        if last is not first:
            between = [one for one, was in zip(revisions[1:-1], counted[1:-1], strict=True) if was]
            row["earlier"] = [first, *between]
            row["corrected"] = _only(last, "order", "reason")
        return row | ({"retracted": retracted} if retracted else {})

    # The rows

    def rows(self) -> tuple[list[Json], list[Json]]:
        """(objectives, check-ins)."""
        checkpoints = {id: _checkpoints(goal) for id, goal in self._goals.items()}
        objectives = []
        for id, goal in self._goals.items():
            links = self._kept_links(goal["links"], checkpoints)
            row: Json = {"id": id, **_as_it_is(goal, _OBJECTIVE), **_only(goal, "carried_from", "drafted")}
            row |= _only(goal, "activated", "archived")
            row["key_results"] = [_key_result_row(one, of) for one, of in goal["key_results"].items()]
            row |= {name: rows for name, rows in (("links", links), ("closings", goal["closings"])) if rows}
            objectives.append(row)
        check_ins = [self._check_in_row(id, one) for id, one in self._check_ins.items()]
        return objectives, [row for row in check_ins if row is not None]

    def _kept_links(self, links: list[Json], checkpoints: dict[str, list[int]]) -> list[Json]:
        """The links as they are, and those that a parent committed to, or was closed with."""
        kept = []
        for number, link in enumerate(links):
            kind, _, id = link["parent"].partition("/")
            above = id if kind == "objective" else self._objective_of.get(id, "")
            later = [other for other in links[number + 1 :] if other["parent"] == link["parent"]]
            until = [
                one["order"] for one in (link.get("ended"), later[0]["linked"] if later else None) if one
            ]
            end = min(until, default=None)
            counted = any(
                link["linked"]["order"] < at and (end is None or at < end)
                for at in checkpoints.get(above, ())
            )
            if counted or (not later and "ended" not in link):
                kept.append(link)
        return kept


def _commit(goal: Json, when: Json) -> None:
    goal["activated"] = when
    goal["committed"] = deepcopy(goal["now"])
    for one in goal["key_results"].values():
        one["committed"] = deepcopy(one["now"])


def _unbind(one: Json, part: str, active: bool, when: Json) -> None:
    """Ends the part's binding; one that nobody committed to is forgotten."""
    for bound in one["bindings"]:
        if bound["part"] == part and "unbound" not in bound:
            if active and "bound" not in bound:
                bound["unbound"] = when
            else:
                one["bindings"].remove(bound)
            return


def _as_it_is(thing: Json, groups: dict[str, str]) -> Json:
    """The definition now, and of what was committed otherwise: how, and when it was changed."""
    row = {name: one for name, one in thing["now"].items() if one not in (None, [])}
    committed = thing.get("committed")
    if committed is None:
        return row
    other = {name: one for name, one in committed.items() if one != thing["now"][name]}
    if other:
        names = {groups[name] for name in other}
        row["committed"] = other
        row["changed"] = {name: thing["changed"][name] for name in sorted(names)}
    return row


def _key_result_row(id: str, one: Json) -> Json:
    row = {"id": id, **_as_it_is(one, _KEY_RESULT), **_only(one, "added", "dropped", "taken_up")}
    return row | ({"bindings": one["bindings"]} if one["bindings"] else {})


def _only(thing: Json, *names: str) -> Json:
    return {name: thing[name] for name in names if name in thing}


def _person(actor: str) -> str | None:
    return actor if actor.startswith("person/") else None


def _checkpoints(goal: Json) -> list[int]:
    """The seqs at which others' links were counted for good."""
    activated = [goal["activated"]["order"]] if "activated" in goal else []
    return activated + [closing["order"] for closing in goal["closings"]]
