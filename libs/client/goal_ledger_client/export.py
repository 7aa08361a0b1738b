"""From facts to the document that an import takes: the organisation as committed and as it is now.

The facts are folded in seq order (as ``/v1/facts`` gives them, personal text opened). ``order`` is a thing's seq in this
record: an import takes things in that order, so that each commitment, each closing and each value is met by what was
known then. What was changed and changed again before anybody committed to it, or counted it, is not in the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from goal_ledger_client.export_of_goals import Goals

FactLine = dict[str, Any]
Json = dict[str, Any]
FORMAT = "goal-ledger.organisation.v1"
_FEED = ("kind", "unit", "interval", "low", "high", "description")


def organisation_of(facts: Iterable[FactLine]) -> Json:
    """The document of a workspace whose facts these are."""
    fold = _Organisation()
    seq = 0
    for fact in facts:
        fold.take(fact)
        seq = fact["seq"]
    return fold.document(seq)


def happened(fact: FactLine) -> Json:
    """When, in which order, and why."""
    found = {"at": fact["effective_at"], "order": fact["seq"]}
    return found | ({"reason": fact["reason"]} if fact.get("reason") else {})


class _Organisation:
    def __init__(self) -> None:
        self.workspace: Json = {}
        self.rows: dict[str, dict[Any, Json]] = {
            name: {}
            for name in ("units", "people", "systems", "feeds", "cycles", "policies", "moments", "readings")
        }
        self.goals = Goals()

    def take(self, fact: FactLine) -> None:
        kind, _, id = fact["stream"].partition("/")
        if kind == "objective":
            self.goals.take(id, fact, happened(fact))
            return
        take = getattr(self, f"_{kind}", None)
        if take is not None:
            take(id, fact["type"], fact["data"], fact)

    def document(self, seq: int) -> Json:
        tidy = {name: list(rows.values()) for name, rows in self.rows.items()}
        readings = [one for one in tidy.pop("readings") if one.pop("counts")]
        policy = self.rows["policies"].get("workspace", {}).get("policy", {})
        zone = {"time_zone": policy["time_zone"]} if policy.get("time_zone") else {}
        objectives, check_ins = self.goals.rows()
        return {
            "format": FORMAT,
            "exported": {"seq": seq},
            "workspace": self.workspace | zone,
            **tidy,
            "objectives": objectives,
            "check_ins": check_ins,
            "readings": readings,
        }

    # One method per kind of stream, called by the name in the fact's `stream`

    def _workspace(self, id: str, type: str, data: Json, fact: FactLine) -> None:
        match type:
            case "WorkspaceCreated":
                self.workspace = {"id": id, **data}
            case "PolicySet":
                row = {"scope": data["scope"], "policy": data["policy"], "effective_at": fact["effective_at"]}
                self.rows["policies"].pop(data["scope"], None)
                self.rows["policies"][data["scope"]] = row | _reason(fact)
            case "MomentRecorded":
                self.rows["moments"][data["name"]] = {**data, "order": fact["seq"]}
            case "MomentCorrected":
                self.rows["moments"][data["name"]]["at"] = data["at"]
            case "MomentRetracted":
                del self.rows["moments"][data["name"]]
            case "SystemRegistered":
                self.rows["systems"][data["system"]] = {"id": data["system"], "name": data["name"]}
            case "SystemRetired":
                self.rows["systems"][data["system"]]["retired"] = happened(fact)

    def _unit(self, id: str, type: str, data: Json, fact: FactLine) -> None:
        if type == "UnitCreated":
            self.rows["units"][id] = {"id": id, **data, "since": fact["effective_at"]}
            return
        unit = self.rows["units"][id]
        match type:
            case "UnitRenamed":
                unit["name"] = data["name"]
            case "UnitMoved":
                unit["parent"] = data.get("parent")
            case "LeadNamed":
                unit["lead"] = data.get("person")
            case "PilotWaveJoined":
                unit.setdefault("waves", []).append(data["wave"])
            case "PilotWaveLeft":
                unit["waves"].remove(data["wave"])
            case "UnitClosed":
                unit["closed"] = happened(fact)

    def _person(self, id: str, type: str, data: Json, fact: FactLine) -> None:
        if type == "PersonAdded":
            self.rows["people"][id] = {"id": id, **data, "units": [], "since": fact["effective_at"]}
            return
        person = self.rows["people"][id]
        match type:
            case "PersonRenamed":
                person["display_name"] = data["display_name"]
            case "UnitJoined":
                person["units"].append({"unit": data["unit"], "since": fact["effective_at"]})
            case "PersonLeft":
                person["left"] = happened(fact)
            case "PersonCameBack":
                person.pop("left", None)
            case "UnitLeft":
                person["units"] = [seat for seat in person["units"] if seat["unit"] != data["unit"]]

    def _cycle(self, id: str, type: str, data: Json, fact: FactLine) -> None:
        if type == "CyclePlanned":
            planned = {"id": id, **data, "stage": "planned", "planned": happened(fact)}
            self.rows["cycles"][id] = planned
            return
        cycle = self.rows["cycles"][id]
        match type:
            case "CycleOpened":
                cycle |= {"stage": "open", "opened": happened(fact)}
            case "CycleReopened":
                cycle["stage"] = "open"
                cycle.pop("locked", None)
                cycle.pop("closed", None)
            case "CycleLocked":
                cycle |= {"stage": "locked", "locked": happened(fact)}
            case "CycleClosed":
                cycle |= {"stage": "closed", "closed": happened(fact)}
            case "CycleDatesMoved":
                cycle.setdefault("first_dates", {"start": cycle["start"], "end": cycle["end"]})
                cycle |= {**data, "moved": happened(fact)}

    def _feed(self, name: str, type: str, data: Json, fact: FactLine) -> None:
        if type == "FeedRegistered":
            self.rows["feeds"][name] = {"name": name, **data, "since": fact["effective_at"]}
        elif type == "FeedRedefined":
            redefined = {**data, "at": fact["effective_at"]} | _reason(fact)
            self.rows["feeds"][name].setdefault("redefinitions", []).append(redefined)
        elif type == "CounterRestarted":
            restarted = {**data, "order": fact["seq"]} | _reason(fact)
            self.rows["feeds"][name].setdefault("restarts", []).append(restarted)
        elif type == "CounterRestartRetracted":
            restarts = self.rows["feeds"][name]["restarts"]
            restarts[:] = [one for one in restarts if one["at"] != data["at"]]
        elif type in ("ReadingRecorded", "ReadingQuarantined"):
            content = {one: text for one, text in data.items() if one not in ("backfill", "why")}
            counts = type == "ReadingRecorded"
            row = {"feed": name, **content, "order": fact["seq"], "counts": counts}
            self.rows["readings"][data["source"], data["id"]] = row
        else:
            self._judged(self.rows["readings"][data["source"], data["id"]], type, data, fact)

    @staticmethod
    def _judged(reading: Json, type: str, data: Json, fact: FactLine) -> None:
        match type:
            case "ReadingReleased":
                reading |= {"counts": True, "released": happened(fact)}
            case "ReadingCorrected":
                reading |= data
            case "ReadingRejected" | "ReadingRetracted":
                reading["counts"] = False


def _reason(fact: FactLine) -> Json:
    return {"reason": fact["reason"]} if fact.get("reason") else {}
