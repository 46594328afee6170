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

-- version 3: who made, approved and revoked a key, until when it opens, when it was used, its secret of before

-- `made_with` and `revoked_with` are the keys that were used for it. A key without a secret has an empty hash.
ALTER TABLE api_key ADD COLUMN made_by TEXT;
ALTER TABLE api_key ADD COLUMN made_with UUID;
ALTER TABLE api_key ADD COLUMN approved_by TEXT;
ALTER TABLE api_key ADD COLUMN revoked_by TEXT;
ALTER TABLE api_key ADD COLUMN revoked_with UUID;
ALTER TABLE api_key ADD COLUMN expires_on DATE;
ALTER TABLE api_key ADD COLUMN last_used_on DATE;
ALTER TABLE api_key ADD COLUMN old_secret_hash BYTEA;
ALTER TABLE api_key ADD COLUMN old_secret_until TIMESTAMPTZ;
