-- version 1: parties, their references and their roles on accounts

CREATE TABLE customers_party (
    id            UUID PRIMARY KEY,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    opened_on     DATE NOT NULL,
    born_on       DATE,
    reference     TEXT,
    details       JSONB,
    registered_at TIMESTAMPTZ NOT NULL
);
-- distribute customers_party by id
CREATE INDEX customers_party_by_name ON customers_party (name COLLATE "C", id);

-- One row for each reference in use: the key is what makes a second party of one reference impossible.
CREATE TABLE customers_reference (
    reference TEXT PRIMARY KEY,
    party_id  UUID NOT NULL
);
-- distribute customers_reference by reference

-- Beside its account, which is where "may they?" is asked. Two roles granted in the same moment meet at the number, so
-- that the second is judged with the first in sight. `until_granted` is what was asked for, `until` what holds now.
CREATE TABLE customers_role (
    account_id    BIGINT NOT NULL,
    party_id      UUID NOT NULL,
    kind          TEXT NOT NULL,
    number        BIGINT NOT NULL,
    since         DATE NOT NULL,
    until         DATE CHECK (until >= since),
    until_granted DATE,
    granted_at    TIMESTAMPTZ NOT NULL,
    ended_at      TIMESTAMPTZ,
    PRIMARY KEY (account_id, party_id, kind, number)
);
-- distribute customers_role by account_id
CREATE INDEX customers_role_by_party ON customers_role (party_id, account_id);
