//! Ledgers of every schema that was ever written keep all that they hold.
//!
//! `ledgers/vN.sql` is one of schema N as text, with representative rows: IPv4 and IPv6 endpoints, server names,
//! vantages, several attempts, chains, matches, a further leaf, an unfinished scan.

use std::path::Path;

use certsweep::domain::fingerprint::{Fingerprint, Sha1Fingerprint, Sha256Fingerprint};
use certsweep::domain::scan::Shard;
use certsweep::store::{Ledger, Summary};
use rusqlite::Connection;

use crate::support::query;

const OLD: [&str; 5] = [
    include_str!("ledgers/v1.sql"),
    include_str!("ledgers/v2.sql"),
    include_str!("ledgers/v3.sql"),
    include_str!("ledgers/v4.sql"),
    include_str!("ledgers/v5.sql"),
];

/// From which schema on a ledger can hold what follows.
const FURTHER_LEAVES: usize = 3;
const SERVERS: usize = 4;

const VISITS: [&str; 7] = [
    "192.0.2.1 443 - certificate - - listed 1.3 TLS_AES_128_GCM_SHA256 1 1 70 80 90 2026-11-24T02:18:24.513Z 01JDA",
    "192.0.2.1 443 - alert fatal handshake_failure(40) - - - - - 0 73 - - 2026-11-25T02:18:24.512Z 01JDB",
    "192.0.2.1 443 - certificate - - listed 1.3 TLS_AES_128_GCM_SHA256 1 1 75 85 95 2026-11-26T02:18:24.512Z 01JDC",
    "2001:db8::1 443 www.example certificate - reset plain 1.2 TLS_RSA_WITH_AES_128_CBC_SHA - 0 71 81 91 \
     2026-11-24T02:18:24.513Z 01JDA",
    "2001:db8::1 5555 - certificate - - other 1.3 TLS_AES_128_GCM_SHA256 1 1 74 84 94 2026-11-25T02:18:24.513Z 01JDB",
    "255.254.16.9 65535 - certificate - - plain 1.2 TLS_RSA_WITH_AES_128_CBC_SHA 0 0 72 82 - \
     2026-11-24T02:18:24.513Z 01JDA",
    "::1 1 - certificate - - plain 1.3 TLS_AES_128_GCM_SHA256 - 1 76 86 96 2026-11-26T02:18:24.513Z 01JDC",
];

const SIGHTINGS: [&str; 7] = [
    "192.0.2.1 443 - CN=listed 2026-11-24T02:18:24.513Z 1 1 default 01JDA 01JDA",
    "192.0.2.1 443 - CN=listed 2026-11-26T02:18:24.512Z 1 1 away 01JDC 01JDC",
    "2001:db8::1 443 www.example CN=plain 2026-11-24T02:18:24.513Z 1 - default 01JDA 01JDA",
    "2001:db8::1 5555 - CN=other 2026-11-25T02:18:24.513Z 1 1 default 01JDB 01JDB",
    "2001:db8::1 5555 - CN=plain 2026-11-25T02:18:24.513Z 1 0 default 01JDB 01JDB",
    "255.254.16.9 65535 - CN=plain 2026-11-24T02:18:24.513Z 1 0 default 01JDA 01JDA",
    "::1 1 - CN=plain 2026-11-26T02:18:24.513Z 1 - away 01JDC 01JDC",
];

fn write(sql: &str, path: &Path) {
    let old = Connection::open(path).unwrap();
    old.execute_batch(sql).unwrap();
    old.close().unwrap();
}

/// Every schema, and a ledger that was written with it, opened.
fn each(check: impl Fn(usize, &Path, &Ledger)) {
    for (sql, schema) in OLD.iter().zip(1..) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        write(sql, &path);
        let ledger = Ledger::open(&path).unwrap_or_else(|error| panic!("schema {schema}: {error}"));
        check(schema, &path, &ledger);
    }
}

#[test]
fn visits_and_sightings_are_told_as_before() {
    each(|schema, path, ledger| {
        let visits = "SELECT address, port, server_name, outcome, detail, ended, common_name, \
            tls_version, cipher_suite, key_proven, handshake_finished, connect_us, first_byte_us, \
            leaf_us, time, scan \
            FROM visits LEFT JOIN certificate ON lower(hex(certificate.sha256)) = visits.sha256 \
            ORDER BY address, port, time";
        assert_eq!(query(path, visits), VISITS, "schema {schema}");
        let sightings = "SELECT address, port, server_name, sightings.subject, sightings.last_seen, \
            sightings.count, sightings.key_proven, vantage, first.scan_id, last.scan_id \
            FROM sightings \
            JOIN certificate ON lower(hex(certificate.sha256)) = sightings.sha256 \
            JOIN vantage ON vantage.name = vantage \
            JOIN sighting ON certificate_id = certificate.id AND sighting.vantage_id = vantage.id \
                AND endpoint_id & 65535 = port AND sighting.last_seen / 1000 % 1000 = \
                substr(sightings.last_seen, 21, 3) + 0 \
                AND date(sighting.last_seen / 1000000, 'unixepoch') = substr(sightings.last_seen, 1, 10) \
            JOIN scan_number AS first ON first.number = first_scan \
            JOIN scan_number AS last ON last.number = last_scan \
            ORDER BY address, port, sightings.last_seen, sightings.subject";
        let expected: Vec<_> = SIGHTINGS
            .into_iter()
            .filter(|row| schema >= FURTHER_LEAVES || !row.contains("5555 - CN=plain"))
            .collect();
        assert_eq!(query(path, sightings), expected, "schema {schema}");
        assert_eq!(
            ledger.summary().unwrap(),
            Summary { certificates: 3, endpoints: 5, sightings: expected.len() as u64, scans: 3 }
        );
    });
}

