-- version 1: branches, tellers and their sessions; cash by the piece; vouchers and transfers

CREATE TABLE branch_branch (
    code          TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL
);
-- reference branch_branch

-- Above it a cash movement needs a second person; without a row, every one does.
CREATE TABLE branch_limit (
    branch_code TEXT NOT NULL,
    asset       TEXT NOT NULL,
    above_minor BIGINT NOT NULL CHECK (above_minor >= 0),
    set_by      TEXT NOT NULL,
    set_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (branch_code, asset, set_at)
);
-- reference branch_limit

CREATE TABLE branch_teller (
    code          TEXT PRIMARY KEY,
    branch_code   TEXT NOT NULL,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    actor         TEXT NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL
);
-- distribute branch_teller by code

-- The key is what makes one actor with two tellers, who could confirm to themselves, impossible.
CREATE TABLE branch_actor (
    actor       TEXT PRIMARY KEY,
    teller_code TEXT NOT NULL
);
-- distribute branch_actor by actor

CREATE TABLE branch_session (
    id            UUID PRIMARY KEY,
    teller_code   TEXT NOT NULL,
    business_date DATE NOT NULL,
    signed_on_at  TIMESTAMPTZ NOT NULL,
    signed_off_at TIMESTAMPTZ
);
-- distribute branch_session by id

-- Who is at work. The key keeps a teller to one session at a time; the row is what every verb of the session locks, so
-- that nothing moves while its teller signs off.
CREATE TABLE branch_at_work (
    teller_code TEXT PRIMARY KEY,
    session_id  UUID NOT NULL
);
-- distribute branch_at_work by teller_code

-- The cash of one asset in one place, its pieces as [form, value, count]; their sum is the balance of `account_id`.
CREATE TABLE branch_stock (
    place      TEXT NOT NULL,
    asset      TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    pieces     JSONB NOT NULL,
    counted    BOOLEAN NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (place, asset)
);
-- distribute branch_stock by place

CREATE TABLE branch_voucher (
    id                  UUID PRIMARY KEY,
    kind                TEXT NOT NULL,
    session_id          UUID NOT NULL,
    teller_code         TEXT NOT NULL,
    place               TEXT NOT NULL,
    asset               TEXT NOT NULL,
    pieces              JSONB NOT NULL,
    change_minor        BIGINT NOT NULL,
    account_id          BIGINT,
    identification_seen BOOLEAN NOT NULL,
    status              TEXT NOT NULL,
    stock_version       BIGINT NOT NULL,
    asked_at            TIMESTAMPTZ NOT NULL,
    expires_at          TIMESTAMPTZ,
    ended_by            TEXT,
    ended_at            TIMESTAMPTZ
);
-- distribute branch_voucher by id
CREATE INDEX branch_voucher_by_session ON branch_voucher (session_id, id);

CREATE TABLE branch_transfer (
    id        UUID PRIMARY KEY,
    sender    TEXT NOT NULL,
    receiver  TEXT NOT NULL,
    asset     TEXT NOT NULL,
    pieces    JSONB NOT NULL,
    whole     BOOLEAN NOT NULL,
    status    TEXT NOT NULL,
    issued_by TEXT NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    ended_by  TEXT,
    ended_at  TIMESTAMPTZ
);
-- distribute branch_transfer by id
CREATE INDEX branch_transfer_in_transit ON branch_transfer (status, id);

-- version 2: vouchers that reverse others or close for an absent teller; the cash of a day and of a session
ALTER TABLE branch_voucher ADD COLUMN closes UUID;
ALTER TABLE branch_voucher ADD COLUMN reverses UUID;
ALTER TABLE branch_voucher ADD COLUMN reversed_by UUID;

-- What an account took in or out in cash on a business date; the row is what rivals for one account wait for.
CREATE TABLE branch_cash_day (
    account_id    BIGINT NOT NULL,
    asset         TEXT NOT NULL,
    business_date DATE NOT NULL,
    kind          TEXT NOT NULL,
    total_minor   BIGINT NOT NULL,
    PRIMARY KEY (account_id, asset, business_date, kind)
);
-- distribute branch_cash_day by account_id

-- What was in a teller's drawer when a session began and when it ended.
CREATE TABLE branch_session_cash (
    session_id UUID NOT NULL,
    moment     TEXT NOT NULL,
    asset      TEXT NOT NULL,
    pieces     JSONB NOT NULL,
    PRIMARY KEY (session_id, moment, asset)
);
-- distribute branch_session_cash by session_id
CREATE INDEX branch_voucher_by_closed_session ON branch_voucher (closes) WHERE closes IS NOT NULL;
CREATE INDEX branch_transfer_by_sender ON branch_transfer (sender, issued_at);
CREATE INDEX branch_transfer_by_receiver ON branch_transfer (receiver, issued_at);
