//! Vantages: from where was looked.

use rusqlite::{Connection, OptionalExtension};

/// The row of our own vantage called `name`, made if there is none.
pub(super) fn intern_own(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    intern(connection, name, "own")
}

/// The row of the vantage of that `kind` called `name`, made if there is none.
pub(super) fn intern(connection: &Connection, name: &str, kind: &str) -> rusqlite::Result<i64> {
    let known = connection
        .prepare_cached("SELECT id FROM vantage WHERE name = ?1 AND kind = ?2")?
        .query_row([name, kind], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection
            .prepare_cached("INSERT INTO vantage (name, kind) VALUES (?1, ?2)")?
            .insert([name, kind]),
    }
}
