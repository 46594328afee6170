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
