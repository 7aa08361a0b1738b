"""Of a feed's facts, those that judge readings: looked up where a counter began anew, among millions that record them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index(
        "facts_judging",
        "facts",
        ["workspace", "stream", "seq"],
        postgresql_where=sa.text("type IN ('ReadingQuarantined', 'ReadingReleased', 'ReadingRejected')"),
    )
