-- Adds the rows of the ledger `other` to those of `main`, both of the newest schema. What both have stays as it is in
-- `main`; rows get the numbers that are free here. All of it is one transaction of the caller's.
PRAGMA defer_foreign_keys = ON;

-- Every `*_of` table says which row of ours is which of theirs.
CREATE TEMP TABLE vantage_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO main.vantage (name, kind)
SELECT name, kind FROM other.vantage WHERE true ORDER BY id ON CONFLICT DO NOTHING;
INSERT INTO vantage_of
SELECT theirs.id, ours.id FROM other.vantage AS theirs JOIN main.vantage AS ours USING (name, kind);

CREATE TEMP TABLE server_name_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO main.server_name (name)
SELECT name FROM other.server_name WHERE true ORDER BY id ON CONFLICT DO NOTHING;
INSERT INTO server_name_of
SELECT theirs.id, ours.id FROM other.server_name AS theirs JOIN main.server_name AS ours USING (name);

CREATE TEMP TABLE address_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO main.address6 (number, address, address_key)
SELECT
    (SELECT ifnull(max(number), 4294967295) FROM main.address6) + row_number() OVER (ORDER BY number),
    address, address_key
FROM other.address6
WHERE address_key NOT IN (SELECT address_key FROM main.address6);
INSERT INTO address_of
SELECT theirs.number, ours.number FROM other.address6 AS theirs JOIN main.address6 AS ours USING (address_key);

CREATE TEMP TABLE chain_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO main.chain_list (hashes)
SELECT hashes FROM other.chain_list WHERE true ORDER BY id ON CONFLICT DO NOTHING;
INSERT INTO chain_of
SELECT theirs.id, ours.id FROM other.chain_list AS theirs JOIN main.chain_list AS ours USING (hashes);

CREATE TEMP TABLE manner_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO main.manner (outcome, detail, ended, tls_version, cipher_suite, client, offer, request)
SELECT outcome, detail, ended, tls_version, cipher_suite, client, offer, request FROM other.manner
EXCEPT
SELECT outcome, detail, ended, tls_version, cipher_suite, client, offer, request FROM main.manner;
INSERT INTO manner_of
SELECT theirs.id, min(ours.id)
FROM other.manner AS theirs
JOIN main.manner AS ours ON ours.outcome = theirs.outcome
    AND ours.detail IS theirs.detail
    AND ours.ended IS theirs.ended
    AND ours.tls_version IS theirs.tls_version
    AND ours.cipher_suite IS theirs.cipher_suite
    AND ours.client IS theirs.client
    AND ours.offer IS theirs.offer
    AND ours.request IS theirs.request
GROUP BY theirs.id;

-- Of some certificates only a hash is known: those are the same only where they are known by the same one.
CREATE TEMP TABLE certificate_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO main.certificate (
    sha256, sha1, spki_sha256, der, subject, issuer, common_name, names, serial, not_before, not_after, key,
    signature_algorithm, self_signed, softether_default, parse_error, first_stored
)
SELECT
    sha256, sha1, spki_sha256, der, subject, issuer, common_name, names, serial, not_before, not_after, key,
    signature_algorithm, self_signed, softether_default, parse_error, first_stored
FROM other.certificate AS theirs
WHERE NOT EXISTS (SELECT 1 FROM main.certificate AS ours WHERE ours.sha256 = theirs.sha256)
    AND NOT (theirs.sha256 IS NULL AND EXISTS (
        SELECT 1 FROM main.certificate AS ours WHERE ours.sha256 IS NULL AND ours.sha1 = theirs.sha1
    ))
