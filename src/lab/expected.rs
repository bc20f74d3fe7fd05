//! What a sweep must make of each behaviour.

use super::behaviour::Behaviour;
use super::certificates::CertificateKind;
use crate::domain::outcome::{Alert, Outcome, Protocol};

/// What a sweep must make of a server, in the words of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The outcome's word.
    pub outcome: &'static str,
    /// The outcome's detail.
    pub detail: Option<&'static str>,
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
    const fn without_leaf(outcome: Outcome, detail: Option<&'static str>) -> Self {
        Self {
            outcome: outcome.word(),
            detail,
            leaf: None,
            key_proven: None,
            handshake_finished: false,
            matches: false,
            tls_version: None,
        }
    }

    const fn with_leaf(leaf: CertificateKind, tls_version: &'static str) -> Self {
        Self {
            outcome: Outcome::Certificate.word(),
            detail: None,
            leaf: Some(leaf),
            key_proven: Some(true),
            handshake_finished: true,
            matches: leaf.is_indicator(),
            tls_version: Some(tls_version),
        }
    }

    const fn with_alert(description: u8, detail: &'static str) -> Self {
        Self::without_leaf(Outcome::Alert(Alert { level: 2, description }), Some(detail))
    }

    const fn with_protocol(protocol: Protocol) -> Self {
        Self::without_leaf(Outcome::NotTls(protocol), Some(protocol.word()))
    }
}

impl Behaviour {
    /// What a sweep must make of it, from a client that offers TLS 1.2 and 1.3 and gives up at
    /// 256 KiB or when rustls does.
    pub const fn expected(&self) -> Expected {
        match self {
            Self::Tls13P256 => Expected::with_leaf(CertificateKind::P256, "1.3"),
            Self::Tls13Rsa => Expected::with_leaf(CertificateKind::Rsa, "1.3"),
            Self::Tls12P256 => Expected::with_leaf(CertificateKind::P256, "1.2"),
            Self::Tls12Rsa => Expected::with_leaf(CertificateKind::Rsa, "1.2"),
            Self::Ed25519 => Expected::with_leaf(CertificateKind::Ed25519, "1.3"),
            Self::SoftetherDefault => Expected::with_leaf(CertificateKind::SoftetherDefault, "1.3"),
            Self::IndicatorOne => Expected::with_leaf(CertificateKind::IndicatorOne, "1.3"),
            Self::IndicatorTwo => Expected::with_leaf(CertificateKind::IndicatorTwo, "1.3"),
            Self::Impostor => Expected {
                key_proven: Some(false),
                ..Expected::with_leaf(CertificateKind::IndicatorOne, "1.3")
            },
            Self::Http => Expected::with_protocol(Protocol::Http),
            Self::Ssh => Expected::with_protocol(Protocol::Ssh),
            Self::Smtp => Expected::with_protocol(Protocol::Smtp),
            Self::AlertHandshakeFailure => Expected::with_alert(40, "fatal handshake_failure(40)"),
            Self::AlertProtocolVersion => Expected::with_alert(70, "fatal protocol_version(70)"),
            Self::Silent => Expected::without_leaf(Outcome::Silent, None),
            Self::Refused => Expected::without_leaf(Outcome::Refused, None),
            Self::ResetAfterHello => Expected::without_leaf(Outcome::Reset, None),
            Self::CloseAtOnce => Expected::without_leaf(Outcome::Closed, None),
            Self::Stall | Self::Truncate => Expected::without_leaf(Outcome::Stalled, None),
            Self::Garbage => Expected::without_leaf(Outcome::Malformed, None),
            Self::Endless => Expected {
                tls_version: Some("1.2"),
                ..Expected::without_leaf(Outcome::TooLarge, None)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_those_that_outcomes_print() {
        for (behaviour, description) in
            [(Behaviour::AlertHandshakeFailure, 40), (Behaviour::AlertProtocolVersion, 70)]
        {
            let outcome = Outcome::Alert(Alert { level: 2, description });
            assert_eq!(behaviour.expected().detail, outcome.detail().as_deref());
        }
    }

    #[test]
    fn an_impostor_matches_and_proves_nothing() {
        let expected = Behaviour::Impostor.expected();
        assert_eq!(expected.outcome, "certificate");
        assert_eq!(expected.leaf, Some(CertificateKind::IndicatorOne));
        assert_eq!((expected.key_proven, expected.matches), (Some(false), true));
    }

    #[test]
    fn a_leaf_goes_with_the_word_certificate_and_with_no_other() {
        for behaviour in Behaviour::ALL {
            let expected = behaviour.expected();
            let seen = expected.outcome == "certificate";
            assert_eq!(seen, expected.leaf.is_some(), "{behaviour:?}");
            assert_eq!(seen, expected.key_proven.is_some(), "{behaviour:?}");
            assert_eq!(seen, expected.handshake_finished, "{behaviour:?}");
        }
    }
}
