//! The rustls client against a server in the same thread: no socket, no clock.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;
use crate::domain::address::Target;
use crate::domain::outcome::{Alert, Protocol};
use crate::domain::softether;

pub(super) const NOW: Moment = Duration::from_millis(5);

/// A leaf and a key; the key is not always the leaf's.
#[derive(Debug)]
struct Identity(Arc<CertifiedKey>);

impl ResolvesServerCert for Identity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

pub(super) fn key_pair(algorithm: &'static rcgen::SignatureAlgorithm) -> rcgen::KeyPair {
    rcgen::KeyPair::generate_for(algorithm).unwrap()
}

/// A server that shows a leaf for `leaf_key` and signs with `signing_key`.
pub(super) fn server(
    version: &'static SupportedProtocolVersion,
    leaf_key: &rcgen::KeyPair,
    signing_key: &rcgen::KeyPair,
) -> (Arc<ServerConfig>, Vec<u8>) {
    let params = rcgen::CertificateParams::new(vec!["server.test".to_owned()]).unwrap();
    let leaf = params.self_signed(leaf_key).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let identity = CertifiedKey::new(vec![leaf.der().clone(), leaf.der().clone()], key);
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Identity(Arc::new(identity))));
    (Arc::new(config), leaf.der().to_vec())
}

pub(super) fn honest(
    version: &'static SupportedProtocolVersion,
    algorithm: &'static rcgen::SignatureAlgorithm,
) -> (Arc<ServerConfig>, Vec<u8>) {
    let key = key_pair(algorithm);
    server(version, &key, &key)
}

pub(super) static TLS13: LazyLock<(Arc<ServerConfig>, Vec<u8>)> =
    LazyLock::new(|| honest(&rustls::version::TLS13, &rcgen::PKCS_ECDSA_P256_SHA256));
pub(super) static TLS12: LazyLock<(Arc<ServerConfig>, Vec<u8>)> =
    LazyLock::new(|| honest(&rustls::version::TLS12, &rcgen::PKCS_ECDSA_P256_SHA256));

fn client_with(limits: Limits) -> Box<dyn Client> {
    RustlsOffer::new(limits).unwrap().start(Moment::ZERO, [7; 112])
}

fn client() -> Box<dyn Client> {
    client_with(Limits::default())
}

pub(super) fn sent_by(client: &mut dyn Client) -> Vec<u8> {
    let mut out = Vec::new();
    while client.poll_transmit(&mut out) {}
    out
}

