//! Servers whose every byte is known beforehand, and certificates that they show.

use std::sync::LazyLock;

use ::rsa::{Pkcs1v15Sign, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::*;
use crate::domain::tls::own::exercise::conversation::{ENTROPY, Peer};
use crate::domain::tls::own::exercise::encrypting::{EncryptingServer, message};
use crate::domain::tls::own::exercise::finishing::{ClearServer, SERVER_RANDOM};
use crate::domain::tls::rsa;

/// A key of 1,024 bits and its leaf.
pub(super) static RSA: LazyLock<(PrivateKey, Vec<u8>)> =
    LazyLock::new(|| rsa::tests::key_and_leaf(1024));

/// A key on P-256 in PKCS#8, and its leaf.
pub(super) static P256: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let key = key_pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let leaf = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
    (key.serialize_der(), leaf.der().to_vec())
});

/// The leaf of SoftEther's default, which anybody can show and nobody holds the key of.
pub(super) fn softether() -> Vec<u8> {
    let pem = include_str!("../../../cert/softether-default.pem");
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents
}

/// `content` behind its length in `octets` bytes.
pub(super) fn vector(octets: usize, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    [&length[4 - octets..], content].concat()
}

/// A Certificate message up to TLS 1.2 that holds `leaf` alone.
pub(super) fn certificate(leaf: &[u8]) -> Vec<u8> {
    message(11, &vector(3, &vector(3, leaf)))
}

/// The body of a Certificate message of TLS 1.3 that holds `leaf` alone.
pub(super) fn certificate13(leaf: &[u8]) -> Vec<u8> {
    [&[0], &vector(3, &[&vector(3, leaf)[..], &[0, 0]].concat())[..]].concat()
}

/// The body of a CompressedCertificate (RFC 8879, section 4).
pub(super) fn compressed(body: &[u8]) -> Vec<u8> {
    let packed = vector(3, &miniz_oxide::deflate::compress_to_vec_zlib(body, 9));
    [&[0, 1], &(body.len() as u32).to_be_bytes()[1..], &packed].concat()
}

/// What signs a key exchange: it makes the signature, with its scheme before it from TLS 1.2 on.
pub(super) type Signer = fn(u16, &[u8]) -> Vec<u8>;

/// With the key of [`RSA`].
pub(super) fn with_rsa(version: u16, content: &[u8]) -> Vec<u8> {
    let (scheme, signature): (&[u8], _) = if version == 0x0303 {
        let hash = Sha256::digest(content);
        (&[4, 1], RSA.0.sign(Pkcs1v15Sign::new::<Sha256>(), &hash).unwrap())
    } else {
        let hashes = [&Md5::digest(content)[..], &Sha1::digest(content)[..]].concat();
        (&[], RSA.0.sign(Pkcs1v15Sign::new_unprefixed(), &hashes).unwrap())
    };
    [scheme, &vector(2, &signature)].concat()
}

/// With the key of [`P256`], which TLS 1.2 and 1.3 name alike.
pub(super) fn with_p256(_version: u16, content: &[u8]) -> Vec<u8> {
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &P256.0).unwrap();
    let signature = key.sign(&SystemRandom::new(), content).unwrap();
    [&[4, 3], &vector(2, signature.as_ref())[..]].concat()
}

/// With no key: octets that have the structure of a signature with an RSA key of 2,048 bits.
pub(super) fn with_nothing(version: u16, _content: &[u8]) -> Vec<u8> {
    let scheme: &[u8] = match version {
        0x0304 => &[8, 4],
        0x0303 => &[4, 1],
        _ => &[],
    };
    [scheme, &vector(2, &[0x5a; 256])].concat()
}

/// The parameters of a server that has X25519, and those of one with a small finite field.
pub(super) fn params(is_elliptic: bool) -> Vec<u8> {
    if is_elliptic {
        [&[3, 0, 29], &vector(1, &[0x42; 32])[..]].concat()
    } else {
        [vector(2, &[0xc3; 32]), vector(2, &[2]), vector(2, &[0, 0x42, 0x24])].concat()
    }
}

