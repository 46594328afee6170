-- version 1: payments, what waits to be sent, recalls, limits, schemes, standing orders, mandates and batches

-- `debtor_number` and `creditor_number` are the accounts of this bank among the two ends.
CREATE TABLE payments_payment (
    id               UUID PRIMARY KEY,
    direction        TEXT NOT NULL,
    origin           TEXT NOT NULL,
    status           TEXT NOT NULL,
    debtor_number    BIGINT,
    debtor_name      TEXT NOT NULL,
    debtor_account   TEXT NOT NULL,
    debtor_bank      TEXT,
    creditor_number  BIGINT,
    creditor_name    TEXT NOT NULL,
    creditor_account TEXT NOT NULL,
    creditor_bank    TEXT,
    amount_minor     BIGINT NOT NULL CHECK (amount_minor > 0),
    asset            TEXT NOT NULL,
    remittance       TEXT NOT NULL,
    end_to_end_id    TEXT,
    uetr             UUID NOT NULL,
    scheme           TEXT NOT NULL,
    channel          TEXT NOT NULL,
    accepted_on      DATE NOT NULL,
    settlement_date  DATE NOT NULL,
    made_by          TEXT NOT NULL,
    accepted_at      TIMESTAMPTZ NOT NULL,
    reason           TEXT,
    in_suspense      BOOLEAN NOT NULL,
    changed_at       TIMESTAMPTZ NOT NULL
);
-- distribute payments_payment by id
CREATE INDEX payments_payment_by_uetr ON payments_payment (uetr);
CREATE INDEX payments_payment_by_debtor ON payments_payment (debtor_number, accepted_at);
CREATE INDEX payments_payment_by_creditor ON payments_payment (creditor_number, accepted_at);

CREATE TABLE payments_outgoing (
    id         UUID PRIMARY KEY,
    kind       TEXT NOT NULL,
    payment_id UUID NOT NULL,
    due_on     DATE NOT NULL,
    reason     TEXT,
    queued_at  TIMESTAMPTZ NOT NULL,
    message_id TEXT,
    sent_at    TIMESTAMPTZ
);
-- distribute payments_outgoing by id
CREATE INDEX payments_outgoing_waiting ON payments_outgoing (id) WHERE message_id IS NULL;

CREATE TABLE payments_recall (
    payment_id UUID PRIMARY KEY,
    reason     TEXT NOT NULL,
    status     TEXT NOT NULL,
    asked_on   DATE NOT NULL,
    asked_by   TEXT NOT NULL,
    answer     TEXT,
    changed_at TIMESTAMPTZ NOT NULL
);
-- distribute payments_recall by payment_id

-- An empty text stands for every party and for all channels together.
CREATE TABLE payments_limit (
    party             TEXT NOT NULL,
    channel           TEXT NOT NULL,
    asset             TEXT NOT NULL,
    per_payment_minor BIGINT,
    per_day_minor     BIGINT,
    PRIMARY KEY (party, channel, asset)
);
-- reference payments_limit

-- What a payer has paid away in a day. Its rows are what payments of one payer wait for each other on.
CREATE TABLE payments_usage (
    payer        TEXT NOT NULL,
    day          DATE NOT NULL,
    asset        TEXT NOT NULL,
    channel      TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (payer, day, asset, channel)
);
-- distribute payments_usage by payer

CREATE TABLE payments_scheme (
    code               TEXT PRIMARY KEY,
    cut_off            TIME,
    utc_offset_minutes BIGINT NOT NULL,
    holidays           DATE[] NOT NULL,
    working_weekends   DATE[] NOT NULL
);
-- reference payments_scheme

-- Days that were closed for payments to other banks before the clock did it.
CREATE TABLE payments_cut_off (
    day    DATE PRIMARY KEY,
    cut_at TIMESTAMPTZ NOT NULL
);
-- reference payments_cut_off

-- `number` counts the occurrences that are done with; the next is due on `due_on` and tried on `attempt_on`.
CREATE TABLE payments_order (
    id               UUID PRIMARY KEY,
    slot             BIGINT NOT NULL,
    status           TEXT NOT NULL,
    debtor           BIGINT NOT NULL,
    creditor_name    TEXT NOT NULL,
    creditor_account TEXT NOT NULL,
    creditor_bank    TEXT,
    amount_minor     BIGINT NOT NULL CHECK (amount_minor > 0),
    asset            TEXT NOT NULL,
    remittance       TEXT NOT NULL,
    scheme           TEXT NOT NULL,
    first_on         DATE NOT NULL,
    frequency        TEXT NOT NULL,
    until            DATE,
    retry_days       BIGINT NOT NULL,
    made_by          TEXT NOT NULL,
    number           BIGINT NOT NULL,
    due_on           DATE,
    attempt_on       DATE,
    made_at          TIMESTAMPTZ NOT NULL
);
-- distribute payments_order by id
CREATE INDEX payments_order_waiting ON payments_order (slot, attempt_on) WHERE attempt_on IS NOT NULL;
CREATE INDEX payments_order_by_debtor ON payments_order (debtor, id);

