-- version 1: accounts, entries, postings, holds and the chain

CREATE TABLE ledger_asset (
    code  TEXT PRIMARY KEY,
    number SMALLINT NOT NULL UNIQUE,
    scale SMALLINT NOT NULL CHECK (scale BETWEEN 0 AND 9)
);
-- reference ledger_asset

-- What an account is; read by people, written seldom.
CREATE TABLE ledger_account (
    id        BIGINT PRIMARY KEY,
    asset     TEXT NOT NULL,
    side      SMALLINT NOT NULL CHECK (side IN (1, -1)),
    chart     TEXT NOT NULL,
    opened_on DATE NOT NULL,
    owner     TEXT,
    details   JSONB
);
-- distribute ledger_account by id

-- Where an account stands; narrow, since every posting rewrites it. Status: 0 open, 1 debits frozen, 2 frozen, 3 closed.
CREATE TABLE ledger_balance (
    account_id   BIGINT PRIMARY KEY,
    posted       BIGINT NOT NULL,
    held         BIGINT NOT NULL CHECK (held >= 0),
    sequence     BIGINT NOT NULL,
    floor        BIGINT,
    side         SMALLINT NOT NULL,
    asset_number SMALLINT NOT NULL,
    status       SMALLINT NOT NULL
);
-- distribute ledger_balance by account_id
-- fillfactor ledger_balance 70

-- Who changed the standing of an account, and when.
CREATE TABLE ledger_account_change (
    account_id BIGINT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    id         UUID NOT NULL,
    status     TEXT NOT NULL,
    floor      BIGINT,
    PRIMARY KEY (account_id, changed_at, id)
);
-- distribute ledger_account_change by account_id

-- What the caller said, written before any account is locked; when it was booked and which place each leg took in its
-- account is said by its block.
CREATE TABLE ledger_entry (
    id           UUID PRIMARY KEY,
    chain_id     BIGINT NOT NULL,
    block_number BIGINT NOT NULL,
    first_leg    BIGINT NOT NULL,
    value_date   DATE NOT NULL,
    kind         TEXT NOT NULL,
    memo         TEXT,
    details      JSON,
    account_ids  BIGINT[] NOT NULL,
    amounts      BIGINT[] NOT NULL,
    reverses     UUID,
    captured_account_id BIGINT,
    captured_hold_id    UUID,
    capture_final       BOOLEAN
);
-- distribute ledger_entry by id
CREATE INDEX ledger_entry_by_block ON ledger_entry (chain_id, block_number, first_leg);
CREATE INDEX ledger_entry_by_kind ON ledger_entry (kind, chain_id, block_number);
CREATE INDEX ledger_entry_by_details ON ledger_entry USING gin ((details::jsonb) jsonb_path_ops) WHERE details IS NOT NULL;

CREATE TABLE ledger_posting (
    account_id BIGINT NOT NULL,
    sequence   BIGINT NOT NULL,
    entry_id   UUID NOT NULL,
    amount     BIGINT NOT NULL,
    balance    BIGINT NOT NULL,
    booked_at  TIMESTAMPTZ NOT NULL,
    value_date DATE NOT NULL,
    PRIMARY KEY (account_id, sequence)
);
-- distribute ledger_posting by account_id

-- One row for each entry that was reversed: the key is what makes a second reversal impossible.
CREATE TABLE ledger_reversal (
    entry_id    UUID PRIMARY KEY,
    reversed_by UUID NOT NULL
);
-- distribute ledger_reversal by entry_id

-- Status: 0 active, 1 captured, 2 released, 3 expired.
CREATE TABLE ledger_hold (
    account_id BIGINT NOT NULL,
    id         UUID NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    remaining  BIGINT NOT NULL CHECK (remaining BETWEEN 0 AND amount),
    status     SMALLINT NOT NULL,
    placed_at  TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    PRIMARY KEY (account_id, id)
);
-- distribute ledger_hold by account_id
CREATE INDEX ledger_hold_by_expiry ON ledger_hold (expires_at) WHERE status = 0;

-- Each change of what is held, so that the held balance can be asked at any moment.
CREATE TABLE ledger_hold_change (
    account_id BIGINT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    id         UUID NOT NULL,
    hold_id    UUID NOT NULL,
    amount     BIGINT NOT NULL,
    entry_id   UUID,
    PRIMARY KEY (account_id, changed_at, id)
);
-- distribute ledger_hold_change by account_id

-- A few chains, so that writers at work at once rarely wait for one another; each block seals one commit.
CREATE TABLE ledger_chain (
    id     BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    hash   BYTEA NOT NULL
);
-- distribute ledger_chain by id

-- `sequences` runs over all legs of the block: leg n of it is place sequences[n] in its account.
CREATE TABLE ledger_block (
    chain_id  BIGINT NOT NULL,
    number    BIGINT NOT NULL,
    booked_at TIMESTAMPTZ NOT NULL,
    entries   BIGINT NOT NULL,
    sequences BIGINT[] NOT NULL,
    hash      BYTEA NOT NULL,
    PRIMARY KEY (chain_id, number)
);
-- distribute ledger_block by chain_id
CREATE INDEX ledger_block_by_booking ON ledger_block (booked_at, chain_id, number);

-- version 2: places are written as they are: packing them took longer than all else while the accounts were locked

ALTER TABLE ledger_block ALTER COLUMN sequences SET STORAGE EXTERNAL;

-- version 3: the bank's own accounts, found by their place in the chart

CREATE TABLE ledger_internal_account (
    chart      TEXT NOT NULL,
    asset      TEXT NOT NULL,
    account_id BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (chart, asset)
);
-- reference ledger_internal_account

-- version 4: the trial balance of each closed day, kept

-- Up to which block of each chain the books of a day go, as two columns of one length.
CREATE TABLE ledger_closed_books (
    day     DATE PRIMARY KEY,
    chains  BIGINT[] NOT NULL,
    numbers BIGINT[] NOT NULL
);
-- distribute ledger_closed_books by day

-- What stood at each place of the chart then. A sum over accounts, so that it may be beyond 64 bits.
CREATE TABLE ledger_closed_position (
    day    DATE NOT NULL,
    chart  TEXT NOT NULL,
    asset  TEXT NOT NULL,
    signed NUMERIC NOT NULL,
    PRIMARY KEY (day, chart, asset)
);
-- distribute ledger_closed_position by day
