//! Which target is next: every rule about when a probe may start, and none about how.
//!
//! A [`Dispatch`] walks the plan's order and holds back what may not start yet: a host that is being
//! probed gets no second connection, a prefix keeps its rate, the run keeps its rate and its cap. It
//! is told the time and which probes have ended; it never waits itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use super::address::{Prefix, Target};
use super::coverage::Coverage;
use super::pace::Pace;
use super::plan::Plan;
use super::tls::Moment;

/// The least number of positions between the oldest unfinished one and the newest handed out.
const WINDOW_MIN: u64 = 16_384;

/// One target to probe, and its position in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Where the target stands in the order.
    pub position: u64,
    /// The target.
    pub target: Target,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Start a probe; say [`Dispatch::finished`] when it has ended.
    Start(Ticket),
    /// Positions `first..=last` need no visit; record them as covered and ask again.
    Skip {
        /// The first position to skip.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// Nothing may start before this moment, unless a probe ends earlier.
    Wait(Moment),
    /// Nothing may start before a probe has ended.
    Full,
    /// Everything has been handed out and has ended.
    Done,
}

/// Hands out the targets of a plan, each once, under all its rules.
///
/// The positions between the oldest unfinished and the newest handed out are bounded, and with them the
/// memory of this and of every resume token.
pub struct Dispatch {
    plan: Arc<Plan>,
    covered: Coverage,
    pace: Pace,
    concurrency: usize,
    /// Probes that have ended since the cap was last changed, while it is below the planned one.
    ended_well: usize,
    window: u64,
    cursor: u64,
    /// Positions taken from the order that have not ended.
    outstanding: BTreeSet<u64>,
    busy: HashSet<IpAddr>,
    /// A target that has its prefix's permit and its host, and waits for the global permit.
    held: Option<Ticket>,
    ready: VecDeque<Waiting>,
    by_host: HashMap<IpAddr, VecDeque<Waiting>>,
    by_prefix: HashMap<Prefix, VecDeque<Waiting>>,
    due: BinaryHeap<Reverse<(Moment, Prefix)>>,
    /// Targets that are to be probed again, and not before their moment: by position.
    later: BTreeMap<(Moment, u64), Target>,
}

/// A target in line.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    ticket: Ticket,
    /// Whether its visit has begun: then it goes before those whose has not.
    has_begun: bool,
}

impl Waiting {
    fn join(self, line: &mut VecDeque<Self>) {
        if self.has_begun { line.push_front(self) } else { line.push_back(self) }
    }
}

impl Dispatch {
    /// Dispatches what `covered` leaves of `plan`.
    pub fn new(plan: Arc<Plan>, covered: Coverage) -> Self {
        let tempo = plan.tempo;
        Self {
            covered,
            pace: Pace::new(tempo.rate, tempo.rate_per_prefix),
            concurrency: tempo.concurrency.max(1),
            ended_well: 0,
            window: WINDOW_MIN.max(8 * tempo.concurrency as u64),
            cursor: 0,
            outstanding: BTreeSet::new(),
            busy: HashSet::new(),
            held: None,
            ready: VecDeque::new(),
            by_host: HashMap::new(),
            by_prefix: HashMap::new(),
            due: BinaryHeap::new(),
            later: BTreeMap::new(),
            plan,
        }
    }

    /// How many probes have started and not ended.
    pub fn in_flight(&self) -> usize {
        self.busy.len() - usize::from(self.held.is_some())
    }

    /// How many probes may be open at once.
    pub const fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Lowers the cap to `concurrency`, at least 1; a run that is over it starts nothing until it is under.
    pub fn lower_concurrency(&mut self, concurrency: usize) {
        self.concurrency = self.concurrency.min(concurrency.max(1));
        self.ended_well = 0;
    }

    /// Raises a lowered cap by one for as many probes as it allows; `true` when it is the planned one again.
    fn recover(&mut self) -> bool {
        if self.concurrency >= self.plan.tempo.concurrency {
            return false;
        }
        self.ended_well += 1;
        if self.ended_well < self.concurrency {
            return false;
        }
        self.ended_well = 0;
        self.concurrency += 1;
        self.concurrency == self.plan.tempo.concurrency
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: Moment) -> Next {
        if self.in_flight() >= self.concurrency {
            return Next::Full;
        }
        loop {
            if let Some(ticket) = self.held {
                return match self.pace.take(now) {
                    Ok(()) => {
                        self.held = None;
                        Next::Start(ticket)
                    }
                    Err(until) => Next::Wait(until),
                };
            }
            if let Some(waiting) = self.take_later(now) {
                self.consider(waiting, now);
            } else if let Some(ticket) = self.take_due(now) {
                self.hold(ticket);
            } else if let Some(waiting) = self.ready.pop_front() {
                self.consider(waiting, now);
            } else {
                match self.walk() {
                    Walk::Ticket(ticket) => {
                        self.consider(Waiting { ticket, has_begun: false }, now);
                    }
                    Walk::Skip { first, last } => return Next::Skip { first, last },
                    Walk::Stopped => return self.idle(),
                }
            }
        }
    }