/// Lets both talk until neither has anything to say. The client gets what the server sends in pieces of
/// `chunk` bytes, and nothing after `cut` bytes. Gives how many it got.
pub(super) fn talk(
    client: &mut dyn Client,
    server: &Arc<ServerConfig>,
    chunk: usize,
    cut: usize,
) -> usize {
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let mut received = 0;
    loop {
        let out = sent_by(client);
        let mut rest = &out[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            let _ = server.process_new_packets();
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        flight.truncate(cut - received);
        if flight.is_empty() {
            return received;
        }
        received += flight.len();
        flight.chunks(chunk).for_each(|piece| client.handle_bytes(NOW, piece));
    }
}

pub(super) const REQUEST: Request =
    Request::Softether(Target { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 443 });

/// Lets both talk as [`talk`] does, with a server that says each of `replies` in a record of its own once it has
/// the whole request. Gives all that the client asked.
pub(super) fn talk_and_reply(
    client: &mut dyn Client,
    server: &Arc<ServerConfig>,
    replies: &[&[u8]],
    says_goodbye: bool,
) -> Vec<u8> {
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let (mut asked, mut has_replied) = (Vec::new(), false);
    loop {
        let out = sent_by(client);
        let mut rest = &out[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        // At the end of what has come this is an error or, after a goodbye, none.
        let _ = server.reader().read_to_end(&mut asked);
        let mut flight = Vec::new();
        if asked.ends_with(b"VPNCONNECT") && !std::mem::replace(&mut has_replied, true) {
            for reply in replies {
                server.writer().write_all(reply).unwrap();
                while server.wants_write() {
                    server.write_tls(&mut flight).unwrap();
                }
            }
            if says_goodbye {
                server.send_close_notify();
            }
        }
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        if flight.is_empty() {
            return asked;
        }
        flight.chunks(100).for_each(|piece| client.handle_bytes(NOW, piece));
    }
}

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";

/// A client that asks, of either kind, gets the answer of a server that speaks its version.
pub(super) fn asks_once_the_handshake_is_finished(
    start: &dyn Fn() -> Box<dyn Client>,
    server: &Arc<ServerConfig>,
) {
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 40_000]].concat();
    let whole = [PAGE, b"body"].concat();
    for (replies, says_goodbye, expected) in [
        (vec![&whole[..]], false, &whole[..]),
        (vec![PAGE, b"bo", b"", b"dy"], false, &whole),
        (vec![PAGE, b"bo"], true, &whole[..whole.len() - 2]),
        (vec![b"SSH-2.0-x"], false, b"SSH-2.0-x"),
        (vec![], true, b""),
        (vec![&endless], false, &endless[..softether::REPLY_MAX]),
    ] {
        let mut client = start();
        let asked = talk_and_reply(client.as_mut(), server, &replies, says_goodbye);
        assert!(asked.starts_with(b"POST /vpnsvc/connect.cgi HTTP/1.1\r\nHost: 127.0.0.1:443\r\n"));
        let verdict = client.verdict().expect("the answer is over");
        assert_eq!(verdict.reply.as_deref(), Some(expected));
        assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, None));
        assert!(verdict.evidence.handshake_finished && verdict.evidence.key_proven == Some(true));
    }
    // Whatever ends an answer, the handshake was finished; and the wait is shorter than the connection's.
    for end in [End::EndOfStream, End::Reset, End::Deadline] {
        let mut client = start();
        assert_eq!(client.deadline(), Duration::from_secs(5));
        talk_and_reply(client.as_mut(), server, &[PAGE], false);
        assert_eq!((client.verdict(), client.deadline()), (None, NOW + Duration::from_secs(3)));
        client.handle_end(NOW, end);
        let verdict = client.verdict().expect("the connection has ended");
        assert_eq!((verdict.reply.as_deref(), verdict.ended), (Some(PAGE), None));
        assert!(verdict.evidence.handshake_finished);
    }
}

#[test]
fn a_request_is_sent_once_the_handshake_is_finished() {
    let start = || {
        let offer = RustlsOffer::new(Limits::default()).unwrap().with_request(Some(REQUEST));
        offer.start(Moment::ZERO, [7; 112])
    };
    for (server, _) in [&*TLS13, &*TLS12] {
        asks_once_the_handshake_is_finished(&start, server);
    }
}

/// Cut after every byte: what was asked is told, and nothing is asked before the handshake is finished.
#[test]
fn a_request_that_was_sent_is_told_however_the_connection_ends() {
    for (server, _) in [&*TLS13, &*TLS12] {
        let whole = talk(client().as_mut(), server, usize::MAX, usize::MAX);
        for cut in 0..whole {
            let offer = RustlsOffer::new(Limits::default()).unwrap().with_request(Some(REQUEST));
            let mut client = offer.start(Moment::ZERO, [7; 112]);
            talk(client.as_mut(), server, usize::MAX, cut);
            client.handle_end(NOW, End::Reset);
            let verdict = client.verdict().expect("the connection has ended");
            assert_eq!(verdict.reply.is_some(), verdict.evidence.handshake_finished, "{cut}");
        }
    }
}

#[test]
fn without_a_request_nothing_is_asked() {
    for (server, _) in [&*TLS13, &*TLS12] {
        let mut client = client();
        assert_eq!(talk_and_reply(client.as_mut(), server, &[], false), b"");
        assert_eq!(client.verdict().unwrap().reply, None);
    }
}

