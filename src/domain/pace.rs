//! How fast: the global rate and the rate of each politeness prefix, over a clock that is told.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foldhash::fast::FixedState;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{NotUntil, Quota, RateLimiter};

use super::address::Prefix;
use super::tls::Moment;

/// The slowest rate there is, in connections per second: one in 1,000 seconds.
pub const RATE_MIN: f64 = 0.001;

/// The fastest rate that is paced; anything faster is paced like this.
const RATE_MAX: f64 = 1e9;

/// The most global permits taken in one go.
const BATCH_MAX: u32 = 64;

/// How long a permit taken in advance may be used; at most what this time grants is taken in one go.
const STOCK_LASTS: Duration = Duration::from_millis(1);

/// After how many permits, at the least, the idle prefixes are forgotten.
const FORGET_AFTER: usize = 4_096;

/// Grants permits to connect. Pure: the time is told with each call, and never goes back.
///
/// The permits themselves are governor's (generic cell rate algorithm, ITU-T I.371). Siblings share the
/// global rate, each on a thread of its own; the rates of prefixes are kept by each for itself, so that
/// a prefix belongs to one of them.
pub struct Pace {
    global: Option<Global>,
    prefix: Option<PrefixPace>,
}

impl Pace {
    /// Rates in connections per second; `None` is unlimited.
    ///
    /// From 10 a second on the global rate may burst to what 10 ms grant and to at least two, so that a
    /// timer that rings late costs nothing; slower rates and those of prefixes do not burst.
    pub fn new(rate: Option<f64>, rate_per_prefix: Option<f64>) -> Self {
        Self {
            global: rate.and_then(Global::new),
            prefix: rate_per_prefix.and_then(quota).map(PrefixPace::new),
        }
    }

    /// Another one under the same global rate: all siblings together get what one would.
    pub fn sibling(&self) -> Self {
        Self {
            global: self.global.as_ref().map(Global::sibling),
            prefix: self.prefix.as_ref().map(|prefix| PrefixPace::new(prefix.quota)),
        }
    }

    /// Takes a global permit, or gives the moment at which to ask again.
    ///
    /// # Errors
    /// The moment of the next permit.
    #[inline]
    pub fn take(&mut self, now: Moment) -> Result<(), Moment> {
        self.global.as_mut().map_or(Ok(()), |global| global.take(now))
    }

    /// Takes a permit of `prefix`, or gives the moment at which to ask again.
    ///
    /// # Errors
    /// The moment of the prefix's next permit.
    #[inline]
    pub fn take_of(&mut self, prefix: Prefix, now: Moment) -> Result<(), Moment> {
        self.prefix.as_mut().map_or(Ok(()), |paced| paced.take(prefix, now))
    }
}

/// The global rate, and a small stock of its permits.
///
/// A batch doubles while batches are used up and halves when one goes stale: who needs few permits takes few
/// from its siblings. Permits are used within [`STOCK_LASTS`], and so the limiter may burst to what
/// that time grants less than all of them together.
struct Global {
    clock: Told,
    limiter: Arc<RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Nanos>>>,
    batch_max: u32,
    batch: u32,
    stock: u32,
    /// When the stock was taken.
    taken: Moment,
}

impl Global {
    fn new(rate: f64) -> Option<Self> {
        let rate = rate.min(RATE_MAX);
        let in_advance = (rate * STOCK_LASTS.as_secs_f64()) as u32;
        let burst = if rate < 10.0 { 1 } else { ((rate / 100.0) as u32).max(2) };
        let held_back = if in_advance > 1 { in_advance } else { 0 };
        let burst = NonZeroU32::new(burst.saturating_sub(held_back)).unwrap_or(NonZeroU32::MIN);
        let clock = Told::default();
        let quota = quota(rate)?.allow_burst(burst);
        Some(Self {
            limiter: Arc::new(RateLimiter::direct_with_clock(quota, clock.clone())),
            clock,
            batch_max: in_advance.clamp(1, BATCH_MAX),
            batch: 1,
            stock: 0,
            taken: Moment::ZERO,
        })
    }

