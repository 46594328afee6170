-- version 1: endpoints, how far each has been told, and what is still to be sent

-- The secret signs what is sent, so it is kept as it is. After a rotation the old one signs too, until its time ends.
CREATE TABLE webhooks_endpoint (
    id               UUID PRIMARY KEY,
    url              TEXT NOT NULL,
    secret           TEXT NOT NULL,
    old_secret       TEXT,
    old_secret_until TIMESTAMPTZ,
    kinds            TEXT[],
    accounts         BIGINT[],
    last_position    BIGINT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    disabled_at      TIMESTAMPTZ
);
-- distribute webhooks_endpoint by id

-- The last block of each chain of the ledger that was made into deliveries.
CREATE TABLE webhooks_cursor (
    endpoint_id UUID NOT NULL,
    chain_id    BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, chain_id)
);
-- distribute webhooks_cursor by endpoint_id

-- Status: 0 pending, 1 delivered, 2 failed. The payload is text because what is sent must be, byte for byte, what is
-- signed. While a pending one is being sent, next_attempt_at is when another dispatcher may take it for lost.
CREATE TABLE webhooks_delivery (
    endpoint_id     UUID NOT NULL,
    position        BIGINT NOT NULL,
    event_id        UUID NOT NULL,
    event_type      TEXT NOT NULL,
    accounts        BIGINT[] NOT NULL,
    payload         TEXT NOT NULL,
    status          SMALLINT NOT NULL,
    attempts        BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    last_status     BIGINT,
    PRIMARY KEY (endpoint_id, position)
);
-- distribute webhooks_delivery by endpoint_id
CREATE INDEX webhooks_delivery_pending ON webhooks_delivery (endpoint_id, position) WHERE status = 0;

-- version 2: endpoints are deleted, and what was delivered is kept for a time

-- A deleted endpoint is seen by nobody; its row stays until its deliveries have gone, a few at a time.
ALTER TABLE webhooks_endpoint ADD COLUMN deleted_at TIMESTAMPTZ;
-- Of a delivered one, next_attempt_at is when it was delivered.
CREATE INDEX webhooks_delivery_delivered ON webhooks_delivery (endpoint_id, next_attempt_at) WHERE status = 1;
