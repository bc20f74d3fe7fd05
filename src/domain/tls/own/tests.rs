//! Our own client against rustls's server in the same thread, and against scripts of bytes.

use std::sync::Arc;

use rustls::ServerConfig;

use super::*;
use crate::domain::cert::public_key;
use crate::domain::observation::Unproven;
use crate::domain::outcome::{Alert, Outcome, Protocol};
use crate::domain::tls::tests::{NOW, TLS12, TLS13, honest, key_pair, sent_by, server, talk};

fn client(goal: Goal) -> Box<dyn Client> {
    OwnOffer::new(Limits::default(), goal).start(Moment::ZERO, [7; 112])
}

fn verdict_of(server: &Arc<ServerConfig>, goal: Goal, chunk: usize) -> Verdict {
    let mut client = client(goal);
    talk(client.as_mut(), server, chunk, usize::MAX);
    client.verdict().expect("the goal is reached")
}

#[test]
fn the_leaf_is_read_in_any_chunking() {
    for (version, (server, leaf)) in [("1.3", &*TLS13), ("1.2", &*TLS12)] {
        for chunk in [1, 2, 7, usize::MAX] {
            let verdict = verdict_of(server, Goal::Leaf, chunk);
            assert_eq!(verdict.outcome, Outcome::Certificate);
            assert_eq!(&verdict.certificates[0], leaf);
            assert_eq!(verdict.ended, None);
            let presented = Evidence::of(Err(Unproven::NotReached), false);
            assert_eq!(verdict.evidence, presented, "{version} {chunk}");
            assert_eq!(verdict.tls.unwrap().version, version);
            assert_eq!((verdict.first_byte, verdict.leaf), (Some(NOW), Some(NOW)));
        }
    }
}

#[test]
fn every_kind_of_key_is_proven_in_one_flight() {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        for algorithm in
            [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256]
        {
            let (server, leaf) = honest(version, algorithm);
            for chunk in [1, usize::MAX] {
                let verdict = verdict_of(&server, Goal::Proof, chunk);
                assert_eq!(verdict.certificates, [leaf.clone(), leaf.clone()]);
                assert_eq!(verdict.evidence.key_proven, Some(true), "{version:?} {algorithm:?}");
            }
        }
    }
}

#[test]
fn a_copied_certificate_is_presented_and_never_proven() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let [shown, held] = [(); 2].map(|()| key_pair(&rcgen::PKCS_ECDSA_P256_SHA256));
        let (server, leaf) = server(version, &shown, &held);
        let verdict = verdict_of(&server, Goal::Proof, usize::MAX);
        assert_eq!(verdict.certificates[0], leaf);
        assert_eq!(verdict.evidence.key_proven, Some(false));
    }
}

/// A proof is of this connection: the same flight after another ClientHello proves nothing.
#[test]
fn a_replayed_flight_proves_nothing() {
    let mut recorded = Vec::new();
    let mut first = OwnOffer::new(Limits::default(), Goal::Proof).start(Moment::ZERO, [1; 112]);
    record_flight(first.as_mut(), &TLS12.0, &mut recorded);
    assert_eq!(first.verdict().unwrap().evidence.key_proven, Some(true));
    let mut second = OwnOffer::new(Limits::default(), Goal::Proof).start(Moment::ZERO, [2; 112]);
    sent_by(second.as_mut());
    second.handle_bytes(NOW, &recorded);
    let verdict = second.verdict().unwrap();
    assert_eq!(verdict.outcome, Outcome::Certificate);
    assert_eq!(verdict.evidence.key_proven, Some(false));
}

fn record_flight(client: &mut dyn Client, server: &Arc<ServerConfig>, flight: &mut Vec<u8>) {
    let mut server = rustls::ServerConnection::new(Arc::clone(server)).unwrap();
    server.read_tls(&mut &sent_by(client)[..]).unwrap();
    server.process_new_packets().unwrap();
    while server.wants_write() {
        server.write_tls(flight).unwrap();
    }
    client.handle_bytes(NOW, flight);
}

/// The server has one group only; ours is asked for in a HelloRetryRequest, or was sent already.
#[test]
fn servers_with_one_group_are_reached() {
    use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
    for group in [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1] {
        let mut provider = default_provider();
        provider.kx_groups = vec![group];
        let (server, leaf) = &*TLS13;
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&server.cert_resolver));
        let verdict = verdict_of(&Arc::new(config), Goal::Proof, usize::MAX);
        assert_eq!(&verdict.certificates[0], leaf, "{group:?}");
        assert_eq!(verdict.evidence.key_proven, Some(true), "{group:?}");
    }
}

