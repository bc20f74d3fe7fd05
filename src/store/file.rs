//! Opening the ledger's file: whose it is first, then how it is to be written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{Cause, StoreError};
use super::migration::{self, Identity, NEWEST};

/// How long to wait for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Above the number of different statements in this room, so that none is ever prepared twice.
const STATEMENTS_KEPT: usize = 64;

/// Pages kept in memory, in KiB. The indexes of hashes and addresses are written in no order: what of them is not at
/// hand is read anew for every row.
const CACHE_KIB: i32 = 16 * 1_024;

/// The log is folded into the file when it has so many pages, 16 MiB: a page that many batches change is then
/// written there once for all of them.
const LOG_PAGES: i32 = 4_096;

/// Opens the ledger at `path` for writing, creating or migrating it.
///
/// Returns only once a write has been committed: a read-only mount or a full disk is found here and
/// not after an hour of scanning.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    refuse_one_byte(path)?;
    create_directory(path)?;
    let at = |error: rusqlite::Error| Cause::from(error).at(path);
    // Without SQLITE_OPEN_URI: a path is a path, even one that starts with "file:".
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(at)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    // Until it is known to be ours, closing must not fold a log that was left behind into the file.
    let keeps_log = log_of(path).exists();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps_log).map_err(at)?;
    check_known(Identity::of(&connection).map_err(at)?, path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(at)?;
    migration::migrate(&mut connection).map_err(at)?;
    if !enable_log(&connection).map_err(at)? {
        return Err(StoreError::NoLog { path: path.to_owned() });
    }
    migration::rehearse_write(&mut connection).map_err(at)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Opens the ledger at `path`, which must exist, and never writes to it.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    refuse_one_byte(path)?;
    let at = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Unreadable { path: path.to_owned(), source }
        }
        _ => Cause::from(source).at(path),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(at)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    match Identity::of(&connection).map_err(at)? {
        Identity::Blank => Err(StoreError::Foreign { path: path.to_owned() }),
        identity => check_known(identity, path).map(|()| connection),
    }
}

/// Refuses a file of one byte, which SQLite takes for empty and would write over; it refuses all
/// others that are not its own.
///
/// Only the length is asked for. To open the file here and close it again would release the locks
/// that this process holds on it through another [`Connection`] (fcntl(2), "record locks").
fn refuse_one_byte(path: &Path) -> Result<(), StoreError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() && metadata.len() == 1 => {
            Err(StoreError::Foreign { path: path.to_owned() })
        }
        _ => Ok(()),
    }
}

fn create_directory(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => std::fs::create_dir_all(directory)
            .map_err(|source| StoreError::Directory { path: path.to_owned(), source }),
        _ => Ok(()),
    }
}

/// The log of the ledger at `path`.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn check_known(identity: Identity, path: &Path) -> Result<(), StoreError> {
    match identity {
        Identity::Foreign => Err(StoreError::Foreign { path: path.to_owned() }),
        Identity::Ledger(found) if found > NEWEST => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: NEWEST })
        }
        Identity::Blank | Identity::Ledger(_) => Ok(()),
    }
}

/// Write-ahead log, one sync at each commit, foreign keys; `false` if there can be no log.
///
/// A commit writes to the log with write(2) before it returns, so that it outlives the process
/// whatever `synchronous` says: kill -9 takes nothing from the kernel's page cache. NORMAL would be
/// enough for that, but would sync at checkpoints only, minutes apart in a quiet scan, and a power
/// cut would lose what lies between. What is lost is visited again, and those visits are at the
/// expense of strangers; FULL costs one sync for each batch, two a second, and leaves a power cut
/// the last half second, as far as the disk keeps its word. In neither can a power cut leave a batch
/// half written.
fn enable_log(connection: &Connection) -> rusqlite::Result<bool> {
    let mode = switch_to_log(connection)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(mode == "wal")
}

/// Switches to the write-ahead log, which later openers find switched; the mode that it now has.
///
/// This is the one thing that SQLite does not wait for by itself where another process is about to
/// do the same.
fn switch_to_log(connection: &Connection) -> rusqlite::Result<String> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut pauses = BUSY_TIMEOUT.as_millis() / PAUSE.as_millis();
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
        match mode {
            Err(error) if is_busy(&error) && pauses > 0 => {
                pauses -= 1;
                std::thread::sleep(PAUSE);
            }
            mode => return mode,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