CREATE TABLE payments_occurrence (
    order_id   UUID NOT NULL,
    due_on     DATE NOT NULL,
    outcome    TEXT NOT NULL,
    payment_id UUID,
    reason     TEXT,
    done_on    DATE NOT NULL,
    PRIMARY KEY (order_id, due_on)
);
-- distribute payments_occurrence by order_id

CREATE TABLE payments_mandate (
    id            UUID PRIMARY KEY,
    slot          BIGINT NOT NULL,
    status        TEXT NOT NULL,
    debtor        BIGINT NOT NULL,
    creditor      BIGINT NOT NULL,
    creditor_name TEXT NOT NULL,
    reference     TEXT NOT NULL,
    amount_max    BIGINT NOT NULL CHECK (amount_max > 0),
    asset         TEXT NOT NULL,
    first_on      DATE NOT NULL,
    frequency     TEXT NOT NULL,
    until         DATE,
    refund_days   BIGINT NOT NULL,
    made_by       TEXT NOT NULL,
    made_at       TIMESTAMPTZ NOT NULL
);
-- distribute payments_mandate by id
CREATE INDEX payments_mandate_by_debtor ON payments_mandate (debtor, id);

-- Beside its mandate. At most one collection that is not refused or refunded has a period.
CREATE TABLE payments_collection (
    mandate_id   UUID NOT NULL,
    id           UUID NOT NULL,
    slot         BIGINT NOT NULL,
    period       BIGINT NOT NULL,
    status       TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    due_on       DATE NOT NULL,
    remittance   TEXT NOT NULL,
    reason       TEXT,
    done_on      DATE,
    made_by      TEXT NOT NULL,
    PRIMARY KEY (mandate_id, id)
);
-- distribute payments_collection by mandate_id
CREATE UNIQUE INDEX payments_collection_period ON payments_collection (mandate_id, period)
    WHERE status IN ('requested', 'collected');
CREATE INDEX payments_collection_waiting ON payments_collection (slot, due_on) WHERE status = 'requested';

CREATE TABLE payments_batch (
    id           UUID PRIMARY KEY,
    status       TEXT NOT NULL,
    debtor       BIGINT NOT NULL,
    asset        TEXT NOT NULL,
    channel      TEXT NOT NULL,
    scheme       TEXT NOT NULL,
    whole        BOOLEAN NOT NULL,
    one_debit    BOOLEAN NOT NULL,
    lines        BIGINT NOT NULL,
    total_minor  BIGINT NOT NULL,
    content_hash BYTEA NOT NULL,
    submitted_on DATE NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      TIMESTAMPTZ NOT NULL,
    reason       TEXT
);
-- distribute payments_batch by id
CREATE INDEX payments_batch_by_debtor ON payments_batch (debtor, content_hash);

CREATE TABLE payments_line (
    batch_id         UUID NOT NULL,
    number           BIGINT NOT NULL,
    creditor_name    TEXT NOT NULL,
    creditor_account TEXT NOT NULL,
    creditor_bank    TEXT,
    amount_minor     BIGINT NOT NULL,
    remittance       TEXT NOT NULL,
    end_to_end_id    TEXT,
    status           TEXT NOT NULL,
    reason           TEXT,
    PRIMARY KEY (batch_id, number)
);
-- distribute payments_line by batch_id
CREATE INDEX payments_line_waiting ON payments_line (batch_id, number) WHERE status = 'pending';

-- version 2: texts about persons sealed, what stands on suspense, payments for a day to come, part returns

-- The texts of a row are sealed together (`personal_data/store.py`), under data keys that are not in these tables. What
-- was kept plain is sealed when the bank next opens, since no key is in the database; then the old columns are empty.
ALTER TABLE payments_payment ADD COLUMN sealed BYTEA;
ALTER TABLE payments_payment ALTER COLUMN debtor_name DROP NOT NULL;
ALTER TABLE payments_payment ALTER COLUMN debtor_account DROP NOT NULL;
ALTER TABLE payments_payment ALTER COLUMN creditor_name DROP NOT NULL;
ALTER TABLE payments_payment ALTER COLUMN creditor_account DROP NOT NULL;
ALTER TABLE payments_payment ALTER COLUMN remittance DROP NOT NULL;
CREATE INDEX payments_payment_plain ON payments_payment (id) WHERE sealed IS NULL;

ALTER TABLE payments_order ADD COLUMN sealed BYTEA;
ALTER TABLE payments_order ADD COLUMN end_to_end_id TEXT;
ALTER TABLE payments_order ALTER COLUMN creditor_name DROP NOT NULL;
ALTER TABLE payments_order ALTER COLUMN creditor_account DROP NOT NULL;
ALTER TABLE payments_order ALTER COLUMN remittance DROP NOT NULL;
CREATE INDEX payments_order_plain ON payments_order (id) WHERE sealed IS NULL;

