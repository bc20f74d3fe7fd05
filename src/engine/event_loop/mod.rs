//! One loop over many connections: what is due is begun, what has news goes on, what is late is given up.
//!
//! A probe is a place in a list, not a task: a socket that is used again, a client once one is needed, and a deadline
//! in the wheel. Nothing is shared with other loops on the way of a probe; results leave in batches. What happens on
//! one connection is in `connection`.

mod connection;
mod place;

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use place::{Free, Probe, Slot, Stage};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::domain::dispatch::{Next, Ticket};
use crate::domain::ladder::Visiting;
use crate::domain::patience::Patience;
use crate::domain::plan::Plan;
use crate::domain::recogniser::Recogniser;
use crate::domain::scan::Fault;
use crate::domain::spent::{Spent, Wait};
use crate::domain::tls::Moment;
use crate::domain::wheel::Wheel;
use crate::engine::event::{Event, RunEnd};
use crate::engine::poll::{Bell, Poll};
use crate::engine::prober::Prober;
use crate::engine::sweep::{Due, Sweep};

/// Probes begun before news are looked at again.
const BEGUN_AT_ONCE: usize = 64;

/// Events that are reported together.
const BATCH: usize = 64;

/// The longest that an event waits for others to be reported with.
const REPORT_EVERY: Duration = Duration::from_millis(20);

/// Bytes read at once; a certificate may have 64 KiB.
const BUFFER: usize = 64 * 1024;

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
    /// Whether results wait because nobody has taken those before them: nothing is begun meanwhile.
    is_held_up: bool,
    reported: Moment,
    halt: Arc<AtomicBool>,
    spent: Spent,
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
            is_held_up: false,
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
        // What no target is to blame for ends the run; what was seen until then is told.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.sweep())) {
            tracing::error!(fault = message(&*panic), "an event loop ended");
            self.sweep.end_with(RunEnd::Broken);
        }
        let open = self.slots.iter_mut().filter_map(|slot| slot.probe.take());
        self.sweep.tell_what_is_left(open.map(|probe| probe.due));
        self.report_the_last();
        let waited = self.spent.total();
        self.spent.busy = self.prober.clock.now().saturating_sub(began + waited);
        (self.sweep.take_end().unwrap_or(RunEnd::Stopped), self.spent)
    }

    /// Begins, hears and gives up until nothing is left or the run is halted.
    fn sweep(&mut self) {
        loop {
            self.report_if_due();
            self.sweep.tell_open();
            let standing = self.begin_what_is_due();
            if self.open == 0 && self.is_halted() {
                return;
            }
            let is_stuck = matches!(standing, Standing::Waiting(Wait::Full | Wait::Last, None));
            if is_stuck && self.open == 0 && self.sweep.in_flight() > 0 {
                // A fault lost count of what is open: nothing would ever end it.
                return self.sweep.end_with(RunEnd::Broken);
            }
            match self.wait(standing) {
                Ok(()) => {
                    self.hear_all();
                    self.give_up_what_is_late();
                }
                Err(error) => return self.sweep.end_with(RunEnd::Starved(error)),
            }
        }
    }

    fn is_halted(&self) -> bool {
        self.sweep.has_ended() || self.halt.load(Ordering::Relaxed)
    }

    /// Begins what may begin now, so far as it can be done without looking at the news.
    fn begin_what_is_due(&mut self) -> Standing {
        if self.is_held_up && !self.is_halted() {
            return Standing::Waiting(Wait::Results, None);
        }
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

    /// Waits for news as long as `standing` allows.
    fn wait(&mut self, standing: Standing) -> io::Result<()> {
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
            let waited = self.poll.wait(Some(timeout.min(REPORT_EVERY)));
            if self.poll.len() == 0 {
                self.prober.clock.move_on(timeout);
            }
            return waited;
        }
        let waited = self.poll.wait(timeout);
        self.spent.add(wait, self.prober.clock.now() - now);
        waited
    }

    fn report_if_due(&mut self) {
        let is_time = || self.prober.clock.now() >= self.reported + REPORT_EVERY;
        let waiting = self.sweep.told_len();
        if waiting >= BATCH && !self.is_held_up || waiting > 0 && is_time() {
            self.report();
        }
    }

    /// Reports what is told, if there is room for it. If not, it waits, and open probes go on: a slow receiver slows the
    /// sweep, and no target pays for it.
    fn report(&mut self) {
        self.reported = self.prober.clock.now();
        match self.events.try_reserve() {
            Ok(room) => {
                room.send(self.sweep.take_told());
                self.is_held_up = false;
            }
            Err(TrySendError::Full(())) => self.is_held_up = true,
            Err(TrySendError::Closed(())) => self.sweep.end_with(RunEnd::Stopped),
        }
    }

    /// Reports what is left, however long that takes: no probe is open any more.
    fn report_the_last(&mut self) {
        let began = self.prober.clock.now();
        if self.sweep.told_len() > 0 && self.events.blocking_send(self.sweep.take_told()).is_err() {
            self.sweep.end_with(RunEnd::Stopped);
        }
        self.spent.add(Wait::Results, self.prober.clock.now() - began);
    }

    /// Begins the attempt at `ticket`; a panic on the way is a fault of that target alone.
    fn begin(&mut self, ticket: Ticket, now: Moment) {
        let place = catch_unwind(AssertUnwindSafe(|| self.place(ticket, now)));
        match place {
            Ok(key) => self.guarded(key, |this| this.dial(key, now)),
            Err(panic) => self.fault(Due { ticket, visiting: None }, &*panic),
        }
    }

    /// Gives the attempt at `ticket` a place.
    fn place(&mut self, ticket: Ticket, now: Moment) -> u32 {
        let time = self.prober.clock.wall();
        let due = self.sweep.begin(ticket, now);
        let key = self.free.take(ticket.target.address).unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        self.put(key, Probe { due, time, began: now, connected: None, stage: Stage::Connecting });
        key
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
        self.fault(due, &*panic);
    }

    /// A panic ended the attempt that is `due`.
    fn fault(&mut self, due: Due, panic: &(dyn Any + Send)) {
        let Ticket { position, target } = due.ticket;
        let time = self.prober.clock.wall();
        self.sweep.fault(due, Fault { time, position, target, message: message(panic) });
    }

    fn give_up_what_is_late(&mut self) {
        let now = self.prober.clock.now();
        while let Some(key) = self.wheel.expired(now) {
            self.guarded(key, |this| this.give_up(key, now));
        }
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
