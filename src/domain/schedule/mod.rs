//! When jobs run: slots by a period or by a cron pattern, and what is due from what is remembered of a job.
//!
//! A slot is a moment at which a whole run should begin; with jitter it begins a little later. Of slots that were
//! missed, however many, one run makes up for all.

mod cron;
mod due;
mod memory;

use std::fmt;
use std::time::Duration;

pub use cron::Pattern;
pub use due::{Due, Rhythm};
pub use memory::{Ended, Remembered, State};

use super::fingerprint::Sha256Fingerprint;
use super::time::Timestamp;

/// The shortest time between two slots, or between two rescans of known matches.
pub const PERIOD_MIN: Duration = Duration::from_secs(60);

/// The longest.
pub const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);

/// The most that a run may begin later than its slot.
pub const JITTER_MAX: Duration = Duration::from_secs(86_400);

/// When the whole runs of a job begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The slots.
    pub timing: Timing,
    /// How much later than its slot a run begins at most.
    pub jitter: Duration,
}

/// How slots follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// One after the other at this distance, the first one when the job was first seen.
    Every(Duration),
    /// Where the calendar in UTC fits.
    Cron(Pattern),
}

impl Schedule {
    /// The first slot of a job that was first seen at `since`.
    pub fn first(&self, since: Timestamp) -> Option<Timestamp> {
        match &self.timing {
            Timing::Every(_) => Some(since),
            Timing::Cron(pattern) => {
                pattern.until(since).filter(|slot| *slot == since).or_else(|| pattern.after(since))
            }
        }
    }

    /// The slot after `slot`, if there is one.
    pub fn following(&self, slot: Timestamp) -> Option<Timestamp> {
        match &self.timing {
            Timing::Every(period) => Some(slot.plus(*period)),
            Timing::Cron(pattern) => pattern.after(slot),
        }
    }

    /// The last slot up to `now`, where `slot` is one; `slot` itself if no later one has come.
    pub fn latest(&self, slot: Timestamp, now: Timestamp) -> Timestamp {
        match &self.timing {
            Timing::Every(period) => {
                let micros = period.as_micros().max(1);
                let passed = now.since(slot).as_micros() / micros * micros;
                slot.plus(Duration::from_micros(u64::try_from(passed).unwrap_or(u64::MAX)))
            }
            Timing::Cron(pattern) => pattern.until(now).unwrap_or(slot).max(slot),
        }
    }

    /// When the run of `job` for `slot` begins: never before the slot, and the same however often it is asked.
    pub fn start(&self, job: &str, slot: Timestamp) -> Timestamp {
        let most = self.jitter.as_secs();
        let name = format!("certsweep jitter\n{job}\n{}", slot.micros());
        let Sha256Fingerprint(hash) = Sha256Fingerprint::of(name.as_bytes());
        let number = hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        slot.plus(Duration::from_secs(number % most.saturating_add(1)))
    }
}

/// `every 24h`, `30 2 * * * (UTC)`, with jitter where there is any.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.timing {
            Timing::Every(period) => write!(f, "every {}", spelt(*period))?,
            Timing::Cron(pattern) => write!(f, "{pattern} (UTC)")?,
        }
        match self.jitter {
            Duration::ZERO => Ok(()),
            jitter => write!(f, ", at most {} later", spelt(jitter)),
        }
    }
}

/// `duration` as people write it: `24h`, `1h 30m`, `45s`.
pub fn spelt(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3_600, "h"), (seconds % 3_600 / 60, "m"), (seconds % 60, "s")];
    let told = parts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, unit)| format!("{count}{unit}")).collect();
    if told.is_empty() { "0s".to_owned() } else { told.join(" ") }
}

/// The time that `text` spells, in whole seconds: `90m`, `1h 30m`, `7d` (days of 24 hours).
pub fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(days).ok()?;
    Duration::try_from(duration).ok().filter(|duration| duration.subsec_nanos() == 0)
}

#[cfg(test)]
mod tests;
