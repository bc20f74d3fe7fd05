-- Schema 3: a visit may see several leaves, so that a match says which one it is of, and what was proven of that.
CREATE TEMP TABLE match_before AS
SELECT visit_id, indicator_id, certificate_id, tier, key_proven, handshake_finished
FROM "match" JOIN visit ON visit.id = "match".visit_id
WHERE certificate_id IS NOT NULL;
DROP VIEW matches;
DROP TABLE "match";

-- An indicator that a leaf of a visit matched: the visit's own, or a further one.
CREATE TABLE "match" (
    visit_id           INTEGER NOT NULL REFERENCES visit,
    indicator_id       INTEGER NOT NULL REFERENCES indicator,
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    tier               TEXT NOT NULL,     -- 'A': the exact leaf
    key_proven         INTEGER,           -- in the connection that showed this leaf; NULL where nothing could be checked
    handshake_finished INTEGER NOT NULL,  -- likewise
    PRIMARY KEY (visit_id, indicator_id, certificate_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "match" (visit_id, indicator_id, certificate_id, tier, key_proven, handshake_finished)
SELECT * FROM match_before;
DROP TABLE temp.match_before;
CREATE INDEX match_indicator ON "match" (indicator_id);

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
    visit.scan_id AS scan
FROM "match"
JOIN indicator ON indicator.id = "match".indicator_id
JOIN indicator_set ON indicator_set.id = indicator.set_id
JOIN visit ON visit.id = "match".visit_id
JOIN endpoint ON endpoint.id = visit.endpoint_id
JOIN server_name ON server_name.id = visit.server_name_id
JOIN certificate ON certificate.id = "match".certificate_id;
