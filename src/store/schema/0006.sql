-- Schema 6: shorter rows for visits and sightings. A scan's id and the words of a visit, written out in each row and
-- in each key, took more room and time than all else.
PRAGMA defer_foreign_keys = ON;

-- The number that visits and sightings call a scan by.
CREATE TABLE scan_number (
    number  INTEGER PRIMARY KEY,
    scan_id TEXT NOT NULL UNIQUE REFERENCES scan
) STRICT;
INSERT INTO scan_number (scan_id) SELECT id FROM scan ORDER BY started, id;

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
SELECT DISTINCT outcome, detail, ended, tls_version, cipher_suite, client, offer, request FROM visit;

DROP VIEW attempt;
DROP VIEW matches;
DROP VIEW softether_servers;
CREATE TEMP TABLE visit_before AS SELECT * FROM visit;
DROP TABLE visit;

-- One visit of one scan. Only those that saw a leaf, or went to an endpoint that has a sighting; scan_outcome counts
-- all of them. The view visits shows them in words.
CREATE TABLE visit (
    id                 INTEGER PRIMARY KEY,
    scan_number        INTEGER NOT NULL REFERENCES scan_number,
    endpoint_id        INTEGER NOT NULL REFERENCES endpoint,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    time               INTEGER NOT NULL,  -- when it began
    certificate_id     INTEGER REFERENCES certificate,
    manner_id          INTEGER NOT NULL REFERENCES manner,
    key_proven         INTEGER,           -- NULL where nothing could be checked
    handshake_finished INTEGER NOT NULL,
    connect_us         INTEGER,           -- microseconds from the start of the connect
    first_byte_us      INTEGER,           -- likewise
    leaf_us            INTEGER,           -- likewise
    UNIQUE (scan_number, endpoint_id, server_name_id)
) STRICT;
INSERT INTO visit (
    id, scan_number, endpoint_id, server_name_id, time, certificate_id, manner_id, key_proven, handshake_finished,
    connect_us, first_byte_us, leaf_us
)
SELECT
    before.id, scan_number.number, before.endpoint_id, before.server_name_id, before.time, before.certificate_id,
    manner.id, before.key_proven, before.handshake_finished, before.connect_us, before.first_byte_us, before.leaf_us
FROM visit_before AS before
CROSS JOIN scan_number ON scan_number.scan_id = before.scan_id
CROSS JOIN manner ON manner.outcome = before.outcome
    AND manner.detail IS before.detail
    AND manner.ended IS before.ended
    AND manner.tls_version IS before.tls_version
    AND manner.cipher_suite IS before.cipher_suite
    AND manner.client IS before.client
    AND manner.offer IS before.offer
    AND manner.request IS before.request
ORDER BY before.id;
DROP TABLE temp.visit_before;

CREATE TEMP TABLE sighting_before AS SELECT * FROM sighting;
DROP TABLE sighting;

-- Where and when a certificate was seen: an interval, and not one row for each time.
CREATE TABLE sighting (
    endpoint_id        INTEGER NOT NULL REFERENCES endpoint,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    vantage            TEXT NOT NULL,
    first_seen         INTEGER NOT NULL,  -- time
    last_seen          INTEGER NOT NULL,  -- time
    count              INTEGER NOT NULL,  -- visits that saw it; a repeat within a scan is no other
    first_scan         INTEGER NOT NULL REFERENCES scan_number,
    last_scan          INTEGER NOT NULL REFERENCES scan_number,
    key_proven         INTEGER,           -- 1 ever proven, 0 checked and never proven, NULL unchecked
    handshake_finished INTEGER NOT NULL,  -- 1 if it ever was
    PRIMARY KEY (endpoint_id, server_name_id, certificate_id, vantage)
) STRICT, WITHOUT ROWID;
INSERT INTO sighting
SELECT
    endpoint_id, server_name_id, certificate_id, vantage, first_seen, last_seen, count,
    (SELECT number FROM scan_number WHERE scan_id = first_scan),
    (SELECT number FROM scan_number WHERE scan_id = last_scan),
    key_proven, handshake_finished
FROM sighting_before
ORDER BY endpoint_id, server_name_id, certificate_id, vantage;
DROP TABLE temp.sighting_before;
CREATE INDEX sighting_certificate ON sighting (certificate_id);

-- Every connection of a visit.
CREATE VIEW attempt AS
SELECT
    visit_id, number, client, offer, outcome, detail, leaf_sha256, key_proven, handshake_finished,
    request
FROM listed_attempt
UNION ALL
SELECT
    visit.id, 1, manner.client, manner.offer, manner.outcome, manner.detail, certificate.sha256,
    visit.key_proven, visit.handshake_finished, manner.request
FROM visit
JOIN manner ON manner.id = visit.manner_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id
WHERE manner.client IS NOT NULL;

CREATE VIEW visits AS
SELECT
    visit.id,
    endpoint.address,
    endpoint.port,
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
JOIN endpoint ON endpoint.id = visit.endpoint_id
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id;

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
    "match".key_proven,
    "match".handshake_finished,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    scan_number.scan_id AS scan
FROM "match"
JOIN indicator ON indicator.id = "match".indicator_id
JOIN indicator_set ON indicator_set.id = indicator.set_id
JOIN visit ON visit.id = "match".visit_id
JOIN scan_number ON scan_number.number = visit.scan_number
JOIN endpoint ON endpoint.id = visit.endpoint_id
JOIN server_name ON server_name.id = visit.server_name_id
JOIN certificate ON certificate.id = "match".certificate_id;

CREATE VIEW softether_servers AS
SELECT
    endpoint.address,
    endpoint.port,
    nullif(server_name.name, '') AS server_name,
    softether_server.product,
    softether_server.version,
    softether_server.build,
    nullif(lower(hex(certificate.sha1)), '') AS sha1,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    scan_number.scan_id AS scan
FROM softether_server
JOIN visit ON visit.id = softether_server.visit_id
JOIN scan_number ON scan_number.number = visit.scan_number
JOIN endpoint ON endpoint.id = visit.endpoint_id
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id;
