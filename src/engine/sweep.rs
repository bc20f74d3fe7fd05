//! What a sweep does next, and what it makes of what has ended: the engine without its sockets.
//!
//! Here the rules of `domain` come together: the dispatch that says which target is next, the ladder that says
//! whether a visit is over, the courtesy that completes handshakes where too many were abandoned. Time and results
//! go in; tickets and events come out. Nothing here waits.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::event::{Event, RunEnd};
use crate::domain::courtesy::Courtesy;
use crate::domain::dispatch::{Dispatch, Next, Ticket};
use crate::domain::ladder::{Policy, Stand, Summary, Visiting};
use crate::domain::observation::Observation;
use crate::domain::scan::Fault;
use crate::domain::scope::Refusal;
use crate::domain::tls::Moment;

/// How long to wait when this machine is out of something and no probe is open that could free it.
const SHORTAGE_WAIT: Duration = Duration::from_millis(100);

/// After how many such waits in a row the run gives up.
const SHORTAGES_MAX: u32 = 100;

/// After how many faults of its own a run gives up: positions that faults leave uncovered stay few.
const FAULTS_MAX: u32 = 1_000;

/// How many connections all loops of a run may have open at once, as each of them tells it.
#[derive(Clone, Debug)]
pub(super) struct Cap {
    now: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    planned: usize,
}

impl Cap {
    pub(super) fn new(planned: usize) -> Self {
        Self { now: Arc::new(AtomicUsize::new(planned)), open: Arc::default(), planned }
    }

    /// One loop, which had `before`, may have `after` now: how many all may have.
    fn change(&self, before: usize, after: usize) -> usize {
        // In two steps, so that a sum is never below nothing.
        let with_both = self.now.fetch_add(after, Ordering::Relaxed) + after;
        self.now.fetch_sub(before, Ordering::Relaxed);
        with_both.saturating_sub(before)
    }

    /// One loop, which had `before` probes open, has `after` now.
    fn tell_open(&self, before: usize, after: usize) {
        self.open.fetch_add(after, Ordering::Relaxed);
        self.open.fetch_sub(before, Ordering::Relaxed);
    }

    /// Whether no loop has a probe open.
    fn is_idle(&self) -> bool {
        self.open.load(Ordering::Relaxed) == 0
    }
}

/// One sweep over what its dispatch hands out.
pub(super) struct Sweep {
    dispatch: Dispatch,
    policy: Arc<Policy>,
    courtesy: Courtesy,
    /// Visits between two attempts, by position.
    visits: HashMap<u64, Box<Visiting>>,
    /// What is to be reported.
    told: Vec<Event>,
    shortages: u32,
    /// Nothing starts before this moment.
    paused_until: Moment,
    cap: Cap,
    /// What the others know of this loop's own cap, and of its open probes.
    known: (usize, usize),
    /// Whether a shortage has been reported that is not over.
    is_slowed: bool,
    faults: u32,
    end: Option<RunEnd>,
}

/// An attempt that is to be made.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) ticket: Ticket,
    /// The visit that it belongs to; `None` for a first attempt like any other.
    pub(super) visiting: Option<Box<Visiting>>,
}

impl Sweep {
    /// A sweep of `ports` ports that asks what `policy` says, and shares `cap` with others.
    pub(super) fn new(dispatch: Dispatch, policy: Arc<Policy>, ports: usize, cap: Cap) -> Self {
        Self {
            courtesy: Courtesy::new(ports * policy.attempts_max()),
            known: (dispatch.concurrency(), 0),
            dispatch,
            policy,
            visits: HashMap::new(),
            told: Vec::new(),
            shortages: 0,
            paused_until: Moment::ZERO,
            cap,
            is_slowed: false,
            faults: 0,
            end: None,
        }
    }

    /// What to do at `now`; what is to be skipped is told already.
    pub(super) fn next(&mut self, now: Moment) -> Next {
        if now < self.paused_until {
            return Next::Wait(self.paused_until);
        }
        let next = self.dispatch.next(now);
        if let Next::Skip { first, last } = next {
            self.told.push(Event::Skipped { first, last });
        }
        next
    }

