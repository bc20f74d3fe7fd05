//! Indicators: what reports name, where it comes from, and what of it a leaf matches.

mod digests;
mod entry_file;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod exercise;
mod file;
mod index;
mod provenance;
mod rule;
mod rule_file;
mod spread;
mod tier;

use std::net::IpAddr;
use std::sync::Arc;

pub use file::read;
pub use index::Index;
pub use rule::{DateField, DayTest, Predicate, Rule, TextField, TextTest};
pub use rule_file::{DEPTH_MAX, TABLES_MAX};
pub use spread::{Shared, SharedLimits, Spread};
pub use tier::{Indicator, Match, NoIndicator, Template, Tier};

use super::fingerprint::{Fingerprint, Sha256Fingerprint};
use super::server_name::ServerName;
use super::text::counted;
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
    /// At how many hosts and prefixes an indicator is probably shared.
    pub shared: SharedLimits,
    /// Certificates to match.
    pub certificates: Vec<Certificate>,
    /// Public keys, names and templates to match.
    pub entries: Vec<Entry>,
    /// Rules to match.
    pub profiles: Vec<Profile>,
    /// Addresses that the sources name: shown beside matches, never a match.
    pub addresses: Vec<Address>,
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
    /// SHA-256 of its SubjectPublicKeyInfo, if the report gives it: another leaf with this key matches too.
    pub spki_sha256: Option<Sha256Fingerprint>,
    /// What the report calls it: the common name as printed, mostly.
    pub label: Option<String>,
    /// The [`Source::id`] that names it.
    pub source: String,
    /// What a reader should know of it.
    pub note: Option<String>,
}

/// A public key, a name or a template to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What to match.
    pub indicator: Indicator,
    /// What the report calls it.
    pub label: Option<String>,
    /// The [`Source::id`] that names it.
    pub source: String,
    /// What a reader should know of it.
    pub note: Option<String>,
}

/// A rule to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its id, as an indicator, and its provenance.
    pub entry: Entry,
    /// What must hold of a leaf.
    pub rule: Rule,
}

/// An indicator of any kind with its provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// What to match.
    pub indicator: Indicator,
    /// What the report calls it.
    pub label: Option<&'a str>,
    /// The [`Source::id`] that names it.
    pub source: &'a str,
    /// What a reader should know of it.
    pub note: Option<&'a str>,
    /// A profile's rule.
    pub rule: Option<&'a Rule>,
    /// Of a public key: whether it came with a certificate, so that only other leaves match it.
    pub of_certificate: bool,
}

impl IndicatorSet {
    /// Everything that the set matches, in the order of the file within each kind. A certificate whose
    /// public key is given stands there twice, the second time as that key.
    pub fn indicators(&self) -> impl Iterator<Item = Listed<'_>> {
        let keys = self.certificates.iter().filter_map(Certificate::key);
        self.certificates
            .iter()
            .map(Certificate::listed)
            .chain(keys)
            .chain(self.entries.iter().map(|entry| entry.listed(None)))
            .chain(self.profiles.iter().map(|profile| profile.entry.listed(Some(&profile.rule))))
    }

    /// The names in this set that can be sent to servers: its names, and labels that are DNS names with more than one
    /// label.
    pub fn server_names(&self) -> impl Iterator<Item = ServerName> {
        let names = self.entries.iter().filter_map(|entry| match &entry.indicator {
            Indicator::Name(name) => Some(&**name),
            _ => None,
        });
        let labels =
            self.certificates.iter().filter_map(|certificate| certificate.label.as_deref());
        names
            .chain(labels.filter(|label| label.contains('.')))
            .filter_map(|name| ServerName::new(name).ok())
    }

    /// What the set holds, in words: `4 certificates, 12 names, 19 reported addresses`.
    pub fn contents(&self) -> String {
        let of =
            |kind: &str| self.entries.iter().filter(|entry| entry.indicator.kind() == kind).count();
        let some = |count: usize, one, many| (count > 0).then(|| counted(count as u128, one, many));
        let parts = [
            Some(counted(self.certificates.len() as u128, "certificate", "certificates")),
            some(of("public_key"), "public key", "public keys"),
            some(of("name"), "name", "names"),
            some(self.profiles.len(), "profile", "profiles"),
            some(of("template"), "template", "templates"),
            Some(counted(self.addresses.len() as u128, "reported address", "reported addresses")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Certificate {
    fn listed(&self) -> Listed<'_> {
        Listed {
            indicator: Indicator::Leaf(self.fingerprint),
            label: self.label.as_deref(),
            source: &self.source,
            note: self.note.as_deref(),
            rule: None,
            of_certificate: false,
        }
    }

    /// The certificate's public key as an indicator, if it is given.
    fn key(&self) -> Option<Listed<'_>> {
        let indicator = Indicator::Key(self.spki_sha256?);
        Some(Listed { indicator, of_certificate: true, ..self.listed() })
    }
}

impl Entry {
    fn listed<'a>(&'a self, rule: Option<&'a Rule>) -> Listed<'a> {
        Listed {
            indicator: self.indicator.clone(),
            label: self.label.as_deref(),
            source: &self.source,
            note: self.note.as_deref(),
            rule,
            of_certificate: false,
        }
    }
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
