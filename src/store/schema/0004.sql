-- Schema 4: what SoftEther servers say of themselves where they are asked (--confirm-softether).

-- What was asked once the handshake was finished: 'softether'; NULL if nothing.
ALTER TABLE attempt ADD COLUMN request TEXT;

-- What a visit's endpoint said of itself; anybody could say so.
CREATE TABLE softether_server (
    visit_id INTEGER PRIMARY KEY REFERENCES visit,
    product  TEXT NOT NULL,         -- as the server names it, 256 characters at most
    version  INTEGER,               -- in hundredths: 501 is 5.01
    build    INTEGER                -- counted through all versions
) STRICT;

CREATE VIEW softether_servers AS
SELECT
    endpoint.address,
    endpoint.port,
    nullif(server_name.name, '') AS server_name,
    softether_server.product,
    softether_server.version,
    softether_server.build,
    lower(hex(certificate.sha1)) AS sha1,
    strftime('%Y-%m-%dT%H:%M:%S', visit.time / 1000000, 'unixepoch')
        || printf('.%03dZ', visit.time / 1000 % 1000) AS time,
    visit.scan_id AS scan
FROM softether_server
JOIN visit ON visit.id = softether_server.visit_id
JOIN endpoint ON endpoint.id = visit.endpoint_id
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN certificate ON certificate.id = visit.certificate_id;
