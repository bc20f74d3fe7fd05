//! The short way against the client: what a look tells, the client tells of the same bytes.

use super::conversation::{ENTROPY, NOW, Peer};
use crate::domain::observation::{Evidence, Unproven};
use crate::domain::outcome::Outcome;
use crate::domain::tls::own::{Glance, Look};
use crate::domain::tls::{Limits, Moment, Verdict};

/// What `peer` says to the hello of [`glance`].
pub(in super::super) fn first_flight(glance: &Glance, peer: &mut dyn Peer) -> Vec<u8> {
    peer.answer(glance.hello())
}

/// Whoever looks at the answers to clients of [`ENTROPY`]; nothing only if the library refuses a length.
pub(in super::super) fn glance(limits: Limits) -> Option<Glance> {
    Glance::new(limits, ENTROPY)
}

/// Looks at `stream` and holds what it tells against the word of the client, which gets all of it at once. Whether
/// the certificates were told.
pub(in super::super) fn agrees(glance: &Glance, stream: &[u8]) -> bool {
    let mut client = glance.client(Moment::ZERO);
    assert!(!client.poll_transmit(&mut Vec::new()), "its hello is said");
    client.handle_bytes(NOW, stream);
    let verdict = client.verdict();
    // What was there before does not matter.
    let mut scratch = vec![0x16; 9];
    match (glance.look(stream, &mut scratch), verdict) {
        (Look::Certificates { tls, chain }, verdict) => {
            let expected = Verdict {
                certificates: chain.map(<[u8]>::to_vec).collect(),
                tls: Some(tls),
                evidence: Evidence::of(Err(Unproven::NotReached), false),
                first_byte: Some(NOW),
                leaf: Some(NOW),
                ..Verdict::without_leaf(Outcome::Certificate)
            };
            assert_eq!(verdict, Some(expected));
            assert!(scratch.len() <= stream.len() + 9);
            true
        }
        (Look::More, verdict) => {
            assert_eq!(verdict, None, "the client waits as well");
            false
        }
        (Look::Unusual, _) => false,
    }
}
