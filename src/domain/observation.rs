//! What one visit saw.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::address::Target;
use super::cert::Leaf;
use super::fingerprint::Sha256Fingerprint;
use super::indicator::{Match, Reported, Tier};
use super::outcome::Outcome;
use super::softether::SoftetherServer;
use super::time::Timestamp;
use super::tls::{Asked, Request, ServerName};

/// One visit's record: all attempts on one target in one scan, and what they saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// When the visit began.
    pub time: Timestamp,
    /// The address and port visited.
    pub target: Target,
    /// The server name sent (SNI, RFC 6066 section 3); none by default.
    pub server_name: Option<ServerName>,
    /// Whether this is a further leaf of a visit that another observation tells of: the server holds several.
    pub is_other_leaf: bool,
    /// How the visit ended; that of its most telling attempt.
    pub outcome: Outcome,
    /// How the connection ended after the certificate was seen, where it did not end well.
    pub ended: Option<Outcome>,
    /// Version and suite, once the server chose them.
    pub tls: Option<TlsFacts>,
    /// How much the server proved in the connection that showed the leaf.
    pub evidence: Evidence,
    /// The leaf, if one was seen; visits that saw the same one may share it.
    pub leaf: Option<Arc<Leaf>>,
    /// SHA-256 of each certificate after the leaf, in the server's order.
    pub chain: Vec<Sha256Fingerprint>,
    /// The indicators that the leaf matches.
    pub matches: Vec<Match>,
    /// Reports that name this address; shown beside matches, never a match.
    pub reported: Vec<Reported>,
    /// What a SoftEther server said of itself, where it was asked.
    pub softether_server: Option<SoftetherServer>,
    /// Durations within the attempt that showed the leaf, or the last one.
    pub timing: Timing,
    /// Every connection of the visit, in order; never empty.
    pub attempts: Vec<Attempt>,
}

impl Observation {
    /// The tier of the closest match, if anything matched.
    pub fn closest_tier(&self) -> Option<Tier> {
        self.matches.iter().map(|found| found.tier).min()
    }

    /// Whether a match is close enough for the server to be asked to prove its key at once.
    pub fn is_confirmed(&self) -> bool {
        self.closest_tier().is_some_and(Tier::is_confirmed)
    }
}

/// What the server chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `SSL3`, `1.0`, `1.1`, `1.2` or `1.3`.
    pub version: &'static str,
    /// The IANA name of the cipher suite.
    pub cipher_suite: Cow<'static, str>,
}

/// How much the server proved about the leaf that it showed in the same connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// A certificate was shown. Anybody can show a public certificate.
    pub presented: bool,
    /// Whether its signature over this handshake, with our fresh random in it, checks against the
    /// leaf's public key, or with RSA key exchange, it finished a handshake that only a holder of the key can
    /// finish; `None` where there was no such proof or none could be checked.
    pub key_proven: Option<bool>,
    /// Why [`Self::key_proven`] is `None`, where a certificate was shown.
    pub unproven: Option<Unproven>,
    /// The handshake was completed, both Finished messages included.
    pub handshake_finished: bool,
}

/// Why nothing says whether the server holds the leaf's key: [`Evidence::key_proven`] is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unproven {
    /// The connection ended, or was ended, before the server had proven anything.
    NotReached,
    /// The key exchange is RSA or static Diffie-Hellman: nothing is signed, and the handshake was not finished.
    NoSignature,
    /// The key exchange is RSA, and the handshake cannot be finished with this cipher or version.
    Cipher,
    /// The key exchange is RSA, and the server did not finish the handshake, as whoever holds the key could have.
    NotFinished,
    /// The leaf's public key cannot be read.
    KeyUnreadable,
    /// Signatures of this kind of key are not checked here: DSA, Ed448, GOST, curves that are rarely met.
    KeyKind,
    /// Signatures of a key of this size are not checked here.
    KeySize,
    /// Signatures with this scheme are not checked here, or never made with this kind of key.
    Scheme,
    /// What should be the signature has not the structure of one.
    SignatureUnreadable,
}

impl Unproven {
    /// The stable word, as records and the ledger hold it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotReached => "not_reached",
            Self::NoSignature => "no_signature",
            Self::Cipher => "cipher",
            Self::NotFinished => "not_finished",
            Self::KeyUnreadable => "key_unreadable",
            Self::KeyKind => "key_kind",
            Self::KeySize => "key_size",
            Self::Scheme => "scheme",
            Self::SignatureUnreadable => "signature_unreadable",
        }
    }
}

impl Evidence {
    /// Nothing was shown.
    pub const NONE: Self =
        Self { presented: false, key_proven: None, unproven: None, handshake_finished: false };

    /// A certificate was shown, and what is known of its key: whether it was proven, or why that is not known.
    pub const fn of(proof: Result<bool, Unproven>, handshake_finished: bool) -> Self {
        let (key_proven, unproven) = match proof {
            Ok(proven) => (Some(proven), None),
            Err(reason) => (None, Some(reason)),
        };
        Self { presented: true, key_proven, unproven, handshake_finished }
    }

    /// The strongest word that holds: what people read in a table.
    pub const fn word(&self) -> &'static str {
        match (self.presented, self.key_proven, self.handshake_finished) {
            (false, _, _) => "none",
            (true, Some(true), _) => "key proven",
            (true, Some(false), _) => "NOT proven",
            (true, None, true) => "finished",
            (true, None, false) => "presented",
        }
    }
}

/// How long things took, from the start of the connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Until the connection was accepted.
    pub connect: Option<Duration>,
    /// Until the first byte of an answer.
    pub first_byte: Option<Duration>,
    /// Until the leaf was known.
    pub leaf: Option<Duration>,
}

/// One connection to one target, from SYN to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub time: Timestamp,
    /// Which client spoke, and what it offered.
    pub asked: Asked,
    /// How it ended.
    pub outcome: Outcome,
    /// SHA-256 of the leaf that it saw.
    pub leaf: Option<Sha256Fingerprint>,
    /// How much the server proved.
    pub evidence: Evidence,
    /// What was asked once the handshake was finished.
    pub request: Option<Request>,
}
