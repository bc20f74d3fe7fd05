//! Indicators: what reports name, where it comes from, and what of it a leaf matches.

mod file;
mod index;

use std::net::IpAddr;
use std::sync::Arc;

pub use file::read;
pub use index::Index;

use super::fingerprint::{Fingerprint, Sha256Fingerprint};
use super::server_name::ServerName;
use super::time::Day;

/// How sensitive a set is: the Traffic Light Protocol 2.0 of FIRST, from open to closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Tlp {
    /// May be shared with everybody.
    #[serde(rename = "clear")]
    Clear,
    /// May be shared within the community.
    #[serde(rename = "green")]
    Green,
    /// May be shared within the organisation and its clients.
    #[serde(rename = "amber")]
    Amber,
    /// May be shared within the organisation.
    #[serde(rename = "amber+strict")]
    AmberStrict,
    /// For the named recipients only.
    #[serde(rename = "red")]
    Red,
}

impl Tlp {
    /// Every level, with the word that files use.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("clear", Self::Clear),
        ("green", Self::Green),
        ("amber", Self::Amber),
        ("amber+strict", Self::AmberStrict),
        ("red", Self::Red),
    ];

    /// The word for this level.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, level)| *level == self).map_or("red", |(word, _)| word)
    }
}

/// A named list of indicators with their provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorSet {
    /// The set's name, as matches show it.
    pub name: String,
    /// The file that it was read from.
    pub file: String,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// SHA-256 of the file's bytes.
    pub hash: Sha256Fingerprint,
    /// Where the indicators come from.
    pub sources: Vec<Source>,
    /// Certificates to match.
    pub certificates: Vec<Certificate>,
    /// Addresses that the sources name: shown beside matches, never a match.
    pub addresses: Vec<Address>,
}

impl IndicatorSet {
    /// The names in this set that can be sent to servers: labels that are DNS names with more than one label.
    pub fn server_names(&self) -> impl Iterator<Item = ServerName> {
        let labels =
            self.certificates.iter().filter_map(|certificate| certificate.label.as_deref());
        labels.filter(|label| label.contains('.')).filter_map(|label| ServerName::new(label).ok())
    }
}

/// A report that names indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Short name within the set.
    pub id: String,
    /// The report's title.
    pub title: String,
    /// Who published it.
    pub publisher: Option<String>,
    /// When.
    pub published: Option<Day>,
    /// Where it can be read.
    pub url: Option<String>,
}

/// A leaf certificate that a report names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What the report calls it: the common name as printed, mostly.
    pub label: Option<String>,
    /// The [`Source::id`] that names it.
    pub source: String,
    /// What a reader should know of it.
    pub note: Option<String>,
}

/// An address that a report names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// First day that the report gives.
    pub first_seen: Option<Day>,
    /// Last day that the report gives.
    pub last_seen: Option<Day>,
    /// The fingerprint that the report saw there, if it says.
    pub certificate: Option<Fingerprint>,
    /// The [`Source::id`] that names it.
    pub source: String,
    /// What a reader should know of it.
    pub note: Option<String>,
}

/// How close a match is, from the exact leaf down to a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Tier {
    /// The exact leaf.
    A,
}

impl Tier {
    /// The letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
        }
    }
}

/// One indicator that a leaf matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The set's name.
    pub set: Arc<str>,
    /// How close.
    pub tier: Tier,
    /// The indicator, as records spell it: `sha1:…`.
    pub indicator: Fingerprint,
    /// What the report calls it.
    pub label: Option<Arc<str>>,
    /// The source's id within the set.
    pub source: Arc<str>,
}

impl Match {
    /// Whether it is close enough for a second connection that proves more.
    pub fn is_to_be_confirmed(&self) -> bool {
        self.tier <= Tier::A
    }
}

/// A report that names the address visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The set's name.
    pub set: Arc<str>,
    /// The source's id within the set.
    pub source: Arc<str>,
    /// First day that the report gives.
    pub first_seen: Option<Day>,
    /// Last day that the report gives.
    pub last_seen: Option<Day>,
}
