-- version 1: contracts, their accruals, orders of court, and how far the work of a day has come

-- A contract stands on the account of its money. `state` is what products keep of it, but for demand contracts, whose
-- interest is counted in `deposits_accrual`. `due_on` is the next day on which something falls due; of demand contracts
-- it is known by their product and not kept. Status: open, dormant, frozen, closed.
CREATE TABLE deposits_contract (
    account_id           BIGINT PRIMARY KEY,
    id                   UUID NOT NULL,
    party_id             UUID NOT NULL,
    product              TEXT NOT NULL,
    version              BIGINT NOT NULL,
    asset                TEXT NOT NULL,
    kind                 TEXT NOT NULL,
    status               TEXT NOT NULL,
    opened_on            DATE NOT NULL,
    terms_since          DATE NOT NULL,
    nominated_account_id BIGINT,
    due_on               DATE,
    state                JSONB NOT NULL
);
-- distribute deposits_contract by account_id
CREATE INDEX deposits_contract_by_party ON deposits_contract (party_id, account_id);
CREATE INDEX deposits_contract_by_due ON deposits_contract (due_on, account_id) WHERE due_on IS NOT NULL;

-- The terms that accruals are counted under, by a small number.
CREATE TABLE deposits_terms (
    product TEXT NOT NULL,
    version BIGINT NOT NULL,
    number  BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (product, version)
);
-- reference deposits_terms

-- The interest of a demand contract since `settled_on`, counted for the days before `through` and for the postings up to
-- `sequence`; narrow, since each day rewrites those that moved. Status: 0 open, 1 dormant, 2 frozen, 3 closed.
CREATE TABLE deposits_accrual (
    account_id   BIGINT PRIMARY KEY,
    terms_number BIGINT NOT NULL,
    status       SMALLINT NOT NULL,
    settled_on   DATE NOT NULL,
    open_day     DATE NOT NULL,
    through      DATE NOT NULL,
    moved_on     DATE NOT NULL,
    sequence     BIGINT NOT NULL,
    balance      BIGINT NOT NULL,
    numerator    NUMERIC NOT NULL
);
-- distribute deposits_accrual by account_id
-- fillfactor deposits_accrual 70

-- What was asked and done under an id its caller chose: the key makes a second doing impossible.
CREATE TABLE deposits_request (
    id         UUID PRIMARY KEY,
    verb       TEXT NOT NULL,
    content    TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    entries    UUID[] NOT NULL,
    asked_by   TEXT NOT NULL,
    done_at    TIMESTAMPTZ NOT NULL
);
-- distribute deposits_request by id

-- Corrections of interest that was settled before a backdated posting came.
CREATE TABLE deposits_correction (
    account_id BIGINT NOT NULL,
    settled_on DATE NOT NULL,
    number     BIGINT NOT NULL,
    amount     BIGINT NOT NULL,
    booked     BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, settled_on, number)
);
-- distribute deposits_correction by account_id

-- Orders of a court in their rank. `amount` is null where the whole account is frozen; `holds` are the ledger's holds
-- that keep it, `held` their sum.
CREATE TABLE deposits_order (
    account_id BIGINT NOT NULL,
    rank       BIGINT NOT NULL,
    id         UUID NOT NULL,
    authority  TEXT NOT NULL,
    amount     BIGINT,
    held       BIGINT NOT NULL,
    holds      UUID[] NOT NULL,
    placed_on  DATE NOT NULL,
    expires_on DATE NOT NULL,
    ended_on   DATE,
    PRIMARY KEY (account_id, rank)
);
-- distribute deposits_order by account_id
CREATE INDEX deposits_order_by_expiry ON deposits_order (expires_on, account_id) WHERE ended_on IS NULL;

-- Which blocks of the ledger are a business date's: of each chain those after `after` up to `through`. The next day's
-- follow `resume`, which is `through` unless some of these hold what is valued later.
CREATE TABLE deposits_day_blocks (
    business_date DATE NOT NULL,
    chain_id      BIGINT NOT NULL,
    after         BIGINT NOT NULL,
    through       BIGINT NOT NULL,
    resume        BIGINT NOT NULL,
    PRIMARY KEY (business_date, chain_id)
);
-- distribute deposits_day_blocks by business_date

-- How far each step of a business date has come in each part of the accounts.
CREATE TABLE deposits_day_step (
    business_date DATE NOT NULL,
    step          TEXT NOT NULL,
    part          BIGINT NOT NULL,
    parts         BIGINT NOT NULL,
    last_account  BIGINT NOT NULL,
    accounts      BIGINT NOT NULL,
    done          BOOLEAN NOT NULL,
    PRIMARY KEY (business_date, step, part, parts)
);
-- distribute deposits_day_step by business_date

-- version 2: what stood on an account before orders or dormancy froze it

-- Of accounts that this room freezes, and of no others. `others` is the ledger's status as those left it who gave no
-- order here; `asleep` says whether the contract is dormant.
CREATE TABLE deposits_beneath (
    account_id BIGINT PRIMARY KEY,
    asleep     BOOLEAN NOT NULL,
    others     TEXT NOT NULL
);
-- distribute deposits_beneath by account_id
CREATE INDEX deposits_correction_owed ON deposits_correction (account_id, settled_on, number) WHERE NOT booked;

-- version 3: what overdrafts cost, and the terms that contracts stood under before

-- Debit interest since `settled_on`, counted like `numerator`.
ALTER TABLE deposits_accrual ADD COLUMN debit_numerator NUMERIC NOT NULL DEFAULT 0;

-- Of which kind of interest: what was earned, or what an overdraft has cost.
ALTER TABLE deposits_correction ADD COLUMN kind TEXT NOT NULL DEFAULT 'interest';

-- The versions that contracts were migrated from, and since when they were under them.
CREATE TABLE deposits_terms_held (
    account_id BIGINT NOT NULL,
    since      DATE NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (account_id, since)
);
-- distribute deposits_terms_held by account_id

-- version 4: pledges

-- In their rank, behind every order of a court. The pledgee is a party or a name; `holds` are the ledger's holds that
-- have kept it, `held` the sum of those that stand. Ground: consent, staff, expired.
CREATE TABLE deposits_pledge (
    account_id  BIGINT NOT NULL,
    rank        BIGINT NOT NULL,
    id          UUID NOT NULL,
    agreement   TEXT NOT NULL,
    amount      BIGINT NOT NULL,
    placed_on   DATE NOT NULL,
    placed_by   TEXT NOT NULL,
    pledgee     TEXT,
    party_id    UUID,
    expires_on  DATE,
    held        BIGINT NOT NULL,
    holds       UUID[] NOT NULL,
    ended_on    DATE,
    ground      TEXT,
    reason      TEXT,
    released_by TEXT,
    PRIMARY KEY (account_id, rank)
);
-- distribute deposits_pledge by account_id
CREATE INDEX deposits_pledge_by_expiry ON deposits_pledge (expires_on, account_id) WHERE ended_on IS NULL;
