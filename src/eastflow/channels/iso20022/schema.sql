-- version 1: every message received and sent, as it was

-- Direction: 0 received, 1 sent. Status: 0 pending, 1 done, 2 failed. The content is kept to the byte: a message that
-- comes again is known by its hash and answered with what was answered then. While a pending one is being sent,
-- next_attempt_at is when another dispatcher may take it for lost.
CREATE TABLE iso20022_message (
    counterparty    TEXT NOT NULL,
    direction       SMALLINT NOT NULL,
    message_id      TEXT NOT NULL,
    id              UUID NOT NULL,
    kind            TEXT NOT NULL,
    content         BYTEA NOT NULL,
    content_hash    BYTEA NOT NULL,
    answers         UUID,
    at              TIMESTAMPTZ NOT NULL,
    status          SMALLINT NOT NULL,
    attempts        BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    last_status     BIGINT,
    PRIMARY KEY (counterparty, direction, message_id)
);
-- distribute iso20022_message by counterparty
CREATE INDEX iso20022_message_id ON iso20022_message (id);
CREATE INDEX iso20022_message_answers ON iso20022_message (counterparty, answers) WHERE answers IS NOT NULL;
CREATE INDEX iso20022_message_pending ON iso20022_message (counterparty, id) WHERE status = 0;

-- version 2: contents sealed

-- Of a sealed message the hash is keyed, so that it tells nothing to whoever guesses at the content. What was kept plain
-- is sealed when the bank is next brought up, since no key is in the database; then the old column is empty.
ALTER TABLE iso20022_message ADD COLUMN sealed BYTEA;
ALTER TABLE iso20022_message ALTER COLUMN content DROP NOT NULL;
CREATE INDEX iso20022_message_plain ON iso20022_message (id) WHERE sealed IS NULL;
