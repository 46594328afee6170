-- version 1: applications and their steps

-- No personal data: who applies is a party, and what is known of them is kept, sealed, with the customers.
CREATE TABLE flows_application (
    id           UUID PRIMARY KEY,
    reference    BIGINT NOT NULL,
    party_id     UUID,
    product      TEXT,
    branch_code  TEXT,
    amount_minor BIGINT CHECK (amount_minor >= 0),
    begun_at     TIMESTAMPTZ NOT NULL,
    expires_on   DATE NOT NULL,
    status       TEXT NOT NULL,
    account_id   BIGINT
);
-- distribute flows_application by id
CREATE INDEX flows_application_by_party ON flows_application (party_id, id);

CREATE TABLE flows_reference (
    reference      BIGINT PRIMARY KEY,
    application_id UUID NOT NULL
);
-- distribute flows_reference by reference

CREATE TABLE flows_step (
    application_id UUID NOT NULL,
    number         BIGINT NOT NULL,
    kind           TEXT NOT NULL,
    channel        TEXT NOT NULL,
    done_by        TEXT NOT NULL,
    done_at        TIMESTAMPTZ NOT NULL,
    parts          TEXT[] NOT NULL,
    PRIMARY KEY (application_id, number)
);
-- distribute flows_step by application_id

-- version 2: what an application was begun with, as a hash, to tell the same request from another under its id

ALTER TABLE flows_application ADD COLUMN begun_hash BYTEA;
