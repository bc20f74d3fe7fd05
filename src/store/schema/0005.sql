-- Schema 5: fewer rows for what is seen most, a visit of one connection that showed a leaf.

-- The attempts of visits that made several, or whose one attempt says something else than its visit.
ALTER TABLE attempt RENAME TO listed_attempt;

-- A visit's one attempt, where all else that is known of it is in the visit; NULL where it is listed.
ALTER TABLE visit ADD COLUMN client TEXT;
ALTER TABLE visit ADD COLUMN offer TEXT;
ALTER TABLE visit ADD COLUMN request TEXT;  -- what was asked over it: 'softether'; NULL if nothing

-- Every connection of a visit.
CREATE VIEW attempt AS
SELECT
    visit_id, number, client, offer, outcome, detail, leaf_sha256, key_proven, handshake_finished,
    request
FROM listed_attempt
UNION ALL
SELECT
    visit.id, 1, visit.client, visit.offer, visit.outcome, visit.detail, certificate.sha256,
    visit.key_proven, visit.handshake_finished, visit.request
FROM visit
LEFT JOIN certificate ON certificate.id = visit.certificate_id
WHERE visit.client IS NOT NULL;

-- The visits of an endpoint are found scan by scan: UNIQUE (scan_id, endpoint_id, server_name_id).
DROP INDEX visit_endpoint;
