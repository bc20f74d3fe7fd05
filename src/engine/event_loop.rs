//! One loop over many connections: what is due is begun, what has news goes on, what is late is given up.
//!
//! A probe is a place in a list, not a task: a socket that is used again, a client once one is needed, and a deadline
//! in the wheel. Nothing is shared with other loops on the way of a probe; results leave in batches.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, mem};

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::dial::{Dialled, Socket, Wire};
use super::event::{Event, RunEnd};
use super::poll::{Bell, News, Poll};
use super::prober::Prober;
use super::sweep::{Due, Sweep};
use super::talk::Talk;
use crate::domain::address::Family;
use crate::domain::dispatch::{Next, Ticket};
use crate::domain::ladder::Visiting;
use crate::domain::observation::Observation;
use crate::domain::outcome::Outcome;
use crate::domain::patience::Patience;
use crate::domain::plan::Plan;
use crate::domain::recogniser::Recogniser;
use crate::domain::scan::Fault;
use crate::domain::spent::{Spent, Wait};
use crate::domain::time::Timestamp;
use crate::domain::tls::own::Look;
use crate::domain::tls::{End, Moment, Verdict};
use crate::domain::visit::Visit;
use crate::domain::wheel::Wheel;

/// Probes begun before news are looked at again.
const BEGUN_AT_ONCE: usize = 64;

/// Events that are reported together.
const BATCH: usize = 64;

/// The longest that an event waits for others to be reported with.
const REPORT_EVERY: Duration = Duration::from_millis(20);

/// Looks at one answer before a client takes it over: each begins at the first byte again.
const LOOKS_MAX: u8 = 8;

/// Bytes read at once; a certificate may have 64 KiB.
const BUFFER: usize = 64 * 1024;

/// A place for a probe, and the socket that it leaves to the next one.
#[derive(Default)]
struct Slot {
    socket: Option<Socket>,
    probe: Option<Probe>,
}

/// A connection that is open, or about to be.
struct Probe {
    due: Due,
    time: Timestamp,
    began: Moment,
    connected: Option<Moment>,
    stage: Stage,
}

enum Stage {
    Connecting,
    /// The one ClientHello was sent; what comes is looked at where the kernel holds it.
    Glancing {
        first_byte: Option<Moment>,
        looks: u8,
    },
    Talking(Talk),
}

/// How things stand once nothing more can be begun for now.
enum Standing {
    /// There is more to begin, after a look at the news.
    Busy,
    /// Nothing can be begun before something has happened, or before the moment.
    Waiting(Wait, Option<Moment>),
}

/// The loop.
pub(super) struct EventLoop {
    plan: Arc<Plan>,
    prober: Prober,
    /// A visit before its first attempt.
    first: Visiting,
    sweep: Sweep,
    poll: Poll,
    slots: Vec<Slot>,
    free: Free,
    open: usize,
    wheel: Wheel,
    patience: Patience,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    recogniser: Recogniser,
    events: Sender<Vec<Event>>,
    reported: Moment,
    halt: Arc<AtomicBool>,
    spent: Spent,
}

/// Places without a probe.
#[derive(Default)]
struct Free {
    v4: Vec<u32>,
    v6: Vec<u32>,
    /// Those without a socket as well.
    bare: Vec<u32>,
}

impl Free {
    fn of(&mut self, socket: Option<&Socket>) -> &mut Vec<u32> {
        match socket.map(Socket::family) {
            None => &mut self.bare,
            Some(Family::V4) => &mut self.v4,
            Some(Family::V6) => &mut self.v6,
        }
    }

    /// A place for a connection to `address`, one with a fitting socket if there is one.
    fn take(&mut self, address: IpAddr) -> Option<u32> {
        let (fitting, other) = match Family::of(address) {
            Family::V4 => (&mut self.v4, &mut self.v6),
            Family::V6 => (&mut self.v6, &mut self.v4),
        };
        fitting.pop().or_else(|| self.bare.pop()).or_else(|| other.pop())
    }
}

