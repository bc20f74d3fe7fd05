-- Schema 2: indicators of more kinds than whole certificates, and the rules of profiles.
--
-- A CHECK cannot be changed in place, so the table is made anew under its name. Rows of "match" lose their
-- indicator for a moment; that is checked at the commit, when all are back.
PRAGMA defer_foreign_keys = ON;

CREATE TEMP TABLE indicator_before AS SELECT * FROM indicator;
DROP TABLE indicator;

-- What a report names.
CREATE TABLE indicator (
    id          INTEGER PRIMARY KEY,
    set_id      INTEGER NOT NULL REFERENCES indicator_set,
    kind        TEXT NOT NULL CHECK (
        kind IN ('certificate', 'public_key', 'name', 'profile', 'template', 'address')
    ),
    value       TEXT NOT NULL,      -- 'sha1:...', 'sha256:...', 'spki_sha256:...', 'name:...',
                                    -- 'profile:...', 'template:...', or an address
    label       TEXT,               -- what the report calls it
    source      TEXT NOT NULL,      -- indicator_source.id within the set
    note        TEXT,
    first_seen  TEXT,               -- addresses: first day that the report gives
    last_seen   TEXT,               -- addresses: last day that the report gives
    certificate TEXT,               -- addresses: fingerprint that the report saw there
    rule        TEXT                -- profiles: the rule as set files write it
) STRICT;
CREATE INDEX indicator_value ON indicator (value);
CREATE INDEX indicator_by_set ON indicator (set_id);

INSERT INTO indicator (
    id, set_id, kind, value, label, source, note, first_seen, last_seen, certificate
)
SELECT id, set_id, kind, value, label, source, note, first_seen, last_seen, certificate
FROM indicator_before;
DROP TABLE temp.indicator_before;
