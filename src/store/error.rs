//! What can go wrong with a ledger, told by the file's name and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the ledger could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file's schema is one that this version does not know.
    #[error(
        "{} was written by a newer certsweep (schema {found}; this one knows up to {known}); \
         update certsweep or use another --store", .path.display()
    )]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// The schema that the file has.
        found: i32,
        /// The newest schema that this version knows.
        known: i32,
    },
    /// The file's schema is an older one, and it was to be read only.
    #[error(
        "{} was written by an older certsweep (schema {found}; this one reads {known}); \
         open it for writing once, as store info does", .path.display()
    )]
    Older {
        /// The ledger.
        path: PathBuf,
        /// The schema that the file has.
        found: i32,
        /// The schema that this version reads.
        known: i32,
    },
    /// The file is something else.
    #[error("{} is not a certsweep ledger and was left as it is; use another --store", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file, and it was to be read only.
    #[error("{} does not exist; check --store, or run a scan that writes it", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The ledger was to be merged into itself.
    #[error("{} is the ledger itself; name another one to merge into it", .path.display())]
    Itself {
        /// The ledger.
        path: PathBuf,
    },
    /// The directory that is to hold the file cannot be made.
    #[error("cannot create the directory of {}: {source}; use another --store", .path.display())]
    Directory {
        /// The ledger.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file system takes no write-ahead log.
    #[error(
        "{} is on a file system without the shared memory that a write-ahead log needs; \
         use a --store on a local disk", .path.display()
    )]
    NoLog {
        /// The ledger.
        path: PathBuf,
    },
    /// The file or its directory cannot be written.
    #[error("cannot write {}: {source}; check its permissions or use another --store", .path.display())]
    Unwritable {
        /// The ledger.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file cannot be read.
    #[error(
        "cannot read {}: {source}; check its permissions and those of its directory", .path.display()
    )]
    Unreadable {
        /// The ledger.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The disk is full. What was committed before is kept.
    #[error(
        "no space left for {}: free some; all that was committed before is kept", .path.display()
    )]
    Full {
        /// The ledger.
        path: PathBuf,
    },
    /// There is no room to write the file anew.
    #[error(
        "no space to compact {}: it takes about {needed} octets beside it and as many in the folder \
         for temporary files; nothing was changed", .path.display()
    )]
    NoRoomToCompact {
        /// The ledger.
        path: PathBuf,
        /// The size of the ledger, in octets.
        needed: u64,
    },
    /// Another process kept the file locked for longer than we wait.
    #[error("{} is locked by another process; wait for it or use another --store", .path.display())]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// What the file holds does not make sense.
    #[error("{} is damaged: {what}; restore a copy or use another --store", .path.display())]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The lock file beside the ledger cannot be used.
    #[error("cannot lock {}: {source}; check the permissions of its directory", .path.display())]
    Hold {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another process is going on with the scan.
    #[error("scan {scan} of {} is running in another process; wait for it to end", .path.display())]
    Running {
        /// The ledger.
        path: PathBuf,
        /// The scan's id.
        scan: String,
    },
    /// Another process is at work on the same.
    #[error(
        "{holder} is at work on the same part of the plan, says {} ({name}); wait for it to end, or \
         for its lease to run out a minute after it was last heard of", .path.display()
    )]
    Leased {
        /// The ledger.
        path: PathBuf,
        /// What it is at work on.
        name: String,
        /// Who it is: its machine and its scan.
        holder: String,
    },
    /// Another process took over what this one was at work on.
    #[error("{name} of {} was taken over by another process; what was written before is kept", .path.display())]
    LeaseLost {
        /// The ledger.
        path: PathBuf,
        /// What it was at work on.
        name: String,
    },
    /// Another process runs the job.
    #[error("job '{job}' of {} is run by another process; end that one first", .path.display())]
    JobRunning {
        /// The ledger.
        path: PathBuf,
        /// The job's name.
        job: String,
    },
    /// No scan has this id.
    #[error("{} holds no scan {scan}; check --store and the scan's id", .path.display())]
    UnknownScan {
        /// The ledger.
        path: PathBuf,
        /// The id asked for.
        scan: String,
    },
    /// A match names an indicator of no set that the scan was started or resumed with.
    #[error(
        "{} holds no indicator {indicator} of a set {set} for this scan; \
         start the scan with that set", .path.display()
    )]
    UnknownIndicator {
        /// The ledger.
        path: PathBuf,
        /// The set's name.
        set: String,
        /// The indicator, as records spell it.
        indicator: String,
    },
    /// Anything else that SQLite reports.
    #[error("cannot use {}: {source}; check the disk that it is on", .path.display())]
    Sqlite {
        /// The ledger.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// What went wrong inside this room, where the file's name is not at hand.
#[derive(Debug)]
pub(super) enum Cause {
    Sqlite(rusqlite::Error),
    UnknownScan(String),
    Leased { name: String, holder: String },
    LeaseLost(String),
    UnknownIndicator { set: String, indicator: String },
}

impl From<rusqlite::Error> for Cause {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Cause {
    /// `scan` is unknown where an update of its row changed none.
    pub(super) fn unless_known(scan: &str, changed: usize) -> Result<(), Self> {
        if changed == 0 { Err(Self::UnknownScan(scan.to_owned())) } else { Ok(()) }
    }

    /// This fault, of the ledger at `path`.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Sqlite(error) => of_sqlite(path, error),
            Self::Leased { name, holder } => StoreError::Leased { path, name, holder },
            Self::LeaseLost(name) => StoreError::LeaseLost { path, name },
            Self::UnknownScan(scan) => StoreError::UnknownScan { path, scan },
            Self::UnknownIndicator { set, indicator } => {
                StoreError::UnknownIndicator { path, set, indicator }
            }
        }
    }
}

/// Whether there was no room: for the file or its log, or for the index of the log.
fn is_full(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
        || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

fn of_sqlite(path: PathBuf, source: rusqlite::Error) -> StoreError {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match source.sqlite_error_code() {
        _ if is_full(&source) => StoreError::Full { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
        Some(ErrorCode::NotADatabase) => StoreError::Foreign { path },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Unwritable { path, source }
        }
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { path, what: source.to_string() },
        None => match source {
            FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => {
                StoreError::Damaged { path, what: source.to_string() }
            }
            _ => StoreError::Sqlite { path, source },
        },
        Some(_) => StoreError::Sqlite { path, source },
    }
}