impl EventLoop {
    /// A loop that reports to `events` until its sweep is done or `halt` is set and its bell rung.
    pub(super) fn new(
        plan: Arc<Plan>,
        prober: Prober,
        sweep: Sweep,
        events: Sender<Vec<Event>>,
        halt: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let recogniser = Recogniser::new(Arc::clone(&prober.index));
        Ok(Self {
            first: Visiting::new(&prober.policy),
            patience: Patience::new(prober.connect_timeout),
            plan,
            prober,
            sweep,
            poll: Poll::new()?,
            slots: Vec::new(),
            free: Free::default(),
            open: 0,
            wheel: Wheel::default(),
            buffer: vec![0; BUFFER],
            scratch: Vec::new(),
            recogniser,
            events,
            reported: Moment::ZERO,
            halt,
            spent: Spent::default(),
        })
    }

    /// What wakes the loop where it waits.
    pub(super) fn bell(&self) -> Bell {
        self.poll.bell()
    }

    /// Sweeps to the end.
    pub(super) fn run(mut self) -> (RunEnd, Spent) {
        let began = self.prober.clock.now();
        loop {
            self.report_if_due();
            let standing = self.begin_what_is_due();
            if self.open == 0 && self.is_halted() {
                break;
            }
            match self.wait(standing) {
                Ok(true) => self.hear_all(),
                Ok(false) => {
                    self.hear_all();
                    self.give_up_what_is_late();
                }
                Err(error) => {
                    self.sweep.end_with(RunEnd::Starved(error));
                    break;
                }
            }
        }
        self.sweep.tell_what_is_left();
        self.report();
        let waited = self.spent.total();
        self.spent.busy = (self.prober.clock.now() - began).saturating_sub(waited);
        (self.sweep.take_end().unwrap_or(RunEnd::Stopped), self.spent)
    }

    fn is_halted(&self) -> bool {
        self.sweep.has_ended() || self.halt.load(Ordering::Relaxed)
    }

    /// Begins what may begin now, so far as it can be done without looking at the news.
    fn begin_what_is_due(&mut self) -> Standing {
        for _ in 0..BEGUN_AT_ONCE {
            if self.is_halted() {
                return Standing::Waiting(Wait::Last, None);
            }
            let now = self.prober.clock.now();
            match self.sweep.next(now) {
                Next::Start(ticket) => self.begin(ticket, now),
                Next::Skip { .. } => {}
                Next::Wait(until) => {
                    return Standing::Waiting(self.waits_for(now), Some(until));
                }
                Next::Full => {
                    let wait = if self.sweep.is_full() { Wait::Full } else { Wait::Last };
                    return Standing::Waiting(wait, None);
                }
                Next::Done => self.sweep.end_with(RunEnd::Complete),
            }
        }
        Standing::Busy
    }

    /// What a wait until a moment is for.
    fn waits_for(&self, now: Moment) -> Wait {
        let tempo = &self.plan.tempo;
        match (tempo.rate, tempo.rate_per_prefix) {
            _ if self.sweep.is_short(now) => Wait::Shortage,
            // A second attempt that is not due, or another loop that is behind.
            (None, None) => Wait::Last,
            _ => Wait::Rate,
        }
    }

    /// Waits for news as long as `standing` allows; whether there may be more than are told.
    fn wait(&mut self, standing: Standing) -> io::Result<bool> {
        let Standing::Waiting(wait, until) = standing else {
            return self.poll.wait(Some(Duration::ZERO));
        };
        let now = self.prober.clock.now();
        let report_at = (self.sweep.told_len() > 0).then_some(self.reported + REPORT_EVERY);
        let until = [until, report_at, self.wheel.next()].into_iter().flatten().min();
        let timeout = until.map(|until| until.saturating_sub(now));
        #[cfg(test)]
        if let Some(timeout) = timeout
            && self.prober.clock.is_simulated()
        {
            let more = self.poll.wait(Some(timeout.min(REPORT_EVERY)));
            if self.poll.len() == 0 {
                self.prober.clock.move_on(timeout);
            }
            return more;
        }
        let more = self.poll.wait(timeout);
        self.spent.add(wait, self.prober.clock.now() - now);
        more
    }

