"""The log over HTTP: stored bytes in order, heads, epochs; a public and an internal listener."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import asyncpg
import pytest
from goal_ledger_contracts import wire
from goal_ledger_contracts.canonical import canonical
from goal_ledger_contracts.person import PersonAdded
from goal_ledger_ledger.sealing import TextKey, open_fact_data
from support.by_hand import past_the_trigger

from command.service import Organisation, Service, assert_problem, service_token


async def read(service: Service, path: str, **query: Any) -> Any:
    return await service.internal.get(
        path, params=query, headers={"authorization": f"Bearer {service_token()}"}
    )


def merkle_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


async def test_the_log_is_each_facts_canonical_bytes_in_order_by_pages(
    org: Organisation, service: Service
) -> None:
    await org.given_goal()
    answer = await read(service, "/v1/log", workspace=org.workspace)
    lines = answer.content.splitlines()
    facts = [json.loads(line) for line in lines]
    assert [fact["seq"] for fact in facts] == list(range(1, len(facts) + 1))
    assert [canonical(fact) for fact in facts] == lines
    assert answer.headers["goal-ledger-position"] == f"1-{len(facts)}"
    pages = [
        await read(service, "/v1/log", workspace=org.workspace, after=after, limit=2) for after in (0, 2, 4)
    ]
    assert b"".join(page.content for page in pages) == b"".join(line + b"\n" for line in lines[:6])
    assert (await read(service, "/v1/log", workspace=org.workspace, after=len(facts))).content == b""


async def test_the_hashes_are_of_the_rows_as_they_are(org: Organisation, service: Service) -> None:
    await org.given_goal()
    lines = (await read(service, "/v1/log", workspace=org.workspace)).content.splitlines()
    leaves = [hashlib.sha256(b"\x00" + line).digest() for line in lines]
    answer = await read(service, "/v1/log/hashes", workspace=org.workspace)
    assert answer.content == b"".join(leaves)
    assert answer.headers["goal-ledger-position"] == f"1-{len(leaves)}"
    page = await read(service, "/v1/log/hashes", workspace=org.workspace, after=1, limit=2)
    assert page.content == b"".join(leaves[1:3])
    end = await read(service, "/v1/log/hashes", workspace=org.workspace, after=len(leaves))
    assert end.content == b""


CHANGED = {
    "bytes": "bytes = bytes || 'x'",
    "bytes and their hash": "bytes = bytes || ' ', hash = sha256('\\x00'::bytea || bytes || ' ')",
    "hash": "hash = sha256('other')",
    "stream": "stream = 'unit/other'",
    "version": "version = 77",
    "type": "type = 'Other'",
    "event_id": "event_id = gen_random_uuid()",
    "recorded_at": "recorded_at = recorded_at - interval '1 microsecond'",
}


@pytest.mark.parametrize("what", CHANGED)
async def test_a_row_that_was_changed_by_hand_has_another_hash_or_none(
    org: Organisation, service: Service, what: str
) -> None:
    before = (await read(service, "/v1/log/hashes", workspace=org.workspace)).content
    owner = await asyncpg.connect(service.settings.ledger_database_url)
    try:
        await past_the_trigger(owner)
        await owner.execute(
            f"UPDATE facts SET {CHANGED[what]} WHERE workspace = $1 AND seq = 2", org.workspace
        )
    finally:
        await owner.close()
    after = (await read(service, "/v1/log/hashes", workspace=org.workspace)).content
    assert after[32:64] != before[32:64]
    assert after[:32] + after[64:] == before[:32] + before[64:]


async def test_a_heads_root_is_the_rfc_6962_root_of_the_facts(org: Organisation, service: Service) -> None:
    await org.given_goal()
    heads: list[dict[str, Any]] = []
    while page := (
        await read(service, "/v1/log/heads", after=heads[-1]["workspace"] if heads else "")
    ).json():
        heads += page
    (head,) = [one for one in heads if one["workspace"] == org.workspace]
    lines = (await read(service, "/v1/log", workspace=org.workspace)).content.splitlines()
    leaves = [hashlib.sha256(b"\x00" + line).digest() for line in lines]
    assert (head["seq"], head["root"]) == (len(lines), merkle_root(leaves).hex())
    since = (await read(service, "/v1/log/heads", since=head["moved_at"])).json()
    assert org.workspace in [one["workspace"] for one in since]
    assert org.workspace not in [
        one["workspace"]
        for one in (await read(service, "/v1/log/heads", since="2090-01-01T00:00:00Z")).json()
    ]
    assert_problem(await read(service, "/v1/log/heads", since="now"), 422, "instant_malformed", "since")


async def test_an_auditor_sees_its_own_workspace_alone(org: Organisation, service: Service) -> None:
    other = await service.organisation()
    await org.given_person("eva", "auditor")
    assert [head["workspace"] for head in (await org.get("/v1/log/heads", "eva")).json()] == [org.workspace]
    refused = await org.get("/v1/log", "eva", workspace=other.workspace)
    assert_problem(refused, 404, "unknown_workspace")
    assert_problem(await org.get("/v1/log", "eva", workspace="never"), 404, "unknown_workspace")


async def test_a_position_of_another_epoch_is_lost(org: Organisation, service: Service) -> None:
    asked = {"workspace": org.workspace, "after": 1}
    assert (await read(service, "/v1/log", **asked, epoch=1)).status_code == 200
    lost = await read(service, "/v1/log", **asked, epoch=2)
    assert_problem(lost, 410, "position_lost")
    assert lost.headers["goal-ledger-position"].startswith("1-")


async def test_a_service_names_the_workspace(org: Organisation, service: Service) -> None:
    assert_problem(await read(service, "/v1/log"), 422, "field_required", "workspace")
    assert_problem(await read(service, "/v1/log", workspace="never"), 404, "unknown_workspace")
    assert_problem(
        await read(service, "/v1/log", workspace=org.workspace, limit=5001), 422, "invalid", "limit"
    )
    assert_problem(await read(service, "/v1/log", workspace=org.workspace, after=-1), 422, "invalid", "after")


async def test_the_key_of_the_signed_heads_is_told_to_auditors_and_services_in_the_form_of_signed_note(
    org: Organisation, service: Service
) -> None:
    await org.given_person("eva", "auditor")
    told = (await org.get("/v1/log/key", "eva")).json()
    name, hashed, written = told["verifier_key"].split("+", 2)
    raw = base64.b64decode(written)
    assert name == told["origin"] == f"goal-ledger.local/{org.workspace}/1"
    assert (raw[0], base64.b64encode(raw[1:]).decode(), len(raw)) == (1, told["public_key"], 33)
    assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == hashed == told["key_hash"]
    assert told["ml_dsa_44_verifier_key"] is None
    assert (await read(service, "/v1/log/key", workspace=org.workspace)).json() == told
    assert_problem(await read(service, "/v1/log/key", workspace="never"), 404, "unknown_workspace")


async def test_names_are_sealed_in_the_log_and_opened_with_the_text_keys(
    org: Organisation, service: Service
) -> None:
    await org.given(("/v1/people", {"id": "kari", "display_name": "Kari Nordmann"}))
    log = (await read(service, "/v1/log", workspace=org.workspace)).content
    assert b"Kari Nordmann" not in log
    fact = next(f for f in map(json.loads, log.splitlines()) if f["stream"] == "person/kari")
    answer = await read(service, "/v1/keys", workspace=org.workspace, subject="person/kari")
    (found,) = answer.json()["keys"]
    key = TextKey(base64.urlsafe_b64decode(found["key"] + "="))
    data = wire.decode(PersonAdded, fact["data"])
    opened = open_fact_data(data, org.workspace, fact["event_id"], {"person/kari": key})
    assert opened.display_name == "Kari Nordmann"
    assert answer.headers["cache-control"] == "no-store"
    await org.given(("/v1/people/kari/shred", {"reason": "Request 7"}))
    pages = (await read(service, "/v1/keys", workspace=org.workspace, limit=1000)).json()
    gone = {one["subject"]: one["key"] for one in pages["keys"]}
    assert gone["person/kari"] is None
    assert gone["person/ada"] is not None