fn handshake(server: &Arc<ServerConfig>, chunk: usize) -> Verdict {
    let mut client = client();
    talk(client.as_mut(), server, chunk, usize::MAX);
    client.verdict().expect("the handshake has ended")
}

#[test]
fn a_finished_handshake_proves_the_key_in_any_chunking() {
    for (version, (server, leaf)) in [("1.3", &*TLS13), ("1.2", &*TLS12)] {
        for chunk in [1, 2, 7, usize::MAX] {
            let verdict = handshake(server, chunk);
            assert_eq!(verdict.outcome, Outcome::Certificate);
            assert_eq!(verdict.ended, None);
            assert_eq!(verdict.certificates, [leaf.clone(), leaf.clone()]);
            let proven = Evidence::of(Ok(true), true);
            assert_eq!(verdict.evidence, proven);
            assert_eq!(verdict.tls.unwrap().version, version);
            assert_eq!((verdict.first_byte, verdict.leaf), (Some(NOW), Some(NOW)));
        }
    }
}

#[test]
fn every_kind_of_key_is_checked() {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        for algorithm in
            [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256]
        {
            let (server, _) = honest(version, algorithm);
            assert_eq!(handshake(&server, usize::MAX).evidence.key_proven, Some(true));
        }
    }
}

#[test]
fn a_copied_certificate_is_presented_and_never_proven() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let (shown, held) =
            (key_pair(&rcgen::PKCS_ECDSA_P256_SHA256), key_pair(&rcgen::PKCS_ECDSA_P256_SHA256));
        let (server, leaf) = server(version, &shown, &held);
        let verdict = handshake(&server, usize::MAX);
        assert_eq!(verdict.certificates[0], leaf);
        let evidence = Evidence::of(Ok(false), true);
        assert_eq!(verdict.evidence, evidence);
        // A key of another kind cannot even be checked against the leaf.
        let (server, _) = super::tests::server(version, &shown, &key_pair(&rcgen::PKCS_RSA_SHA256));
        assert_ne!(handshake(&server, usize::MAX).evidence.key_proven, Some(true));
    }
}

/// Cut after every byte, in every way: one verdict, and a leaf that was seen is kept.
#[test]
fn every_truncation_gives_one_verdict() {
    for (server, leaf) in [&*TLS13, &*TLS12] {
        let whole = talk(client().as_mut(), server, usize::MAX, usize::MAX);
        for cut in 0..whole {
            for end in [End::EndOfStream, End::Reset, End::Deadline] {
                let mut client = client();
                talk(client.as_mut(), server, usize::MAX, cut);
                let before = client.verdict();
                client.handle_end(NOW, end);
                let verdict = match before {
                    // What follows a finished handshake is not waited for: session tickets.
                    Some(verdict) => verdict,
                    None => client.verdict().expect("the connection has ended"),
                };
                assert_eq!(client.verdict(), None);
                let shown = !verdict.certificates.is_empty();
                assert_eq!(verdict.outcome == Outcome::Certificate, shown, "{cut} {end:?}");
                if shown {
                    assert_eq!(&verdict.certificates[0], leaf);
                } else {
                    assert_eq!(verdict.outcome, without_leaf(cut, end), "{cut} {end:?}");
                }
            }
        }
    }
}

fn without_leaf(cut: usize, end: End) -> Outcome {
    match (end, cut) {
        (End::Reset, _) => Outcome::Reset,
        (End::EndOfStream, 0) => Outcome::Closed,
        (End::Deadline, 0) => Outcome::Silent,
        (End::EndOfStream | End::Deadline, _) => Outcome::Stalled,
    }
}

/// The outcome when a server says `bytes`, in pieces of `chunk`, and then `end`.
fn outcome_of(bytes: &[u8], chunk: usize, end: End) -> Outcome {
    let mut client = client();
    sent_by(client.as_mut());
    bytes.chunks(chunk).for_each(|piece| client.handle_bytes(NOW, piece));
    client.handle_end(NOW, end);
    client.verdict().expect("the connection has ended").outcome
}

