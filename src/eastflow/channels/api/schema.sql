-- version 1: keys

-- A key's secret is shown once, when it is made; only its SHA-256 is kept.
CREATE TABLE api_key (
    id          UUID PRIMARY KEY,
    name        TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes      TEXT[] NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    revoked_at  TIMESTAMPTZ
);
-- distribute api_key by id

-- version 2: whose a key is, and the roles it has beside its own scopes

-- Without an actor, the key's name is who acts. What a role opens is not kept here: the program knows.
ALTER TABLE api_key ADD COLUMN actor TEXT;
ALTER TABLE api_key ADD COLUMN roles TEXT[] NOT NULL DEFAULT '{}';
