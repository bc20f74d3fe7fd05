//! Where the short way leads to the certificates, and where it does not.

use super::servers::{
    P256, RSA, certificate, certificate13, clear, encrypting, rsa_flight, signed_flight, vector,
    with_p256, with_rsa,
};
use super::*;
use crate::domain::tls::own::exercise::conversation::Peer;
use crate::domain::tls::own::exercise::encrypting::{EncryptingServer, message};
use crate::domain::tls::own::exercise::glancing::{agrees, first_flight, glance};

/// Whether the short way leads to the certificates of `peer`. It is cut after every byte as well.
fn is_seen(peer: &mut dyn Peer) -> bool {
    let glance = glance(Limits::default()).unwrap();
    let flight = first_flight(&glance, peer);
    (0..=flight.len()).fold(false, |_, cut| agrees(&glance, &flight[..cut]))
}

#[test]
fn the_hello_is_the_one_that_the_client_says() {
    let glance = glance(Limits::default()).unwrap();
    assert_eq!(sent_by(client(Goal::Leaf).as_mut()), glance.hello());
    assert_eq!(sent_by(glance.client(NOW).as_mut()), [0; 0]);
    assert_eq!(glance.client(NOW).deadline(), NOW + Limits::default().handshake);
}

#[test]
fn every_suite_and_share_of_tls13_is_seen() {
    let request = message(13, &[1, 9, 0, 0]);
    let said = [message(8, &[0, 0]), request, message(11, &certificate13(&P256.1))];
    for suite in [0x1301, 0x1302, 0x1303, 0x1304, 0x1305] {
        for (group, length) in [(29, 32), (23, 65), (24, 97)] {
            for (fragment, messages) in
                [(usize::MAX, &said[..]), (usize::MAX, &[said.concat()]), (90, &said)]
            {
                let said = messages.iter().map(|message| (22, message.clone())).collect();
                let mut server = EncryptingServer::new(suite, group, vec![4; length], said);
                server.fragment = fragment;
                assert!(is_seen(&mut server), "{suite:04x} {group} {fragment}");
            }
        }
    }
}

#[test]
fn every_version_and_exchange_in_the_clear_is_seen() {
    let leaf = &RSA.1;
    for version in [0x0300, 0x0301, 0x0302, 0x0303] {
        for (suite, flight) in [
            (0x002f, rsa_flight(leaf)),
            (0x0033, signed_flight(version, leaf, false, with_rsa)),
            (0xc013, signed_flight(version, leaf, true, with_rsa)),
        ] {
            for fragment in [1, 2, 60, 100, usize::MAX] {
                let mut server = clear(version, suite, flight.clone());
                server.fragment = fragment;
                assert!(is_seen(&mut server), "{version:04x} {suite:04x} {fragment}");
            }
            // Each message in a record of its own.
            let hello = handshake_record(version, &hello(version, suite));
            let records = [hello, handshake_record(version, &flight)].concat();
            assert!(agrees(&glance(Limits::default()).unwrap(), &records), "{version:04x}");
        }
    }
}

#[test]
fn a_chain_is_told_to_its_limit() {
    let chain_of = |count: usize| {
        let list: Vec<u8> = (0..count).flat_map(|number| vector(3, &[number as u8; 5])).collect();
        let shown = message(11, &vector(3, &list));
        handshake_record(0x0303, &[&hello(0x0303, 0xc02f)[..], &shown].concat())
    };
    let limits = Limits { chain_len_max: 3, ..Limits::default() };
    let glance = glance(limits).unwrap();
    for count in [1, 3, 4] {
        assert!(agrees(&glance, &chain_of(count)), "{count}");
        let (flight, mut scratch) = (chain_of(count), Vec::new());
        let Look::Certificates { tls, chain } = glance.look(&flight, &mut scratch) else {
            unreachable!("they are there")
        };
        assert_eq!(tls.cipher_suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!((tls.version, chain.count()), ("1.2", count.min(3)));
    }
    assert!(!agrees(&glance, &chain_of(0)));
}

/// What does not fit is for the client, which takes more, and so is what never ends.
#[test]
fn what_is_longer_than_a_look_is_unusual_at_once() {
    let glance = glance(Limits::default()).unwrap();
    let mut scratch = Vec::new();
    let mut is_unusual = |bytes: &[u8]| matches!(glance.look(bytes, &mut scratch), Look::Unusual);
    let start = |length: [u8; 3]| {
        let head = [&[11], &length[..]].concat();
        handshake_record(0x0303, &[&hello(0x0303, 0xc02f)[..], &head].concat())
    };
    assert!(is_unusual(&start([1, 0, 1])), "longer than is looked at");
    assert!(!is_unusual(&start([1, 0, 0])));
    let full = [start([0, 255, 255]), handshake_record(0x0303, &[7; 16_000]).repeat(5)].concat();
    assert!(!is_unusual(&full[..Glance::BYTES_MAX - 1]));
    assert!(is_unusual(&full[..Glance::BYTES_MAX]), "no more is looked at");
    assert!(is_unusual(&full), "more than is looked at");
    let narrow = Limits { bytes_in_max: 90, ..Limits::default() };
    let narrow = super::glance::glance(narrow).unwrap();
    let flight = [hello(0x0303, 0xc02f), certificate(&RSA.1)].concat();
    assert!(!agrees(&narrow, &handshake_record(0x0303, &flight)), "more than is taken");
}

/// Each of these has an answer by the client, and the look leaves it to that.
#[test]
fn what_breaks_the_pattern_is_for_the_client() {
    let glance = glance(Limits::default()).unwrap();
    let look = |bytes: &[u8]| {
        agrees(&glance, bytes);
        matches!(glance.look(bytes, &mut Vec::new()), Look::Unusual)
    };
    let in_record = |messages: &[u8]| handshake_record(0x0303, messages);
    let shown = certificate(&RSA.1);
    let hello = |version, suite| super::hello(version, suite);
    for (what, bytes) in [
        ("an alert", vec![21, 3, 3, 0, 2, 2, 40]),
        ("a warning first", vec![21, 3, 1, 0, 2, 1, 112, 22]),
        ("no TLS", b"SSH-2.0-OpenSSH_9.2p1".to_vec()),
        ("an empty record", in_record(&[])),
        ("a certificate first", in_record(&shown)),
        ("a suite that was not offered", in_record(&hello(0x0303, 0x0034))),
        ("a suite of another version", in_record(&hello(0x0303, 0x1301))),
        ("TLS 1.3 without a share", in_record(&hello(0x0304, 0x1301))),
        ("another message", in_record(&[hello(0x0303, 0xc02f), message(12, &[])].concat())),
        ("no certificates", in_record(&[hello(0x0303, 0xc02f), message(11, &[0, 0, 0])].concat())),
        ("a key exchange first", in_record(&[hello(0x0303, 0xc02f), message(14, &[])].concat())),
    ] {
        assert!(look(&bytes), "{what}");
    }
    for (what, said) in [
        ("an alert", vec![(21, vec![2, 80])]),
        ("application data", vec![(23, vec![1])]),
        ("a certificate that is packed", vec![(22, message(25, &[0; 9]))]),
        ("extensions twice", vec![(22, message(8, &[0, 0]).repeat(2))]),
        ("padding alone", vec![(0, vec![0; 9])]),
    ] {
        let mut server = encrypting(0x1301, &[], with_p256);
        (server.sign, server.finishes, server.said) = (None, false, said);
        let flight = first_flight(&glance, &mut server);
        assert!(look(&flight), "{what}");
    }
}
