-- Schema 1 of the certsweep ledger.
--
-- Times are microseconds since 1970-01-01T00:00:00Z. Days are text, YYYY-MM-DD. Hashes are the
-- digest's bytes. Truth values are 0 and 1; NULL is "not known". The views at the end show all of
-- this as text.

-- One run of a plan, written when it starts.
CREATE TABLE scan (
    id           TEXT PRIMARY KEY,  -- a ULID
    plan_hash    BLOB NOT NULL,     -- SHA-256 of scope, ports, target list and order
    scope_name   TEXT NOT NULL,
    scope_hash   BLOB NOT NULL,     -- SHA-256 of scope_text
    scope_text   TEXT NOT NULL,
    command_line TEXT NOT NULL,     -- JSON array of the arguments, without the program's name
    seed         INTEGER NOT NULL,  -- of the order; 64 unsigned bits read as signed, so that a
                                    -- negative seed S stands for S + 2^64
    shard_index  INTEGER NOT NULL,  -- counted from 1
    shard_count  INTEGER NOT NULL,
    vantage      TEXT NOT NULL,     -- where the run looked from
    version      TEXT NOT NULL,     -- of certsweep
    settings     TEXT NOT NULL,     -- JSON object of every setting in force
    positions    INTEGER NOT NULL,  -- how many positions the order has
    started      INTEGER NOT NULL,  -- time
    ended        INTEGER,           -- time; NULL while it runs, or if it was killed
    complete     INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    matched      INTEGER NOT NULL DEFAULT 0,  -- visits with at least one match
    faults       INTEGER NOT NULL DEFAULT 0   -- targets that a fault of our own kept from a visit
) STRICT;
CREATE INDEX scan_plan ON scan (plan_hash, shard_index, shard_count, started);

-- How many visits of a scan ended with each outcome.
CREATE TABLE scan_outcome (
    scan_id TEXT NOT NULL REFERENCES scan,
    outcome TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (scan_id, outcome)
) STRICT, WITHOUT ROWID;

-- The positions of a scan's order that are done: disjoint ranges, both ends included.
CREATE TABLE coverage (
    scan_id        TEXT NOT NULL REFERENCES scan,
    first_position INTEGER NOT NULL,
    last_position  INTEGER NOT NULL,
    PRIMARY KEY (scan_id, first_position)
) STRICT, WITHOUT ROWID;

-- A set of indicators as one file held it; another content under the same name is another row.
CREATE TABLE indicator_set (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    tlp  TEXT NOT NULL,             -- Traffic Light Protocol 2.0, in lower case
    hash BLOB NOT NULL,             -- SHA-256 of the file
    UNIQUE (name, hash)
) STRICT;

-- The sets that a scan matched against.
CREATE TABLE scan_set (
    scan_id TEXT NOT NULL REFERENCES scan,
    set_id  INTEGER NOT NULL REFERENCES indicator_set,
    PRIMARY KEY (scan_id, set_id)
) STRICT, WITHOUT ROWID;

-- A report that a set draws on.
CREATE TABLE indicator_source (
    set_id    INTEGER NOT NULL REFERENCES indicator_set,
    id        TEXT NOT NULL,        -- short name within the set
    title     TEXT NOT NULL,
    publisher TEXT,
    published TEXT,                 -- day
    url       TEXT,
    PRIMARY KEY (set_id, id)
) STRICT, WITHOUT ROWID;

-- What a report names.
CREATE TABLE indicator (
    id          INTEGER PRIMARY KEY,
    set_id      INTEGER NOT NULL REFERENCES indicator_set,
    kind        TEXT NOT NULL CHECK (kind IN ('certificate', 'address')),
    value       TEXT NOT NULL,      -- 'sha1:...', 'sha256:...', or an address
    label       TEXT,               -- what the report calls it
    source      TEXT NOT NULL,      -- indicator_source.id within the set
    note        TEXT,
    first_seen  TEXT,               -- addresses: first day that the report gives
    last_seen   TEXT,               -- addresses: last day that the report gives
    certificate TEXT                -- addresses: fingerprint that the report saw there
) STRICT;
CREATE INDEX indicator_value ON indicator (value);
CREATE INDEX indicator_by_set ON indicator (set_id);

