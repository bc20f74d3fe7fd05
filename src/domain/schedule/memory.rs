//! What the ledger remembers of a job, so that a schedule outlives the process.

use super::Schedule;
use crate::domain::time::Timestamp;

/// What is remembered of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// When the job was first seen.
    pub since: Timestamp,
    /// The last slot that a whole run was begun for; it made up for all before it.
    pub served: Option<Timestamp>,
    /// What the job was doing when this was written down.
    pub state: State,
    /// When the last whole run began.
    pub started: Option<Timestamp>,
    /// When it ended; not yet, if that was earlier.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub end: Option<Ended>,
    /// One line on why, where there is something to say.
    pub why: Option<String>,
    /// The scan of the last whole run.
    pub scan: Option<String>,
    /// When known matches were last visited.
    pub matches_started: Option<Timestamp>,
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Waiting.
    #[default]
    Idle,
    /// Visiting known matches.
    Matches,
    /// A whole run.
    Whole,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All was tried.
    Complete,
    /// Not all could be tried.
    Incomplete,
    /// The scope does not permit it, or it or another file cannot be used.
    Refused,
    /// Something on this machine failed.
    Failed,
    /// It was told to stop; it goes on at the next start.
    Interrupted,
}

impl State {
    const WORDS: [(Self, &'static str); 3] =
        [(Self::Idle, "idle"), (Self::Matches, "matches"), (Self::Whole, "whole")];

    /// The word for it.
    pub fn word(self) -> &'static str {
        word_of(&Self::WORDS, self)
    }

    /// The state called `word`.
    pub fn of_word(word: &str) -> Option<Self> {
        called(&Self::WORDS, word)
    }
}

impl Ended {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Complete, "complete"),
        (Self::Incomplete, "incomplete"),
        (Self::Refused, "refused"),
        (Self::Failed, "failed"),
        (Self::Interrupted, "interrupted"),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        word_of(&Self::WORDS, self)
    }

    /// The end called `word`.
    pub fn of_word(word: &str) -> Option<Self> {
        called(&Self::WORDS, word)
    }
}

fn word_of<T: PartialEq>(words: &[(T, &'static str)], value: T) -> &'static str {
    words.iter().find(|(known, _)| *known == value).map_or("", |(_, word)| word)
}

fn called<T: Copy>(words: &[(T, &'static str)], word: &str) -> Option<T> {
    words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
}

impl Remembered {
    /// What is remembered of a job that was never seen before.
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            served: None,
            state: State::Idle,
            started: None,
            ended: None,
            end: None,
            why: None,
            scan: None,
            matches_started: None,
        }
    }

    /// Corrects what lies in the future after a clock was set back, and says whether anything did: it counts
    /// as now, so that no job waits for a time that may never come.
    ///
    /// A slot by the calendar that was served ahead of time stays so if it is the next one: it would come
    /// again otherwise.
    pub fn settle(&mut self, schedule: &Schedule, now: Timestamp) -> bool {
        let before = (self.since, self.served, self.matches_started);
        self.since = self.since.min(now);
        self.matches_started = self.matches_started.map(|moment| moment.min(now));
        let next = match &schedule.timing {
            super::Timing::Every(_) => None,
            super::Timing::Cron(pattern) => pattern.after(now),
        };
        if let Some(served) = self.served
            && served > now
            && next != Some(served)
        {
            self.served = Some(now);
        }
        before != (self.since, self.served, self.matches_started)
    }

    /// A whole run begins for `slot`. It visits known matches first.
    pub fn begin(&mut self, slot: Timestamp, now: Timestamp) {
        self.served = Some(slot);
        self.state = State::Whole;
        self.started = Some(now);
        (self.ended, self.end, self.why, self.scan) = (None, None, None, None);
        self.matches_started = Some(now);
    }

    /// A rescan of known matches begins.
    pub fn begin_matches(&mut self, now: Timestamp) {
        self.state = State::Matches;
        self.matches_started = Some(now);
    }

    /// What went on has ended; what was interrupted is still to be done.
    pub fn end(&mut self, end: Ended, why: Option<String>, now: Timestamp) {
        if self.state == State::Whole {
            (self.ended, self.end, self.why) = (Some(now), Some(end), why);
        }
        if end != Ended::Interrupted {
            self.state = State::Idle;
        }
    }
}
