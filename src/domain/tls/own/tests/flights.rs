//! Every recorded flight, cut after every byte and in every chunking: one verdict, and a leaf that was seen is kept.

use rustls::server::WebPkiClientVerifier;

use super::servers::{
    P256, RSA, Recorded, Rustls, certificate, certificate13, clear, compressed, encrypting,
    rsa_flight, signed_flight, wish, with_p256, with_rsa,
};
use super::*;
use crate::domain::tls::own::exercise::conversation::Peer;
use crate::domain::tls::own::exercise::encrypting::message;
use crate::domain::tls::own::exercise::finishing::Reply;
use crate::domain::tls::own::exercise::glancing::{agrees, first_flight, glance};

/// What comes of a whole flight with the goals `Leaf` and `Finish`.
type Proofs = [(Option<bool>, bool); 2];

/// The server signs with its key, or finishes with it.
const PROVEN: Proofs = [(None, false), (Some(true), true)];

/// The server signs, and its cipher or version is not finished with.
const UNFINISHED: Proofs = [(None, false), (Some(true), false)];

/// The server neither signs nor can be finished with.
const PRESENTED: Proofs = [(None, false); 2];

/// Says the flights that `server` sends to each goal again in every way there is. Whether the short way leads to the leaf.
#[track_caller]
fn survives(
    name: &str,
    hello: Hello,
    leaf: &[u8],
    proofs: Proofs,
    server: &dyn Fn() -> Box<dyn Peer>,
) -> bool {
    for (goal, (key_proven, finished)) in [Goal::Leaf, Goal::Finish].into_iter().zip(proofs) {
        let wish = Wish { hello, ..wish(goal) };
        let recorded = Recorded::of(&wish, server().as_mut());
        let said = |chunk, cut, end| converse(wish.clone(), &mut recorded.clone(), chunk, cut, end);
        let length: usize = recorded.turns().iter().map(Vec::len).sum();
        let whole = said(usize::MAX, length, End::EndOfStream);
        assert_eq!(whole.certificates.first().map(Vec::as_slice), Some(leaf), "{name} {goal:?}");
        assert_eq!(whole.ended, None, "{name} {goal:?}");
        let evidence = (whole.evidence.key_proven, whole.evidence.handshake_finished);
        assert_eq!(evidence, (key_proven, finished), "{name} {goal:?}");
        for chunk in [1, 2, 7] {
            assert_eq!(said(chunk, length, End::EndOfStream), whole, "{name} {goal:?} {chunk}");
        }
        let mut had_leaf = false;
        for cut in 0..=length {
            for end in [End::EndOfStream, End::Reset, End::Deadline] {
                let verdict = said(usize::MAX, cut, end);
                match verdict.certificates.first() {
                    Some(shown) => assert_eq!(shown, leaf, "{name} {goal:?} {cut}"),
                    None => assert_eq!(verdict.outcome, without_leaf(cut, end), "{name} {cut}"),
                }
                assert!(
                    !had_leaf || verdict.leaf.is_some(),
                    "{name} {goal:?} {cut}: a leaf is lost"
                );
                had_leaf |= verdict.leaf.is_some();
                assert!(verdict.evidence.key_proven.is_none_or(|proven| proven));
            }
        }
        assert!(had_leaf, "{name} {goal:?}");
    }
    let glance = glance(Limits::default()).unwrap();
    let flight = first_flight(&glance, server().as_mut());
    let told: Vec<bool> = (0..=flight.len()).map(|cut| agrees(&glance, &flight[..cut])).collect();
    assert!(told.is_sorted(), "{name}: more bytes do not change it");
    told[flight.len()]
}

fn without_leaf(cut: usize, end: End) -> Outcome {
    match (end, cut) {
        (End::Reset, _) => Outcome::Reset,
        (End::EndOfStream, 0) => Outcome::Closed,
        (End::Deadline, 0) => Outcome::Silent,
        (End::EndOfStream | End::Deadline, _) => Outcome::Stalled,
    }
}

fn of_rustls(version: &'static rustls::SupportedProtocolVersion) {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
    for key in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256] {
        let (server, leaf) = honest(version, key);
        let name = format!("rustls {version:?} {key:?}");
        assert!(survives(&name, Hello::Universal, &leaf, PROVEN, &|| Box::new(Rustls::new(
            &server
        ))));
    }
}

#[test]
fn flights_of_rustls_in_tls13() {
    of_rustls(&rustls::version::TLS13);
}

#[test]
fn flights_of_rustls_in_tls12() {
    of_rustls(&rustls::version::TLS12);
}

