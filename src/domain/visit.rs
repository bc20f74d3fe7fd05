//! From what a connection showed to an observation: hashing, describing, matching.

use super::address::Target;
use super::cert::Leaf;
use super::fingerprint::Sha256Fingerprint;
use super::indicator::Index;
use super::observation::{Attempt, Observation, Timing};
use super::outcome::Outcome;
use super::softether;
use super::time::Timestamp;
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
    /// The observation of a connection that ended with `verdict`; its leaf is looked up in `index`.
    pub fn observation(&self, verdict: Verdict, index: &Index) -> Observation {
        let mut certificates = verdict.certificates.into_iter();
        let leaf = certificates.next().map(Leaf::new);
        let since = |moment: Moment| moment.saturating_sub(self.began);
        Observation {
            time: self.time,
            target: self.target,
            server_name: self.ask.server_name.clone(),
            is_other_leaf: false,
            outcome: verdict.outcome,
            ended: verdict.ended,
            tls: verdict.tls,
            evidence: verdict.evidence,
            chain: certificates.map(|der| Sha256Fingerprint::of(&der)).collect(),
            matches: leaf.as_ref().map(|leaf| index.matches(leaf)).unwrap_or_default(),
            reported: index.reported(self.target.address),
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
                leaf: leaf.as_ref().map(|leaf| leaf.sha256),
                evidence: verdict.evidence,
                request: self.ask.request.filter(|_| verdict.reply.is_some()),
            }],
            leaf,
        }
    }

    /// The observation of a target that no connection came about with.
    pub fn without_connection(&self, outcome: Outcome, index: &Index) -> Observation {
        self.observation(Verdict::without_leaf(outcome), index)
    }
}
