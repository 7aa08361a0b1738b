"""A body for every command's route, in an organisation where what it names exists (:func:`furnished`)."""

from __future__ import annotations

from typing import Any

from goal_ledger_command.api.app import COMMANDS

from command.service import ISSUER, Organisation

MEASURE = {"kind": "increase", "baseline": "0", "target": "1000", "unit": "visitors"}
WHY = {"reason": "Because the test says so"}
READING = {"feed": "visitors", "source": "/shop", "id": "r1"}
CLOSED = {"outcome": "achieved", "grade": "1", "suggested": "1"}

BODIES: dict[str, dict[str, Any]] = {
    "/v1/key-results/{key_result}/check-ins": {"values": [{"part": "value", "value": "5"}]},
    "/v1/objectives/{objective}/check-ins": {"status": "on_track"},
    "/v1/check-ins/{check_in}/correct": {"values": [{"part": "value", "value": "6"}], **WHY},
    "/v1/check-ins/{check_in}/retract": WHY,
    "/v1/objectives": {"title": "New", "owner": "unit/sales"},
    "/v1/objectives/{objective}/reword": {"title": "Other", **WHY},
    "/v1/objectives/{objective}/assign": {"owner": "unit/sales", "contributors": ["person/bob"], **WHY},
    "/v1/objectives/{objective}/give-kind": {"kind": "committed", **WHY},
    "/v1/objectives/{objective}/put-in-cycle": {"cycle": "q4", **WHY},
    "/v1/objectives/{objective}/move-to-cycle": {"cycle": "q4", **WHY},
    "/v1/objectives/{objective}/align": {"parent": "objective/company", **WHY},
    "/v1/objectives/{objective}/unalign": {"parent": "objective/company", **WHY},
    "/v1/objectives/{objective}/activate": {},
    "/v1/objectives/{objective}/close": CLOSED,
    "/v1/objectives/{objective}/reopen": WHY,
    "/v1/objectives/{objective}/carry-over": {"cycle": "q4"},
    "/v1/objectives/{objective}/archive": {},
    "/v1/objectives/{objective}/pause": WHY,
    "/v1/objectives/{objective}/resume": WHY,
    "/v1/objectives/{objective}/key-results": {"text": "More", "measure": MEASURE, **WHY},
    "/v1/key-results/{key_result}/reword": {"text": "Other", **WHY},
    "/v1/key-results/{key_result}/change-measure": {"measure": {**MEASURE, "target": "900"}, **WHY},
    "/v1/key-results/{key_result}/change-weight": {"weight": "2", **WHY},
    "/v1/key-results/{key_result}/change-owner": {"owner": "unit/sales", **WHY},
    "/v1/key-results/{key_result}/bind": {"feed": "visitors", "aggregation": "last", **WHY},
    "/v1/key-results/{key_result}/unbind": WHY,
    "/v1/key-results/{key_result}/drop": WHY,
    "/v1/key-results/{key_result}/take-up": WHY,
    "/v1/objectives/{objective}/comments": {"text": "Well"},
    "/v1/check-ins/{check_in}/comments": {"text": "Well"},
    "/v1/objectives/{objective}/kudos": {"text": "Well done"},
    "/v1/check-ins/{check_in}/kudos": {},
    "/v1/objectives/{objective}/endorse": {"change": "019ab6f4-9c1b-7a60-a0c1-0f3f0c4f2a11"},
    "/v1/readings/release": READING | WHY,
    "/v1/readings/reject": READING | WHY,
    "/v1/readings/correct": READING | WHY | {"time": "2026-11-01T00:00:00Z", "value": "3"},
    "/v1/readings/retract": READING | WHY,
    "/v1/feeds": {"name": "sales", "system": "shop", "kind": "event_count"},
    "/v1/feeds/{feed}/redefine": {"kind": "counter", "unit": "visits", **WHY},
    "/v1/feeds/{feed}/restart": {"at": "2026-11-01T00:00:00Z", **WHY},
    "/v1/feeds/{feed}/retract-restart": {"at": "2026-11-01T00:00:00Z", **WHY},
    "/v1/moments": {"name": "finish", "at": "2026-11-01T00:00:00Z"},
    "/v1/moments/{name}/correct": {"at": "2026-11-02T00:00:00Z", **WHY},
    "/v1/moments/{name}/retract": WHY,
    "/v1/cycles": {"name": "Q1", "start": "2027-01-01", "end": "2027-03-31"},
    "/v1/cycles/{cycle}/open": {},
    "/v1/cycles/{cycle}/lock": {},
    "/v1/cycles/{cycle}/close": {},
    "/v1/cycles/{cycle}/reopen": WHY,
    "/v1/cycles/{cycle}/move-dates": {"start": "2026-10-01", "end": "2026-12-30", **WHY},
    "/v1/units": {"name": "New unit"},
    "/v1/units/{unit}/rename": {"name": "Other"},
    "/v1/units/{unit}/move": {"parent": "company", **WHY},
    "/v1/units/{unit}/close": WHY,
    "/v1/units/{unit}/lead": {"person": "ada"},
    "/v1/units/{unit}/pilot-waves/join": {"wave": "wave-1"},
    "/v1/units/{unit}/pilot-waves/leave": {"wave": "wave-1"},
    "/v1/people": {"display_name": "New"},
    "/v1/people/{person}/rename": {"display_name": "Other"},
    "/v1/people/{person}/join-unit": {"unit": "company"},
    "/v1/people/{person}/leave-unit": {"unit": "sales"},
    "/v1/people/{person}/leave-organisation": WHY,
    "/v1/people/{person}/come-back": WHY,
    "/v1/people/{person}/begin-leave": WHY,
    "/v1/people/{person}/end-leave": WHY,
    "/v1/people/{person}/shred": WHY,
    "/v1/systems": {"id": "till", "name": "Till"},
    "/v1/systems/{system}/retire": WHY,
    "/v1/identities": {"issuer": ISSUER, "subject": "extra", "person": "bob"},
    "/v1/identities/unlink": {"issuer": ISSUER, "subject": "bob", **WHY},
    "/v1/roles/grant": {"holder": "person/bob", "role": "analyst"},
    "/v1/roles/revoke": {"holder": "person/bob", "role": "contributor", **WHY},
    "/v1/keys-issued": {"holder": "system/shop"},
    "/v1/keys-issued/{key}/rotate": {},
    "/v1/keys-issued/{key}/revoke": WHY,
    "/v1/policies": {"scope": "workspace", "policy": {"grace_days": 3}, **WHY},
    "/v1/texts/withhold": {"fact": "019ab6f4-9c1b-7a60-a0c1-0f3f0c4f2a11", "pointer": "/note", **WHY},
}

