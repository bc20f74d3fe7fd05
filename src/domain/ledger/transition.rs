//! Transitions: what changed, and by what each is known again.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::domain::address::Target;
use crate::domain::fingerprint::Sha256Fingerprint;

/// What changed for a certificate at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It was never seen there before, and at no other address before this round.
    New,
    /// It was never seen there before, and at another address before this round.
    Moved,
    /// It was gone or had given way to another, and is there again.
    Returned,
    /// It gave way to another one.
    Rotated,
    /// It is not there any more.
    Gone,
}

impl Kind {
    /// All of them, the most telling first.
    pub const ALL: [Self; 5] = [Self::New, Self::Moved, Self::Returned, Self::Rotated, Self::Gone];

    /// Whether the certificate is there now and was not.
    pub const fn is_arrival(self) -> bool {
        matches!(self, Self::New | Self::Moved | Self::Returned)
    }

    /// The stable word, as records and the ledger hold it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Moved => "moved",
            Self::Returned => "returned",
            Self::Rotated => "rotated",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|kind| kind.word() == text);
        known.ok_or_else(|| format!("'{text}' is no kind of transition"))
    }
}

/// Which certificate at which place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The address and port.
    pub target: Target,
    /// The server name that was sent, if any.
    pub server_name: Option<&'a str>,
    /// Where was looked from.
    pub vantage: &'a str,
    /// SHA-256 of the certificate.
    pub leaf: Sha256Fingerprint,
}

/// What makes a transition this one and no other: the same visits give the same key in every ledger.
///
/// It is the idempotency key of alerts.
pub fn key(
    kind: Kind,
    subject: Subject<'_>,
    previous: Option<Sha256Fingerprint>,
    scan: &str,
) -> Sha256Fingerprint {
    let Subject { target, server_name, vantage, leaf } = subject;
    let mut hash = Sha256::new();
    let previous = previous.map(|hash| hash.to_string());
    let parts = [
        "certsweep transition 1",
        kind.word(),
        &target.to_string(),
        server_name.unwrap_or_default(),
        vantage,
        &leaf.to_string(),
        previous.as_deref().unwrap_or_default(),
        scan,
    ];
    for part in parts {
        // With its length, so that no two lists of parts are alike.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Sha256Fingerprint(hash.finalize().into())
}
