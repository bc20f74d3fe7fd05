//! What is remembered of jobs, in the ledger.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::exit::Failure;
use crate::domain::schedule::Remembered;
use crate::domain::time::Timestamp;
use crate::store::{Hold, Ledger};
use crate::watch::Memory;

/// A connection to the ledger that all jobs share; each run has one of its own besides.
pub(super) struct Book(Mutex<Ledger>);

impl Book {
    /// The book in the ledger at `store`, which is made if there is none.
    pub(super) fn open(store: &Path) -> Result<Self, Failure> {
        Ok(Self(Mutex::new(super::ledger(store)?)))
    }

    /// The right to run the job called `name`.
    pub(super) fn hold(&self, name: &str) -> Result<Hold, Failure> {
        Ok(self.ledger().hold_job(name)?)
    }

    /// A job that panicked has changed nothing that it did not commit.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for Book {
    fn load(&self, job: &str, now: Timestamp) -> Result<Remembered, String> {
        tokio::task::block_in_place(|| {
            let mut ledger = self.ledger();
            let known = ledger.job(job).map_err(|error| error.to_string())?;
            let Some(known) = known else {
                let new = Remembered::new(now);
                ledger.remember_job(job, &new).map_err(|error| error.to_string())?;
                return Ok(new);
            };
            Ok(known)
        })
    }

    fn save(&self, job: &str, remembered: &Remembered) -> Result<(), String> {
        tokio::task::block_in_place(|| {
            self.ledger().remember_job(job, remembered).map_err(|error| error.to_string())
        })
    }
}
