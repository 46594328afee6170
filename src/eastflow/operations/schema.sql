-- version 1: business days, day-ends, proposals that wait for a second person

-- One day is open, at most one is closing; the rest are closed.
CREATE TABLE operations_business_day (
    date      DATE PRIMARY KEY,
    state     TEXT NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ
);
-- reference operations_business_day
CREATE UNIQUE INDEX operations_business_day_current ON operations_business_day (state) WHERE state <> 'closed';

-- The plan of a day's end and what became of each part. While a part is running, lease_until is when another runner may
-- take its runner for dead.
CREATE TABLE operations_day_end_part (
    date        DATE NOT NULL,
    position    BIGINT NOT NULL,
    step        TEXT NOT NULL,
    partition   BIGINT NOT NULL,
    state       TEXT NOT NULL,
    counts      JSONB,
    reason      TEXT,
    runner      UUID,
    attempts    BIGINT NOT NULL,
    lease_until TIMESTAMPTZ,
    started_at  TIMESTAMPTZ,
    ended_at    TIMESTAMPTZ,
    PRIMARY KEY (date, step, partition)
);
-- reference operations_day_end_part

-- Status: pending, executed, refused or withdrawn. A pending one whose time is over is expired.
CREATE TABLE operations_proposal (
    id              UUID PRIMARY KEY,
    kind            TEXT NOT NULL,
    payload         JSONB NOT NULL,
    maker           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    made_at         TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    status          TEXT NOT NULL,
    decided_by      TEXT,
    decided_at      TIMESTAMPTZ,
    decision_reason TEXT,
    result          JSONB
);
-- distribute operations_proposal by id
CREATE INDEX operations_proposal_pending ON operations_proposal (id) WHERE status = 'pending';

-- version 2: proposals sealed

-- What may name persons is sealed (`approvals/store.py`), under data keys that are not in this table: the payload with its
-- reason, and the reason of a decision with its result. What was kept plain is sealed when the bank next opens, since no
-- key is in the database; then the old columns are empty.
ALTER TABLE operations_proposal ADD COLUMN sealed BYTEA;
ALTER TABLE operations_proposal ADD COLUMN sealed_decision BYTEA;
ALTER TABLE operations_proposal ALTER COLUMN payload DROP NOT NULL;
ALTER TABLE operations_proposal ALTER COLUMN reason DROP NOT NULL;
CREATE INDEX operations_proposal_plain ON operations_proposal (id) WHERE sealed IS NULL;