-- A leaf certificate, once, with what it says of itself.
CREATE TABLE certificate (
    id                  INTEGER PRIMARY KEY,
    sha256              BLOB NOT NULL UNIQUE,  -- of der
    sha1                BLOB NOT NULL,         -- of der
    spki_sha256         BLOB,                  -- of the SubjectPublicKeyInfo, if it was found
    der                 BLOB NOT NULL,         -- the bytes received
    subject             TEXT,
    issuer              TEXT,
    common_name         TEXT,
    names               TEXT NOT NULL,         -- JSON array: subject alternative names
    serial              TEXT,                  -- hex
    not_before          INTEGER,               -- time
    not_after           INTEGER,               -- time
    key                 TEXT,                  -- 'RSA-2048', 'P-256', ...
    signature_algorithm TEXT,
    self_signed         INTEGER,               -- whether subject and issuer are the same name
    softether_default   INTEGER NOT NULL,      -- whether SoftEther's default has this structure
    parse_error         TEXT,                  -- why fields are missing
    first_stored        INTEGER NOT NULL       -- time of the visit that brought it
) STRICT;
CREATE INDEX certificate_sha1 ON certificate (sha1);
CREATE INDEX certificate_spki ON certificate (spki_sha256);

-- An address and port. Only those that showed a certificate have a row.
CREATE TABLE endpoint (
    id          INTEGER PRIMARY KEY,
    address     TEXT NOT NULL,      -- canonical text
    address_key BLOB NOT NULL,      -- 16 bytes, big-endian; IPv4 a.b.c.d as ::ffff:a.b.c.d. Every
                                    -- prefix is one range of keys.
    port        INTEGER NOT NULL,
    UNIQUE (address_key, port)
) STRICT;

