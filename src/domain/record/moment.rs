//! Moments as records print them, for many that lie close together.

use super::text::Json;
use crate::domain::time::Timestamp;

/// 10000-01-01T00:00:00Z in seconds, beyond which [`Timestamp`] prints the nearest moment that it can.
const END: i64 = 253_402_300_800;

/// How many characters there are up to the second, with the point: `2026-11-24T02:18:24.`.
const UP_TO_SECOND: usize = 20;

/// Remembers the text of the last second, for the calendar costs more than the rest of a moment.
#[derive(Debug, Default)]
pub(super) struct Moments {
    second: i64,
    text: String,
}

impl Moments {
    /// Appends `time` to `json`, as [`Timestamp`] prints itself.
    pub(super) fn append(&mut self, json: &mut Json, time: Timestamp) {
        let second = time.micros().div_euclid(1_000_000);
        if !(0..END).contains(&second) {
            return json.shown(time);
        }
        if second != self.second || self.text.is_empty() {
            self.second = second;
            self.text = time.to_string();
            self.text.truncate(UP_TO_SECOND);
        }
        let millis = time.micros().rem_euclid(1_000_000) / 1_000;
        json.raw("\"");
        json.raw(&self.text);
        for unit in [100, 10, 1] {
            let digit = (millis / unit % 10) as u8;
            json.0.push(char::from(b'0' + digit));
        }
        json.raw("Z\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_that_a_timestamp_prints() {
        let mut moments = Moments::default();
        let edges = [i64::MIN, -1, 0, 1, END * 1_000_000 - 1, END * 1_000_000, i64::MAX];
        let steps = (0..20_000).map(|step| 1_795_486_704_512_999 + step * step * 977);
        for micros in edges.into_iter().chain(steps) {
            let (mut json, time) = (Json::default(), Timestamp::from_micros(micros));
            moments.append(&mut json, time);
            assert_eq!(json.0, format!("\"{time}\""));
        }
    }
}
