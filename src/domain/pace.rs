//! How fast: the global rate and the rate of each politeness prefix, over a clock that is told.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::address::Prefix;
use super::tls::Moment;

/// The slowest rate there is, in connections per second: one in 1,000 seconds.
pub const RATE_MIN: f64 = 0.001;

/// The fastest rate that is paced; anything faster is paced like this.
const RATE_MAX: f64 = 1e9;

/// After how many permits the idle prefixes are forgotten.
const FORGET_EVERY: u32 = 65_536;

/// Grants permits to connect. Pure: the time is told with each call, and never goes back.
///
/// The permits themselves are governor's (generic cell rate algorithm, ITU-T I.371).
pub struct Pace {
    clock: Told,
    global: Option<RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Duration>>>,
    prefix: Option<PrefixLimiter>,
    granted: u32,
}

type PrefixLimiter = RateLimiter<Prefix, HashMapStateStore<Prefix>, Told, NoOpMiddleware<Duration>>;

impl Pace {
    /// Rates in connections per second; `None` is unlimited.
    ///
    /// From 10 a second on the global rate may burst to what 10 ms grant and to at least two, so that a
    /// timer that rings late costs nothing; slower rates and those of prefixes do not burst.
    pub fn new(rate: Option<f64>, rate_per_prefix: Option<f64>) -> Self {
        let clock = Told::default();
        let global = rate.and_then(|rate| {
            let burst = if rate < 10.0 { 1 } else { ((rate / 100.0) as u32).max(2) };
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            let quota = quota(rate)?.allow_burst(burst);
            Some(RateLimiter::direct_with_clock(quota, clock.clone()))
        });
        let prefix = rate_per_prefix
            .and_then(quota)
            .map(|quota| RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()));
        Self { clock, global, prefix, granted: 0 }
    }

    /// Takes a global permit, or gives the moment at which to ask again.
    ///
    /// # Errors
    /// The moment of the next permit.
    pub fn take(&mut self, now: Moment) -> Result<(), Moment> {
        let Some(limiter) = &self.global else { return Ok(()) };
        self.clock.tell(now);
        limiter.check().map_err(|until| now + at_least_a_tick(until.wait_time_from(now)))
    }

    /// Takes a permit of `prefix`, or gives the moment at which to ask again.
    ///
    /// # Errors
    /// The moment of the prefix's next permit.
    pub fn take_of(&mut self, prefix: Prefix, now: Moment) -> Result<(), Moment> {
        let Some(limiter) = &self.prefix else { return Ok(()) };
        self.clock.tell(now);
        self.granted += 1;
        if self.granted >= FORGET_EVERY {
            self.granted = 0;
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&prefix).map_err(|until| now + at_least_a_tick(until.wait_time_from(now)))
    }
}

/// One permit every `1 / rate` seconds, no burst.
fn quota(rate: f64) -> Option<Quota> {
    let rate = rate.clamp(RATE_MIN, RATE_MAX);
    let quota = Quota::with_period(Duration::try_from_secs_f64(1.0 / rate).ok()?)?;
    Some(quota.allow_burst(NonZeroU32::MIN))
}

/// A wait that moves the clock, whatever was rounded away.
fn at_least_a_tick(wait: Duration) -> Duration {
    wait.max(Duration::from_nanos(1))
}

/// A clock that shows what it was last told.
#[derive(Clone, Debug, Default)]
struct Told(Arc<AtomicU64>);

impl Told {
    fn tell(&self, now: Moment) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for Told {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as many permits as there are until `end`, waiting as told; gives the moment of each.
    fn permits(
        end: Duration,
        late: Duration,
        mut take: impl FnMut(Moment) -> Result<(), Moment>,
    ) -> Vec<Moment> {
        let (mut now, mut granted) = (Moment::ZERO, Vec::new());
        while now < end {
            match take(now) {
                Ok(()) => granted.push(now),
                Err(until) => {
                    assert!(until > now);
                    now = until + late;
                }
            }
        }
        granted
    }

    #[test]
    fn the_rate_holds_within_two_percent_over_any_ten_seconds() {
        for rate in [100.0, 1_000.0, 20_000.0] {
            for late in [Duration::ZERO, Duration::from_millis(1)] {
                let mut pace = Pace::new(Some(rate), None);
                let granted = permits(Duration::from_secs(30), late, |now| pace.take(now));
                for start in [0, 7, 20] {
                    let window = Duration::from_secs(start)..Duration::from_secs(start + 10);
                    let count = granted.iter().filter(|at| window.contains(*at)).count() as f64;
                    let expected = rate * 10.0;
                    assert!((count - expected).abs() <= expected * 0.02, "{rate} {late:?} {count}");
                }
            }
        }
    }

    #[test]
    fn prefixes_are_paced_apart_and_do_not_burst() {
        let mut pace = Pace::new(None, Some(5.0));
        let [one, two] = ["192.0.2.1", "198.51.100.1"].map(|a| Prefix::of(a.parse().unwrap()));
        assert_eq!(pace.take_of(one, Moment::ZERO), Ok(()));
        assert_eq!(pace.take_of(one, Moment::ZERO), Err(Duration::from_millis(200)));
        assert_eq!(pace.take_of(two, Moment::ZERO), Ok(()));
        let mut pace = Pace::new(None, Some(5.0));
        let granted =
            permits(Duration::from_secs(10), Duration::ZERO, |now| pace.take_of(one, now));
        assert_eq!(granted.len(), 50);
    }

    #[test]
    fn slow_rates_and_no_rates_work() {
        let mut slow = Pace::new(Some(0.5), None);
        assert_eq!(slow.take(Moment::ZERO), Ok(()));
        assert_eq!(slow.take(Moment::ZERO), Err(Duration::from_secs(2)));
        for extreme in [0.0, 1e-300, RATE_MIN] {
            let mut pace = Pace::new(Some(extreme), Some(extreme));
            assert_eq!(pace.take(Moment::ZERO), Ok(()));
            assert_eq!(pace.take(Moment::ZERO), Err(Duration::from_secs(1_000)));
        }
        let mut fast = Pace::new(Some(1e300), None);
        assert_eq!(fast.take(Moment::ZERO), Ok(()));
        let mut free = Pace::new(None, None);
        assert_eq!(free.take(Moment::ZERO), Ok(()));
        assert_eq!(free.take(Moment::ZERO), Ok(()));
    }
}
