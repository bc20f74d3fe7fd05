//! When a delivery is tried again, and when it is given up.

use std::time::Duration;

use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;

/// How long an alert is tried after it was queued. It outlasts a long weekend.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 3_600);

/// The wait after the first failure, without jitter.
const DELAY_MIN: Duration = Duration::from_secs(15);

/// The longest wait between two attempts, jitter included.
pub const DELAY_MAX: Duration = Duration::from_secs(3_600);

/// The longest wait that a receiver may ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(6 * 3_600);

/// How an attempt ended. Reasons are for people, on one line, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Delivered,
    /// It may work later; not before the given time from now, if the receiver said so.
    Retry {
        /// Why it failed.
        why: String,
        /// What the receiver asked for.
        after: Option<Duration>,
    },
    /// It will never work.
    GiveUp {
        /// Why it failed.
        why: String,
    },
}

impl Delivery {
    /// A failure that may pass.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), after: None }
    }

    /// A failure that stays.
    pub fn give_up(why: impl Into<String>) -> Self {
        Self::GiveUp { why: why.into() }
    }
}

/// What becomes of a queued alert after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done.
    Delivered,
    /// It is tried again.
    Again {
        /// Not before this moment.
        at: Timestamp,
        /// Why it failed.
        why: String,
    },
    /// It is not tried again.
    GivenUp {
        /// Why it failed.
        why: String,
    },
}

/// The wait after failure number `failure`, from 1: doubled each time up to [`DELAY_MAX`], and up to a quarter less
/// by what `key` says, so that many alerts that failed together do not come back together.
pub fn delay(failure: u32, key: &Sha256Fingerprint) -> Duration {
    let doublings = failure.saturating_sub(1).min(16);
    let whole = DELAY_MIN.saturating_mul(1 << doublings).min(DELAY_MAX);
    let mut text = key.0.to_vec();
    text.extend(failure.to_be_bytes());
    let [first, second, ..] = Sha256Fingerprint::of(&text).0;
    let share = u64::from(u16::from_be_bytes([first, second]));
    let quarter = whole.as_secs() * 1_000 / 4;
    whole - Duration::from_millis(quarter * share / (1 << 16))
}

/// What becomes of an alert that was `queued` then, whose attempt number `attempt`, from 1, ended `now` with
/// `delivery`. An alert is never given up for its age without an attempt.
pub fn next(
    delivery: Delivery,
    attempt: u32,
    key: &Sha256Fingerprint,
    (queued, now): (Timestamp, Timestamp),
) -> Next {
    match delivery {
        Delivery::Delivered => Next::Delivered,
        Delivery::GiveUp { why } => Next::GivenUp { why },
        Delivery::Retry { why, .. } if now >= later(queued, GIVE_UP_AFTER) => {
            let days = GIVE_UP_AFTER.as_secs() / 86_400;
            Next::GivenUp { why: format!("not delivered in {days} days; last: {why}") }
        }
        Delivery::Retry { why, after } => {
            let asked = after.unwrap_or_default().min(RETRY_AFTER_MAX);
            Next::Again { at: later(now, delay(attempt, key).max(asked)), why }
        }
    }
}

/// Whether an attempt planned for `at` is due `now`. One that lies further ahead than any wait was planned by a clock
/// that has been set back since, and is due.
pub fn is_due(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at > later(now, RETRY_AFTER_MAX)
}

/// What a `Retry-After` header asks for (RFC 9110, section 10.2.3), within [`RETRY_AFTER_MAX`]: seconds. A date
/// would need two clocks that agree, and is passed over like what cannot be read.
pub fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What does not fit is more than the bound in any case.
    let seconds = value.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(time.micros().saturating_add(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Sha256Fingerprint = Sha256Fingerprint([7; 32]);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn waits_double_up_to_an_hour_and_differ_by_key() {
        let whole = [15, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600];
        for (failure, whole) in (1..).zip(whole) {
            let whole = Duration::from_secs(whole);
            let delays: Vec<Duration> =
                (0..200).map(|key| delay(failure, &Sha256Fingerprint([key; 32]))).collect();
            assert!(delays.iter().all(|delay| *delay > whole * 3 / 4 && *delay <= whole));
            assert!(
                delays.iter().max().unwrap().abs_diff(*delays.iter().min().unwrap()) > whole / 5
            );
            assert_eq!(delay(failure, &KEY), delay(failure, &KEY));
        }
        assert!(delay(u32::MAX, &KEY) <= DELAY_MAX && delay(0, &KEY) <= DELAY_MIN);
    }

    #[test]
    fn failures_are_tried_again_until_the_week_is_over() {
        let failed = || Delivery::retry("no route");
        let waited = delay(3, &KEY);
        let again = next(failed(), 3, &KEY, (at(0), at(100)));
        assert_eq!(again, Next::Again { at: later(at(100), waited), why: "no route".to_owned() });
        let week = GIVE_UP_AFTER.as_secs() as i64;
        assert!(matches!(next(failed(), 3, &KEY, (at(0), at(week - 1))), Next::Again { .. }));
        let over = next(failed(), 1, &KEY, (at(0), at(week)));
        let why = "not delivered in 7 days; last: no route".to_owned();
        assert_eq!(over, Next::GivenUp { why });
        let refused = next(Delivery::give_up("answered 404"), 1, &KEY, (at(0), at(1)));
        assert_eq!(refused, Next::GivenUp { why: "answered 404".to_owned() });
        assert_eq!(next(Delivery::Delivered, 9, &KEY, (at(0), at(2 * week))), Next::Delivered);
    }

    #[test]
    fn receivers_may_ask_for_more_time_but_not_for_any() {
        let asked = |text| {
            let after = retry_after(text);
            let delivery = Delivery::Retry { why: String::new(), after };
            match next(delivery, 1, &KEY, (at(0), at(0))) {
                Next::Again { at, .. } => Duration::from_micros(at.micros() as u64),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("120"), Duration::from_secs(120));
        assert_eq!(asked(" 0 "), delay(1, &KEY));
        for text in ["99999", "99999999999999999999999999999999"] {
            assert_eq!(asked(text), RETRY_AFTER_MAX, "{text}");
        }
        for text in ["", "-1", "+5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!((retry_after(text), asked(text)), (None, delay(1, &KEY)), "{text}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_delays_nothing_for_long() {
        assert!(is_due(at(100), at(100)) && !is_due(at(101), at(100)));
        let bound = RETRY_AFTER_MAX.as_secs() as i64;
        assert!(!is_due(at(bound), at(0)) && is_due(at(bound + 1), at(0)));
        assert!(is_due(Timestamp::from_micros(i64::MAX), at(0)));
    }
}
