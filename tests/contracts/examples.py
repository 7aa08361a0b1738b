"""One fact of every type, every field set, as it is stored: personal text sealed.

``python tests/contracts/examples.py`` writes the golden files that are not there yet. It never writes one again: a file
once committed is what the world has stored.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from goal_ledger_contracts import cycle, feed, measures, objective, person, unit, workspace
from goal_ledger_contracts.envelope import CommandMark, Fact, Origin, to_bytes
from goal_ledger_contracts.facts import SCHEMA, STREAM_OF
from goal_ledger_contracts.personal import Sealed

GOLDEN = Path(__file__).parent / "golden"

AT = datetime(2026, 3, 2, 7, 30, 0, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 7, 31, tzinfo=UTC)
SEALED = Sealed("person/ada", "AAECAwQFBgcICQoL", "c2VhbGVkIHRleHQgYW5kIHRhZw")
D = Decimal
WINDOW = measures.Window(start=AT, end=LATER)
FROM_LAUNCH = measures.Window(moment="launch", duration="P1M")
INCREASE = measures.Increase(D(1000), D(0), "visitors", FROM_LAUNCH)
STEPS = (measures.Step("design", "Utforming ferdig", D("0.5")), measures.Step("payment", "Betaling ferdig"))

MEASURES: dict[str, measures.Measure] = {
    "increase": INCREASE,
    "decrease": measures.Decrease(D(60), D(100), "s", WINDOW),
    "reach": measures.Reach(D(37), D("38.5"), "°C"),
    "stay_below": measures.StayBelow(D(3), D(5), "%"),
    "stay_above": measures.StayAbove(D("99.9"), D(99), "%"),
    "stay_between": measures.StayBetween(D(-1), D(1), D("0.25"), "°C"),
    "checklist": measures.Checklist(STEPS, WINDOW),
    "done_or_not": measures.DoneOrNot(),
    "ranged": measures.Ranged(D(0), D(10), D(20), D(30), (D(0), D("0.4"), D("0.8"), D(1)), "items", WINDOW),
    "aligned": measures.Aligned(),
    "compound": measures.Compound(
        "at_least",
        (
            measures.Part("visitors", INCREASE),
            measures.Part("sales", measures.Increase(D(10), None, None, FROM_LAUNCH), D("2.5")),
        ),
        1,
    ),
}
"""One measure of every kind; they are part of what is stored for ever."""

SAID: dict[str, Any] = {
    "check_in": "c-1",
    "key_result": "kr-1",
    "values": (
        objective.PartValue("value", D("250.125")),
        objective.PartValue("shop", done=("design", "payment")),
    ),
    "confidence": D("0.7"),
    "status": "on_track",
    "method": "estimated",
    "after_closing": True,
    "author": "person/ada",
    "note": SEALED,
    "blockers": (SEALED, SEALED),
    "evidence": (SEALED,),
}
READING: dict[str, Any] = {
    "source": "https://shop.example/web",
    "id": "2026-03-01/visitors",
    "time": AT,
    "value": D("999999999999999999.999999"),
    "mode": "absolute",
    "unit": "visitors",
}
POLICY = workspace.Policy(
    time_zone="Europe/Oslo",
    on_track_points=D(5),
    behind_points=D("25.5"),
    roll_up="both",
    cadence_weeks=1,
    anchor_weekday=5,
    grace_days=2,
    feeds_count_as_word=True,
    max_key_results=5,
    max_active_objectives=7,
)
DEFINITION = {
    "kind": "counter",
    "unit": "visitors",
    "interval": "P1D",
    "low": D(0),
    "high": D("1000000.5"),
    "description": "Besøk i nettbutikken",
}

DATA: tuple[Any, ...] = (
    workspace.WorkspaceCreated("Blåbær & sønner", "Europe/Oslo"),
    workspace.PolicySet("unit/shop", 3, POLICY),
    workspace.MomentRecorded("launch", AT),
    workspace.MomentCorrected("launch", LATER),
    workspace.MomentRetracted("launch"),
    workspace.IdentityLinked("https://issuer.example", "abc|123", "ada"),
    workspace.IdentityUnlinked("https://issuer.example", "abc|123", "ada"),
    workspace.RoleGranted("person/ada", "owner"),
    workspace.RoleRevoked("person/ada", "owner"),
    workspace.KeyIssued("k-1", "system/webshop", "0f" * 32),
    workspace.KeyRotated("k-1", "1e" * 32),
    workspace.KeyRevoked("k-1"),
    workspace.SystemRegistered("webshop", "Web shop"),
    workspace.SystemRetired("webshop"),
    workspace.TextWithheld("01890a5d-ac96-774b-bcce-b302099a8057", "/blockers/0"),
    workspace.StoreRestored(150, 2, (workspace.LostHead(155, "ab" * 32), workspace.LostHead(160, "cd" * 32))),
    unit.UnitCreated("Shop", "sales"),
    unit.UnitRenamed("Web shop"),
    unit.UnitMoved("marketing"),
    unit.UnitClosed(),
    unit.LeadNamed("ada"),
    unit.PilotWaveJoined("wave-1"),
    unit.PilotWaveLeft("wave-1"),
    person.PersonAdded(SEALED),
    person.PersonRenamed(SEALED),
    person.UnitJoined("shop"),
    person.UnitLeft("shop"),
    person.PersonLeft(),
    person.PersonCameBack(),
    person.LeaveBegun(),
    person.LeaveEnded(),
    person.PersonShredded(),
    cycle.CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31), "y26"),
    cycle.CycleOpened(),
    cycle.CycleLocked(),
    cycle.CycleClosed(),
    cycle.CycleReopened(),
    cycle.CycleDatesMoved(date(2026, 1, 5), date(2026, 4, 5)),
    feed.FeedRegistered("webshop", **DEFINITION),
    feed.FeedRedefined(**DEFINITION),
    feed.CounterRestarted(AT, D("17.5")),
    feed.CounterRestartRetracted(AT),
    feed.ReadingRecorded(**READING, sequence="17", backfill=True),
    feed.ReadingQuarantined(**READING, why="counter_backwards", sequence="17", backfill=True),
    feed.ReadingReleased(READING["source"], READING["id"]),
    feed.ReadingRejected(READING["source"], READING["id"]),
    feed.ReadingCorrected(**READING),
    feed.ReadingRetracted(READING["source"], READING["id"]),
    objective.ObjectiveDrafted(
        "Åpne nettbutikken", "unit/shop", "Et vinnende konsept", "aspirational", "q1", ("person/ada",), "o-0"
    ),
    objective.ObjectiveReworded("Åpne butikken", "Kortere"),
    objective.ObjectiveAssigned("person/ada", ("person/bob", "unit/it")),
    objective.KindGiven("committed"),
    objective.PutInCycle("q1"),
    objective.MovedToCycle("q2"),
    objective.ObjectiveAligned("l-1", "key-result/kr-9", "contributes", D("0.5")),
    objective.ObjectiveUnaligned("l-1", "key-result/kr-9"),
    objective.ObjectiveActivated(),
    objective.ObjectiveClosed("partial", D("0.7"), D("0.654321"), "person/ada", SEALED),
    objective.ObjectiveReopened(),
    objective.ObjectivePaused(),
    objective.ObjectiveResumed(),
    objective.ObjectiveCarriedOver("o-2", "q2"),
    objective.ObjectiveArchived(),
    objective.ChangeEndorsed("01890a5d-ac96-774b-bcce-b302099a8057"),
    objective.CommentAdded("m-1", "check-in/c-1", "person/ada", SEALED),
    objective.KudosGiven("k-1", "objective/o-1", "person/ada", SEALED),
    objective.KeyResultAdded("kr-1", "1000 besøk", INCREASE, D("1.5"), "person/ada"),
    objective.KeyResultReworded("kr-1", "1000 besøkende"),
    objective.MeasureChanged("kr-1", MEASURES["compound"]),
    objective.KeyResultWeightChanged("kr-1", D("0.000001")),
    objective.KeyResultOwnerChanged("kr-1", "person/bob"),
    objective.PartBound("kr-1", "visitors", "webshop.visitors", "increase"),
    objective.PartUnbound("kr-1", "visitors"),
    objective.KeyResultDropped("kr-1"),
    objective.KeyResultTakenUp("kr-1"),
    objective.CheckInRecorded(**SAID),
    objective.CheckInCorrected(**SAID),
    objective.CheckInRetracted("c-1", "kr-1"),
)


def fact(data: Any) -> Fact:
    """The fact with this data, every field of the envelope set."""
    return Fact(
        event_id="01890a5d-ac96-774b-bcce-b302099a8057",
        workspace="acme",
        seq=151,
        stream=f"{STREAM_OF[type(data).__name__]}/{'acme' if type(data).__module__.endswith('workspace') else 'o-1'}",
        version=7,
        data=data,
        effective_at=AT,
        recorded_at=LATER,
        actor="person/ada",
        correlation_id="req-1",
        causation_id="01890a5d-ac96-774b-bcce-b302099a8056",
        previous="0f" * 32,
        reason='Fordi "vi" lærte noe\nnytt \\ her \u2028 🎯',
        stated_at=LATER,
        command=CommandMark("ab" * 32, "cd" * 32),
        origin=Origin("kafka", "progress.readings.acme.webshop", "g-1", 3, 42),
    )


ZONES = measures.Zones("Ingen kjenner oss", "Noen kjenner oss", "De fleste kjenner oss", "Alle kjenner oss")
LATER_FIELDS: dict[str, Any] = {
    "ObjectiveCarriedOver.v1.things": objective.ObjectiveCarriedOver(
        "o-2",
        "q2",
        (
            objective.CarriedThing("title", "taken"),
            objective.CarriedThing("links/objective/o-9", "changed", "objective/o-10", "carried_over"),
        ),
    ),
    "KeyResultAdded.v1.described": objective.KeyResultAdded(
        "kr-2",
        "Kjent i byen",
        measures.Ranged(D(0), D(10), D(20), D(30), zones=ZONES),
        description="Målt av\nbyrået",
        carried_from="kr-1",
    ),
    "KeyResultReworded.v1.described": objective.KeyResultReworded("kr-1", "1000 besøkende", "Unike per dag"),
}
"""Optional fields that came after a file with all the others was stored; where one is left out the bytes are as before."""


EXAMPLES: dict[str, Fact] = {
    **{f"{type(data).__name__}.v{SCHEMA[type(data).__name__]}": fact(data) for data in DATA},
    **{
        f"KeyResultAdded.v1.{kind}": fact(objective.KeyResultAdded("kr-1", "Mål", measure))
        for kind, measure in MEASURES.items()
    },
    **{name: fact(data) for name, data in LATER_FIELDS.items()},
}
"""File name (without .json) → the fact. One per type and schema version, one per kind of measure, and those with
fields that were added later."""


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, one in EXAMPLES.items():
        path = GOLDEN / f"{name}.json"
        if not path.exists():
            path.write_bytes(to_bytes(one))
            print(path)
