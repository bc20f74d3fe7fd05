//! Leases: only one process at a time is at work on a part of a plan, or on a job.
//!
//! A lease is a row that runs out unless it is renewed, and a [`Hold`] beside it. On the machine that wrote the row the
//! hold tells at once whether its process lives; elsewhere the row is waited for.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::error::{Cause, StoreError};
use super::hold::Hold;
use super::ledger::Ledger;
use crate::domain::time::Timestamp;

/// The right to work on something, for as long as it is renewed; given back by [`Ledger::release`], and on this machine
/// by dropping it too.
#[derive(Debug)]
pub struct Lease {
    name: String,
    holder: String,
    ttl: Duration,
    /// Dropped last of all: whoever has it may take the row over.
    _hold: Hold,
}

/// A lease and the time that it is to be renewed at.
#[derive(Clone, Copy, Debug)]
pub struct Renewal<'a> {
    /// The lease.
    pub lease: &'a Lease,
    /// The time now.
    pub now: Timestamp,
}

impl Ledger {
    /// Takes the right to work on `name`, as `machine` and `run`, until `ttl` after it was last renewed.
    ///
    /// A lease that ran out is taken over; one of this machine whose process is gone at once.
    ///
    /// # Errors
    ///
    /// If another process has it, or the ledger or the lock file beside it cannot be written.
    pub fn lease(
        &mut self,
        name: &str,
        (machine, run): (&str, &str),
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, StoreError> {
        let hold = match take_hold(&self.path, name) {
            Err(StoreError::Running { path, .. }) => {
                let holder = self.read(|connection| holder(connection, name))?;
                let holder = holder.unwrap_or_else(|| "another process".to_owned());
                return Err(StoreError::Leased { path, name: name.to_owned(), holder });
            }
            taken => taken?,
        };
        let holder = format!("{machine} {run}");
        self.write(|transaction| take(transaction, name, machine, &holder, now, ttl))?;
        Ok(Lease { name: name.to_owned(), holder, ttl, _hold: hold })
    }

    /// Who is at work on something at `now`, if anybody is.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn at_work(&self, now: Timestamp) -> Result<Option<String>, StoreError> {
        const SELECT: &str = "SELECT holder FROM lease WHERE expires > ?1 ORDER BY since LIMIT 1";
        self.read(|connection| {
            connection.query_row(SELECT, [now.micros()], |row| row.get(0)).optional()
        })
    }

    /// Gives `lease` back.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written; the lease then runs out.
    pub fn release(&mut self, lease: Lease) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut delete =
                transaction.prepare_cached("DELETE FROM lease WHERE name = ?1 AND holder = ?2")?;
            delete.execute((&lease.name, &lease.holder))?;
            Ok(())
        })
    }
}

/// Names of leases hold slashes, and names of files do not.
fn take_hold(ledger: &Path, name: &str) -> Result<Hold, StoreError> {
    Hold::take(ledger, &name.replace('/', "-of-"))
}

fn holder(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT holder FROM lease WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Writes the row, unless it is that of another machine and has not run out: of this machine the hold says that its
/// process is gone.
fn take(
    connection: &Connection,
    name: &str,
    machine: &str,
    holder: &str,
    now: Timestamp,
    ttl: Duration,
) -> Result<(), Cause> {
    const WRITE: &str = "
        INSERT INTO lease (name, holder, since, expires) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name) DO UPDATE SET
            holder = excluded.holder, since = excluded.since, expires = excluded.expires
        WHERE expires <= excluded.since OR substr(holder, 1, instr(holder, ' ') - 1) = ?5";
    let until = expiry(now, ttl);
    let mut write = connection.prepare_cached(WRITE)?;
    if write.execute((name, holder, now.micros(), until, machine))? == 1 {
        return Ok(());
    }
    let other = self::holder(connection, name)?.unwrap_or_default();
    Err(Cause::Leased { name: name.to_owned(), holder: other })
}

/// Puts off the end of the lease; it is an error if another has it by now.
pub(super) fn renew(connection: &Connection, renewal: &Renewal<'_>) -> Result<(), Cause> {
    const RENEW: &str = "UPDATE lease SET expires = ?3 WHERE name = ?1 AND holder = ?2";
    let Renewal { lease, now } = renewal;
    let until = expiry(*now, lease.ttl);
    let mut renew = connection.prepare_cached(RENEW)?;
    match renew.execute((&lease.name, &lease.holder, until))? {
        0 => Err(Cause::LeaseLost(lease.name.clone())),
        _ => Ok(()),
    }
}

fn expiry(now: Timestamp, ttl: Duration) -> i64 {
    now.micros().saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}
