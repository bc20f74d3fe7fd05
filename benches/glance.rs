//! What does the short way to a certificate cost? Per flight of a rustls server with two certificates, no network.
//!
//! `cargo bench --bench glance`; `-- --test` runs each case once. `look` reads a whole flight.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::sync::Arc;

use certsweep::domain::tls::Limits;
use certsweep::domain::tls::own::{Glance, Look};
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
