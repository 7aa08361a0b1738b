"""All tables of the read database.

`read` holds those of one projection version, made once per version in a schema of its own (`read_v1`, …); `registry`
holds the one table that says which versions there are, of which shape, and which of each shape is live
(`projections.py`). A reader asks for the live version of its own shape at the beginning of its transaction and names it
in `search_path` (SET LOCAL).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    text,
)

from goal_ledger_projection.metadata import read
from goal_ledger_projection.read_models.check_ins import check_ins
from goal_ledger_projection.read_models.definitions import definitions
from goal_ledger_projection.read_models.facts import facts
from goal_ledger_projection.read_models.reading_sums import reading_sums
from goal_ledger_projection.read_models.readings import readings
from goal_ledger_projection.read_models.sequences import sequences
from goal_ledger_projection.read_models.value_rows import value_rows

registry = MetaData(schema="public")

projection_versions = Table(
    "projection_versions",
    registry,
    Column("name", Text, primary_key=True),
    Column("shape", Text, nullable=False),
    Column("live", Boolean, nullable=False, server_default=text("false")),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("live_since", DateTime(timezone=True)),
)
Index(
    "projections_one_live",
    projection_versions.c.shape,
    unique=True,
    postgresql_where=projection_versions.c.live,
)

goals_told_to = Table(
    "goals_told_to",
    registry,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("looked_at", DateTime(timezone=True), nullable=False),
    postgresql_with={"fillfactor": 20},
)
"""How far `goals.changed` has been told, by whatever projection version: a rebuild or a switch tells nothing again."""

goals_told = Table(
    "goals_told",
    registry,
    Column("workspace", Text, primary_key=True),
    Column("goal", Text, primary_key=True),
    Column("record", LargeBinary, nullable=False),
)
"""The value of each goal's last record: what the next is compared with, and what a topic made anew is filled from."""

goals_told_offsets = Table(
    "goals_told_offsets",
    registry,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("topic_id", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 20},
)
"""Where each partition of `goals.changed` ends if nobody but the one process that tells wrote to it."""

positions = Table(
    "positions",
    read,
    Column("projection", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("next_seq", BigInteger, nullable=False),
    Column("rebuilding", Boolean, nullable=False, server_default=text("false")),
    Column("moved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    postgresql_with={"fillfactor": 20},
)
"""How far each workspace is folded: everything below `next_seq` of `epoch`. `rebuilding`: a new epoch is being folded
anew and has not come to its fork point yet."""

parked = Table(
    "parked",
    read,
    Column("workspace", Text, primary_key=True),
    Column("projection", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Workspaces that stand still: the fact `seq` could not be applied, or `store_behind_reader`."""

checked_heads = Table(
    "checked_heads",
    read,
    Column("workspace", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""The last head whose root was that of the rows' bytes, with the frontier of the tree there (`head_check.py`)."""

hints = Table(
    "hints",
    read,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("topic_id", Text, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 20},
)
"""Where to seek, nothing more: the offset after the last record taken in, of the topic with that id. A topic made anew
has another id and is read from its beginning."""

__all__ = [
    "check_ins",
    "checked_heads",
    "definitions",
    "facts",
    "goals_told",
    "goals_told_offsets",
    "goals_told_to",
    "hints",
    "parked",
    "positions",
    "projection_versions",
    "read",
    "reading_sums",
    "readings",
    "registry",
    "sequences",
    "value_rows",
]