ALTER TABLE payments_mandate ADD COLUMN sealed BYTEA;
ALTER TABLE payments_mandate ALTER COLUMN creditor_name DROP NOT NULL;
ALTER TABLE payments_mandate ALTER COLUMN reference DROP NOT NULL;
CREATE INDEX payments_mandate_plain ON payments_mandate (id) WHERE sealed IS NULL;

ALTER TABLE payments_collection ADD COLUMN sealed BYTEA;
ALTER TABLE payments_collection ALTER COLUMN remittance DROP NOT NULL;
CREATE INDEX payments_collection_plain ON payments_collection (mandate_id, id) WHERE sealed IS NULL;

ALTER TABLE payments_line ADD COLUMN sealed BYTEA;
ALTER TABLE payments_line ALTER COLUMN creditor_name DROP NOT NULL;
ALTER TABLE payments_line ALTER COLUMN creditor_account DROP NOT NULL;
ALTER TABLE payments_line ALTER COLUMN remittance DROP NOT NULL;
CREATE INDEX payments_line_plain ON payments_line (batch_id, number) WHERE sealed IS NULL;

-- A keyed digest of the content's hash takes its place: the hash alone lets a file be guessed.
ALTER TABLE payments_batch ADD COLUMN keyed_hash BYTEA;
ALTER TABLE payments_batch ALTER COLUMN content_hash DROP NOT NULL;
CREATE INDEX payments_batch_by_content ON payments_batch (debtor, keyed_hash);
CREATE INDEX payments_batch_plain ON payments_batch (id) WHERE keyed_hash IS NULL;

-- An order for a payment on a day to come has the payment's channel, and its UETR where the payer gave one.
ALTER TABLE payments_order ADD COLUMN channel TEXT NOT NULL DEFAULT 'system';
ALTER TABLE payments_order ADD COLUMN uetr UUID;

-- What came back of a payment, where another bank kept a charge; the account that had what stood on suspense.
ALTER TABLE payments_payment ADD COLUMN returned_minor BIGINT;
ALTER TABLE payments_payment ADD COLUMN cleared_to BIGINT;
-- Why a program cannot send it, so that it waits for a person.
ALTER TABLE payments_outgoing ADD COLUMN held_for TEXT;

-- What stands on liabilities:suspense, by the payment or the file whose money it is: together they are its balance.
CREATE TABLE payments_suspense (
    id           UUID PRIMARY KEY,
    kind         TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    asset        TEXT NOT NULL,
    since        DATE NOT NULL
);
-- distribute payments_suspense by id
INSERT INTO payments_suspense (id, kind, amount_minor, asset, since)
    SELECT id, 'incoming', amount_minor, asset, accepted_on FROM payments_payment
    WHERE direction = 'incoming' AND status = 'accepted';
INSERT INTO payments_suspense (id, kind, amount_minor, asset, since)
    SELECT id, 'given_back', amount_minor, asset, accepted_on FROM payments_payment WHERE in_suspense;
INSERT INTO payments_suspense (id, kind, amount_minor, asset, since)
    SELECT b.id, 'batch', b.total_minor - COALESCE(p.paid_minor, 0), b.asset, b.submitted_on
    FROM payments_batch b LEFT JOIN (
        SELECT batch_id, sum(amount_minor)::bigint AS paid_minor FROM payments_line WHERE status = 'paid'
        GROUP BY batch_id
    ) p ON p.batch_id = b.id
    WHERE b.status = 'funded' AND b.total_minor > COALESCE(p.paid_minor, 0);

-- version 3: mandates of which one end is at another bank

-- That end is empty; its account and its name are sealed.
ALTER TABLE payments_mandate ALTER COLUMN debtor DROP NOT NULL;
ALTER TABLE payments_mandate ALTER COLUMN creditor DROP NOT NULL;
ALTER TABLE payments_mandate ADD COLUMN outside_bank TEXT;
ALTER TABLE payments_mandate ADD COLUMN signed_on DATE;

-- What other banks call a mandate, the creditor's identifier and the reference, as a keyed digest. A name is one mandate's.
CREATE TABLE payments_mandate_name (
    keyed_name BYTEA PRIMARY KEY,
    mandate_id UUID NOT NULL
);
-- distribute payments_mandate_name by keyed_name

-- What we collect of a debtor elsewhere has its payment from the beginning, and is `asked` until it is answered.
ALTER TABLE payments_collection ADD COLUMN payment_id UUID;
CREATE INDEX payments_collection_by_payment ON payments_collection (payment_id) WHERE payment_id IS NOT NULL;
DROP INDEX payments_collection_period;
CREATE UNIQUE INDEX payments_collection_of_period ON payments_collection (mandate_id, period)
    WHERE status IN ('requested', 'asked', 'collected');
