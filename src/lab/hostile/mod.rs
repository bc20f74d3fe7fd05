//! Servers that break the rules, each written down as data.
//!
//! A [`Script`] is what one server says and does on a connection, with the one outcome that a probe must come
//! to. The same script is played over loopback by a [`Range`](super::Range) and in memory by the tests, which
//! have no sockets and tell the clock themselves.
//!
//! Up to TLS 1.2 a server's flight is in the clear, so that scripts can show a real leaf and misbehave afterwards. What
//! TLS 1.3 encrypts is encrypted by `sealed`.

mod alerts;
mod banners;
mod certificates;
mod flights;
mod hellos;
pub(super) mod messages;
mod play;
mod records;
mod replays;
mod retries;
pub(super) mod sealed;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

pub(super) use play::play;
pub use sealed::Inner;

use super::certificates::{CertificateKind, Certificates};
use super::expected::Expected;
use crate::domain::outcome::{Alert, Outcome};

/// One server's way to behave, and what a probe must make of it.
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What our own client makes of it when it goes to the end of the handshake, as it does to confirm a match.
    pub own: Expected,
    /// What rustls alone makes of it, where that is something else.
    pub full: Option<Expected>,
    steps: fn(&Certificates) -> Vec<Step>,
}

impl Script {
    /// What the server does, in order; after the last step it closes.
    pub fn steps(&self, certificates: &Certificates) -> Vec<Step> {
        (self.steps)(certificates)
    }

    /// What rustls makes of it.
    pub const fn expected_of_rustls(&self) -> Expected {
        match self.full {
            Some(full) => full,
            None => self.own,
        }
    }

    /// What our own client makes of it when it stops at the certificate, as `--handshake leaf` has it.
    pub fn expected_of_leaf(&self) -> Expected {
        let is_never_whole = NEVER_WHOLE.contains(&self.name);
        let ended = self.own.ended.filter(|_| is_never_whole);
        Expected { ended, key_proven: None, ..self.own }
    }

    /// What a visit comes to that asks rustls first, and our own client where rustls sees no leaf and there is more to
    /// be had.
    pub fn expected_in_full(&self) -> Expected {
        let rustls = self.expected_of_rustls();
        match rustls.outcome {
            Outcome::Certificate | Outcome::NotTls(_) | Outcome::Closed | Outcome::Silent => rustls,
            _ => self.own,
        }
    }

    /// The same, of which rustls makes something else.
    const fn by_rustls(self, full: Expected) -> Self {
        Self { full: Some(full), ..self }
    }

    /// Whether it costs a probe the whole of its time.
    pub fn is_slow(&self) -> bool {
        SLOW.contains(&self.name)
    }
}

/// Scripts that end with the client's patience.
const SLOW: [&str; 3] = ["byte_a_second", "half_banner", "hold_after_leaf"];

/// Scripts that show a leaf in a Certificate message that never ends.
const NEVER_WHOLE: [&str; 3] = ["record_of_16385", "certificates_of_16_mib", "leaf_before_the_cut"];

/// Scripts are told apart by their names.
impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Script {}

impl PartialOrd for Script {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Script {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Script {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One thing that a server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reads records up to one of the handshake and keeps that, which has a whole ClientHello where the client is one
    /// of ours.
    Await,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends the same bytes again and again.
    Repeat {
        /// The bytes.
        bytes: Vec<u8>,
        /// How many times.
        count: usize,
    },
    /// Sends bytes one at a time.
    Drip {
        /// The bytes.
        bytes: Vec<u8>,
        /// What passes before each.
        every: Duration,
    },
    /// Sends bytes with the client's session identifier among them.
    Echo {
        /// What comes before it.
        before: Vec<u8>,
        /// What comes after it.
        after: Vec<u8>,
    },
    /// Sends a ServerHello of TLS 1.3 and encrypted records with any content after it.
    Sealed(Vec<Inner>),
    /// Ends its stream.
    Close,
    /// Resets the connection.
    Reset,
    /// Does nothing until the client closes.
    Hold,
}

impl Step {
    /// What is sent at once to the client whose last message was `hello`; nothing for what is no sending.
    pub fn bytes(&self, hello: &[u8]) -> Vec<u8> {
        match self {
            Self::Send(bytes) => bytes.clone(),
            Self::Echo { before, after } => {
                [before, sealed::session_of(hello).unwrap_or_default(), after].concat()
            }
            Self::Sealed(records) => sealed::flight(hello, records).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

/// Every script, those about the same thing together.
pub fn scripts() -> impl Iterator<Item = &'static Script> + Clone {
    let all = [
        &banners::SCRIPTS[..],
        &records::SCRIPTS,
        &alerts::SCRIPTS,
        &hellos::SCRIPTS,
        &retries::SCRIPTS,
        &certificates::SCRIPTS,
        &flights::SCRIPTS,
        &sealed::SCRIPTS,
        &replays::SCRIPTS,
    ];
    all.into_iter().flatten()
}

/// Waits for the ClientHello, then does `steps`.
fn answering<const N: usize>(steps: [Step; N]) -> Vec<Step> {
    [Step::Await].into_iter().chain(steps).collect()
}

/// Waits for the ClientHello, sends `bytes` and closes.
fn answer(bytes: Vec<u8>) -> Vec<Step> {
    answering([Step::Send(bytes), Step::Close])
}

const MALFORMED: Expected = Expected::without_leaf(Outcome::Malformed);
const TOO_LARGE: Expected = Expected::without_leaf(Outcome::TooLarge);
const STALLED: Expected = Expected::without_leaf(Outcome::Stalled);

const fn alerted(level: u8, description: u8) -> Expected {
    Expected::without_leaf(Outcome::Alert(Alert { level, description }))
}

/// The web server's P-256 leaf under TLS 1.2, then `ended`.
const fn leaf_then(ended: Outcome) -> Expected {
    Expected::presented(CertificateKind::P256, "1.2").ended(ended)
}

/// The web server's leaf, which most scripts show.
fn leaf(certificates: &Certificates) -> &[u8] {
    &certificates.leaf(CertificateKind::P256).der
}
