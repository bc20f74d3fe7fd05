//! What does the short way to a certificate cost? Per flight of a rustls server with two certificates, no network.
//!
//! `cargo bench --bench glance`; `-- --test` runs each case once. `look` reads a whole flight; `observation`
//! builds the record of one in TLS 1.2 after a look, of a leaf that is known and of one that is not.
//!
//! Last figures (medians, shared Xeon, 2026-11-24): look 60 ns in TLS 1.2, in TLS 1.3 1.6 us with AES-128, 1.7 us with
//! ChaCha20 and 4.2 us with AES-256 and SHA-384; observation, with its look, 0.65 us if known, 2 us if not.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::address::Target;
use certsweep::domain::observation::Observation;
use certsweep::domain::recogniser::Recogniser;
use certsweep::domain::time::Timestamp;
use certsweep::domain::tls::own::{Glance, Goal, Hello, Look};
use certsweep::domain::tls::{Ask, Asked, Limits};
use certsweep::domain::visit::Visit;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

fn main() {
    divan::main();
}

fn glance() -> Glance {
    Glance::new(Limits::default(), [7; 112]).expect("the library takes the length")
}

/// What a server of `version` says to the hello; in TLS 1.3 with this suite.
fn flight(hello: &[u8], version: &'static SupportedProtocolVersion, suite: &str) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["server.test".to_owned()]).expect("a name");
    let leaf = params.self_signed(&key).expect("a leaf").der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|known| format!("{:?}", known.suite()).contains(suite));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.clone(), leaf], key)
        .expect("a key that fits");
    let mut server = ServerConnection::new(Arc::new(config)).expect("a server");
    server.read_tls(&mut &hello[..]).expect("a hello");
    server.process_new_packets().expect("a hello");
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).expect("memory");
    }
    flight
}

#[divan::bench(args = ["TLS 1.2", "AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20"])]
fn look(bencher: divan::Bencher<'_, '_>, suite: &str) {
    let glance = glance();
    let flight = match suite {
        "TLS 1.2" => flight(glance.hello(), &rustls::version::TLS12, ""),
        _ => flight(glance.hello(), &rustls::version::TLS13, suite),
    };
    let mut scratch = Vec::new();
    bencher.bench_local(|| {
        let look = glance.look(&flight, &mut scratch);
        assert!(matches!(look, Look::Certificates { .. }));
    });
}

/// What a look at `flight` comes to.
fn observed(glance: &Glance, flight: &[u8], ask: &Ask, recogniser: &mut Recogniser) -> Observation {
    let mut scratch = Vec::new();
    let Look::Certificates { tls, chain } = glance.look(flight, &mut scratch) else {
        panic!("the certificates are there")
    };
    let visit = Visit {
        time: Timestamp::from_seconds(1),
        target: Target::new("127.0.0.1".parse().expect("an address"), 443),
        began: Duration::ZERO,
        connected: Some(Duration::ZERO),
        ask,
    };
    visit.presented(tls, chain, [Duration::ZERO; 2], recogniser)
}

#[divan::bench(args = ["known", "unknown"])]
fn observation(bencher: divan::Bencher<'_, '_>, leaf: &str) {
    let glance = glance();
    let flight = flight(glance.hello(), &rustls::version::TLS12, "");
    let asked = Asked::Own(Hello::Universal, Goal::Leaf);
    let ask = Ask { asked, server_name: None, after: Duration::ZERO, request: None };
    let mut known = Recogniser::new(Arc::default());
    observed(&glance, &flight, &ask, &mut known);
    if leaf == "known" {
        bencher.bench_local(|| observed(&glance, &flight, &ask, &mut known));
    } else {
        bencher
            .with_inputs(|| Recogniser::new(Arc::default()))
            .bench_local_refs(|recogniser| observed(&glance, &flight, &ask, recogniser));
    }
}