    /// Begins the attempt at `ticket`.
    pub(super) fn begin(&mut self, ticket: Ticket, now: Moment) -> Due {
        let is_to_finish = self.courtesy.is_due(ticket.target.address, now);
        let mut visiting = self.visits.remove(&ticket.position);
        if is_to_finish {
            let visit = visiting.get_or_insert_with(|| Box::new(Visiting::new(&self.policy)));
            visit.ask.asked = visit.ask.asked.to_the_end();
        }
        Due { ticket, visiting }
    }

    /// Takes what the attempt saw.
    pub(super) fn seen(&mut self, due: Due, seen: Observation, now: Moment) {
        self.shortages = 0;
        let Due { ticket, visiting } = due;
        let was_abandoned = seen.tls.is_some() && !seen.evidence.handshake_finished;
        let has_begun = visiting.is_some();
        let stand = self.stand(ticket.position, visiting, seen);
        if was_abandoned {
            self.courtesy.abandoned(ticket.target.address, now);
        }
        match stand {
            Stand::Again(told) => {
                self.tell(ticket.position, told, None);
                let visiting = self.visits.get(&ticket.position);
                let after = visiting.map_or(Duration::ZERO, |visiting| visiting.ask.after);
                self.dispatch.returned(ticket, now + after);
            }
            Stand::Over(summary, told) => {
                if has_begun {
                    self.visits.remove(&ticket.position);
                }
                self.finish(ticket, told, Some(summary));
            }
        }
    }

    /// Where the visit at `position` stands after what was `seen`. One that had begun before is with the others
    /// meanwhile, where a fault finds what it saw.
    fn stand(
        &mut self,
        position: u64,
        visiting: Option<Box<Visiting>>,
        seen: Observation,
    ) -> Stand {
        if let Some(visiting) = visiting {
            let visiting = self.visits.entry(position).insert_entry(visiting).into_mut();
            return visiting.take(seen, &self.policy);
        }
        let mut visiting = Visiting::new(&self.policy);
        let stand = visiting.take(seen, &self.policy);
        if matches!(stand, Stand::Again(_)) {
            self.visits.insert(position, Box::new(visiting));
        }
        stand
    }

    /// The scope did not permit the attempt: nothing more is started.
    pub(super) fn refused(&mut self, due: Due, refusal: Refusal) {
        self.end.get_or_insert(RunEnd::Refused(refusal));
        self.break_off(due);
    }

    /// A fault of our own ended the attempt.
    pub(super) fn fault(&mut self, due: Due, fault: Fault) {
        self.faults += 1;
        if self.faults >= FAULTS_MAX {
            self.end.get_or_insert(RunEnd::Broken);
        }
        self.told.push(Event::Fault(fault));
        self.break_off(due);
    }

    /// This machine is short of something: the attempt told nothing and is to be made again.
    pub(super) fn short(&mut self, due: Due, error: io::Error, now: Moment) {
        let Due { ticket, visiting } = due;
        tracing::debug!(target = %ticket.target, %error, "short of a local resource");
        if let Some(visiting) = visiting
            && visiting.has_begun()
        {
            self.visits.insert(ticket.position, visiting);
        }
        self.dispatch.returned(ticket, now);
        self.slow_down(error, now);
    }

    /// Lowers the cap to what is open now; with nothing open, waits for others to free something.
    fn slow_down(&mut self, error: io::Error, now: Moment) {
        let open = self.dispatch.in_flight();
        if open > 0 {
            let before = self.dispatch.concurrency();
            if open < before {
                self.dispatch.lower_concurrency(open);
                let concurrency = self.tell_cap();
                // Said once: what follows until it is over is the same shortage.
                if !std::mem::replace(&mut self.is_slowed, true) {
                    self.told.push(Event::Slowed { reason: error.to_string(), concurrency });
                }
            }
            return;
        }
        // While another loop has something open, that is what there is to wait for.
        self.tell_open();
        self.shortages = if self.cap.is_idle() { self.shortages + 1 } else { 0 };
        if self.shortages > SHORTAGES_MAX {
            self.end.get_or_insert(RunEnd::Starved(error));
        }
        self.paused_until = now + SHORTAGE_WAIT;
    }

