"""The log as C2SP tlog-tiles: an outsider's reader verifies every fact of it from the signed head, and nothing else will do."""

from __future__ import annotations

import base64
import gzip
import itertools
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import structlog
from goal_ledger_ledger.store import raw_connection
from judges.tlog_reader import Distrust, Head, Key, Reader, grew, leaf, tree
from support.by_hand import past_the_trigger

from command.service import Organisation, Service, assert_problem, service_token
from command.signing import Relay

FACTS = 600
"""Two full tiles of level 0, a partial one, and a partial one of level 1."""


async def grown(org: Organisation, facts: int) -> None:
    """A workspace with at least so many facts."""
    units = [{"id": f"unit-{number}", "name": f"Unit {number}"} for number in range(facts)]
    document = {"format": "goal-ledger.organisation.v1", "units": units}
    await org.given(("/v1/roles/grant", {"holder": "person/ada", "role": "importer"}))
    answer = await org.post("/v1/imports", document)
    assert answer.is_success, answer.text


@pytest_asyncio.fixture(scope="session")
async def large(service: Service, relay: Relay) -> Organisation:
    """A signed log of some hundred facts, and *eva*, who may read it; only read by the tests."""
    org = await service.organisation()
    await org.given_person("eva", "auditor")
    await grown(org, FACTS)
    await relay.signs(org.workspace)
    return org


def address(org: Organisation, path: str, epoch: int = 1) -> str:
    return f"/v1/logs/{org.workspace}/{epoch}/{path}"


async def read(org: Organisation, path: str, who: str = "eva", epoch: int = 1) -> httpx2.Response:
    """``path`` below the log's address, with its query."""
    return await org.http.get(address(org, path, epoch), headers=org.bearer(who))


async def reader_of(org: Organisation) -> Reader:
    async def fetch(path: str) -> bytes:
        answer = await read(org, path)
        assert answer.status_code == 200, (path, answer.text)
        return bytes(answer.content)

    return Reader(fetch, Key((await org.get("/v1/log/key", "eva")).json()["verifier_key"]))


async def consistency(org: Organisation, old: int, new: int) -> list[bytes]:
    answer = await read(org, f"consistency?from={old}&to={new}")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["from"], told["to"]) == (old, new)
    return [base64.b64decode(one) for one in told["hashes"]]


async def test_an_outsiders_reader_verifies_every_fact_from_the_signed_head(large: Organisation) -> None:
    reader = await reader_of(large)
    head = await reader.head()
    entries = await reader.entries(head)
    assert head.origin == f"goal-ledger.local/{large.workspace}/1"
    assert len(entries) == head.size > FACTS
    lines = (await large.get("/v1/log", "eva", limit=5000)).content.splitlines()
    assert entries == lines[: head.size]


async def test_an_outsiders_reader_verifies_the_proof_of_any_fact(large: Organisation) -> None:
    reader = await reader_of(large)
    entries = await reader.entries(await reader.head())
    for seq in {1, 2, 255, 256, 257, 512, 513, *range(7, len(entries), 41), len(entries)}:
        answer = await read(large, f"proof/{seq}")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        index, head = reader.included(answer.text, entries[seq - 1])
        assert (index, head.size) == (seq - 1, len(entries))
        with pytest.raises(Distrust, match="inclusion"):
            reader.included(answer.text, entries[seq % len(entries)])


async def test_an_outsiders_reader_verifies_consistency_between_any_two_sizes(large: Organisation) -> None:
    reader = await reader_of(large)
    head = await reader.head()
    leaves = [leaf(entry) for entry in await reader.entries(head)]
    sizes = (1, 2, 255, 256, 257, 511, 512, 600, head.size)
    heads = {size: Head(head.origin, size, tree(leaves[:size])) for size in sizes}
    for old in sizes:
        for new in [size for size in sizes if size >= old]:
            proof = await consistency(large, old, new)
            assert grew(heads[old], heads[new], proof), (old, new)
            if old < new:
                forked = Head(head.origin, new, tree([*leaves[: new - 1], leaf(b"another")]))
                assert not grew(heads[old], forked, proof)
                rewritten = Head(head.origin, old, tree([*leaves[: old - 1], leaf(b"another")]))
                assert not grew(rewritten, heads[new], proof)
    assert await consistency(large, 0, head.size) == []


