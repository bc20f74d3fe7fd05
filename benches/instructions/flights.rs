//! A rustls server whose every byte is the same each time, and what it says to our client.

use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::tls::{Client, Verdict};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret,
    SupportedKxGroup, aws_lc_rs,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{NamedGroup, ServerConfig, ServerConnection, SupportedProtocolVersion};

/// An Ed25519 key in PKCS #8 (RFC 8410, section 7), to which the seed belongs. Its signatures have one length, and are
/// the same for the same message.
const KEY_BEFORE_SEED: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// No randomness at all.
#[derive(Debug)]
struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        buffer.fill(0x42);
        Ok(())
    }
}

/// Our client's share is X25519's base point, so that the secret is the server's share, whatever that is.
impl SupportedKxGroup for Fixed {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, rustls::Error> {
        Ok(Box::new(Self))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Fixed {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, rustls::Error> {
        assert!(share.len() == 32 && share.starts_with(&[9]), "the base point");
        Ok(SharedSecret::from(self.pub_key()))
    }

    fn pub_key(&self) -> &[u8] {
        &[0x42; 32]
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// A server of `version`; of cipher suites, it has those whose name contains `suite`.
fn server(version: &'static SupportedProtocolVersion, suite: &str) -> ServerConnection {
    let key = PrivatePkcs8KeyDer::from([&KEY_BEFORE_SEED[..], &[7; 32]].concat());
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&key, &rcgen::PKCS_ED25519);
    let params = rcgen::CertificateParams::new(vec!["server.test".to_owned()]).expect("a name");
    let leaf = params.self_signed(&pair.expect("a key")).expect("a leaf").der().clone();
    let mut provider = CryptoProvider {
        kx_groups: vec![&Fixed],
        secure_random: &Fixed,
        ..aws_lc_rs::default_provider()
    };
    provider.cipher_suites.retain(|known| format!("{:?}", known.suite()).contains(suite));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.clone(), leaf], PrivateKeyDer::Pkcs8(key))
        .expect("a key that fits");
    ServerConnection::new(Arc::new(config)).expect("a server")
}

/// What the server says in turns until `client`, which has sent `hello`, has a verdict.
pub(crate) fn answers(
    mut client: Box<dyn Client>,
    hello: &[u8],
    version: &'static SupportedProtocolVersion,
    suite: &str,
) -> Vec<Vec<u8>> {
    let mut server = server(version, suite);
    let (mut said, mut flights) = (hello.to_vec(), Vec::new());
    loop {
        server.read_tls(&mut &said[..]).expect("memory");
        server.process_new_packets().expect("what a server understands");
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).expect("memory");
        }
        client.handle_bytes(Duration::ZERO, &flight);
        flights.push(flight);
        said.clear();
        while client.poll_transmit(&mut said) {}
        if client.verdict().is_some() {
            return flights;
        }
    }
}

/// What comes of it if `client` is told `flights` again.
pub(crate) fn told(mut client: Box<dyn Client>, flights: &[Vec<u8>], out: &mut Vec<u8>) -> Verdict {
    for flight in flights {
        out.clear();
        while client.poll_transmit(out) {}
        client.handle_bytes(Duration::ZERO, flight);
    }
    client.verdict().expect("the same as before")
}
