//! Merging: another ledger's scans, sightings and imports become this one's too.
//!
//! Rows are known again by what they say, so that the same ledger may be merged twice, and shards of one plan that were
//! swept on several machines give the ledger of one sweep. Alerts that are still to be sent stay with who found them.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction};

use super::error::{Cause, StoreError};
use super::{file, migration};

/// The statements, in one transaction.
const ROWS: &str = include_str!("rows.sql");

/// What a merge added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Scans that were not known.
    pub scans: u64,
    /// Certificates that were not known.
    pub certificates: u64,
    /// Sightings that were not known.
    pub sightings: u64,
}

/// Adds what the ledger at `other` holds to the one at `path`, open as `connection`.
pub(super) fn merge(
    connection: &mut Connection,
    path: &Path,
    other: &Path,
) -> Result<Merged, StoreError> {
    let theirs = file::open_read_only(other)?;
    if is_same(path, other) {
        return Err(StoreError::Itself { path: path.to_owned() });
    }
    let is_older = migration::schema(&theirs).map_err(|error| Cause::from(error).at(other))?
        < migration::NEWEST;
    let copy = if is_older { Some(Copy::migrated(&theirs, path, other)?) } else { None };
    drop(theirs);
    let source = copy.as_ref().map_or(other, |copy| copy.path.as_path());
    let merged = attached(connection, source);
    merged.map_err(|cause| cause.at(path))
}

/// Merges from `source`, which is of the newest schema and stays as it is.
fn attached(connection: &mut Connection, source: &Path) -> Result<Merged, Cause> {
    let name = source.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(source.to_owned()))?;
    connection.execute("ATTACH ?1 AS other", [name])?;
    let merged = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .and_then(|transaction| {
            let before = count(&transaction)?;
            transaction.execute_batch(ROWS)?;
            let after = count(&transaction)?;
            drop_maps(&transaction)?;
            transaction.commit()?;
            Ok(Merged {
                scans: after.scans - before.scans,
                certificates: after.certificates - before.certificates,
                sightings: after.sightings - before.sightings,
            })
        });
    let detached = connection.execute("DETACH other", []);
    let merged = merged?;
    detached?;
    Ok(merged)
}

fn count(connection: &Connection) -> rusqlite::Result<Merged> {
    const COUNT: &str = "SELECT (SELECT count(*) FROM main.scan), \
        (SELECT count(*) FROM main.certificate), (SELECT count(*) FROM main.sighting)";
    connection.query_row(COUNT, [], |row| {
        let count = |column| row.get(column).map(i64::cast_unsigned);
        Ok(Merged { scans: count(0)?, certificates: count(1)?, sightings: count(2)? })
    })
}

/// The tables that say which row is which are of no use after the merge.
fn drop_maps(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    const SELECT: &str = "SELECT name FROM temp.sqlite_schema WHERE type = 'table' AND name LIKE '%\\_of' ESCAPE '\\'";
    let mut select = transaction.prepare(SELECT)?;
    let names: Vec<String> =
        select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for name in names {
        transaction.execute_batch(&format!("DROP TABLE temp.{name}"))?;
    }
    Ok(())
}

fn is_same(path: &Path, other: &Path) -> bool {
    match (path.canonicalize(), other.canonicalize()) {
        (Ok(path), Ok(other)) => path == other,
        _ => false,
    }
}

/// A copy of a ledger, beside the one that it is merged into; gone when it is dropped.
struct Copy {
    path: PathBuf,
}

impl Copy {
    /// A copy of `theirs` with the newest schema: the ledger itself may be another version's, and is left as it is.
    fn migrated(theirs: &Connection, path: &Path, other: &Path) -> Result<Self, StoreError> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("-merge-{}", std::process::id()));
        let copy = Self { path: name.into() };
        let written = copy.path.to_str().map(|name| theirs.execute("VACUUM INTO ?1", [name]));
        match written {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(Cause::from(error).at(path)),
            None => return Err(StoreError::Foreign { path: other.to_owned() }),
        }
        drop(file::open(&copy.path)?);
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = self.path.as_os_str().to_owned();
            name.push(suffix);
            let _ = fs::remove_file(PathBuf::from(name));
        }
    }
}
