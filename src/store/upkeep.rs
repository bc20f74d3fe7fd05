//! Looking after a ledger: what it holds, whether it holds together, and making it smaller.

use std::fs;

use rusqlite::{Connection, params};

use super::error::{Cause, StoreError};
use super::ledger::Ledger;
use super::migration;
use super::prune::{self, Pruned};
use crate::domain::time::Timestamp;

/// The size of a ledger and what fills it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The version of its schema.
    pub schema: i32,
    /// Octets of the file.
    pub file_bytes: u64,
    /// Octets of the log beside it, which is folded into the file when the last process closes it.
    pub log_bytes: u64,
    /// Octets of the file that hold nothing: [`Ledger::compact`] gives them back.
    pub free_bytes: u64,
    /// Octets of the certificates themselves.
    pub certificate_bytes: u64,
    /// Different leaf certificates.
    pub certificates: u64,
    /// Certificates at endpoints, by server name and vantage.
    pub sightings: u64,
    /// Visits that have a row.
    pub visits: u64,
    /// Scans, complete or not.
    pub scans: u64,
    /// Indicators that a visit's leaf matched.
    pub matches: u64,
    /// Transitions found.
    pub transitions: u64,
    /// Changes in which transitions were not looked for yet.
    pub pending: u64,
    /// The first time that a certificate was seen.
    pub oldest: Option<Timestamp>,
    /// The last time that one was.
    pub newest: Option<Timestamp>,
}

impl Info {
    /// Octets of the file for each sighting, the certificates themselves and what is free aside; `None` if it has none.
    pub fn bytes_per_sighting(&self) -> Option<f64> {
        let rest = self.file_bytes.saturating_sub(self.certificate_bytes + self.free_bytes);
        (self.sightings > 0).then(|| rest as f64 / self.sightings as f64)
    }
}

/// The size of a ledger's file before and after it was compacted, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// What must be nowhere, each with the words for it.
const INVARIANTS: [(&str, &str); 7] = [
    (
        "visits saw a leaf of which there is no sighting",
        "SELECT count(*) FROM visit JOIN scan_number ON number = scan_number
         WHERE certificate_id IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM sighting
             WHERE sighting.certificate_id = visit.certificate_id
                 AND sighting.endpoint_id = visit.endpoint_id
                 AND sighting.server_name_id = visit.server_name_id
                 AND sighting.vantage_id = scan_number.vantage_id
         )",
    ),
    (
        "further leaves are those of which there is no sighting, or their visit's own",
        "SELECT count(*) FROM further_leaf
         JOIN visit USING (endpoint_id, server_name_id, scan_number)
         WHERE further_leaf.certificate_id = visit.certificate_id OR NOT EXISTS (
             SELECT 1 FROM sighting
             WHERE sighting.certificate_id = further_leaf.certificate_id
                 AND sighting.endpoint_id = further_leaf.endpoint_id
                 AND sighting.server_name_id = further_leaf.server_name_id
         )",
    ),
    (
        "sightings end before they begin, or were never seen",
        "SELECT count(*) FROM sighting WHERE first_seen > last_seen OR count < 1",
    ),
    (
        "visits are of an IPv6 address that has no row",
        "SELECT count(*) FROM visit
         WHERE endpoint_id >> 16 >= 4294967296
             AND endpoint_id >> 16 NOT IN (SELECT number FROM address6)",
    ),
    (
        "chains are no whole number of hashes",
        "SELECT count(*) FROM chain_list WHERE length(hashes) % 32",
    ),
    (
        "ranges of coverage overlap or end before they begin",
        "SELECT count(*) FROM coverage AS range
         WHERE first_position > last_position OR EXISTS (
             SELECT 1 FROM coverage AS other
             WHERE other.scan_id = range.scan_id AND other.first_position > range.first_position
                 AND other.first_position <= range.last_position
         )",
    ),
    (
        "scans have no number",
        "SELECT count(*) FROM scan WHERE id NOT IN (SELECT scan_id FROM scan_number)",
    ),
];

