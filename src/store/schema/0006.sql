-- Schema 6: a ledger that is looked back into. What is written for each visit and sighting is as short as it can be,
-- the visits of a place lie side by side in order of scans, and there is room for what changed, for what others
-- collected, and for who is at work.
--
-- Tables are made anew under their names. Rows refer to rows that are not there for a moment; that is checked at the
-- commit.
PRAGMA defer_foreign_keys = ON;

DROP VIEW attempt;
DROP VIEW matches;
DROP VIEW scans;
DROP VIEW sightings;
DROP VIEW softether_servers;
DROP TABLE transition;
ALTER TABLE certificate RENAME TO certificate_before;
ALTER TABLE chain RENAME TO chain_before;
ALTER TABLE endpoint RENAME TO endpoint_before;
ALTER TABLE listed_attempt RENAME TO listed_attempt_before;
ALTER TABLE "match" RENAME TO match_before;
ALTER TABLE sighting RENAME TO sighting_before;
ALTER TABLE softether_server RENAME TO softether_server_before;
ALTER TABLE visit RENAME TO visit_before;
DROP INDEX certificate_sha1;
DROP INDEX certificate_spki;
DROP INDEX match_indicator;
DROP INDEX sighting_certificate;

-- From where was looked, or under which name others' collections were imported.
CREATE TABLE vantage (
    id   INTEGER PRIMARY KEY,       -- 1 is the first
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('own', 'import')),
    UNIQUE (name, kind)
) STRICT;
INSERT INTO vantage (name, kind)
SELECT name, 'own' FROM (
    SELECT vantage AS name, min(started) AS time FROM scan GROUP BY vantage
    UNION ALL
    SELECT vantage, min(first_seen) FROM sighting_before GROUP BY vantage
) GROUP BY name ORDER BY min(time), name;

-- The number that visits and sightings call a scan by.
CREATE TABLE scan_number (
    number     INTEGER PRIMARY KEY,
    scan_id    TEXT NOT NULL UNIQUE REFERENCES scan,
    vantage_id INTEGER NOT NULL REFERENCES vantage  -- scan.vantage
) STRICT;
INSERT INTO scan_number (scan_id, vantage_id)
SELECT scan.id, vantage.id FROM scan JOIN vantage ON vantage.name = scan.vantage ORDER BY started, scan.id;

-- Endpoints have no table. An endpoint_id is the number of an address times 65536 plus the port: endpoint_id >> 16 and
-- endpoint_id & 65535. The number of an IPv4 address is the address, so that a prefix is one range of endpoint_id; the
-- numbers of IPv6 addresses, from 2^32, are given in this table.
CREATE TABLE address6 (
    number      INTEGER PRIMARY KEY CHECK (number >= 4294967296),
    address     TEXT NOT NULL,         -- canonical text
    address_key BLOB NOT NULL UNIQUE   -- 16 bytes, big-endian: a prefix is one range of keys
) STRICT;
INSERT INTO address6 (number, address, address_key)
SELECT 4294967295 + row_number() OVER (ORDER BY min(id)), address, address_key
FROM endpoint_before
WHERE substr(address_key, 1, 12) <> x'00000000000000000000ffff'
GROUP BY address_key;

CREATE TEMP TABLE endpoint_number (before INTEGER PRIMARY KEY, number INTEGER NOT NULL);
INSERT INTO endpoint_number
SELECT id, number << 16 | port FROM endpoint_before JOIN address6 USING (address_key)
UNION ALL
SELECT
    id,
    ((instr('123456789ABCDEF', substr(hex(address_key), 25, 1)) << 28)
        | (instr('123456789ABCDEF', substr(hex(address_key), 26, 1)) << 24)
        | (instr('123456789ABCDEF', substr(hex(address_key), 27, 1)) << 20)
        | (instr('123456789ABCDEF', substr(hex(address_key), 28, 1)) << 16)
        | (instr('123456789ABCDEF', substr(hex(address_key), 29, 1)) << 12)
        | (instr('123456789ABCDEF', substr(hex(address_key), 30, 1)) << 8)
        | (instr('123456789ABCDEF', substr(hex(address_key), 31, 1)) << 4)
        | instr('123456789ABCDEF', substr(hex(address_key), 32, 1))) << 16 | port
