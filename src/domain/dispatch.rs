//! Which target is next: every rule about when a probe may start, and none about how.
//!
//! A [`Dispatch`] walks the plan's order and holds back what may not start yet: a host that is being
//! probed gets no second connection, a prefix keeps its rate, the run keeps its rate and its cap. It
//! is told the time and which probes have ended; it never waits itself.
//!
//! Several loops share a plan as [slices](Dispatch::slices): each has the prefixes that fall to it, so that
//! hosts and prefixes are one loop's alone, and they share the run's rate and a window.

mod outstanding;
mod slice;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;

use super::address::{Prefix, Target};
use super::coverage::Coverage;
use super::pace::Pace;
use super::plan::Plan;
use super::tls::Moment;
use outstanding::Outstanding;
use slice::Slice;

/// The least number of positions between the oldest unfinished one and the newest handed out.
const WINDOW_MIN: u64 = 16_384;

/// How long a slice waits for the others when it is too far ahead of one.
const BEHIND_WAIT: Duration = Duration::from_millis(10);

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
    /// `None` where this is the only one.
    slice: Option<Slice>,
    /// What was covered before, ascending, and which range of it the cursor has not passed.
    covered: Arc<[(u64, u64)]>,
    next_covered: usize,
    pace: Pace,
    /// The cap that was planned, and the one that holds.
    planned: usize,
    concurrency: usize,
    /// Probes that have ended since the cap was last changed, while it is below the planned one.
    ended_well: usize,
    window: u64,
    cursor: u64,
    /// Up to where the window was open when last looked at; it never closes again.
    limit: u64,
    /// Positions taken from the order that have not ended.
    outstanding: Outstanding,
    busy: HashSet<Host, FixedState>,
    /// A target that has its prefix's permit and its host, and waits for the global permit.
    held: Option<Ticket>,
    ready: VecDeque<Waiting>,
    by_host: HashMap<Host, VecDeque<Waiting>, FixedState>,
    by_prefix: HashMap<Prefix, VecDeque<Waiting>, FixedState>,
    due: BinaryHeap<Reverse<(Moment, Prefix)>>,
    /// Targets that are to be probed again, and not before their moment: by position.
    later: BTreeMap<(Moment, u64), Target>,
}

