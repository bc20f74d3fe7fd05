//! The run's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::domain::time::Timestamp;
use crate::domain::tls::Moment;

/// The monotonic clock of one run, and the wall clock beside it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// What the wall clock showed at the start, where it is simulated.
    simulated: Option<Timestamp>,
}

impl Clock {
    /// A clock that starts now and shows the system's time.
    pub fn start() -> Self {
        Self { started: Instant::now(), simulated: None }
    }

    /// A clock that starts now and pretends that it is `wall`: for tests in paused time.
    pub fn simulated(wall: Timestamp) -> Self {
        Self { started: Instant::now(), simulated: Some(wall) }
    }

    /// The time since the run began.
    pub fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// The instant at which [`Clock::now`] will be `moment`; a moment that no clock reaches is ten years
    /// away.
    pub fn instant(&self, moment: Moment) -> Instant {
        const NEVER: Duration = Duration::from_secs(10 * 365 * 86_400);
        self.started + moment.min(NEVER)
    }

    /// The time of day. It follows the system's clock, also when that is set or the machine slept,
    /// so that a scope's last day is never missed.
    pub fn wall(&self) -> Timestamp {
        if let Some(start) = self.simulated {
            let elapsed = i64::try_from(self.now().as_micros()).unwrap_or(i64::MAX);
            return Timestamp::from_micros(start.micros().saturating_add(elapsed));
        }
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}