    fn report_if_due(&mut self) {
        let is_time = || self.prober.clock.now() >= self.reported + REPORT_EVERY;
        let waiting = self.sweep.told_len();
        if waiting >= BATCH || waiting > 0 && is_time() {
            self.report();
        }
    }

    fn report(&mut self) {
        self.reported = self.prober.clock.now();
        if self.sweep.told_len() == 0 {
            return;
        }
        let sent = match self.events.try_send(self.sweep.take_told()) {
            Err(TrySendError::Full(batch)) => {
                let sent = self.events.blocking_send(batch).is_ok();
                let now = self.prober.clock.now();
                self.spent.add(Wait::Results, now - mem::replace(&mut self.reported, now));
                sent
            }
            sent => sent.is_ok(),
        };
        if !sent {
            self.sweep.end_with(RunEnd::Stopped);
        }
    }

    fn begin(&mut self, ticket: Ticket, now: Moment) {
        let due = self.sweep.begin(ticket, now);
        let time = self.prober.clock.wall();
        let key = self.free.take(ticket.target.address).unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let dialled = self.dial(key, ticket, time);
        let stage = Stage::Connecting;
        let mut probe = Probe { due, time, began: now, connected: None, stage };
        match dialled {
            Dialled::Connecting => {
                self.put(key, probe);
                self.wheel.set(key, now + self.patience.timeout());
            }
            Dialled::Connected => {
                probe.connected = Some(now);
                self.put(key, probe);
                self.guarded(key, |this| this.connected(key, now));
            }
            Dialled::Ended(outcome) => {
                self.put(key, probe);
                self.guarded(key, |this| this.conclude(key, Verdict::without_leaf(outcome), now));
            }
            Dialled::Local(error) => {
                self.release(key, false);
                self.sweep.short(probe.due, error, now);
            }
            Dialled::Refused(refusal) => {
                self.release(key, false);
                self.sweep.refused(probe.due, refusal);
            }
        }
    }

    fn put(&mut self, key: u32, probe: Probe) {
        self.slots[key as usize].probe = Some(probe);
        self.open += 1;
    }

    fn dial(&mut self, key: u32, ticket: Ticket, time: Timestamp) -> Dialled {
        let address = ticket.target.address;
        let slot = &mut self.slots[key as usize];
        if slot.socket.as_ref().is_none_or(|socket| !socket.fits(address)) {
            slot.socket = None;
            let opened = Socket::open(address);
            match opened.and_then(|socket| match self.poll.add(&socket, key) {
                Ok(()) => Ok(socket),
                Err(error) => Err(Dialled::Local(error)),
            }) {
                Ok(socket) => slot.socket = Some(socket),
                Err(dialled) => return dialled,
            }
        }
        match &mut slot.socket {
            Some(socket) => socket.dial(&self.plan.scope, ticket.target, time),
            None => Dialled::Local(io::ErrorKind::Other.into()),
        }
    }

    fn hear_all(&mut self) {
        for at in 0..self.poll.len() {
            if let Some(news) = self.poll.news(at) {
                self.guarded(news.key, |this| this.hear(news));
            }
        }
    }

