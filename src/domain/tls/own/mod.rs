//! Our own TLS client: it asks for a certificate and reads it, from SSL 3.0 to TLS 1.3.
//!
//! It exists because a general-purpose stack refuses most of what a hunt meets: TLS 1.0 and 1.1, RSA and
//! finite-field key exchange, old ciphers, odd groups. One ClientHello offers all of them. Up to TLS 1.2
//! the Certificate message is read in the clear, and the server's signed key exchange after it proves
//! the key; in TLS 1.3 both are decrypted.
//!
//! The shares are the base points of their groups, so that the shared secret is the server's own share and no
//! Diffie-Hellman has to be computed (`groups`). Such a connection keeps nothing secret, by construction, and
//! nothing secret is ever sent over it: at most a request that anybody may read, and up to TLS 1.2 only. A server's
//! proof is as good as ever: it signs our fresh random.
//!
//! The probe ends with the certificates, which the server sees as an abandoned handshake and which proves nothing, or it
//! completes the handshake (`finish`, `encrypted`). With RSA key exchange nothing else proves the key.

mod aead;
mod cipher;
mod clear;
mod codepoints;
mod encrypted;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod exercise;
mod finish;
mod glance;
mod groups;
mod handshake;
mod hello;
mod messages;
mod prf;
mod protection;
mod records;
mod schedule;

use std::sync::Arc;

use codepoints::content;
use handshake::{Handshake, Step, Wish};
use records::{Record, Records, Trouble};

pub use glance::{Glance, Look};
pub use groups::StaticKeys;
pub use hello::Hello;
pub use messages::Chain;

pub(super) use codepoints::suite_name;

use super::request::Inquiry;
use super::sniff::{Intake, Taken};
use super::{Client, End, Entropy, Limits, Moment, Offer, Request, ServerName, Verdict, told};
use crate::domain::observation::{Evidence, TlsFacts};
use crate::domain::outcome::Outcome;

/// How far the client goes before it ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// The certificates: all of the message that has them, so that what is told of the chain does not hang on how the
    /// bytes came. A leaf whose message never ends is kept when the connection ends.
    Leaf,
    /// The end of the handshake, where the cipher is one that we speak.
    Finish,
}

/// Makes clients of our own.
pub struct OwnOffer(Wish);

impl OwnOffer {
    /// An offer of everything, whose clients keep `limits` and go as far as `goal`.
    pub const fn new(limits: Limits, goal: Goal) -> Self {
        let hello = Hello::Universal;
        Self(Wish { hello, goal, limits, server_name: None, keys: None, request: None })
    }

    /// The same with another ClientHello.
    #[must_use]
    pub fn with_hello(self, hello: Hello) -> Self {
        Self(Wish { hello, ..self.0 })
    }

    /// The same with a server name, or with none.
    #[must_use]
    pub fn with_server_name(self, server_name: Option<ServerName>) -> Self {
        Self(Wish { server_name, ..self.0 })
    }

    /// The same with a request to send once a handshake up to TLS 1.2 is finished, or with none.
    #[must_use]
    pub fn with_request(self, request: Option<Request>) -> Self {
        Self(Wish { request, ..self.0 })
    }

    /// The same with key shares of `keys` instead of base points.
    #[must_use]
    pub fn with_keys(self, keys: Arc<StaticKeys>) -> Self {
        Self(Wish { keys: Some(keys), ..self.0 })
    }
}

impl Offer for OwnOffer {
    fn start(&self, now: Moment, entropy: Entropy) -> Box<dyn Client> {
        Box::new(OwnClient::new(self.0.clone(), now, entropy))
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
    /// Once a request was sent.
    inquiry: Option<Inquiry>,
    verdict: Option<Verdict>,
    concluded: bool,
}

impl OwnClient {
    fn new(wish: Wish, now: Moment, entropy: Entropy) -> Self {
        let limits = wish.limits;
        let (handshake, out) = Handshake::start(wish, entropy);
        Self {
            deadline: now + limits.handshake,
            out,
            intake: Intake::new(limits.bytes_in_max),
            records: Records::default(),
            handshake,
            leaf: None,
            inquiry: None,
            verdict: None,
            concluded: false,
        }
    }

