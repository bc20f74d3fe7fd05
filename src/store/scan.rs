//! Scans: written when they start and end, read back to be resumed.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::error::Cause;
use super::{progress, vantage};
use crate::domain::coverage::Coverage;
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::scan::{Counts, Scan, Shard};
use crate::domain::time::Timestamp;

/// A scan that has positions left, and how far it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumable {
    /// The scan as it was begun.
    pub scan: Scan,
    /// The positions that are done.
    pub coverage: Coverage,
    /// What became of them.
    pub counts: Counts,
}

/// Writes down that `scan` starts.
pub(super) fn insert(connection: &Connection, scan: &Scan) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO scan (
            id, plan_hash, scope_name, scope_hash, scope_text, command_line, seed, shard_index,
            shard_count, vantage, version, settings, positions, started
        ) VALUES (
            :id, :plan_hash, :scope_name, :scope_hash, :scope_text, :command_line, :seed,
            :shard_index, :shard_count, :vantage, :version, :settings, :positions, :started
        )";
    let arguments: serde_json::Value = scan.command_line.iter().map(String::as_str).collect();
    connection.prepare_cached(INSERT)?.execute(named_params! {
        ":id": scan.id,
        ":plan_hash": scan.plan_hash.0,
        ":scope_name": scan.scope_name,
        ":scope_hash": scan.scope_hash.0,
        ":scope_text": scan.scope_text,
        ":command_line": arguments.to_string(),
        ":seed": scan.seed.cast_signed(),
        ":shard_index": scan.shard.index,
        ":shard_count": scan.shard.count,
        ":vantage": scan.vantage,
        ":version": scan.version,
        ":settings": scan.settings,
        ":positions": scan.positions.cast_signed(),
        ":started": scan.started.micros(),
    })?;
    let vantage = vantage::intern_own(connection, &scan.vantage)?;
    connection
        .prepare_cached("INSERT INTO scan_number (scan_id, vantage_id) VALUES (?1, ?2)")?
        .execute(params![scan.id, vantage])?;
    Ok(())
}

/// The number that visits and sightings call a scan by, and the row of its vantage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) scan: i64,
    pub(super) vantage: i64,
}

/// What `scan` is called by.
pub(super) fn numbers(connection: &Connection, scan: &str) -> rusqlite::Result<Numbers> {
    connection
        .prepare_cached("SELECT number, vantage_id FROM scan_number WHERE scan_id = ?1")?
        .query_row([scan], |row| Ok(Numbers { scan: row.get(0)?, vantage: row.get(1)? }))
}

/// Writes down that `scan` ended.
pub(super) fn finish(
    connection: &Connection,
    scan: &str,
    ended: Timestamp,
    complete: bool,
) -> Result<(), Cause> {
    let changed = connection
        .prepare_cached("UPDATE scan SET ended = ?2, complete = ?3 WHERE id = ?1")?
        .execute(params![scan, ended.micros(), complete])?;
    Cause::unless_known(scan, changed)
}

/// Writes down that `scan` goes on.
pub(super) fn reopen(connection: &Connection, scan: &str) -> Result<(), Cause> {
    let changed = connection
        .prepare_cached("UPDATE scan SET ended = NULL, complete = 0 WHERE id = ?1")?
        .execute([scan])?;
    Cause::unless_known(scan, changed)
}

/// The latest incomplete scan of this part of the plan, with this seed if one is given.
pub(super) fn unfinished(
    connection: &Connection,
    plan_hash: Sha256Fingerprint,
    seed: Option<u64>,
    shard: Shard,
) -> rusqlite::Result<Option<Resumable>> {
    const SELECT: &str = "
        SELECT * FROM scan
        WHERE plan_hash = ?1 AND shard_index = ?2 AND shard_count = ?3 AND complete = 0
            AND (?4 IS NULL OR seed = ?4)
        ORDER BY started DESC, id DESC LIMIT 1";
    let seed = seed.map(u64::cast_signed);
    connection
        .prepare_cached(SELECT)?
        .query_row(params![plan_hash.0, shard.index, shard.count, seed], |row| {
            read(connection, row)
        })
        .optional()
}

/// The scan called `id`, unless there is none or it is complete.
pub(super) fn resumable(connection: &Connection, id: &str) -> rusqlite::Result<Option<Resumable>> {
    connection
        .prepare_cached("SELECT * FROM scan WHERE id = ?1 AND complete = 0")?
        .query_row([id], |row| read(connection, row))
        .optional()
}

fn read(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Resumable> {
    let unsigned = |column| row.get::<&str, i64>(column).map(i64::cast_unsigned);
    let scan = Scan {
        id: row.get("id")?,
        plan_hash: Sha256Fingerprint(row.get("plan_hash")?),
        scope_name: row.get("scope_name")?,
        scope_hash: Sha256Fingerprint(row.get("scope_hash")?),
        scope_text: row.get("scope_text")?,
        command_line: arguments(row, "command_line")?,
        seed: unsigned("seed")?,
        shard: Shard { index: row.get("shard_index")?, count: row.get("shard_count")? },
        vantage: row.get("vantage")?,
        version: row.get("version")?,
        settings: row.get("settings")?,
        positions: unsigned("positions")?,
        started: Timestamp::from_micros(row.get("started")?),
    };
    let coverage = progress::coverage(connection, &scan.id)?;
    let counts = progress::counts(connection, &scan.id, unsigned("matched")?, unsigned("faults")?)?;
    Ok(Resumable { scan, coverage, counts })
}

fn arguments(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<String>> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        let index = row.as_ref().column_index(column).unwrap_or_default();
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into())
    })
}