/// An address as a key that is hashed in one go; a hasher without a secret will do, as addresses are ours to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Host(IpAddr);

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            IpAddr::V4(v4) => state.write_u64(u64::from(v4.to_bits())),
            IpAddr::V6(v6) => state.write_u128(v6.to_bits()),
        }
    }
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
        let (tempo, covered) = (plan.tempo, covered.ranges().collect());
        let pace = Pace::new(tempo.rate, tempo.rate_per_prefix);
        Self::part(plan, covered, pace, tempo.concurrency.max(1), None)
    }

    /// Dispatches what `covered` leaves of `plan` to as many as `loops` loops, each on a thread of its own; there is
    /// at least one, and never more than connections at once.
    ///
    /// Each target is handed out by exactly one of them, that of its politeness prefix, and each position that needs
    /// no visit is skipped by exactly one. The cap is split, the rate of the run is shared. A slice that is
    /// a window ahead of the slowest says [`Next::Wait`]; one that is never asked any more holds the
    /// others up. Positions mean the same for any number of loops.
    pub fn slices(plan: Arc<Plan>, covered: Coverage, loops: usize) -> Vec<Self> {
        let tempo = plan.tempo;
        let cap = tempo.concurrency.max(1);
        let count = loops.clamp(1, cap);
        if count == 1 {
            return vec![Self::new(plan, covered)];
        }
        let covered: Arc<[(u64, u64)]> = covered.ranges().collect();
        let pace = Pace::new(tempo.rate, tempo.rate_per_prefix);
        Slice::all(count, window(tempo.concurrency))
            .enumerate()
            .map(|(index, slice)| {
                let share = cap / count + usize::from(index < cap % count);
                let (plan, covered) = (Arc::clone(&plan), Arc::clone(&covered));
                Self::part(plan, covered, pace.sibling(), share, Some(slice))
            })
            .collect()
    }

    fn part(
        plan: Arc<Plan>,
        covered: Arc<[(u64, u64)]>,
        pace: Pace,
        concurrency: usize,
        slice: Option<Slice>,
    ) -> Self {
        Self {
            slice,
            covered,
            next_covered: 0,
            pace,
            planned: concurrency,
            concurrency,
            ended_well: 0,
            window: window(plan.tempo.concurrency),
            cursor: 0,
            limit: 0,
            outstanding: Outstanding::default(),
            busy: HashSet::default(),
            held: None,
            ready: VecDeque::new(),
            by_host: HashMap::default(),
            by_prefix: HashMap::default(),
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
        if self.concurrency >= self.planned {
            return false;
        }
        self.ended_well += 1;
        if self.ended_well < self.concurrency {
            return false;
        }
        self.ended_well = 0;
        self.concurrency += 1;
        self.concurrency == self.planned
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
                    Walk::Stopped => return self.idle(now),
                }
            }
        }
    }

    /// The probe of `ticket` has ended and its result has been taken. `true` if a cap that was lowered is
    /// back at what was planned.
    pub fn finished(&mut self, ticket: Ticket) -> bool {
        // Whoever says it twice must not free a host that another ticket has by now.
        if !self.outstanding.remove(ticket.position) {
            return false;
        }
        self.publish();
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
        self.busy.remove(&Host(host));
        if let Some(waiting) = self.by_host.get_mut(&Host(host)) {
            self.ready.extend(waiting.pop_front());
            if waiting.is_empty() {
                self.by_host.remove(&Host(host));
            }
        }
    }

    /// Puts `ticket` where it belongs: held, or in line behind its host or its prefix.
    fn consider(&mut self, waiting: Waiting, now: Moment) {
        let target = waiting.ticket.target;
        let (host, prefix) = (Host(target.address), target.prefix());
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
        self.busy.insert(Host(ticket.target.address));
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
                && let host = Host(waiting.ticket.target.address)
                && self.busy.contains(&host)
            {
                line.pop_front();
                waiting.join(self.by_host.entry(host).or_default());
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
        let (mut skip_from, mut walk) = (None, Walk::Stopped);
        while self.cursor < end && self.window_is_open() {
            if let Some(after) = self.covered_until() {
                if skip_from.is_some() {
                    break;
                }
                self.cursor = after;
                continue;
            }
            let position = self.cursor;
            let Some(target) = self.plan.order.target(position) else { break };
            match self.fate(position, target) {
                Fate::Visit if skip_from.is_none() => {
                    self.cursor += 1;
                    self.outstanding.push(position);
                    walk = Walk::Ticket(Ticket { position, target });
                    break;
                }
                Fate::Skip if skip_from.is_none_or(|first| position - first < WINDOW_MIN) => {
                    skip_from.get_or_insert(position);
                }
                Fate::Theirs if skip_from.is_none() => {}
                _ => break,
            }
            self.cursor += 1;
        }
        self.publish();
        skip_from.map_or(walk, |first| Walk::Skip { first, last: self.cursor - 1 })
    }

    /// What becomes of `target` at `position`. Of all slices exactly one says other than [`Fate::Theirs`].
    fn fate(&self, position: u64, target: Target) -> Fate {
        let is_ours = self.slice.as_ref().is_none_or(|slice| slice.has(target.prefix()));
        let skips = self.slice.as_ref().is_none_or(|slice| slice.skips(position));
        if !is_ours && !skips {
            return Fate::Theirs;
        }
        match (self.plan.admits(target), is_ours, skips) {
            (true, true, _) => Fate::Visit,
            (false, _, true) => Fate::Skip,
            _ => Fate::Theirs,
        }
    }

    /// The position after the covered range that the cursor stands in, if it does.
    fn covered_until(&mut self) -> Option<u64> {
        while let Some((first, last)) = self.covered.get(self.next_covered).copied()
            && first <= self.cursor
        {
            if self.cursor <= last {
                return Some(last.saturating_add(1));
            }
            self.next_covered += 1;
        }
        None
    }

    fn window_is_open(&mut self) -> bool {
        if self.cursor < self.limit {
            return true;
        }
        let others = self.slice.as_ref().map_or(u64::MAX, Slice::lowest_of_others);
        self.limit = self.low().min(others).saturating_add(self.window);
        self.cursor < self.limit
    }

    /// Nothing below this position is left for this dispatch.
    fn low(&self) -> u64 {
        self.outstanding.first().unwrap_or(self.cursor)
    }

    fn is_done(&self) -> bool {
        self.cursor >= self.plan.order.len() && self.outstanding.is_empty()
    }

    fn publish(&self) {
        if let Some(slice) = &self.slice {
            slice.publish(if self.is_done() { u64::MAX } else { self.low() });
        }
    }

    fn idle(&self, now: Moment) -> Next {
        let due = self.due.peek().map(|Reverse((at, _))| *at);
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        let is_ahead = self.slice.is_some() && self.cursor < self.plan.order.len();
        let others = is_ahead.then_some(now + BEHIND_WAIT);
        match due.into_iter().chain(later).chain(others).min() {
            Some(at) => Next::Wait(at),
            None if self.is_done() => Next::Done,
            None => Next::Full,
        }
    }
}

/// The least lead that a run with `concurrency` needs: positions between the oldest unfinished and the newest.
fn window(concurrency: usize) -> u64 {
    WINDOW_MIN.max(8 * concurrency as u64)
}

/// What becomes of a position.
enum Fate {
    /// It is handed out here.
    Visit,
    /// It needs no visit, and that is said here.
    Skip,
    /// Another slice sees to it.
    Theirs,
}

enum Walk {
    Ticket(Ticket),
    Skip { first: u64, last: u64 },
    Stopped,
}

#[cfg(test)]
mod tests;