/// The flight of a server up to TLS 1.2 that signs, after its hello.
pub(super) fn signed_flight(version: u16, leaf: &[u8], is_elliptic: bool, sign: Signer) -> Vec<u8> {
    let params = params(is_elliptic);
    let content = [&ENTROPY[..32], &SERVER_RANDOM, &params].concat();
    let exchange = [params, sign(version, &content)].concat();
    [certificate(leaf), message(12, &exchange), message(14, &[])].concat()
}

/// The flight of a server with RSA key exchange, after its hello.
pub(super) fn rsa_flight(leaf: &[u8]) -> Vec<u8> {
    [certificate(leaf), message(14, &[])].concat()
}

/// A server of TLS 1.3 that says these messages, signs them and finishes.
pub(super) fn encrypting(suite: u16, said: &[Vec<u8>], sign: Signer) -> EncryptingServer {
    let said = said.iter().map(|message| (22, message.clone())).collect();
    let mut server = EncryptingServer::new(suite, 29, vec![0x42; 32], said);
    server.sign = Some(Box::new(move |content| sign(0x0304, content)));
    server.finishes = true;
    server
}

/// A server up to TLS 1.2, its messages spread over small records.
pub(super) fn clear(version: u16, suite: u16, flight: Vec<u8>) -> ClearServer {
    let mut server = ClearServer::new(version, suite, flight);
    server.fragment = 100;
    server
}

/// What a server said to the client of [`ENTROPY`], turn by turn, to be said again.
#[derive(Clone, Default)]
pub(super) struct Recorded {
    turns: Vec<Vec<u8>>,
    at: usize,
}

impl Peer for Recorded {
    fn answer(&mut self, said: &[u8]) -> Vec<u8> {
        if said.is_empty() {
            return Vec::new();
        }
        self.at += 1;
        self.turns.get(self.at - 1).cloned().unwrap_or_default()
    }
}

/// Records what another server says.
struct Recorder<'a>(&'a mut dyn Peer, Recorded);

impl Peer for Recorder<'_> {
    fn answer(&mut self, said: &[u8]) -> Vec<u8> {
        let turn = self.0.answer(said);
        if !turn.is_empty() {
            self.1.turns.push(turn.clone());
        }
        turn
    }
}

impl Recorded {
    /// What `peer` says to a client with this wish.
    pub(super) fn of(wish: &Wish, peer: &mut dyn Peer) -> Self {
        let mut recorder = Recorder(peer, Self::default());
        converse(wish.clone(), &mut recorder, usize::MAX, usize::MAX, End::EndOfStream);
        recorder.1
    }

    pub(super) fn turns(&self) -> &[Vec<u8>] {
        &self.turns
    }
}

/// rustls's server.
pub(super) struct Rustls(rustls::ServerConnection);

impl Rustls {
    /// One connection, its messages spread over small records.
    pub(super) fn new(config: &Arc<ServerConfig>) -> Self {
        let mut config = ServerConfig::clone(config);
        config.max_fragment_size = Some(100);
        Self(rustls::ServerConnection::new(Arc::new(config)).unwrap())
    }
}

impl Peer for Rustls {
    fn answer(&mut self, said: &[u8]) -> Vec<u8> {
        let mut rest = said;
        while !rest.is_empty() {
            self.0.read_tls(&mut rest).unwrap();
            let _ = self.0.process_new_packets();
        }
        let mut flight = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut flight).unwrap();
        }
        flight
    }
}

/// What a client of everything wants.
pub(super) fn wish(goal: Goal) -> Wish {
    let (hello, limits) = (Hello::Universal, Limits::default());
    Wish { hello, goal, limits, server_name: None, keys: None, request: None }
}