@pytest.mark.parametrize(
    "touched", ["checkpoint", "tile/0/000", "tile/0/001", "tile/0/002", "tile/1/000", "tile/entries/001"]
)
async def test_an_outsiders_reader_rejects_a_log_with_one_byte_changed(
    large: Organisation, touched: str
) -> None:
    true = await reader_of(large)

    async def fetch(path: str) -> bytes:
        body = bytearray(await true._fetch(path))
        if path.split(".p/")[0] == touched:
            body[len(body) // 2] ^= 1
        return bytes(body)

    reader = Reader(fetch, true._key)
    with pytest.raises((Distrust, UnicodeDecodeError)):
        await reader.entries(await reader.head())


async def test_every_signed_size_keeps_its_partial_tiles_and_its_consistency(
    org: Organisation, relay: Relay
) -> None:
    await org.given_person("eva", "auditor")
    heads: list[tuple[Head, bytes]] = []
    for step in range(3):
        await org.given(("/v1/units", {"id": f"u{step}", "name": "U"}))
        await relay.signs(org.workspace)
        head = await (await reader_of(org)).head()
        path = address(org, f"tile/0/000.p/{head.size}")
        heads.append((head, (await org.get(path, "eva")).content))
    for head, tile in heads:
        assert (await read(org, f"tile/0/000.p/{head.size}")).content == tile
    for (old, _), (new, _) in itertools.pairwise(heads):
        assert grew(old, new, await consistency(org, old.size, new.size))


async def test_tiles_may_be_kept_for_ever_and_entries_are_gzipped_if_accepted(large: Organisation) -> None:
    plain: dict[str, str] = large.bearer("eva") | {"accept-encoding": "identity"}
    path = address(large, "tile/entries/000")
    as_is = await large.http.get(path, headers=plain)
    assert "content-encoding" not in as_is.headers
    for accepted in ("gzip", "br;q=1.0, gzip;q=0.8", "*", "x-gzip"):
        async with large.http.stream("GET", path, headers=plain | {"accept-encoding": accepted}) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip", accepted
        assert gzip.decompress(raw) == as_is.content
        assert len(raw) < len(as_is.content)
    for accepted in ("br", "gzip;q=0", "gzip; q=0.000, *", ""):
        refused = await large.http.get(path, headers=plain | {"accept-encoding": accepted})
        assert "content-encoding" not in refused.headers, accepted
    for immutable in ("tile/entries/000", "tile/0/000", "tile/0/002.p/3", "consistency?from=1&to=2"):
        answer = await read(large, immutable)
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert as_is.headers["content-type"] == "application/octet-stream"
    assert as_is.headers["vary"] == "Accept-Encoding"
    assert len((await read(large, "tile/0/000")).content) == 8192
    for moves in ("checkpoint", "proof/1"):
        assert (await read(large, moves)).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/003",
        "tile/0/002",
        "tile/0/002.p/255",
        "tile/1/001",
        "tile/2/000.p/1",
        "tile/64/000",
        "tile/0/0",
        "tile/00/000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/x000/000",
        "tile/entries/003",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/x/000",
        "tile/entries/",
        "tile/0/",
    ],
)
async def test_there_is_nothing_beside_the_tiles_of_the_signed_size(large: Organisation, path: str) -> None:
    assert_problem(await read(large, path), 404, "not_found")


async def test_a_fact_that_is_not_under_a_signed_head_yet_is_waited_for(
    org: Organisation, relay: Relay
) -> None:
    await org.given_person("eva", "auditor")
    for path in ("checkpoint", "tile/0/000.p/1", "proof/1", "consistency?from=0&to=1"):
        unsigned = assert_problem(await read(org, path), 503, "not_signed_yet")
        assert "epoch" in unsigned["detail"]
    size = await relay.signs(org.workspace)
    await org.given(("/v1/units", {"id": "later", "name": "Later"}))
    later = await read(org, f"proof/{size + 1}")
    assert_problem(later, 503, "not_signed_yet")
    assert later.headers["retry-after"] == "1"
    for path in (f"proof/{size + 2}", f"consistency?from=1&to={size + 2}"):
        assert_problem(await read(org, path), 404, "unknown_fact")
    assert_problem(await read(org, "proof/0"), 404, "not_found")
    backwards = await read(org, "consistency?from=2&to=1")
    assert_problem(backwards, 422, "invalid", "from")
    await relay.signs(org.workspace)
    assert (await read(org, f"proof/{size + 1}")).status_code == 200


