"""Kafka's tail has a hole: what is before it can be put back on order, what is behind it cannot, and is said to be lost."""

from __future__ import annotations

import json

from command.routes import furnished
from command.service import Organisation
from relay.test_foreign_records import send

from recovery.drill import Drill, check_ins
from recovery.test_recovering import WHY, recover

TAIL, MISSING = 12, 5


async def test_a_workspace_behind_a_hole_is_left_alone_until_it_is_ordered_as_far_as_it_goes(
    drill: Drill,
) -> None:
    async with drill.running() as service:
        org = await drill.organisation(service, "holed")
        await furnished(org)
    await drill.publish()
    dump, kept = await drill.dumped(), (await drill.head(org.workspace))[1]
    async with drill.running() as service:
        await check_ins(Organisation(service.public, org.workspace), TAIL)
    _, last, _ = await drill.head(org.workspace)
    before = await drill.rows(org.workspace, last)
    tail = [(1, row[0], row[7], row[3]) for row in before["facts"] if row[0] > kept]
    del tail[MISSING - 1]
    await send(drill.settings.kafka, org.workspace, *tail)
    await drill.put_back(dump)

    code, told = await recover(drill, *WHY)
    report, reaches = told[org.workspace], kept + MISSING - 1
    assert (code, report["recovered"], report["epoch"], report["last_seq"]) == (1, 0, None, reaches)
    assert str(last) in report["stopped_because"] and str(reaches) in report["stopped_because"]
    assert (await drill.head(org.workspace))[:2] == (1, kept)

    code, told = await recover(drill, *WHY, "--as-far-as-it-goes")
    report = told[org.workspace]
    assert (code, report["recovered"], report["epoch"]) == (0, reaches - kept, 2)
    assert report["unknown_beyond"] == f"1-{reaches}"
    after = await drill.rows(org.workspace, reaches)
    assert after["facts"] == [row for row in before["facts"] if row[0] <= reaches]
    first = json.loads((await drill.rows(org.workspace, reaches + 1))["facts"][-1][7])
    assert (first["type"], first["data"]["fork_seq"], first["data"]["epoch"]) == ("StoreRestored", reaches, 2)
    assert (await recover(drill, *WHY)) == (0, {})
