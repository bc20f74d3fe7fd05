//! TLS clients without I/O.
//!
//! [`Client`] is the seam between what is said on a connection and who carries it: bytes and `now`
//! go in; bytes to send, a deadline and at last one [`Verdict`] come out. The engine drives any
//! client the same way; a client never learns what carries it.

mod ask;
pub mod own;
mod proof;
mod request;
mod rsa;
mod rustls_client;
mod sniff;

use std::time::Duration;

pub use super::server_name::ServerName;
pub use ask::{Ask, Asked, Clients, Offers};
pub use request::Request;
pub use rustls_client::{RustlsClient, RustlsOffer};

use super::observation::{Evidence, TlsFacts};
use super::outcome::Outcome;

/// A moment on the run's own monotonic clock: the time since the run began.
pub type Moment = Duration;

/// Bounds on one probe. Each is checked before memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time from the accepted connection to the end of the handshake.
    pub handshake: Duration,
    /// Bytes taken from the server.
    pub bytes_in_max: usize,
    /// Certificates kept of a chain, the leaf included.
    pub chain_len_max: usize,
}

impl Default for Limits {
    /// 5 s, 256 KiB, 32 certificates.
    fn default() -> Self {
        Self { handshake: Duration::from_secs(5), bytes_in_max: 256 * 1024, chain_len_max: 32 }
    }
}

/// How a connection ended under a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server closed its side (FIN).
    EndOfStream,
    /// The server reset the connection (RST), or the network broke it.
    Reset,
    /// The deadline that the client gave has passed.
    Deadline,
}

/// One TLS client on one connection.
///
/// The order of calls: after creation and after each `handle_*`, call [`Client::poll_transmit`] until
/// it gives `false` and send what it gave; then ask [`Client::verdict`]. While there is no verdict, wait
/// for bytes or for [`Client::deadline`], whichever is first. After `handle_end` there is a verdict. `now`
/// never goes back.
pub trait Client: Send {
    /// Takes bytes that the server sent.
    fn handle_bytes(&mut self, now: Moment, bytes: &[u8]);

    /// Takes the end of the connection.
    fn handle_end(&mut self, now: Moment, end: End);

    /// Appends bytes to send to `out`; `false` if there was nothing to send.
    fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool;

    /// When to call [`Client::handle_end`] with [`End::Deadline`] if nothing else has happened.
    fn deadline(&self) -> Moment;

    /// The result, once there is one; it is taken out, so ask once more and there is none.
    fn verdict(&mut self) -> Option<Verdict>;
}

/// Numbers that nobody can guess, new for each connection: the randoms of a ClientHello and the secret of an RSA
/// key exchange come from them.
pub type Entropy = [u8; 112];

/// Makes a client for each connection.
pub trait Offer: Send + Sync {
    /// A client for a connection that was accepted at `now`; `entropy` is for this one alone.
    fn start(&self, now: Moment, entropy: Entropy) -> Box<dyn Client>;
}

/// What one connection showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended: `certificate` as soon as a leaf was seen.
    pub outcome: Outcome,
    /// How it ended after the leaf, where it did not end well.
    pub ended: Option<Outcome>,
    /// The certificates in the server's order, leaf first, as the bytes received.
    pub certificates: Vec<Vec<u8>>,
    /// Version and suite, once chosen.
    pub tls: Option<TlsFacts>,
    /// How much was proven.
    pub evidence: Evidence,
    /// When the first byte arrived.
    pub first_byte: Option<Moment>,
    /// When the leaf was known.
    pub leaf: Option<Moment>,
    /// What came back on the request that was sent after the handshake; `None` where none was sent.
    pub reply: Option<Vec<u8>>,
}

/// How a connection that ended with `failure`, or that reached its end, is told: a leaf that was seen comes first.
fn told(failure: Option<Outcome>, presented: bool) -> (Outcome, Option<Outcome>) {
    match failure {
        _ if presented => (Outcome::Certificate, failure),
        Some(failure) => (failure, None),
        None => (Outcome::Malformed, None),
    }
}

impl Verdict {
    /// The verdict of a connection that showed nothing but `outcome`.
    pub const fn without_leaf(outcome: Outcome) -> Self {
        Self {
            outcome,
            ended: None,
            certificates: Vec::new(),
            tls: None,
            evidence: Evidence::NONE,
            first_byte: None,
            leaf: None,
            reply: None,
        }
    }
}

#[cfg(test)]
mod tests;
