-- A ledger of schema 4, as text.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE attempt (
    visit_id           INTEGER NOT NULL REFERENCES visit,
    number             INTEGER NOT NULL,
    client             TEXT NOT NULL,
    offer              TEXT NOT NULL,
    outcome            TEXT NOT NULL,
    detail             TEXT,
    leaf_sha256        BLOB,
    key_proven         INTEGER,
    handshake_finished INTEGER NOT NULL, request TEXT,
    PRIMARY KEY (visit_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempt" VALUES(1,1,'own','universal','certificate',NULL,X'56547A7CC8BBF46BB4AA2F18A097FEE842CE6E94CA4C7F5CDA6DF35C4F5825C9',1,1,'softether');
INSERT INTO "attempt" VALUES(2,1,'own','universal','closed',NULL,NULL,NULL,0,NULL);
INSERT INTO "attempt" VALUES(2,2,'rustls','tls12-tls13','certificate',NULL,X'A116C9ED46D6207734A43317D30FD88F52AC8634C37D904BBF4E41D865F90475',NULL,0,NULL);
INSERT INTO "attempt" VALUES(3,1,'own','universal','certificate',NULL,X'A116C9ED46D6207734A43317D30FD88F52AC8634C37D904BBF4E41D865F90475',0,0,NULL);
INSERT INTO "attempt" VALUES(4,1,'own','universal','alert','fatal handshake_failure(40)',NULL,NULL,0,NULL);
INSERT INTO "attempt" VALUES(5,1,'own','universal','certificate',NULL,X'D9298A10D1B0735837DC4BD85DAC641B0F3CEF27A47E5D53A54F2F3F5B2FCFFA',1,1,NULL);
INSERT INTO "attempt" VALUES(6,1,'own','universal','certificate',NULL,X'56547A7CC8BBF46BB4AA2F18A097FEE842CE6E94CA4C7F5CDA6DF35C4F5825C9',1,1,NULL);
INSERT INTO "attempt" VALUES(7,1,'own','universal','certificate',NULL,X'A116C9ED46D6207734A43317D30FD88F52AC8634C37D904BBF4E41D865F90475',NULL,1,NULL);
CREATE TABLE certificate (
    id                  INTEGER PRIMARY KEY,
    sha256              BLOB NOT NULL UNIQUE,
    sha1                BLOB NOT NULL,
    spki_sha256         BLOB,
    der                 BLOB NOT NULL,
    subject             TEXT,
    issuer              TEXT,
    common_name         TEXT,
    names               TEXT NOT NULL,
    serial              TEXT,
    not_before          INTEGER,
    not_after           INTEGER,
    key                 TEXT,
    signature_algorithm TEXT,
    self_signed         INTEGER,
    softether_default   INTEGER NOT NULL,
    parse_error         TEXT,
    first_stored        INTEGER NOT NULL
) STRICT;
INSERT INTO "certificate" VALUES(1,X'56547A7CC8BBF46BB4AA2F18A097FEE842CE6E94CA4C7F5CDA6DF35C4F5825C9',X'ADCC7AEE87E914F9B782DE197376A29C2E4245DE',NULL,X'6C6973746564','CN=listed','CN=ca','listed','[]','01',NULL,1830046704512999,'RSA-2048','sha256WithRSAEncryption',0,0,NULL,1795486704513000);
INSERT INTO "certificate" VALUES(2,X'A116C9ED46D6207734A43317D30FD88F52AC8634C37D904BBF4E41D865F90475',X'68C46E84D76D2E7E686E5158BF598909ABD4E45B',NULL,X'706C61696E','CN=plain','CN=ca','plain','[]','02',NULL,1830046704512999,'RSA-2048','sha256WithRSAEncryption',0,0,NULL,1795486704513001);
INSERT INTO "certificate" VALUES(3,X'D9298A10D1B0735837DC4BD85DAC641B0F3CEF27A47E5D53A54F2F3F5B2FCFFA',X'D0941E68DA8F38151FF86A61FC59F7C5CF9FCAA2',NULL,X'6F74686572','CN=other','CN=ca','other','[]','03',NULL,1830046704512999,'RSA-2048','sha256WithRSAEncryption',0,0,NULL,1795486704513002);
CREATE TABLE chain (
    visit_id INTEGER NOT NULL REFERENCES visit,
    position INTEGER NOT NULL,
    sha256   BLOB NOT NULL,
    PRIMARY KEY (visit_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "chain" VALUES(1,1,X'94E6F02A5ACA51E44A2C057E9C0F3CED80814C198DE8A84B4F5CAB7E06EA2094');
INSERT INTO "chain" VALUES(1,2,X'4813494D137E1631BBA301D5ACAB6E7BB7AA74CE1185D456565EF51D737677B2');
INSERT INTO "chain" VALUES(2,1,X'94E6F02A5ACA51E44A2C057E9C0F3CED80814C198DE8A84B4F5CAB7E06EA2094');
INSERT INTO "chain" VALUES(5,1,X'94E6F02A5ACA51E44A2C057E9C0F3CED80814C198DE8A84B4F5CAB7E06EA2094');
INSERT INTO "chain" VALUES(5,2,X'4813494D137E1631BBA301D5ACAB6E7BB7AA74CE1185D456565EF51D737677B2');
CREATE TABLE coverage (
    scan_id        TEXT NOT NULL REFERENCES scan,
    first_position INTEGER NOT NULL,
    last_position  INTEGER NOT NULL,
    PRIMARY KEY (scan_id, first_position)
) STRICT, WITHOUT ROWID;
INSERT INTO "coverage" VALUES('01JDA',0,511);
INSERT INTO "coverage" VALUES('01JDB',0,511);
INSERT INTO "coverage" VALUES('01JDC',0,99);
CREATE TABLE endpoint (
    id          INTEGER PRIMARY KEY,
    address     TEXT NOT NULL,
    address_key BLOB NOT NULL,
    port        INTEGER NOT NULL,
    UNIQUE (address_key, port)
) STRICT;
INSERT INTO "endpoint" VALUES(1,'192.0.2.1',X'00000000000000000000FFFFC0000201',443);
INSERT INTO "endpoint" VALUES(2,'2001:db8::1',X'20010DB8000000000000000000000001',443);
INSERT INTO "endpoint" VALUES(3,'2001:db8::1',X'20010DB8000000000000000000000001',5555);
INSERT INTO "endpoint" VALUES(4,'255.254.16.9',X'00000000000000000000FFFFFFFE1009',65535);
INSERT INTO "endpoint" VALUES(5,'::1',X'00000000000000000000000000000001',1);
CREATE TABLE fault (
    scan_id  TEXT NOT NULL REFERENCES scan,
    position INTEGER NOT NULL,
    address  TEXT NOT NULL,
    port     INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    message  TEXT NOT NULL,
    PRIMARY KEY (scan_id, position, time)
) STRICT, WITHOUT ROWID;
INSERT INTO "fault" VALUES('01JDC',9,'192.0.2.9',443,1795486704513004,'it broke');
CREATE TABLE indicator (
    id          INTEGER PRIMARY KEY,
    set_id      INTEGER NOT NULL REFERENCES indicator_set,
    kind        TEXT NOT NULL CHECK (
        kind IN ('certificate', 'public_key', 'name', 'profile', 'template', 'address')
    ),
    value       TEXT NOT NULL,
    label       TEXT,
    source      TEXT NOT NULL,
    note        TEXT,
    first_seen  TEXT,
    last_seen   TEXT,
    certificate TEXT,
    rule        TEXT
) STRICT;
INSERT INTO "indicator" VALUES(1,1,'certificate','sha1:adcc7aee87e914f9b782de197376a29c2e4245de','CN=listed','report',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "indicator" VALUES(2,1,'name','name:vm',NULL,'report',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE indicator_set (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    tlp  TEXT NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (name, hash)
) STRICT;
INSERT INTO "indicator_set" VALUES(1,'raptor','clear',X'6EE0EB490FF832101CF82A3D387C35F29E4230BE786978F7ACF9E811FEBF6723');
CREATE TABLE indicator_source (
    set_id    INTEGER NOT NULL REFERENCES indicator_set,
    id        TEXT NOT NULL,
    title     TEXT NOT NULL,
    publisher TEXT,
    published TEXT,
    url       TEXT,
    PRIMARY KEY (set_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "indicator_source" VALUES(1,'report','A report',NULL,'2026-01-02',NULL);
CREATE TABLE "match" (
    visit_id           INTEGER NOT NULL REFERENCES visit,
    indicator_id       INTEGER NOT NULL REFERENCES indicator,
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    tier               TEXT NOT NULL,
    key_proven         INTEGER,
    handshake_finished INTEGER NOT NULL,
    PRIMARY KEY (visit_id, indicator_id, certificate_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "match" VALUES(1,1,1,'A',1,1);
INSERT INTO "match" VALUES(5,2,2,'C',0,0);
INSERT INTO "match" VALUES(6,1,1,'A',1,1);
CREATE TABLE scan (
    id           TEXT PRIMARY KEY,
    plan_hash    BLOB NOT NULL,
    scope_name   TEXT NOT NULL,
    scope_hash   BLOB NOT NULL,
    scope_text   TEXT NOT NULL,
    command_line TEXT NOT NULL,
    seed         INTEGER NOT NULL,
    shard_index  INTEGER NOT NULL,
    shard_count  INTEGER NOT NULL,
    vantage      TEXT NOT NULL,
    version      TEXT NOT NULL,
    settings     TEXT NOT NULL,
    positions    INTEGER NOT NULL,
    started      INTEGER NOT NULL,
    ended        INTEGER,
    complete     INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    matched      INTEGER NOT NULL DEFAULT 0,
    faults       INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO "scan" VALUES('01JDA',X'64879F7D6B960A01909762D911A32D4582C20010C5641EE90278B644A9E3B525','acme',X'5F161C9149882E0E10124BC5DD5C11F0FBE8EC452EDD52BCEC76B01E9252CB33','192.0.2.0/24','["scan"]',7,1,1,'default','0.1.0','{}',512,1795486704512999,1795486713512999,1,1,0);
INSERT INTO "scan" VALUES('01JDB',X'64879F7D6B960A01909762D911A32D4582C20010C5641EE90278B644A9E3B525','acme',X'5F161C9149882E0E10124BC5DD5C11F0FBE8EC452EDD52BCEC76B01E9252CB33','192.0.2.0/24','["scan"]',7,1,1,'default','0.1.0','{}',512,1795573104512999,1795573113512999,1,0,0);
INSERT INTO "scan" VALUES('01JDC',X'64879F7D6B960A01909762D911A32D4582C20010C5641EE90278B644A9E3B525','acme',X'5F161C9149882E0E10124BC5DD5C11F0FBE8EC452EDD52BCEC76B01E9252CB33','192.0.2.0/24','["scan"]',-1,1,1,'away','0.1.0','{}',512,1795659504512999,NULL,0,0,0);
CREATE TABLE scan_outcome (
    scan_id TEXT NOT NULL REFERENCES scan,
    outcome TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (scan_id, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO "scan_outcome" VALUES('01JDA','certificate',3);
INSERT INTO "scan_outcome" VALUES('01JDA','silent',500);
INSERT INTO "scan_outcome" VALUES('01JDB','certificate',3);
INSERT INTO "scan_outcome" VALUES('01JDB','silent',500);
INSERT INTO "scan_outcome" VALUES('01JDC','certificate',3);
INSERT INTO "scan_outcome" VALUES('01JDC','silent',500);
CREATE TABLE scan_set (
    scan_id TEXT NOT NULL REFERENCES scan,
    set_id  INTEGER NOT NULL REFERENCES indicator_set,
    PRIMARY KEY (scan_id, set_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "scan_set" VALUES('01JDA',1);
INSERT INTO "scan_set" VALUES('01JDB',1);
CREATE TABLE server_name (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "server_name" VALUES(0,'');
INSERT INTO "server_name" VALUES(1,'www.example');
CREATE TABLE sighting (
    endpoint_id        INTEGER NOT NULL REFERENCES endpoint,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    certificate_id     INTEGER NOT NULL REFERENCES certificate,
    vantage            TEXT NOT NULL,
    first_seen         INTEGER NOT NULL,
    last_seen          INTEGER NOT NULL,
    count              INTEGER NOT NULL,
    first_scan         TEXT NOT NULL REFERENCES scan,
    last_scan          TEXT NOT NULL REFERENCES scan,
    key_proven         INTEGER,
    handshake_finished INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, server_name_id, certificate_id, vantage)
) STRICT, WITHOUT ROWID;
INSERT INTO "sighting" VALUES(1,0,1,'away',1795659504512999,1795659504512999,1,'01JDC','01JDC',1,1);
INSERT INTO "sighting" VALUES(1,0,1,'default',1795486704513000,1795486704513000,1,'01JDA','01JDA',1,1);
INSERT INTO "sighting" VALUES(2,1,2,'default',1795486704513001,1795486704513001,1,'01JDA','01JDA',NULL,0);
INSERT INTO "sighting" VALUES(3,0,2,'default',1795573104513000,1795573104513000,1,'01JDB','01JDB',0,0);
INSERT INTO "sighting" VALUES(3,0,3,'default',1795573104513000,1795573104513000,1,'01JDB','01JDB',1,1);
INSERT INTO "sighting" VALUES(4,0,2,'default',1795486704513002,1795486704513002,1,'01JDA','01JDA',0,0);
INSERT INTO "sighting" VALUES(5,0,2,'away',1795659504513000,1795659504513000,1,'01JDC','01JDC',NULL,1);
CREATE TABLE softether_server (
    visit_id INTEGER PRIMARY KEY REFERENCES visit,
    product  TEXT NOT NULL,
    version  INTEGER,
    build    INTEGER
) STRICT;
INSERT INTO "softether_server" VALUES(1,'SoftEther VPN Server',501,9674);
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
CREATE TABLE visit (
    id                 INTEGER PRIMARY KEY,
    scan_id            TEXT NOT NULL REFERENCES scan,
    endpoint_id        INTEGER NOT NULL REFERENCES endpoint,
    server_name_id     INTEGER NOT NULL REFERENCES server_name,
    time               INTEGER NOT NULL,
    outcome            TEXT NOT NULL,
    detail             TEXT,
    certificate_id     INTEGER REFERENCES certificate,
    ended              TEXT,
    tls_version        TEXT,
    cipher_suite       TEXT,
    key_proven         INTEGER,
    handshake_finished INTEGER NOT NULL,
    connect_us         INTEGER,
    first_byte_us      INTEGER,
    leaf_us            INTEGER,
    UNIQUE (scan_id, endpoint_id, server_name_id)
) STRICT;
INSERT INTO "visit" VALUES(1,'01JDA',1,0,1795486704513000,'certificate',NULL,1,NULL,'1.3','TLS_AES_128_GCM_SHA256',1,1,70,80,90);
INSERT INTO "visit" VALUES(2,'01JDA',2,1,1795486704513001,'certificate',NULL,2,'reset','1.2','TLS_RSA_WITH_AES_128_CBC_SHA',NULL,0,71,81,91);
INSERT INTO "visit" VALUES(3,'01JDA',4,0,1795486704513002,'certificate',NULL,2,NULL,'1.2','TLS_RSA_WITH_AES_128_CBC_SHA',0,0,72,82,NULL);
INSERT INTO "visit" VALUES(4,'01JDB',1,0,1795573104512999,'alert','fatal handshake_failure(40)',NULL,NULL,NULL,NULL,NULL,0,73,NULL,NULL);
INSERT INTO "visit" VALUES(5,'01JDB',3,0,1795573104513000,'certificate',NULL,3,NULL,'1.3','TLS_AES_128_GCM_SHA256',1,1,74,84,94);
INSERT INTO "visit" VALUES(6,'01JDC',1,0,1795659504512999,'certificate',NULL,1,NULL,'1.3','TLS_AES_128_GCM_SHA256',1,1,75,85,95);
INSERT INTO "visit" VALUES(7,'01JDC',5,0,1795659504513000,'certificate',NULL,2,NULL,'1.3','TLS_AES_128_GCM_SHA256',NULL,1,76,86,96);
CREATE INDEX scan_plan ON scan (plan_hash, shard_index, shard_count, started);
CREATE INDEX certificate_sha1 ON certificate (sha1);
CREATE INDEX certificate_spki ON certificate (spki_sha256);
CREATE INDEX sighting_certificate ON sighting (certificate_id);
CREATE INDEX visit_endpoint ON visit (endpoint_id, time);
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
CREATE INDEX indicator_value ON indicator (value);
CREATE INDEX indicator_by_set ON indicator (set_id);
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
PRAGMA application_id = 1668511600;
PRAGMA user_version = 4;
COMMIT;
