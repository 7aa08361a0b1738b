"""An import's rows and steps on their way: put down, sorted, and taken up again one after another.

However many rows there are, only those of the piece under way are in memory: the rest lies in a private temporary
database of SQLite (address ``""``: without a name, gone when it is closed, on disk only as far as it does not fit its
cache). Rows hold personal text: they are sealed under a key that never leaves this process.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from goal_ledger_command.importing.document import Happened
from goal_ledger_command.importing.lives import Life
from goal_ledger_command.importing.order import RowOrder
from goal_ledger_command.importing.report import Report
from goal_ledger_command.importing.rows import ImportRow

_TABLES = """
CREATE TABLE rows (n INTEGER PRIMARY KEY, told_by INTEGER NOT NULL, body BLOB, report BLOB, is_out INTEGER NOT NULL DEFAULT 0,
    is_told INTEGER NOT NULL DEFAULT 0, steps_left INTEGER NOT NULL DEFAULT 0);
CREATE TABLE names (name TEXT NOT NULL, n INTEGER NOT NULL);
CREATE TABLE unread (name TEXT NOT NULL, n INTEGER NOT NULL);
CREATE TABLE steps (phase INTEGER, sort INTEGER, depth INTEGER, is_unordered INTEGER, place INTEGER, at TEXT,
    rank INTEGER, tie TEXT, n INTEGER NOT NULL, i INTEGER NOT NULL);
