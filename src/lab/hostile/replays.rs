//! Servers that show an indicator's certificate without its key, in versions and key exchanges that the lab's
//! finished handshakes do not have: the leaf is presented, the key never proven.

use super::messages::{
    CHANGE_CIPHER_SPEC, DHE, ECDHE, HANDSHAKE, Hello, RSA, SERVER_KEY_EXCHANGE, certificate,
    handshake, made_up_key_exchange, message, record_of, vector,
};
use super::{Script, Step, answering};
use crate::domain::outcome::Outcome;
use crate::lab::certificates::{CertificateKind, Certificates};
use crate::lab::expected::Expected;

const DONE: [u8; 4] = [14, 0, 0, 0];

/// The leaf of the indicator with an RSA key.
const fn copied(version: &'static str) -> Expected {
    Expected::presented(CertificateKind::IndicatorTwo, version)
}

/// What rustls makes of suites and versions that it does not know.
const UNKNOWN: Expected = Expected::without_leaf(Outcome::Malformed);

fn rsa_leaf(certificates: &Certificates) -> &[u8] {
    &certificates.leaf(CertificateKind::IndicatorTwo).der
}

/// A flight of RSA key exchange, and an end of the handshake that is made up: the server cannot know the secret.
fn without_decrypting(version: u16, certificates: &Certificates) -> Vec<Step> {
    let messages =
        [Hello::old(version, RSA).message(), certificate(&[rsa_leaf(certificates)]), DONE.to_vec()];
    let end =
        [record_of(CHANGE_CIPHER_SPEC, version, &[1]), record_of(HANDSHAKE, version, &[0x5a; 64])];
    let flight = record_of(HANDSHAKE, version, &messages.concat());
    // ClientKeyExchange, and Finished after the ChangeCipherSpec.
    let turn = [Step::Send(flight), Step::Await, Step::Await];
    answering([]).into_iter().chain(turn).chain([Step::Send(end.concat()), Step::Close]).collect()
}

/// DHE parameters that are far too small, and 256 bytes that nobody signed, as TLS 1.0 and 1.1 send them.
fn unsigned_parameters() -> Vec<u8> {
    let numbers = [&[0x5b; 128][..], &[2], &[0x5a; 128]];
    let params: Vec<u8> = numbers.iter().flat_map(|number| vector(2, number)).collect();
    message(SERVER_KEY_EXCHANGE, &[params, vector(2, &[0x5a; 256])].concat())
}

pub(super) static SCRIPTS: [Script; 6] = [
    Script {
        name: "replay_rsa_12",
        about: "TLS 1.2 with RSA key exchange: an indicator's leaf, and a Finished that is made up",
        own: copied("1.2").ended(Outcome::Malformed),
        full: Some(UNKNOWN),
        steps: |lab| without_decrypting(0x0303, lab),
    },
    Script {
        name: "replay_rsa_11",
        about: "TLS 1.1 with RSA key exchange: an indicator's leaf, and a Finished that is made up",
        own: copied("1.1").ended(Outcome::Malformed),
        full: Some(UNKNOWN),
        steps: |lab| without_decrypting(0x0302, lab),
    },
    Script {
        name: "replay_rsa_10",
        about: "TLS 1.0 with RSA key exchange: an indicator's leaf, and a Finished that is made up",
        own: copied("1.0").ended(Outcome::Malformed),
        full: Some(UNKNOWN),
        steps: |lab| without_decrypting(0x0301, lab),
    },
    Script {
        name: "replay_dhe_10",
        about: "TLS 1.0 with DHE: an indicator's leaf, and a signature that is made up",
        own: Expected { key_proven: Some(false), ..copied("1.0").ended(Outcome::Stalled) },
        full: Some(UNKNOWN),
        steps: |lab| {
            let messages = [
                Hello::old(0x0301, DHE).message(),
                certificate(&[rsa_leaf(lab)]),
                unsigned_parameters(),
                DONE.to_vec(),
            ];
            let flight = record_of(HANDSHAKE, 0x0301, &messages.concat());
            answering([Step::Send(flight), Step::Close])
        },
    },
    Script {
        name: "replay_ecdhe_12",
        about: "TLS 1.2 with ECDHE: an indicator's leaf, and a signature that is made up",
        own: Expected {
            key_proven: Some(false),
            ..Expected::presented(CertificateKind::IndicatorOne, "1.2").ended(Outcome::Stalled)
        },
        full: Some(Expected::without_leaf(Outcome::Stalled).in_version("1.2")),
        steps: |lab| {
            let leaf = &lab.leaf(CertificateKind::IndicatorOne).der;
            let messages =
                [Hello::old(0x0303, ECDHE).message(), certificate(&[leaf]), made_up_key_exchange()];
            answering([Step::Send(handshake(&messages.concat())), Step::Close])
        },
    },
    Script {
        name: "replay_ssl_3",
        about: "SSL 3.0 with RSA key exchange: an indicator's leaf, and an alert for whoever goes on",
        own: copied("SSL3"),
        full: Some(UNKNOWN),
        steps: |lab| {
            let messages = [Hello::old(0x0300, RSA).message(), certificate(&[rsa_leaf(lab)])];
            let flight = record_of(HANDSHAKE, 0x0300, &messages.concat());
            let refusal = record_of(super::messages::ALERT, 0x0300, &[2, 40]);
            answering([Step::Send([flight, refusal].concat()), Step::Close])
        },
    },
];
