"""The registry of projection versions, and the first version, live, as the first release made them.

The tables stand here as they were, frozen. A later shape of them is not a migration: a rebuild makes the next version
beside the live one (`shapes.py`), and an empty first version is replaced at once.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

REGISTRY = """
CREATE TABLE public.projections (
    name TEXT NOT NULL,
    live BOOLEAN DEFAULT false NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    live_since TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (name)
);

CREATE UNIQUE INDEX projections_one_live ON public.projections (live) WHERE live;
"""

FIRST_SHAPE = """
CREATE TABLE check_ins (
    workspace TEXT NOT NULL,
    check_in TEXT NOT NULL,
    seq BIGINT NOT NULL,
    objective TEXT NOT NULL,
    key_result TEXT,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_seq BIGINT,
    actor TEXT NOT NULL,
    author TEXT NOT NULL,
    status TEXT,
    confidence NUMERIC,
    method TEXT NOT NULL,
    after_closing BOOLEAN NOT NULL,
    body JSONB NOT NULL,
    CONSTRAINT check_ins_pkey PRIMARY KEY (workspace, check_in, seq)
);

CREATE INDEX check_ins_by_objective ON check_ins (workspace, objective, effective_at DESC, seq DESC);

CREATE INDEX check_ins_last_words ON check_ins (workspace, coalesce(key_result, '/' || objective), effective_at DESC, seq DESC);

CREATE TABLE definitions (
    workspace TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    ended_seq BIGINT,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    body JSONB NOT NULL,
    CONSTRAINT definitions_pkey PRIMARY KEY (workspace, kind, id, seq)
);

CREATE INDEX definitions_key_results ON definitions (workspace, ((body['key_results'][-1]) ->> 'id')) WHERE ((body['changed']) ->> 'type') = 'KeyResultAdded';

CREATE INDEX definitions_latest ON definitions (workspace, kind, id) WHERE ended_seq IS NULL;

CREATE INDEX definitions_links ON definitions (workspace, id, seq) WHERE ((body['changed']) ->> 'type') IN ('ObjectiveAligned', 'ObjectiveUnaligned');

CREATE TABLE facts (
    workspace TEXT NOT NULL,
    seq BIGINT NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    actor TEXT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    event_id UUID NOT NULL,
    bytes BYTEA NOT NULL,
    CONSTRAINT facts_pkey PRIMARY KEY (workspace, seq)
);

CREATE INDEX facts_by_stream ON facts (workspace, stream, seq);

CREATE TABLE hints (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    topic_id TEXT NOT NULL,
    next_offset BIGINT NOT NULL,
    CONSTRAINT hints_pkey PRIMARY KEY (topic, partition)
) WITH (fillfactor = 20);

CREATE TABLE parked (
    workspace TEXT NOT NULL,
    projection TEXT NOT NULL,
    seq BIGINT NOT NULL,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT parked_pkey PRIMARY KEY (workspace, projection)
);

CREATE TABLE positions (
    projection TEXT NOT NULL,
    workspace TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    next_seq BIGINT NOT NULL,
    rebuilding BOOLEAN DEFAULT false NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT positions_pkey PRIMARY KEY (projection, workspace)
) WITH (fillfactor = 20);

CREATE TABLE readings (
    workspace TEXT NOT NULL,
    feed TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_seq BIGINT,
    value NUMERIC NOT NULL,
    unit TEXT,
    mode TEXT NOT NULL,
    state SMALLINT NOT NULL,
    recorded_seq BIGINT NOT NULL,
    CONSTRAINT readings_pkey PRIMARY KEY (workspace, feed, source, id, seq)
);

CREATE INDEX readings_by_time ON readings (workspace, feed, time, seq);

CREATE INDEX readings_in_quarantine ON readings (workspace, feed, source, id) WHERE state = 1 AND ended_seq IS NULL;

CREATE TABLE value_rows (
    workspace TEXT NOT NULL,
    check_in TEXT NOT NULL,
    seq BIGINT NOT NULL,
    part TEXT NOT NULL,
    objective TEXT NOT NULL,
    key_result TEXT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_seq BIGINT,
    value NUMERIC,
    done TEXT[],
    unit TEXT,
    measure_seq BIGINT,
    CONSTRAINT value_rows_pkey PRIMARY KEY (workspace, check_in, seq, part)
);

CREATE INDEX value_rows_in_force ON value_rows (workspace, key_result, part, effective_at DESC, seq DESC);
"""


def upgrade() -> None:
    _run(REGISTRY)
    op.execute("CREATE SCHEMA read_v1")
    op.execute("SET LOCAL search_path TO read_v1")
    _run(FIRST_SHAPE)
    op.execute("SET LOCAL search_path TO DEFAULT")
    op.execute("INSERT INTO public.projections (name, live, live_since) VALUES ('read_v1', true, now())")


def downgrade() -> None:
    op.execute("DROP SCHEMA read_v1 CASCADE")
    op.execute("DROP TABLE public.projections")


def _run(statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            op.execute(statement)
