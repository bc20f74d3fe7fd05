//! One connection of the client with a server that a test thinks up, and what must hold of any.

use std::time::Duration;

use crate::domain::outcome::Outcome;
use crate::domain::tls::own::OwnClient;
use crate::domain::tls::own::handshake::Wish;
use crate::domain::tls::{Client, End, Entropy, Moment, Verdict};

/// The entropy of every such connection, so that what a server says can be computed beforehand.
pub(in super::super) const ENTROPY: Entropy = [7; 112];

/// The moment at which every byte comes.
pub(in super::super) const NOW: Moment = Duration::from_millis(5);

/// What the client sends on one connection at most: two hellos, one of them with the longest cookie, a share of
/// 64 KiB, and little else.
const SENT_MAX: usize = 128 * 1024;

/// A server.
pub(in super::super) trait Peer {
    /// What it says once the client `said` this; it is asked until it has nothing to say.
    fn answer(&mut self, said: &[u8]) -> Vec<u8>;
}

/// A server that says the same to everybody.
pub(in super::super) struct Script(Vec<u8>);

impl Script {
    pub(in super::super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Peer for Script {
    fn answer(&mut self, _said: &[u8]) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// The verdict on `peer`, which says what it says in pieces of `chunk` bytes, `cut` bytes at most, and then comes
/// to its `end`.
pub(in super::super) fn converse(
    wish: Wish,
    peer: &mut dyn Peer,
    chunk: usize,
    cut: usize,
    end: End,
) -> Verdict {
    let limits = wish.limits;
    let mut client = OwnClient::new(wish, Moment::ZERO, ENTROPY);
    let (mut left, mut sent, mut had_leaf, mut verdict) = (cut, 0, false, None);
    loop {
        let mut out = Vec::new();
        while client.poll_transmit(&mut out) {}
        sent += out.len();
        let mut flight = peer.answer(&out);
        flight.truncate(left);
        left -= flight.len();
        if flight.is_empty() {
            break;
        }
        for piece in flight.chunks(chunk) {
            client.handle_bytes(NOW, piece);
            had_leaf |= client.handshake.has_leaf();
            let kept = client.handshake.session().first_messages.len();
            assert!(kept <= limits.bytes_in_max + 2048, "{kept}: a ClientHello and what came");
            take(&mut client, &mut verdict);
        }
    }
    client.handle_end(NOW, end);
    take(&mut client, &mut verdict);
    client.handle_bytes(NOW, &[22, 3, 3, 0, 0]);
    client.handle_end(NOW, End::Reset);
    assert_eq!(client.verdict(), None, "the verdict was given");
    assert!(sent <= SENT_MAX, "{sent}");
    let verdict = verdict.unwrap_or_else(|| Verdict::without_leaf(Outcome::Unreachable));
    check(&verdict, had_leaf, limits.chain_len_max);
    verdict
}

/// Takes the client's verdict, if it gives one: the first.
fn take(client: &mut OwnClient, verdict: &mut Option<Verdict>) {
    if let Some(given) = client.verdict() {
        assert_eq!(verdict.replace(given), None, "one verdict");
    }
}

/// What holds of every verdict.
fn check(verdict: &Verdict, had_leaf: bool, chain_len_max: usize) {
    assert_ne!(verdict.outcome, Outcome::Unreachable, "a connection that has ended has a verdict");
    let is_shown = verdict.outcome == Outcome::Certificate;
    assert!(is_shown || !had_leaf, "a leaf that was seen is kept");
    assert_eq!(is_shown, verdict.certificates.first().is_some_and(|leaf| !leaf.is_empty()));
    assert_eq!(is_shown, verdict.leaf.is_some());
    assert_eq!(is_shown, verdict.evidence.presented);
    assert!(is_shown || verdict.evidence.key_proven.is_none());
    assert!(is_shown || verdict.ended.is_none());
    assert!(!verdict.evidence.handshake_finished || verdict.ended.is_none());
    assert!(verdict.certificates.len() <= chain_len_max);
    assert!(verdict.tls.is_some() || !is_shown);
}
