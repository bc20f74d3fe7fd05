//! A run: its loops, each on a thread of its own, and how they end together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::event::{Event, RunEnd};
use super::event_loop::EventLoop;
use super::poll::Bell;
use super::prober::Prober;
use super::sweep::{Cap, Sweep};
use crate::domain::coverage::Coverage;
use crate::domain::dispatch::Dispatch;
use crate::domain::plan::Plan;
use crate::domain::spent::Spent;

/// How a run went.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub end: RunEnd,
    /// Where its time went.
    pub spent: Spent,
}

/// Addresses that one loop has at the least: each has whole prefixes, and its share of the connections at once.
const WORTH_A_LOOP: u128 = 1_024;

/// Sweeps what `covered` leaves of `plan` and reports to `events`, until done or told to `stop`.
///
/// The channel's bound, in batches of events, is the run's brake: a slow receiver slows the sweep and loses nothing. If
/// the receiver goes away the run stops.
pub async fn run(
    plan: Arc<Plan>,
    covered: Coverage,
    prober: Prober,
    events: Sender<Vec<Event>>,
    stop: CancellationToken,
) -> Ran {
    let halt = Arc::new(AtomicBool::new(false));
    let (mut threads, mut bells) = (JoinSet::new(), Vec::new());
    let cap = Cap::new(plan.tempo.concurrency);
    let worth = usize::try_from(plan.address_count() / WORTH_A_LOOP).unwrap_or(usize::MAX);
    let loops = plan.tempo.threads.min(worth.max(1));
    for dispatch in Dispatch::slices(Arc::clone(&plan), covered, loops) {
        let policy = Arc::clone(&prober.policy);
        let sweep = Sweep::new(dispatch, policy, plan.ports.len(), cap.clone());
        let (plan, prober) = (Arc::clone(&plan), prober.clone());
        match EventLoop::new(plan, prober, sweep, events.clone(), Arc::clone(&halt)) {
            Ok(event_loop) => {
                bells.push(event_loop.bell());
                threads.spawn_blocking(move || event_loop.run());
            }
            Err(error) => {
                let (end, spent) = (RunEnd::Starved(error), Spent::default());
                halt_all(&halt, &bells);
                return Ran { end, spent };
            }
        }
    }
    drop(events);
    join(threads, &halt, &bells, &stop).await
}

/// Waits for all loops; the first one that ends before its time, or `stop`, ends them all.
async fn join(
    mut threads: JoinSet<(RunEnd, Spent)>,
    halt: &AtomicBool,
    bells: &[Bell],
    stop: &CancellationToken,
) -> Ran {
    let mut ran = Ran { end: RunEnd::Complete, spent: Spent::default() };
    loop {
        let joined = tokio::select! {
            joined = threads.join_next() => joined,
            () = stop.cancelled(), if !halt.load(Ordering::Relaxed) => {
                halt_all(halt, bells);
                continue;
            }
        };
        let (end, spent) = match joined {
            None => return ran,
            Some(Ok(ended)) => ended,
            // A loop guards its probes; what is left is a fault in the loop itself.
            Some(Err(error)) => {
                tracing::error!(%error, "an event loop ended");
                (RunEnd::Broken, Spent::default())
            }
        };
        ran.spent = ran.spent.and(spent);
        if !matches!(end, RunEnd::Complete) {
            halt_all(halt, bells);
        }
        // What ended the first one is told; the others only followed.
        if matches!(ran.end, RunEnd::Complete | RunEnd::Stopped) && !matches!(end, RunEnd::Complete)
        {
            ran.end = end;
        }
    }
}

fn halt_all(halt: &AtomicBool, bells: &[Bell]) {
    halt.store(true, Ordering::Relaxed);
    bells.iter().for_each(Bell::ring);
}

#[cfg(test)]
mod tests;