#[test]
fn every_suite_of_tls13_is_followed() {
    for suite in rustls::crypto::aws_lc_rs::default_provider().cipher_suites {
        if suite.tls13().is_none() {
            continue;
        }
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&TLS13.0.cert_resolver));
        let verdict = verdict_of(&Arc::new(config), Goal::Proof, usize::MAX);
        assert_eq!(verdict.evidence.key_proven, Some(true), "{suite:?}");
        let name = format!("{:?}", suite.suite()).replacen("TLS13", "TLS", 1);
        assert_eq!(verdict.tls.unwrap().cipher_suite, name);
    }
}

/// Cut after every byte, in every way: one verdict, and a leaf whose last byte came is kept.
#[test]
fn every_truncation_gives_one_verdict() {
    for (server, leaf) in [&*TLS13, &*TLS12] {
        let server = &in_small_records(server);
        let whole = talk(client(Goal::Proof).as_mut(), server, usize::MAX, usize::MAX);
        let mut with_leaf = 0;
        for cut in 0..whole {
            for end in [End::EndOfStream, End::Reset, End::Deadline] {
                let mut client = client(Goal::Proof);
                talk(client.as_mut(), server, usize::MAX, cut);
                let early = client.verdict();
                client.handle_end(NOW, end);
                let verdict = early.or_else(|| client.verdict()).expect("the connection has ended");
                assert_eq!(client.verdict(), None);
                match verdict.certificates.first() {
                    Some(shown) => {
                        with_leaf += 1;
                        assert_eq!(shown, leaf);
                        assert_eq!(verdict.outcome, Outcome::Certificate);
                    }
                    None => assert_eq!(verdict.outcome, without_leaf(cut, end), "{cut}"),
                }
            }
        }
        assert!(with_leaf > 100, "{with_leaf}");
    }
}

/// The same server, whose messages are spread over many records.
fn in_small_records(server: &Arc<ServerConfig>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::clone(server);
    config.max_fragment_size = Some(64);
    Arc::new(config)
}

fn without_leaf(cut: usize, end: End) -> Outcome {
    match (end, cut) {
        (End::Reset, _) => Outcome::Reset,
        (End::EndOfStream, 0) => Outcome::Closed,
        (End::Deadline, 0) => Outcome::Silent,
        (End::EndOfStream | End::Deadline, _) => Outcome::Stalled,
    }
}

/// Every byte of a flight changed in turn: whatever comes of it, it is one verdict and no panic. What is called
/// proven then is the key; in TLS 1.3, where the transcript is signed, it is the leaf.
#[test]
fn every_changed_byte_is_survived() {
    for (server, leaf) in [&*TLS13, &*TLS12] {
        let mut flight = Vec::new();
        record_flight(client(Goal::Proof).as_mut(), server, &mut flight);
        for at in 0..flight.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut client = client(Goal::Proof);
                sent_by(client.as_mut());
                let mut changed = flight.clone();
                changed[at] ^= change;
                client.handle_bytes(NOW, &changed);
                client.handle_end(NOW, End::EndOfStream);
                let verdict = client.verdict().expect("the connection has ended");
                if verdict.evidence.key_proven != Some(true) {
                    continue;
                }
                let shown = &verdict.certificates[0];
                assert_eq!(public_key(shown).unwrap().key, public_key(leaf).unwrap().key);
                let version = verdict.tls.unwrap().version;
                assert!(version == "1.2" || shown == leaf, "{at} {change}");
            }
        }
    }
}

/// The outcome when a server says `bytes` and then nothing more.
fn outcome_of(bytes: &[u8], end: End) -> Outcome {
    let outcomes = [1, 3, usize::MAX].map(|chunk| {
        let mut client = client(Goal::Proof);
        sent_by(client.as_mut());
        bytes.chunks(chunk).for_each(|piece| client.handle_bytes(NOW, piece));
        client.handle_end(NOW, end);
        client.verdict().expect("the connection has ended").outcome
    });
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    outcomes[0]
}

fn handshake_record(version: u16, messages: &[u8]) -> Vec<u8> {
    let length = (messages.len() as u16).to_be_bytes();
    [&[22], &version.to_be_bytes()[..], &length, messages].concat()
}