    /// The probe of `ticket` has ended and its result has been taken. `true` if a cap that was lowered is
    /// back at what was planned.
    pub fn finished(&mut self, ticket: Ticket) -> bool {
        self.outstanding.remove(&ticket.position);
        self.free(ticket.target.address);
        self.recover()
    }

    /// The target of `ticket` is to be probed again, at `when` or later: it goes to the front of its line, and needs
    /// its host and its permits anew.
    pub fn returned(&mut self, ticket: Ticket, when: Moment) {
        self.free(ticket.target.address);
        self.later.insert((when, ticket.position), ticket.target);
    }

    /// The first target that is to be probed again whose moment has come.
    fn take_later(&mut self, now: Moment) -> Option<Waiting> {
        let first = self.later.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, position), target) = first.remove_entry();
        Some(Waiting { ticket: Ticket { position, target }, has_begun: true })
    }

    fn free(&mut self, host: IpAddr) {
        self.busy.remove(&host);
        if let Some(waiting) = self.by_host.get_mut(&host) {
            self.ready.extend(waiting.pop_front());
            if waiting.is_empty() {
                self.by_host.remove(&host);
            }
        }
    }

    /// Puts `ticket` where it belongs: held, or in line behind its host or its prefix.
    fn consider(&mut self, waiting: Waiting, now: Moment) {
        let target = waiting.ticket.target;
        let (host, prefix) = (target.address, target.prefix());
        if self.busy.contains(&host) {
            waiting.join(self.by_host.entry(host).or_default());
        } else if let Some(line) = self.by_prefix.get_mut(&prefix) {
            waiting.join(line);
        } else {
            match self.pace.take_of(prefix, now) {
                Ok(()) => self.hold(waiting.ticket),
                Err(until) => {
                    self.by_prefix.insert(prefix, VecDeque::from([waiting]));
                    self.due.push(Reverse((until, prefix)));
                }
            }
        }
    }

    fn hold(&mut self, ticket: Ticket) {
        self.busy.insert(ticket.target.address);
        self.held = Some(ticket);
    }

    /// The first target in line behind a prefix whose time has come, with its permit taken.
    fn take_due(&mut self, now: Moment) -> Option<Ticket> {
        while let Some(Reverse((at, prefix))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            let Some(line) = self.by_prefix.get_mut(&prefix) else { continue };
            while let Some(waiting) = line.front().copied()
                && self.busy.contains(&waiting.ticket.target.address)
            {
                line.pop_front();
                waiting.join(self.by_host.entry(waiting.ticket.target.address).or_default());
            }
            if line.is_empty() {
                self.by_prefix.remove(&prefix);
                continue;
            }
            match self.pace.take_of(prefix, now) {
                Err(until) => self.due.push(Reverse((until, prefix))),
                Ok(()) => {
                    let ticket = line.pop_front().map(|waiting| waiting.ticket);
                    if line.is_empty() {
                        self.by_prefix.remove(&prefix);
                    } else {
                        self.due.push(Reverse((now, prefix)));
                    }
                    return ticket;
                }
            }
        }
        None
    }

    /// Takes the next position from the order.
    fn walk(&mut self) -> Walk {
        let end = self.plan.order.len();
        while let Some((_, last)) = self.covered.range_of(self.cursor) {
            self.cursor = last + 1;
        }
        if self.cursor >= end || !self.window_is_open() {
            return Walk::Stopped;
        }
        let first = self.cursor;
        while self.cursor < end && self.cursor - first < WINDOW_MIN {
            let position = self.cursor;
            if self.covered.contains(position) {
                break;
            }
            let Some(target) = self.plan.order.target(position) else { break };
            if self.plan.admits(target) {
                if position > first {
                    break;
                }
                self.cursor += 1;
                self.outstanding.insert(position);
                return Walk::Ticket(Ticket { position, target });
            }
            self.cursor += 1;
        }
        Walk::Skip { first, last: self.cursor - 1 }
    }

    fn window_is_open(&self) -> bool {
        self.outstanding.first().is_none_or(|oldest| self.cursor - oldest < self.window)
    }

    fn idle(&self) -> Next {
        let due = self.due.peek().map(|Reverse((at, _))| *at);
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        match due.into_iter().chain(later).min() {
            Some(at) => Next::Wait(at),
            None if self.outstanding.is_empty() => Next::Done,
            None => Next::Full,
        }
    }
}

enum Walk {
    Ticket(Ticket),
    Skip { first: u64, last: u64 },
    Stopped,
}

#[cfg(test)]
mod tests;
