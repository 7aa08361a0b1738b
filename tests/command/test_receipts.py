"""``Prefer: receipt``: a command's answer says where the proofs of its facts will be, and a stranger's program accepts them."""

from __future__ import annotations

from pathlib import Path

import pytest
from goal_ledger_client.erasure import written
from goal_ledger_verifier.main import arguments, verify

from command.service import Organisation, assert_problem
from command.signing import Relay


async def test_with_the_preference_a_command_names_where_its_proofs_will_be(
    org: Organisation, relay: Relay, tmp_path: Path
) -> None:
    await org.given_person("eva", "auditor")
    await org.given_person("kari", "owner")
    goal = {"id": "shop", "title": "Open the shop", "owner": "person/kari"}
    wants = {"prefer": 'respond-async, receipt; foo="a,b"', "idempotency_key": "one"}
    answer = await org.post("/v1/objectives", goal, "kari", **wants)
    (address,) = answer.json()["receipts"]
    assert answer.headers["preference-applied"] == "receipt"
    assert address == f"/v1/logs/{org.workspace}/1/proof/{answer.json()['facts'][0]['seq']}"
    again = await org.post("/v1/objectives", goal, "kari", **wants)
    assert (again.headers["idempotency-replayed"], again.content) == ("true", answer.content)

    waits = await org.get(address, "kari")
    assert_problem(waits, 503, "not_signed_yet")
    assert waits.headers["retry-after"] == "1"
    await relay.signs(org.workspace)
    proof = await org.get(address, "kari")
    assert proof.status_code == 200
    await relay.signs(org.workspace)
    (tmp_path / "proof").write_text(proof.text)
    (tmp_path / "log").write_bytes((await org.get("/v1/log", "eva")).content)
    key = (await org.get("/v1/log/key", "eva")).json()["verifier_key"]
    given = [str(tmp_path / "log"), "--key", key, "--proof", str(tmp_path / "proof")]
    report = verify(arguments(given), lambda facts, share: None)
    assert (report.exit_code, report.checked["facts proven"]) == (0, 1)
    assert report.checked["of them signed by a key given"] == 1


async def test_only_auditors_and_whose_fact_it_is_read_a_proof(org: Organisation, relay: Relay) -> None:
    await org.given_person("kari", "owner")
    await org.given_person("ola", "owner")
    answer = await org.post(
        "/v1/objectives", {"title": "Mine", "owner": "person/kari"}, "kari", prefer="Receipt"
    )
    await relay.signs(org.workspace)
    (address,) = answer.json()["receipts"]
    assert (await org.get(address, "kari")).status_code == 200
    for who in ("ola", "ada"):
        assert_problem(await org.get(address, who), 403, "not_allowed")
    assert_problem(await org.get(address.replace("/proof/", "/tile/0/00"), "kari"), 403, "not_allowed")
    seq = answer.json()["facts"][0]["seq"]
    assert_problem(await org.get(address.replace(f"/{seq}", f"/{seq - 1}"), "kari"), 403, "not_allowed")


@pytest.mark.parametrize("prefer", ["", "receipts", "return=minimal", "wait=5;receipt", ","])
async def test_without_the_preference_nothing_is_said_of_proofs(org: Organisation, prefer: str) -> None:
    answer = await org.post("/v1/units", {"id": "u", "name": "U"}, prefer=prefer)
    assert "receipts" not in answer.json()
    assert "preference-applied" not in answer.headers


async def test_receipts_and_heads_hold_after_a_person_was_erased_and_the_erasure_is_certified(
    org: Organisation, relay: Relay, tmp_path: Path
) -> None:
    await org.given_person("eva", "auditor")
    await org.given_person("kari", "owner")
    await org.given_goal("shop", "visits", "person/kari")
    word = {"text": "Off we go"}
    said = await org.post("/v1/objectives/shop/comments", word, "kari", prefer="receipt")
    assert said.status_code == 201, said.text
    await relay.signs(org.workspace)
    (address,) = said.json()["receipts"]
    (tmp_path / "proof").write_text((await org.get(address, "kari")).text)
    (tmp_path / "head").write_text((await org.get("/v1/log/checkpoint", "eva")).text)

    shred = await org.post("/v1/people/kari/shred", {"reason": "Request 117"}, prefer="receipt")
    await relay.signs(org.workspace)
    log = (await org.get("/v1/log", "eva", limit=5000)).content
    (tmp_path / "log").write_bytes(log)
    key = (await org.get("/v1/log/key", "eva")).json()["verifier_key"]
    given = ["--key", key, "--head", str(tmp_path / "head"), "--proof", str(tmp_path / "proof")]
    report = verify(arguments([str(tmp_path / "log"), *given]), lambda facts, share: None)
    assert (report.exit_code, report.log.shredded.keys()) == (0, {"person/kari"})
    assert report.checked["facts proven"] == 1

    (fact,) = [line for line in log.splitlines() if b'"type":"PersonShredded"' in line]
    proof = (await org.get(shred.json()["receipts"][0], "eva")).text
    (tmp_path / "erasure.json").write_bytes(written(fact, proof, 30))
    words = [str(tmp_path / "erasure.json"), "--key", key]
    certified = verify(arguments(words), lambda facts, share: None)
    assert (certified.exit_code, certified.checked) == (
        0,
        {"facts proven": 1, "heads signed by a key given": 1},
    )
    told = certified.document()["log"]["erasure"]
    assert (told["subject"], told["actor"], told["reason"]) == ("person/kari", "person/ada", "Request 117")
    assert told["complete_at"] > told["recorded_at"]
    for edited, code in (
        (fact.replace(b"Request 117", b"Request 118"), "proof_wrong"),
        (fact.replace(b"PersonShredded", b"PersonRenamed"), "certificate_wrong"),
        (b"{}", "certificate_wrong"),
    ):
        (tmp_path / "erasure.json").write_bytes(written(edited, proof, 30))
        found = verify(arguments(words), lambda facts, share: None)
        assert code in {one.code for one in found.findings.kept}
        assert found.exit_code == 1
