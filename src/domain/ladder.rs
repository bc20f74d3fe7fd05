//! The attempts of a visit: which one is next, and what all of them together saw.
//!
//! The first attempt offers everything, and mostly is the only one. Another is made where it would tell more: the
//! server refused the offer, or the leaf matches an indicator and more can be proven of it, or names or kinds of
//! keys are to be asked for one by one. Every attempt needs its permits like any other connection.

use std::time::Duration;

use super::indicator::Tier;
use super::observation::{Evidence, Observation, TlsFacts};
use super::outcome::{Alert, Outcome};
use super::tls::own::{Goal, Hello};
use super::tls::{Ask, Asked, Request, ServerName};

/// How long to leave a server alone that accepted and closed without a byte. SoftEther does so at the 17th
/// connection within about a second, and serves again two seconds later.
pub const CLOSED_WAIT: Duration = Duration::from_secs(5);

/// unrecognized_name (RFC 6066, section 3): another offer changes nothing, a name would.
const UNRECOGNIZED_NAME: u8 = 112;

/// How far visits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// To the certificate; no handshake is completed.
    Leaf,
    /// To the certificate; where it matches at tier A, B or C, to the end of the handshake.
    Auto,
    /// To the end of every handshake.
    Full,
}

/// What a run asks its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How far visits go.
    pub depth: Depth,
    /// Names to ask every endpoint for, after it was asked for none.
    pub server_names: Vec<ServerName>,
    /// Whether to ask for each kind of key, in case a server holds several leaves.
    pub all_leaves: bool,
    /// Whether to greet whatever looks like SoftEther, once and without logging in, for its product and version.
    pub confirm_softether: bool,
}

impl Policy {
    /// Visits of one name, none, that go as far as `depth`.
    pub const fn new(depth: Depth) -> Self {
        Self { depth, server_names: Vec::new(), all_leaves: false, confirm_softether: false }
    }

    /// Connections that are made to one endpoint at most.
    pub const fn attempts_max(&self) -> usize {
        const LADDER: usize = 5;
        const KINDS: usize = 3;
        const REQUESTS: usize = 2;
        let names = 1 + self.server_names.len();
        names * (LADDER + if self.all_leaves { KINDS } else { 0 })
            + if self.confirm_softether { REQUESTS } else { 0 }
    }

    /// What the first attempt under any name asks.
    pub const fn first(&self) -> Asked {
        match self.depth {
            Depth::Leaf | Depth::Auto => Asked::Own(Hello::Universal, Goal::Leaf),
            Depth::Full => Asked::Rustls,
        }
    }

    /// What else to ask, after what `seen` tells of one name.
    fn further(&self, seen: &Observation) -> Option<(Asked, Duration)> {
        // What went further than it had to was tried as well.
        let untried = |asked: &Asked| {
            let same = [*asked, asked.to_the_end()];
            seen.attempts.iter().all(|attempt| !same.contains(&attempt.asked))
        };
        let tried_by_own = seen.attempts.iter().any(|attempt| attempt.asked.client() == "own");
        let now = |asked: Asked| (asked, Duration::ZERO);
        let goal = if self.depth == Depth::Full { Goal::Finish } else { Goal::Leaf };
        let own = |hello| Asked::Own(hello, goal);
        match seen.outcome {
            Outcome::Certificate => {
                let confirmations = self.confirmations(seen).into_iter().find(untried);
                confirmations.or_else(|| self.kinds(seen).into_iter().find(untried)).map(now)
            }
            Outcome::Alert(Alert { description: UNRECOGNIZED_NAME, .. }) => None,
            // rustls refuses more than our own client does, and shows no leaf before its signature.
            Outcome::Alert(_)
            | Outcome::Malformed
            | Outcome::TooLarge
            | Outcome::Reset
            | Outcome::Stalled
                if !tried_by_own =>
            {
                Some(now(own(Hello::Universal)))
            }
            Outcome::Alert(_) => {
                [own(Hello::Modern), own(Hello::Tls12)].into_iter().find(untried).map(now)
            }
            Outcome::Closed if seen.attempts.len() == 1 => {
                let hello = if tried_by_own { Hello::Modern } else { Hello::Universal };
                Some((own(hello), CLOSED_WAIT))
            }
            _ => None,
        }
    }

    /// What could complete the handshake that showed the leaf, if that is wanted.
    fn confirmations(&self, seen: &Observation) -> Vec<Asked> {
        let is_wanted = match self.depth {
            Depth::Leaf => false,
            Depth::Auto => seen.is_confirmed(),
            Depth::Full => true,
        };
        if !is_wanted || seen.evidence.handshake_finished {
            return Vec::new();
        }
        completing(seen)
    }