ORDER BY id;
INSERT INTO certificate_of
SELECT theirs.id, ours.id FROM other.certificate AS theirs JOIN main.certificate AS ours USING (sha256);
INSERT INTO certificate_of
SELECT theirs.id, min(ours.id)
FROM other.certificate AS theirs
JOIN main.certificate AS ours ON ours.sha1 = theirs.sha1 AND ours.sha256 IS NULL
WHERE theirs.sha256 IS NULL
GROUP BY theirs.id;
-- Their bytes, where we had the hash alone.
UPDATE main.certificate AS ours SET (
    sha1, spki_sha256, der, subject, issuer, common_name, names, serial, not_before, not_after, key,
    signature_algorithm, self_signed, softether_default, parse_error
) = (
    SELECT
        sha1, spki_sha256, der, subject, issuer, common_name, names, serial, not_before, not_after, key,
        signature_algorithm, self_signed, softether_default, parse_error
    FROM other.certificate WHERE other.certificate.sha256 = ours.sha256
)
WHERE der IS NULL AND sha256 IN (SELECT sha256 FROM other.certificate WHERE der IS NOT NULL);
UPDATE main.certificate AS ours SET first_stored = theirs.first_stored
FROM certificate_of JOIN other.certificate AS theirs ON theirs.id = certificate_of.theirs
WHERE ours.id = certificate_of.ours AND theirs.first_stored < ours.first_stored;

CREATE TEMP TABLE set_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL, is_new INTEGER NOT NULL);
INSERT INTO set_of
SELECT theirs.id, ours.id, 0 FROM other.indicator_set AS theirs JOIN main.indicator_set AS ours USING (name, hash);
INSERT INTO main.indicator_set (name, tlp, hash)
SELECT name, tlp, hash FROM other.indicator_set WHERE id NOT IN (SELECT theirs FROM set_of) ORDER BY id;
INSERT INTO set_of
SELECT theirs.id, ours.id, 1
FROM other.indicator_set AS theirs JOIN main.indicator_set AS ours USING (name, hash)
WHERE theirs.id NOT IN (SELECT theirs FROM set_of);
INSERT INTO main.indicator_source (set_id, id, title, publisher, published, url)
SELECT set_of.ours, id, title, publisher, published, url
FROM other.indicator_source JOIN set_of ON set_of.theirs = set_id AND is_new;
INSERT INTO main.indicator (
    set_id, kind, value, label, source, note, first_seen, last_seen, certificate, rule
)
SELECT set_of.ours, kind, value, label, source, note, first_seen, last_seen, certificate, rule
FROM other.indicator JOIN set_of ON set_of.theirs = set_id AND is_new
ORDER BY other.indicator.id;
-- A set of the same name and hash was read from the same file.
CREATE TEMP TABLE indicator_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT INTO indicator_of
SELECT theirs.id, min(ours.id)
FROM other.indicator AS theirs
JOIN set_of ON set_of.theirs = theirs.set_id
JOIN main.indicator AS ours ON ours.set_id = set_of.ours
    AND ours.kind = theirs.kind
    AND ours.value = theirs.value
    AND ours.source = theirs.source
    AND ours.label IS theirs.label
GROUP BY theirs.id;

-- A scan that both have went on in one of them, or in none: the one that came further tells of it.
CREATE TEMP TABLE scan_of (
    theirs  INTEGER PRIMARY KEY,
    ours    INTEGER,
    scan_id TEXT NOT NULL UNIQUE,
    is_new  INTEGER NOT NULL,
    is_told INTEGER NOT NULL        -- by their coverage and counts
);
INSERT INTO scan_of
SELECT
    number, NULL, scan_id, scan_id NOT IN (SELECT id FROM main.scan),
    (SELECT ifnull(sum(last_position - first_position + 1), 0) FROM other.coverage AS theirs
        WHERE theirs.scan_id = other.scan_number.scan_id)
    > (SELECT ifnull(sum(last_position - first_position + 1), -1) FROM main.coverage AS ours
        WHERE ours.scan_id = other.scan_number.scan_id)