fn hello(version: u16, suite: u16) -> Vec<u8> {
    let body = [&version.to_be_bytes()[..], &[9; 32], &[0], &suite.to_be_bytes(), &[0]].concat();
    [&[2, 0, 0, body.len() as u8], &body[..]].concat()
}

#[test]
fn old_versions_are_read_in_the_clear() {
    let certificate = [11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 7, 7, 7];
    for (version, name) in [(0x0300, "SSL3"), (0x0301, "1.0"), (0x0302, "1.1"), (0x0303, "1.2")] {
        let messages = [&hello(version, 0x002f)[..], &certificate].concat();
        let mut client = client(Goal::Proof);
        sent_by(client.as_mut());
        client.handle_bytes(NOW, &handshake_record(version, &messages));
        let verdict = client.verdict().expect("RSA key exchange has no more to wait for");
        assert_eq!(verdict.certificates, [vec![7, 7, 7]]);
        let facts = verdict.tls.unwrap();
        assert_eq!(
            (facts.version, facts.cipher_suite.as_str()),
            (name, "TLS_RSA_WITH_AES_128_CBC_SHA")
        );
        assert_eq!(verdict.evidence.key_proven, None);
    }
}

#[test]
fn what_no_server_may_say_is_malformed() {
    let certificate = [11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 7, 7, 7];
    let spoken =
        |messages: &[u8]| outcome_of(&handshake_record(0x0303, messages), End::EndOfStream);
    for (what, messages) in [
        ("a suite that was not offered", hello(0x0303, 0x0034)),
        ("the signalling suite", hello(0x0303, 0x00ff)),
        ("a TLS 1.3 suite in TLS 1.2", hello(0x0303, 0x1301)),
        ("a version from nowhere", hello(0x0305, 0x002f)),
        ("TLS 1.3 in the old place", hello(0x0304, 0x1301)),
        ("a certificate before the hello", certificate.to_vec()),
        ("two hellos", [hello(0x0303, 0x002f), hello(0x0303, 0x002f)].concat()),
        ("no certificate", [hello(0x0303, 0xc02f), vec![11, 0, 0, 3, 0, 0, 0]].concat()),
        (
            "an empty certificate",
            [hello(0x0303, 0xc02f), vec![11, 0, 0, 6, 0, 0, 3, 0, 0, 0]].concat(),
        ),
        (
            "a key exchange before the certificate",
            [hello(0x0303, 0xc02f), vec![12, 0, 0, 0]].concat(),
        ),
        ("done without a certificate", [hello(0x0303, 0xc02f), vec![14, 0, 0, 0]].concat()),
    ] {
        assert_eq!(spoken(&messages), Outcome::Malformed, "{what}");
    }
    assert_eq!(outcome_of(&[23, 3, 3, 0, 1, 0], End::EndOfStream), Outcome::Malformed);
    assert_eq!(outcome_of(&[20, 3, 3, 0, 1, 2], End::EndOfStream), Outcome::Malformed);
    assert_eq!(outcome_of(&[22, 3, 3, 0xff, 0xff], End::EndOfStream), Outcome::Malformed);
}

#[test]
fn floods_and_giants_are_bounded() {
    let idle = |record: &[u8]| outcome_of(&record.repeat(100), End::Deadline);
    assert_eq!(idle(&[21, 3, 3, 0, 2, 1, 112]), Outcome::Malformed, "warnings");
    assert_eq!(idle(&[22, 3, 3, 0, 0]), Outcome::Malformed, "empty records");
    assert_eq!(idle(&[20, 3, 3, 0, 1, 1]), Outcome::Malformed, "change_cipher_spec");
    let giant = |kind| {
        handshake_record(0x0303, &[&hello(0x0303, 0x002f)[..], &[kind, 255, 255, 255]].concat())
    };
    assert_eq!(outcome_of(&giant(12), End::Deadline), Outcome::TooLarge);
    assert_eq!(outcome_of(&giant(11), End::Deadline), Outcome::Stalled, "a leaf may still come");
    let endless = [giant(11), handshake_record(0x0303, &[0x30; 16_000]).repeat(20)].concat();
    assert_eq!(outcome_of(&endless, End::Deadline), Outcome::TooLarge);
}

