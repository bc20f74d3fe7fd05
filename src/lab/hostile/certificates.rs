//! Certificate messages that lie about lengths, and certificates that are too many, too long or none.

use super::messages::{
    CERTIFICATE, certificate, handshake, hello12, lying_message, message, vector,
};
use super::{MALFORMED, STALLED, Script, TOO_LARGE, answer, answering, leaf, leaf_then};
use crate::domain::outcome::Outcome;
use crate::lab::certificates::CertificateKind;
use crate::lab::expected::Expected;

const BROKEN: Expected = MALFORMED.in_version("1.2");

/// A ServerHello of TLS 1.2, then `messages`, then the end of the stream.
fn after_hello(messages: Vec<u8>) -> Vec<super::Step> {
    answer([handshake(&hello12()), handshake(&messages)].concat())
}

/// A Certificate message with this content.
fn with_body(body: &[u8]) -> Vec<super::Step> {
    after_hello(message(CERTIFICATE, body))
}

/// The leaf behind its length.
fn entry(certificates: &super::Certificates) -> Vec<u8> {
    vector(3, leaf(certificates))
}

/// A length of three bytes.
fn length(of: usize) -> Vec<u8> {
    lying_message(0, of, &[]).split_off(1)
}

pub(super) static SCRIPTS: [Script; 14] = [
    Script {
        name: "no_certificate",
        about: "sends a Certificate message with an empty list",
        own: BROKEN,
        full: Some(STALLED.in_version("1.2")),
        steps: |_| with_body(&[0, 0, 0]),
    },
    Script {
        name: "certificate_of_nothing",
        about: "sends a certificate of no bytes",
        own: BROKEN,
        full: Some(STALLED.in_version("1.2")),
        steps: |_| with_body(&[0, 0, 3, 0, 0, 0]),
    },
    Script {
        name: "certificate_message_empty",
        about: "sends a Certificate message of no content",
        own: BROKEN,
        full: None,
        steps: |_| with_body(&[]),
    },
    Script {
        name: "leaf_longer_than_list",
        about: "says that the leaf is longer than the list it is in",
        own: BROKEN,
        full: None,
        steps: |lab| {
            let entry = [length(leaf(lab).len() + 1), leaf(lab).to_vec()].concat();
            with_body(&vector(3, &entry))
        },
    },
    Script {
        name: "list_longer_than_message",
        about: "says that the list is longer than the message it is in",
        own: leaf_then(Outcome::Stalled),
        full: Some(BROKEN),
        steps: |lab| {
            let entry = entry(lab);
            with_body(&[length(entry.len() + 9), entry].concat())
        },
    },
    Script {
        name: "second_certificate_lies",
        about: "says that the certificate after the leaf is longer than the list",
        own: leaf_then(Outcome::Stalled),
        full: Some(BROKEN),
        steps: |lab| {
            let list = [entry(lab), length(99), vec![0x30; 9]].concat();
            with_body(&vector(3, &list))
        },
    },
    Script {
        name: "not_a_certificate",
        about: "sends 14 bytes of text as its certificate; they are hashed as what they are",
        own: Expected::presented(CertificateKind::Junk, "1.2").ended(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| after_hello(certificate(&[&lab.leaf(CertificateKind::Junk).der])),
    },
    Script {
        name: "huge_certificate",
        about: "shows a leaf of 48 KiB",
        own: Expected::presented(CertificateKind::Huge, "1.2").ended(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| after_hello(certificate(&[&lab.leaf(CertificateKind::Huge).der])),
    },
    Script {
        name: "hundred_certificates",
        about: "sends the leaf a hundred times in one list",
        own: leaf_then(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| after_hello(certificate(&[leaf(lab); 100])),
    },
    Script {
        name: "certificates_of_16_mib",
        about: "says that its Certificate message has 16 MiB, and closes after the leaf",
        own: leaf_then(Outcome::TooLarge),
        full: Some(TOO_LARGE.in_version("1.2")),
        steps: |lab| {
            let body = [length(0xff_fffc), entry(lab)].concat();
            after_hello(lying_message(CERTIFICATE, 0xff_ffff, &body))
        },
    },
    Script {
        name: "endless_junk_certificate",
        about: "sends a certificate of 16 MiB without an end",
        own: TOO_LARGE.in_version("1.2"),
        full: Some(TOO_LARGE),
        steps: |_| {
            let body = [length(0xff_fffc), length(0xff_fff9), vec![0x30; 1_000]].concat();
            let start =
                handshake(&[hello12(), lying_message(CERTIFICATE, 0xff_ffff, &body)].concat());
            let bytes = handshake(&[0x30; 1 << 14]);
            answering([
                super::Step::Send(start),
                super::Step::Repeat { bytes, count: 32 },
                super::Step::Close,
            ])
        },
    },
    Script {
        name: "leaf_before_the_cut",
        about: "closes when all of the leaf is sent and half of the next certificate",
        own: leaf_then(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| {
            let mut whole = certificate(&[leaf(lab); 2]);
            whole.truncate(whole.len() - leaf(lab).len() / 2);
            after_hello(whole)
        },
    },
    Script {
        name: "leaf_cut",
        about: "closes when all of the leaf is sent but its last byte",
        own: STALLED.in_version("1.2"),
        full: None,
        steps: |lab| {
            let mut whole = certificate(&[leaf(lab)]);
            whole.pop();
            after_hello(whole)
        },
    },
    Script {
        name: "certificate_first",
        about: "sends its certificate before its ServerHello",
        own: MALFORMED,
        full: None,
        steps: |lab| answer(handshake(&[certificate(&[leaf(lab)]), hello12()].concat())),
    },
];
