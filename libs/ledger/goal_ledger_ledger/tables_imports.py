"""Imports on their way: the pieces that were sent and how far each has come. Gone when it is done, or after a week.

What is sent holds personal text, so it is sealed like a snapshot: under a key of its own in the keys database, deleted
with it.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from goal_ledger_ledger.tables import instant, ledger

imports = Table(
    "imports",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("import_id", Text, primary_key=True),
    Column("key_id", Text, nullable=False, comment="its key in the keys database"),
    Column("media_type", Text, nullable=False),
    Column("zone", Text, nullable=False, comment="the time zone that its days are of"),
    Column("steps_done", Integer, nullable=False, server_default="0"),
    Column("moved_at", instant, nullable=False, comment="by the database's clock"),
)

import_pieces = Table(
    "import_pieces",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("import_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False, comment="HMAC of the piece under the import's key"),
    Column("bytes", Integer, nullable=False, comment="how many were sent"),
    Column("body", LargeBinary, nullable=False, comment="sealed"),
)

import_outcomes = Table(
    "import_outcomes",
    ledger,
    Column("workspace", Text, primary_key=True),
    Column("import_id", Text, primary_key=True),
    Column("after", Integer, primary_key=True, autoincrement=False, comment="so many steps came before"),
    Column("body", LargeBinary, nullable=False, comment="sealed: the reports of some steps"),
)
