-- version 1: versions of products, and the plans by which contracts leave one for another
CREATE TABLE products_version (
    code TEXT NOT NULL,
    number BIGINT NOT NULL,
    id UUID NOT NULL,
    terms TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    author TEXT NOT NULL,
    drafted_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL,
    simulated_at TIMESTAMPTZ,
    approved_by TEXT,
    approved_at TIMESTAMPTZ,
    live_from DATE,
    launched_by TEXT,
    withdrawn_from DATE,
    withdrawn_by TEXT,
    PRIMARY KEY (code, number)
);
CREATE UNIQUE INDEX products_version_id ON products_version (id);
CREATE UNIQUE INDEX products_version_live ON products_version (code, live_from);

CREATE TABLE products_migration (
    id UUID NOT NULL,
    code TEXT NOT NULL,
    source BIGINT NOT NULL,
    target BIGINT NOT NULL,
    on_day DATE NOT NULL,
    planned_by TEXT NOT NULL,
    planned_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX products_migration_source ON products_migration (code, source);
-- reference products_version
-- reference products_migration