FROM endpoint_before
WHERE substr(address_key, 1, 12) = x'00000000000000000000ffff';

-- A leaf certificate, once, with what it says of itself. Of some that others collected only a hash is known.
CREATE TABLE certificate (
    id                  INTEGER PRIMARY KEY,
    sha256              BLOB UNIQUE,           -- of der
    sha1                BLOB,                  -- of der
    spki_sha256         BLOB,                  -- of the SubjectPublicKeyInfo, if it was found
    der                 BLOB,                  -- the bytes received; NULL if nobody had them
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
    softether_default   INTEGER,               -- whether SoftEther's default has this structure; NULL without der
    parse_error         TEXT,                  -- why fields are missing
    first_stored        INTEGER NOT NULL,      -- time of the visit or import that brought it
    CHECK (sha256 IS NOT NULL OR sha1 IS NOT NULL)
) STRICT;
INSERT INTO certificate SELECT * FROM certificate_before;
CREATE INDEX certificate_sha1 ON certificate (sha1);
CREATE INDEX certificate_spki ON certificate (spki_sha256);
CREATE INDEX certificate_without_der ON certificate (id) WHERE der IS NULL;

-- What visits have in common: how they were asked and how they ended, in words. No two rows are alike.
CREATE TABLE manner (
    id           INTEGER PRIMARY KEY,
    outcome      TEXT NOT NULL,     -- a word of the closed list in the manual
    detail       TEXT,              -- protocol of not_tls; level and description of alert
    ended        TEXT,              -- outcome after the leaf was seen, if not a good one
    tls_version  TEXT,
    cipher_suite TEXT,
    client       TEXT,              -- of the one attempt, where the visit says all else of it; NULL where attempts
                                    -- are listed
    offer        TEXT,              -- likewise
    request      TEXT               -- likewise: what was asked over it: 'softether'; NULL if nothing
) STRICT;
CREATE INDEX manner_words ON manner (
    outcome, detail, ended, tls_version, cipher_suite, client, offer, request
);
INSERT INTO manner (outcome, detail, ended, tls_version, cipher_suite, client, offer, request)
SELECT DISTINCT outcome, detail, ended, tls_version, cipher_suite, client, offer, request FROM visit_before;

