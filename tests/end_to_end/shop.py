"""The running example of SPEC 2, told by HTTP and Kafka, and what its scores must be, counted with fractions.

Days count from the launch, ten days before now. Visitors are a counter with a reading before the launch; sales are
events. Some readings come twice, one comes late, some over both ways.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import httpx2
from faults.emitting import inbox_is_there
from faults.ground import SYSTEM, Ground
from faults.waiting import until
from goal_ledger_client import AsyncGoalLedger, Emitter, GoalLedger, Reading, exchange
from goal_ledger_contracts.canonical import instant_text
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

SOURCE = "https://shop.example/till"
VISITORS, SALES = "shop.visitors", "shop.sales"
LAUNCH = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
APPLIED_WITHIN_S = 30.0

COUNTER = {-1: 140, 1: 340, 2: 540, 5: 1140, 8: 1190}
"""Day → the counter of visitors."""
SOLD = (1, 2, 4, 8)
"""The days of the sales, one piece each."""
LATE_DAY = 5


def day(number: float) -> datetime:
    return LAUNCH + timedelta(days=number)


def rounded(exact: Fraction) -> Fraction:
    """Half-even to 12 decimal places, as SPEC 5 has it."""
    return Fraction(round(exact * 10**12), 10**12)


def written(exact: Fraction) -> str:
    """The decimal as answers write it."""
    value = Decimal(exact.numerator) / Decimal(exact.denominator)
    return f"{value.quantize(Decimal(10) ** -12, ROUND_HALF_EVEN).normalize():f}"


@dataclass(frozen=True, slots=True)
class Scores:
    """What must be seen at one moment."""

    opened: Fraction
    marketed: Fraction
    visitors: Fraction
    sales: Fraction

    @property
    def first_month(self) -> Fraction:
        return min(self.visitors, self.sales)

    @property
    def mean(self) -> Fraction:
        return rounded((self.visitors + self.sales) / 2)

    @property
    def objective(self) -> Fraction:
        return rounded((self.opened + self.marketed + self.first_month) / 3)


def scores(at: float, steps_open: int, steps_marketed: int) -> Scores:
    """Counted from what was sent, for a day; of three steps each so many were done."""
    counter = [value for number, value in sorted(COUNTER.items()) if number <= at][-1]
    visitors = Fraction(counter - COUNTER[-1], 1000)
    sales = Fraction(sum(1 for number in SOLD if number <= at), 10)
    done = rounded(Fraction(steps_open, 3)), rounded(Fraction(steps_marketed, 3))
    return Scores(*done, min(visitors, Fraction(1)), min(sales, Fraction(1)))


def _checklist(*steps: str) -> dict[str, Any]:
    return {"kind": "checklist", "steps": [{"id": step, "text": step.title()} for step in steps]}


def _part(id: str, target: str) -> dict[str, Any]:
    window = {"moment": "launch", "duration": "P1M"}
    measure = {"kind": "increase", "baseline": "0", "target": target, "unit": id, "window": window}
    return {"id": id, "measure": measure}


FIRST_MONTH = {
    "kind": "compound",
    "combine": "all",
    "parts": [_part("visitors", "1000"), _part("sales", "10")],
}


@dataclass(frozen=True, slots=True)
class Shop:
    """The workspace of the example. `ola` owns the goal and may set no past; `imp` may."""

    ground: Ground

    def as_(self, person: str) -> GoalLedger:
        return self.ground.client(self.ground.stack.mint_token(person, self.ground.workspace))

    def check_in(self, key_result: str, id: str, at: float, done: list[str]) -> str:
        """Ola's word on a checklist; its position."""
        said = {"id": id, "values": [{"part": "value", "done": done}], "effective_at": instant_text(day(at))}
        with self.as_("ola") as ola:
            return ola.command(f"/v1/key-results/{key_result}/check-ins", said).position

    async def ask(self, path: str, **params: Any) -> Any:
        """The query side, as Ola."""
        return await asyncio.to_thread(self._ask, path, params)

    def _ask(self, path: str, params: Mapping[str, Any]) -> Any:
        with self.as_("ola") as ola:
            return ola.query(path, **params)


