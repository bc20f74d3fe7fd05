//! Places whose history changed: transitions are looked for there, and nowhere else.

use rusqlite::{Connection, params};

use super::endpoint::Place;

/// So many visits that all saw the one leaf make a place quiet: another that sees the same changes nothing. A leaf is
/// gone after 16 visits without it at most, and at a place of several leaves after so many times their number.
const QUIET_AFTER: i64 = 64;

/// Whether the visit of `scan` to `place`, which is written, saw nothing but `certificate`, as all before it did.
pub(super) fn is_quiet(
    connection: &Connection,
    place: Place,
    scan: i64,
    certificate: i64,
) -> rusqlite::Result<bool> {
    const SELECT: &str = "
        SELECT
            EXISTS (
                SELECT 1 FROM (
                    SELECT certificate_id FROM visit
                    WHERE endpoint_id = ?1 AND server_name_id = ?2
                    ORDER BY scan_number DESC LIMIT ?5
                ) WHERE certificate_id IS NOT ?4
            ) OR EXISTS (
                SELECT 1 FROM visit
                WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number > ?3
            ) OR EXISTS (
                SELECT 1 FROM further_leaf WHERE endpoint_id = ?1 AND server_name_id = ?2
            )";
    let mut select = connection.prepare_cached(SELECT)?;
    let parameters = params![place.endpoint, place.server_name, scan, certificate, QUIET_AFTER];
    select.query_row(parameters, |row| row.get(0).map(|changed: bool| !changed))
}

/// Says of each of `places`, seen from `vantage`, that its history changed.
pub(super) fn add(connection: &Connection, vantage: i64, places: &[Place]) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO pending_place (endpoint_id, server_name_id, vantage_id) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(INSERT)?;
    for place in places {
        insert.execute((place.endpoint, place.server_name, vantage))?;
    }
    Ok(())
}
