//! Watching: jobs that run on a schedule, in one process, for as long as nobody stops it.
//!
//! Each job is a task of its own, so that a long run holds up no other job, and never two runs of one job go on at a
//! time. When what is due is decided in [`crate::domain::schedule`]; what a run does is the business of a [`Runner`];
//! what must outlive the process is in a [`Memory`]. This room opens no socket and prints nothing.

pub mod alert;
mod course;
mod sequel;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use sequel::Sequel;

use crate::domain::job::Job;
use crate::domain::schedule::{Ended, Remembered};
use crate::domain::time::Timestamp;

/// The longest sleep: a clock that was set, or a machine that was suspended, is noticed after this time.
pub const WAKE: Duration = Duration::from_secs(30);

/// The time of day, and waiting.
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Waits for `time`, which is not affected when the clock is set.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// What is remembered of jobs when the process is gone.
pub trait Memory: Send + Sync + 'static {
    /// What is remembered of `job`; if nothing is, it is remembered as first seen `now`.
    ///
    /// # Errors
    /// One line on why it cannot be read or written.
    fn load(&self, job: &str, now: Timestamp) -> Result<Remembered, String>;

    /// Writes down what is to be remembered of `job`.
    ///
    /// # Errors
    /// One line on why it cannot be written.
    fn save(&self, job: &str, remembered: &Remembered) -> Result<(), String>;
}

/// Who runs what is due.
pub trait Runner: Send + Sync + 'static {
    /// Does `work` for `job` until it ends or is told to `stop`; `begun` is called with the scan's id once
    /// it is written down.
    fn run(
        &self,
        job: &Job,
        work: &Work,
        stop: &CancellationToken,
        begun: impl FnOnce(&str) + Send,
    ) -> impl Future<Output = Ran> + Send;

    /// Takes note of what happens to the job called `job`.
    fn tell(&self, job: &str, event: &Event<'_>);
}

/// What a run is to visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Where a matching certificate was seen before.
    Matches,
    /// The whole range.
    Whole,
    /// What the scan with this id left of the whole range; all of it, if that cannot be gone on with.
    Resume(String),
}

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its scan; none if it did not come to that.
    pub scan: Option<String>,
    /// How it ended.
    pub end: Ended,
    /// One line on why, if there is something to say.
    pub why: Option<String>,
}

/// What happens to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// It waits.
    Waits {
        /// For its next whole run; `None` if there will be none.
        start: Option<Timestamp>,
        /// For its next rescan of known matches; `None` if there are none but in whole runs.
        matches: Option<Timestamp>,
    },
    /// It begins this work.
    Begins(&'a Work),
    /// This work has ended.
    Ended(&'a Work, &'a Ran),
    /// What must be remembered cannot be written down, and why: nothing runs until it can.
    Forgets(&'a str),
}

/// What a watch works with.
#[derive(Debug)]
pub struct World<C, M, R> {
    /// The time.
    pub clock: C,
    /// What outlives the process.
    pub memory: M,
    /// Who does the work.
    pub runner: R,
}

/// How a watch ended: only when it was told to stop, or when something failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Whether a run was cut short, which goes on at the next start.
    pub interrupted: bool,
    /// Why it ended before it was told to.
    pub failure: Option<String>,
}

/// Runs `jobs`, each in a task of its own, until told to `stop`.
///
/// What is remembered is all that decides: a watch that was killed at any moment and started again goes on as if it had
/// slept. If one job's task fails, all are stopped.
pub async fn watch<C: Clock, M: Memory, R: Runner>(
    jobs: Vec<Job>,
    world: &Arc<World<C, M, R>>,
    stop: &CancellationToken,
) -> Watched {
    let mut tasks = JoinSet::new();
    for job in jobs {
        tasks.spawn(course::run(job, Arc::clone(world), stop.clone()));
    }
    let mut watched = Watched::default();
    while let Some(joined) = tasks.join_next().await {
        let failure = match joined {
            Ok(Ok(interrupted)) => {
                watched.interrupted |= interrupted;
                continue;
            }
            Ok(Err(failure)) => failure,
            Err(error) => format!("a job's task: {error}"),
        };
        watched.failure.get_or_insert(failure);
        stop.cancel();
    }
    watched
}

/// Does one whole run of `job` now, whatever its schedule says; what was cut short before is finished.
///
/// # Errors
/// One line on why nothing can be remembered.
pub async fn once<C: Clock, M: Memory, R: Runner>(
    job: Job,
    world: Arc<World<C, M, R>>,
    stop: CancellationToken,
) -> Result<Ran, String> {
    course::once(job, world, stop).await
}

#[cfg(test)]
mod tests;
