//! The fuzz corpus, and seeds for it, through the functions that the fuzz targets call.

use super::servers::{
    P256, RSA, Recorded, Rustls, certificate, certificate13, compressed, rsa_flight, signed_flight,
    vector, wish, with_p256, with_rsa,
};
use super::*;
use crate::domain::corpus::replay;
use crate::domain::tls::own::exercise;
use crate::domain::tls::own::exercise::encrypting::message;

#[test]
fn corpus_of_records() {
    replay("records", exercise::records);
}

#[test]
fn corpus_of_messages() {
    replay("messages", exercise::messages);
}

#[test]
fn corpus_of_the_client() {
    replay("client", exercise::client);
}

#[test]
fn corpus_of_certificates() {
    replay("certificate", exercise::certificate);
}

/// What the client reads of servers that do as they should.
fn flights() -> Vec<Vec<u8>> {
    let whole = |server: &Arc<ServerConfig>| {
        let wish = wish(Goal::Finish);
        Recorded::of(&wish, &mut Rustls::new(server)).turns().concat()
    };
    let (_, leaf) = &*RSA;
    let hello = |version, suite| hello(version, suite);
    let in_record = |version, messages: &[Vec<u8>]| handshake_record(version, &messages.concat());
    vec![
        whole(&TLS13.0),
        whole(&TLS12.0),
        in_record(0x0300, &[hello(0x0300, 0x002f), rsa_flight(leaf)]),
        in_record(0x0301, &[hello(0x0301, 0x0033), signed_flight(0x0301, leaf, false, with_rsa)]),
        in_record(0x0303, &[hello(0x0303, 0xc02f), signed_flight(0x0303, leaf, true, with_rsa)]),
        vec![21, 3, 3, 0, 2, 1, 112, 21, 3, 3, 0, 2, 2, 40],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ]
}

/// Inputs of the client's target, by what they are.
fn client_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = flights()
        .into_iter()
        .flat_map(|flight| [0, 1].map(|goal| [&[0, 0, goal, 3, 0, 0], &flight[..]].concat()))
        .collect();
    let (_, leaf) = &*RSA;
    let extensions = message(8, &[0, 0]);
    let request = message(13, &[1, 9, 0, 0]);
    let plain = message(11, &certificate13(&P256.1));
    let packed = message(25, &compressed(&certificate13(&P256.1)));
    let verify = message(15, &with_p256(0x0304, b"something else"));
    for (suite, retry, said) in [
        (0, 0, [&extensions[..], &plain, &verify].concat()),
        (1, 1, [&extensions[..], &request, &packed, &verify].concat()),
        (2, 3, [&extensions[..], &packed, &verify].concat()),
        (4, 0, [&extensions[..], &plain].concat()),
    ] {
        // An X448 share where that is asked for; finished.
        let group = if retry == 1 { 3 } else { 0 };
        let choices = [1, 0, 0, 3, 0, 0, suite, group, retry, 0x42, 2, 0];
        seeds.push([&choices, &said[..]].concat());
    }
    let parts = [[&[0], &vector(1, &extensions)[..]].concat(), vec![1, 2, 2, 40]].concat();
    seeds.push([&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0x42, 1, 0], &parts[..]].concat());
    for (version, suite, flags, flight) in [
        (2, 0x002f_u16, 0, rsa_flight(leaf)),
        (0, 0x009c, 1, rsa_flight(leaf)),
        (0, 0x003d, 4, rsa_flight(leaf)),
        (1, 0x0035, 2, rsa_flight(leaf)),
        (0, 0xc0a0, 6, rsa_flight(leaf)),
        (0, 0xc02f, 1, signed_flight(0x0303, leaf, true, with_rsa)),
        (0, 0xcca8, 0, signed_flight(0x0303, leaf, true, with_rsa)),
        (2, 0x0033, 0, signed_flight(0x0301, leaf, false, with_rsa)),
        (0, 0x009e, 5, signed_flight(0x0303, leaf, false, with_rsa)),
    ] {
        let [high, low] = suite.to_be_bytes();
        let choices = [2, 0, 0, 3, 0, 0, version, high, low, flags, 1, 2, 2, 51];
        seeds.push([&choices, &flight[..]].concat());
    }
    seeds
}

fn message_seeds() -> Vec<Vec<u8>> {
    let (_, leaf) = &*RSA;
    let bodies = [
        certificate(leaf),
        signed_flight(0x0303, leaf, true, with_rsa),
        signed_flight(0x0301, leaf, false, with_rsa),
        hello(0x0303, 0xc02f),
        message(25, &compressed(&certificate13(leaf))),
        message(15, &with_rsa(0x0303, b"content")),
    ];
    // Whole messages, and bodies without their header.
    let with_choices = |rest: &[u8]| [&[3, 0], rest].concat();
    bodies.iter().flat_map(|body| [with_choices(body), with_choices(&body[4..])]).collect()
}

fn record_seeds() -> Vec<Vec<u8>> {
    flights().into_iter().map(|flight| [&[3], &flight[..]].concat()).collect()
}

fn certificate_seeds() -> Vec<Vec<u8>> {
    let content = b"handshake";
    let seed = |leaf: &[u8], signed: Vec<u8>| {
        // Scheme and signature stand before the leaf; the signature has an even number of octets here.
        let (scheme, signature) = (&signed[..2], &signed[4..]);
        let padded = [signature, &[0][..signature.len() % 2]].concat();
        [scheme, &[(padded.len() / 2) as u8], &padded, leaf].concat()
    };
    let (_, leaf) = &*RSA;
    let legacy = [&[0, 0], &with_rsa(0x0301, content)[..]].concat();
    vec![
        seed(leaf, with_rsa(0x0303, content)),
        seed(leaf, legacy),
        seed(&P256.1, with_p256(0x0303, content)),
        [&[8, 7, 0], &super::servers::softether()[..]].concat(),
    ]
}

#[test]
fn seeds_are_survived() {
    record_seeds().iter().for_each(|seed| exercise::records(seed));
    message_seeds().iter().for_each(|seed| exercise::messages(seed));
    client_seeds().iter().for_each(|seed| exercise::client(seed));
    certificate_seeds().iter().for_each(|seed| exercise::certificate(seed));
}
