//! The second try of a visit: when another client would tell more, and what both together saw.

use super::observation::{Evidence, Observation, TlsFacts};
use super::outcome::Outcome;

/// What a second attempt is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// The client that completes handshakes of TLS 1.2 and 1.3.
    Complete,
    /// Our own client, which can finish a handshake with RSA key exchange.
    Finish,
}

/// What second attempt, if any, would tell more than `first` did.
///
/// One is made where the leaf matches an indicator and more can be proven of it, and where the server ended the
/// connection without a leaf (an alert, or end of stream before any byte), since it may have taken
/// offence at the offer.
pub fn second(first: &Observation) -> Option<Second> {
    match first.outcome {
        Outcome::Certificate if first.matches.is_empty() => None,
        Outcome::Certificate if first.evidence.handshake_finished => None,
        Outcome::Certificate => confirmation(first.tls.as_ref()),
        Outcome::Alert(_) | Outcome::Closed => Some(Second::Complete),
        _ => None,
    }
}

/// What can confirm a match that was seen under `tls`.
fn confirmation(tls: Option<&TlsFacts>) -> Option<Second> {
    let Some(TlsFacts { version, cipher_suite }) = tls else { return Some(Second::Complete) };
    if cipher_suite.starts_with("TLS_RSA_WITH_AES_") {
        return Some(Second::Finish);
    }
    matches!(*version, "1.2" | "1.3").then_some(Second::Complete)
}

/// One observation of both attempts.
///
/// What it says of the leaf is what a single connection showed: the one that proved most. If the second
/// attempt saw another leaf than the first, the first one's stands and the attempts tell of both.
pub fn merged(first: Observation, mut second: Observation) -> Observation {
    let mut attempts = first.attempts.clone();
    attempts.append(&mut second.attempts);
    let hash = |seen: &Observation| seen.leaf.as_ref().map(|leaf| leaf.sha256);
    let second_tells_more = match (hash(&first), hash(&second)) {
        (None, Some(_)) => true,
        (Some(one), Some(other)) => {
            one == other && strength(second.evidence) > strength(first.evidence)
        }
        (_, None) => false,
    };
    let time = first.time;
    let told = if second_tells_more { second } else { first };
    Observation { time, attempts, ..told }
}

/// How much is proven, for comparing.
fn strength(evidence: Evidence) -> (bool, bool) {
    (evidence.key_proven == Some(true), evidence.handshake_finished)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::address::Target;
    use crate::domain::indicator::{Index, Match, Tier};
    use crate::domain::outcome::Alert;
    use crate::domain::time::Timestamp;
    use crate::domain::tls::Verdict;
    use crate::domain::visit::Visit;

    const REFUSAL: Outcome = Outcome::Alert(Alert { level: 2, description: 40 });

    fn seen(client: &'static str, leaf: Option<&[u8]>, proven: Option<bool>) -> Observation {
        let finished = client == "rustls";
        let verdict = match leaf {
            None => Verdict::without_leaf(REFUSAL),
            Some(der) => Verdict {
                outcome: Outcome::Certificate,
                certificates: vec![der.to_vec()],
                tls: Some(TlsFacts { version: "1.3", cipher_suite: client.to_owned() }),
                evidence: Evidence {
                    presented: true,
                    key_proven: proven,
                    handshake_finished: finished,
                },
                ..Verdict::without_leaf(Outcome::Certificate)
            },
        };
        let visit = Visit {
            time: Timestamp::from_seconds(if finished { 2 } else { 1 }),
            target: Target::new("127.0.0.1".parse().unwrap(), 443),
            began: Duration::ZERO,
            connected: None,
            client,
            offer: "",
        };
        visit.observation(verdict, &Index::default())
    }

    fn matching(mut seen: Observation) -> Observation {
        let leaf = seen.leaf.as_ref().unwrap();
        seen.matches.push(Match {
            set: "s".into(),
            tier: Tier::A,
            indicator: crate::domain::fingerprint::Fingerprint::Sha1(leaf.sha1),
            label: None,
            source: "r".into(),
        });
        seen
    }

    #[test]
    fn matches_are_confirmed_and_refusals_are_asked_again() {
        let leaf = || seen("own", Some(b"leaf"), Some(true));
        assert_eq!(second(&leaf()), None);
        assert_eq!(second(&matching(leaf())), Some(Second::Complete));
        assert_eq!(second(&matching(seen("rustls", Some(b"leaf"), Some(true)))), None);
        let under = |version, suite: &str| {
            let tls = Some(TlsFacts { version, cipher_suite: suite.to_owned() });
            second(&Observation { tls, ..matching(leaf()) })
        };
        assert_eq!(under("1.0", "TLS_RSA_WITH_AES_128_CBC_SHA"), Some(Second::Finish));
        assert_eq!(under("1.2", "TLS_RSA_WITH_AES_128_CBC_SHA"), Some(Second::Finish));
        assert_eq!(under("1.0", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), None);
        assert_eq!(second(&seen("own", None, None)), Some(Second::Complete));
        let ended = |outcome| Observation { outcome, ..seen("own", None, None) };
        assert_eq!(second(&ended(Outcome::Closed)), Some(Second::Complete));
        for outcome in [Outcome::Refused, Outcome::Silent, Outcome::Reset, Outcome::ConnectTimeout]
        {
            assert_eq!(second(&ended(outcome)), None, "{outcome}");
        }
    }

    #[test]
    fn the_connection_that_proved_most_is_told_and_both_are_listed() {
        let clients = |seen: &Observation| -> Vec<&str> {
            seen.attempts.iter().map(|attempt| attempt.client).collect()
        };
        let both = merged(
            seen("own", Some(b"leaf"), Some(true)),
            seen("rustls", Some(b"leaf"), Some(true)),
        );
        assert!(both.evidence.handshake_finished);
        assert_eq!(both.tls.as_ref().unwrap().cipher_suite, "rustls");
        assert_eq!(
            (clients(&both), both.time),
            (vec!["own", "rustls"], Timestamp::from_seconds(1))
        );

        let copied = merged(
            seen("own", Some(b"leaf"), Some(true)),
            seen("rustls", Some(b"leaf"), Some(false)),
        );
        assert_eq!(copied.evidence.key_proven, Some(true), "one connection's evidence, whole");
        assert!(!copied.evidence.handshake_finished);

        let other =
            merged(seen("own", Some(b"leaf"), None), seen("rustls", Some(b"other"), Some(true)));
        assert_eq!(other.leaf.as_ref().unwrap().der, b"leaf");
        assert_eq!(other.evidence.key_proven, None);
        assert_ne!(other.attempts[0].leaf, other.attempts[1].leaf);

        let reached = merged(seen("own", None, None), seen("rustls", Some(b"leaf"), Some(true)));
        assert_eq!((reached.outcome, reached.leaf.is_some()), (Outcome::Certificate, true));
        let refused = merged(seen("own", Some(b"leaf"), Some(true)), seen("rustls", None, None));
        assert_eq!(refused.outcome, Outcome::Certificate);
        assert_eq!(clients(&refused), ["own", "rustls"]);
    }
}
