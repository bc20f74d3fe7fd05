//! An outbox in memory that outlives the worker, as a ledger outlives a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::alert::{Alert, Entry, Next, is_due};
use crate::domain::time::Timestamp;
use crate::watch::alert::{Clock, Outbox};

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) channel: String,
    pub(super) entry: Entry,
    /// `None` once it is settled.
    pub(super) planned: Option<Timestamp>,
    pub(super) delivered: bool,
    pub(super) error: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) rows: Vec<Row>,
    /// How many settlements are left before the process dies.
    pub(super) lives: Option<u32>,
}

impl Memory {
    pub(super) fn queue(&mut self, channel: &str, alert: Alert, now: Timestamp) {
        let id = self.rows.len() as i64;
        let entry = Entry { id, queued: now, attempts: 0, alert };
        let (channel, planned) = (channel.to_owned(), Some(now));
        self.rows.push(Row { channel, entry, planned, delivered: false, error: None });
    }

    /// How many were delivered, given up, and wait.
    pub(super) fn counts(&self) -> [usize; 3] {
        let count = |test: fn(&&Row) -> bool| self.rows.iter().filter(test).count();
        [
            count(|row| row.delivered),
            count(|row| !row.delivered && row.planned.is_none()),
            count(|row| row.planned.is_some()),
        ]
    }
}

impl Outbox for Memory {
    type Error = &'static str;

    fn due(
        &mut self,
        channel: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Entry>, Self::Error> {
        let due =
            |row: &&Row| row.channel == channel && row.planned.is_some_and(|at| is_due(at, now));
        let mut rows: Vec<&Row> = self.rows.iter().filter(due).collect();
        rows.sort_by_key(|row| (row.entry.attempts, row.planned, row.entry.id));
        Ok(rows.into_iter().take(limit).map(|row| row.entry.clone()).collect())
    }

    fn planned(&mut self, channel: &str) -> Result<Option<Timestamp>, Self::Error> {
        let of = self.rows.iter().filter(|row| row.channel == channel);
        Ok(of.filter_map(|row| row.planned).min())
    }

    fn settle(&mut self, id: i64, _: Timestamp, next: &Next) -> Result<(), Self::Error> {
        if let Some(lives) = &mut self.lives {
            *lives = lives.checked_sub(1).ok_or("killed")?;
        }
        let row = &mut self.rows[id as usize];
        row.entry.attempts += 1;
        (row.planned, row.delivered, row.error) = match next.clone() {
            Next::Delivered => (None, true, None),
            Next::Again { at, why } => (Some(at), false, Some(why)),
            Next::GivenUp { why } => (None, false, Some(why)),
        };
        Ok(())
    }
}

/// A clock that is set.
#[derive(Debug, Default)]
pub(super) struct Simulated(AtomicI64);

impl Simulated {
    pub(super) fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(seconds * 1_000_000)))
    }

    pub(super) fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for Simulated {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
