//! Alerts: what is told of a transition, to whom, and how often it is tried.
//!
//! An alert tells one transition at one endpoint. This room says what stands in it, how each kind of channel
//! is told, what a channel may be told, and when the next attempt is due. It sends nothing.

mod endpoint;
mod file;
mod line;
mod record;
mod retry;
mod secret;
mod signature;
mod syslog;

use std::sync::Arc;

pub use endpoint::Endpoint;
pub use file::{
    ChannelSettings, KEYS, Route, SecretSource, SyslogAddress, UrlSource, read, read_all,
};
pub use line::{chat, line};
pub use record::record;
pub use retry::{
    DELAY_MAX, Delivery, GIVE_UP_AFTER, Next, RETRY_AFTER_MAX, delay, is_due, next, retry_after,
};
pub use secret::Secret;
pub use signature::{SECRET_BYTES_MIN, sign};
pub use syslog::{MESSAGE_BYTES_MAX, Sender, framed, message};

pub use super::ledger::Kind;

use super::address::Target;
use super::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};
use super::indicator::{Tier, Tlp};
use super::observation::Evidence;
use super::time::Timestamp;

/// A certificate as far as an alert tells of it. The ledger has the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-1 of its DER, if it is known.
    pub sha1: Option<Sha1Fingerprint>,
    /// SHA-256 of its DER, if it is known.
    pub sha256: Option<Sha256Fingerprint>,
    /// The subject's common name, as the certificate gives it.
    pub common_name: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// Start of the validity.
    pub not_before: Option<Timestamp>,
    /// End of the validity.
    pub not_after: Option<Timestamp>,
}

/// An endpoint at which the certificate was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Address and port.
    pub target: Target,
    /// When it was seen there last.
    pub last_seen: Timestamp,
}

/// An indicator that the certificate matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The set's name.
    pub set: Arc<str>,
    /// How far what the set says may be passed on.
    pub tlp: Tlp,
    /// How close the match is.
    pub tier: Tier,
    /// The indicator, as records spell it: `sha1:7992...`.
    pub indicator: String,
    /// What the report calls it.
    pub label: Option<String>,
    /// The source's id within the set.
    pub source: Arc<str>,
}

/// One transition at one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The transition's key: the same for every delivery of it, and for no other.
    pub key: Sha256Fingerprint,
    /// What happened.
    pub kind: Kind,
    /// When it was seen.
    pub time: Timestamp,
    /// Where.
    pub target: Target,
    /// The server name sent, if one was.
    pub server_name: Option<String>,
    /// From where it was looked.
    pub vantage: String,
    /// The scan that saw it.
    pub scan: String,
    /// The job that scanned, if one did.
    pub job: Option<String>,
    /// The certificate that it is about.
    pub leaf: Certificate,
    /// The one that was there before, where one took its place.
    pub previous: Option<Certificate>,
    /// Where the certificate was before, the latest first.
    pub from: Vec<Earlier>,
    /// What it matches, or the one that was there before.
    pub matches: Vec<Matched>,
    /// What the server proved, where it showed the certificate.
    pub evidence: Option<Evidence>,
}

/// An alert that waits for one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number in the outbox.
    pub id: i64,
    /// When the transition was found.
    pub queued: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What is told.
    pub alert: Alert,
}

/// Which transitions are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Those of certificates that match at tier A or B.
    #[default]
    Match,
    /// Those of certificates that match at any tier.
    Any,
    /// All.
    All,
}

