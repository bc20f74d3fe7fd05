//! What servers of TLS 1.2 do wrong once they have shown their leaf.

use super::messages::{
    APPLICATION_DATA, FINISHED, HANDSHAKE, SERVER_KEY_EXCHANGE, certificate, handshake, hello12,
    message, record,
};
use super::{MALFORMED, Script, Step, TOO_LARGE, answering, leaf, leaf_then};
use crate::domain::outcome::Outcome;
use crate::lab::certificates::{CertificateKind, Certificates};
use crate::lab::expected::Expected;

/// A good flight up to the leaf, then `last`.
fn then(certificates: &Certificates, last: Step) -> Vec<Step> {
    let flight = handshake(&[hello12(), certificate(&[leaf(certificates)])].concat());
    answering([Step::Send(flight), last, Step::Close])
}

/// A message after the leaf that has no place there.
const fn misplaced(
    name: &'static str,
    about: &'static str,
    steps: fn(&Certificates) -> Vec<Step>,
) -> Script {
    let full = Some(MALFORMED.in_version("1.2"));
    Script { name, about, own: leaf_then(Outcome::Malformed), full, steps }
}

fn messages(messages: &[u8]) -> Step {
    Step::Send(handshake(messages))
}

pub(super) static SCRIPTS: [Script; 12] = [
    misplaced("hello_again", "TLS 1.2: sends a second ServerHello after the leaf", |lab| {
        then(lab, messages(&hello12()))
    }),
    misplaced("leaf_again", "TLS 1.2: sends a second Certificate message", |lab| {
        then(lab, messages(&certificate(&[leaf(lab)])))
    }),
    misplaced("finished_at_once", "TLS 1.2: sends Finished in the clear after the leaf", |lab| {
        then(lab, messages(&message(FINISHED, &[0x5a; 12])))
    }),
    misplaced("ticket_at_once", "TLS 1.2: sends a session ticket after the leaf", |lab| {
        then(lab, messages(&message(4, &[0, 0, 0, 9, 0, 1, 0x5a])))
    }),
    misplaced("unknown_message", "TLS 1.2: sends a message of an unknown type", |lab| {
        then(lab, messages(&message(99, b"hello")))
    }),
    misplaced("data_after_leaf", "TLS 1.2: sends application data after the leaf", |lab| {
        then(lab, Step::Send(record(APPLICATION_DATA, b"hello")))
    }),
    misplaced("http_after_leaf", "TLS 1.2: goes on in HTTP after the leaf", |lab| {
        then(lab, Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()))
    }),
    misplaced("unsigned_key_exchange", "TLS 1.2: leaves out its signed key exchange", |lab| {
        then(lab, messages(&message(14, &[])))
    }),
    Script {
        name: "key_exchange_never_whole",
        about: "TLS 1.2: says that its key exchange has 16 MiB",
        own: leaf_then(Outcome::TooLarge),
        full: Some(TOO_LARGE.in_version("1.2")),
        steps: |lab| {
            then(lab, Step::Send(record(HANDSHAKE, &[SERVER_KEY_EXCHANGE, 255, 255, 255])))
        },
    },
    Script {
        name: "renegotiation_flood",
        about: "TLS 1.2: asks for a new handshake without end after the leaf",
        own: leaf_then(Outcome::TooLarge),
        full: Some(MALFORMED.in_version("1.2")),
        steps: |lab| {
            let bytes = record(HANDSHAKE, &message(0, &[]));
            then(lab, Step::Repeat { bytes, count: 40_000 })
        },
    },
    Script {
        name: "reset_after_leaf",
        about: "TLS 1.2: resets the connection after the leaf",
        own: leaf_then(Outcome::Reset),
        full: Some(Expected::without_leaf(Outcome::Reset).in_version("1.2")),
        steps: |lab| then(lab, Step::Reset),
    },
    Script {
        name: "hold_after_leaf",
        about: "TLS 1.2: shows an indicator's leaf and says nothing more",
        own: Expected::presented(CertificateKind::IndicatorOne, "1.2").ended(Outcome::Stalled),
        full: Some(Expected::without_leaf(Outcome::Stalled).in_version("1.2")),
        steps: |lab| {
            let copied = &lab.leaf(CertificateKind::IndicatorOne).der;
            let flight = handshake(&[hello12(), certificate(&[copied])].concat());
            answering([Step::Send(flight), Step::Hold])
        },
    },
];