CREATE TABLE lives (objective TEXT PRIMARY KEY, life BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE added (key_result TEXT PRIMARY KEY, objective TEXT NOT NULL, happened BLOB) WITHOUT ROWID;
CREATE TABLE above (name TEXT PRIMARY KEY, other TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE said (on_what TEXT NOT NULL, at TEXT NOT NULL);
"""
_IN_ORDER = "phase, sort, depth, is_unordered, place, at, rank, tie, n, i"
_SAID = """
SELECT max(at) FROM said WHERE at >= ?3 AND at < ?4
    AND (on_what = ?1 OR on_what IN (SELECT 'key-result/' || key_result FROM added WHERE objective = ?2))
"""
CACHE_KIB = 16 * 1024
AT_HAND_ITEMS = 10_000
"""Lives and key results that need not be looked up again."""


class Workbook:
    """Not for several threads at once. Rows are numbered from 1 in the order of the file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(f"PRAGMA cache_size = -{CACHE_KIB}; PRAGMA journal_mode = OFF; {_TABLES}")
        self._db.execute("BEGIN")
        self._seal, self._told_by = AESGCM(os.urandom(32)), 0
        self.count = self.told_rows = self.steps = 0
        self.next_told = 1
        self._at_hand: dict[str, Any] = {}

    def close(self) -> None:
        self._db.close()

    # Rows

    def add(self, one: ImportRow | Report) -> None:
        """A row, or the report that refuses one."""
        self.count += 1
        n = self.count
        if isinstance(one, Report):
            self._told_by, self.told_rows = n, self.told_rows + 1
            self._db.execute("INSERT INTO rows (n, told_by) VALUES (?, ?)", (n, n))
            self.report(n, one)
            name = f"{one.kind.replace(' ', '-')}/{one.id}"
            self._db.execute("INSERT INTO unread VALUES (?, ?)", (name, n))
            return
        self._told_by = self._told_by if one.is_inside else n
        self.told_rows += n == self._told_by
        asked = "INSERT INTO rows (n, told_by, body) VALUES (?, ?, ?)"
        self._db.execute(asked, (n, self._told_by, self._sealed(n, one)))
        self._db.executemany("INSERT INTO names VALUES (?, ?)", [(name, n) for name in one.names])

    def rows(self) -> Iterator[tuple[int, ImportRow]]:
        """Those that are not refused."""
        for n in range(1, self.count + 1):
            row = self.row(n)
            if row is not None:
                yield n, row

    def row(self, n: int) -> ImportRow | None:
        """None: it is refused already, without any step."""
        body, is_out = self._db.execute("SELECT body, is_out FROM rows WHERE n = ?", (n,)).fetchone()
        return None if body is None or is_out else self._opened(n, body)

    def row_as_read(self, n: int) -> ImportRow | None:
        """Refused or not; None: it could not be read."""
        (body,) = self._db.execute("SELECT body FROM rows WHERE n = ?", (n,)).fetchone()
        return None if body is None else self._opened(n, body)

    def given_twice(self) -> Iterator[tuple[int, int]]:
        """Rows of one name: (row, another of them)."""
        self._db.execute("CREATE INDEX names_by_name ON names (name)")
        self._db.execute("CREATE INDEX unread_by_name ON unread (name)")
        twice = "SELECT name, min(n), max(n) FROM names GROUP BY name HAVING count(DISTINCT n) > 1"
        for name, first, last in self._db.execute(twice).fetchall():
            for (n,) in self._db.execute("SELECT DISTINCT n FROM names WHERE name = ?", (name,)).fetchall():
                yield n, last if n == first else first

    def named(self, name: str) -> int | None:
        """The row of that name."""
        asked = "SELECT n FROM names WHERE name = ?1 UNION ALL SELECT n FROM unread WHERE name = ?1 LIMIT 1"
        found = self._db.execute(asked, (name,)).fetchone()
        return None if found is None else int(found[0])

    def place(self, n: int) -> str:
        """Where the row stands."""
        body, report = self._db.execute("SELECT body, report FROM rows WHERE n = ?", (n,)).fetchone()
        return str(self._opened(n, body).place if body is not None else pickle.loads(report).place)

    # What rows say that the steps of others depend on

    def note_life(self, objective: str, life: Life) -> None:
        before = self.life(objective)
        whole = life if before is None else before.with_(life)
        self._db.execute("INSERT OR REPLACE INTO lives VALUES (?, ?)", (objective, pickle.dumps(whole)))
        self._at_hand.pop(f"life/{objective}", None)

    def life(self, objective: str) -> Life | None:
        name = f"life/{objective}"
        if name not in self._at_hand:
            found = self._db.execute("SELECT life FROM lives WHERE objective = ?", (objective,)).fetchone()
            self._keep_at_hand(name, None if found is None else pickle.loads(found[0]))
        life: Life | None = self._at_hand[name]
        return life

    def note_added(self, key_result: str, objective: str, happened: Happened | None) -> None:
        noted = (key_result, objective, None if happened is None else pickle.dumps(happened))
        self._db.execute("INSERT OR REPLACE INTO added VALUES (?, ?, ?)", noted)
        self._at_hand.pop(f"added/{key_result}", None)

    def added(self, key_result: str) -> tuple[str, Happened | None] | None:
        name = f"added/{key_result}"
        if name not in self._at_hand:
            asked = "SELECT objective, happened FROM added WHERE key_result = ?"
            found = self._db.execute(asked, (key_result,)).fetchone()
            self._keep_at_hand(name, found and (found[0], found[1] and pickle.loads(found[1])))
        added: tuple[str, Happened | None] | None = self._at_hand[name]
        return added

    def _keep_at_hand(self, name: str, value: Any) -> None:
        if len(self._at_hand) >= AT_HAND_ITEMS:
            self._at_hand.clear()
        self._at_hand[name] = value

    def note_above(self, name: str, other: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO above VALUES (?, ?)", (name, other))

    def depth(self, name: str) -> int:
        """How many of its own kind lie above it in the import."""
        seen: set[str] = set()
        at: str | None = name
        while at is not None and at not in seen:
            seen.add(at)
            found = self._db.execute("SELECT other FROM above WHERE name = ?", (at,)).fetchone()
            at = None if found is None else found[0]
        return len(seen) - 1

    def note_said(self, on: str, at: datetime) -> None:
        self._db.execute("INSERT INTO said VALUES (?, ?)", (on, _text(at)))

    def said(self, on: str, since: datetime, until: datetime) -> datetime | None:
        """The latest time within [since, until) that a check-in on a goal, with its key results, or on a key result has."""
        objective = on.removeprefix("objective/") if on.startswith("objective/") else None
        (at,) = self._db.execute(_SAID, (on, objective, _text(since), _text(until))).fetchone()
        return None if at is None else datetime.fromisoformat(at)

    # Steps

    def add_step(self, n: int, i: int, key: RowOrder) -> None:
        phase, sort, depth, turn, rank, tie = key
        self._db.execute(
            "INSERT INTO steps VALUES (?,?,?,?,?,?,?,?,?,?)", (phase, sort, depth, *turn, rank, tie, n, i)
        )
        self._db.execute("UPDATE rows SET steps_left = steps_left + 1 WHERE n = ?", (self._teller(n),))

    def sort(self) -> int:
        """Puts the steps in order; how many there are."""
        self._db.execute(f"CREATE TABLE turns AS SELECT n, i FROM steps ORDER BY {_IN_ORDER}")
        self._db.execute("DROP TABLE steps")
        (count,) = self._db.execute("SELECT count(*) FROM turns").fetchone()
        return int(count)

    def turns(self, after: int, most: int) -> list[tuple[int, int]]:
        """The next steps after the first ``after``: number of the row, and which of its steps."""
        asked = "SELECT n, i FROM turns WHERE rowid > ? ORDER BY rowid LIMIT ?"
        return self._db.execute(asked, (after, most)).fetchall()

    # Reports

    def report(self, n: int, report: Report) -> None:
        """Of the row, beside what was reported of it before."""
        teller = self._teller(n)
        if teller != n:
            above = self.row_as_read(teller)
            assert above is not None
            report = replace(report, place=above.place, kind=above.kind, id=above.id)
        (before,) = self._db.execute("SELECT report FROM rows WHERE n = ?", (teller,)).fetchone()
        whole = report if before is None else pickle.loads(before).with_(report)
        self._db.execute("UPDATE rows SET report = ? WHERE n = ?", (pickle.dumps(whole), teller))

    def refuse(self, n: int, report: Report) -> None:
        """The row is not taken."""
        self.report(n, report)
        self._db.execute("UPDATE rows SET is_out = 1 WHERE n = ?", (n,))

    def step_done(self, n: int, report: Report) -> bool:
        """Of one step of the row; whether that was its last."""
        self.report(n, report)
        asked = "UPDATE rows SET steps_left = steps_left - 1 WHERE n = ? RETURNING steps_left"
        (left,) = self._db.execute(asked, (self._teller(n),)).fetchone()
        return bool(left == 0)

    def _teller(self, n: int) -> int:
        """The row in whose report it is told of."""
        (found,) = self._db.execute("SELECT told_by FROM rows WHERE n = ?", (n,)).fetchone()
        return int(found)

    def told(self, n: int) -> tuple[Report, bool] | None:
        """The row's report if it is whole, and whether it was given out."""
        asked = "SELECT report, steps_left, is_told FROM rows WHERE n = ?"
        report, left, is_told = self._db.execute(asked, (self._teller(n),)).fetchone()
        return None if left or report is None else (pickle.loads(report), bool(is_told))

    def tell(self, n: int) -> None:
        self._db.execute("UPDATE rows SET is_told = 1 WHERE n = ?", (self._teller(n),))

    def _sealed(self, n: int, row: ImportRow) -> bytes:
        return self._seal.encrypt(n.to_bytes(12, "big"), pickle.dumps(row), None)

    def _opened(self, n: int, body: bytes) -> ImportRow:
        opened: Any = pickle.loads(self._seal.decrypt(n.to_bytes(12, "big"), body, None))
        return opened  # type: ignore[no-any-return]


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
