//! Records that lie, are empty, or never end.

use super::messages::{
    APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, certificate, handshake, hello12, hello13,
    message, record, record_of, records,
};
use super::{MALFORMED, STALLED, Script, Step, TOO_LARGE, answer, answering, leaf, leaf_then};
use crate::domain::outcome::Outcome;

const BROKEN: super::Expected = MALFORMED.in_version("1.2");

/// A ServerHello and a Certificate message with the leaf.
fn flight(certificates: &super::Certificates) -> Vec<u8> {
    [hello12(), certificate(&[leaf(certificates)])].concat()
}

pub(super) static SCRIPTS: [Script; 20] = [
    Script {
        name: "one_byte_records",
        about: "puts every byte of its flight into a record of its own, which is allowed",
        own: leaf_then(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| answer(records(1, &flight(lab))),
    },
    Script {
        name: "odd_record_versions",
        about: "calls its records SSL 3.0, TLS 1.0 and what does not exist; nobody may look at it",
        own: leaf_then(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| {
            answer(
                [
                    record_of(HANDSHAKE, 0x0300, &hello12()),
                    record_of(HANDSHAKE, 0x03ff, &certificate(&[leaf(lab)])),
                ]
                .concat(),
            )
        },
    },
    Script {
        name: "empty_records",
        about: "sends 10,000 handshake records of no content",
        own: MALFORMED,
        full: None,
        steps: |_| {
            let bytes = record(HANDSHAKE, &[]);
            answering([Step::Repeat { bytes, count: 10_000 }, Step::Close])
        },
    },
    Script {
        name: "empty_record_then_leaf",
        about: "sends one handshake record of no content before a good flight",
        own: leaf_then(Outcome::Stalled),
        full: Some(MALFORMED),
        steps: |lab| answer([record(HANDSHAKE, &[]), handshake(&flight(lab))].concat()),
    },
    Script {
        name: "endless_records",
        about: "sends application data without end instead of a ServerHello",
        own: MALFORMED,
        full: None,
        steps: |_| {
            let bytes = record(APPLICATION_DATA, &[0x5a; 1 << 14]);
            answering([Step::Repeat { bytes, count: 32 }, Step::Close])
        },
    },
    Script {
        name: "application_data_in_the_clear",
        about: "TLS 1.2: sends application data where its certificate belongs",
        own: BROKEN,
        full: None,
        steps: |_| answer([handshake(&hello12()), record(APPLICATION_DATA, b"hi")].concat()),
    },
    Script {
        name: "record_of_65535",
        about: "sends a record that says 65,535 bytes",
        own: MALFORMED,
        full: Some(TOO_LARGE),
        steps: |_| answer(vec![HANDSHAKE, 3, 3, 0xff, 0xff, 2, 0, 0]),
    },
    Script {
        name: "record_of_16385",
        about: "puts one byte more into a record than is allowed in the clear; a leaf is a leaf",
        own: leaf_then(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| {
            let chain = vec![leaf(lab); 60];
            let messages = certificate(&chain);
            let long = messages.get(..(1 << 14) + 1).unwrap_or_default();
            answer([handshake(&hello12()), record(HANDSHAKE, long)].concat())
        },
    },
    Script {
        name: "record_of_another_type",
        about: "sends a record of type 24, a heartbeat",
        own: MALFORMED,
        full: None,
        steps: |_| answer(record(24, &[1, 0, 1, 0])),
    },
    Script {
        name: "record_of_another_major",
        about: "sends a good ServerHello, and its certificate in a record of version 4.0",
        own: BROKEN,
        full: None,
        steps: |lab| {
            let second = record_of(HANDSHAKE, 0x0400, &certificate(&[leaf(lab)]));
            answer([handshake(&hello12()), second].concat())
        },
    },
    Script {
        name: "record_cut",
        about: "closes in the middle of the record that has its certificate",
        own: STALLED.in_version("1.2"),
        full: None,
        steps: |lab| {
            let second = handshake(&certificate(&[leaf(lab)]));
            let cut = second.get(..second.len() - 1).unwrap_or_default();
            answer([handshake(&hello12()), cut.to_vec()].concat())
        },
    },
    Script {
        name: "interleaved",
        about: "sends a ChangeCipherSpec between two halves of its ServerHello; a leaf is a leaf",
        own: leaf_then(Outcome::Stalled),
        full: Some(MALFORMED),
        steps: |lab| {
            let hello = hello12();
            let (first, second) = hello.split_at(20);
            answer(
                [
                    record(HANDSHAKE, first),
                    record(CHANGE_CIPHER_SPEC, &[1]),
                    record(HANDSHAKE, second),
                    handshake(&certificate(&[leaf(lab)])),
                ]
                .concat(),
            )
        },
    },
    Script {
        name: "change_cipher_spec_first",
        about: "sends a ChangeCipherSpec before its ServerHello, which TLS 1.3 lets pass",
        own: leaf_then(Outcome::Stalled),
        full: Some(MALFORMED),
        steps: |lab| answer([record(CHANGE_CIPHER_SPEC, &[1]), handshake(&flight(lab))].concat()),
    },
    Script {
        name: "change_cipher_spec_flood",
        about: "sends 10,000 ChangeCipherSpec messages",
        own: MALFORMED,
        full: None,
        steps: |_| {
            let bytes = record(CHANGE_CIPHER_SPEC, &[1]);
            answering([Step::Repeat { bytes, count: 10_000 }, Step::Close])
        },
    },
    Script {
        name: "change_cipher_spec_value",
        about: "sends a ChangeCipherSpec with the value two",
        own: MALFORMED,
        full: None,
        steps: |_| answer(record(CHANGE_CIPHER_SPEC, &[2])),
    },
    Script {
        name: "change_cipher_spec_length",
        about: "sends a ChangeCipherSpec of two bytes",
        own: MALFORMED,
        full: None,
        steps: |_| answer(record(CHANGE_CIPHER_SPEC, &[1, 1])),
    },
    Script {
        name: "change_cipher_spec_early",
        about: "TLS 1.2: sends a ChangeCipherSpec before any keys are agreed",
        own: leaf_then(Outcome::Malformed),
        full: Some(BROKEN),
        steps: |lab| answer([handshake(&flight(lab)), record(CHANGE_CIPHER_SPEC, &[1])].concat()),
    },
    Script {
        name: "hello_request_first",
        about: "TLS 1.2: asks for a new handshake before and within the first one",
        own: leaf_then(Outcome::Stalled),
        full: Some(MALFORMED),
        steps: |lab| {
            let request = message(0, &[]);
            let messages =
                [&request[..], &hello12(), &request, &certificate(&[leaf(lab)]), &request];
            answer(handshake(&messages.concat()))
        },
    },
    Script {
        name: "hello_request_flood",
        about: "sends HelloRequest without end",
        own: TOO_LARGE,
        full: Some(MALFORMED),
        steps: |_| {
            let bytes = record(HANDSHAKE, &message(0, &[]));
            answering([Step::Repeat { bytes, count: 40_000 }, Step::Close])
        },
    },
    Script {
        name: "garbage_for_ciphertext",
        about: "TLS 1.3: sends random bytes where encrypted records belong",
        own: MALFORMED.in_version("1.3"),
        full: None,
        steps: |_| {
            let later = record(APPLICATION_DATA, &[0x5a; 64]);
            answering([hello13().echoing_before(&[], &later), Step::Close])
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_lengths_that_their_scripts_are_about() {
        assert_eq!(records(1, &hello12()).len(), 42 * 6);
        assert_eq!(record(CHANGE_CIPHER_SPEC, &[1, 1]), [20, 3, 3, 0, 2, 1, 1]);
    }
}