-- The certificates that followed a leaf, once for all visits that saw the same. The view chain lists them.
CREATE TABLE chain_list (
    id     INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL UNIQUE     -- SHA-256 of each in the server's order, 32 bytes after 32 bytes
) STRICT;
CREATE TEMP TABLE visit_chain (visit_id INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
INSERT INTO visit_chain
SELECT visit_id, unhex(group_concat(hex(sha256), '' ORDER BY position)) FROM chain_before GROUP BY visit_id;
INSERT INTO chain_list (hashes) SELECT DISTINCT hashes FROM visit_chain;

-- One visit of one scan. Only those that saw a leaf, or went to an endpoint that has a sighting; scan_outcome counts
-- all of them. The view visits shows them in words. All visits of a place lie side by side.
CREATE TABLE visit (
    endpoint_id        INTEGER NOT NULL,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    scan_number        INTEGER NOT NULL REFERENCES scan_number,
    time               INTEGER NOT NULL,  -- when it began
    certificate_id     INTEGER REFERENCES certificate,
    manner_id          INTEGER NOT NULL REFERENCES manner,
    chain_id           INTEGER REFERENCES chain_list,  -- NULL if nothing followed the leaf
    key_proven         INTEGER,           -- NULL where nothing could be checked
    handshake_finished INTEGER NOT NULL,
    connect_us         INTEGER,           -- microseconds from the start of the connect
    first_byte_us      INTEGER,           -- likewise
    leaf_us            INTEGER,           -- likewise
    PRIMARY KEY (endpoint_id, server_name_id, scan_number)
) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE visit_key (
    id             INTEGER PRIMARY KEY,
    endpoint_id    INTEGER NOT NULL,
    server_name_id INTEGER NOT NULL,
    scan_number    INTEGER NOT NULL
);
INSERT INTO visit_key
SELECT visit.id, endpoint_number.number, visit.server_name_id, scan_number.number
FROM visit_before AS visit
CROSS JOIN endpoint_number ON endpoint_number.before = visit.endpoint_id
CROSS JOIN scan_number ON scan_number.scan_id = visit.scan_id;
INSERT INTO visit
SELECT
    visit_key.endpoint_id, visit_key.server_name_id, visit_key.scan_number, before.time, before.certificate_id,
    manner.id, chain_list.id, before.key_proven, before.handshake_finished, before.connect_us, before.first_byte_us,
    before.leaf_us
FROM visit_before AS before
CROSS JOIN visit_key ON visit_key.id = before.id
CROSS JOIN manner ON manner.outcome = before.outcome
    AND manner.detail IS before.detail
    AND manner.ended IS before.ended
    AND manner.tls_version IS before.tls_version
    AND manner.cipher_suite IS before.cipher_suite
    AND manner.client IS before.client
    AND manner.offer IS before.offer
    AND manner.request IS before.request
LEFT JOIN visit_chain ON visit_chain.visit_id = before.id
LEFT JOIN chain_list ON chain_list.hashes = visit_chain.hashes
ORDER BY 1, 2, 3;

-- A leaf that a visit saw besides its own: servers may hold several.
CREATE TABLE further_leaf (
    endpoint_id    INTEGER NOT NULL,
    server_name_id INTEGER NOT NULL,
    scan_number    INTEGER NOT NULL,
    certificate_id INTEGER NOT NULL REFERENCES certificate,
    PRIMARY KEY (endpoint_id, server_name_id, scan_number, certificate_id),
    FOREIGN KEY (endpoint_id, server_name_id, scan_number) REFERENCES visit
) STRICT, WITHOUT ROWID;
-- What earlier versions left of them: matches, and the first and last scan of sightings.
INSERT INTO further_leaf
SELECT visit_key.endpoint_id, visit_key.server_name_id, visit_key.scan_number, match_before.certificate_id
FROM match_before
JOIN visit_before ON visit_before.id = match_before.visit_id
JOIN visit_key ON visit_key.id = visit_before.id
WHERE match_before.certificate_id <> ifnull(visit_before.certificate_id, 0)
UNION
SELECT visit_key.endpoint_id, visit_key.server_name_id, visit_key.scan_number, sighting_before.certificate_id
FROM sighting_before
JOIN visit_before ON visit_before.endpoint_id = sighting_before.endpoint_id
    AND visit_before.server_name_id = sighting_before.server_name_id
    AND visit_before.scan_id IN (sighting_before.first_scan, sighting_before.last_scan)
JOIN visit_key ON visit_key.id = visit_before.id
WHERE sighting_before.certificate_id <> ifnull(visit_before.certificate_id, 0);

-- The attempts of visits that made several, or whose one attempt says something else than its visit.
CREATE TABLE listed_attempt (
    endpoint_id        INTEGER NOT NULL,
    server_name_id     INTEGER NOT NULL,
    scan_number        INTEGER NOT NULL,
    number             INTEGER NOT NULL,  -- counted from 1
    client             TEXT NOT NULL,
    offer              TEXT NOT NULL,
    outcome            TEXT NOT NULL,
    detail             TEXT,
    leaf_sha256        BLOB,              -- of the leaf seen; it may be another than the visit's
    key_proven         INTEGER,
    handshake_finished INTEGER NOT NULL,
    request            TEXT,              -- what was asked once the handshake was finished: 'softether'
    PRIMARY KEY (endpoint_id, server_name_id, scan_number, number),
    FOREIGN KEY (endpoint_id, server_name_id, scan_number) REFERENCES visit
) STRICT, WITHOUT ROWID;
INSERT INTO listed_attempt
SELECT
    endpoint_id, server_name_id, scan_number, number, client, offer, outcome, detail, leaf_sha256, key_proven,
    handshake_finished, request
FROM listed_attempt_before JOIN visit_key ON visit_key.id = visit_id;

-- An indicator that a leaf of a visit matched: the visit's own, or a further one.
CREATE TABLE "match" (
    scan_number        INTEGER NOT NULL,
    endpoint_id        INTEGER NOT NULL,
    server_name_id     INTEGER NOT NULL,
    indicator_id       INTEGER NOT NULL REFERENCES indicator,
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    tier               TEXT NOT NULL,     -- 'A': the exact leaf
    key_proven         INTEGER,           -- in the connection that showed this leaf; NULL where nothing could be checked
    handshake_finished INTEGER NOT NULL,  -- likewise
    PRIMARY KEY (scan_number, endpoint_id, server_name_id, indicator_id, certificate_id),
    FOREIGN KEY (endpoint_id, server_name_id, scan_number) REFERENCES visit
) STRICT, WITHOUT ROWID;
INSERT INTO "match"
SELECT
    scan_number, endpoint_id, server_name_id, indicator_id, certificate_id, tier, key_proven, handshake_finished
FROM match_before JOIN visit_key ON visit_key.id = visit_id;
CREATE INDEX match_indicator ON "match" (indicator_id);
CREATE INDEX match_certificate ON "match" (certificate_id);

-- What a visit's endpoint said of itself; anybody could say so.
CREATE TABLE softether_server (
    scan_number    INTEGER NOT NULL,
    endpoint_id    INTEGER NOT NULL,
    server_name_id INTEGER NOT NULL,
    product        TEXT NOT NULL,   -- as the server names it, 256 characters at most
    version        INTEGER,         -- in hundredths: 501 is 5.01
    build          INTEGER,         -- counted through all versions
    PRIMARY KEY (scan_number, endpoint_id, server_name_id),
    FOREIGN KEY (endpoint_id, server_name_id, scan_number) REFERENCES visit
) STRICT, WITHOUT ROWID;
INSERT INTO softether_server
SELECT scan_number, endpoint_id, server_name_id, product, version, build
FROM softether_server_before JOIN visit_key ON visit_key.id = visit_id;

-- Where and when a certificate was seen: an interval, and not one row for each time.
CREATE TABLE sighting (
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    endpoint_id        INTEGER NOT NULL,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    vantage_id         INTEGER NOT NULL REFERENCES vantage,
    first_seen         INTEGER NOT NULL,  -- time
    last_seen          INTEGER NOT NULL,  -- time
    count              INTEGER NOT NULL,  -- visits that saw it; a repeat within a scan is no other
    first_scan         INTEGER REFERENCES scan_number,  -- NULL if others saw it
    last_scan          INTEGER REFERENCES scan_number,  -- likewise
    key_proven         INTEGER,           -- 1 ever proven, 0 checked and never proven, NULL unchecked
    handshake_finished INTEGER NOT NULL,  -- 1 if it ever was
    PRIMARY KEY (certificate_id, endpoint_id, server_name_id, vantage_id)
) STRICT, WITHOUT ROWID;
INSERT INTO sighting
SELECT
    certificate_id, endpoint_number.number, server_name_id, vantage.id, first_seen, last_seen, count,
    (SELECT number FROM scan_number WHERE scan_id = first_scan),
    (SELECT number FROM scan_number WHERE scan_id = last_scan),
    key_proven, handshake_finished
FROM sighting_before
CROSS JOIN endpoint_number ON endpoint_number.before = endpoint_id
CROSS JOIN vantage ON vantage.name = vantage
ORDER BY 1, 2, 3, 4;
-- Where visits saw something, visits say so.
CREATE INDEX sighting_imported ON sighting (endpoint_id) WHERE first_scan IS NULL;

-- A file of certificates that others collected.
CREATE TABLE import (
    id         INTEGER PRIMARY KEY,
    path       TEXT NOT NULL,         -- as it was given
    format     TEXT NOT NULL,
    sha256     BLOB NOT NULL,         -- of the content
    time       INTEGER NOT NULL,      -- when it was imported
    vantage_id INTEGER NOT NULL REFERENCES vantage,
    records    INTEGER NOT NULL,      -- how many were read
    refused    INTEGER NOT NULL,      -- how many could not be read
    UNIQUE (sha256, vantage_id)
) STRICT;

-- The certificates that an import names.
CREATE TABLE import_certificate (
    import_id      INTEGER NOT NULL REFERENCES import,
    certificate_id INTEGER NOT NULL REFERENCES certificate,
    PRIMARY KEY (import_id, certificate_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_certificate_certificate ON import_certificate (certificate_id);

-- Places whose history is to be looked through for transitions, in the order in which it changed; one may stand here
-- more than once. Rows are only ever added at the end: millions of a first scan cost little.
CREATE TABLE pending_place (
    id             INTEGER PRIMARY KEY,
    endpoint_id    INTEGER NOT NULL,
    server_name_id INTEGER NOT NULL REFERENCES server_name,
    vantage_id     INTEGER NOT NULL REFERENCES vantage
) STRICT;
INSERT INTO pending_place (endpoint_id, server_name_id, vantage_id)
SELECT DISTINCT endpoint_id, server_name_id, vantage_id
FROM visit JOIN scan_number ON scan_number.number = visit.scan_number;

-- What changed at a place. The view transitions shows it in words.
CREATE TABLE transition (
    id                      INTEGER PRIMARY KEY,
    key                     BLOB NOT NULL UNIQUE,  -- SHA-256 of what makes it this one and no other
    kind                    TEXT NOT NULL CHECK (kind IN ('new', 'moved', 'returned', 'rotated', 'gone')),
    time                    INTEGER NOT NULL,      -- of the visit that showed it
    endpoint_id             INTEGER NOT NULL,
    server_name_id          INTEGER NOT NULL REFERENCES server_name,
    vantage_id              INTEGER NOT NULL REFERENCES vantage,
    certificate_id          INTEGER NOT NULL REFERENCES certificate,
    previous_certificate_id INTEGER REFERENCES certificate,           -- rotated: the one that was there before
    scan_number             INTEGER NOT NULL REFERENCES scan_number,  -- of the visit that showed it
    tier                    TEXT,                  -- of the closest match; NULL if nothing matched
    previous_endpoint_id    INTEGER,               -- moved: where it was seen last
    derived                 INTEGER NOT NULL       -- time at which it was found
) STRICT;
CREATE INDEX transition_time ON transition (time);
CREATE INDEX transition_certificate ON transition (certificate_id);
CREATE INDEX transition_previous ON transition (previous_certificate_id) WHERE previous_certificate_id IS NOT NULL;

-- What is to be told of transitions, until it is.
CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY,
    transition_id INTEGER NOT NULL REFERENCES transition,
    channel       TEXT NOT NULL,    -- name of the [[alert]]
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_attempt  INTEGER,          -- time; NULL once it was delivered or given up
    delivered     INTEGER,          -- time
    given_up      INTEGER,          -- time
    last_error    TEXT,
    UNIQUE (transition_id, channel)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_attempt) WHERE next_attempt IS NOT NULL;

-- Who is at work on what, so that nobody else is at the same time.
CREATE TABLE lease (
    name    TEXT PRIMARY KEY,       -- 'plan:HASH:I/N', or a job
    holder  TEXT NOT NULL,          -- the scan
    since   INTEGER NOT NULL,       -- time
    expires INTEGER NOT NULL        -- time; later with each batch
) STRICT, WITHOUT ROWID;

DROP TABLE match_before;
DROP TABLE chain_before;
DROP TABLE listed_attempt_before;
DROP TABLE softether_server_before;
DROP TABLE sighting_before;
DROP TABLE visit_before;
DROP TABLE certificate_before;
DROP TABLE endpoint_before;
DROP TABLE temp.endpoint_number;
DROP TABLE temp.visit_chain;
DROP TABLE temp.visit_key;

-- Every connection of a visit.
CREATE VIEW attempt AS
SELECT
    printf('%d-%d-%d', scan_number, endpoint_id, server_name_id) AS visit_id,
    number, client, offer, outcome, detail, leaf_sha256, key_proven, handshake_finished, request
FROM listed_attempt
UNION ALL
SELECT
    printf('%d-%d-%d', scan_number, endpoint_id, server_name_id), 1, manner.client, manner.offer, manner.outcome,
    manner.detail, certificate.sha256, visit.key_proven, visit.handshake_finished, manner.request
FROM visit
JOIN manner ON manner.id = visit.manner_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id
WHERE manner.client IS NOT NULL;

-- The certificates that followed the leaf, as hashes; 1 follows the leaf.
CREATE VIEW chain AS
WITH RECURSIVE link (id, position, sha256, hashes) AS (
    SELECT id, 1, substr(hashes, 1, 32), hashes FROM chain_list WHERE length(hashes) >= 32
    UNION ALL
    SELECT id, position + 1, substr(hashes, position * 32 + 1, 32), hashes FROM link
    WHERE length(hashes) >= (position + 1) * 32
)
SELECT printf('%d-%d-%d', scan_number, endpoint_id, server_name_id) AS visit_id, link.position, link.sha256
FROM visit JOIN link ON link.id = visit.chain_id;

CREATE VIEW sightings AS
SELECT
    iif(sighting.endpoint_id < 281474976710656,
        printf('%d.%d.%d.%d', sighting.endpoint_id >> 40, sighting.endpoint_id >> 32 & 255,
            sighting.endpoint_id >> 24 & 255, sighting.endpoint_id >> 16 & 255),
        (SELECT address FROM address6 WHERE number = sighting.endpoint_id >> 16)) AS address,
    sighting.endpoint_id & 65535 AS port,
    nullif(server_name.name, '') AS server_name,
    nullif(lower(hex(certificate.sha1)), '') AS sha1,
    nullif(lower(hex(certificate.sha256)), '') AS sha256,
    certificate.subject,
    certificate.common_name,
    strftime('%Y-%m-%dT%H:%M:%S', sighting.first_seen / 1000000, 'unixepoch')
        || printf('.%03dZ', sighting.first_seen / 1000 % 1000) AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%S', sighting.last_seen / 1000000, 'unixepoch')
        || printf('.%03dZ', sighting.last_seen / 1000 % 1000) AS last_seen,
    sighting.count,
    sighting.key_proven,
    vantage.name AS vantage
FROM sighting
JOIN vantage ON vantage.id = sighting.vantage_id
JOIN server_name ON server_name.id = sighting.server_name_id
JOIN certificate ON certificate.id = sighting.certificate_id;

CREATE VIEW visits AS
SELECT
    printf('%d-%d-%d', visit.scan_number, visit.endpoint_id, visit.server_name_id) AS id,
    iif(visit.endpoint_id < 281474976710656,
        printf('%d.%d.%d.%d', visit.endpoint_id >> 40, visit.endpoint_id >> 32 & 255,
            visit.endpoint_id >> 24 & 255, visit.endpoint_id >> 16 & 255),
        (SELECT address FROM address6 WHERE number = visit.endpoint_id >> 16)) AS address,
    visit.endpoint_id & 65535 AS port,
    nullif(server_name.name, '') AS server_name,
    manner.outcome,
    manner.detail,
    manner.ended,
    nullif(lower(hex(certificate.sha1)), '') AS sha1,
    nullif(lower(hex(certificate.sha256)), '') AS sha256,
    manner.tls_version,
    manner.cipher_suite,
    visit.key_proven,
    visit.handshake_finished,
    visit.connect_us,
    visit.first_byte_us,
    visit.leaf_us,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    scan_number.scan_id AS scan
FROM visit
JOIN manner ON manner.id = visit.manner_id
JOIN scan_number ON scan_number.number = visit.scan_number
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id;

CREATE VIEW matches AS
SELECT
    indicator_set.name AS set_name,
    "match".tier,
    indicator.value AS indicator,
    indicator.label,
    indicator.source,
    iif(visit.endpoint_id < 281474976710656,
        printf('%d.%d.%d.%d', visit.endpoint_id >> 40, visit.endpoint_id >> 32 & 255,
            visit.endpoint_id >> 24 & 255, visit.endpoint_id >> 16 & 255),
        (SELECT address FROM address6 WHERE number = visit.endpoint_id >> 16)) AS address,
    visit.endpoint_id & 65535 AS port,
    nullif(server_name.name, '') AS server_name,
    lower(hex(certificate.sha1)) AS sha1,
    lower(hex(certificate.sha256)) AS sha256,
    "match".key_proven,
    "match".handshake_finished,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    scan_number.scan_id AS scan
FROM "match"
JOIN indicator ON indicator.id = "match".indicator_id
JOIN indicator_set ON indicator_set.id = indicator.set_id
JOIN visit ON visit.endpoint_id = "match".endpoint_id
    AND visit.server_name_id = "match".server_name_id
    AND visit.scan_number = "match".scan_number
JOIN scan_number ON scan_number.number = "match".scan_number
JOIN server_name ON server_name.id = visit.server_name_id
JOIN certificate ON certificate.id = "match".certificate_id;

CREATE VIEW softether_servers AS
SELECT
    iif(visit.endpoint_id < 281474976710656,
        printf('%d.%d.%d.%d', visit.endpoint_id >> 40, visit.endpoint_id >> 32 & 255,
            visit.endpoint_id >> 24 & 255, visit.endpoint_id >> 16 & 255),
        (SELECT address FROM address6 WHERE number = visit.endpoint_id >> 16)) AS address,
    visit.endpoint_id & 65535 AS port,
    nullif(server_name.name, '') AS server_name,
    softether_server.product,
    softether_server.version,
    softether_server.build,
    nullif(lower(hex(certificate.sha1)), '') AS sha1,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    scan_number.scan_id AS scan
FROM softether_server
JOIN visit ON visit.endpoint_id = softether_server.endpoint_id
    AND visit.server_name_id = softether_server.server_name_id
    AND visit.scan_number = softether_server.scan_number
JOIN scan_number ON scan_number.number = softether_server.scan_number
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id;

CREATE VIEW transitions AS
SELECT
    lower(hex(transition.key)) AS key,
    transition.kind,
    strftime('%Y-%m-%dT%H:%M:%S', transition.time / 1000000, 'unixepoch')
        || printf('.%03dZ', transition.time / 1000 % 1000) AS time,
    iif(transition.endpoint_id < 281474976710656,
        printf('%d.%d.%d.%d', transition.endpoint_id >> 40, transition.endpoint_id >> 32 & 255,
            transition.endpoint_id >> 24 & 255, transition.endpoint_id >> 16 & 255),
        (SELECT address FROM address6 WHERE number = transition.endpoint_id >> 16)) AS address,
    transition.endpoint_id & 65535 AS port,
    nullif(server_name.name, '') AS server_name,
    vantage.name AS vantage,
    nullif(lower(hex(certificate.sha1)), '') AS sha1,
    nullif(lower(hex(certificate.sha256)), '') AS sha256,
    certificate.common_name,
    nullif(lower(hex(previous.sha256)), '') AS previous_sha256,
    iif(transition.previous_endpoint_id < 281474976710656,
        printf('%d.%d.%d.%d', transition.previous_endpoint_id >> 40, transition.previous_endpoint_id >> 32 & 255,
            transition.previous_endpoint_id >> 24 & 255, transition.previous_endpoint_id >> 16 & 255),
        (SELECT address FROM address6 WHERE number = transition.previous_endpoint_id >> 16)) AS previous_address,
    transition.previous_endpoint_id & 65535 AS previous_port,
    transition.tier,
    scan_number.scan_id AS scan
FROM transition
JOIN vantage ON vantage.id = transition.vantage_id
JOIN server_name ON server_name.id = transition.server_name_id
JOIN certificate ON certificate.id = transition.certificate_id
JOIN scan_number ON scan_number.number = transition.scan_number
LEFT JOIN certificate AS previous ON previous.id = transition.previous_certificate_id;

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
