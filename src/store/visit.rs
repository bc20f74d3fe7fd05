//! Visits, with their attempts and what else they saw.

use std::time::Duration;

use rusqlite::{CachedStatement, Connection, params};

use super::endpoint::Place;
use crate::domain::observation::{Attempt, Observation};
use crate::domain::tls::Request;

/// An observation with the rows that it refers to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit<'a> {
    /// The scan's id.
    pub(super) scan: &'a str,
    /// The scan's number.
    pub(super) number: i64,
    pub(super) place: Place,
    pub(super) certificate: Option<i64>,
    pub(super) manner: i64,
    pub(super) chain: Option<i64>,
    pub(super) observation: &'a Observation,
}

/// What became of a visit that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is the first of its scan to its place.
    Anew,
    /// Its scan had been there before, and had not seen this leaf.
    Changed,
    /// Its scan had seen as much before.
    Again,
}

pub(super) const INSERT: &str = "
INSERT INTO visit (
    endpoint_id, server_name_id, scan_number, time, certificate_id, manner_id, chain_id, key_proven,
    handshake_finished, connect_us, first_byte_us, leaf_us
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (endpoint_id, server_name_id, scan_number) DO NOTHING";

const FIND: &str = "
SELECT certificate_id FROM visit
WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3";

const UPDATE: &str = "
UPDATE visit SET
    time = ?4, certificate_id = ?5, manner_id = ?6, chain_id = ?7, key_proven = ?8,
    handshake_finished = ?9, connect_us = ?10, first_byte_us = ?11, leaf_us = ?12
WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3";

/// Writes `visit` with the statement [`INSERT`].
///
/// A scan that is resumed may repeat a visit: the later one takes the place of the earlier, unless
/// only the earlier saw a leaf. That would throw away what was seen; another leaf that the earlier saw stays as a
/// further one.
pub(super) fn upsert(
    connection: &Connection,
    insert: &mut CachedStatement<'_>,
    visit: &Visit<'_>,
) -> rusqlite::Result<Written> {
    if execute(insert, visit)? == 1 {
        insert_parts(connection, visit)?;
        return Ok(Written::Anew);
    }
    let before: Option<i64> =
        connection.prepare_cached(FIND)?.query_row(key(visit), |row| row.get(0))?;
    if before.is_some() && visit.certificate.is_none() {
        return Ok(Written::Again);
    }
    delete_parts(connection, visit)?;
    execute(&mut connection.prepare_cached(UPDATE)?, visit)?;
    insert_parts(connection, visit)?;
    if before == visit.certificate {
        return Ok(Written::Again);
    }
    let was_further = delete_further(connection, visit)?;
    if let Some(before) = before {
        insert_further(connection, visit, before)?;
    }
    Ok(if was_further { Written::Again } else { Written::Changed })
}

/// Writes that the visit to the same place in the same scan saw the leaf of `visit` too; `None` if there is no such
/// visit.
pub(super) fn add_leaf(
    connection: &Connection,
    visit: &Visit<'_>,
    certificate: i64,
) -> rusqlite::Result<Option<Written>> {
    let mut find = connection.prepare_cached(FIND)?;
    let mut rows = find.query(key(visit))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    match row.get::<_, Option<i64>>(0)? {
        // The visit had been repeated without a leaf, or began so: this is its leaf.
        None => Ok(None),
        Some(own) if own == certificate => Ok(Some(Written::Again)),
        Some(_) if insert_further(connection, visit, certificate)? => Ok(Some(Written::Changed)),
        Some(_) => Ok(Some(Written::Again)),
    }
}

/// What tells the visit from all others.
const fn key(visit: &Visit<'_>) -> (i64, i64, i64) {
    (visit.place.endpoint, visit.place.server_name, visit.number)
}

/// Whether `certificate` was not yet known as a further leaf of the visit.
fn insert_further(
    connection: &Connection,
    visit: &Visit<'_>,
    certificate: i64,
) -> rusqlite::Result<bool> {
    const INSERT: &str = "
        INSERT OR IGNORE INTO further_leaf (
            endpoint_id, server_name_id, scan_number, certificate_id
        ) VALUES (?1, ?2, ?3, ?4)";
    let (endpoint, name, number) = key(visit);
    let mut insert = connection.prepare_cached(INSERT)?;
    Ok(insert.execute((endpoint, name, number, certificate))? == 1)
}

/// Whether the visit's own leaf was known as a further one.
fn delete_further(connection: &Connection, visit: &Visit<'_>) -> rusqlite::Result<bool> {
    const DELETE: &str = "
        DELETE FROM further_leaf
        WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3 AND certificate_id = ?4";
    let (endpoint, name, number) = key(visit);
    let mut delete = connection.prepare_cached(DELETE)?;
    Ok(delete.execute((endpoint, name, number, visit.certificate))? == 1)
}

/// The attempt of a visit that made only one, where the visit's row says all else of it.
pub(super) fn sole(seen: &Observation) -> Option<&Attempt> {
    let [made] = seen.attempts.as_slice() else { return None };
    let is_the_visit = made.outcome == seen.outcome
        && made.leaf == seen.leaf.as_ref().map(|leaf| leaf.sha256)
        && made.evidence.key_proven == seen.evidence.key_proven
        && made.evidence.handshake_finished == seen.evidence.handshake_finished;
    is_the_visit.then_some(made)
}

/// Runs `statement`, whose parameters are the columns of [`INSERT`] in order; how many rows it changed.
fn execute(statement: &mut CachedStatement<'_>, visit: &Visit<'_>) -> rusqlite::Result<usize> {
    let seen = visit.observation;
    statement.execute(params![
        visit.place.endpoint,
        visit.place.server_name,
        visit.number,
        seen.time.micros(),
        visit.certificate,
        visit.manner,
        visit.chain,
        seen.evidence.key_proven,
        seen.evidence.handshake_finished,
        micros(seen.timing.connect),
        micros(seen.timing.first_byte),
        micros(seen.timing.leaf),
    ])
}

fn insert_parts(connection: &Connection, visit: &Visit<'_>) -> rusqlite::Result<()> {
    const ATTEMPT: &str = "
        INSERT INTO listed_attempt (
            endpoint_id, server_name_id, scan_number, number, client, offer, outcome, detail,
            leaf_sha256, key_proven, handshake_finished, request
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    const SERVER: &str = "
        INSERT INTO softether_server (
            endpoint_id, server_name_id, scan_number, product, version, build
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (endpoint, name, scan) = key(visit);
    let seen = visit.observation;
    let listed = if sole(seen).is_some() { &[] } else { seen.attempts.as_slice() };
    for (attempt, number) in listed.iter().zip(1_i64..) {
        connection.prepare_cached(ATTEMPT)?.execute(params![
            endpoint,
            name,
            scan,
            number,
            attempt.asked.client(),
            attempt.asked.offer(),
            attempt.outcome.word(),
            attempt.outcome.detail(),
            attempt.leaf.map(|hash| hash.0),
            attempt.evidence.key_proven,
            attempt.evidence.handshake_finished,
            attempt.request.map(Request::word),
        ])?;
    }
    if let Some(server) = &seen.softether_server {
        let values = params![endpoint, name, scan, server.product, server.version, server.build];
        connection.prepare_cached(SERVER)?.execute(values)?;
    }
    Ok(())
}

/// Makes room for what is written anew of `visit`; matches of other leaves than its own were seen and stay.
fn delete_parts(connection: &Connection, visit: &Visit<'_>) -> rusqlite::Result<()> {
    const ATTEMPTS: &str = "
        DELETE FROM listed_attempt
        WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3";
    const SERVER: &str = "
        DELETE FROM softether_server
        WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3";
    const MATCHES: &str = "
        DELETE FROM \"match\"
        WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3 AND certificate_id = ?4";

    let (endpoint, name, scan) = key(visit);
    connection.prepare_cached(ATTEMPTS)?.execute(key(visit))?;
    connection.prepare_cached(SERVER)?.execute(key(visit))?;
    connection.prepare_cached(MATCHES)?.execute((endpoint, name, scan, visit.certificate))?;
    Ok(())
}

fn micros(duration: Option<Duration>) -> Option<i64> {
    duration.map(|duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}
