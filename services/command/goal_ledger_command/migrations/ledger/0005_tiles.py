"""Full tiles of the Merkle tree: what proofs are made from. The relay fills the table for logs that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tiles",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary, nullable=False, comment="over the tile: a hash of the level above"),
        sa.Column("hashes", sa.LargeBinary, nullable=False, comment="256 of 32 bytes"),
        comment="full tiles of the Merkle tree (C2SP tlog-tiles): written once, the same in every epoch",
    )
    # Hashes do not compress: they lie apart, so that the roots of 256 tiles are read from a few pages.
    op.execute("ALTER TABLE tiles ALTER COLUMN hashes SET STORAGE EXTERNAL")
