//! How close a match is, what it matched, and how both are spelt.
//!
//! The tiers keep what is certain apart from what is guessed: A and B tie the leaf to the reported
//! certificate or its key, C to E only say that it looks alike.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};

/// How close a match is, from the exact leaf down to a template; the closest is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Tier {
    /// The exact leaf.
    A,
    /// The same public key in another certificate.
    B,
    /// A reported name, in a certificate with the structure of SoftEther's default.
    C,
    /// A profile rule.
    D,
    /// The structure of SoftEther's default certificate, and nothing more.
    E,
}

impl Tier {
    /// Every tier, the closest first.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    /// The letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
        }
    }

    /// Whether the leaf or its key is the one reported. All else is a guess, however good.
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::A | Self::B)
    }

    /// Whether the server is asked at once to prove that it holds the key. Profiles and templates are
    /// too common for a second connection to each.
    pub const fn is_confirmed(self) -> bool {
        matches!(self, Self::A | Self::B | Self::C)
    }
}

/// Software whose default certificate has a structure of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Template {
    /// SoftEther VPN: [`Description::softether_default`](crate::domain::cert::Description::softether_default).
    SoftEther,
}

impl Template {
    /// Every template, with the word that files use.
    pub const WORDS: [(&'static str, Self); 1] = [("softether", Self::SoftEther)];

    /// The word for this template.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SoftEther => "softether",
        }
    }
}

/// One thing to match. It decides the tier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Indicator {
    /// The hash of a leaf.
    Leaf(Fingerprint),
    /// SHA-256 of a SubjectPublicKeyInfo (RFC 5280, section 4.1).
    Key(Sha256Fingerprint),
    /// A common name or subject alternative name, its ASCII letters in lower case.
    Name(Arc<str>),
    /// The id of a profile within its set.
    Profile(Arc<str>),
    /// The structure of a default certificate.
    Template(Template),
}

impl Indicator {
    /// The tier of what matches this.
    pub const fn tier(&self) -> Tier {
        match self {
            Self::Leaf(_) => Tier::A,
            Self::Key(_) => Tier::B,
            Self::Name(_) => Tier::C,
            Self::Profile(_) => Tier::D,
            Self::Template(_) => Tier::E,
        }
    }

    /// What it is, in the word that the ledger uses.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Leaf(_) => "certificate",
            Self::Key(_) => "public_key",
            Self::Name(_) => "name",
            Self::Profile(_) => "profile",
            Self::Template(_) => "template",
        }
    }
}

/// `sha1:...`, `sha256:...`, `spki_sha256:...`, `name:...`, `profile:...`, `template:softether`: the
/// spelling that records and the ledger use.
impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(fingerprint) => write!(f, "{fingerprint}"),
            Self::Key(hash) => write!(f, "spki_sha256:{hash}"),
            Self::Name(name) => write!(f, "name:{name}"),
            Self::Profile(id) => write!(f, "profile:{id}"),
            Self::Template(template) => write!(f, "template:{}", template.word()),
        }
    }
}

/// A text is not the spelling of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no indicator such as sha1:..., spki_sha256:..., name:... or profile:...")]
pub struct NoIndicator;

impl FromStr for Indicator {
    type Err = NoIndicator;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, NoIndicator> {
        let (kind, value) = text.split_once(':').ok_or(NoIndicator)?;
        match kind {
            "sha1" | "sha256" => text.parse().map(Self::Leaf).map_err(|_| NoIndicator),
            "spki_sha256" => match value.parse() {
                Ok(Fingerprint::Sha256(hash)) => Ok(Self::Key(hash)),
                _ => Err(NoIndicator),
            },
            "name" => Ok(Self::Name(value.into())),
            "profile" => Ok(Self::Profile(value.into())),
            "template" => {
                let known = Template::WORDS.iter().find(|(word, _)| *word == value);
                known.map(|(_, template)| Self::Template(*template)).ok_or(NoIndicator)
            }
            _ => Err(NoIndicator),
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
    /// What was matched.
    pub indicator: Indicator,
    /// What the report calls it.
    pub label: Option<Arc<str>>,
    /// The source's id within the set.
    pub source: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn closer_tiers_come_first_and_only_two_are_certain() {
        assert!(Tier::ALL.is_sorted());
        let letters: String = Tier::ALL.iter().map(|tier| tier.letter()).collect();
        assert_eq!(letters, "ABCDE");
        assert_eq!(Tier::ALL.map(Tier::is_certain), [true, true, false, false, false]);
        assert_eq!(Tier::ALL.map(Tier::is_confirmed), [true, true, true, false, false]);
    }

    #[test]
    fn every_indicator_reads_back_from_its_spelling() {
        let (sha1, sha256) = (Sha1Fingerprint([0x1f; 20]), Sha256Fingerprint([0xe2; 32]));
        for (indicator, spelt, tier) in [
            (Indicator::Leaf(Fingerprint::Sha1(sha1)), format!("sha1:{sha1}"), Tier::A),
            (Indicator::Leaf(Fingerprint::Sha256(sha256)), format!("sha256:{sha256}"), Tier::A),
            (Indicator::Key(sha256), format!("spki_sha256:{sha256}"), Tier::B),
            (Indicator::Name("a:b.example".into()), "name:a:b.example".to_owned(), Tier::C),
            (Indicator::Profile("proxy".into()), "profile:proxy".to_owned(), Tier::D),
            (Indicator::Template(Template::SoftEther), "template:softether".to_owned(), Tier::E),
        ] {
            assert_eq!((indicator.to_string(), indicator.tier()), (spelt.clone(), tier));
            assert_eq!(spelt.parse(), Ok(indicator));
        }
        for wrong in ["", "softether", "sha1:00", "spki_sha256:00", "template:openvpn", "md5:00"] {
            assert_eq!(wrong.parse::<Indicator>(), Err(NoIndicator), "{wrong}");
        }
    }
}
