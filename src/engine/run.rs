//! The loop of a sweep: ask what is next, start it, take what has ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::event::{Event, RunEnd};
use super::probe::{Ended, Prober};
use crate::domain::courtesy::Courtesy;
use crate::domain::coverage::Coverage;
use crate::domain::dispatch::{Dispatch, Next, Ticket};
use crate::domain::ladder::{Stand, Summary, Visiting};
use crate::domain::observation::Observation;
use crate::domain::plan::Plan;
use crate::domain::scan::Fault;

/// How long to wait when this machine is out of something and no probe is open that could free it.
const SHORTAGE_WAIT: Duration = Duration::from_millis(100);

/// After how many such waits in a row the run gives up.
const SHORTAGES_MAX: u32 = 100;

/// After how many faults of its own a run gives up: positions that faults leave uncovered stay few.
const FAULTS_MAX: u32 = 1_000;

/// Sweeps what `covered` leaves of `plan` and reports to `events`, until done or told to `stop`.
///
/// The channel's bound is the run's brake: a slow receiver slows the sweep and loses nothing. If the
/// receiver goes away the run stops.
pub async fn run(
    plan: Arc<Plan>,
    covered: Coverage,
    prober: Prober,
    events: Sender<Event>,
    stop: CancellationToken,
) -> RunEnd {
    let mut run = Run::new(plan, covered, prober, events, stop);
    run.sweep().await;
    while let Some(joined) = run.probes.join_next_with_id().await {
        run.take(joined).await;
    }
    run.tell_what_is_left().await;
    run.end.unwrap_or(RunEnd::Stopped)
}

struct Run {
    plan: Arc<Plan>,
    dispatch: Dispatch,
    prober: Prober,
    events: Sender<Event>,
    stop: CancellationToken,
    courtesy: Courtesy,
    probes: JoinSet<(Ticket, Ended)>,
    /// The ticket of each open probe, and where its visit was before it, in case it panics.
    open: HashMap<Id, (Ticket, Option<Box<Visiting>>)>,
    /// Visits between two attempts, by position.
    visits: HashMap<u64, Box<Visiting>>,
    shortages: u32,
    /// Whether a shortage has been reported that is not over.
    slowed: bool,
    faults: u32,
    end: Option<RunEnd>,
}

impl Run {
    fn new(
        plan: Arc<Plan>,
        covered: Coverage,
        prober: Prober,
        events: Sender<Event>,
        stop: CancellationToken,
    ) -> Self {
        let attempts_max = plan.ports.len() * prober.policy.attempts_max();
        Self {
            courtesy: Courtesy::new(attempts_max),
            dispatch: Dispatch::new(Arc::clone(&plan), covered),
            plan,
            prober,
            events,
            stop,
            probes: JoinSet::new(),
            open: HashMap::new(),
            visits: HashMap::new(),
            shortages: 0,
            slowed: false,
            faults: 0,
            end: None,
        }
    }

    /// Starts probes until nothing is left to start, or the run is to end.
    async fn sweep(&mut self) {
        while self.end.is_none() && !self.stop.is_cancelled() {
            while let Some(joined) = self.probes.try_join_next_with_id() {
                self.take(joined).await;
            }
            let now = self.prober.clock.now();
            match self.dispatch.next(now) {
                Next::Start(ticket) => self.start(ticket),
                Next::Skip { first, last } => self.report(Event::Skipped { first, last }).await,
                Next::Wait(until) => {
                    let until = self.prober.clock.instant(until);
                    self.wait(tokio::time::sleep_until(until)).await;
                }
                Next::Full => self.wait(std::future::pending()).await,
                Next::Done => {
                    self.end.get_or_insert(RunEnd::Complete);
                }
            }
        }
    }

    fn start(&mut self, ticket: Ticket) {
        let (prober, plan) = (self.prober.clone(), Arc::clone(&self.plan));
        let visiting = self.visits.remove(&ticket.position);
        // Kept only where something was seen: a first attempt has nothing to lose.
        let kept = visiting.clone();
        let mut visiting = visiting.unwrap_or_else(|| Box::new(Visiting::new(&prober.policy)));
        if self.courtesy.is_due(ticket.target.address, prober.clock.now()) {
            visiting.ask.asked = visiting.ask.asked.to_the_end();
        }
        let task = self.probes.spawn(async move {
            let ended = prober.attempt(&plan.scope, ticket.target, visiting).await;
            (ticket, ended)
        });
        self.open.insert(task.id(), (ticket, kept));
    }

