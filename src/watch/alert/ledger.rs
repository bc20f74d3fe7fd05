//! The outbox that the ledger keeps, for the worker.

use super::Outbox;
use crate::domain::alert::{Entry, Next};
use crate::domain::time::Timestamp;
use crate::store::{Ledger, StoreError};

impl Outbox for Ledger {
    type Error = StoreError;

    fn due(
        &mut self,
        channel: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.alerts_due(channel, now, u32::try_from(limit).unwrap_or(u32::MAX))
    }

    fn planned(&mut self, channel: &str) -> Result<Option<Timestamp>, StoreError> {
        self.alert_planned(channel)
    }

    fn settle(&mut self, id: i64, now: Timestamp, next: &Next) -> Result<(), StoreError> {
        self.settle_alert(id, now, next)
    }
}