    /// Offers for each kind of key. They are few, and the leaf may match: they go to the end at once.
    fn kinds(&self, seen: &Observation) -> Vec<Asked> {
        let goal = if self.depth == Depth::Leaf { Goal::Leaf } else { Goal::Finish };
        let is_of = |kind: &[&str]| {
            let leaf = seen.leaf.as_ref().and_then(|leaf| leaf.description.key.as_deref());
            leaf.is_some_and(|key| kind.iter().any(|start| key.starts_with(start)))
        };
        if !self.all_leaves {
            return Vec::new();
        }
        [
            (Hello::Rsa, is_of(&["RSA"])),
            (Hello::Ecdsa, is_of(&["P-", "EC", "secp", "brainpool"])),
            (Hello::Eddsa, is_of(&["Ed"])),
        ]
        .into_iter()
        .filter(|(_, is_known)| !is_known)
        .map(|(hello, _)| Asked::Own(hello, goal))
        .collect()
    }
}

/// A visit to one target that is going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Visiting {
    /// The connection to be made next.
    pub ask: Ask,
    /// What counts so far, once a name is done with.
    summary: Option<Summary>,
    /// What is known of the name that is being asked for.
    current: Option<Observation>,
    /// Other leaves that were seen under that name.
    others: Vec<Observation>,
    names_left: Vec<ServerName>,
    /// What was to carry the request, under any name.
    carriers: Vec<Asked>,
    has_requested: bool,
}

/// What counts of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How it ended without a server name.
    pub outcome: Outcome,
    /// The closest match of any leaf under any name.
    pub closest: Option<Tier>,
}

/// Where a visit stands after an attempt, and what is to be told now: of a name that is done with one observation, and
/// one for each further leaf.
#[derive(Clone, Debug, PartialEq)]
pub enum Stand {
    /// Another connection would tell more.
    Again(Box<Visiting>, Vec<Observation>),
    /// All is said.
    Over(Summary, Vec<Observation>),
}

impl Visiting {
    /// A visit before its first attempt.
    pub fn new(policy: &Policy) -> Self {
        let mut names_left = policy.server_names.clone();
        names_left.reverse();
        Self {
            ask: first_ask(policy, None),
            summary: None,
            current: None,
            others: Vec::new(),
            names_left,
            carriers: Vec::new(),
            has_requested: false,
        }
    }

    /// Takes what the attempt saw that [`Visiting::ask`] called for.
    pub fn take(mut self, seen: Observation, policy: &Policy) -> Stand {
        self.carriers.extend(self.ask.request.map(|_| self.ask.asked));
        self.has_requested |= seen.attempts.iter().any(|attempt| attempt.request.is_some());
        let current = match self.current.take() {
            None => seen,
            Some(before) => {
                let (current, other) = merged(before, seen);
                self.others.extend(other.filter(|other| !self.knows(other)));
                current
            }
        };
        if let Some((asked, request)) = self.inquiry(&current, policy) {
            let after = Duration::ZERO;
            self.ask = Ask { asked, after, request: Some(request), ..self.ask };
            self.current = Some(current);
            return Stand::Again(Box::new(self), Vec::new());
        }
        if let Some((asked, after)) = policy.further(&current) {
            self.ask = Ask { asked, after, request: None, ..self.ask };
            self.current = Some(current);
            return Stand::Again(Box::new(self), Vec::new());
        }
        if !has_names(&current) {
            self.names_left.clear();
        }
        let (summary, told) = self.close(current);
        match self.names_left.pop() {
            None => Stand::Over(summary, told),
            Some(name) => {
                self.ask = first_ask(policy, Some(name));
                Stand::Again(Box::new(self), told)
            }
        }
    }

    /// The request, if it is due, and what can carry it: one that could complete the handshake, and has not failed to.
    ///
    /// Where a proof is due as well, this is the connection that would be made for it, so that one does for both.
    fn inquiry(&self, current: &Observation, policy: &Policy) -> Option<(Asked, Request)> {
        let is_due = policy.confirm_softether
            && !self.has_requested
            && current.outcome == Outcome::Certificate
            && self.others.iter().chain([current]).any(looks_like_softether);
        let has_failed = |asked: &Asked| {
            let mut attempts = current.attempts.iter();
            attempts.any(|made| made.asked == *asked && !made.evidence.handshake_finished)
        };
        completing(current)
            .into_iter()
            .find(|asked| is_due && !self.carriers.contains(asked) && !has_failed(asked))
            .map(|asked| (asked, Request::Softether(current.target)))
    }

    /// Ends the visit before its time: what it has seen and not told yet, and what counts of it if the target has
    /// shown its leaf and was to be asked for no more than a proof.
    ///
    /// An answer without a leaf is no news while another offer is due: it is neither told nor counts.
    pub fn break_off(mut self, policy: &Policy) -> (Option<Summary>, Vec<Observation>) {
        let has_more = !policy.server_names.is_empty() || policy.all_leaves;
        let wants_no_more = !has_more && self.ask.request.is_none();
        match self.current.take().filter(|current| current.outcome == Outcome::Certificate) {
            None => (None, Vec::new()),
            Some(current) => {
                let (summary, told) = self.close(current);
                (Some(summary).filter(|_| wants_no_more), told)
            }
        }
    }

    /// Whether an attempt has told something.
    pub const fn has_begun(&self) -> bool {
        self.current.is_some() || self.summary.is_some()
    }