#[test]
fn what_is_not_tls_is_named() {
    let answers: [(&[u8], Outcome); 10] = [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", Outcome::NotTls(Protocol::Ssh)),
        (b"SSH-", Outcome::NotTls(Protocol::Ssh)),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Outcome::NotTls(Protocol::Http)),
        (b"220 mail ESMTP\r\n", Outcome::NotTls(Protocol::Smtp)),
        (b"hello", Outcome::NotTls(Protocol::Unknown)),
        (&[0x00, 0x1a, 0x40, 1, 2, 3, 4, 5], Outcome::NotTls(Protocol::Openvpn)),
        (&[21, 3, 3, 0, 2, 2, 40], Outcome::Alert(Alert { level: 2, description: 40 })),
        (&[21, 3, 3, 0, 2, 1, 112], Outcome::Alert(Alert { level: 1, description: 112 })),
        (&[22, 3, 3, 0, 4, 9, 0, 0, 0], Outcome::Malformed),
        (&[22, 3, 3, 0, 4, 11, 255, 255, 255], Outcome::TooLarge),
    ];
    for (bytes, expected) in answers {
        for chunk in 1..=bytes.len() {
            for end in [End::EndOfStream, End::Deadline] {
                assert_eq!(outcome_of(bytes, chunk, end), expected, "{bytes:?} {chunk}");
            }
        }
    }
}

#[test]
fn one_byte_that_could_begin_tls_is_stalled() {
    assert_eq!(outcome_of(&[22], 1, End::EndOfStream), Outcome::Stalled);
    assert_eq!(outcome_of(&[22], 1, End::Reset), Outcome::Reset);
}

#[test]
fn bytes_are_bounded() {
    let limits = Limits { bytes_in_max: 300, ..Limits::default() };
    let mut client = client_with(limits);
    talk(client.as_mut(), &TLS13.0, 50, usize::MAX);
    assert_eq!(client.verdict().unwrap().outcome, Outcome::TooLarge);
}

#[test]
fn the_deadline_counts_from_the_accepted_connection() {
    let limits = Limits { handshake: Duration::from_secs(3), ..Limits::default() };
    let client = RustlsOffer::new(limits).unwrap().start(Duration::from_secs(10), [7; 112]);
    assert_eq!(client.deadline(), Duration::from_secs(13));
}

/// The extensions of a ClientHello (RFC 8446, section 4.1.2) that is one record.
fn extensions(hello: &[u8]) -> Vec<u16> {
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 2 + usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    at += 1 + usize::from(hello[at]);
    at += 2;
    let mut found = Vec::new();
    while at + 4 <= hello.len() {
        found.push(u16::from_be_bytes([hello[at], hello[at + 1]]));
        at += 4 + usize::from(u16::from_be_bytes([hello[at + 2], hello[at + 3]]));
    }
    found
}

#[test]
fn no_name_no_protocol_and_no_old_session_is_ever_offered() {
    const SERVER_NAME: u16 = 0;
    const APPLICATION_PROTOCOL: u16 = 16;
    const SESSION_TICKET: u16 = 35;
    const PRE_SHARED_KEY: u16 = 41;
    const SUPPORTED_VERSIONS: u16 = 43;
    let offer = RustlsOffer::new(Limits::default()).unwrap();
    for _ in 0..3 {
        let mut client = offer.start(Moment::ZERO, [7; 112]);
        talk(client.as_mut(), &TLS13.0, usize::MAX, usize::MAX);
        assert!(client.verdict().unwrap().evidence.handshake_finished);
        let found = extensions(&sent_by(offer.start(Moment::ZERO, [7; 112]).as_mut()));
        assert!(found.contains(&SUPPORTED_VERSIONS), "{found:?}");
        for absent in [SERVER_NAME, APPLICATION_PROTOCOL, SESSION_TICKET, PRE_SHARED_KEY] {
            assert!(!found.contains(&absent), "{found:?}");
        }
    }
}
