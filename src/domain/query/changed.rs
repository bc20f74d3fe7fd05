//! What changed at a place, and what could not be told of it.

use super::{Certificate, Matched};
use crate::domain::address::Target;
use crate::domain::ledger::{Kind, Status};
use crate::domain::time::Timestamp;

/// What is told of a certificate at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A transition in the window.
    Changed(Kind),
    /// It was there before the window, and this is all that can be said: never that it is gone.
    Open(Status),
}

impl What {
    /// The word, as tables and records hold it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed(kind) => kind.word(),
            Self::Open(status) => status.words(),
        }
    }

    /// How many visits a certificate is missing for.
    pub const fn missing_for(self) -> Option<u32> {
        match self {
            Self::Open(Status::Missing(visits)) => Some(visits),
            _ => None,
        }
    }
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What is told.
    pub what: What,
    /// The address and port.
    pub target: Target,
    /// The server name sent, if any.
    pub server_name: Option<String>,
    /// Where was looked from.
    pub vantage: String,
    /// When: the visit that showed the change, or the last visit that there was.
    pub time: Timestamp,
    /// The id of the scan that showed the change.
    pub scan: Option<String>,
    /// The certificate that is there now, or was.
    pub certificate: Certificate,
    /// Of a rotation: the one that was there before.
    pub previous: Option<Certificate>,
    /// Of a move: where it was seen last, and when.
    pub from: Option<(Target, Timestamp)>,
    /// What the certificates match, the closest first.
    pub matches: Vec<Matched>,
}

/// A window of time, and what changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Changes after this moment.
    pub since: Timestamp,
    /// Up to and with this moment.
    pub until: Timestamp,
    /// The changes in order of time, then what is open.
    pub rows: Vec<Changed>,
}

impl Difference {
    /// How many rows tell of `what`, by its word.
    pub fn count(&self, word: &str) -> usize {
        self.rows.iter().filter(|row| row.what.word() == word).count()
    }
}
