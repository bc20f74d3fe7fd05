//! Whose file it is, which schema it has, and the scripts that bring it to the newest.

use rusqlite::{Connection, TransactionBehavior};

/// The scripts in order: script N, counted from 1, makes schema N out of schema N - 1.
///
/// A script that was released is never edited; a change is another script.
const SCRIPTS: [&str; 7] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
];

#[cfg(test)]
pub(super) const OLDEST_SCRIPT: &str = SCRIPTS[0];

/// The newest schema that this version knows.
pub(super) const NEWEST: i32 = SCRIPTS.len() as i32;

/// Bytes 68 to 71 of a ledger, "cswp": what tells it from other people's SQLite files.
pub(super) const APPLICATION_ID: i32 = 0x6373_7770;

/// What an open SQLite file is to us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nothing yet: a file just created, or one whose creation was interrupted.
    Blank,
    /// A ledger with this schema.
    Ledger(i32),
    /// Somebody else's.
    Foreign,
}

impl Identity {
    /// Looks without changing anything, at one moment between what other processes write.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let snapshot = connection.unchecked_transaction()?;
        let application_id: i32 = pragma(&snapshot, "application_id")?;
        let version = pragma(&snapshot, "user_version")?;
        let objects: i64 =
            snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        snapshot.commit()?;
        Ok(match (application_id, version, objects) {
            (APPLICATION_ID, 1.., _) => Self::Ledger(version),
            (0, 0, 0) => Self::Blank,
            _ => Self::Foreign,
        })
    }
}

/// Runs the scripts that the file lacks, each in a transaction of its own.
///
/// The schema is read again inside the transaction, so that of two processes that create the same
/// ledger, one waits and finds nothing left to do.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    for (script, version) in SCRIPTS.iter().zip(1_i32..) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if pragma(&transaction, "user_version")? < version {
            read_schema(&transaction)?;
            transaction.execute_batch(script)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Makes SQLite read the schema anew if another process changed it: it only looks when a statement is run, and may take
/// a view for the table that it knew under its name before.
fn read_schema(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Writes a page, and changes nothing by it: whether writing works is known before a scan starts.
///
/// Setting the schema to what it is makes SQLite write the first page, which is all that is wanted.
pub(super) fn rehearse_write(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = pragma(&transaction, "user_version")?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

/// The version of the schema that the file has.
pub(super) fn schema(connection: &Connection) -> rusqlite::Result<i32> {
    pragma(connection, "user_version")
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}
