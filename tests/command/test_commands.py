"""What a command answers, over HTTP."""

from command.service import Organisation


async def test_a_new_unit_is_answered_with_its_facts_position_version_and_path(org: Organisation) -> None:
    answer = await org.post("/v1/units", {"id": "sales", "name": "Sales"})
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"id", "version", "facts", "position"}
    assert (body["id"], body["version"], [one["type"] for one in body["facts"]]) == (
        "sales",
        1,
        ["UnitCreated"],
    )
    assert answer.headers["goal-ledger-position"] == body["position"]
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == "/v1/units/sales"
    assert "idempotency-replayed" not in answer.headers
