//! Visits, with their attempts and the chain that followed the leaf.

use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

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
    pub(super) observation: &'a Observation,
}

pub(super) const INSERT: &str = "
INSERT INTO visit (
    scan_number, endpoint_id, server_name_id, time, certificate_id, manner_id, key_proven,
    handshake_finished, connect_us, first_byte_us, leaf_us
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (scan_number, endpoint_id, server_name_id) DO NOTHING";

const FIND: &str = "
SELECT id, certificate_id FROM visit
WHERE scan_number = ?1 AND endpoint_id = ?2 AND server_name_id = ?3";

const UPDATE: &str = "
UPDATE visit SET
    time = ?4, certificate_id = ?5, manner_id = ?6, key_proven = ?7, handshake_finished = ?8,
    connect_us = ?9, first_byte_us = ?10, leaf_us = ?11
WHERE scan_number = ?1 AND endpoint_id = ?2 AND server_name_id = ?3";

/// Writes `visit` with the statement [`INSERT`].
///
/// A scan that is resumed may repeat a visit: the later one takes the place of the earlier, unless
/// only the earlier saw a leaf. That would throw away what was seen.
pub(super) fn upsert(
    connection: &Connection,
    insert: &mut CachedStatement<'_>,
    visit: &Visit<'_>,
) -> rusqlite::Result<i64> {
    if execute(insert, visit)? == 1 {
        let id = connection.last_insert_rowid();
        insert_parts(connection, id, visit.observation)?;
        return Ok(id);
    }
    let place = params![visit.number, visit.place.endpoint, visit.place.server_name];
    let (id, before): (i64, Option<i64>) =
        connection.prepare_cached(FIND)?.query_row(place, |row| Ok((row.get(0)?, row.get(1)?)))?;
    if before.is_none() || visit.certificate.is_some() {
        delete_parts(connection, id, visit.certificate)?;
        execute(&mut connection.prepare_cached(UPDATE)?, visit)?;
        insert_parts(connection, id, visit.observation)?;
    }
    Ok(id)
}

/// The row of the visit to the same place in the same scan, if it was written.
pub(super) fn find(connection: &Connection, visit: &Visit<'_>) -> rusqlite::Result<Option<i64>> {
    let place = params![visit.number, visit.place.endpoint, visit.place.server_name];
    connection.prepare_cached(FIND)?.query_row(place, |row| row.get(0)).optional()
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
        visit.number,
        visit.place.endpoint,
        visit.place.server_name,
        seen.time.micros(),
        visit.certificate,
        visit.manner,
        seen.evidence.key_proven,
        seen.evidence.handshake_finished,
        micros(seen.timing.connect),
        micros(seen.timing.first_byte),
        micros(seen.timing.leaf),
    ])
}

fn insert_parts(
    connection: &Connection,
    visit: i64,
    observation: &Observation,
) -> rusqlite::Result<()> {
    const ATTEMPT: &str = "
        INSERT INTO listed_attempt (
            visit_id, number, client, offer, outcome, detail, leaf_sha256, key_proven,
            handshake_finished, request
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const CHAIN: &str = "INSERT INTO chain (visit_id, position, sha256) VALUES (?1, ?2, ?3)";
    const SERVER: &str = "
        INSERT INTO softether_server (visit_id, product, version, build) VALUES (?1, ?2, ?3, ?4)";
    let listed = if sole(observation).is_some() { &[] } else { observation.attempts.as_slice() };
    for (attempt, number) in listed.iter().zip(1_i64..) {
        connection.prepare_cached(ATTEMPT)?.execute(params![
            visit,
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
    for (hash, position) in observation.chain.iter().zip(1_i64..) {
        connection.prepare_cached(CHAIN)?.execute(params![visit, position, hash.0])?;
    }
    if let Some(server) = &observation.softether_server {
        let values = params![visit, server.product, server.version, server.build];
        connection.prepare_cached(SERVER)?.execute(values)?;
    }
    Ok(())
}

/// Makes room for what is written anew of `visit`; matches of other leaves than `certificate` were seen and stay.
fn delete_parts(
    connection: &Connection,
    visit: i64,
    certificate: Option<i64>,
) -> rusqlite::Result<()> {
    const MATCHES: &str = "DELETE FROM \"match\" WHERE visit_id = ?1 AND certificate_id = ?2";

    connection
        .prepare_cached("DELETE FROM listed_attempt WHERE visit_id = ?1")?
        .execute([visit])?;
    connection.prepare_cached("DELETE FROM chain WHERE visit_id = ?1")?.execute([visit])?;
    connection
        .prepare_cached("DELETE FROM softether_server WHERE visit_id = ?1")?
        .execute([visit])?;
    connection.prepare_cached(MATCHES)?.execute(params![visit, certificate])?;
    Ok(())
}

fn micros(duration: Option<Duration>) -> Option<i64> {
    duration.map(|duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}
