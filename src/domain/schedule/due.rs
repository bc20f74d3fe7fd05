//! What is due.

use std::time::Duration;

use super::{Remembered, Schedule, State};
use crate::domain::time::Timestamp;

/// When a job does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// The job's name, from which its jitter comes.
    pub name: String,
    /// When whole runs begin.
    pub schedule: Schedule,
    /// How much time passes between two visits to known matches; `None`: they are visited in whole runs only.
    pub matches: Option<Duration>,
}

/// What a job is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The whole run that was cut short.
    Resume,
    /// A whole run, after which this slot is served.
    Whole {
        /// The last slot that has come.
        slot: Timestamp,
    },
    /// A rescan of known matches.
    Matches,
    /// Nothing before this moment.
    Later(Timestamp),
}

impl Rhythm {
    /// What is due `now`, where nothing goes on.
    pub fn due(&self, remembered: &Remembered, now: Timestamp) -> Due {
        match remembered.state {
            State::Whole => return Due::Resume,
            State::Matches => return Due::Matches,
            State::Idle => {}
        }
        let slot = self.next_slot(remembered);
        let start = slot.map(|slot| self.schedule.start(&self.name, slot));
        if let (Some(slot), Some(start)) = (slot, start)
            && start <= now
        {
            return Due::Whole { slot: self.schedule.latest(slot, now) };
        }
        let matches = self.next_matches(remembered);
        match matches {
            Some(moment) if moment <= now => Due::Matches,
            _ => {
                let next = [start, matches].into_iter().flatten().min();
                Due::Later(next.unwrap_or(Timestamp::from_micros(i64::MAX)))
            }
        }
    }

    /// When the next whole run begins, if nothing hinders it.
    pub fn next_start(&self, remembered: &Remembered) -> Option<Timestamp> {
        self.next_slot(remembered).map(|slot| self.schedule.start(&self.name, slot))
    }

    /// When known matches are visited next, but for whole runs.
    pub fn next_matches(&self, remembered: &Remembered) -> Option<Timestamp> {
        let last = remembered.matches_started.unwrap_or(remembered.since);
        self.matches.map(|period| last.plus(period))
    }

    /// The first slot that no run was begun for.
    fn next_slot(&self, remembered: &Remembered) -> Option<Timestamp> {
        match remembered.served {
            Some(served) => self.schedule.following(served),
            None => self.schedule.first(remembered.since),
        }
    }
}
