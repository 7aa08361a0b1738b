"""The same idempotency key in flight to two processes at once: one fact, and the same answer from both."""

from __future__ import annotations

import asyncio

from goal_ledger_demo import record
from goal_ledger_local.stack import Stack

from faults.another_command import two_commands
from faults.finding import Finding
from faults.ground import break_ground
from faults.sending import Means, attempt, http_client
from faults.whole import check_ins, compare
from faults.writers import Tally


async def same_key(stack: Stack, keys: int = 200) -> Finding:
    """Each key is sent twice to each of two processes, all four at the same time."""
    found = Finding("a key in flight to two processes is one fact with one answer")
    ground = await asyncio.to_thread(break_ground, stack, "same-key")
    tally, replayed, body = Tally(), 0, {"values": [{"part": "value", "value": "7"}]}
    path = f"/v1/key-results/{ground.key_results[0]}/check-ins"
    async with two_commands(stack) as urls, http_client() as http:
        for number in range(keys):
            sent = [attempt(http, url, ground.token, path, body, f"once-{number}") for url in (*urls, *urls)]
            answers = await asyncio.gather(*sent)
            if any(one.means is not Means.ACKNOWLEDGED for one in answers):
                found.wrong.append(f"key {number}: {[(one.status, one.code) for one in answers]}")
                continue
            said = {str(one.body) for one in answers}
            first = [one for one in answers if not one.replayed]
            found.expect(len(said) == 1, f"key {number} was answered in {len(said)} ways: {said}")
            found.expect(len(first) == 1, f"key {number}: {len(first)} answers say that they are the first")
            replayed += len(answers) - len(first)
            tally.acknowledged[str(answers[0].body["id"])] = answers[0].seq
    facts = await asyncio.to_thread(record.read_log, ground.command_url, ground.token)
    found.expect(len(check_ins(facts)) == keys, f"{len(check_ins(facts))} check-ins of {keys} keys")
    whole = await compare(ground, tally)
    found.wrong += [*whole.wrong, *(f"lost {one}" for one in whole.lost)]
    found.note(keys=keys, answers=4 * keys, replayed=replayed, doubled=len(whole.doubled))
    return found