async def test_while_the_tiles_of_an_older_log_are_made_its_proofs_are_waited_for(
    org: Organisation, relay: Relay
) -> None:
    await org.given_person("eva", "auditor")
    await grown(org, 300)
    await relay.signs(org.workspace, keeping=False)
    waits = await read(org, "proof/300")
    assert_problem(waits, 503, "tiles_not_kept_yet")
    assert waits.headers["retry-after"] == "1"
    assert (await read(org, "tile/0/000")).status_code == 200
    await relay.signs(org.workspace)
    assert (await read(org, "proof/300")).status_code == 200


async def test_each_epoch_is_a_log_of_its_own_and_what_is_lost_is_said_to_be(
    org: Organisation, relay: Relay, service: Service
) -> None:
    await org.given_person("eva", "auditor")
    size = await relay.signs(org.workspace)
    assert_problem(await read(org, "checkpoint", epoch=2), 404, "not_found")
    async with raw_connection(relay.engine) as raw, raw.transaction():
        await raw.execute("UPDATE heads SET epoch = 2 WHERE workspace = $1", org.workspace)
        await raw.execute("INSERT INTO epochs VALUES ($1, 2, $2, now())", org.workspace, size)
    assert_problem(await read(org, "checkpoint", epoch=2), 503, "not_signed_yet")
    await relay.signs(org.workspace)
    notes = [(await read(org, "checkpoint", epoch=epoch)).text for epoch in (1, 2)]
    assert [note.split("\n")[0][-2:] for note in notes] == ["/1", "/2"]
    assert notes[0].split("\n")[1:3] == notes[1].split("\n")[1:3]
    lost = await read(org, f"proof/{size + 1}")
    assert_problem(lost, 410, "position_lost")
    assert lost.headers["goal-ledger-position"] == f"2-{size}"


async def test_a_fact_whose_bytes_were_changed_in_the_store_gets_no_proof(
    org: Organisation, relay: Relay, service: Service
) -> None:
    await org.given_person("eva", "auditor")
    await relay.signs(org.workspace)
    async with raw_connection(relay.engine) as raw:
        await past_the_trigger(raw)
        await raw.execute(
            "UPDATE facts SET bytes = bytes || ' ' WHERE workspace = $1 AND seq = 2", org.workspace
        )
    assert_problem(await read(org, "proof/2"), 500, "internal_error")
    assert (await read(org, "proof/1")).status_code == 200


async def test_the_logs_are_for_auditors_of_the_workspace_and_for_services_inside(
    large: Organisation, service: Service
) -> None:
    paths = ("checkpoint", "tile/0/000", "tile/entries/000", "proof/1", "consistency?from=1&to=2")
    bearer = {"headers": {"authorization": f"Bearer {service_token()}"}}
    other = await service.organisation()
    await other.given_person("eva", "auditor")
    for path in paths:
        where = address(large, path)
        assert (await read(large, path)).status_code == 200
        assert_problem(await read(large, path, "ada"), 403, "not_allowed")
        assert_problem(await large.http.get(where), 401, "unauthenticated")
        assert_problem(await other.http.get(where, headers=other.bearer("eva")), 404, "unknown_workspace")
        assert (await service.internal.get(where, **bearer)).status_code == 200
        assert_problem(await service.public.get(where, **bearer), 401, "unauthenticated")
        never = where.replace(large.workspace, "never")
        assert_problem(await service.internal.get(never, **bearer), 404, "unknown_workspace")


async def test_reads_of_the_logs_are_noted_with_what_was_given(large: Organisation) -> None:
    with structlog.testing.capture_logs() as logged:
        for path in (
            "checkpoint",
            "tile/entries/001",
            "tile/0/002.p/9",
            "proof/5",
            "consistency?from=1&to=2",
        ):
            await read(large, path)
    notes: list[dict[str, Any]] = [one for one in logged if one["event"] == "record read"]
    assert [one["path"].split(f"{large.workspace}/1/")[1] for one in notes] == [
        "checkpoint",
        "tile/entries/001",
        "tile/0/002.p/9",
        "proof/5",
        "consistency",
    ]
    assert {(one["actor"], one["workspace"], one["status"]) for one in notes} == {
        ("person/eva", large.workspace, 200)
    }
    assert (notes[1]["facts"], notes[1]["first_seq"], notes[1]["last_seq"]) == (256, 257, 512)
    assert (notes[2]["hashes"], notes[3]["first_seq"], notes[4]["to_size"]) == (9, 5, 2)


async def test_a_query_parameter_that_the_logs_do_not_have_is_refused(large: Organisation) -> None:
    assert_problem(
        await read(large, f"checkpoint?workspace={large.workspace}"), 422, "unknown_parameter", "workspace"
    )
