"""Witnesses of signed heads: every head is handed to them, what they say is kept and shown, and none holds anything up."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from goal_ledger_command.relay import SignedHead, signed_head
from goal_ledger_command.relay.metrics import RelayMetrics
from goal_ledger_command.relay.process import Relay
from goal_ledger_command.witnesses.gate import WitnessGate
from goal_ledger_command.write_gate import StoreBehindKafkaGate
from goal_ledger_contracts.verifier_key import parse_verifier_key
from goal_ledger_contracts.witness_policy import WitnessPolicy, parse_policy
from goal_ledger_ledger.checkpoint import ml_dsa_44_verifier_key, verify
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import LogForked, WitnessedMore
from goal_ledger_observability.metrics import new_registry
from goal_ledger_verifier.notes import parse_head, verified
from support.by_hand import past_the_trigger
from support.small_witness import SmallWitness, witnessing

from .conftest import ORIGIN, Bench, Written, until


@pytest.fixture(autouse=True)
def signing_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goal_ledger_command.relay.heads.LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("goal_ledger_command.relay.heads.SIGN_EVERY_S", 0.0)
    monkeypatch.setattr("goal_ledger_command.witnesses.submitting.LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("goal_ledger_command.witnesses.submitting.FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr("goal_ledger_command.witnesses.submitting.LONGEST_PAUSE_S", 0.2)
    monkeypatch.setattr("goal_ledger_command.witnesses.submitting.TURNED_DOWN_S", 0.2)


def a_witness(bench: Bench, name: str = "w1") -> SmallWitness:
    return SmallWitness(f"{name}.example/witness", bench.key.public_key())


def policy_of(*witnesses: SmallWitness, needed: int | str = "all") -> WitnessPolicy:
    names = " ".join(one.name for one in witnesses)
    lines = [*(one.policy_line for one in witnesses), f"group g {needed} {names}", "quorum g"]
    return parse_policy("\n".join(lines))


@contextlib.asynccontextmanager
async def relaying(
    bench: Bench, policy: WitnessPolicy, ml_dsa_44: MLDSA44PrivateKey | None = None
) -> AsyncIterator[RelayMetrics]:
    metrics = RelayMetrics(new_registry("test"))
    relay = Relay(bench.engine, bench.bootstrap, metrics, bench.key, ORIGIN, policy, ml_dsa_44)
    task = asyncio.create_task(relay.run())
    try:
        yield metrics
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def head_of(bench: Bench, one: Written) -> SignedHead | None:
    async with raw_connection(bench.engine) as raw:
        return await signed_head(raw, one.workspace, one.epoch)


async def shown(bench: Bench, one: Written, cosignatures: int) -> SignedHead:
    """When the head over all facts is shown with so many cosignatures."""
    found: list[SignedHead] = []

    async def is_shown() -> bool:
        head = await head_of(bench, one)
        if head is not None and head.seq == len(one.facts) and len(lines_of(head.note)) == 1 + cosignatures:
            found.append(head)
        return bool(found)

    await until(is_shown)
    return found[0]


def lines_of(note: str) -> list[str]:
    return note.rpartition("\n\n")[2].splitlines()


def origin_of(one: Written) -> str:
    return f"{ORIGIN}/{one.workspace}/{one.epoch}"


async def stopped(bench: Bench, one: Written) -> str | None:
    async with raw_connection(bench.engine) as raw:
        return await raw.fetchval(
            "SELECT stopped FROM witnessed WHERE workspace = $1 AND epoch = $2", one.workspace, one.epoch
        )


async def test_every_head_is_cosigned_and_shown_with_its_cosignatures(bench: Bench):
    one, witnesses = bench.store.workspace(), [a_witness(bench, name) for name in ("w1", "w2")]
    async with witnessing(*witnesses), relaying(bench, policy_of(*witnesses)):
        for more in (7, 300):
            await bench.store.many(one, more)
            head = await shown(bench, one, 2)
    assert verify(head.note, bench.key.public_key(), origin_of(one)).size == 307
    read = parse_head(head.note, "checkpoint")
    assert [verified(read, parse_verifier_key(each.verifier_key)) for each in witnesses] == [True, True]
    assert [each.seen(origin_of(one)) for each in witnesses] == [307, 307]


async def test_a_head_has_a_signature_of_each_key_of_the_log_before_the_cosignatures(bench: Bench):
    one, witness, key = bench.store.workspace(), a_witness(bench), MLDSA44PrivateKey.generate()
    async with witnessing(witness), relaying(bench, policy_of(witness), key):
        await bench.store.many(one, 7)
        head = await shown(bench, one, 2)
    first, second, cosignature = lines_of(head.note)
    read, origin = parse_head(head.note, "checkpoint"), origin_of(one)
    assert verify(head.note, bench.key.public_key(), origin).size == 7
    assert verified(read, ml_dsa_44_verifier_key(origin, key.public_key())) is True
    assert first.startswith(f"— {origin} ") and second.startswith(f"— {origin} ")
    assert cosignature.startswith(f"— {witness.name} ")


async def test_a_size_that_a_witness_has_seen_already_is_adopted(bench: Bench):
    one, witness = bench.store.workspace(), a_witness(bench)
    async with witnessing(witness):
        await bench.store.many(one, 5)
        async with relaying(bench, policy_of(witness)):
            await shown(bench, one, 1)
        async with raw_connection(bench.engine) as raw:
            await raw.execute("DELETE FROM witnessed")
        await bench.store.many(one, 3)
        async with relaying(bench, policy_of(witness)):
            await shown(bench, one, 1)
    assert witness.seen(origin_of(one)) == 8


FAULTS = ("unknown", "forbidden", "bad_signature", "error", "endless", "down", "slow")


async def test_a_witness_that_does_not_cosign_holds_nothing_up_and_is_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goal_ledger_command.witnesses.asking.ANSWER_TIMEOUT_S", 0.5)
    one, good, bad = bench.store.workspace(), a_witness(bench, "good"), a_witness(bench, "bad")
    async with witnessing(good, bad), relaying(bench, policy_of(good, bad, needed=1)):
        for fault in FAULTS:
            bad.fault = fault
            await bench.store.many(one, 4)
            await shown(bench, one, 1)
            assert await stopped(bench, one) is None
            bad.fault = None
            await shown(bench, one, 2)


async def test_without_the_quorum_the_newest_head_is_shown_after_a_while_and_never_goes_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goal_ledger_command.witnesses.showing.SHOWN_AFTER_S", 1.0)
    one, good, bad = bench.store.workspace(), a_witness(bench, "good"), a_witness(bench, "bad")
    async with witnessing(good, bad), relaying(bench, policy_of(good, bad)) as metrics:
        await bench.store.many(one, 4)
        await shown(bench, one, 2)
        bad.fault = "error"
        await bench.store.many(one, 3)
        await until_seen(good, one)
        held = await head_of(bench, one)
        assert held is not None and (held.seq, held.newest_seq) == (4, 7)
        await shown(bench, one, 1)
        assert metrics.without_quorum._value.get() == 1
        bad.fault = None
        await shown(bench, one, 2)


async def until_seen(witness: SmallWitness, one: Written) -> None:
    async def is_seen() -> bool:
        return witness.seen(origin_of(one)) == len(one.facts)

    await until(is_seen)


async def test_without_witnesses_the_newest_head_is_shown_again(bench: Bench):
    one, witness = bench.store.workspace(), a_witness(bench)
    async with witnessing(witness), relaying(bench, policy_of(witness)):
        await bench.store.many(one, 4)
        await shown(bench, one, 1)
    async with relaying(bench, WitnessPolicy()):
        await bench.store.many(one, 4)
        await shown(bench, one, 0)


async def restored(bench: Bench, one: Written, seq: int) -> None:
    """Store, marks and what was kept of witnesses are those of an earlier moment; Kafka was put back too."""
    kept, fresh = one.facts[:seq], Written(one.workspace, one.epoch)
    async with raw_connection(bench.engine) as raw:
        await past_the_trigger(raw)
        for table in ("facts", "heads", "published", "checkpoints", "witnessed", "tiles"):
            await raw.execute(f"DELETE FROM {table} WHERE workspace = $1", one.workspace)
    one.facts, one.frontier = fresh.facts, fresh.frontier
    await bench.store.append(one, *[json.loads(stored) for stored in kept])


def gate_of(bench: Bench, *witnesses: SmallWitness) -> WitnessGate:
    return WitnessGate(bench.engine, policy_of(*witnesses), bench.key, ORIGIN)


async def test_a_store_restored_together_with_kafka_is_found_by_what_a_witness_has_seen(bench: Bench):
    one, other, witness = bench.store.workspace(), bench.store.workspace(), a_witness(bench)
    async with witnessing(witness):
        await bench.store.many(one, 20)
        await bench.store.many(other, 5)
        async with relaying(bench, policy_of(witness)):
            await shown(bench, one, 1)
            await shown(bench, other, 1)
        await restored(bench, one, 12)
        gate = gate_of(bench, witness)
        await gate.look(anew=True)
    gate.check(other.workspace)
    with pytest.raises(WitnessedMore, match=r"has seen 1-20; the store ends with 1-12"):
        gate.check(one.workspace)
    assert (gate.stopped, gate.not_asked) == ({one.workspace: "store_behind_log"}, 0)
    assert witness.seen(origin_of(one)) == 20


async def test_a_store_from_before_a_recovery_is_found_by_the_next_epochs_log(bench: Bench):
    one, witness = bench.store.workspace(), a_witness(bench)
    await bench.store.many(one, 6)
    witness.logs[f"{ORIGIN}/{one.workspace}/2"] = (5, b"r" * 32)
    async with witnessing(witness):
        gate = gate_of(bench, witness)
        await gate.look(anew=True)
        with pytest.raises(WitnessedMore, match="has seen 2-5"):
            gate.check(one.workspace)
        one.epoch = 2
        await bench.store.many(one, 1)
        await gate.look(anew=False)
        gate.check(one.workspace)


async def test_another_log_than_a_witness_has_seen_stops_writing(bench: Bench):
    one, witness = bench.store.workspace(), a_witness(bench)
    witness.logs[origin_of(one)] = (3, b"r" * 32)
    async with witnessing(witness):
        async with relaying(bench, policy_of(witness)) as metrics:
            await bench.store.many(one, 9)

            async def is_forked() -> bool:
                return metrics.forked._value.get() == 1

            await until(is_forked)
            gate = StoreBehindKafkaGate(bench.engine, bench.bootstrap, gate_of(bench, witness))
            await gate.look()
            with pytest.raises(LogForked, match="another log"):
                await gate.check(one.workspace)
            signed = await head_of(bench, one)
            await bench.store.many(one, 9)
            await bench.all_published(one)
            assert await head_of(bench, one) == signed
        one.epoch = 2
        await bench.store.many(one, 1)
        async with relaying(bench, policy_of(witness)):
            await shown(bench, one, 1)
        await gate.look()
        await gate.check(one.workspace)


async def test_a_writer_that_starts_finds_another_log_under_the_same_size(bench: Bench):
    one, witness = bench.store.workspace(), a_witness(bench)
    async with witnessing(witness):
        await bench.store.many(one, 9)
        async with relaying(bench, policy_of(witness)):
            await shown(bench, one, 1)
        for seen in (4, 9):
            witness.logs[origin_of(one)] = (seen, b"r" * 32)
            gate = gate_of(bench, witness)
            await gate.look(anew=True)
            with pytest.raises(LogForked):
                gate.check(one.workspace)


async def test_a_witness_that_is_away_at_the_start_holds_writing_up_for_seconds_at_most(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("goal_ledger_command.witnesses.gate.START_TIMEOUT_S", 0.3)
    one, witness = bench.store.workspace(), a_witness(bench)
    await bench.store.many(one, 3)
    witness.fault = "slow"
    witness.logs[origin_of(one)] = (4, b"r" * 32)
    async with witnessing(witness):
        gate = gate_of(bench, witness)
        await gate.look(anew=True)
        gate.check(one.workspace)
        assert gate.not_asked == 1
        witness.fault = None
        await gate.look(anew=False)
        assert gate.not_asked == 0
        with pytest.raises(WitnessedMore):
            gate.check(one.workspace)


async def test_heads_of_others_that_write_meanwhile_are_not_taken_for_a_store_that_is_behind(bench: Bench):
    one, witness = bench.store.workspace(), a_witness(bench)
    async with witnessing(witness), relaying(bench, policy_of(witness)):
        await bench.store.many(one, 3)
        gate = gate_of(bench, witness)
        looking = asyncio.create_task(gate.look(anew=True))
        await bench.store.many(one, 40)
        await shown(bench, one, 1)
        await looking
        await gate.look(anew=True)
    gate.check(one.workspace)