    /// A name is done with, of which `current` is what is known.
    fn close(&mut self, current: Observation) -> (Summary, Vec<Observation>) {
        let outcome = self.summary.map_or(current.outcome, |before| before.outcome);
        let told: Vec<_> = std::iter::once(current).chain(self.others.drain(..)).collect();
        let matched = told.iter().filter_map(Observation::closest_tier);
        let before = self.summary.and_then(|before| before.closest);
        let summary = Summary { outcome, closest: matched.chain(before).min() };
        self.summary = Some(summary);
        (summary, told)
    }

    fn knows(&self, other: &Observation) -> bool {
        self.others.iter().any(|known| hash(known) == hash(other))
    }
}

/// The first connection under a name, or under none.
const fn first_ask(policy: &Policy, server_name: Option<ServerName>) -> Ask {
    Ask { asked: policy.first(), server_name, after: Duration::ZERO, request: None }
}

/// What could complete the handshake that `seen` tells of, the best first.
fn completing(seen: &Observation) -> Vec<Asked> {
    // The offer that showed the leaf: the server may have refused a wider one.
    let showed = seen.attempts.iter().rev().find_map(|attempt| match attempt.asked {
        Asked::Own(hello, _) if attempt.leaf.is_some() => Some(hello),
        _ => None,
    });
    let own = Asked::Own(showed.unwrap_or(Hello::Universal), Goal::Finish);
    if seen.tls.as_ref().is_none_or(is_modern) { vec![Asked::Rustls, own] } else { vec![own] }
}

/// Whether the leaf gives reason to ask: it has the structure of SoftEther's default, or a set asks for it.
fn looks_like_softether(seen: &Observation) -> bool {
    let is_default = seen.leaf.as_ref().is_some_and(|leaf| leaf.description.softether_default);
    is_default || !seen.matches.is_empty()
}

/// Whether rustls speaks what the server chose: TLS 1.3, or TLS 1.2 with ECDHE and authenticated encryption.
fn is_modern(tls: &TlsFacts) -> bool {
    let suite = &*tls.cipher_suite;
    let has_aead = ["_GCM_", "_POLY1305_"].iter().any(|part| suite.contains(part));
    match tls.version {
        "1.3" => has_aead,
        "1.2" => has_aead && suite.starts_with("TLS_ECDHE_"),
        _ => false,
    }
}

/// Whether the server could hide more behind names: it spoke TLS, or ended the connection where it may have missed
/// a name. Under a name, whether it is still there.
const fn has_names(seen: &Observation) -> bool {
    match seen.outcome {
        Outcome::Refused | Outcome::Unreachable | Outcome::ConnectTimeout => false,
        Outcome::NotTls(_) | Outcome::Silent => seen.server_name.is_some(),
        _ => true,
    }
}

/// Whether the server said something, be it no certificate.
const fn has_answered(seen: &Observation) -> bool {
    matches!(
        seen.outcome,
        Outcome::Alert(_)
            | Outcome::NotTls(_)
            | Outcome::Stalled
            | Outcome::Malformed
            | Outcome::TooLarge
            | Outcome::Reset
    )
}

/// Whether it said so to our own client, which follows more than rustls and so tells better why there is no leaf.
fn has_spoken(seen: &Observation) -> bool {
    has_answered(seen) && seen.attempts.iter().any(|attempt| attempt.asked != Asked::Rustls)
}

/// One observation of all attempts, and a second one if the later attempt showed another leaf.
///
/// What is said of the leaf is what a single connection showed: the one that proved most, and of equals the later one,
/// which went further. Without a leaf our own client's first answer counts, and any answer for more than none.
fn merged(first: Observation, mut second: Observation) -> (Observation, Option<Observation>) {
    let (time, mut attempts) = (first.time, first.attempts.clone());
    attempts.append(&mut second.attempts.clone());
    // Whichever leaf it came with, the endpoint said it, and it was asked once.
    let softether_server = first.softether_server.clone().or(second.softether_server.take());
    let (told, other) = match (hash(&first), hash(&second)) {
        (None, Some(_)) => (second, None),
        (Some(one), Some(other)) if one != other => {
            second.is_other_leaf = true;
            (first, Some(second))
        }
        (Some(_), Some(_)) if strength(second.evidence) >= strength(first.evidence) => {
            (second, None)
        }
        (None, None) if has_answered(&second) && !has_spoken(&first) => (second, None),
        _ => (first, None),
    };
    (Observation { time, attempts, softether_server, ..told }, other)
}

fn hash(seen: &Observation) -> Option<super::fingerprint::Sha256Fingerprint> {
    seen.leaf.as_ref().map(|leaf| leaf.sha256)
}

/// How much is known of the key, for comparing: a proof, a disproof, nothing; then whether the handshake was finished.
fn strength(evidence: Evidence) -> (u8, bool) {
    let known = match evidence.key_proven {
        Some(true) => 2,
        Some(false) => 1,
        None => 0,
    };
    (known, evidence.handshake_finished)
}

#[cfg(test)]
mod tests;
