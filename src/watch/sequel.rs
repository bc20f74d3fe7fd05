//! What follows runs: transitions are derived from what they saw, and told to people.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::domain::job::Job;
use crate::domain::time::Timestamp;
use crate::store::Ledger;

/// What follows runs.
pub trait Sequel: Send + Sync + 'static {
    /// Derives transitions from what `scan` of `job` saw, writes them down with what is to be told of them, and says how
    /// many there are. It is called after every run that has a scan, complete or not.
    ///
    /// # Errors
    /// One line on why not.
    fn derive(
        &self,
        ledger: &mut Ledger,
        job: &Job,
        scan: &str,
        now: Timestamp,
    ) -> Result<u64, String>;

    /// Tells people what there is to tell, until told to `stop`; it runs beside the jobs.
    fn attend(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send;

    /// Tells people once what there is to tell now.
    fn attend_once(&self) -> impl Future<Output = ()> + Send;
}
