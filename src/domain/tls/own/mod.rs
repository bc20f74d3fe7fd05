//! Our own TLS client: it asks for a certificate and reads it, from SSL 3.0 to TLS 1.3.
//!
//! It exists because a general-purpose stack refuses most of what a hunt meets: TLS 1.0 and 1.1, RSA and
//! finite-field key exchange, old ciphers, odd groups. One ClientHello offers all of them. Up to TLS 1.2
//! the Certificate message is read in the clear, and in TLS 1.2 the server's signed key exchange after it proves
//! the key; in TLS 1.3 both are decrypted.
//!
//! In TLS 1.3 the key shares are the base points of their groups, so that the shared secret is the server's
//! own share and no Diffie-Hellman has to be computed (`groups`). Such a connection keeps nothing
//! secret, by construction, and nothing is ever sent over it. A server's proof is as good as ever: it signs
//! a transcript with our fresh random in it.
//!
//! The probe ends once it has what it wants, which the server sees as an abandoned handshake. Only with RSA key
//! exchange, where nothing else proves the key, can it be completed (`finish`).

mod codepoints;
mod finish;
mod groups;
mod handshake;
mod hello;
mod messages;
mod prf;
mod records;
mod schedule;

use handshake::{Handshake, Step};
use records::{Records, Trouble};

use super::sniff::{Intake, Taken};
use super::{Client, End, Entropy, Limits, Moment, Offer, Verdict, told};
use crate::domain::observation::{Evidence, TlsFacts};
use crate::domain::outcome::Outcome;

/// How far the client goes before it ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The leaf: the first certificate, as soon as its last byte is there.
    Leaf,
    /// The server's signature over this handshake, where it sends one with the leaf.
    Proof,
    /// As [`Goal::Proof`]; where the key exchange is RSA and there is no signature, the end of the handshake.
    Finish,
}

/// Offers everything from SSL 3.0 to TLS 1.3 in one ClientHello.
pub struct OwnOffer {
    limits: Limits,
    goal: Goal,
}

impl OwnOffer {
    /// An offer whose clients keep `limits` and go as far as `goal`.
    pub const fn new(limits: Limits, goal: Goal) -> Self {
        Self { limits, goal }
    }
}

impl Offer for OwnOffer {
    fn client(&self) -> &'static str {
        "own"
    }

    fn offer(&self) -> &'static str {
        match self.goal {
            Goal::Leaf | Goal::Proof => "universal",
            Goal::Finish => "universal-finish",
        }
    }

    fn start(&self, now: Moment, entropy: Entropy) -> Box<dyn Client> {
        Box::new(OwnClient::new(self.limits, self.goal, now, entropy))
    }
}

/// One connection of ours behind the [`Client`] trait.
pub struct OwnClient {
    deadline: Moment,
    out: Vec<u8>,
    intake: Intake,
    records: Records,
    handshake: Handshake,
    leaf: Option<Moment>,
    verdict: Option<Verdict>,
    concluded: bool,
}

impl OwnClient {
    fn new(limits: Limits, goal: Goal, now: Moment, entropy: Entropy) -> Self {
        let (handshake, out) = Handshake::start(goal, limits, entropy);
        Self {
            deadline: now + limits.handshake,
            out,
            intake: Intake::new(limits.bytes_in_max),
            records: Records::default(),
            handshake,
            leaf: None,
            verdict: None,
            concluded: false,
        }
    }

    fn read(&mut self, now: Moment, bytes: &[u8]) {
        self.records.push(bytes);
        while !self.concluded {
            let step = match self.records.next() {
                Ok(None) => return self.note_leaf(now),
                Ok(Some(record)) => self.handshake.handle_record(&record, &mut self.out),
                Err(trouble) => Err(trouble),
            };
            self.note_leaf(now);
            match step {
                Ok(Step::More) => {}
                Ok(Step::Done) => self.conclude(None),
                Ok(Step::Alert(alert)) => self.conclude(Some(Outcome::Alert(alert))),
                Err(Trouble::Malformed) => self.conclude(Some(Outcome::Malformed)),
                Err(Trouble::TooLarge) => self.conclude(Some(Outcome::TooLarge)),
            }
        }
    }

    fn note_leaf(&mut self, now: Moment) {
        if self.leaf.is_none() && self.handshake.has_leaf() {
            self.leaf = Some(now);
        }
    }

    /// Sets the verdict: `failure` is how the connection ended before its goal, if it did.
    fn conclude(&mut self, failure: Option<Outcome>) {
        if std::mem::replace(&mut self.concluded, true) {
            return;
        }
        let certificates = self.handshake.take_certificates();
        let presented = !certificates.is_empty();
        let evidence = Evidence {
            presented,
            key_proven: self.handshake.key_proven(),
            handshake_finished: self.handshake.is_finished(),
        };
        let (outcome, ended) = told(failure, presented);
        self.verdict = Some(Verdict {
            outcome,
            ended,
            certificates,
            tls: self.facts(),
            evidence,
            first_byte: self.intake.first_byte(),
            leaf: self.leaf,
        });
    }

    fn facts(&self) -> Option<TlsFacts> {
        let (version, suite) = self.handshake.chosen()?;
        Some(TlsFacts {
            version: codepoints::version_name(version)?,
            cipher_suite: codepoints::suite_name(suite),
        })
    }
}

impl Client for OwnClient {
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]) {
        if self.concluded {
            return;
        }
        match self.intake.take(now, bytes) {
            Taken::Nothing => {}
            Taken::Tls(bytes) => self.read(now, &bytes),
            Taken::Over(outcome) => self.conclude(Some(outcome)),
        }
    }

    fn handle_end(&mut self, _now: Moment, end: End) {
        self.conclude(Some(self.intake.ended(end)));
    }

    fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let wants = !self.out.is_empty();
        out.append(&mut self.out);
        wants
    }

    fn deadline(&self) -> Moment {
        self.deadline
    }

    fn verdict(&mut self) -> Option<Verdict> {
        self.verdict.take()
    }
}

#[cfg(test)]
mod tests;
