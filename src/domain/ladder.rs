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
    /// Another connection would tell more: [`Visiting::ask`] says which.
    Again(Vec<Observation>),
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
    ///
    /// What was seen stays in the visit until it is told: if this panics, [`Visiting::break_off`] still tells it.
    pub fn take(&mut self, seen: Observation, policy: &Policy) -> Stand {
        self.carriers.extend(self.ask.request.map(|_| self.ask.asked));
        self.has_requested |= seen.attempts.iter().any(|attempt| attempt.request.is_some());
        let outcome = self.add(seen);
        #[cfg(test)]
        tests::spring_the_trap();
        if let Some((asked, after, request)) = self.next_under_this_name(policy) {
            (self.ask.asked, self.ask.after, self.ask.request) = (asked, after, request);
            return Stand::Again(Vec::new());
        }
        if !self.current.as_ref().is_some_and(has_names) {
            self.names_left.clear();
        }
        let (summary, told) = self.close(outcome);
        match self.names_left.pop() {
            None => Stand::Over(summary, told),
            Some(name) => {
                self.ask = first_ask(policy, Some(name));
                Stand::Again(told)
            }
        }
    }

    /// Adds what an attempt saw to what is known of its name; the outcome of all of that.
    fn add(&mut self, seen: Observation) -> Outcome {
        let Some(current) = &mut self.current else {
            return self.current.insert(seen).outcome;
        };
        let other = merge(current, seen);
        let outcome = current.outcome;
        let is_new =
            |other: &Observation| self.others.iter().all(|known| hash(known) != hash(other));
        if let Some(other) = other.filter(is_new) {
            self.others.push(other);
        }
        outcome
    }

    /// What else to ask under the name that is being asked for, how long after, and with which request.
    fn next_under_this_name(&self, policy: &Policy) -> Option<(Asked, Duration, Option<Request>)> {
        let current = self.current.as_ref()?;
        if let Some((asked, request)) = self.inquiry(current, policy) {
            return Some((asked, Duration::ZERO, Some(request)));
        }
        policy.further(current).map(|(asked, after)| (asked, after, None))
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
        match &self.current {
            Some(current) if current.outcome == Outcome::Certificate => {
                let (summary, told) = self.close(Outcome::Certificate);
                (Some(summary).filter(|_| wants_no_more), told)
            }
            _ => (None, Vec::new()),
        }
    }

    /// Whether an attempt has told something.
    pub const fn has_begun(&self) -> bool {
        self.current.is_some() || self.summary.is_some()
    }

    /// A name is done with, under which the `outcome` was this.
    fn close(&mut self, outcome: Outcome) -> (Summary, Vec<Observation>) {
        let seen = self.current.iter().chain(&self.others);
        let before = self.summary.and_then(|before| before.closest);
        let closest = seen.filter_map(Observation::closest_tier).chain(before).min();
        let outcome = self.summary.map_or(outcome, |before| before.outcome);
        let summary = Summary { outcome, closest };
        self.summary = Some(summary);
        (summary, self.current.take().into_iter().chain(self.others.drain(..)).collect())
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

/// Makes of `told` one observation of all attempts, and returns `seen` if it showed another leaf.
///
/// What is said of the leaf is what a single connection showed: the one that proved most, and of equals the later one,
/// which went further. Without a leaf our own client's first answer counts, and any answer for more than none.
fn merge(told: &mut Observation, mut seen: Observation) -> Option<Observation> {
    let (before, now) = (hash(told), hash(&seen));
    let says_more = match (before, now) {
        (None, Some(_)) => true,
        (Some(_), Some(_)) => before == now && strength(seen.evidence) >= strength(told.evidence),
        (Some(_), None) => false,
        (None, None) => has_answered(&seen) && !has_spoken(told),
    };
    seen.is_other_leaf = before.is_some() && now.is_some() && before != now;
    told.attempts.extend_from_slice(&seen.attempts);
    // Whichever leaf it came with, the endpoint said it, and it was asked once.
    if told.softether_server.is_none() {
        told.softether_server = seen.softether_server.take();
    }
    if says_more {
        std::mem::swap(told, &mut seen);
        (told.time, told.attempts) = (seen.time, seen.attempts);
        told.softether_server = seen.softether_server;
        return None;
    }
    seen.is_other_leaf.then_some(seen)
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
pub(crate) mod tests;
