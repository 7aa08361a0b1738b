"""The demo organisation: Nordlys Handel, three levels of goals, with the running example of SPEC 2 as it is written.

A list of steps, each one command of the public API. Ids and idempotency keys follow from names and times from the
start day, so that loading it a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from goal_ledger_contracts.zones import zone

WORKSPACE = "nordlys"
NAME = "Nordlys Handel"
TIME_ZONE = "Europe/Oslo"
SYSTEM = "webshop"
VISITORS, SALES = "webshop.visitors", "webshop.sales"
LAUNCH_DAY = 5
TODAY = 20
"""The day on which the demo is loaded first: this week's words are said on it, in its first minute."""

PEOPLE = {
    "kari": "Kari Nordmann",
    "ola": "Ola Østby",
    "ingrid": "Ingrid Çelik",
    "jonas": "Jonas Müller",
    "sofie": "Sofie Aas",
    "per": "Per Åkesson",
    "importer": "Import",
}
ROLES = {
    "kari": ("admin",),
    "ola": ("owner", "contributor"),
    "ingrid": ("owner", "contributor"),
    "jonas": ("owner", "contributor"),
    "sofie": ("analyst",),
    "per": ("auditor",),
    "importer": ("importer",),
}
"""One demo identity per role; `ola` leads the web shop, `jonas` logistics, `ingrid` marketing."""
TOKEN_ROLES = {
    "admin": "kari",
    "owner": "ola",
    "contributor": "ingrid",
    "analyst": "sofie",
    "auditor": "per",
    "importer": "importer",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One command: who sends it, where, what."""

    who: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    key: str = ""


def instant(start: date, day: int, hour: int = 9, minute: int = 0) -> str:
    """Local time of the demo's day as an RFC 3339 instant."""
    local = datetime.combine(start + timedelta(days=day), time(hour, minute), zone(TIME_ZONE))
    return local.isoformat()


def steps(start: date) -> Iterator[Step]:
    """Every step in order, each with its idempotency key."""
    for part in (_access, _organisation, _goals, _check_ins):
        for number, step in enumerate(part(start)):
            yield Step(step.who, step.path, step.body, f"demo{part.__name__}-{number}")


def _access(start: date) -> Iterator[Step]:
    for person, name in PEOPLE.items():
        if person != "kari":
            yield Step("kari", "/v1/people", {"id": person, "display_name": name})
            yield Step("kari", "/v1/identities", {"issuer": "", "subject": person, "person": person})
        for role in ROLES[person]:
            if (person, role) != ("kari", "admin"):
                yield Step("kari", "/v1/roles/grant", {"holder": f"person/{person}", "role": role})
    yield Step("kari", "/v1/systems", {"id": SYSTEM, "name": "The web shop"})
    yield Step("kari", "/v1/roles/grant", {"holder": f"system/{SYSTEM}", "role": "emitter"})


def _organisation(start: date) -> Iterator[Step]:
    then = instant(start, -7)
    units = {
        "company": ("Nordlys Handel", None, "kari"),
        "commerce": ("Commerce", "company", None),
        "web-shop": ("Web shop", "commerce", "ola"),
        "marketing": ("Marketing", "commerce", "ingrid"),
        "logistics": ("Logistics", "company", "jonas"),
    }
    for unit, (name, parent, lead) in units.items():
        yield Step(
            "importer", "/v1/units", {"id": unit, "name": name, "parent": parent, "effective_at": then}
        )
        if lead:
            yield Step("importer", f"/v1/units/{unit}/lead", {"person": lead, "effective_at": then})
    for person, unit in (("ola", "web-shop"), ("ingrid", "marketing"), ("jonas", "logistics")):
        yield Step("kari", f"/v1/people/{person}/join-unit", {"unit": unit})
    first, last = start - timedelta(days=7), start + timedelta(days=83)
    cycle = {"id": "launch", "name": "The launch", "start": first.isoformat(), "end": last.isoformat()}
    yield Step("importer", "/v1/cycles", cycle | {"effective_at": then})
    yield Step("importer", "/v1/cycles/launch/open", {"effective_at": then})
    feed = {"system": SYSTEM, "interval": "P1D", "effective_at": then}
    yield Step("importer", "/v1/feeds", feed | {"name": VISITORS, "kind": "counter", "unit": "visitors"})
    yield Step("importer", "/v1/feeds", feed | {"name": SALES, "kind": "event_count", "unit": "sales"})
    yield Step("importer", "/v1/moments", {"name": "launch", "at": instant(start, LAUNCH_DAY, 8)})


def _checklist(*named: tuple[str, str]) -> dict[str, Any]:
    return {"kind": "checklist", "steps": [{"id": step, "text": text} for step, text in named]}


FIRST_MONTH = {"moment": "launch", "duration": "P1M"}
KEY_RESULTS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "web-shop": [
        (
            "open",
            "Open the shop: design, logistics and payment in place",
            _checklist(("design", "Design"), ("logistics", "Logistics"), ("payment", "Payment")),
        ),
        (
            "market",
            "Market it by newsletter, contacts and social media",
            _checklist(
                ("newsletter", "Newsletter"), ("contacts", "Contacts"), ("social-media", "Social media")
            ),
        ),
        (
            "first-month",
            "Reach 1000 visitors and 10 sales within the first month after launch",
            {
                "kind": "compound",
                "combine": "all",
                "parts": [
                    {
                        "id": part,
                        "measure": {
                            "kind": "increase",
                            "baseline": "0",
                            "target": target,
                            "unit": part,
                            "window": FIRST_MONTH,
                        },
                    }
                    for part, target in (("visitors", "1000"), ("sales", "10"))
                ],
            },
        ),
    ],
    "recommended": [
        (
            "promoters",
            "Net promoter score from 20 to 50",
            {"kind": "increase", "baseline": "20", "target": "50", "unit": "points"},
        )
    ],
    "delivery": [
        (
            "hours",
            "From order to door in 24 hours instead of 72",
            {"kind": "decrease", "baseline": "72", "target": "24", "unit": "hours"},
        ),
        ("returns", "At most 5 % returns", {"kind": "stay_below", "limit": "5", "risk": "8", "unit": "%"}),
    ],
    "newsletter": [
        (
            "subscribers",
            "400 subscribers to the newsletter",
            {"kind": "increase", "baseline": "0", "target": "400", "unit": "subscribers"},
        )
    ],
    "packing": [
        (
            "parcels",
            "Pack 30 parcels an hour",
            {"kind": "increase", "baseline": "12", "target": "30", "unit": "parcels/h"},
        )
    ],
}
OBJECTIVES = {
    "recommended": ("Become the shop that people recommend", "unit/company", "kari", "aspirational"),
    "web-shop": (
        "Produce and complete a well-functioning web shop with a winning concept",
        "unit/web-shop",
        "ola",
        "committed",
    ),
    "delivery": ("Deliver faster than anybody expects", "unit/logistics", "jonas", "committed"),
    "newsletter": (
        "Make the newsletter something to look forward to",
        "person/ingrid",
        "ingrid",
        "aspirational",
    ),
    "packing": ("Pack better and faster", "person/jonas", "jonas", "committed"),
}
CONTRIBUTORS = {"web-shop": ("person/ingrid",)}
LINKS = (
    ("web-shop", "objective/recommended", "contributes", "2"),
    ("delivery", "objective/recommended", "contributes", "1"),
    ("newsletter", "key-result/market", "supports", "1"),
    ("packing", "objective/delivery", "contributes", "1"),
)
ROLLED_UP_FROM_BOTH = ("recommended", "delivery")