    fn read(&mut self, now: Moment, bytes: &[u8]) {
        self.records.push(bytes);
        while !self.concluded {
            let step = match self.records.next() {
                Ok(None) => return self.note_leaf(now),
                Ok(Some(record)) if self.inquiry.is_some() => Ok(self.hear(&record)),
                Ok(Some(record)) => self.handshake.handle_record(&record, &mut self.out),
                Err(trouble) => Err(trouble),
            };
            self.note_leaf(now);
            match step {
                Ok(Step::More) => {}
                Ok(Step::Done) if self.asks(now) => {}
                Ok(Step::Done) => self.conclude(None),
                Ok(Step::Alert(alert)) => self.conclude(Some(Outcome::Alert(alert))),
                Err(Trouble::Malformed) => self.conclude(Some(Outcome::Malformed)),
                Err(Trouble::TooLarge) => self.conclude(Some(Outcome::TooLarge)),
            }
        }
    }

    /// Sends the request, if there is one and it was not sent yet.
    fn asks(&mut self, now: Moment) -> bool {
        let Some(request) = self.handshake.session().request() else { return false };
        let Some(finished) = self.handshake.finished() else { return false };
        if self.inquiry.is_some() {
            return false;
        }
        let (inquiry, text) = Inquiry::begin(request, now, self.deadline);
        let Some(sealed) = finished.seal(content::APPLICATION_DATA, &text) else { return false };
        self.out.extend(sealed);
        self.inquiry = Some(inquiry);
        true
    }

    /// Takes a record of the answer.
    fn hear(&mut self, record: &Record) -> Step {
        let content = self.handshake.finished().and_then(|finished| finished.open(record));
        match (record.kind, content, &mut self.inquiry) {
            (content::APPLICATION_DATA, Some(content), Some(inquiry)) => {
                if inquiry.take(&content) {
                    Step::Done
                } else {
                    Step::More
                }
            }
            // The server wants another handshake, which it may be refused (RFC 5246, section 7.4.1.1).
            (content::HANDSHAKE, Some(_), _) => Step::More,
            _ => Step::Done,
        }
    }

    /// Says that nothing more will be said (RFC 5246, section 7.2.1).
    fn say_goodbye(&mut self) {
        let goodbye = self.handshake.finished().and_then(|finished| {
            finished.seal(content::ALERT, &[handshake::WARNING, handshake::CLOSE_NOTIFY])
        });
        self.out.extend(goodbye.into_iter().flatten());
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
        // Whatever ends an answer, the handshake was finished before.
        let failure = failure.filter(|_| self.inquiry.is_none());
        if self.inquiry.is_some() {
            self.say_goodbye();
        }
        let certificates = self.handshake.take_certificates();
        let session = self.handshake.session();
        let evidence = match certificates.is_empty() {
            true => Evidence::NONE,
            false => Evidence::of(session.proof, session.finished),
        };
        let (outcome, ended) = told(failure, evidence.presented);
        self.verdict = Some(Verdict {
            outcome,
            ended,
            certificates,
            tls: self.facts(),
            evidence,
            first_byte: self.intake.first_byte(),
            leaf: self.leaf,
            reply: self.inquiry.take().map(Inquiry::into_reply),
        });
    }

    fn facts(&self) -> Option<TlsFacts> {
        let (version, suite) = self.handshake.session().chosen?;
        facts(version, suite)
    }
}

/// What is told of a version and a suite.
fn facts(version: u16, suite: u16) -> Option<TlsFacts> {
    Some(TlsFacts {
        version: codepoints::version_name(version)?,
        cipher_suite: codepoints::suite_name(suite),
    })
}

impl Client for OwnClient {
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]) {
        if self.concluded {
            return;
        }
        match self.intake.take(now, bytes) {
            Taken::Nothing => {}
            Taken::Tls(bytes) => self.read(now, &bytes),
            Taken::Last(bytes) => {
                self.read(now, &bytes);
                self.conclude(Some(Outcome::TooLarge));
            }
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
        self.inquiry.as_ref().map_or(self.deadline, Inquiry::deadline)
    }

    fn verdict(&mut self) -> Option<Verdict> {
        self.verdict.take()
    }
}

#[cfg(test)]
mod tests;