    fn sibling(&self) -> Self {
        let (clock, limiter) = (self.clock.clone(), Arc::clone(&self.limiter));
        // A permit that one loop lets go stale is one that the others miss: they take each as they use it.
        Self { clock, limiter, batch_max: 1, batch: 1, stock: 0, taken: Moment::ZERO }
    }

    #[inline]
    fn take(&mut self, now: Moment) -> Result<(), Moment> {
        if self.stock > 0 && now.saturating_sub(self.taken) <= STOCK_LASTS {
            self.stock -= 1;
            return Ok(());
        }
        self.restock(now)
    }

    /// Takes one permit to use at once, and more for the stock if there are.
    fn restock(&mut self, now: Moment) -> Result<(), Moment> {
        if std::mem::take(&mut self.stock) > 0 {
            self.batch = (self.batch / 2).max(1);
        }
        self.clock.tell(now);
        if let Some(batch) = NonZeroU32::new(self.batch).filter(|batch| batch.get() > 1) {
            if let Ok(Ok(())) = self.limiter.check_n(batch) {
                (self.stock, self.taken) = (self.batch - 1, now);
                self.batch = (self.batch * 2).min(self.batch_max);
                return Ok(());
            }
            self.batch /= 2;
            return self.limiter.check().map_err(|until| ask_again(&until, now));
        }
        self.limiter.check().map_err(|until| ask_again(&until, now))?;
        self.batch = 2.min(self.batch_max);
        Ok(())
    }
}

type PrefixLimiter = RateLimiter<Prefix, PrefixStates, Told, NoOpMiddleware<Nanos>>;

/// The rates of the prefixes.
struct PrefixPace {
    quota: Quota,
    clock: Told,
    limiter: PrefixLimiter,
    asked: usize,
    /// After how many questions to forget the idle prefixes: as many as there were, so that it costs each
    /// question the same.
    forget_after: usize,
}

impl PrefixPace {
    fn new(quota: Quota) -> Self {
        let clock = Told::default();
        let limiter = RateLimiter::new(quota, PrefixStates::default(), clock.clone());
        Self { quota, clock, limiter, asked: 0, forget_after: FORGET_AFTER }
    }

    fn take(&mut self, prefix: Prefix, now: Moment) -> Result<(), Moment> {
        self.clock.tell(now);
        self.asked += 1;
        if self.asked >= self.forget_after {
            self.limiter.retain_recent();
            self.asked = 0;
            self.forget_after = FORGET_AFTER.max(self.limiter.len());
        }
        self.limiter.check_key(&prefix).map_err(|until| ask_again(&until, now))
    }
}

/// The moment that governor keeps of each prefix, for one thread: no lock, and a hasher without a secret,
/// as the prefixes are ours to choose.
#[derive(Default)]
struct PrefixStates(RefCell<HashMap<Prefix, Nanos, FixedState>>);

impl StateStore for PrefixStates {
    type Key = Prefix;

    fn measure_and_replace<T, F, E>(&self, prefix: &Prefix, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        match self.0.borrow_mut().entry(*prefix) {
            Entry::Occupied(mut known) => {
                let (granted, next) = measure(Some(*known.get()))?;
                known.insert(next);
                Ok(granted)
            }
            Entry::Vacant(new) => {
                let (granted, next) = measure(None)?;
                new.insert(next);
                Ok(granted)
            }
        }
    }
}

impl ShrinkableKeyedStateStore<Prefix> for PrefixStates {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.borrow_mut().retain(|_, moment| *moment > drop_below);
    }

    fn len(&self) -> usize {
        self.0.borrow().len()
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// One permit every `1 / rate` seconds, no burst.
fn quota(rate: f64) -> Option<Quota> {
    let rate = rate.clamp(RATE_MIN, RATE_MAX);
    let quota = Quota::with_period(Duration::try_from_secs_f64(1.0 / rate).ok()?)?;
    Some(quota.allow_burst(NonZeroU32::MIN))
}

/// The moment that `until` names; later than `now`, whatever was rounded away.
fn ask_again(until: &NotUntil<Nanos>, now: Moment) -> Moment {
    now + until.wait_time_from(nanos(now)).max(Duration::from_nanos(1))
}

/// `now` in governor's unit; there it ends after 584 years.
fn nanos(now: Moment) -> Nanos {
    Nanos::new(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))
}

