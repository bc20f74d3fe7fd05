//! HelloRetryRequest.

use super::servers::{P256, certificate13, encrypting, wish, with_p256};
use super::*;
use crate::domain::tls::own::exercise::encrypting::message;

/// A HelloRetryRequest with these extensions.
fn retry_request(extensions: &[u8]) -> Vec<u8> {
    let random = messages::RETRY_RANDOM;
    let versions = [0, 43, 0, 2, 3, 4];
    let length = ((versions.len() + extensions.len()) as u16).to_be_bytes();
    let head = [&[3, 3][..], &random, &[0, 0x13, 1, 0], &length].concat();
    let body = [&head[..], &versions, extensions].concat();
    let length = (body.len() as u32).to_be_bytes();
    handshake_record(0x0303, &[&[2], &length[1..], &body[..]].concat())
}

#[test]
fn a_retry_is_answered_once_and_with_what_it_asks_for() {
    let answer = |extensions: &[u8]| {
        let mut client = client(Goal::Finish);
        sent_by(client.as_mut());
        client.handle_bytes(NOW, &retry_request(extensions));
        let said = sent_by(client.as_mut());
        client.handle_bytes(NOW, &retry_request(extensions));
        (said, client.verdict().expect("a second request ends it").outcome)
    };
    let holds = |said: &[u8], part: &[u8]| said.windows(part.len()).any(|window| window == part);
    let (x448, cookie) = ([0, 51, 0, 2, 0, 30], [0, 44, 0, 5, 0, 3, 7, 8, 9]);
    let (said, then) = answer(&x448);
    assert!(holds(&said, &[0, 51, 0, 62, 0, 60, 0, 30, 0, 56, 5, 0]), "an X448 share");
    assert_eq!(then, Outcome::Malformed);
    let (said, _) = answer(&cookie);
    assert!(holds(&said, &cookie) && holds(&said, &[0, 29, 0, 32, 9, 0]), "shares stay");
    let (said, _) = answer(&[&cookie[..], &[0, 51, 0, 2, 0, 23]].concat());
    assert!(holds(&said, &cookie) && holds(&said, &[0, 51, 0, 71, 0, 69, 0, 23, 0, 65, 4]));
    for refused in [&[][..], &[0, 51, 0, 2, 0, 29], &[0, 51, 0, 2, 0, 26]] {
        let (said, outcome) = answer(refused);
        assert_eq!((said.len(), outcome), (0, Outcome::Malformed), "{refused:?}");
    }
    let giant = [&[0, 44, 0x90, 2, 0x90, 0][..], &[1; 0x9000]].concat();
    let mut client = client(Goal::Finish);
    sent_by(client.as_mut());
    let request = retry_request(&giant);
    // Longer than a record: spread over several.
    let spread: Vec<u8> =
        request[5..].chunks(9_000).flat_map(|part| handshake_record(0x0303, part)).collect();
    client.handle_bytes(NOW, &spread);
    assert_eq!(client.verdict().unwrap().outcome, Outcome::TooLarge);
}

/// What a server asked for in its retry is what it must go on with (RFC 8446, section 4.1.4).
#[test]
fn a_server_keeps_the_word_of_its_retry() {
    let x448 = [0, 51, 0, 2, 0, 30];
    let verdict_with = |suite: u16, group: u16, length: usize| {
        let said = [message(8, &[0, 0]), message(11, &certificate13(&P256.1))];
        let mut server = encrypting(0x1301, &said, with_p256);
        server.retry = x448.to_vec();
        server.then = Some((suite, group, vec![0x42; length]));
        converse(wish(Goal::Finish), &mut server, 7, usize::MAX, End::EndOfStream)
    };
    let kept = verdict_with(0x1301, 30, 56);
    assert_eq!((kept.outcome, kept.evidence.key_proven), (Outcome::Certificate, Some(true)));
    assert!(kept.evidence.handshake_finished);
    for (suite, group, length) in [(0x1301, 29, 32), (0x1303, 30, 56), (0x1301, 256, 256)] {
        let broken = verdict_with(suite, group, length);
        assert_eq!(broken.outcome, Outcome::Malformed, "{suite:04x} {group}");
    }
}
