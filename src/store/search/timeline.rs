//! Every visit to one address.

use std::net::IpAddr;

use rusqlite::{Connection, Row, params};

use super::candidates::{MATCHES, certificate, matches_of};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::query::Visited;
use crate::domain::ranges::Range;
use crate::domain::time::Timestamp;
use crate::store::endpoint;

/// From and until, both included.
type Window = (Option<Timestamp>, Option<Timestamp>);

fn ends((since, until): Window) -> (i64, i64) {
    (since.map_or(i64::MIN, Timestamp::micros), until.map_or(i64::MAX, Timestamp::micros))
}

const VISITS: &str = "
SELECT visit.time, visit.endpoint_id, address6.address_key,
    nullif(server_name.name, '') AS server_name, scan.vantage, scan.id AS scan, scan.scope_name,
    scan.scope_hash, manner.outcome, manner.detail, visit.certificate_id, manner.tls_version,
    manner.cipher_suite, visit.key_proven, visit.handshake_finished
FROM visit
JOIN scan_number ON scan_number.number = visit.scan_number
JOIN scan ON scan.id = scan_number.scan_id
JOIN manner ON manner.id = visit.manner_id
JOIN server_name ON server_name.id = visit.server_name_id
LEFT JOIN address6 ON address6.number = visit.endpoint_id >> 16
WHERE visit.time BETWEEN ?1 AND ?2 AND visit.endpoint_id BETWEEN ?3 AND ?4";

/// The visits to `address`, on `port` or on all of them, in the window.
pub(in crate::store) fn visits(
    connection: &Connection,
    (address, port): (IpAddr, Option<u16>),
    window: Window,
) -> rusqlite::Result<Vec<Visited>> {
    let (since, until) = ends(window);
    let mut matches = connection.prepare_cached(MATCHES)?;
    let mut select = connection.prepare_cached(VISITS)?;
    let mut visits = Vec::new();
    for (first, last) in endpoint::bounds(connection, &Range::single(address))? {
        let mut rows = select.query(params![since, until, first, last])?;
        while let Some(row) = rows.next()? {
            let target = endpoint::target(row)?;
            if port.is_some_and(|port| port != target.port) {
                continue;
            }
            let leaf: Option<i64> = row.get("certificate_id")?;
            let mut visit = read(row, target.port)?;
            if let Some(leaf) = leaf {
                visit.certificate = Some(certificate(connection, leaf)?);
                visit.matches = matches_of(&mut matches, leaf)?;
            }
            visits.push(visit);
        }
    }
    Ok(visits)
}

fn read(row: &Row<'_>, port: u16) -> rusqlite::Result<Visited> {
    Ok(Visited {
        time: Timestamp::from_micros(row.get("time")?),
        port,
        server_name: row.get("server_name")?,
        vantage: row.get("vantage")?,
        scan: row.get("scan")?,
        scope: (row.get("scope_name")?, Sha256Fingerprint(row.get("scope_hash")?)),
        outcome: row.get("outcome")?,
        detail: row.get("detail")?,
        certificate: None,
        tls: (row.get("tls_version")?, row.get("cipher_suite")?),
        key_proven: row.get("key_proven")?,
        handshake_finished: row.get("handshake_finished")?,
        matches: Vec::new(),
    })
}

/// The certificates seen at `address` in the window, each once, in the order that they were first seen.
pub(in crate::store) fn certificates(
    connection: &Connection,
    (address, port): (IpAddr, Option<u16>),
    window: Window,
) -> rusqlite::Result<Vec<Vec<u8>>> {
    const SELECT: &str = "
        SELECT certificate.der
        FROM visit JOIN certificate ON certificate.id = visit.certificate_id
        WHERE visit.time BETWEEN ?1 AND ?2 AND visit.endpoint_id BETWEEN ?3 AND ?4
            AND (?5 IS NULL OR visit.endpoint_id & 65535 = ?5) AND certificate.der IS NOT NULL
        GROUP BY certificate.id ORDER BY min(visit.time), certificate.id";
    let (since, until) = ends(window);
    let mut select = connection.prepare_cached(SELECT)?;
    let mut ders = Vec::new();
    for (first, last) in endpoint::bounds(connection, &Range::single(address))? {
        for der in select.query_map(params![since, until, first, last, port], |row| row.get(0))? {
            ders.push(der?);
        }
    }
    Ok(ders)
}