#[test]
fn attempts_chains_matches_and_servers_are_told_as_before() {
    each(|schema, path, _| {
        let attempts = "SELECT address, port, scan, number, client, attempt.outcome, request \
            FROM attempt JOIN visits ON visits.id = visit_id ORDER BY scan, address, port, number";
        let request = if schema >= SERVERS { "softether" } else { "-" };
        assert_eq!(
            query(path, attempts),
            [
                &format!("192.0.2.1 443 01JDA 1 own certificate {request}"),
                "2001:db8::1 443 01JDA 1 own closed -",
                "2001:db8::1 443 01JDA 2 rustls certificate -",
                "255.254.16.9 65535 01JDA 1 own certificate -",
                "192.0.2.1 443 01JDB 1 own alert -",
                "2001:db8::1 5555 01JDB 1 own certificate -",
                "192.0.2.1 443 01JDC 1 own certificate -",
                "::1 1 01JDC 1 own certificate -",
            ],
            "schema {schema}"
        );
        let chain = "SELECT address, port, position, lower(hex(chain.sha256)) \
            FROM chain JOIN visits ON visits.id = visit_id ORDER BY address, port, position";
        let [intermediate, root] =
            ["intermediate", "root"].map(|name| Sha256Fingerprint::of(name.as_bytes()));
        assert_eq!(
            query(path, chain),
            [
                format!("192.0.2.1 443 1 {intermediate}"),
                format!("192.0.2.1 443 2 {root}"),
                format!("2001:db8::1 443 1 {intermediate}"),
                format!("2001:db8::1 5555 1 {intermediate}"),
                format!("2001:db8::1 5555 2 {root}"),
            ]
        );
        let listed = "A CN=listed 192.0.2.1 443";
        let matches: Vec<_> = [
            format!("{listed} 1 01JDA"),
            "C - 2001:db8::1 5555 0 01JDB".to_owned(),
            format!("{listed} 1 01JDC"),
        ]
        .into_iter()
        .filter(|row| schema >= FURTHER_LEAVES || row.starts_with('A'))
        .collect();
        let told = "SELECT tier, label, address, port, key_proven, scan FROM matches ORDER BY scan";
        assert_eq!(query(path, told), matches, "schema {schema}");
        let further = query(path, "SELECT endpoint_id & 65535, certificate_id FROM further_leaf");
        let expected = Some("5555 2").filter(|_| schema >= FURTHER_LEAVES);
        assert_eq!(further, Vec::from_iter(expected), "schema {schema}");
        let servers = query(path, "SELECT address, product, version, build FROM softether_servers");
        let server = "192.0.2.1 SoftEther VPN Server 501 9674";
        let expected = Some(server).filter(|_| schema >= SERVERS);
        assert_eq!(servers, Vec::from_iter(expected), "schema {schema}");
        assert_eq!(query(path, "SELECT address, message FROM fault"), ["192.0.2.9 it broke"]);
        assert_eq!(query(path, "PRAGMA foreign_key_check"), [""; 0]);
        assert_eq!(query(path, "PRAGMA integrity_check"), ["ok"]);
    });
}

#[test]
fn what_an_old_ledger_holds_is_found_and_gone_on_with() {
    each(|schema, path, ledger| {
        let listed = Fingerprint::Sha1(Sha1Fingerprint::of(b"listed"));
        let found = ledger.endpoints_of(&listed).unwrap();
        let [sighting] = &found[..] else { panic!("schema {schema}: {found:?}") };
        assert_eq!((sighting.target.to_string(), sighting.count), ("192.0.2.1:443".to_owned(), 2));
        let plan = Sha256Fingerprint::of(b"plan");
        let unfinished = ledger.unfinished(plan, None, Shard::WHOLE).unwrap().unwrap();
        assert_eq!((unfinished.scan.id.as_str(), unfinished.coverage.len()), ("01JDC", 100));
        assert_eq!(ledger.findings("01JDA", 10).unwrap().total, 1);
        assert_eq!(query(path, "SELECT * FROM vantage"), ["1 default own", "2 away own"]);
        // Nothing was ever looked through for transitions.
        assert_eq!(query(path, "SELECT count(*) FROM pending_place"), ["6"]);
    });
}
