"""When nothing can be recorded it is said, with what to do; nothing is left in doubt without saying so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from goal_ledger_command.cli.operations import creation
from goal_ledger_command.migrations import migrate
from goal_ledger_command.settings import Settings
from goal_ledger_command.wiring import Store, apps, open_store
from goal_ledger_ledger.lineage import Lineage, look
from goal_ledger_ledger.sequencer import Ledger
from goal_ledger_ledger.store import raw_connection
from goal_ledger_ledger.submission import (
    CommandAnswer,
    LedgerError,
    NotRecorded,
    OutcomeUnknown,
    StoreBehindLog,
    Submission,
)
from goal_ledger_local.postgres import Postgres
from goal_ledger_observability.metrics import new_registry

from command.conftest import client
from command.service import ISSUER, Organisation, assert_problem, settings_in


class Gate:
    """Closed as told."""

    closed_by: LedgerError | None = None

    async def check(self, workspace: str) -> None:
        if self.closed_by is not None:
            raise self.closed_by


@pytest_asyncio.fixture
async def store(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Store, Gate, Organisation]]:
    ledger_url, keys_url = await postgres.create("ledger"), await postgres.create("keys")
    await migrate(ledger_url, keys_url)
    settings, gate = settings_in(tmp_path, ledger_url, keys_url), Gate()

    async def checks() -> dict[str, str]:
        return {}

    async with open_store(settings, lambda _: gate) as store:
        await store.ledger.start()
        await store.ledger.submit(creation("acme", "Acme", "Europe/Oslo", ("ada", "Ada", ISSUER, "ada")))
        public, _ = apps(settings, store, checks, new_registry("test"))
        async with client(public) as http:
            yield store, gate, Organisation(http, "acme")


async def test_a_process_whose_clock_is_an_hour_ahead_records_nothing_and_says_so(
    store: tuple[Store, Gate, Organisation], tmp_path: Path
) -> None:
    opened, gate, org = store
    ahead = [timedelta(hours=1)]

    def clock() -> datetime:
        return datetime.now(UTC) + ahead[0]

    async with open_store(settings_of(opened, tmp_path), lambda _: gate, clock) as skewed:
        await skewed.ledger.start()

        async def checks() -> dict[str, str]:
            return {"ledger_database": skewed.pulse.wrong_for_writers or "ok"}

        public, _ = apps(settings_of(opened, tmp_path), skewed, checks, new_registry("skewed"))
        async with client(public) as http:
            wrong = Organisation(http, "acme")
            answer = await wrong.post(*UNIT)
            assert "+3600" in assert_problem(answer, 503, "clock_skewed")["detail"]
            assert int(answer.headers["retry-after"]) >= 1
            assert (await http.get("/health/ready")).status_code == 503
            assert (await org.post(*UNIT)).status_code == 201
            ahead[0] = timedelta(seconds=2)
            await skewed.pulse.look()
            assert (await wrong.post("/v1/units", {"name": "Y"})).status_code == 201
            assert (await http.get("/health/ready")).status_code == 200


async def test_a_full_disk_is_not_recorded_and_told_until_something_is_recorded(
    store: tuple[Store, Gate, Organisation],
) -> None:
    opened, _, org = store
    async with raw_connection(opened.engine) as raw:
        await raw.execute(
            "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        await raw.execute(
            "CREATE TRIGGER disk_is_full BEFORE INSERT ON facts EXECUTE FUNCTION disk_is_full()"
        )
    assert opened.ledger.failing_because is None
    assert_problem(await org.post(*UNIT), 503, "not_recorded")
    assert opened.ledger.failing_because == "DiskFullError"
    async with raw_connection(opened.engine) as raw:
        await raw.execute("DROP TRIGGER disk_is_full ON facts")
    assert (await org.post(*UNIT)).status_code == 201
    assert opened.ledger.failing_because is None


UNIT = ("/v1/units", {"name": "X"})


def settings_of(opened: Store, directory: Path) -> Settings:
    """Of another process on the same databases."""
    urls = [
        one.url.set(drivername="postgresql").render_as_string(hide_password=False)
        for one in (opened.engine, opened.keyring.engine)
    ]
    return settings_in(directory, *urls)


EVENT = {"specversion": "1.0", "type": "goal-ledger.reading.v1", "source": "/s", "id": "1", "subject": "f"}


async def test_a_gate_that_is_closed_is_503_with_retry_after(store: tuple[Store, Gate, Organisation]) -> None:
    opened, gate, org = store
    for closed_by, code in (
        (NotRecorded("Kafka has not been read yet."), "not_recorded"),
        (StoreBehindLog("The store has to be recovered."), "store_behind_log"),
    ):
        gate.closed_by = closed_by
        opened.ledger.resume_writing(None)  # the gate is asked again
        answer = await org.post(*UNIT)
        assert_problem(answer, 503, code)
        assert int(answer.headers["retry-after"]) >= 1
        batch = [EVENT | {"time": "2026-11-01T00:00:00Z", "data": {"value": "1"}}]
        kind = "application/cloudevents-batch+json"
        assert_problem(await org.post("/v1/readings", batch, content_type=kind), 503, code)
    gate.closed_by = None
    opened.ledger.resume_writing(None)
    assert (await org.post(*UNIT)).status_code == 201


async def test_an_unknown_outcome_says_to_repeat_with_the_same_key(
    store: tuple[Store, Gate, Organisation], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, org = store
    submit = Ledger.submit

    async def broken(ledger: Ledger, submission: Submission) -> CommandAnswer:
        await submit(ledger, submission)
        raise OutcomeUnknown

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "submit", broken)
        answer = await org.post(*UNIT, idempotency_key="k-1")
        body = assert_problem(answer, 503, "outcome_unknown")
        assert "same key" in body["detail"]
    again = await org.post(*UNIT, idempotency_key="k-1")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


async def test_with_the_database_away_it_is_503_and_the_process_lives(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, "postgresql://nobody:x@127.0.0.1:1/ledger", "postgresql://x:y@127.0.0.1:1/keys"
    )

    async def checks() -> dict[str, str]:
        raise ConnectionError

    async with open_store(settings, lambda _: Gate()) as away:
        public, internal = apps(settings, away, checks, new_registry("away"))
        async with client(public) as http, client(internal) as inside:
            gone = Organisation(http, "acme")
            assert_problem(await gone.post(*UNIT), 503, "not_recorded")
            assert_problem(await gone.get("/v1/log"), 503, "not_recorded")
            assert (await http.get("/health/live")).status_code == 200
            assert (await inside.get("/health/ready")).status_code == 503


async def test_while_the_ledger_is_restored_in_place_everything_is_503(
    store: tuple[Store, Gate, Organisation], tmp_path: Path
) -> None:
    """Asked of a process that has the workspace in memory and of one that has not: tables away, half there, empty."""
    opened, gate, org = store
    assert (await org.post(*UNIT)).status_code == 201

    async def checks() -> dict[str, str]:
        return {}

    async with open_store(settings_of(opened, tmp_path), lambda _: gate) as other:
        async with raw_connection(opened.engine) as raw:
            await raw.execute("INSERT INTO partition_marks VALUES ('ledger.facts', 0, 'id', 7)")
            for one in (opened, other):
                one.engine.lineage = Lineage()
                one.engine.lineage.accept(await look(raw))
        public, _ = apps(settings_of(opened, tmp_path), other, checks, new_registry("other"))
        async with client(public) as http:
            for step in RESTORING:
                async with raw_connection(opened.engine, same=False) as raw:
                    await raw.execute(step)
                for asked in (org, Organisation(http, "acme")):
                    for answer in (await asked.post(*UNIT), await asked.get("/v1/log")):
                        assert answer.status_code == 503, (step, answer.text)
                        assert int(answer.headers["retry-after"]) >= 1


RESTORING = (
    "ALTER TABLE heads RENAME TO heads_away",
    "ALTER TABLE heads_away RENAME TO heads; ALTER TABLE partition_marks RENAME TO marks_away",
    "ALTER TABLE marks_away RENAME TO partition_marks; DELETE FROM heads; DELETE FROM partition_marks",
)
