"""A large import, in pieces as the command line sends it, whose command process is killed half way and started again.

The client goes on by itself under the same import id. The record is compared with the file: each of its rows once, in
the file's order and as written there; and the same file sent again records nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goal_ledger_client.transfer import JSON_LINES, PIECE_BYTES, RowsToSend, import_rows, log_lines
from goal_ledger_local.stack import Stack

from faults.finding import Finding
from faults.ground import ADMIN, MEASURE, Ground, break_ground

ROWS = 200_000
OF_THE_GOAL = 3
"""The facts of the file's first row: drafted, key result added, activated."""


async def import_killed(stack: Stack, rows: int = ROWS, note_characters: int = 0) -> Finding:
    """``note_characters`` makes few rows a large file: it has to be more than one piece."""
    found = Finding(f"an import of {rows} rows goes on after kill -9 of the command process")
    sent = RowsToSend(_file(rows, note_characters), JSON_LINES)
    found.expect(len(sent.content) > PIECE_BYTES, f"{len(sent.content)} bytes are one piece")
    ground = await asyncio.to_thread(_importer, stack)
    killed: list[int] = []
    began, before_mib = time.monotonic(), _memory_mib(stack, "VmRSS")
    counts = await asyncio.to_thread(_import, ground, sent, _kill_once(stack, rows // 2, killed))
    took_s, after_mib = time.monotonic() - began, _memory_mib(stack, "VmHWM")
    found.expect(bool(killed), "it was done before it was killed")
    found.expect(sum(counts.values()) == rows + 2, f"of {rows + 2} it tells {counts}")
    there = await asyncio.to_thread(_check_ins, ground, sent.import_id, found)
    expected = [_told(_row(number, 0)) for number in range(rows)]
    found.expect(there == expected, _difference(there, expected))
    again = await asyncio.to_thread(_import, ground, sent)
    found.expect(again.get("unchanged") == rows + 2, f"sent again: {again}")
    found.expect(
        await asyncio.to_thread(_check_ins, ground, sent.import_id, found) == there,
        "sent again: another record",
    )
    found.note(
        mib=round(len(sent.content) / 2**20, 1),
        killed_after_steps=sum(killed),
        seconds=round(took_s, 1),
        rows_per_s=round(rows / took_s),
        memory_before_mib=before_mib,
        memory_at_most_mib=after_mib,
    )
    return found


def _file(rows: int, note_characters: int) -> bytes:
    result = {"id": "imported-result", "text": "Many", "measure": MEASURE}
    goal = {
        "section": "objectives",
        **{"id": "imported", "title": "Imported", "owner": f"person/{ADMIN}", "key_results": [result]},
        **{"drafted": {"at": "2025-01-02"}, "activated": {"at": "2025-01-06"}},
    }
    return "\n".join(
        json.dumps(one) for one in (goal, *(_row(n, note_characters) for n in range(rows)))
    ).encode()


def _row(number: int, note_characters: int) -> dict[str, Any]:
    day, hour, minute = 1 + number // 1440 % 28, number // 60 % 24, number % 60
    row = {
        "section": "check_ins",
        **{"id": f"c{number}", "key_result": "imported-result", "values": [{"value": str(number)}]},
        "effective_at": f"2025-{2 + number // 40320 % 10:02}-{day:02}T{hour:02}:{minute:02}:00.000000Z",
    }
    return row | ({"note": "n" * note_characters} if note_characters else {})


def _told(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["id"], row["values"][0]["value"], row["effective_at"]


def _importer(stack: Stack) -> Ground:
    ground = break_ground(stack, "import-killed")
    ground.do(("/v1/roles/grant", {"holder": f"person/{ADMIN}", "role": "importer"}))
    return ground


def _import(
    ground: Ground, sent: RowsToSend, on_the_way: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    with ground.client() as importer:
        for told in import_rows(importer, sent):
            if "steps_done" in told:
                on_the_way(told["steps_done"])
    return dict(told["summary"]["counts"])


def _kill_once(stack: Stack, after_steps: int, killed: list[int]) -> Callable[[int], None]:
    def kill(steps_done: int) -> None:
        if not killed and steps_done >= after_steps:
            killed.append(steps_done)
            stack.kill("command")
            stack.restart("command")

    return kill


def _check_ins(ground: Ground, import_id: str, found: Finding) -> list[tuple[str, str, str]]:
    """What the import recorded of check-ins, in the order of the record."""
    with ground.client() as auditor:
        facts = [json.loads(line) for line in log_lines(auditor)]
    of_import = [one for one in facts if one["correlation_id"] == import_id]
    check_ins = [one for one in of_import if one["type"] == "CheckInRecorded"]
    others = len(of_import) - len(check_ins)
    found.expect(others == OF_THE_GOAL, f"{others} facts of the goal, not {OF_THE_GOAL}")
    return [_told(one["data"] | {"id": one["data"]["check_in"]} | one) for one in check_ins]


def _difference(there: list[tuple[str, str, str]], expected: list[tuple[str, str, str]]) -> str:
    at = next((n for n, (a, b) in enumerate(zip(there, expected, strict=False)) if a != b), len(expected))
    return f"{len(there)} check-ins of {len(expected)}; other from number {at}: {there[at : at + 2]}"


def _memory_mib(stack: Stack, what: str) -> int:
    pid = stack.describe()["processes"]["command"]["pid"]
    told = Path(f"/proc/{pid}/status").read_text()
    return int(told.partition(f"{what}:")[2].split()[0]) // 1024
