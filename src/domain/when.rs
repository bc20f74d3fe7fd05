//! Moments and lengths of time as people write them: `2026-11-24`, `2026-11-24T02:18:24Z`, `7d`.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, civil};

use super::time::{Day, Timestamp};

/// The forms of a moment, for messages.
const FORMS: &str = "a day (2026-11-24), a moment with its offset (2026-11-24T02:18:24Z), \
    a time before now (7d, 12h), today or yesterday";

/// Whether a day stands for its beginning or its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The first moment of the day: what is from it on.
    Begin,
    /// The last moment of the day: what is until it.
    End,
}

/// The moment that `text` names at `now`, days in UTC.
///
/// # Errors
/// What is expected, if `text` is something else.
pub fn moment(text: &str, edge: Edge, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Some(day) = day(text, now) {
        return Ok(edge_of(day, edge));
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_micros(moment.as_microsecond()));
    }
    let before = length(text).map_err(|_| format!("'{text}' is no moment: expected {FORMS}"))?;
    let micros = i64::try_from(before.as_micros()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_micros(now.micros().saturating_sub(micros)))
}

/// The length of time that `text` names: `90s`, `1h 30m`, `7d`, `2w`. A day has 24 hours.
///
/// # Errors
/// What is expected, if `text` is something else, or nothing, or less than that.
pub fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no length of time such as 90s, 12h, 7d or 2w");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(signed).ok().filter(|length| !length.is_zero()).ok_or_else(wrong)
}

fn day(text: &str, now: Timestamp) -> Option<Day> {
    const LENGTH: usize = "2026-11-24".len();
    match text {
        "today" => Some(now.day()),
        "yesterday" => Some(now.day().before()),
        // What follows a day would be passed over by the reader of days.
        _ if text.len() != LENGTH => None,
        _ => {
            let date: civil::Date = text.parse().ok()?;
            Day::new(date.year(), date.month(), date.day())
        }
    }
}

fn edge_of(day: Day, edge: Edge) -> Timestamp {
    match edge {
        Edge::Begin => day.start(),
        Edge::End => Timestamp::from_micros(day.next().start().micros() - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_its_moment() {
        let now = Timestamp::from_utc(2026, [11, 24, 12, 0, 0]).unwrap();
        let cases = [
            ("2026-11-23", "2026-11-23T00:00:00.000Z", "2026-11-23T23:59:59.999Z"),
            ("today", "2026-11-24T00:00:00.000Z", "2026-11-24T23:59:59.999Z"),
            ("yesterday", "2026-11-23T00:00:00.000Z", "2026-11-23T23:59:59.999Z"),
            ("7d", "2026-11-17T12:00:00.000Z", "2026-11-17T12:00:00.000Z"),
            ("1h 30m", "2026-11-24T10:30:00.000Z", "2026-11-24T10:30:00.000Z"),
            ("2026-11-24T02:18:24.5+02:00", "2026-11-24T00:18:24.500Z", "2026-11-24T00:18:24.500Z"),
        ];
        for (text, begin, end) in cases {
            assert_eq!(moment(text, Edge::Begin, now).unwrap().to_string(), begin, "{text}");
            assert_eq!(moment(text, Edge::End, now).unwrap().to_string(), end, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_is_expected() {
        let now = Timestamp::from_seconds(0);
        for text in ["", "soon", "2026-02-30", "2026-11-24 02:18", "7", "-3d", "0s", "1mo"] {
            let message = moment(text, Edge::Begin, now).unwrap_err();
            assert_eq!(message, format!("'{text}' is no moment: expected {FORMS}"), "{text}");
        }
        assert_eq!(length("x").unwrap_err(), "'x' is no length of time such as 90s, 12h, 7d or 2w");
        assert_eq!(length("2w").unwrap(), Duration::from_secs(14 * 86_400));
    }
}