impl Ledger {
    /// How large the ledger is and what fills it. This reads all sightings and visits.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn info(&self) -> Result<Info, StoreError> {
        const SELECT: &str = "
            SELECT (SELECT count(*) FROM certificate), (SELECT count(*) FROM sighting),
                (SELECT count(*) FROM visit), (SELECT count(*) FROM scan),
                (SELECT count(*) FROM \"match\"), (SELECT count(*) FROM transition),
                (SELECT count(*) FROM pending_place),
                (SELECT ifnull(sum(length(der)), 0) FROM certificate),
                (SELECT min(first_seen) FROM sighting), (SELECT max(last_seen) FROM sighting)";
        let size = |path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        let (file_bytes, log_bytes) =
            (size(self.path.clone()), size(super::file::log_of(&self.path)));
        self.read(|connection| {
            let number =
                |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            let free = number("freelist_count")?.saturating_mul(number("page_size")?);
            let schema = migration::schema(connection)?;
            connection.query_row(SELECT, [], |row| {
                let count = |column| row.get(column).map(i64::cast_unsigned);
                let time = |column| {
                    Ok::<_, rusqlite::Error>(
                        row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros),
                    )
                };
                Ok(Info {
                    schema,
                    file_bytes,
                    log_bytes,
                    free_bytes: free.cast_unsigned(),
                    certificate_bytes: count(7)?,
                    certificates: count(0)?,
                    sightings: count(1)?,
                    visits: count(2)?,
                    scans: count(3)?,
                    matches: count(4)?,
                    transitions: count(5)?,
                    pending: count(6)?,
                    oldest: time(8)?,
                    newest: time(9)?,
                })
            })
        })
    }

    /// What is wrong with the ledger, at most about a hundred lines; none if it holds together: its pages, that rows
    /// refer to rows that are there, and what must hold besides.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| {
            let mut wrong = damaged_pages(connection)?;
            // Of pages that are damaged nothing else can be said.
            if wrong.is_empty() {
                wrong.extend(lost_references(connection)?);
                for (words, sql) in INVARIANTS {
                    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
                    wrong.extend((count > 0).then(|| format!("{count} {words}")));
                }
            }
            Ok(wrong)
        })
    }

    /// Writes the file anew without what is free in it, and empties the log.
    ///
    /// This takes as much room again as the ledger has, in the log beside it and in the folder for temporary files.
    ///
    /// # Errors
    ///
    /// If there is no room for it, or another process writes or reads for longer than we wait; the ledger is then as it
    /// was.
    pub fn compact(&mut self) -> Result<Compacted, StoreError> {
        let before = self.file_size();
        let at = |error: rusqlite::Error| match Cause::from(error).at(&self.path) {
            StoreError::Full { path } => StoreError::NoRoomToCompact { path, needed: before },
            other => other,
        };
        self.connection.execute_batch("VACUUM").map_err(at)?;
        let is_busy: bool = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(at)?;
        if is_busy {
            return Err(StoreError::Busy { path: self.path.clone() });
        }
        Ok(Compacted { before, after: self.file_size() })
    }

    /// Drops visits before `before` of which nothing more can be learnt: those inside a run of visits of their place
    /// that all ended and saw the same. The first of each run, as many as could make a transition, and the last stay, so
    /// that folding gives the same transitions; so do sightings. Visits with a match stay unless `including_matches`.
    /// Then chains, words and certificates are dropped that nothing refers to.
    ///
    /// The room that this leaves is used for what is written next; [`Ledger::compact`] gives it back.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written; what was dropped before stays so.
    pub fn prune(
        &mut self,
        before: Timestamp,
        including_matches: bool,
    ) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        let mut after = None;
        loop {
            let done = self.write(|transaction| {
                prune::visits(transaction, after, before, including_matches, &mut pruned)
            })?;
            if done.is_none() {
                break;
            }
            after = done;
        }
        // Nothing has an index of who refers to a chain: SQLite would look through all visits for each.
        self.check_references(false)?;
        let done = self.write(|transaction| prune::unreferenced(transaction, &mut pruned));
        let checked = self.check_references(true);
        done.and(checked).map(|()| pruned)
    }

    fn file_size(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }
}

fn damaged_pages(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA integrity_check(50)")?;
    let found: Vec<String> =
        check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

fn lost_references(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    const SELECT: &str = "
        SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check
        GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let (table, parent, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("{count} rows of {table} refer to rows of {parent} that are not there"))
    };
    connection.prepare(SELECT)?.query_map(params![50], read)?.collect()
}
