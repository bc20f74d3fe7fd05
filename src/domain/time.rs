//! Moments and days, as values. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use jiff::civil;

const EPOCH: civil::DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the UNIX epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `seconds` seconds after the UNIX epoch, clamped to what can be written down.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// A moment by the calendar in UTC, or `None` where the calendar has none such: `clock` is month, day,
    /// hour, minute and second.
    pub fn from_utc(year: i16, clock: [i8; 5]) -> Option<Self> {
        let [month, day, hour, minute, second] = clock;
        let moment = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Some(Self::from_seconds(moment.duration_since(EPOCH).as_secs()))
    }

    /// Microseconds since the UNIX epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `time` later, or the last one there is.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How much time has passed since `earlier`; none if that is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }

    /// The UTC day that this moment falls on.
    pub fn day(self) -> Day {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => Day(moment.to_zoned_datetime(jiff::tz::TimeZone::UTC).date()),
            Err(_) if self.0 < 0 => Day(civil::Date::MIN),
            Err(_) => Day(civil::Date::MAX),
        }
    }
}

/// RFC 3339 in UTC with milliseconds, as records print it: `2026-11-24T02:18:24.512Z`.
///
/// A moment beyond the years that RFC 3339 can write (0000 to 9999) prints as the nearest one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST: i64 = -62_167_219_200_000_000; // 0000-01-01T00:00:00Z
        const LAST: i64 = 253_402_300_799_999_999; // the end of 9999-12-31
        let since = jiff::SignedDuration::from_micros(self.0.clamp(FIRST, LAST));
        match EPOCH.checked_add(since) {
            Ok(moment) => write!(f, "{moment:.3}Z"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A calendar day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(civil::Date);

impl Day {
    /// The day `year`-`month`-`day`, or `None` where the calendar has no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        civil::Date::new(year, month, day).ok().map(Self)
    }

    /// The day after; the last day there is stays itself.
    pub fn next(self) -> Self {
        Self(self.0.tomorrow().unwrap_or(self.0))
    }

    /// The day before; the first day there is stays itself.
    pub fn before(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp::from_seconds(self.0.at(0, 0, 0, 0).duration_since(EPOCH).as_secs())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_milliseconds_in_utc() {
        let moment = Timestamp::from_micros(1_795_486_704_512_999);
        assert_eq!(moment.to_string(), "2026-11-24T02:18:24.512Z");
        assert_eq!(moment.day(), Day::new(2026, 11, 24).unwrap());
    }

    #[test]
    fn far_moments_are_clamped_and_never_panic() {
        assert_eq!(Timestamp::from_seconds(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_seconds(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert!(Timestamp::from_seconds(i64::MAX).day() > Timestamp::from_seconds(0).day());
    }

    #[test]
    fn moments_move_forwards_and_stop_at_the_last() {
        let moment = Timestamp::from_seconds(100);
        assert_eq!(moment.plus(Duration::from_millis(1_500)), Timestamp::from_micros(101_500_000));
        assert_eq!(moment.plus(Duration::MAX), Timestamp::from_micros(i64::MAX));
        assert_eq!(moment.since(Timestamp::from_seconds(40)), Duration::from_secs(60));
        assert_eq!(Timestamp::from_seconds(40).since(moment), Duration::ZERO);
        let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        assert_eq!(last.since(first), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn days_that_do_not_exist_are_none() {
        assert_eq!(Day::new(2026, 2, 30), None);
        let leap = Day::new(2028, 2, 29).unwrap();
        assert_eq!(
            (leap.to_string(), leap.next().to_string()),
            ("2028-02-29".into(), "2028-03-01".into())
        );
    }
}
