//! Our own TLS client: it asks for a certificate and reads it, from SSL 3.0 to TLS 1.3.
//!
//! It exists because a general-purpose stack refuses most of what a hunt meets: TLS 1.0 and 1.1, RSA and
//! finite-field key exchange, old ciphers, odd groups. One ClientHello offers all of them. Up to TLS 1.2
//! the Certificate message is read in the clear, and the server's key exchange after it proves the key;
//! in TLS 1.3 both are decrypted.
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

use super::sniff::{AlertWatch, Beginning, beginning};
use super::{Client, End, Entropy, Limits, Moment, Offer, Verdict};
use crate::domain::observation::{Evidence, TlsFacts};
use crate::domain::outcome::{Alert, Outcome, Protocol};

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
    limits: Limits,
    deadline: Moment,
    out: Vec<u8>,
    /// Bytes that may yet turn out not to be TLS.
    unclear: Option<Vec<u8>>,
    alerts: AlertWatch,
    bytes_in: usize,
    records: Records,
    handshake: Handshake,
    first_byte: Option<Moment>,
    leaf: Option<Moment>,
    verdict: Option<Verdict>,
    concluded: bool,
}

impl OwnClient {
    fn new(limits: Limits, goal: Goal, now: Moment, entropy: Entropy) -> Self {
        let (handshake, out) = Handshake::start(goal, limits, entropy);
        Self {
            limits,
            deadline: now + limits.handshake,
            out,
            unclear: Some(Vec::new()),
            alerts: AlertWatch::default(),
            bytes_in: 0,
            records: Records::default(),
            handshake,
            first_byte: None,
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
        self.verdict = Some(Verdict {
            outcome: match failure {
                Some(failure) if !presented => failure,
                None if !presented => Outcome::Malformed,
                _ => Outcome::Certificate,
            },
            ended: failure.filter(|_| presented),
            certificates,
            tls: self.facts(),
            evidence,
            first_byte: self.first_byte,
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

    fn not_tls(&self) -> Option<Protocol> {
        let unclear = self.unclear.as_ref().filter(|bytes| !bytes.is_empty())?;
        (!matches!(unclear[..], [20..=24])).then(|| Protocol::recognise(unclear))
    }
}

impl Client for OwnClient {
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]) {
        if self.concluded || bytes.is_empty() {
            return;
        }
        self.first_byte.get_or_insert(now);
        self.bytes_in += bytes.len();
        if self.bytes_in > self.limits.bytes_in_max {
            return self.conclude(Some(Outcome::TooLarge));
        }
        self.alerts.push(bytes);
        let Some(mut first) = self.unclear.take() else { return self.read(now, bytes) };
        first.extend_from_slice(bytes);
        match beginning(&first) {
            Beginning::Unclear => self.unclear = Some(first),
            Beginning::Tls => self.read(now, &first),
            Beginning::NotTls(protocol) => self.conclude(Some(Outcome::NotTls(protocol))),
        }
    }

    fn handle_end(&mut self, _now: Moment, end: End) {
        let answered = self.first_byte.is_some();
        let unclear = self.not_tls().map(Outcome::NotTls);
        let alert: Option<Alert> = self.alerts.last();
        self.conclude(Some(match end {
            End::Reset => unclear.unwrap_or(Outcome::Reset),
            End::EndOfStream if !answered => Outcome::Closed,
            End::Deadline if !answered => Outcome::Silent,
            End::EndOfStream | End::Deadline => {
                unclear.or(alert.map(Outcome::Alert)).unwrap_or(Outcome::Stalled)
            }
        }));
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