def _goals(start: date) -> Iterator[Step]:
    drafted, active = instant(start, -2), instant(start, 0)
    for objective, (title, owner, _, kind) in OBJECTIVES.items():
        body: dict[str, Any] = {
            "id": objective,
            "title": title,
            "owner": owner,
            "kind": kind,
            "cycle": "launch",
        }
        body["contributors"] = list(CONTRIBUTORS.get(objective, ()))
        yield Step("importer", "/v1/objectives", body | {"effective_at": drafted})
        for key_result, text, measure in KEY_RESULTS[objective]:
            added = {"id": key_result, "text": text, "measure": measure, "effective_at": drafted}
            yield Step("importer", f"/v1/objectives/{objective}/key-results", added)
    for unit in ROLLED_UP_FROM_BOTH:
        yield Step(
            "kari",
            "/v1/policies",
            {
                "scope": f"objective/{unit}",
                "policy": {"roll_up": "both"},
                "reason": "Own results and those below count alike",
            },
        )
    for feed, part, aggregation in ((VISITORS, "visitors", "increase"), (SALES, "sales", "sum")):
        bound = {"part": part, "feed": feed, "aggregation": aggregation, "effective_at": drafted}
        yield Step("importer", "/v1/key-results/first-month/bind", bound)
    for child, parent, mode, weight in LINKS:
        link = {
            "link": f"{child}-up",
            "parent": parent,
            "mode": mode,
            "weight": weight,
            "effective_at": drafted,
        }
        yield Step("importer", f"/v1/objectives/{child}/align", link)
    for objective in OBJECTIVES:
        yield Step("importer", f"/v1/objectives/{objective}/activate", {"effective_at": active})


