//! From what a connection showed to an observation: hashing, describing, matching.

use std::sync::Arc;

use super::address::Target;
use super::cert::Leaf;
use super::fingerprint::Sha256Fingerprint;
use super::observation::{Attempt, Evidence, Observation, Timing, TlsFacts, Unproven};
use super::outcome::Outcome;
use super::recogniser::Recogniser;
use super::softether;
use super::time::Timestamp;
use super::tls::own::Chain;
use super::tls::{Ask, Moment, Verdict};

/// One attempt, and what is known of it before its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// When it began, by the wall clock.
    pub time: Timestamp,
    /// The target.
    pub target: Target,
    /// When it began, by the run's clock.
    pub began: Moment,
    /// When the connection was accepted.
    pub connected: Option<Moment>,
    /// What the connection was made with.
    pub ask: &'a Ask,
}

impl Visit<'_> {
    /// The observation of a connection that ended with `verdict`.
    pub fn observation(&self, verdict: Verdict, recogniser: &mut Recogniser) -> Observation {
        let certificates = verdict.certificates.iter().map(Vec::as_slice);
        self.tell(&verdict, certificates, verdict.tls.clone(), recogniser)
    }

    /// The observation of a connection whose certificates a look told at `now`, and that began to answer at
    /// `first_byte`: what the client's verdict would have come to, without the copies of one.
    pub fn presented(
        &self,
        tls: TlsFacts,
        chain: Chain<'_>,
        [first_byte, now]: [Moment; 2],
        recogniser: &mut Recogniser,
    ) -> Observation {
        let verdict = Verdict {
            evidence: Evidence::of(Err(Unproven::NotReached), false),
            first_byte: Some(first_byte),
            leaf: Some(now),
            ..Verdict::without_leaf(Outcome::Certificate)
        };
        self.tell(&verdict, chain, Some(tls), recogniser)
    }

    /// What `verdict` says, but with these `certificates` and `tls`.
    fn tell<'c>(
        &self,
        verdict: &Verdict,
        mut certificates: impl Iterator<Item = &'c [u8]>,
        tls: Option<TlsFacts>,
        recogniser: &mut Recogniser,
    ) -> Observation {
        let recognised = certificates.next().map(|der| recogniser.recognise(der));
        let (leaf, matches) = recognised.map(|known| (known.leaf, known.matches)).unzip();
        let since = |moment: Moment| moment.saturating_sub(self.began);
        Observation {
            time: self.time,
            target: self.target,
            server_name: self.ask.server_name.clone(),
            is_other_leaf: false,
            outcome: verdict.outcome,
            ended: verdict.ended,
            tls,
            evidence: verdict.evidence,
            chain: certificates.map(Sha256Fingerprint::of).collect(),
            matches: matches.unwrap_or_default(),
            reported: recogniser.index().reported(self.target.address),
            softether_server: verdict.reply.as_deref().and_then(softether::server),
            timing: Timing {
                connect: self.connected.map(since),
                first_byte: verdict.first_byte.map(since),
                leaf: verdict.leaf.map(since),
            },
            attempts: vec![Attempt {
                time: self.time,
                asked: self.ask.asked,
                outcome: verdict.outcome,
                leaf: leaf.as_ref().map(|leaf: &Arc<Leaf>| leaf.sha256),
                evidence: verdict.evidence,
                request: self.ask.request.filter(|_| verdict.reply.is_some()),
            }],
            leaf,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::tls::own::{Glance, Goal, Hello, Look};
    use crate::domain::tls::{Asked, Limits};

    /// What a look tells is told as the client tells it.
    #[test]
    fn a_look_and_a_verdict_come_to_the_same_observation() {
        let [began, connected, first_byte, now] = [10, 12, 14, 17].map(Duration::from_millis);
        let body = [&[0, 0, 12, 0, 0, 4][..], b"leaf", &[0, 0, 2], b"ca"].concat();
        let hello = [&[3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0]].concat();
        let messages =
            [&[2, 0, 0, hello.len() as u8], &hello[..], &[11, 0, 0, body.len() as u8], &body]
                .concat();
        let flight = [&[22, 3, 3, 0, messages.len() as u8], &messages[..]].concat();
        let ask = Ask {
            asked: Asked::Own(Hello::Universal, Goal::Leaf),
            server_name: None,
            after: Duration::ZERO,
            request: None,
        };
        let visit = Visit {
            time: Timestamp::from_seconds(1),
            target: Target::new("127.0.0.1".parse().unwrap(), 443),
            began,
            connected: Some(connected),
            ask: &ask,
        };
        let glance = Glance::new(Limits::default(), [7; 112]).unwrap();
        let mut client = glance.client(connected);
        client.handle_bytes(first_byte, &flight[..9]);
        client.handle_bytes(now, &flight[9..]);
        let mut recogniser = Recogniser::new(Arc::default());
        let told = visit.observation(client.verdict().unwrap(), &mut recogniser);
        let mut scratch = Vec::new();
        let Look::Certificates { tls, chain } = glance.look(&flight, &mut scratch) else {
            unreachable!("the certificates are there")
        };
        assert_eq!(visit.presented(tls, chain, [first_byte, now], &mut recogniser), told);
        assert_eq!(told.leaf.unwrap().der, b"leaf");
        assert_eq!(told.chain, [Sha256Fingerprint::of(b"ca")]);
        assert_eq!(told.timing.leaf, Some(Duration::from_millis(7)));
    }
}
