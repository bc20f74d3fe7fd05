//! The ledger as other rooms see it: every public operation, each one transaction.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::batch::{self, Batch};
use super::error::{Cause, StoreError};
use super::finding::{self, Findings};
use super::hold::Hold;
use super::merge::{self, Merged};
use super::scan::{self, Resumable};
use super::search::{self, Matcher, Page};
use super::sighting::{self, Sighting};
use super::{file, indicator, migration};
use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};
use crate::domain::indicator::{IndicatorSet, Spread};
use crate::domain::query::{HashPrefix, Query, Visited};
use crate::domain::scan::{Scan, Shard};
use crate::domain::time::Timestamp;

/// An open ledger.
///
/// Dropping it closes the file; the last process to do so folds the log into it and removes
/// `-wal` and `-shm`.
#[derive(Debug)]
pub struct Ledger {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
}

/// How much a ledger holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Different leaf certificates.
    pub certificates: u64,
    /// Addresses with a port that showed one to a visit.
    pub endpoints: u64,
    /// Certificates at endpoints, by server name and vantage.
    pub sightings: u64,
    /// Scans, complete or not.
    pub scans: u64,
}

impl Ledger {
    /// Opens the ledger at `path` for writing; creates it and its directory, or migrates it.
    ///
    /// # Errors
    ///
    /// If the file is no ledger or a newer one, it is left as it is. If it cannot be written, this
    /// fails rather than the first [`Ledger::record`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: file::open(path)?, path: path.to_owned() })
    }

    /// Opens the ledger at `path` for reading only.
    ///
    /// # Errors
    ///
    /// If there is no such file, or it is no ledger, or a newer one, or an older one, which [`Ledger::open`] migrates.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let connection = file::open_read_only(path)?;
        let found = migration::schema(&connection).map_err(|error| Cause::from(error).at(path))?;
        if found < migration::NEWEST {
            return Err(StoreError::Older {
                path: path.to_owned(),
                found,
                known: migration::NEWEST,
            });
        }
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Takes the right to go on with `scan`, so that no other process does at the same time.
    ///
    /// # Errors
    ///
    /// If another process has it, or the lock file beside the ledger cannot be made.
    pub fn hold(&self, scan: &str) -> Result<Hold, StoreError> {
        Hold::take(&self.path, scan)
    }

    /// Writes down that `scan` starts, and the `sets` that it matches against.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written, or holds a scan with this id.
    pub fn begin_scan(&mut self, scan: &Scan, sets: &[IndicatorSet]) -> Result<(), StoreError> {
        self.write(|transaction| {
            scan::insert(transaction, scan)?;
            indicator::link(transaction, &scan.id, sets)
        })
    }

    /// Writes down that `scan` goes on, and the `sets` that it now matches against besides those
    /// that it matched against before.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written, or holds no such scan.
    pub fn resume_scan(&mut self, scan: &str, sets: &[IndicatorSet]) -> Result<(), StoreError> {
        self.write(|transaction| {
            scan::reopen(transaction, scan)?;
            indicator::link(transaction, scan, sets)
        })
    }

    /// The indicator sets that `scan` matches against: name, and hash of the file.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn sets_of(&self, scan: &str) -> Result<Vec<(String, Sha256Fingerprint)>, StoreError> {
        self.read(|connection| indicator::of_scan(connection, scan))
    }

    /// Writes down that `scan` ended, and whether it tried every position.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written, or holds no such scan.
    pub fn finish_scan(
        &mut self,
        scan: &str,
        ended: Timestamp,
        complete: bool,
    ) -> Result<(), StoreError> {
        self.write(|transaction| scan::finish(transaction, scan, ended, complete))
    }

    /// Writes down what `batch` saw and how far it got: all of it or, on any error, none.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written, or holds no such scan, or a match names an indicator of no
    /// set that the scan was begun or resumed with, or another process took its lease over.
    pub fn record(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        // Rows refer to what was found or made in the same transaction: nothing would be learnt by looking for each
        // again.
        self.check_references(false)?;
        let done = self.write(|transaction| batch::record(transaction, batch));
        let checked = self.check_references(true);
        done.and(checked)
    }

    /// The latest incomplete scan of this part of the plan, with this seed if one is given.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn unfinished(
        &self,
        plan_hash: Sha256Fingerprint,
        seed: Option<u64>,
        shard: Shard,
    ) -> Result<Option<Resumable>, StoreError> {
        self.read(|connection| scan::unfinished(connection, plan_hash, seed, shard))
    }

    /// The scan called `id`, unless there is none or it is complete.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn resumable(&self, id: &str) -> Result<Option<Resumable>, StoreError> {
        self.read(|connection| scan::resumable(connection, id))
    }

    /// Where and when certificates with this fingerprint were seen, by address and port.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn endpoints_of(&self, fingerprint: &Fingerprint) -> Result<Vec<Sighting>, StoreError> {
        self.read(|connection| sighting::of_certificate(connection, fingerprint))
    }

    /// The matches of one scan, the first `limit` of them, the closest first.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn findings(&self, scan: &str, limit: u32) -> Result<Findings, StoreError> {
        self.read(|connection| finding::of_scan(connection, scan, limit))
    }

    /// Adds to `spread` at which addresses the matches of `scan` were seen.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn add_to_spread(&self, scan: &str, spread: &mut Spread) -> Result<(), StoreError> {
        self.read(|connection| finding::add_to_spread(connection, scan, spread))
    }

    /// What `query` finds, `limit` rows at most.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn search(
        &self,
        query: &Query,
        matcher: &Matcher<'_>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read(|connection| search::search(connection, query, matcher, limit))
    }

    /// Where the certificates with this hash were seen, and those that they lead to, with the reasons; of these what
    /// `query` asks for.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn pivot(
        &self,
        hash: &HashPrefix,
        query: &Query,
        matcher: &Matcher<'_>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read(|connection| search::pivot(connection, hash, query, (matcher, limit)))
    }

    /// The visits to `address`, on `port` or on all of them, from and until the moments of `window`, both included.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn visits_of(
        &self,
        address: IpAddr,
        port: Option<u16>,
        window: (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Vec<Visited>, StoreError> {
        self.read(|connection| search::visits_at(connection, (address, port), window))
    }

    /// The DER of each certificate that these visits saw, once, in the order of first sight.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn certificates_of(
        &self,
        address: IpAddr,
        port: Option<u16>,
        window: (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|connection| search::certificates_at(connection, (address, port), window))
    }

    /// Adds what the ledger at `other`, which stays as it is, holds to this one.
    ///
    /// # Errors
    ///
    /// If either is no ledger or a newer one, or this one cannot be written; then it is as it was.
    pub fn merge(&mut self, other: &Path) -> Result<Merged, StoreError> {
        merge::merge(&mut self.connection, &self.path, other)
    }

    /// How much the ledger holds.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn summary(&self) -> Result<Summary, StoreError> {
        const COUNT: &str = "SELECT (SELECT count(*) FROM certificate), \
            (SELECT count(DISTINCT endpoint_id) FROM visit), (SELECT count(*) FROM sighting), \
            (SELECT count(*) FROM scan)";
        self.read(|connection| {
            connection.query_row(COUNT, [], |row| {
                let count = |column| row.get(column).map(i64::cast_unsigned);
                Ok(Summary {
                    certificates: count(0)?,
                    endpoints: count(1)?,
                    sightings: count(2)?,
                    scans: count(3)?,
                })
            })
        })
    }

    /// Whether SQLite looks at each row for the rows that it refers to.
    pub(super) fn check_references(&self, checked: bool) -> Result<(), StoreError> {
        let set = self.connection.pragma_update(None, "foreign_keys", checked);
        set.map_err(|error| Cause::from(error).at(&self.path))
    }

    /// Does `work` in one transaction, which is rolled back if it fails.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Cause>,
    ) -> Result<T, StoreError> {
        let done = self
            .connection
            // Immediate: the write lock is waited for here, and not between two statements, where
            // waiting could not help.
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Cause::from)
            .and_then(|transaction| {
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            });
        done.map_err(|fault| fault.at(&self.path))
    }

    /// Does `work` in one read transaction, so that its queries see the same state.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let done = self.connection.unchecked_transaction().and_then(|snapshot| {
            let found = work(&snapshot)?;
            snapshot.commit().map(|()| found)
        });
        done.map_err(|error| Cause::from(error).at(&self.path))
    }
}