CHECK_INS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    (
        "ola",
        "open",
        1,
        {
            "values": [{"part": "value", "done": ["design"]}],
            "confidence": "0.8",
            "note": "Designet sitter. Neste: betaling.",
        },
    ),
    (
        "ola",
        "open",
        5,
        {
            "values": [{"part": "value", "done": ["design", "logistics", "payment"]}],
            "confidence": "1",
            "note": "Åpnet i dag! 🎉",
        },
    ),
    (
        "ingrid",
        "market",
        6,
        {
            "values": [{"part": "value", "done": ["newsletter"]}],
            "confidence": "0.6",
            "blockers": ["Waiting for photos"],
        },
    ),
    (
        "ingrid",
        "market",
        13,
        {"values": [{"part": "value", "done": ["newsletter", "social-media"]}], "confidence": "0.7"},
    ),
    (
        "ola",
        "first-month",
        12,
        {"confidence": "0.7", "status": "on_track", "note": "Visitors come, sales follow"},
    ),
    ("kari", "promoters", 4, {"values": [{"part": "value", "value": "22"}], "method": "estimated"}),
    ("kari", "promoters", 18, {"values": [{"part": "value", "value": "31"}], "confidence": "0.5"}),
    ("jonas", "hours", 2, {"values": [{"part": "value", "value": "70"}]}),
    (
        "jonas",
        "hours",
        9,
        {
            "values": [{"part": "value", "value": "60"}],
            "confidence": "0.4",
            "note": "Neuer Spediteur ab Montag",
        },
    ),
    ("jonas", "hours", 16, {"values": [{"part": "value", "value": "51"}], "confidence": "0.6"}),
    ("jonas", "returns", 16, {"values": [{"part": "value", "value": "4.2"}]}),
    ("ingrid", "subscribers", 7, {"values": [{"part": "value", "value": "90"}]}),
    ("ingrid", "subscribers", 14, {"values": [{"part": "value", "value": "168"}], "confidence": "0.8"}),
    ("jonas", "parcels", 10, {"values": [{"part": "value", "value": "19.5"}]}),
    ("ola", "open", TODAY, {"status": "on_track", "confidence": "1"}),
    ("ingrid", "market", TODAY, {"status": "behind", "note": "Contacts are still to be called"}),
    ("ola", "first-month", TODAY, {"status": "at_risk", "note": "Visitors come, sales are slow"}),
    ("kari", "promoters", TODAY, {"status": "on_track", "confidence": "0.5"}),
    ("jonas", "hours", TODAY, {"status": "on_track", "note": "Neuer Spediteur hält, was er verspricht"}),
    ("jonas", "returns", TODAY, {"status": "on_track"}),
    ("ingrid", "subscribers", TODAY, {"status": "at_risk", "blockers": ["Waiting for photos"]}),
)


def _check_ins(start: date) -> Iterator[Step]:
    for who, key_result, day, body in CHECK_INS:
        at = instant(start, day, 0, 1) if day == TODAY else instant(start, day, 15)
        said = body | {"id": f"{key_result}-{day}", "effective_at": at}
        yield Step(who, f"/v1/key-results/{key_result}/check-ins", said)
    corrected = {
        "values": [{"part": "value", "value": "58"}],
        "confidence": "0.4",
        "effective_at": instant(start, 9, 15),
    }
    yield Step("jonas", "/v1/check-ins/hours-9/correct", corrected | {"reason": "Read from the wrong report"})
