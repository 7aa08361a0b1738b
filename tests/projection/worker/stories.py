"""Logs that tell something: the running example with every kind of fact, and long dull ones for counting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from goal_ledger_contracts import cycle, feed, objective, person, unit, workspace
from goal_ledger_contracts.measures import Checklist, Compound, Increase, Part, Step, Window
from goal_ledger_contracts.personal import Sealed
from projection.worker.given import START, Log

NAME = Sealed("person/ada", "bm9uY2U", "Y2lwaGVy")
SHOP = "objective/shop"
LAUNCH = START + timedelta(days=10)


def launch_measure() -> Compound:
    month = Window(moment="launch", duration="P1M")
    visitors = Part("visitors", Increase(Decimal(1000), Decimal(0), "visitors", month))
    sales = Part("sales", Increase(Decimal(10), Decimal(0), "sales", month))
    return Compound("all", (visitors, sales))


def organisation(log: Log) -> None:
    home = f"workspace/{log.workspace}"
    log.add(home, workspace.WorkspaceCreated("Web shop", "Europe/Oslo"), actor="operator")
    log.add(home, workspace.PolicySet("workspace", 1, workspace.Policy(grace_days=2)), reason="house rule")
    log.add(home, workspace.IdentityLinked("https://issuer.example", "sub\tject", "ada"))
    log.add(home, workspace.RoleGranted("person/ada", "admin"))
    log.add(home, workspace.RoleGranted("person/ada", "importer"))
    log.add(home, workspace.RoleRevoked("person/ada", "importer"), reason="done")
    log.add(home, workspace.SystemRegistered("webshop", "The shop"))
    log.add(home, workspace.KeyIssued("k1", "system/webshop", "00" * 32))
    log.add(home, workspace.KeyRotated("k1", "11" * 32))
    log.add("person/ada", person.PersonAdded(NAME))
    log.add("unit/sales", unit.UnitCreated("Sales"))
    log.add("unit/sales", unit.LeadNamed("ada"))
    log.add("unit/sales", unit.PilotWaveJoined("first"))
    log.add("person/ada", person.UnitJoined("sales"))
    log.add("cycle/q1", cycle.CyclePlanned("Q1", date(2026, 1, 1), date(2026, 3, 31)))
    log.add("cycle/q1", cycle.CycleOpened())
    log.add("feed/webshop.visitors", feed.FeedRegistered("webshop", "counter", "visitors"))


def goals(log: Log) -> None:
    log.add("objective/company", objective.ObjectiveDrafted("Grow", "unit/sales"))
    log.add(SHOP, objective.ObjectiveDrafted("A shop: \\ “søt”", "unit/sales", cycle="q1"))
    steps = (Step("design", "Design"), Step("payment", "Payment", Decimal(2)))
    log.add(SHOP, objective.KeyResultAdded("open", "Open the shop", Checklist(steps)))
    log.add(SHOP, objective.KeyResultAdded("first-month", "1000 visitors and 10 sales", launch_measure()))
    log.add(SHOP, objective.PartBound("first-month", "visitors", "webshop.visitors", "increase"))
    log.add(SHOP, objective.ObjectiveAligned("l1", "objective/company", "contributes"))
    log.add(SHOP, objective.ObjectiveActivated())


def check_ins(log: Log) -> None:
    at = START + timedelta(minutes=1)
    done = objective.PartValue("value", done=("design",))
    sales = objective.PartValue("sales", Decimal("4.5"))
    first = objective.CheckInRecorded("c1", "open", (done,), Decimal("0.7"), "on_track", note=NAME)
    log.add(SHOP, first, at)
    log.add(SHOP, objective.CheckInRecorded("c2", "first-month", (sales,)), at)
    more = replace(done, done=("design", "payment"))
    log.add(SHOP, objective.CheckInCorrected("c1", "open", (more,)), at + timedelta(seconds=5), reason="typo")
    log.add(SHOP, objective.MeasureChanged("first-month", launch_measure()), reason="same again")
    log.add(SHOP, objective.CheckInRecorded("c3", "first-month", (replace(sales, value=Decimal(7)),)))
    log.add(SHOP, objective.CheckInRetracted("c2", "first-month"), reason="wrong shop")
    log.add(SHOP, objective.CheckInRecorded("c4", None, status="at_risk", author="ben"))
    log.add(SHOP, objective.CommentAdded("m1", "check-in/c1", text=NAME))


def readings(log: Log) -> None:
    visitors = "feed/webshop.visitors"
    time = LAUNCH
    log.add(f"workspace/{log.workspace}", workspace.MomentRecorded("launch", LAUNCH), LAUNCH)
    for n in range(3):
        reading = feed.ReadingRecorded(
            "shop", f"r{n}", time + timedelta(days=n), Decimal(100 * n), "absolute"
        )
        log.add(visitors, reading, reading.time)
    odd = feed.ReadingQuarantined("shop", "odd", time, Decimal(-5), "absolute", "counter_backwards")
    log.add(visitors, odd, time)
    log.add(visitors, replace(odd, id="odd2"), time)
    log.add(visitors, feed.ReadingReleased("shop", "odd"))
    log.add(visitors, feed.ReadingRejected("shop", "odd2"), reason="nonsense")
    log.add(
        visitors, feed.ReadingCorrected("shop", "r1", time, Decimal(101), "absolute"), reason="miscounted"
    )
    log.add(visitors, feed.ReadingRetracted("shop", "r2"), reason="test traffic")
    log.add(visitors, feed.FeedRedefined("counter", "visitors", low=Decimal(0)), reason="limits")


def ending(log: Log) -> None:
    log.add(SHOP, objective.ChangeEndorsed(log.facts[-1].event_id), actor="person/ben")
    log.add(SHOP, objective.KudosGiven("u1", "objective/shop"))
    log.add(SHOP, objective.ObjectiveClosed("partial", Decimal("0.6"), retrospective=NAME))
    log.add(SHOP, objective.ObjectiveReopened(), reason="too early")
    log.add(SHOP, objective.KeyResultDropped("open"), reason="not needed")
    log.add(SHOP, objective.ObjectiveUnaligned("l1", "objective/company"), reason="moved")
    log.add("cycle/q1", cycle.CycleDatesMoved(date(2026, 1, 1), date(2026, 4, 15)), reason="late")
    log.add("person/ada", person.PersonShredded(), reason="by order")


def running_example(name: str) -> Log:
    """Nearly every type of fact, in the order in which it would happen."""
    log = Log(name)
    for part in (organisation, goals, check_ins, readings, ending):
        part(log)
    return log


def visits(name: str, count: int) -> Log:
    """A feed and `count` readings."""
    log = Log(name)
    log.add(f"workspace/{name}", workspace.WorkspaceCreated("Shop", "UTC"), actor="operator")
    log.add("feed/visits", feed.FeedRegistered("webshop", "event_count"))
    for n in range(count):
        at = START + timedelta(seconds=n)
        log.add("feed/visits", feed.ReadingRecorded("shop", f"v{n}", at, Decimal(n), "increment"), at)
    return log