FROM other.scan_number;
UPDATE scan_of SET is_told = 1 WHERE is_new;
INSERT INTO main.scan SELECT * FROM other.scan WHERE id IN (SELECT scan_id FROM scan_of WHERE is_new);
UPDATE main.scan AS ours
SET ended = theirs.ended, complete = theirs.complete, matched = theirs.matched, faults = theirs.faults
FROM other.scan AS theirs
WHERE theirs.id = ours.id AND ours.id IN (SELECT scan_id FROM scan_of WHERE is_told AND NOT is_new);
INSERT INTO main.scan_number (scan_id, vantage_id)
SELECT theirs.scan_id, vantage_of.ours
FROM other.scan_number AS theirs
JOIN scan_of ON scan_of.theirs = theirs.number AND is_new
JOIN vantage_of ON vantage_of.theirs = theirs.vantage_id
ORDER BY theirs.number;
UPDATE scan_of SET ours = (
    SELECT number FROM main.scan_number WHERE main.scan_number.scan_id = scan_of.scan_id
);
DELETE FROM main.coverage WHERE scan_id IN (SELECT scan_id FROM scan_of WHERE is_told);
INSERT INTO main.coverage
SELECT * FROM other.coverage WHERE scan_id IN (SELECT scan_id FROM scan_of WHERE is_told);
DELETE FROM main.scan_outcome WHERE scan_id IN (SELECT scan_id FROM scan_of WHERE is_told);
INSERT INTO main.scan_outcome
SELECT * FROM other.scan_outcome WHERE scan_id IN (SELECT scan_id FROM scan_of WHERE is_told);
INSERT OR IGNORE INTO main.scan_set
SELECT scan_id, set_of.ours FROM other.scan_set JOIN set_of ON set_of.theirs = set_id;
INSERT OR IGNORE INTO main.fault SELECT * FROM other.fault;

-- Every place that they visited, with our numbers.
CREATE TEMP TABLE place_of (
    their_endpoint INTEGER NOT NULL,
    their_name     INTEGER NOT NULL,
    endpoint       INTEGER NOT NULL,
    name           INTEGER NOT NULL,
    PRIMARY KEY (their_endpoint, their_name)
) WITHOUT ROWID;
INSERT INTO place_of
SELECT
    theirs.endpoint_id, theirs.server_name_id,
    iif(theirs.endpoint_id < 281474976710656, theirs.endpoint_id,
        (SELECT ours FROM address_of WHERE address_of.theirs = theirs.endpoint_id >> 16) << 16
            | (theirs.endpoint_id & 65535)),
    server_name_of.ours
FROM (
    SELECT endpoint_id, server_name_id FROM other.visit
    UNION
    SELECT endpoint_id, server_name_id FROM other.sighting
) AS theirs
JOIN server_name_of ON server_name_of.theirs = theirs.server_name_id;

INSERT OR IGNORE INTO main.visit
SELECT
    place_of.endpoint, place_of.name, scan_of.ours, theirs.time, certificate_of.ours, manner_of.ours, chain_of.ours,
    theirs.key_proven, theirs.handshake_finished, theirs.connect_us, theirs.first_byte_us, theirs.leaf_us
FROM other.visit AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN scan_of ON scan_of.theirs = theirs.scan_number
JOIN manner_of ON manner_of.theirs = theirs.manner_id
LEFT JOIN certificate_of ON certificate_of.theirs = theirs.certificate_id
LEFT JOIN chain_of ON chain_of.theirs = theirs.chain_id
ORDER BY 1, 2, 3;
INSERT OR IGNORE INTO main.further_leaf (endpoint_id, server_name_id, scan_number, certificate_id)
SELECT place_of.endpoint, place_of.name, scan_of.ours, certificate_of.ours
FROM other.further_leaf AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN scan_of ON scan_of.theirs = theirs.scan_number
JOIN certificate_of ON certificate_of.theirs = theirs.certificate_id;
INSERT OR IGNORE INTO main.listed_attempt (
    endpoint_id, server_name_id, scan_number, number, client, offer, outcome, detail, leaf_sha256, key_proven,
    handshake_finished, request
)
SELECT
    place_of.endpoint, place_of.name, scan_of.ours, number, client, offer, outcome, detail, leaf_sha256, key_proven,
    handshake_finished, request
FROM other.listed_attempt AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN scan_of ON scan_of.theirs = theirs.scan_number;
INSERT OR IGNORE INTO main."match" (
    scan_number, endpoint_id, server_name_id, indicator_id, certificate_id, tier, key_proven, handshake_finished
)
SELECT
    scan_of.ours, place_of.endpoint, place_of.name, indicator_of.ours, certificate_of.ours, tier, key_proven,
    handshake_finished