#[test]
fn flights_that_ask_for_a_client_certificate() {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    for (server, leaf) in [&*TLS13, &*TLS12] {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(leaf.clone().into()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .unwrap();
        let version = if Arc::ptr_eq(server, &TLS13.0) {
            &rustls::version::TLS13
        } else {
            &rustls::version::TLS12
        };
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&server.cert_resolver));
        let config = Arc::new(config);
        assert!(survives("client certificate", Hello::Universal, leaf, PROVEN, &|| {
            Box::new(Rustls::new(&config))
        }));
    }
}

/// rustls asks for a share of P-384, which the modern ClientHello offers without one.
#[test]
fn flights_with_a_retry() {
    let (server, leaf) = &*TLS13;
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.kx_groups = vec![rustls::crypto::aws_lc_rs::kx_group::SECP384R1];
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&server.cert_resolver));
    let config = Arc::new(config);
    assert!(survives("retry of rustls", Hello::Modern, leaf, PROVEN, &|| Box::new(Rustls::new(
        &config
    ))));
    for (suite, retry) in
        [(0x1302, &[0, 44, 0, 5, 0, 3, 7, 8, 9][..]), (0x1304, &[0, 44, 0, 3, 0, 1, 7])]
    {
        assert!(!survives("retry with a cookie", Hello::Universal, &P256.1, PROVEN, &|| {
            let said = [message(8, &[0, 0]), message(11, &certificate13(&P256.1))];
            let mut server = encrypting(suite, &said, with_p256);
            server.retry = retry.to_vec();
            Box::new(server)
        }));
    }
}

#[test]
fn flights_with_a_compressed_certificate() {
    for (suite, fragment) in [(0x1301, usize::MAX), (0x1303, 100), (0x1305, 100)] {
        assert!(!survives("compressed", Hello::Universal, &P256.1, PROVEN, &|| {
            let certificate = compressed(&certificate13(&P256.1));
            let request = message(13, &[1, 9, 0, 0]);
            let said = [message(8, &[0, 0]), request, message(25, &certificate)];
            let mut server = encrypting(suite, &said, with_p256);
            server.fragment = fragment;
            Box::new(server)
        }));
    }
}

#[test]
fn flights_with_rsa_key_exchange_up_to_finished() {
    let (_, leaf) = &*RSA;
    let flight = || rsa_flight(leaf);
    assert!(survives("SSL 3.0", Hello::Universal, leaf, PRESENTED, &|| {
        Box::new(clear(0x0300, 0x002f, flight()))
    }));
    assert!(survives("Camellia", Hello::Universal, leaf, PRESENTED, &|| {
        Box::new(clear(0x0303, 0x0041, flight()))
    }));
    for (version, suite) in [
        (0x0301, 0x002f),
        (0x0301, 0x0004),
        (0x0302, 0x000a),
        (0x0303, 0x003d),
        (0x0303, 0x009d),
        (0x0303, 0xc0a0),
        (0x0303, 0x0002),
    ] {
        for is_extended in [false, true] {
            assert!(survives("RSA", Hello::Universal, leaf, PROVEN, &|| {
                let mut server = clear(version, suite, flight());
                server.is_extended = is_extended;
                if is_extended {
                    server.reply = Reply::AfterTicket(vec![1; 40]);
                }
                Box::new(server)
            }));
        }
    }
}

#[test]
fn flights_with_diffie_hellman_up_to_finished() {
    let (_, leaf) = &*RSA;
    assert!(survives("SSL 3.0", Hello::Universal, leaf, UNFINISHED, &|| {
        Box::new(clear(0x0300, 0x0033, signed_flight(0x0300, leaf, false, with_rsa)))
    }));
    for (version, suite, is_elliptic) in [
        (0x0301, 0x0033, false),
        (0x0302, 0x0016, false),
        (0x0303, 0x009e, false),
        (0x0301, 0xc014, true),
        (0x0303, 0xc02f, true),
        (0x0303, 0xcca8, true),
    ] {
        assert!(survives("Diffie-Hellman", Hello::Universal, leaf, PROVEN, &|| {
            let flight = signed_flight(version, leaf, is_elliptic, with_rsa);
            Box::new(clear(version, suite, flight))
        }));
    }
    // A certificate status, a request for ours, and a HelloRequest that is no part of the transcript.
    assert!(!survives("all that may come", Hello::Ecdsa, &P256.1, PROVEN, &|| {
        let flight = signed_flight(0x0303, &P256.1, true, with_p256);
        let (shown, rest) = flight.split_at(certificate(&P256.1).len());
        let (exchange, done) = rest.split_at(rest.len() - 4);
        let (status, request) = (message(22, &[1, 0, 0, 1, 7]), message(13, &[1, 1, 0, 0, 0, 0]));
        let flight = [&message(0, &[]), shown, &status, exchange, &request, done].concat();
        Box::new(clear(0x0303, 0xc02b, flight))
    }));
}
