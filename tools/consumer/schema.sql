-- What the example consumer writes; read by SQLite (which takes any name of a type) and by PostgreSQL alike, but for
-- one word (see store.py).

-- One row a result. A copy of a message changes nothing, because its id is here already.
CREATE TABLE IF NOT EXISTS result (
    id UUID PRIMARY KEY,
    site TEXT NOT NULL,
    box TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    exercise TEXT NOT NULL,
    started TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL,
    replaces UUID, -- of a therapist's correction: the result in whose place it stands; the last one counts
    pose_dissimilarity DOUBLE PRECISION,
    dynamics_dissimilarity DOUBLE PRECISION,
    synthetic BOOLEAN NOT NULL,
    received TIMESTAMPTZ NOT NULL,
    payload JSONB NOT NULL
);
CREATE INDEX IF NOT EXISTS result_in_order ON result (box, sequence);
CREATE INDEX IF NOT EXISTS result_of_subject ON result (subject, started);
CREATE INDEX IF NOT EXISTS result_and_corrections ON result (box, coalesce(replaces, id), sequence);

-- What counts: of a result and its corrections, in whatever order they came, what was said last, unless a therapist
-- withdrew it. A box corrects its own results alone.
CREATE VIEW IF NOT EXISTS counting_result AS
SELECT * FROM result WHERE status <> 'withdrawn' AND NOT EXISTS (
    SELECT 1 FROM result AS later
    WHERE later.box = result.box
      AND coalesce(later.replaces, later.id) = coalesce(result.replaces, result.id)
      AND later.sequence > result.sequence
);

-- What could not be stored, with the reason: acknowledged, so that it holds nothing up, and kept for a person.
CREATE TABLE IF NOT EXISTS set_aside (
    digest TEXT PRIMARY KEY,
    received TIMESTAMPTZ NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    payload BYTEA NOT NULL
);
