//! The run's clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;
use crate::domain::tls::Moment;

/// The monotonic clock of one run, and the wall clock beside it.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    #[cfg(test)]
    simulated: Option<simulated::Simulated>,
}

impl Clock {
    /// A clock that starts now and shows the system's time.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            #[cfg(test)]
            simulated: None,
        }
    }

    /// The time since the run began.
    pub fn now(&self) -> Moment {
        #[cfg(test)]
        if let Some(simulated) = &self.simulated {
            return simulated.now();
        }
        self.started.elapsed()
    }

    /// The time of day. It follows the system's clock, also when that is set or the machine slept,
    /// so that a scope's last day is never missed.
    pub fn wall(&self) -> Timestamp {
        #[cfg(test)]
        if let Some(simulated) = &self.simulated {
            return simulated.wall();
        }
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Time that passes only where somebody waits for it.
#[cfg(test)]
mod simulated {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::Clock;
    use crate::domain::time::Timestamp;
    use crate::domain::tls::Moment;

    #[derive(Clone, Debug)]
    pub(super) struct Simulated {
        start: Timestamp,
        nanos: Arc<AtomicU64>,
        /// How often each clock was read: the monotonic one, the one on the wall.
        readings: Arc<[AtomicUsize; 2]>,
        /// Which reading of each panics.
        panics_at: [usize; 2],
    }

    impl Simulated {
        pub(super) fn now(&self) -> Moment {
            self.read(0);
            self.elapsed()
        }

        pub(super) fn wall(&self) -> Timestamp {
            self.read(1);
            let elapsed = i64::try_from(self.elapsed().as_micros()).unwrap_or(i64::MAX);
            Timestamp::from_micros(self.start.micros().saturating_add(elapsed))
        }

        fn elapsed(&self) -> Moment {
            Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
        }

        fn read(&self, which: usize) {
            let number = self.readings[which].fetch_add(1, Ordering::Relaxed);
            assert!(number != self.panics_at[which], "reading {number} was told to panic");
        }
    }

    impl Clock {
        /// A clock that stands still at `wall` until it is moved on.
        pub(in crate::engine) fn simulated(wall: Timestamp) -> Self {
            Self::panicking_at(wall, [usize::MAX; 2])
        }

        /// The same where two readings panic: the one with the first number of [`Clock::now`], and the one with the
        /// second number of [`Clock::wall`], both counted from 0.
        pub(in crate::engine) fn panicking_at(wall: Timestamp, panics_at: [usize; 2]) -> Self {
            let (nanos, readings) = (Arc::default(), Arc::default());
            let simulated = Simulated { start: wall, nanos, readings, panics_at };
            Self { started: Instant::now(), simulated: Some(simulated) }
        }

        /// Whether time passes only by [`Clock::move_on`].
        pub(in crate::engine) const fn is_simulated(&self) -> bool {
            self.simulated.is_some()
        }

        /// Moves a simulated clock on by `time`.
        pub(in crate::engine) fn move_on(&self, time: Duration) {
            if let Some(simulated) = &self.simulated {
                let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                simulated.nanos.fetch_add(nanos, Ordering::Relaxed);
            }
        }
    }
}
