//! What a ledger holds, as text that can be compared.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

/// What two ledgers of the same sweep must have in common: all but identities and times.
const CONTENT: [&str; 6] = [
    "SELECT scope_name, seed, shard_index, shard_count, positions, complete, matched, faults, \
        hex(plan_hash) FROM scan ORDER BY seed",
    "SELECT outcome, count FROM scan_outcome ORDER BY outcome",
    "SELECT first_position, last_position FROM coverage ORDER BY first_position",
    "SELECT address, port, outcome, detail, sha1, ended, tls_version, key_proven, \
        handshake_finished FROM visits ORDER BY address, port",
    "SELECT address, port, sha1, count, key_proven, vantage FROM sightings \
        ORDER BY address, port, sha1",
    "SELECT set_name, tier, indicator, label, source, address, port, key_proven, \
        handshake_finished FROM matches ORDER BY indicator, address, port",
];

/// Everything of the ledger at `path` that a repeated sweep must reproduce.
pub(crate) fn content(path: &Path) -> Vec<String> {
    CONTENT.iter().flat_map(|sql| query(path, sql)).collect()
}

/// The rows that `sql` gives, each as one text.
pub(crate) fn query(path: &Path, sql: &str) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let ledger = Connection::open_with_flags(path, flags).unwrap();
    let mut statement = ledger.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| Ok(line(row, columns))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The one row that `sql` gives.
#[track_caller]
pub(crate) fn single(path: &Path, sql: &str) -> String {
    let rows = query(path, sql);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

fn line(row: &Row<'_>, columns: usize) -> String {
    let value = |column| match row.get_ref(column).unwrap() {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Blob(_) => "(bytes)".to_owned(),
    };
    (0..columns).map(value).collect::<Vec<_>>().join(" ")
}
