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
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use super::Clock;
    use crate::domain::time::Timestamp;
    use crate::domain::tls::Moment;

    #[derive(Clone, Debug)]
    pub(super) struct Simulated {
        start: Timestamp,
        nanos: Arc<AtomicU64>,
    }

    impl Simulated {
        pub(super) fn now(&self) -> Moment {
            Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
        }

        pub(super) fn wall(&self) -> Timestamp {
            let elapsed = i64::try_from(self.now().as_micros()).unwrap_or(i64::MAX);
            Timestamp::from_micros(self.start.micros().saturating_add(elapsed))
        }
    }

    impl Clock {
        /// A clock that stands still at `wall` until it is moved on.
        pub(in crate::engine) fn simulated(wall: Timestamp) -> Self {
            let simulated = Simulated { start: wall, nanos: Arc::default() };
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