/// The certificate may be longer than is taken, or the bytes that hold it cross the limit: its leaf counts.
#[test]
fn a_leaf_before_the_limit_is_kept() {
    let start = [11, 255, 255, 255, 255, 255, 252, 0, 0, 3, 7, 7, 7, 0, 0];
    for split in 1..start.len() {
        let (first, rest) = start.split_at(split);
        let records = [
            handshake_record(0x0303, &[&hello(0x0303, 0xc02f)[..], first].concat()),
            handshake_record(0x0303, rest),
            handshake_record(0x0303, &[0x30; 16_000]).repeat(20),
        ];
        for records in [records.concat(), records[..2].concat()] {
            let mut client = client(Goal::Proof);
            sent_by(client.as_mut());
            client.handle_bytes(NOW, &records);
            let verdict = client.verdict().expect("it is too large");
            assert_eq!(verdict.certificates, [vec![7, 7, 7]], "{split}");
            assert_eq!(verdict.ended, Some(Outcome::TooLarge));
        }
    }
}

#[test]
fn warnings_are_passed_over_and_the_last_word_counts() {
    let warning = [21, 3, 1, 0, 2, 1, 112];
    let fatal = |description| Outcome::Alert(Alert { level: 2, description });
    let then_fatal = [&warning[..], &[21, 3, 3, 0, 2, 2, 40]].concat();
    assert_eq!(outcome_of(&then_fatal, End::EndOfStream), fatal(40));
    let goodbye = Outcome::Alert(Alert { level: 1, description: 0 });
    assert_eq!(outcome_of(&[21, 3, 1, 0, 2, 1, 0], End::EndOfStream), goodbye);
    let messages = [&hello(0x0303, 0x002f)[..], &[11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 7, 7, 7]].concat();
    let then_leaf = [&warning[..], &handshake_record(0x0303, &messages)].concat();
    assert_eq!(outcome_of(&then_leaf, End::EndOfStream), Outcome::Certificate);
}

#[test]
fn what_is_not_tls_is_named() {
    for (bytes, protocol) in [
        (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], Protocol::Ssh),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Protocol::Http),
        (b"220 mail ESMTP\r\n", Protocol::Smtp),
        (b"hello, world", Protocol::Unknown),
    ] {
        assert_eq!(outcome_of(bytes, End::EndOfStream), Outcome::NotTls(protocol));
    }
}

/// A leaf that is whole counts, though its message never ends.
#[test]
fn a_leaf_in_an_endless_message_is_kept() {
    let certificate = [11, 0, 1, 0, 0, 0, 200, 0, 0, 3, 7, 7, 7, 0, 0];
    let messages = [&hello(0x0303, 0xc02f)[..], &certificate].concat();
    let mut client = client(Goal::Proof);
    sent_by(client.as_mut());
    client.handle_bytes(NOW, &handshake_record(0x0303, &messages));
    assert_eq!(client.verdict(), None);
    client.handle_end(NOW, End::Deadline);
    let verdict = client.verdict().unwrap();
    assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, Some(Outcome::Stalled)));
    assert_eq!(verdict.certificates, [vec![7, 7, 7]]);
    let mut hasty = super::tests::client(Goal::Leaf);
    sent_by(hasty.as_mut());
    hasty.handle_bytes(NOW, &handshake_record(0x0303, &messages));
    assert_eq!(hasty.verdict().unwrap().certificates, [vec![7, 7, 7]]);
}

/// A flight with RSA key exchange that shows the leaf of SoftEther's default, whose key nobody holds any more.
fn copied_rsa_flight(suite: u16) -> Vec<u8> {
    let pem = include_str!("../../cert/softether-default.pem");
    let leaf = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents;
    let length = |length: usize| (length as u32).to_be_bytes()[1..].to_vec();
    let certificate =
        [vec![11], length(leaf.len() + 6), length(leaf.len() + 3), length(leaf.len()), leaf];
    let messages = [hello(0x0303, suite), certificate.concat(), vec![14, 0, 0, 0]].concat();
    handshake_record(0x0303, &messages)
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
        (Goal::Proof, 0x002f, Unproven::NoSignature),
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

/// A HelloRetryRequest with these extensions.
fn retry_request(extensions: &[u8]) -> Vec<u8> {
    let random = super::messages::RETRY_RANDOM;
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
        let mut client = client(Goal::Proof);
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
    let mut client = client(Goal::Proof);
    sent_by(client.as_mut());
    let request = retry_request(&giant);
    // Longer than a record: spread over several.
    let spread: Vec<u8> =
        request[5..].chunks(9_000).flat_map(|part| handshake_record(0x0303, part)).collect();
    client.handle_bytes(NOW, &spread);
    assert_eq!(client.verdict().unwrap().outcome, Outcome::TooLarge);
}
