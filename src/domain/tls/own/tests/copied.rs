//! Certificates in the hands of somebody who has not their key.

use super::servers::{
    certificate13, clear, encrypting, rsa_flight, signed_flight, softether, wish, with_nothing,
};
use super::*;
use crate::domain::tls::own::exercise::conversation::Peer;
use crate::domain::tls::own::exercise::encrypting::message;
use crate::domain::tls::own::exercise::finishing::Reply;

/// Servers that show a report's certificate, as anybody can, and say instead of a proof what they like.
///
/// Whoever signs with something else is told to be lying; whoever can sign nothing is not believed.
#[test]
fn a_replayed_certificate_is_presented_only_in_every_version() {
    let leaf = &softether();
    let guessed = || Reply::Raw(handshake_record(0x0303, &[0x5a; 64]));
    let rsa = |version, suite| -> Box<dyn Peer> {
        let mut server = clear(version, suite, rsa_flight(leaf));
        server.reply = guessed();
        Box::new(server)
    };
    let signed = |version, suite, is_elliptic| -> Box<dyn Peer> {
        let flight = signed_flight(version, leaf, is_elliptic, with_nothing);
        Box::new(clear(version, suite, flight))
    };
    let tls13 = || -> Box<dyn Peer> {
        let said = [message(8, &[0, 0]), message(11, &certificate13(leaf))];
        Box::new(encrypting(0x1301, &said, with_nothing))
    };
    let not = |reason| Evidence::of(Err(reason), false);
    let lie = |finished| Evidence::of(Ok(false), finished);
    let (unsigned, guess) = (not(Unproven::NoSignature), not(Unproven::NotFinished));
    type Case<'a> = (&'a str, &'a dyn Fn() -> Box<dyn Peer>, Evidence);
    let cases: [Case<'_>; 10] = [
        ("SSL3", &|| rsa(0x0300, 0x002f), unsigned),
        ("SSL3", &|| signed(0x0300, 0x0033, false), lie(false)),
        ("1.0", &|| rsa(0x0301, 0x002f), guess),
        ("1.0", &|| signed(0x0301, 0xc013, true), lie(true)),
        ("1.1", &|| rsa(0x0302, 0x0035), guess),
        ("1.1", &|| signed(0x0302, 0x0033, false), lie(true)),
        ("1.2", &|| rsa(0x0303, 0x009c), guess),
        ("1.2", &|| signed(0x0303, 0xc02f, true), lie(true)),
        ("1.2", &|| signed(0x0303, 0x009e, false), lie(true)),
        ("1.3", &tls13, lie(true)),
    ];
    for (version, server, with_finish) in cases {
        for (goal, evidence) in
            [(Goal::Leaf, not(Unproven::NotReached)), (Goal::Finish, with_finish)]
        {
            for chunk in [1, usize::MAX] {
                let mut server = server();
                let wish = wish(goal);
                let verdict = converse(wish, server.as_mut(), chunk, usize::MAX, End::EndOfStream);
                assert_eq!(verdict.certificates, std::slice::from_ref(leaf), "{version} {goal:?}");
                assert_eq!(verdict.tls.unwrap().version, version);
                assert_eq!(verdict.outcome, Outcome::Certificate, "{version} {goal:?}");
                assert!(verdict.evidence.presented);
                assert_ne!(verdict.evidence.key_proven, Some(true), "{version} {goal:?}");
                assert_eq!(verdict.evidence, evidence, "{version} {goal:?}");
            }
        }
    }
}

#[test]
fn a_copied_certificate_is_presented_and_never_proven() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let [shown, held] = [(); 2].map(|()| key_pair(&rcgen::PKCS_ECDSA_P256_SHA256));
        let (server, leaf) = server(version, &shown, &held);
        let verdict = verdict_of(&server, Goal::Finish, usize::MAX);
        assert_eq!(verdict.certificates[0], leaf);
        assert_eq!(verdict.evidence.key_proven, Some(false));
    }
}

/// A proof is of this connection: the same flight after another ClientHello proves nothing.
#[test]
fn a_replayed_flight_proves_nothing() {
    let mut recorded = Vec::new();
    let mut first = OwnOffer::new(Limits::default(), Goal::Finish).start(Moment::ZERO, [1; 112]);
    record_flight(first.as_mut(), &TLS12.0, &mut recorded);
    first.handle_end(NOW, End::EndOfStream);
    assert_eq!(first.verdict().unwrap().evidence.key_proven, Some(true));
    let mut second = OwnOffer::new(Limits::default(), Goal::Finish).start(Moment::ZERO, [2; 112]);
    sent_by(second.as_mut());
    second.handle_bytes(NOW, &recorded);
    second.handle_end(NOW, End::EndOfStream);
    let verdict = second.verdict().unwrap();
    assert_eq!(verdict.outcome, Outcome::Certificate);
    assert_eq!(verdict.evidence.key_proven, Some(false));
}

/// A flight with RSA key exchange that shows the leaf of SoftEther's default, whose key nobody holds any more.
fn copied_rsa_flight(suite: u16) -> Vec<u8> {
    handshake_record(0x0303, &[hello(0x0303, suite), rsa_flight(&softether())].concat())
}

/// Whoever shows a certificate without its key cannot finish, whatever it says instead.
#[test]
fn with_rsa_key_exchange_a_copied_certificate_is_never_proven() {
    let random = [[20, 3, 3, 0, 1, 1].to_vec(), handshake_record(0x0303, &[9; 64])].concat();
    let gcm = [[20, 3, 3, 0, 1, 1].to_vec(), handshake_record(0x0303, &[9; 40])].concat();
    let alert = vec![21, 3, 3, 0, 2, 2, 51];
    for suite in [0x002f, 0x0035, 0x003c, 0x003d, 0x009c, 0x009d, 0x000a, 0x0005, 0x0002, 0xc09c] {
        for (answer, ended) in [
            (&random, Outcome::Malformed),
            (&gcm, Outcome::Malformed),
            (&alert, Outcome::Alert(Alert { level: 2, description: 51 })),
            (&vec![], Outcome::Stalled),
        ] {
            let mut client = client(Goal::Finish);
            sent_by(client.as_mut());
            client.handle_bytes(NOW, &copied_rsa_flight(suite));
            assert!(sent_by(client.as_mut()).len() > 300, "the client finishes its part");
            client.handle_bytes(NOW, answer);
            client.handle_end(NOW, End::EndOfStream);
            let verdict = client.verdict().unwrap();
            assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, Some(ended)));
            let presented = Evidence::of(Err(Unproven::NotFinished), false);
            assert_eq!(verdict.evidence, presented, "{suite:04x}");
        }
    }
}

#[test]
fn what_cannot_be_finished_ends_with_the_certificate() {
    for (goal, suite, reason) in [
        (Goal::Finish, 0x0041, Unproven::Cipher),
        (Goal::Finish, 0xc031, Unproven::NoSignature),
        (Goal::Leaf, 0x002f, Unproven::NotReached),
    ] {
        let mut client = client(goal);
        sent_by(client.as_mut());
        client.handle_bytes(NOW, &copied_rsa_flight(suite));
        assert_eq!(sent_by(client.as_mut()), [0; 0]);
        let verdict = client.verdict().unwrap();
        assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, None));
        assert_eq!(verdict.evidence, Evidence::of(Err(reason), false));
    }
}
