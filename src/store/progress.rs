//! How far a scan is: its coverage and its counts.
//!
//! SQLite's integers have a sign and ours here have none. Values from 2^63 on, which no plan
//! reaches, would show as negative in the file and still be read back as what they were.

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::error::Cause;
use crate::domain::coverage::Coverage;
use crate::domain::indicator::Tier;
use crate::domain::scan::Counts;

/// Puts `coverage` and `counts` in the place of what was stored for `scan`.
pub(super) fn replace(
    connection: &Connection,
    scan: &str,
    coverage: &Coverage,
    counts: &Counts,
) -> Result<(), Cause> {
    let changed = connection
        .prepare_cached("UPDATE scan SET matched = ?2, faults = ?3 WHERE id = ?1")?
        .execute(params![scan, counts.matched().cast_signed(), counts.faults.cast_signed()])?;
    Cause::unless_known(scan, changed)?;
    replace_counts(connection, scan, counts)?;
    Ok(replace_coverage(connection, scan, coverage)?)
}

fn replace_counts(connection: &Connection, scan: &str, counts: &Counts) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO scan_outcome (scan_id, outcome, count) VALUES (?1, ?2, ?3)";
    connection.prepare_cached("DELETE FROM scan_outcome WHERE scan_id = ?1")?.execute([scan])?;
    let mut insert = connection.prepare_cached(INSERT)?;
    for (word, count) in counts.outcomes() {
        insert.execute(params![scan, word, count.cast_signed()])?;
    }
    Ok(())
}

fn replace_coverage(
    connection: &Connection,
    scan: &str,
    coverage: &Coverage,
) -> rusqlite::Result<()> {
    const INSERT: &str =
        "INSERT INTO coverage (scan_id, first_position, last_position) VALUES (?1, ?2, ?3)";
    connection.prepare_cached("DELETE FROM coverage WHERE scan_id = ?1")?.execute([scan])?;
    let mut insert = connection.prepare_cached(INSERT)?;
    for (first, last) in coverage.ranges() {
        insert.execute(params![scan, first.cast_signed(), last.cast_signed()])?;
    }
    Ok(())
}

/// The coverage stored for `scan`.
pub(super) fn coverage(connection: &Connection, scan: &str) -> rusqlite::Result<Coverage> {
    const SELECT: &str = "SELECT first_position, last_position FROM coverage WHERE scan_id = ?1";
    let mut select = connection.prepare_cached(SELECT)?;
    let ranges = select.query_map([scan], |row| {
        let position = |column| row.get(column).map(i64::cast_unsigned);
        Ok((position(0)?, position(1)?))
    })?;
    ranges.collect()
}

/// The counts stored for `scan`; `matched` and `faults` are columns of its own row, and what matched less
/// closely is counted from the matches.
pub(super) fn counts(
    connection: &Connection,
    scan: &str,
    matched: u64,
    faults: u64,
) -> rusqlite::Result<Counts> {
    const SELECT: &str = "SELECT outcome, count FROM scan_outcome WHERE scan_id = ?1";
    let mut counts = Counts::default();
    counts.faults = faults;
    counts.add_tier(Tier::A, matched);
    count_guesses(connection, scan, &mut counts)?;
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([scan])?;
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        if !counts.add_word(&word, row.get::<_, i64>(1)?.cast_unsigned()) {
            let reason = format!("scan {scan} counts an unknown outcome '{word}'").into();
            return Err(rusqlite::Error::FromSqlConversionFailure(0, Type::Text, reason));
        }
    }
    Ok(counts)
}

/// Adds the visits whose closest match is below tier A.
fn count_guesses(connection: &Connection, scan: &str, counts: &mut Counts) -> rusqlite::Result<()> {
    const SELECT: &str = "
        SELECT closest, count(*) FROM (
            SELECT min(\"match\".tier) AS closest
            FROM \"match\"
            WHERE scan_number = (SELECT number FROM scan_number WHERE scan_id = ?1)
            GROUP BY endpoint_id, server_name_id
        ) GROUP BY closest";
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query([scan])?;
    while let Some(row) = rows.next()? {
        let (letter, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let tier = Tier::ALL.into_iter().find(|tier| tier.letter() == letter);
        if let Some(tier) = tier.filter(|tier| *tier != Tier::A) {
            counts.add_tier(tier, count.cast_unsigned());
        }
    }
    Ok(())
}
