-- version 1: data keys of what is sealed for no party

-- One key for a purpose and month (its first day), itself wrapped by one of the bank's keys, which are not in the
-- database. Without its row what was sealed under it can be read by nobody.
CREATE TABLE storage_data_key (
    purpose      TEXT NOT NULL,
    month        DATE NOT NULL,
    wrapping_key BIGINT NOT NULL,
    wrapped      BYTEA NOT NULL,
    PRIMARY KEY (purpose, month)
);
-- reference storage_data_key