NAMES = {
    "key_result": "visitors",
    "objective": "shop",
    "check_in": "ci",
    "feed": "visitors",
    "name": "launch",
    "cycle": "q4",
    "unit": "sales",
    "person": "carl",
    "system": "shop",
    "key": "shop-key",
}

ROUTES = [(route.path, route.command) for route in COMMANDS]


def address(path: str) -> str:
    """The path with what :func:`furnished` has made."""
    for name, id in NAMES.items():
        path = path.replace(f"{{{name}}}", id)
    return path


async def furnished(org: Organisation) -> None:
    """Units, people of every role, a system with a feed, a cycle, a moment, a goal of the unit *sales*."""
    await org.given(
        ("/v1/units", {"id": "company", "name": "Company"}),
        ("/v1/units", {"id": "sales", "name": "Sales", "parent": "company"}),
    )
    for role in ("contributor", "owner", "importer", "analyst", "auditor"):
        await org.given_person(role, role)
    await org.given_person("nobody")
    await org.given_person("bob", "contributor")
    await org.given(("/v1/people", {"id": "carl", "display_name": "Carl"}))
    await org.given_system("shop", "emitter")
    await org.given(
        ("/v1/people/contributor/join-unit", {"unit": "company"}),
        ("/v1/units/company/lead", {"person": "owner"}),
        ("/v1/keys-issued", {"id": "shop-key", "holder": "system/shop"}),
        ("/v1/cycles", {"id": "q4", "name": "Q4", "start": "2026-10-01", "end": "2026-12-31"}),
        ("/v1/moments", {"name": "launch", "at": "2026-11-01T00:00:00Z"}),
        ("/v1/feeds", {"name": "visitors", "system": "shop", "kind": "counter", "unit": "visitors"}),
        ("/v1/objectives", {"id": "company", "title": "Company", "owner": "unit/company"}),
    )
    await org.given_goal("shop", "visitors", "unit/sales")
    await org.given(
        ("/v1/key-results/visitors/check-ins", {"id": "ci", "values": [{"part": "value", "value": "5"}]})
    )
