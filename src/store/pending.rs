//! Places whose history changed: transitions are looked for there, and nowhere else.

use rusqlite::{CachedStatement, Connection};

use super::endpoint::Place;

/// What tells places where nothing changed, in one transaction.
pub(super) struct Quiet<'c> {
    /// 64 visits that all saw the one leaf make a place quiet: another that sees the same changes nothing. A leaf is
    /// gone after 16 visits without it at most, and at a place of several leaves after so many times their number.
    visits: CachedStatement<'c>,
    /// `None` where no place is known to hold several leaves.
    further: Option<CachedStatement<'c>>,
}

impl<'c> Quiet<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        const VISITS: &str = "
            SELECT scan_number, certificate_id FROM visit
            WHERE endpoint_id = ?1 AND server_name_id = ?2
            ORDER BY scan_number DESC LIMIT 64";
        const FURTHER: &str =
            "SELECT 1 FROM further_leaf WHERE endpoint_id = ?1 AND server_name_id = ?2";
        let visits = connection.prepare_cached(VISITS)?;
        let has_further =
            connection.prepare_cached("SELECT 1 FROM further_leaf LIMIT 1")?.exists([])?;
        let further = has_further.then(|| connection.prepare_cached(FURTHER)).transpose()?;
        Ok(Self { visits, further })
    }

    /// Whether the visit of `scan` to `place`, which is written, is the latest and saw nothing but `certificate`, as
    /// those before it did.
    pub(super) fn is_quiet(
        &mut self,
        place: Place,
        scan: i64,
        certificate: i64,
    ) -> rusqlite::Result<bool> {
        let Place { endpoint, server_name } = place;
        let mut rows = self.visits.query((endpoint, server_name))?;
        while let Some(row) = rows.next()? {
            let (number, seen): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            if number > scan || seen != Some(certificate) {
                return Ok(false);
            }
        }
        match &mut self.further {
            Some(further) => Ok(!further.exists((endpoint, server_name))?),
            None => Ok(true),
        }
    }
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
