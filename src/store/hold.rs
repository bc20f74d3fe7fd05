//! Holds: only one process at a time goes on with a scan.
//!
//! A hold is a lock of the operating system on a small file beside the ledger, so that it ends with
//! its process, however that ends, and never has to be broken by hand.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// The right to go on with one scan; given back when it is dropped.
#[derive(Debug)]
pub struct Hold {
    file: PathBuf,
    /// Open for as long as the lock is wanted.
    _locked: File,
}

impl Hold {
    /// Takes the right to go on with `scan` of the ledger at `ledger`.
    pub(super) fn take(ledger: &Path, scan: &str) -> Result<Self, StoreError> {
        let file = lock_file(ledger, scan);
        loop {
            let locked = lock(&file).map_err(|error| match error {
                TryLockError::WouldBlock => {
                    StoreError::Running { path: ledger.to_owned(), scan: scan.to_owned() }
                }
                TryLockError::Error(source) => StoreError::Hold { path: file.clone(), source },
            })?;
            // The process that held it before may have removed the name in the meantime.
            if is_still_named(&locked, &file) {
                return Ok(Self { file, _locked: locked });
            }
        }
    }
}

impl Drop for Hold {
    /// The name goes before the lock, so that nobody finds a name without a lock that is still wanted.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// Whether a process goes on with what `name` names of the ledger at `ledger`. Nothing is made by asking.
pub(super) fn is_held(ledger: &Path, name: &str) -> bool {
    let file = File::open(lock_file(ledger, name));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn lock_file(ledger: &Path, name: &str) -> PathBuf {
    let mut file = ledger.as_os_str().to_owned();
    file.push(format!("-{name}.lock"));
    PathBuf::from(file)
}

fn lock(file: &Path) -> Result<File, TryLockError> {
    let open: io::Result<File> = File::options().create(true).append(true).open(file);
    let open = open.map_err(TryLockError::Error)?;
    open.try_lock()?;
    Ok(open)
}

fn is_still_named(locked: &File, file: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (Ok(locked), Ok(named)) = (locked.metadata(), fs::metadata(file)) else { return false };
    identity(locked) == identity(named)
}