/// A clock that shows the latest moment that it was told, by whichever sibling.
#[derive(Clone, Debug, Default)]
struct Told(Arc<AtomicU64>);

impl Told {
    fn tell(&self, now: Moment) {
        let now = nanos(now).as_u64();
        // Most calls tell nothing new, and a read is far cheaper than an exchange.
        if self.0.load(Ordering::Relaxed) < now {
            self.0.fetch_max(now, Ordering::Relaxed);
        }
    }
}

impl Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
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

    /// Loops that share a rate, each late by its own measure and each with its own say in when it asks.
    #[test]
    fn siblings_together_keep_the_rate() {
        for rate in [100.0, 3_000.0, 20_000.0] {
            let first = Pace::new(Some(rate), None);
            let mut loops = [first.sibling(), first.sibling(), first.sibling(), first];
            let (mut asks, mut granted) = ([Moment::ZERO; 4], Vec::new());
            let end = Duration::from_secs(15);
            while let Some((at, now)) = (0..4).map(|at| (at, asks[at])).min_by_key(|(_, now)| *now)
                && now < end
            {
                match loops[at].take(now) {
                    Ok(()) => granted.push(now),
                    Err(until) => asks[at] = until + Duration::from_micros(300 * at as u64),
                }
            }
            for start in [0, 1, 4] {
                let window = Duration::from_secs(start)..Duration::from_secs(start + 10);
                let count = granted.iter().filter(|at| window.contains(*at)).count() as f64;
                assert!((count - rate * 10.0).abs() <= rate * 0.2, "{rate} {count}");
            }
        }
    }

    #[test]
    fn permits_in_stock_add_nothing_to_the_burst_of_ten_milliseconds() {
        for (rate, burst) in [(100.0, 2), (2_000.0, 20), (20_000.0, 200), (1e6, 10_000)] {
            for idle in [100, 1_000, 1_001, 5_000_000].map(Duration::from_micros) {
                let first = Pace::new(Some(rate), None);
                let mut loops = [first.sibling(), first.sibling(), first];
                let mut now = Duration::from_secs(1);
                // Batches are to be large, and stocks full.
                for step in 0..2_000 {
                    let _ = loops[step % 3].take(now);
                    now += Duration::from_micros(if step < 1_900 { 20 } else { 0 });
                }
                now += idle;
                let all =
                    |pace: &mut Pace| (0..20_000).take_while(|_| pace.take(now).is_ok()).count();
                let count: usize = loops.iter_mut().map(all).sum();
                assert!(count <= burst, "{rate} {idle:?} {count}");
            }
        }
    }

    #[test]
    fn who_needs_few_permits_takes_few_from_the_others() {
        let rate = 20_000.0;
        let mut greedy = Pace::new(Some(rate), None);
        let mut frugal = greedy.sibling();
        let mut taken = 0;
        for tick in 0..10_000 {
            let now = Duration::from_millis(tick);
            for _ in 0..3 {
                let _ = frugal.take(now);
            }
            taken += (0..1_000).take_while(|_| greedy.take(now).is_ok()).count();
        }
        // Three of twenty a millisecond are the other's, and none goes stale.
        assert!((taken as f64 - 170_000.0).abs() <= 0.02 * 170_000.0, "{taken}");
    }

    #[test]
    fn idle_prefixes_are_forgotten() {
        let mut pace = Pace::new(None, Some(5.0));
        for number in 0..200_000_u32 {
            let address = std::net::Ipv4Addr::from_bits(number << 8);
            let now = Duration::from_micros(u64::from(number) * 100);
            assert_eq!(pace.take_of(Prefix::of(address.into()), now), Ok(()));
        }
        // 2,000 prefixes a period of 200 ms; what is kept beyond them is bounded.
        let kept = pace.prefix.as_ref().map(|prefix| prefix.limiter.len());
        assert!(kept.is_some_and(|kept| kept <= 4 * FORGET_AFTER), "{kept:?}");
    }
}
