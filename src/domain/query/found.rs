//! What a search finds: one certificate at one address, or at none that is known.

use std::net::IpAddr;

use super::Why;
use crate::domain::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};
use crate::domain::indicator::Tier;
use crate::domain::time::Timestamp;

/// A certificate as a ledger knows it; what others collected may be known by one hash alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-1 of the certificate.
    pub sha1: Option<Sha1Fingerprint>,
    /// SHA-256 of the certificate.
    pub sha256: Option<Sha256Fingerprint>,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: Option<Sha256Fingerprint>,
    /// The subject.
    pub subject: Option<String>,
    /// The subject's first common name.
    pub common_name: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// The serial number, hex octets in lower case.
    pub serial: Option<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// The kind of key.
    pub key: Option<String>,
}

/// An indicator that a certificate matches, with its provenance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matched {
    /// How close.
    pub tier: Tier,
    /// The set's name.
    pub set: String,
    /// What was matched, as records spell it.
    pub indicator: String,
    /// What the report calls it.
    pub label: Option<String>,
    /// The source's id within the set.
    pub source: String,
}

/// Who saw a certificate somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seer {
    /// The vantage of own scans, or the name of what others collected.
    pub name: String,
    /// Whether others collected it: then nothing was proven to us.
    pub is_import: bool,
}

/// One certificate at one address, on all ports where as much was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The certificate.
    pub certificate: Certificate,
    /// Where; `None` for a certificate that others collected without saying where.
    pub address: Option<IpAddr>,
    /// On which ports, in ascending order.
    pub ports: Vec<u16>,
    /// For which server names (SNI); an empty one stands for none sent.
    pub server_names: Vec<String>,
    /// First seen, `None` where nobody said when.
    pub first_seen: Option<Timestamp>,
    /// Last seen, likewise.
    pub last_seen: Option<Timestamp>,
    /// How many visits saw it.
    pub count: u64,
    /// Whether the server ever proved that it holds the key; `None` if that was never checked.
    pub key_proven: Option<bool>,
    /// Whether a handshake was ever finished.
    pub handshake_finished: bool,
    /// What it matches, the closest first.
    pub matches: Vec<Matched>,
    /// Who saw it.
    pub by: Vec<Seer>,
    /// Why another certificate led to it.
    pub why: Vec<Why>,
}

impl Found {
    /// The strongest word that holds of what was proven there.
    pub fn evidence(&self) -> &'static str {
        match (self.key_proven, self.handshake_finished) {
            _ if self.by.iter().all(|seer| seer.is_import) => "as collected",
            (Some(true), _) => "key proven",
            (Some(false), _) => "NOT proven",
            (None, true) => "finished",
            (None, false) => "presented",
        }
    }
}