def open_shop(stack: Stack) -> Shop:
    """The organisation and its goal, up to the activation eight days before the launch."""
    workspace = f"shop-{secrets.token_hex(3)}"
    stack.operator(
        "create-workspace",
        *("--id", workspace, "--name", "The shop", "--time-zone", "Europe/Oslo"),
        *("--admin-person", "kari", "--admin-name", "Kari", "--issuer", ISSUER, "--subject", "kari"),
    )
    ground = Ground(stack, workspace, stack.mint_token("kari", workspace), (), "")
    for person, role in (("ola", "owner"), ("imp", "importer")):
        ground.do(
            ("/v1/people", {"id": person, "display_name": person.title()}),
            ("/v1/identities", {"issuer": ISSUER, "subject": person, "person": person}),
            ("/v1/roles/grant", {"holder": f"person/{person}", "role": role}),
        )
    ground.do(
        ("/v1/roles/grant", {"holder": "person/kari", "role": "auditor"}),
        ("/v1/systems", {"id": SYSTEM, "name": "The till"}),
        ("/v1/roles/grant", {"holder": f"system/{SYSTEM}", "role": "emitter"}),
    )
    with ground.client() as kari:
        issued = kari.command("/v1/keys-issued", {"holder": f"system/{SYSTEM}"})
    assert issued.body is not None
    shop = Shop(Ground(stack, workspace, ground.token, (), str(issued.body["key"])))
    with shop.as_("imp") as importer:
        for path, body in _goal():
            importer.command(path, body)
    return shop


def _goal() -> list[tuple[str, dict[str, Any]]]:
    then = {"effective_at": instant_text(day(-8))}
    first, last = (day(-9).date(), day(80).date())
    cycle = {"id": "launch", "name": "Launch", "start": first.isoformat(), "end": last.isoformat()}
    goal = {
        "id": "web-shop",
        "title": "A well-functioning web shop",
        "owner": "person/ola",
        "cycle": "launch",
    }
    results: tuple[tuple[str, dict[str, Any]], ...] = (
        ("open", _checklist("design", "logistics", "payment")),
        ("market", _checklist("newsletter", "contacts", "social-media")),
        ("first-month", FIRST_MONTH),
    )
    feed = {"system": SYSTEM, "interval": "P1D"}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("/v1/cycles", cycle),
        ("/v1/cycles/launch/open", {}),
        ("/v1/feeds", feed | {"name": VISITORS, "kind": "counter", "unit": "visitors"}),
        ("/v1/feeds", feed | {"name": SALES, "kind": "event_count", "unit": "sales"}),
        ("/v1/objectives", goal),
        *(
            ("/v1/objectives/web-shop/key-results", {"id": id, "text": id, "measure": measure})
            for id, measure in results
        ),
        (
            "/v1/key-results/first-month/bind",
            {"part": "visitors", "feed": VISITORS, "aggregation": "increase"},
        ),
        ("/v1/key-results/first-month/bind", {"part": "sales", "feed": SALES, "aggregation": "sum"}),
        ("/v1/objectives/web-shop/activate", {}),
    ]
    told = [(path, body | then) for path, body in steps]
    return [*told, ("/v1/moments", {"name": "launch", "at": instant_text(LAUNCH)})]


def readings() -> list[Reading]:
    """In the order of sending: the one of the late day last."""
    visitors = [
        Reading(SOURCE, f"visitors-{n}", VISITORS, day(n), str(count), "visitors", "absolute")
        for n, count in COUNTER.items()
    ]
    sales = [Reading(SOURCE, f"sale-{n}", SALES, day(n), "1", "sales", "increment") for n in SOLD]
    ordered = sorted([*visitors, *sales], key=lambda one: one.time)
    return sorted(ordered, key=lambda one: one.time == day(LATE_DAY))


async def emit(shop: Shop) -> str:
    """All readings over Kafka, every second one twice, and some over HTTP besides; the position that holds them all."""
    ground, sent = shop.ground, readings()
    await inbox_is_there(ground)
    async with Emitter(ground.kafka, ground.inbox) as emitter:
        await emitter.emit([one for number, one in enumerate(sent) for _ in range(1 + number % 2)])
    async with AsyncGoalLedger(ground.command_url, ground.query_url, ground.emitter_key) as http:
        await http.readings([one.cloud_event() for one in sent[:3]])
    applied: dict[str, int] = {}
    async with httpx2.AsyncClient(headers=exchange.headers(ground.emitter_key)) as looking:

        async def all_applied() -> bool:
            for one in sent:
                asked = {"source": one.source, "id": one.id}
                answer = await looking.get(f"{ground.command_url}/v1/receipts", params=asked)
                if answer.status_code != 200:
                    return False
                assert answer.json()["outcome"] == "applied", answer.text
                applied[one.id] = int(answer.json()["position"].partition("-")[2])
            return True

        await until(all_applied, APPLIED_WITHIN_S, "every reading is applied")
    return f"1-{max(applied.values())}"
