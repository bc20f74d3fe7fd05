//! Cron patterns, read by the calendar in UTC: no hour is skipped and none comes twice.

use std::cmp::Ordering;
use std::fmt;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{CivilDate, CivilDateTime, CivilTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil;

use crate::domain::time::Timestamp;

const EPOCH: civil::DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// The longest pattern that is read, in bytes.
const LENGTH_MAX: usize = 256;

/// A pattern of five fields (minute, hour, day of month, month, day of week) or a nickname such as `@daily`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Large, and schedules without one are most.
    cron: Box<Cron>,
}

impl Pattern {
    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong with it: it cannot be read, or no moment fits it.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("is longer than {LENGTH_MAX} bytes"));
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| match error {
            CronError::EmptyPattern => "is empty".to_owned(),
            CronError::InvalidPattern(why)
            | CronError::IllegalCharacters(why)
            | CronError::ComponentError(why) => why.trim_end_matches('.').to_owned(),
            other => other.to_string(),
        })?;
        let pattern = Self { text: text.trim().to_owned(), cron: Box::new(cron) };
        match pattern.after(Timestamp::default()) {
            Some(_) => Ok(pattern),
            None => Err("fits no day of any year".to_owned()),
        }
    }

    /// The first moment after `moment` that fits.
    pub fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        self.cron.find_next_occurrence(&Utc::of(moment)?, false).ok().map(Utc::moment)
    }

    /// The last moment that fits, up to `moment`.
    pub fn until(&self, moment: Timestamp) -> Option<Timestamp> {
        self.cron.find_previous_occurrence(&Utc::of(moment)?, true).ok().map(Utc::moment)
    }
}

/// As it was written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A whole second by the calendar in UTC.
#[derive(Clone, Copy, Debug)]
struct Utc(civil::DateTime);

impl Utc {
    /// The second that `moment` falls into; `None` beyond the calendar.
    fn of(moment: Timestamp) -> Option<Self> {
        let seconds = moment.micros().div_euclid(1_000_000);
        EPOCH.checked_add(jiff::SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn moment(self) -> Timestamp {
        Timestamp::from_seconds(self.0.duration_since(EPOCH).as_secs())
    }
}

impl CronDateTime for Utc {
    fn to_civil(&self) -> CivilDateTime {
        // The calendar of jiff has checked the parts, which are small and positive but for the year.
        let part = |part: i8| u32::from(part.unsigned_abs());
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(
                i32::from(self.0.year()),
                part(self.0.month()),
                part(self.0.day()),
            ),
            CivilTime::from_parts_unchecked(
                part(self.0.hour()),
                part(self.0.minute()),
                part(self.0.second()),
            ),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(
            self.0.weekday().to_sunday_zero_offset().unsigned_abs(),
        ))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        civil::DateTime::new(
            year,
            part(civil.month())?,
            part(civil.day())?,
            part(civil.hour())?,
            part(civil.minute())?,
            part(civil.second())?,
            0,
        )
        .map(|moment| Resolution::Single(Self(moment)))
        .map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(jiff::SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three moments after `year`-`month`-`day` `hour`:`minute`.
    fn next(pattern: &str, year: i16, clock: [i8; 4]) -> Vec<String> {
        let pattern = Pattern::read(pattern).unwrap();
        let [month, day, hour, minute] = clock;
        let mut moment = Timestamp::from_utc(year, [month, day, hour, minute, 0]).unwrap();
        let mut found = Vec::new();
        for _ in 0..3 {
            moment = pattern.after(moment).unwrap();
            assert_eq!(pattern.until(moment), Some(moment));
            found.push(moment.to_string()[..16].to_owned());
        }
        found
    }

    #[test]
    fn moments_are_found_by_the_calendar_in_utc() {
        assert_eq!(
            next("30 2 * * *", 2026, [11, 29, 2, 30]),
            ["2026-11-30T02:30", "2026-12-01T02:30", "2026-12-02T02:30"]
        );
        // The night in which clocks in Berlin skip an hour.
        assert_eq!(
            next("30 * 29 3 *", 2026, [3, 29, 0, 0]),
            ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"]
        );
        assert_eq!(
            next("0 4 29 2 *", 2026, [1, 1, 0, 0]),
            ["2028-02-29T04:00", "2032-02-29T04:00", "2036-02-29T04:00"]
        );
        assert_eq!(
            next("*/20 8 * * MON", 2026, [11, 24, 0, 0]),
            ["2026-11-30T08:00", "2026-11-30T08:20", "2026-11-30T08:40"]
        );
        assert_eq!(next("@daily", 2026, [12, 31, 0, 0])[0], "2027-01-01T00:00");
    }

    #[test]
    fn the_last_moment_is_found_too_and_fractions_of_seconds_change_nothing() {
        let pattern = Pattern::read("30 2 * * *").unwrap();
        let slot = Timestamp::from_utc(2026, [11, 24, 2, 30, 0]).unwrap();
        let within = Timestamp::from_micros(slot.micros() + 1);
        let before = Timestamp::from_micros(slot.micros() - 1);
        assert_eq!(pattern.until(within), Some(slot));
        assert_eq!(pattern.after(before), Some(slot));
        let day = 86_400_000_000;
        assert_eq!(pattern.until(before), Some(Timestamp::from_micros(slot.micros() - day)));
        assert_eq!(pattern.after(within), Some(Timestamp::from_micros(slot.micros() + day)));
        assert_eq!(pattern.after(Timestamp::from_micros(i64::MAX)), None);
    }

    #[test]
    fn what_is_no_pattern_or_never_comes_is_refused() {
        let wrong = |text: &str| Pattern::read(text).unwrap_err();
        assert_eq!(wrong("0 0 30 2 *"), "fits no day of any year");
        assert_eq!(wrong(" "), "is empty");
        for text in ["30 2 * *", "0 30 2 * * *", "30 25 * * *", "61 2 * * *", "a b c d e"] {
            let why = wrong(text);
            assert!(!why.is_empty() && !why.ends_with('.'), "{text}: {why}");
        }
        assert_eq!(wrong(&"*".repeat(257)), "is longer than 256 bytes");
    }
}
