//! What a sweep must make of each behaviour.

use super::behaviour::Behaviour;
use super::certificates::CertificateKind;
use crate::domain::outcome::{Alert, Outcome, Protocol};

/// What a sweep must make of a server, in the words of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The outcome.
    pub outcome: Outcome,
    /// How it ended after the leaf, where it did not end well.
    pub ended: Option<Outcome>,
    /// Which leaf is seen.
    pub leaf: Option<CertificateKind>,
    /// Whether the server proves that it holds the leaf's key.
    pub key_proven: Option<bool>,
    /// Whether the handshake is completed.
    pub handshake_finished: bool,
    /// Whether the leaf matches the lab's own indicator set.
    pub matches: bool,
    /// The version that the server chooses, where it gets that far.
    pub tls_version: Option<&'static str>,
}

impl Expected {
    /// No leaf, and no version chosen.
    pub(super) const fn without_leaf(outcome: Outcome) -> Self {
        Self {
            outcome,
            ended: None,
            leaf: None,
            key_proven: None,
            handshake_finished: false,
            matches: false,
            tls_version: None,
        }
    }

    /// A leaf, and nothing proven about it.
    pub(super) const fn presented(leaf: CertificateKind, tls_version: &'static str) -> Self {
        Self {
            leaf: Some(leaf),
            matches: leaf.is_indicator(),
            tls_version: Some(tls_version),
            ..Self::without_leaf(Outcome::Certificate)
        }
    }

    /// A leaf whose key is proven in a finished handshake.
    const fn proven(leaf: CertificateKind, tls_version: &'static str) -> Self {
        Self {
            key_proven: Some(true),
            handshake_finished: true,
            ..Self::presented(leaf, tls_version)
        }
    }

    /// A leaf whose key the server does not hold, in a finished handshake.
    const fn copied(leaf: CertificateKind, tls_version: &'static str) -> Self {
        Self { key_proven: Some(false), ..Self::proven(leaf, tls_version) }
    }

    /// The same, when the server has chosen a version before it ends.
    pub(super) const fn in_version(self, tls_version: &'static str) -> Self {
        Self { tls_version: Some(tls_version), ..self }
    }

    /// The same, when the connection ends with `outcome` after the leaf.
    pub(super) const fn ended(self, outcome: Outcome) -> Self {
        Self { ended: Some(outcome), ..self }
    }

    const fn with_alert(description: u8) -> Self {
        Self::without_leaf(Outcome::Alert(Alert { level: 2, description }))
    }
}

impl Behaviour {
    /// What a sweep must make of it that completes handshakes, as `--handshake full` does.
    pub fn expected(&self) -> Expected {
        match self {
            Self::Tls13P256 => Expected::proven(CertificateKind::P256, "1.3"),
            Self::Tls13Rsa => Expected::proven(CertificateKind::Rsa, "1.3"),
            Self::Tls12P256 => Expected::proven(CertificateKind::P256, "1.2"),
            Self::Tls12Rsa => Expected::proven(CertificateKind::Rsa, "1.2"),
            Self::Ed25519 => Expected::proven(CertificateKind::Ed25519, "1.3"),
            Self::SoftetherDefault => Expected::proven(CertificateKind::SoftetherDefault, "1.3"),
            Self::IndicatorOne => Expected::proven(CertificateKind::IndicatorOne, "1.3"),
            Self::IndicatorTwo => Expected::proven(CertificateKind::IndicatorTwo, "1.3"),
            Self::Impostor => Expected::copied(CertificateKind::IndicatorOne, "1.3"),
            Self::Impostor12 => Expected::copied(CertificateKind::IndicatorOne, "1.2"),
            Self::Relay => Self::IndicatorOne.expected(),
            Self::Http => Expected::without_leaf(Outcome::NotTls(Protocol::Http)),
            Self::Ssh => Expected::without_leaf(Outcome::NotTls(Protocol::Ssh)),
            Self::Smtp => Expected::without_leaf(Outcome::NotTls(Protocol::Smtp)),
            Self::AlertHandshakeFailure => Expected::with_alert(40),
            Self::AlertProtocolVersion => Expected::with_alert(70),
            Self::Silent => Expected::without_leaf(Outcome::Silent),
            Self::Refused => Expected::without_leaf(Outcome::Refused),
            Self::ResetAfterHello => Expected::without_leaf(Outcome::Reset),
            Self::CloseAtOnce => Expected::without_leaf(Outcome::Closed),
            Self::Stall | Self::Truncate => Expected::without_leaf(Outcome::Stalled),
            Self::Garbage => Expected::without_leaf(Outcome::Malformed),
            Self::Endless => Expected::without_leaf(Outcome::TooLarge).in_version("1.2"),
            Self::Hostile(script) => script.expected_in_full(),
        }
    }

    /// What a sweep must make of it that completes the handshakes of matches, as `--handshake auto` does.
    pub fn expected_of_auto(&self) -> Expected {
        match self {
            Self::Hostile(script) if script.own.matches => script.own,
            _ if self.expected().matches => self.expected(),
            _ => self.expected_of_leaf(),
        }
    }

    /// What a sweep must make of it that stops at the certificate, as `--handshake leaf` does.
    pub fn expected_of_leaf(&self) -> Expected {
        match self {
            Self::Hostile(script) => script.expected_of_leaf(),
            _ => Expected { handshake_finished: false, key_proven: None, ..self.expected() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impostor_matches_and_proves_nothing() {
        for behaviour in [Behaviour::Impostor, Behaviour::Impostor12] {
            let expected = behaviour.expected();
            assert_eq!(expected.outcome, Outcome::Certificate);
            assert_eq!(expected.leaf, Some(CertificateKind::IndicatorOne));
            assert_eq!((expected.key_proven, expected.matches), (Some(false), true));
        }
    }

    #[test]
    fn a_leaf_goes_with_the_word_certificate_and_with_no_other() {
        for behaviour in Behaviour::all() {
            for expected in [behaviour.expected(), behaviour.expected_of_leaf()] {
                let seen = expected.outcome == Outcome::Certificate;
                assert_eq!(seen, expected.leaf.is_some(), "{behaviour:?}");
                assert!(seen || expected.key_proven.is_none(), "{behaviour:?}");
                assert!(seen || expected.ended.is_none(), "{behaviour:?}");
            }
        }
        for behaviour in Behaviour::PLAIN {
            let expected = behaviour.expected();
            assert_eq!(expected.key_proven.is_some(), expected.leaf.is_some(), "{behaviour:?}");
            assert_eq!(expected.handshake_finished, expected.leaf.is_some(), "{behaviour:?}");
        }
    }

    /// Whether a handshake is completed or not makes no difference to what is seen.
    #[test]
    fn full_and_leaf_agree_on_outcome_and_leaf_everywhere() {
        for behaviour in Behaviour::all() {
            let [full, leaf] = [behaviour.expected(), behaviour.expected_of_leaf()];
            assert_eq!((full.outcome, full.leaf), (leaf.outcome, leaf.leaf), "{behaviour:?}");
        }
    }
}