    /// Waits for `something`, for a probe to end, or to be stopped.
    async fn wait(&mut self, something: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            Some(joined) = self.probes.join_next_with_id() => self.take(joined).await,
            () = something => {}
        }
    }

    async fn take(&mut self, joined: Result<(Id, (Ticket, Ended)), JoinError>) {
        match joined {
            Ok((id, (ticket, ended))) => {
                self.open.remove(&id);
                self.take_ended(ticket, ended).await;
            }
            Err(error) => {
                let Some((ticket, kept)) = self.open.remove(&error.id()) else { return };
                self.faults += 1;
                if self.faults >= FAULTS_MAX {
                    self.end.get_or_insert(RunEnd::Broken);
                }
                let time = self.prober.clock.wall();
                let Ticket { position, target } = ticket;
                let fault = Fault { time, position, target, message: message(error) };
                self.report(Event::Fault(fault)).await;
                self.break_off(ticket, kept).await;
            }
        }
    }

    async fn take_ended(&mut self, ticket: Ticket, ended: Ended) {
        match ended {
            Ended::Stands { stand, abandoned } => {
                self.shortages = 0;
                let now = self.prober.clock.now();
                if abandoned {
                    self.courtesy.abandoned(ticket.target.address, now);
                }
                match stand {
                    Stand::Again(visiting, told) => {
                        self.dispatch.returned(ticket, now + visiting.ask.after);
                        self.visits.insert(ticket.position, visiting);
                        self.tell(ticket.position, told, None).await;
                    }
                    Stand::Over(summary, told) => self.finish(ticket, told, Some(summary)).await,
                }
            }
            Ended::Refused(refusal, visiting) => {
                self.end.get_or_insert(RunEnd::Refused(refusal));
                self.break_off(ticket, Some(visiting)).await;
            }
            Ended::Local(error, visiting) => {
                tracing::debug!(target = %ticket.target, %error, "short of a local resource");
                if visiting.has_begun() {
                    self.visits.insert(ticket.position, visiting);
                }
                self.dispatch.returned(ticket, self.prober.clock.now());
                self.slow_down(error).await;
            }
        }
    }

    /// Ends a visit before its time, and tells what it has seen.
    async fn break_off(&mut self, ticket: Ticket, visiting: Option<Box<Visiting>>) {
        let (summary, told) =
            visiting.map(|visiting| visiting.break_off(&self.prober.policy)).unwrap_or_default();
        self.finish(ticket, told, summary).await;
    }

    async fn finish(&mut self, ticket: Ticket, told: Vec<Observation>, summary: Option<Summary>) {
        let recovered = self.dispatch.finished(ticket);
        self.tell(ticket.position, told, summary).await;
        if recovered {
            self.slowed = false;
            self.report(Event::Recovered { concurrency: self.dispatch.concurrency() }).await;
        }
    }

    async fn tell(
        &mut self,
        position: u64,
        observations: Vec<Observation>,
        summary: Option<Summary>,
    ) {
        for seen in &observations {
            tracing::debug!(target = %seen.target, outcome = %seen.outcome, "visited");
        }
        if !observations.is_empty() {
            self.report(Event::Observed { position, observations, summary }).await;
        }
    }

    /// What was seen in visits that have not come to their end.
    async fn tell_what_is_left(&mut self) {
        for (position, visiting) in std::mem::take(&mut self.visits) {
            let (summary, told) = visiting.break_off(&self.prober.policy);
            self.tell(position, told, summary).await;
        }
    }

    /// Lowers the cap to what is open now; with nothing open, waits for others to free something.
    async fn slow_down(&mut self, error: std::io::Error) {
        let open = self.dispatch.in_flight();
        if open < self.dispatch.concurrency() && open > 0 {
            self.dispatch.lower_concurrency(open);
            // Said once: what follows until it is over is the same shortage.
            if !std::mem::replace(&mut self.slowed, true) {
                let (reason, concurrency) = (error.to_string(), self.dispatch.concurrency());
                self.report(Event::Slowed { reason, concurrency }).await;
            }
        } else if open == 0 {
            self.shortages += 1;
            if self.shortages > SHORTAGES_MAX {
                self.end.get_or_insert(RunEnd::Starved(error));
            }
            tokio::time::sleep(SHORTAGE_WAIT).await;
        }
    }

    async fn report(&mut self, event: Event) {
        if self.events.send(event).await.is_err() {
            self.end.get_or_insert(RunEnd::Stopped);
        }
    }
}

/// What a panic said.
fn message(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned()),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