    /// Ends a visit before its time, and tells what it has seen.
    fn break_off(&mut self, due: Due) {
        let Due { ticket, visiting } = due;
        let visiting = visiting.or_else(|| self.visits.remove(&ticket.position));
        let (summary, told) = self.broken_off(visiting);
        self.finish(ticket, told, summary);
    }

    /// What a visit has seen that ends before its time, as far as it can be told.
    fn broken_off(&self, visiting: Option<Box<Visiting>>) -> (Option<Summary>, Vec<Observation>) {
        let Some(visiting) = visiting else { return Default::default() };
        // After one fault there may be another, and it must not cost what other visits have seen.
        let broken_off = catch_unwind(AssertUnwindSafe(|| visiting.break_off(&self.policy)));
        broken_off.unwrap_or_default()
    }

    /// Tells what a visit that is over has seen, and lets others have its place: in this order, so that nothing is lost
    /// by a fault.
    fn finish(&mut self, ticket: Ticket, told: Vec<Observation>, summary: Option<Summary>) {
        self.tell(ticket.position, told, summary);
        let recovered = self.dispatch.finished(ticket);
        if recovered && self.tell_cap() >= self.cap.planned {
            self.is_slowed = false;
            self.told.push(Event::Recovered { concurrency: self.cap.planned });
        }
    }

    /// Lets the other loops know this one's cap: how many connections all may have open.
    fn tell_cap(&mut self) -> usize {
        let before = std::mem::replace(&mut self.known.0, self.dispatch.concurrency());
        self.cap.change(before, self.known.0)
    }

    /// Lets the other loops know how many probes are open here.
    pub(super) fn tell_open(&mut self) {
        let before = std::mem::replace(&mut self.known.1, self.dispatch.in_flight());
        self.cap.tell_open(before, self.known.1);
    }

    fn tell(&mut self, position: u64, observations: Vec<Observation>, summary: Option<Summary>) {
        for seen in &observations {
            tracing::debug!(target = %seen.target, outcome = %seen.outcome, "visited");
        }
        if !observations.is_empty() {
            self.told.push(Event::Observed { position, observations, summary });
        }
    }

    /// Tells what was seen in visits that have not come to their end, `open` ones among them.
    pub(super) fn tell_what_is_left(&mut self, open: impl Iterator<Item = Due>) {
        let open = open.filter_map(|due| Some((due.ticket.position, due.visiting?)));
        let left: Vec<_> = std::mem::take(&mut self.visits).into_iter().chain(open).collect();
        for (position, visiting) in left {
            let (summary, told) = self.broken_off(Some(visiting));
            self.tell(position, told, summary);
        }
    }

    /// How many probes are to end that have begun.
    pub(super) fn in_flight(&self) -> usize {
        self.dispatch.in_flight()
    }

    /// Ends the run, unless it has ended before.
    pub(super) fn end_with(&mut self, end: RunEnd) {
        self.end.get_or_insert(end);
    }

    /// Whether nothing more is to be started.
    pub(super) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// How it ended, if it did.
    pub(super) fn take_end(&mut self) -> Option<RunEnd> {
        self.end.take()
    }

    /// Whether the run pauses for want of something at `now`.
    pub(super) fn is_short(&self, now: Moment) -> bool {
        now < self.paused_until
    }

    /// Whether as many probes are open as may be.
    pub(super) fn is_full(&self) -> bool {
        self.dispatch.in_flight() >= self.dispatch.concurrency()
    }

    /// How many events wait to be reported.
    pub(super) const fn told_len(&self) -> usize {
        self.told.len()
    }

    /// Takes the events that wait to be reported.
    pub(super) fn take_told(&mut self) -> Vec<Event> {
        let room = self.told.len();
        std::mem::replace(&mut self.told, Vec::with_capacity(room))
    }
}

#[cfg(test)]
mod tests;