FROM other."match" AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN scan_of ON scan_of.theirs = theirs.scan_number
JOIN indicator_of ON indicator_of.theirs = theirs.indicator_id
JOIN certificate_of ON certificate_of.theirs = theirs.certificate_id;
INSERT OR IGNORE INTO main.softether_server (
    scan_number, endpoint_id, server_name_id, product, version, build
)
SELECT scan_of.ours, place_of.endpoint, place_of.name, product, version, build
FROM other.softether_server AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN scan_of ON scan_of.theirs = theirs.scan_number;

-- Their counts are added where no scan of theirs was known here. Where one was, what it saw is counted already, and
-- only the visits of the new ones are added.
INSERT INTO main.sighting (
    certificate_id, endpoint_id, server_name_id, vantage_id, first_seen, last_seen, count, first_scan, last_scan,
    key_proven, handshake_finished
)
SELECT
    certificate_of.ours, place_of.endpoint, place_of.name, vantage_of.ours, theirs.first_seen, theirs.last_seen,
    theirs.count, first.ours, last.ours, theirs.key_proven, theirs.handshake_finished
FROM other.sighting AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN certificate_of ON certificate_of.theirs = theirs.certificate_id
JOIN vantage_of ON vantage_of.theirs = theirs.vantage_id
LEFT JOIN scan_of AS first ON first.theirs = theirs.first_scan
LEFT JOIN scan_of AS last ON last.theirs = theirs.last_scan
WHERE true
ORDER BY 1, 2, 3, 4
ON CONFLICT DO UPDATE SET
    count = iif(
        first_scan IS NULL, max(count, excluded.count),
        iif(
            EXISTS (SELECT 1 FROM scan_of WHERE NOT is_new),
            (SELECT count(*) FROM main.visit JOIN scan_of ON scan_of.ours = main.visit.scan_number AND is_new
                WHERE main.visit.endpoint_id = excluded.endpoint_id
                    AND main.visit.server_name_id = excluded.server_name_id
                    AND main.visit.certificate_id = excluded.certificate_id),
            excluded.count
        ) + count
    ),
    first_scan = iif(excluded.first_seen < first_seen, excluded.first_scan, first_scan),
    last_scan = iif(excluded.last_seen >= last_seen, excluded.last_scan, last_scan),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    key_proven = coalesce(max(key_proven, excluded.key_proven), key_proven, excluded.key_proven),
    handshake_finished = max(handshake_finished, excluded.handshake_finished);

CREATE TEMP TABLE import_of (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL);
INSERT OR IGNORE INTO main.import (path, format, sha256, time, vantage_id, records, refused)
SELECT path, format, sha256, time, vantage_of.ours, records, refused
FROM other.import JOIN vantage_of ON vantage_of.theirs = vantage_id
ORDER BY other.import.id;
INSERT INTO import_of
SELECT theirs.id, ours.id
FROM other.import AS theirs
JOIN vantage_of ON vantage_of.theirs = theirs.vantage_id
JOIN main.import AS ours ON ours.sha256 = theirs.sha256 AND ours.vantage_id = vantage_of.ours;
INSERT OR IGNORE INTO main.import_certificate (import_id, certificate_id)
SELECT import_of.ours, certificate_of.ours
FROM other.import_certificate AS theirs
JOIN import_of ON import_of.theirs = theirs.import_id
JOIN certificate_of ON certificate_of.theirs = theirs.certificate_id;

-- What changed is found anew, wherever they visited.
INSERT INTO main.pending_place (endpoint_id, server_name_id, vantage_id)
SELECT DISTINCT place_of.endpoint, place_of.name, vantage_of.ours
FROM other.visit AS theirs
JOIN place_of ON their_endpoint = theirs.endpoint_id AND their_name = theirs.server_name_id
JOIN scan_of ON scan_of.theirs = theirs.scan_number AND is_told
JOIN other.scan_number AS number ON number.number = theirs.scan_number
JOIN vantage_of ON vantage_of.theirs = number.vantage_id;