    /// Does `work` for the probe at `key`; a panic is a fault of that probe alone.
    fn guarded(&mut self, key: u32, work: impl FnOnce(&mut Self)) {
        let probe = self.slots.get(key as usize).and_then(|slot| slot.probe.as_ref());
        let Some(ticket) = probe.map(|probe| probe.due.ticket) else { return };
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) else { return };
        let due = match self.slots[key as usize].probe.take() {
            Some(probe) => {
                self.open -= 1;
                self.release(key, true);
                probe.due
            }
            None => Due { ticket, visiting: None },
        };
        let Ticket { position, target } = ticket;
        let time = self.prober.clock.wall();
        self.sweep.fault(due, Fault { time, position, target, message: message(&*panic) });
    }

    /// Goes on with a probe that has news.
    fn hear(&mut self, news: News) {
        let now = self.prober.clock.now();
        let slot = &mut self.slots[news.key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        match &mut probe.stage {
            Stage::Connecting => {
                let dialled = if news.is_error { socket.news() } else { Dialled::Connected };
                self.answered(news.key, dialled, now);
                // Who speaks first may have spoken already, and is not told of again.
                if news.is_readable {
                    self.look(news, now);
                }
            }
            Stage::Glancing { .. } => self.look(news, now),
            Stage::Talking(talk) => match talk.go_on(socket, &mut self.buffer, now) {
                Some(verdict) => self.conclude(news.key, verdict, now),
                None => self.wheel.set(news.key, talk.deadline()),
            },
        }
    }

    /// Lets `talk` have the connection at `key`, and goes on with it.
    fn talk(&mut self, key: u32, mut talk: Talk, now: Moment) {
        let slot = &mut self.slots[key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        match talk.go_on(socket, &mut self.buffer, now) {
            Some(verdict) => self.conclude(key, verdict, now),
            None => {
                self.wheel.set(key, talk.deadline());
                probe.stage = Stage::Talking(talk);
            }
        }
    }

    /// Looks at what has come on a connection that has no client.
    fn look(&mut self, news: News, now: Moment) {
        let slot = &mut self.slots[news.key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        let Some(glance) = &self.prober.glance else { return };
        let Stage::Glancing { first_byte, looks } = &mut probe.stage else { return };
        let length = match socket.peek(&mut self.buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // The error is told once: nobody would hear of it again.
            Err(_) => return self.hand_over(news.key, Some(End::Reset), now),
        };
        if length > 0 {
            let first = *first_byte.get_or_insert(now);
            match glance.look(&self.buffer[..length], &mut self.scratch) {
                Look::Certificates { tls, chain } => {
                    let visit = visit(probe, &self.first);
                    let seen = visit.presented(tls, chain, [first, now], &mut self.recogniser);
                    return self.seen(news.key, false, seen, now);
                }
                Look::More if !news.is_end && *looks < LOOKS_MAX => {
                    *looks += 1;
                    return;
                }
                Look::More | Look::Unusual => {}
            }
        }
        self.hand_over(news.key, None, now);
    }

    /// Gives a connection that was looked at to a client, which reads it from the first byte on or learns of its `end`.
    fn hand_over(&mut self, key: u32, end: Option<End>, now: Moment) {
        let Some(probe) = &self.slots[key as usize].probe else { return };
        let Some(glance) = &self.prober.glance else { return };
        let Stage::Glancing { first_byte, .. } = probe.stage else { return };
        let mut talk = Talk::new(glance.client(probe.connected.unwrap_or(probe.began)));
        if let Some(end) = end {
            talk.end(end, now);
        }
        self.talk(key, talk, first_byte.unwrap_or(now));
    }

    /// A connection that was on its way stands, or does not.
    fn answered(&mut self, key: u32, dialled: Dialled, now: Moment) {
        if let Some(probe) = &mut self.slots[key as usize].probe {
            self.patience.answered(now - probe.began);
            probe.connected = matches!(dialled, Dialled::Connected).then_some(now);
        }
        match dialled {
            Dialled::Connected => self.connected(key, now),
            Dialled::Ended(outcome) => self.conclude(key, Verdict::without_leaf(outcome), now),
            Dialled::Local(error) => self.put_back(key, error, now),
            Dialled::Connecting | Dialled::Refused(_) => {}
        }
    }

    /// Says the first words on a connection that stands.
    fn connected(&mut self, key: u32, now: Moment) {
        let slot = &mut self.slots[key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        if let Some(glance) = &self.prober.glance
            && probe.due.visiting.is_none()
        {
            let hello = glance.hello();
            let sent = socket.send(hello).unwrap_or(0);
            if sent == hello.len() {
                self.wheel.set(key, now + self.plan.tempo.limits.handshake);
                probe.stage = Stage::Glancing { first_byte: None, looks: 0 };
            } else {
                let talk = Talk::with_unsent(glance.client(now), &hello[sent..]);
                self.talk(key, talk, now);
            }
            return;
        }
        let mut entropy = [0; 112];
        if let Err(error) = getrandom::fill(&mut entropy) {
            return self.put_back(key, io::Error::other(error), now);
        }
        let ask = probe.due.visiting.as_ref().map_or(&self.first.ask, |visiting| &visiting.ask);
        let talk = Talk::new(self.prober.offers.start(ask, now, entropy));
        self.talk(key, talk, now);
    }

    fn give_up_what_is_late(&mut self) {
        let now = self.prober.clock.now();
        while let Some(key) = self.wheel.expired(now) {
            self.guarded(key, |this| this.give_up(key, now));
        }
    }

    fn give_up(&mut self, key: u32, now: Moment) {
        let slot = &mut self.slots[key as usize];
        let (Some(socket), Some(probe)) = (&mut slot.socket, &mut slot.probe) else { return };
        if matches!(probe.stage, Stage::Glancing { .. }) {
            self.hand_over(key, None, now);
            let slot = &mut self.slots[key as usize];
            return if slot.probe.is_some() {
                self.give_up(key, now)
            };
        }
        let verdict = match &mut probe.stage {
            Stage::Connecting | Stage::Glancing { .. } => None,
            Stage::Talking(talk) => talk.give_up(socket, &mut self.buffer, now),
        };
        let timeout = || Verdict::without_leaf(Outcome::ConnectTimeout);
        self.conclude(key, verdict.unwrap_or_else(timeout), now);
    }

    /// Takes what the connection of the probe at `key` has come to.
    fn conclude(&mut self, key: u32, verdict: Verdict, now: Moment) {
        let Some(probe) = &self.slots[key as usize].probe else { return };
        let finished = verdict.evidence.handshake_finished;
        let seen = visit(probe, &self.first).observation(verdict, &mut self.recogniser);
        self.seen(key, finished, seen, now);
    }

    /// Takes what the probe at `key` has seen, and frees its place.
    fn seen(&mut self, key: u32, finished: bool, seen: Observation, now: Moment) {
        if let Some(due) = self.take(key, finished) {
            self.sweep.seen(due, seen, now);
        }
    }

    /// This machine could not go on with the probe at `key`.
    fn put_back(&mut self, key: u32, error: io::Error, now: Moment) {
        if let Some(due) = self.take(key, false) {
            self.sweep.short(due, error, now);
        }
    }

    /// Takes the probe out of its place, and frees that.
    fn take(&mut self, key: u32, finished: bool) -> Option<Due> {
        let probe = self.slots[key as usize].probe.take()?;
        self.open -= 1;
        if finished {
            // What was said last is to arrive.
            self.slots[key as usize].socket.take().map(Socket::close);
        }
        self.release(key, false);
        Some(probe.due)
    }

    /// Ends the connection at `key` with a reset, and frees the place.
    fn release(&mut self, key: u32, is_broken: bool) {
        self.wheel.clear(key);
        let slot = &mut self.slots[key as usize];
        let is_usable = slot.socket.as_mut().is_some_and(Socket::disconnect);
        if !is_usable || is_broken {
            slot.socket.take().map(Socket::reset);
        }
        self.free.of(slot.socket.as_ref()).push(key);
    }
}

/// The attempt of `probe`; `first` is a visit before its first one.
fn visit<'a>(probe: &'a Probe, first: &'a Visiting) -> Visit<'a> {
    Visit {
        time: probe.time,
        target: probe.due.ticket.target,
        began: probe.began,
        connected: probe.connected,
        ask: probe.due.visiting.as_ref().map_or(&first.ask, |visiting| &visiting.ask),
    }
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
