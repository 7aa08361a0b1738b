"""A person's name and a note are nowhere in clear: not in database files, tables, Kafka's segments, records or logs.

The search is shown to work: it finds a title, which is in clear by design, in each of those places; and the name and
the note are read back through the query side, so they were there to be found.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg
from goal_ledger_demo import record
from goal_ledger_local.credentials import ISSUER
from goal_ledger_local.stack import Stack

from faults.finding import Finding
from faults.ground import ADMIN, Ground, break_ground
from faults.records import all_topics, read_topics
from faults.waiting import until

DATABASES = ("ledger", "keys", "read")
PUBLISHED_WITHIN_S = 30.0


async def secrecy(stack: Stack) -> Finding:
    """Marks: in a display name, a note, a blocker, a link, a comment, an idempotency key; and in a title, in clear."""
    found = Finding("personal text is nowhere in clear")
    ground = await asyncio.to_thread(break_ground, stack, "secret")
    token = secrets.token_hex(8)
    sealed = {name: f"zq{name}{token}" for name in ("name", "note", "blocker", "link", "comment", "key")}
    in_clear = f"zqtitle{token}"
    position = await asyncio.to_thread(_write, ground, sealed, in_clear)
    await _read_back(found, ground, sealed, position)
    await until(lambda: _published(ground), PUBLISHED_WITHIN_S, "all is published")
    await _checkpoint(stack)
    searched = [sealed[name].encode() for name in sealed]
    for place, files in _places(stack).items():
        hits = await asyncio.to_thread(_search, files, [*searched, in_clear.encode()])
        _judge(found, place, hits, sealed, in_clear, must_find=place != "the logs")
    hits = await _search_tables(stack, [*sealed.values(), in_clear])
    _judge(found, "the tables", hits, sealed, in_clear)
    hits = await _search_records(ground, [*searched, in_clear.encode()])
    _judge(found, "Kafka's records", hits, sealed, in_clear)
    found.note(marks=len(sealed), places=len(_places(stack)) + 2)
    return found


def _write(ground: Ground, marks: dict[str, str], title: str) -> str:
    """One text of each kind; the last position."""
    with ground.client() as ada:
        ada.command("/v1/people", {"id": "ola", "display_name": f"Ola {marks['name']} Østby"})
        ada.command("/v1/identities", {"issuer": ISSUER, "subject": "ola", "person": "ola"})
        ada.command("/v1/objectives", {"id": "titled", "title": title, "owner": f"person/{ADMIN}"})
        said = {
            "id": "said",
            "values": [{"part": "value", "value": "3"}],
            "note": f"Ærlig talt: {marks['note']}",
            "blockers": [f"{marks['blocker']} is ill"],
            "evidence": [f"https://intern.example/{marks['link']}"],
        }
        ada.command(f"/v1/key-results/{ground.key_results[0]}/check-ins", said, key=marks["key"])
        ada.command(f"/v1/key-results/{ground.key_results[0]}/check-ins", said, key=marks["key"])
        comment = {"id": "word", "text": f"So {marks['comment']} it is"}
        return ada.command("/v1/check-ins/said/comments", comment).position


async def _read_back(found: Finding, ground: Ground, marks: dict[str, str], position: str) -> None:
    """The query side opens the texts when asked."""

    def ask() -> str:
        with ground.client() as ada:
            timeline = ada.query("/v1/objectives/goal-0/timeline", after=position)
            people = ada.query("/v1/people", after=position)
        return json.dumps([timeline, people], ensure_ascii=False)

    shown = await asyncio.to_thread(ask)
    for name in ("name", "note", "comment"):
        found.expect(marks[name] in shown, f"the query side does not show the {name}")


async def _published(ground: Ground) -> bool:
    facts = await asyncio.to_thread(record.read_log, ground.command_url, ground.token)
    return len(await record.read_topic(ground.kafka, ground.workspace, len(facts))) == len(facts)


async def _checkpoint(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgres.admin_url)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _places(stack: Stack) -> dict[str, list[Path]]:
    return {
        "PostgreSQL's files": _files(stack.postgres.cluster),
        "Kafka's files": _files(stack.directory / "kafka"),
        "the logs": _files(stack.logs),
    }


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.suffix not in (".jar", ".jsa")]


def _search(files: Iterable[Path], marks: list[bytes]) -> dict[str, str]:
    """Mark → the first file that holds it."""
    hits: dict[str, str] = {}
    for path in files:
        try:
            with path.open("rb") as opened:
                if not path.stat().st_size:
                    continue
                with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    for mark in marks:
                        if content.find(mark) >= 0:
                            hits.setdefault(mark.decode(), str(path))
        except (FileNotFoundError, ValueError):
            continue  # removed, or emptied, between listing and opening
    return hits


async def _search_tables(stack: Stack, marks: list[str]) -> dict[str, str]:
    """Every row of every table as text, where bytes are shown in hex; TOAST's compression hides nothing from this."""
    hits: dict[str, str] = {}
    for database in DATABASES:
        connection = await asyncpg.connect(stack.postgres.url(database, "postgres"))
        try:
            tables = await connection.fetch(
                "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            for table in tables:
                for mark in marks:
                    if mark not in hits and await _holds(connection, table["name"], mark):
                        hits[mark] = f"{database} {table['name']}"
        finally:
            await connection.close()
    return hits


async def _holds(connection: Any, table: str, mark: str) -> bool:
    asked = f"SELECT EXISTS (SELECT FROM {table} AS t WHERE t::text LIKE $1 OR t::text LIKE $2)"
    return bool(await connection.fetchval(asked, f"%{mark}%", f"%{mark.encode().hex()}%"))


async def _search_records(ground: Ground, marks: list[bytes]) -> dict[str, str]:
    """Keys, values and headers as consumers get them: segments are compressed."""
    hits: dict[str, str] = {}
    for one in await read_topics(ground.kafka, await all_topics(ground.kafka)):
        parts = [one.key or b"", one.value or b"", *(raw for _, raw in one.headers)]
        for mark in marks:
            if any(mark in part for part in parts):
                hits.setdefault(mark.decode(), f"{one.topic}/{one.partition}/{one.offset}")
    return hits


def _judge(
    found: Finding,
    place: str,
    hits: dict[str, str],
    sealed: dict[str, str],
    in_clear: str,
    must_find: bool = True,
) -> None:
    for name, mark in sealed.items():
        found.expect(mark not in hits, f"the {name} is in clear in {place}: {hits.get(mark)}")
    if (
        must_find and place != "Kafka's files"
    ):  # there compression may hide it; its records are searched besides
        found.expect(in_clear in hits, f"not even the title was found in {place}: the search is blind")