-- A server name that was sent (SNI). Row 0, the empty name, is "none sent".
CREATE TABLE server_name (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO server_name (id, name) VALUES (0, '');

-- Where and when a certificate was seen: an interval, and not one row for each time.
CREATE TABLE sighting (
    endpoint_id        INTEGER NOT NULL REFERENCES endpoint,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    vantage            TEXT NOT NULL,
    first_seen         INTEGER NOT NULL,  -- time
    last_seen          INTEGER NOT NULL,  -- time
    count              INTEGER NOT NULL,  -- visits that saw it; a repeat within a scan is no other
    first_scan         TEXT NOT NULL REFERENCES scan,
    last_scan          TEXT NOT NULL REFERENCES scan,
    key_proven         INTEGER,           -- 1 ever proven, 0 checked and never proven, NULL unchecked
    handshake_finished INTEGER NOT NULL,  -- 1 if it ever was
    PRIMARY KEY (endpoint_id, server_name_id, certificate_id, vantage)
) STRICT, WITHOUT ROWID;
CREATE INDEX sighting_certificate ON sighting (certificate_id);

-- One visit of one scan. Only those that saw a leaf, or went to an endpoint that has a sighting;
-- scan_outcome counts all of them.
CREATE TABLE visit (
    id                 INTEGER PRIMARY KEY,
    scan_id            TEXT NOT NULL REFERENCES scan,
    endpoint_id        INTEGER NOT NULL REFERENCES endpoint,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    time               INTEGER NOT NULL,  -- when it began
    outcome            TEXT NOT NULL,     -- a word of the closed list in the manual
    detail             TEXT,              -- protocol of not_tls; level and description of alert
    certificate_id     INTEGER REFERENCES certificate,
    ended              TEXT,              -- outcome after the leaf was seen, if not a good one
    tls_version        TEXT,
    cipher_suite       TEXT,
    key_proven         INTEGER,           -- NULL where nothing could be checked
    handshake_finished INTEGER NOT NULL,
    connect_us         INTEGER,           -- microseconds from the start of the connect
    first_byte_us      INTEGER,           -- likewise
    leaf_us            INTEGER,           -- likewise
    UNIQUE (scan_id, endpoint_id, server_name_id)
) STRICT;
CREATE INDEX visit_endpoint ON visit (endpoint_id, time);

-- Every connection of a visit.
CREATE TABLE attempt (
    visit_id           INTEGER NOT NULL REFERENCES visit,
    number             INTEGER NOT NULL,  -- counted from 1
    client             TEXT NOT NULL,
    offer              TEXT NOT NULL,
    outcome            TEXT NOT NULL,
    detail             TEXT,
    leaf_sha256        BLOB,              -- of the leaf seen; it may be another than the visit's
    key_proven         INTEGER,
    handshake_finished INTEGER NOT NULL,
    PRIMARY KEY (visit_id, number)
) STRICT, WITHOUT ROWID;

-- The certificates that followed the leaf, as hashes.
CREATE TABLE chain (
    visit_id INTEGER NOT NULL REFERENCES visit,
    position INTEGER NOT NULL,            -- 1 follows the leaf
    sha256   BLOB NOT NULL,
    PRIMARY KEY (visit_id, position)
) STRICT, WITHOUT ROWID;

-- An indicator that a visit's leaf matched.
CREATE TABLE "match" (
    visit_id     INTEGER NOT NULL REFERENCES visit,
    indicator_id INTEGER NOT NULL REFERENCES indicator,
    tier         TEXT NOT NULL,           -- 'A': the exact leaf
    PRIMARY KEY (visit_id, indicator_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_indicator ON "match" (indicator_id);

-- A target that a fault in certsweep kept from being probed; its position is not covered.
CREATE TABLE fault (
    scan_id  TEXT NOT NULL REFERENCES scan,
    position INTEGER NOT NULL,
    address  TEXT NOT NULL,
    port     INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    message  TEXT NOT NULL,               -- what the fault said of itself
    PRIMARY KEY (scan_id, position, time)
) STRICT, WITHOUT ROWID;

-- What changed from one scan to the next. Nothing writes it yet.
CREATE TABLE transition (
    id                      INTEGER PRIMARY KEY,
    time                    INTEGER NOT NULL,
    kind                    TEXT NOT NULL,
    endpoint_id             INTEGER NOT NULL REFERENCES endpoint,
    server_name_id          INTEGER NOT NULL REFERENCES server_name,
    certificate_id          INTEGER REFERENCES certificate,
    scan_id                 TEXT NOT NULL REFERENCES scan,
    previous_certificate_id INTEGER REFERENCES certificate
) STRICT;

CREATE VIEW sightings AS
SELECT
    endpoint.address,
    endpoint.port,
    nullif(server_name.name, '') AS server_name,
    lower(hex(certificate.sha1)) AS sha1,
    lower(hex(certificate.sha256)) AS sha256,
    certificate.subject,
    certificate.common_name,
    strftime('%Y-%m-%dT%H:%M:%S', sighting.first_seen / 1000000, 'unixepoch')
        || printf('.%03dZ', sighting.first_seen / 1000 % 1000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', sighting.last_seen / 1000000, 'unixepoch')
        || printf('.%03dZ', sighting.last_seen / 1000 % 1000) AS last_seen,
    sighting.count,
    sighting.key_proven,
    sighting.vantage
FROM sighting
JOIN endpoint ON endpoint.id = sighting.endpoint_id
JOIN server_name ON server_name.id = sighting.server_name_id
JOIN certificate ON certificate.id = sighting.certificate_id;

CREATE VIEW matches AS
SELECT
    indicator_set.name AS set_name,
    "match".tier,
    indicator.value AS indicator,
    indicator.label,
    indicator.source,
    endpoint.address,
    endpoint.port,
    nullif(server_name.name, '') AS server_name,
    lower(hex(certificate.sha1)) AS sha1,
    lower(hex(certificate.sha256)) AS sha256,
    visit.key_proven,
    visit.handshake_finished,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    visit.scan_id AS scan
FROM "match"
JOIN indicator ON indicator.id = "match".indicator_id
JOIN indicator_set ON indicator_set.id = indicator.set_id
JOIN visit ON visit.id = "match".visit_id
JOIN endpoint ON endpoint.id = visit.endpoint_id
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id;

CREATE VIEW scans AS
SELECT
    scan.id,
    scan.scope_name AS scope,
    lower(hex(scan.plan_hash)) AS plan,
    scan.shard_index || '/' || scan.shard_count AS shard,
    scan.vantage,
    scan.version,
    strftime('%Y-%m-%dT%H:%M:%S', scan.started / 1000000, 'unixepoch')
        || printf('.%03dZ', scan.started / 1000 % 1000) AS started,
    strftime('%Y-%m-%dT%H:%M:%S', scan.ended / 1000000, 'unixepoch')
        || printf('.%03dZ', scan.ended / 1000 % 1000) AS ended,
    scan.complete,
    scan.positions,
    (SELECT ifnull(sum(count), 0) FROM scan_outcome WHERE scan_id = scan.id) AS visits,
    scan.matched,
    scan.faults
FROM scan;
