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

-- version 2: account classes of the real-name rules, and what has been used of their limits

-- What class an account has and has had; the last number is the one that may stand. It is also the lock under which
-- the account's limits are used.
CREATE TABLE customers_class (
    account_id   BIGINT NOT NULL,
    number       BIGINT NOT NULL,
    party_id     UUID NOT NULL,
    class        TEXT NOT NULL,
    seat         BIGINT NOT NULL,
    since        DATE NOT NULL,
    until        DATE CHECK (until >= since),
    opened_by    TEXT NOT NULL,
    face_to_face BOOLEAN NOT NULL,
    bound        BIGINT[] NOT NULL,
    assigned_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_id, number)
);
-- distribute customers_class by account_id

-- One row for each account of a class that a person has: the key is what makes a second account of class I impossible,
-- and a sixth of the others.
CREATE TABLE customers_seat (
    party_id   UUID NOT NULL,
    class      TEXT NOT NULL,
    seat       BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (party_id, class, seat)
);
-- distribute customers_seat by party_id

-- What moved on a day, of that which counts. A year is the sum of its days.
CREATE TABLE customers_usage (
    account_id BIGINT NOT NULL,
    direction  TEXT NOT NULL,
    day        DATE NOT NULL,
    used_minor BIGINT NOT NULL CHECK (used_minor > 0),
    PRIMARY KEY (account_id, direction, day)
);
-- distribute customers_usage by account_id

-- version 3: personal data sealed, and found by blind index

-- The key that a party's data is sealed with, itself wrapped by one of the bank's keys, which are not in the database.
-- Without this row what is sealed for the party can be read by nobody, in no backup of the tables made later.
CREATE TABLE customers_data_key (
    party_id     UUID PRIMARY KEY,
    wrapping_key BIGINT NOT NULL,
    wrapped      BYTEA NOT NULL,
    made_at      TIMESTAMPTZ NOT NULL
);
-- distribute customers_data_key by party_id
CREATE INDEX customers_data_key_by_wrapping_key ON customers_data_key (wrapping_key, party_id);
CREATE INDEX customers_data_key_by_age ON customers_data_key (made_at, party_id);

-- What one party alone may have, such as a reference or a document, as a keyed digest of it: the key is what makes a
-- second party of it impossible. It takes the place of customers_reference.
CREATE TABLE customers_claim (
    digest   BYTEA PRIMARY KEY,
    party_id UUID NOT NULL
);
-- distribute customers_claim by digest
CREATE INDEX customers_claim_by_party ON customers_claim (party_id);

-- What many parties may have, such as a name or a telephone, as a keyed digest of it.
CREATE TABLE customers_trace (
    digest   BYTEA NOT NULL,
    party_id UUID NOT NULL,
    PRIMARY KEY (digest, party_id)
);
-- distribute customers_trace by digest
CREATE INDEX customers_trace_by_party ON customers_trace (party_id);

-- What was kept plain is sealed when the bank next opens, since no key is in the database; then the old columns are
-- empty and stay so.
ALTER TABLE customers_party ADD COLUMN sealed BYTEA;
ALTER TABLE customers_party ALTER COLUMN name DROP NOT NULL;
DROP INDEX customers_party_by_name;
CREATE INDEX customers_party_plain ON customers_party (id) WHERE name IS NOT NULL;

-- version 4: records of a party, each sealed, with their history

-- A document, a contact point, a consent and the like. A record is never changed: it ends, and another takes its place.
CREATE TABLE customers_record (
    party_id UUID NOT NULL,
    number   BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    sealed   BYTEA NOT NULL,
    added_at TIMESTAMPTZ NOT NULL,
    added_by TEXT NOT NULL,
    ended_at TIMESTAMPTZ,
    ended_by TEXT,
    PRIMARY KEY (party_id, number)
);
-- distribute customers_record by party_id

-- version 5: duplicates merged, with a trail

-- A merged party keeps all that it had; reads follow it to the one it was merged into, until it is unmerged.
ALTER TABLE customers_party ADD COLUMN merged_into UUID;
CREATE INDEX customers_party_merged ON customers_party (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE customers_merge (
    party_id    UUID NOT NULL,
    number      BIGINT NOT NULL,
    into_id     UUID NOT NULL,
    reason      TEXT NOT NULL,
    merged_at   TIMESTAMPTZ NOT NULL,
    merged_by   TEXT NOT NULL,
    unmerged_at TIMESTAMPTZ,
    unmerged_by TEXT,
    PRIMARY KEY (party_id, number)
);
-- distribute customers_merge by party_id
CREATE INDEX customers_merge_by_survivor ON customers_merge (into_id, party_id);

-- version 6: accounts of class I at other banks, verified before they are bound

-- A request to another bank. What is asked is sealed with the data key of the person whose class it is; the digest is of
-- the other bank and account. `asked` past its last day has expired.
CREATE TABLE customers_verification (
    id          UUID PRIMARY KEY,
    account_id  BIGINT NOT NULL,
    party_id    UUID NOT NULL,
    digest      BYTEA NOT NULL,
    sealed      BYTEA NOT NULL,
    status      TEXT NOT NULL,
    asked_on    DATE NOT NULL,
    expires_on  DATE NOT NULL CHECK (expires_on >= asked_on),
    asked_by    TEXT NOT NULL,
    message_id  TEXT,
    results     JSONB,
    answered_on DATE,
    answered_by TEXT
);
-- distribute customers_verification by id
CREATE INDEX customers_verification_by_account ON customers_verification (account_id, id);
CREATE INDEX customers_verification_by_party ON customers_verification (party_id);
CREATE INDEX customers_verification_to_send ON customers_verification (id)
    WHERE status = 'asked' AND message_id IS NULL;

-- version 7: what each movement used of an allowance, so that just that can be given back

CREATE TABLE customers_used (
    account_id   BIGINT NOT NULL,
    movement_id  UUID NOT NULL,
    direction    TEXT NOT NULL,
    day          DATE NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (account_id, movement_id)
);
-- distribute customers_used by account_id
