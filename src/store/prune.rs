//! Which visits say nothing more, and what nobody refers to once they are gone.

use std::collections::HashSet;

use rusqlite::{Connection, Transaction, params};

use super::endpoint::Place;
use super::error::Cause;
use crate::domain::time::Timestamp;

/// Visits of a run that are kept, for each leaf that was ever seen at the place: a leaf is gone after 16 without it at
/// most, and at a place of several after so many times their number.
const KEPT: usize = 16;

/// Places looked through in one transaction.
const PLACES: u32 = 4_096;

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Visits.
    pub visits: u64,
    /// Attempts that were listed for them.
    pub attempts: u64,
    /// Matches, if they were to be dropped.
    pub matches: u64,
    /// Chains that nobody refers to any more.
    pub chains: u64,
    /// Certificates that nobody refers to any more.
    pub certificates: u64,
}

/// A visit as far as it matters here.
struct Row {
    time: i64,
    scan: i64,
    /// What it has in common with those of its run.
    result: (i64, String, Option<i64>, Vec<i64>),
    has_match: bool,
}

/// Drops visits of the places that follow `after`; the last place looked through, or `None` if there are no more.
pub(super) fn visits(
    transaction: &Transaction<'_>,
    after: Option<Place>,
    before: Timestamp,
    including_matches: bool,
    pruned: &mut Pruned,
) -> Result<Option<Place>, Cause> {
    let places = places(transaction, after)?;
    for place in &places {
        let rows = rows(transaction, *place)?;
        let leaves: HashSet<i64> =
            rows.iter().flat_map(|row| row.result.3.iter().copied()).collect();
        let kept = KEPT * leaves.len().max(1);
        for run in rows.chunk_by(|one, next| one.result == next.result) {
            let Some((_last, others)) = run.split_last() else { continue };
            let idle = others
                .iter()
                .skip(kept)
                .filter(|row| row.time < before.micros() && (including_matches || !row.has_match));
            for row in idle {
                drop_visit(transaction, *place, row.scan, pruned)?;
            }
        }
    }
    Ok(places.last().copied())
}

/// The next places with enough visits for one to lie inside a run.
fn places(connection: &Connection, after: Option<Place>) -> rusqlite::Result<Vec<Place>> {
    const SELECT: &str = "
        SELECT endpoint_id, server_name_id FROM visit
        WHERE (endpoint_id, server_name_id) > (?1, ?2)
        GROUP BY 1, 2 HAVING count(*) > 17 ORDER BY 1, 2 LIMIT ?3";
    let (endpoint, name) = after.map_or((-1, -1), |place| (place.endpoint, place.server_name));
    connection
        .prepare_cached(SELECT)?
        .query_map(params![endpoint, name, PLACES], |row| {
            Ok(Place { endpoint: row.get(0)?, server_name: row.get(1)? })
        })?
        .collect()
}

/// The visits of `place` by vantage, in order of time.
fn rows(connection: &Connection, place: Place) -> rusqlite::Result<Vec<Row>> {
    const SELECT: &str = "
        SELECT visit.time, visit.scan_number, scan_number.vantage_id, manner.outcome,
            visit.certificate_id,
            EXISTS (
                SELECT 1 FROM \"match\"
                WHERE \"match\".scan_number = visit.scan_number
                    AND \"match\".endpoint_id = visit.endpoint_id
                    AND \"match\".server_name_id = visit.server_name_id
            )
        FROM visit
        CROSS JOIN scan_number ON scan_number.number = visit.scan_number
        CROSS JOIN manner ON manner.id = visit.manner_id
        WHERE visit.endpoint_id = ?1 AND visit.server_name_id = ?2
        ORDER BY scan_number.vantage_id, visit.time, visit.scan_number";
    const FURTHER: &str = "
        SELECT certificate_id FROM further_leaf
        WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3
        ORDER BY certificate_id";
    let mut further = connection.prepare_cached(FURTHER)?;
    let read = |row: &rusqlite::Row<'_>| {
        let (scan, own): (i64, Option<i64>) = (row.get(1)?, row.get(4)?);
        let parameters = (place.endpoint, place.server_name, scan);
        let mut leaves: Vec<i64> =
            further.query_map(parameters, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        leaves.extend(own);
        leaves.sort_unstable();
        let result = (row.get(2)?, row.get(3)?, own, leaves);
        Ok(Row { time: row.get(0)?, scan, result, has_match: row.get(5)? })
    };
    connection
        .prepare_cached(SELECT)?
        .query_map((place.endpoint, place.server_name), read)?
        .collect()
}

fn drop_visit(
    connection: &Connection,
    place: Place,
    scan: i64,
    pruned: &mut Pruned,
) -> rusqlite::Result<()> {
    let drop_from = |table: &str| {
        let delete = format!(
            "DELETE FROM {table}
             WHERE endpoint_id = ?1 AND server_name_id = ?2 AND scan_number = ?3"
        );
        let dropped = connection.prepare_cached(&delete)?.execute((
            place.endpoint,
            place.server_name,
            scan,
        ))?;
        Ok::<_, rusqlite::Error>(dropped as u64)
    };
    pruned.attempts += drop_from("listed_attempt")?;
    drop_from("further_leaf")?;
    drop_from("softether_server")?;
    pruned.matches += drop_from("\"match\"")?;
    pruned.visits += drop_from("visit")?;
    Ok(())
}

/// Drops chains, words and certificates that nothing refers to. Whatever a visit saw has a sighting.
pub(super) fn unreferenced(
    transaction: &Transaction<'_>,
    pruned: &mut Pruned,
) -> Result<(), Cause> {
    const CHAINS: &str = "
        DELETE FROM chain_list WHERE id NOT IN (
            SELECT chain_id FROM visit WHERE chain_id IS NOT NULL
        )";
    const MANNERS: &str = "DELETE FROM manner WHERE id NOT IN (SELECT manner_id FROM visit)";
    const CERTIFICATES: &str = "
        DELETE FROM certificate WHERE
            NOT EXISTS (SELECT 1 FROM sighting WHERE certificate_id = certificate.id)
            AND NOT EXISTS (SELECT 1 FROM \"match\" WHERE certificate_id = certificate.id)
            AND NOT EXISTS (SELECT 1 FROM import_certificate WHERE certificate_id = certificate.id)
            AND NOT EXISTS (SELECT 1 FROM transition WHERE certificate_id = certificate.id)
            AND NOT EXISTS (SELECT 1 FROM transition WHERE previous_certificate_id = certificate.id)";
    pruned.chains += transaction.execute(CHAINS, [])? as u64;
    transaction.execute(MANNERS, [])?;
    pruned.certificates += transaction.execute(CERTIFICATES, [])? as u64;
    Ok(())
}
