//! The two ways of writing a time in a certificate (RFC 5280, section 4.1.2.5).
//!
//! More is read than the RFC permits (X.680, sections 46 and 47): no seconds, fractions, offsets from
//! UTC. What names no moment (month 13, no zone) is none.

use super::der::Element;
use crate::domain::time::Timestamp;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The moment that `time` names.
pub(super) fn moment(time: Element<'_>) -> Option<Timestamp> {
    let mut text = Text(time.content);
    let year = match time.tag {
        UTC_TIME => {
            let year = text.pair()?;
            if year < 50 { 2000 + year } else { 1900 + year }
        }
        GENERALIZED_TIME => 100 * text.pair()? + text.pair()?,
        _ => return None,
    };
    let (month, day, hour) = (text.pair()?, text.pair()?, text.pair()?);
    let minute = text.pair().unwrap_or(0);
    let second = text.pair().unwrap_or(0);
    let clock = [month, day, hour, minute, second].map(|number| number as i8);
    let micros = Timestamp::from_utc(year, clock)?.micros() + text.fraction();
    let offset = text.offset_minutes()?;
    Some(Timestamp::from_micros(micros - offset * 60_000_000))
}

/// What is left of a time's text.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// The number that the next two digits make.
    fn pair(&mut self) -> Option<i16> {
        let ([tens, ones], rest) = self.0.split_first_chunk()?;
        if !(tens.is_ascii_digit() && ones.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        Some(i16::from(tens - b'0') * 10 + i16::from(ones - b'0'))
    }

    /// A point or comma and the digits of a fraction of a second, in whole microseconds.
    fn fraction(&mut self) -> i64 {
        let [b'.' | b',', digits @ ..] = self.0 else { return 0 };
        let count = digits.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let (digits, rest) = digits.split_at(count);
        self.0 = rest;
        let six = digits.iter().chain([b'0'; 6].iter()).take(6);
        six.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    }

    /// `Z`, or how far local time is ahead of UTC: `+0200`; nothing may follow.
    fn offset_minutes(&mut self) -> Option<i64> {
        let (sign, rest) = self.0.split_first()?;
        self.0 = rest;
        let minutes = match sign {
            b'Z' => 0,
            b'+' => i64::from(self.pair()?) * 60 + i64::from(self.pair()?),
            b'-' => -(i64::from(self.pair()?) * 60 + i64::from(self.pair()?)),
            _ => return None,
        };
        self.0.is_empty().then_some(minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &str) -> Option<String> {
        let element = Element { tag, whole: &[], content: text.as_bytes(), rest: &[] };
        moment(element).map(|moment| moment.to_string())
    }

    #[test]
    fn both_ways_of_writing_a_time_are_read() {
        for (tag, text, expected) in [
            (UTC_TIME, "261124021824Z", "2026-11-24T02:18:24.000Z"),
            (UTC_TIME, "500101000000Z", "1950-01-01T00:00:00.000Z"),
            (UTC_TIME, "2611240218Z", "2026-11-24T02:18:00.000Z"),
            (UTC_TIME, "261124021824+0230", "2026-11-23T23:48:24.000Z"),
            (GENERALIZED_TIME, "20261124021824Z", "2026-11-24T02:18:24.000Z"),
            (GENERALIZED_TIME, "20261124021824.5129Z", "2026-11-24T02:18:24.512Z"),
            (GENERALIZED_TIME, "20261124021824,1-0100", "2026-11-24T03:18:24.100Z"),
            (GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59.000Z"),
            (GENERALIZED_TIME, "00000101000000Z", "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(read(tag, text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_names_no_moment_is_none() {
        for text in [
            "",
            "Z",
            "26",
            "261324021824Z",
            "260230021824Z",
            "261124241824Z",
            "261124021861Z",
            "261124021824",
            "261124021824Zx",
            "261124021824+02",
            "-61124021824Z",
            "26112402182\u{661}Z",
        ] {
            assert_eq!(read(UTC_TIME, text), None, "{text}");
        }
        assert_eq!(read(0x0c, "261124021824Z"), None);
    }
}
