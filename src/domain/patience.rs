//! How long to wait for a connection, from how long connections have taken so far.
//!
//! Most of a sparse range never answers, and each address that does not costs a place among the open connections until
//! it is given up. Where answers come within milliseconds there is no point in waiting seconds for one: a lost SYN is
//! sent again after one second (RFC 6298, section 2), and that one retransmission is always waited for.

use std::time::Duration;

/// When the kernel sends a SYN again that got no answer (RFC 6298, section 2).
const RETRANSMISSION: Duration = Duration::from_secs(1);

/// The shortest time to wait for a connection, whatever was measured, unless the limit is shorter.
pub const LEAST: Duration = Duration::from_secs(2);

/// Connections before which nothing is concluded.
const ENOUGH: u32 = 64;

/// The slowest connection counts so many times.
const MARGIN: u32 = 3;

/// What one connection takes off the memory of the slowest one: a 1,024th part.
const FADING: u32 = 1_024;

/// Learns how long connections take, and says how long to wait for the next.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    limit: Duration,
    slowest: Duration,
    seen: u32,
}

impl Patience {
    /// Waits for `limit` at most, and until enough was seen.
    pub const fn new(limit: Duration) -> Self {
        Self { limit, slowest: Duration::ZERO, seen: 0 }
    }

    /// A connection was accepted or refused `after` its SYN.
    pub fn answered(&mut self, after: Duration) {
        self.seen = self.seen.saturating_add(1);
        self.slowest = after.max(self.slowest - self.slowest / FADING);
    }

    /// How long to wait for the next one: one retransmission and three times the slowest of late, never less than
    /// [`LEAST`] and never more than the limit.
    pub fn timeout(&self) -> Duration {
        if self.seen < ENOUGH {
            return self.limit;
        }
        (RETRANSMISSION + self.slowest * MARGIN).max(LEAST).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn after(limit: Duration, answers: &[(u32, Duration)]) -> Duration {
        let mut patience = Patience::new(limit);
        for (count, time) in answers {
            (0..*count).for_each(|_| patience.answered(*time));
        }
        patience.timeout()
    }

    #[test]
    fn the_limit_holds_until_enough_was_seen_and_always() {
        assert_eq!(after(ms(5_000), &[]), ms(5_000));
        assert_eq!(after(ms(5_000), &[(63, ms(1))]), ms(5_000));
        assert_eq!(after(ms(1_500), &[(64, ms(1))]), ms(1_500));
        assert_eq!(after(ms(5_000), &[(64, ms(4_000))]), ms(5_000));
    }

    #[test]
    fn fast_answers_shorten_it_and_one_retransmission_is_waited_for() {
        assert_eq!(after(ms(5_000), &[(64, ms(1))]), LEAST);
        assert_eq!(after(ms(5_000), &[(64, ms(400))]), ms(2_200));
        // An answer to a SYN that was sent again.
        assert_eq!(after(ms(5_000), &[(64, ms(50)), (1, ms(1_050))]), ms(4_150));
    }

    #[test]
    fn a_slow_answer_is_forgotten_by_and_by() {
        let later = after(ms(9_000), &[(64, ms(2_000)), (1_024, ms(10))]);
        assert!((ms(3_000)..ms(3_300)).contains(&later), "{later:?}");
        assert_eq!(after(ms(9_000), &[(64, ms(2_000)), (10_000, ms(10))]), LEAST);
    }
}