impl Wanted {
    /// Every choice, with the word that files use.
    pub const WORDS: [(&'static str, Self); 3] =
        [("match", Self::Match), ("any", Self::Any), ("all", Self::All)];
}

impl Alert {
    /// The tier of the closest match, if anything matches.
    pub fn closest_tier(&self) -> Option<Tier> {
        self.matches.iter().map(|found| found.tier).min()
    }

    /// The most closed TLP level of the sets that it quotes; `None` where it quotes none, so that no set limits it.
    pub fn tlp(&self) -> Option<Tlp> {
        self.matches.iter().map(|found| found.tlp).max()
    }

    /// What of it may be told over a channel that carries levels up to `cap`, if what is left is `wanted`.
    ///
    /// Matches of more closed sets are left out before it is asked what is wanted: else the alert's mere arrival
    /// would tell that such a set names the certificate.
    pub fn within(&self, cap: Tlp, wanted: Wanted) -> Option<Self> {
        let mut told = self.clone();
        told.matches.retain(|found| found.tlp <= cap);
        let is_wanted = match (wanted, told.closest_tier()) {
            (Wanted::All, _) | (Wanted::Any, Some(_)) => true,
            (Wanted::Match, Some(tier)) => tier.is_certain(),
            (Wanted::Match | Wanted::Any, None) => false,
        };
        is_wanted.then_some(told)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A certificate of the built-in set, moved.
    pub(crate) fn moved() -> Alert {
        let target = |text: &str, port| Target::new(text.parse().unwrap(), port);
        Alert {
            key: Sha256Fingerprint([0xab; 32]),
            kind: Kind::Moved,
            time: Timestamp::from_micros(1_795_486_704_512_000),
            target: target("192.0.2.7", 5555),
            server_name: None,
            vantage: "default".to_owned(),
            scan: "01JD0000000000000000000000".to_owned(),
            job: Some("nightly".to_owned()),
            leaf: Certificate {
                sha1: Some(Sha1Fingerprint([0x79; 20])),
                sha256: Some(Sha256Fingerprint([0x11; 32])),
                common_name: Some("vpn1.example.com".to_owned()),
                subject: Some("CN=vpn1.example.com".to_owned()),
                ..Certificate::default()
            },
            previous: None,
            from: vec![Earlier {
                target: target("198.51.100.1", 443),
                last_seen: Timestamp::from_seconds(1_793_500_000),
            }],
            matches: vec![matched("flax-typhoon", Tlp::Clear, Tier::A)],
            evidence: Some(Evidence {
                presented: true,
                key_proven: Some(true),
                ..Evidence::default()
            }),
        }
    }

    pub(crate) fn matched(set: &str, tlp: Tlp, tier: Tier) -> Matched {
        Matched {
            set: set.into(),
            tlp,
            tier,
            indicator: "sha1:7979".to_owned(),
            label: Some("vpn1.example.com".to_owned()),
            source: "memo-1".into(),
        }
    }

    #[test]
    fn what_is_more_closed_than_the_channel_is_left_out_whole() {
        let alert = Alert {
            matches: vec![
                matched("open", Tlp::Clear, Tier::E),
                matched("closed", Tlp::Amber, Tier::A),
            ],
            ..moved()
        };
        assert_eq!(alert.tlp(), Some(Tlp::Amber));
        // The guess alone would not have been told: that it is told would betray the other set.
        assert_eq!(alert.within(Tlp::Clear, Wanted::Match), None);
        let told = alert.within(Tlp::Green, Wanted::Any).unwrap();
        assert_eq!(told.matches, [matched("open", Tlp::Clear, Tier::E)]);
        assert_eq!(told.tlp(), Some(Tlp::Clear));
        assert_eq!(alert.within(Tlp::Amber, Wanted::Match), Some(alert.clone()));
        for tlp in Tlp::WORDS.map(|(_, tlp)| tlp) {
            let closed = Alert { matches: vec![matched("closed", Tlp::Red, Tier::A)], ..moved() };
            let told = closed.within(tlp, Wanted::Match);
            assert_eq!(told.is_some(), tlp == Tlp::Red, "{tlp:?}");
            let told = closed.within(tlp, Wanted::All).unwrap();
            assert_eq!(told.matches.is_empty(), tlp != Tlp::Red);
        }
    }

    #[test]
    fn what_matches_nothing_is_told_only_where_all_is_wanted() {
        let alert = Alert { matches: Vec::new(), ..moved() };
        let told = Wanted::WORDS.map(|(_, wanted)| alert.within(Tlp::Red, wanted).is_some());
        assert_eq!((told, alert.tlp()), ([false, false, true], None));
    }
}
