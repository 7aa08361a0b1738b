"""A fact is never changed or deleted, whoever asks: a wall behind the roles' rights.

One trigger for each statement, not for each row: appending does not meet it.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

FUNCTION = """
CREATE FUNCTION facts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a fact is never changed or deleted (% of facts)', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'docs/operations/reconciliation.md';
END $$
"""
TRIGGER = """
CREATE TRIGGER facts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON facts FOR EACH STATEMENT EXECUTE FUNCTION facts_stay()
"""


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(TRIGGER)
