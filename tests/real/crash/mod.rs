//! A ledger whose writer is killed, or whose machine loses power, at any point of its work.
//!
//! The writer is this very test program, run again; strace kills it at a system call of our choice, or tells what it
//! wrote so that it can be replayed as a disk might have it after a power cut.

mod kill;
mod power;
mod writer;

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use writer::{BATCHES, PER_BATCH, SCAN};

/// Every row of every table of the ledger at `path`, as text; nothing in it tells when or by whom it was written.
fn dump(path: &Path) -> Vec<String> {
    let ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables = column(&ledger, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1");
    let rows = |table: &String| {
        // What is only added at the end stands in the order of its batches, which a repeat may cut otherwise.
        let mut rows = column(&ledger, &format!("SELECT * FROM \"{table}\""));
        rows.sort();
        rows.insert(0, table.clone());
        rows
    };
    let kept = |table: &&String| !["pending_place", "lease"].contains(&table.as_str());
    tables.iter().filter(kept).flat_map(rows).collect()
}

fn column(ledger: &Connection, sql: &str) -> Vec<String> {
    let mut select = ledger.prepare(sql).unwrap();
    let columns = select.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    };
    let row = |row: &rusqlite::Row<'_>| {
        let cells = (0..columns).map(|column| text(row.get_ref(column).unwrap()));
        Ok(cells.collect::<Vec<_>>().join("|"))
    };
    select.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// Looks whether the ledger at `path` holds together, and holds the first `told` batches whole, and maybe one more,
/// whole as well. There may be none yet if nothing was told.
#[track_caller]
fn assert_whole(path: &Path, told: u64, at: &str) {
    let ledger = Connection::open(path).unwrap();
    if let Err(error) = ledger.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        panic!("{at}: cannot be read: {error}");
    }
    assert_eq!(column(&ledger, "PRAGMA integrity_check"), ["ok"], "{at}");
    let is_made: i64 = ledger
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'coverage'", [], |row| {
            row.get(0)
        })
        .unwrap();
    if is_made == 0 {
        assert_eq!(told, 0, "{at}: told of batches, and there is no ledger");
        return;
    }
    assert_eq!(column(&ledger, "PRAGMA foreign_key_check"), [""; 0], "{at}");
    let covered: i64 = ledger
        .query_row(
            "SELECT ifnull(sum(last_position - first_position + 1), 0) FROM coverage",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let covered = covered as u64;
    assert!(covered.is_multiple_of(PER_BATCH), "{at}: {covered} positions are no whole batches");
    let batches = covered / PER_BATCH;
    assert!((told..=told + 1).contains(&batches), "{at}: told of {told}, and there are {batches}");
    // What is covered was written with it: a visit for each position and no other.
    let has_visits: i64 = ledger
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'visit'", [], |row| row.get(0))
        .unwrap();
    if has_visits > 0 {
        let visits: i64 =
            ledger.query_row("SELECT count(*) FROM visit", [], |row| row.get(0)).unwrap();
        let sightings: i64 =
            ledger.query_row("SELECT count(*) FROM sighting", [], |row| row.get(0)).unwrap();
        assert_eq!((visits as u64, sightings as u64), (covered, covered), "{at}");
    }
    assert!(batches <= BATCHES);
    let scans = column(&ledger, "SELECT id FROM scan");
    assert!(scans.len() <= 1 && scans.iter().all(|id| id == SCAN), "{at}: {scans:?}");
}
