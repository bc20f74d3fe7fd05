//! Scripts that encrypt, and as much of a TLS 1.3 server as they need: X25519, AES-128-GCM, no resumption.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};

use super::messages::{
    self, APPLICATION_DATA, CERTIFICATE_VERIFY, CHANGE_CIPHER_SPEC, ENCRYPTED_EXTENSIONS, FINISHED,
    HANDSHAKE, Hello, MADE_UP, X25519, certificate13, key_share, message, vector,
};
use super::{MALFORMED, STALLED, Script, Step, TOO_LARGE, alerted, answering, leaf};
use crate::domain::outcome::{Alert, Outcome};
use crate::lab::certificates::{CertificateKind, Certificates};
use crate::lab::expected::Expected;

/// What an encrypted record holds: its real type, its content, and zeros after it (RFC 8446, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    /// The type; zero makes a record of nothing but padding.
    pub kind: u8,
    /// The content.
    pub content: Vec<u8>,
    /// How many zeros follow.
    pub padding: usize,
}

const fn inner(kind: u8, content: Vec<u8>) -> Inner {
    Inner { kind, content, padding: 0 }
}

pub(in crate::lab) fn said(messages: &[Vec<u8>]) -> Inner {
    inner(HANDSHAKE, messages.concat())
}

pub(in crate::lab) fn encrypted_extensions() -> Vec<u8> {
    message(ENCRYPTED_EXTENSIONS, &[0, 0])
}

/// The leaf, then `last`, then the end of the stream.
fn after_leaf(certificates: &Certificates, last: Inner) -> Vec<Step> {
    let flight = said(&[encrypted_extensions(), certificate13(leaf(certificates))]);
    answering([Step::Sealed(vec![flight, last]), Step::Close])
}

/// EncryptedExtensions, then `last`, then the end of the stream.
fn before_leaf(last: Inner) -> Vec<Step> {
    answering([Step::Sealed(vec![said(&[encrypted_extensions()]), last]), Step::Close])
}

const fn shown(ended: Outcome) -> Expected {
    Expected::presented(CertificateKind::P256, "1.3").ended(ended)
}

/// A leaf with a signature that does not check.
const UNPROVEN: Expected = Expected {
    key_proven: Some(false),
    ..Expected::presented(CertificateKind::IndicatorOne, "1.3")
};

const BROKEN: Expected = MALFORMED.in_version("1.3");

const fn told(level: u8, description: u8) -> Outcome {
    Outcome::Alert(Alert { level, description })
}

pub(super) static SCRIPTS: [Script; 15] = [
    Script {
        name: "sealed_leaf_then_close",
        about: "TLS 1.3: shows the leaf and closes before it signs",
        own: shown(Outcome::Stalled),
        full: Some(STALLED.in_version("1.3")),
        steps: |lab| {
            let flight = said(&[encrypted_extensions(), certificate13(leaf(lab))]);
            answering([Step::Sealed(vec![flight]), Step::Close])
        },
    },
    Script {
        name: "sealed_leaf_then_alert",
        about: "TLS 1.3: shows the leaf and sends an encrypted fatal alert 80, internal_error",
        own: shown(told(2, 80)),
        full: Some(alerted(2, 80).in_version("1.3")),
        steps: |lab| after_leaf(lab, inner(messages::ALERT, vec![2, 80])),
    },
    Script {
        name: "sealed_padding",
        about: "TLS 1.3: hides the leaf before 15,000 bytes of padding, which is allowed",
        own: shown(Outcome::Stalled),
        full: Some(STALLED.in_version("1.3")),
        steps: |lab| {
            let flight = said(&[encrypted_extensions(), certificate13(leaf(lab))]);
            let padded = Inner { padding: 15_000, ..flight };
            answering([Step::Sealed(vec![padded]), Step::Close])
        },
    },
    Script {
        name: "sealed_made_up_signature",
        about: "TLS 1.3: shows an indicator's leaf and signs without its key",
        own: UNPROVEN.ended(Outcome::Stalled),
        full: None,
        steps: |lab| {
            let copied = &lab.leaf(CertificateKind::IndicatorOne).der;
            let signature = [&[4, 3][..], &vector(2, &MADE_UP)].concat();
            let verify = message(CERTIFICATE_VERIFY, &signature);
            let flight = said(&[encrypted_extensions(), certificate13(copied), verify]);
            answering([Step::Sealed(vec![flight]), Step::Close])
        },
    },
    Script {
        name: "sealed_finished_unsigned",
        about: "TLS 1.3: shows the leaf and sends Finished where its signature belongs",
        own: shown(Outcome::Malformed),
        full: Some(MALFORMED.in_version("1.3")),
        steps: |lab| after_leaf(lab, said(&[message(FINISHED, &[0x5a; 32])])),
    },
    Script {
        name: "sealed_leaf_twice",
        about: "TLS 1.3: shows the leaf in two Certificate messages",
        own: shown(Outcome::Malformed),
        full: Some(MALFORMED.in_version("1.3")),
        steps: |lab| after_leaf(lab, said(&[certificate13(leaf(lab))])),
    },
    Script {
        name: "sealed_change_cipher_spec",
        about: "TLS 1.3: sends a ChangeCipherSpec inside the encryption",
        own: BROKEN,
        full: None,
        steps: |_| before_leaf(inner(CHANGE_CIPHER_SPEC, vec![1])),
    },
    Script {
        name: "sealed_empty",
        about: "TLS 1.3: sends an encrypted handshake record of no content, and closes",
        own: STALLED.in_version("1.3"),
        full: None,
        steps: |_| before_leaf(inner(HANDSHAKE, Vec::new())),
    },
    Script {
        name: "sealed_zeros",
        about: "TLS 1.3: sends an encrypted record of nothing but padding, without a type",
        own: BROKEN,
        full: None,
        steps: |_| before_leaf(Inner { padding: 99, ..inner(0, Vec::new()) }),
    },
    Script {
        name: "sealed_application_data",
        about: "TLS 1.3: sends application data before its certificate",
        own: BROKEN,
        full: None,
        steps: |_| before_leaf(inner(APPLICATION_DATA, b"hello".to_vec())),
    },
    Script {
        name: "sealed_alert",
        about: "TLS 1.3: sends an encrypted fatal alert 40, handshake_failure, before its certificate",
        own: alerted(2, 40).in_version("1.3"),
        full: None,
        steps: |_| before_leaf(inner(messages::ALERT, vec![2, 40])),
    },
    Script {
        name: "compression_bomb",
        about: "TLS 1.3: says that its compressed certificate has 16 MiB",
        own: TOO_LARGE.in_version("1.3"),
        full: Some(BROKEN),
        // RFC 8879, section 4: algorithm zlib, the length when uncompressed, the compressed message.
        steps: |_| {
            let body = [&[0, 1, 0xff, 0xff, 0xff][..], &vector(3, &[0x78; 1_000])].concat();
            before_leaf(said(&[message(25, &body)]))
        },
    },
    Script {
        name: "sealed_key_update",
        about: "TLS 1.3: sends a KeyUpdate in the middle of the handshake",
        own: BROKEN,
        full: None,
        steps: |_| before_leaf(said(&[message(24, &[0])])),
    },
    Script {
        name: "sealed_extensions_twice",
        about: "TLS 1.3: sends EncryptedExtensions 2,000 times",
        own: BROKEN,
        full: None,
        steps: |_| before_leaf(said(&vec![encrypted_extensions(); 2_000])),
    },
    Script {
        name: "sealed_leaf_length",
        about: "TLS 1.3: sends a certificate that is longer than the list it is in",
        own: BROKEN,
        full: None,
        steps: |_| {
            let body = [0, 0, 0, 6, 0, 0, 9, 7, 7, 7];
            before_leaf(said(&[message(messages::CERTIFICATE, &body)]))
        },
    },
];

/// The session identifier in the ClientHello that the record `hello` holds.
pub(in crate::lab) fn session_of(hello: &[u8]) -> Option<&[u8]> {
    // Record header, message header, version, random.
    Cursor(hello.get(5 + 4 + 2 + 32..)?).vector(1)
}

/// The client's share of X25519.
pub(in crate::lab) fn share_of(hello: &[u8]) -> Option<&[u8]> {
    let mut rest = Cursor(hello.get(5 + 4 + 2 + 32..)?);
    rest.vector(1)?; // session
    rest.vector(2)?; // suites
    rest.vector(1)?; // compression
    let mut extensions = Cursor(rest.vector(2)?);
    loop {
        let (code, content) = (extensions.number(2)?, extensions.vector(2)?);
        if code != usize::from(messages::KEY_SHARE) {
            continue;
        }
        let mut shares = Cursor(Cursor(content).vector(2)?);
        loop {
            let (group, share) = (shares.number(2)?, shares.vector(2)?);
            if group == usize::from(X25519) {
                return Some(share);
            }
        }
    }
}

/// Reads what clients of our own wrote; `None` where it is not as expected.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, octets: usize) -> Option<usize> {
        Some(self.take(octets)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn vector(&mut self, octets: usize) -> Option<&'a [u8]> {
        let length = self.number(octets)?;
        self.take(length)
    }
}

/// A ServerHello for the client of `hello`, and `records` encrypted for it.
pub(super) fn flight(hello: &[u8], records: &[Inner]) -> Option<Vec<u8>> {
    let ours = PrivateKey::generate(&agreement::X25519).ok()?;
    let theirs = UnparsedPublicKey::new(&agreement::X25519, share_of(hello)?);
    let share = ours.compute_public_key().ok()?;
    let answer = Hello {
        session: session_of(hello)?.to_vec(),
        ..Hello::new(messages::AES_128_GCM, &key_share(X25519, share.as_ref()))
    };
    let secret = agreement::agree(&ours, theirs, (), |shared| Ok(handshake_secret(shared))).ok()?;
    seal_all(&secret, hello, &answer.message(), records)
}

/// The ServerHello `answer` to the client of `hello`, and `records` encrypted for it.
pub(in crate::lab) fn seal_all(
    handshake_secret: &[u8],
    hello: &[u8],
    answer: &[u8],
    records: &[Inner],
) -> Option<Vec<u8>> {
    let mut transcript = digest::Context::new(&digest::SHA256);
    transcript.update(hello.get(5..)?);
    transcript.update(answer);
    let traffic = expand(handshake_secret, "s hs traffic", transcript.finish().as_ref(), 32);
    let key = expand(&traffic, "key", &[], 16);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    let iv = expand(&traffic, "iv", &[], 12);
    let mut flight = messages::handshake(answer);
    for (number, record) in records.iter().enumerate() {
        flight.extend(seal(&key, &iv, number as u64, record)?);
    }
    Some(flight)
}

/// The secret that all keys of a handshake come from (RFC 8446, section 7.1).
pub(in crate::lab) fn handshake_secret(shared: &[u8]) -> Vec<u8> {
    let early = extract(&[0; 32], &[0; 32]);
    let nothing = digest::digest(&digest::SHA256, &[]);
    extract(&expand(&early, "derived", nothing.as_ref(), 32), shared)
}

fn extract(salt: &[u8], secret: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), secret).as_ref().to_vec()
}

/// HKDF-Expand-Label of at most one hash's length.
fn expand(secret: &[u8], label: &str, context: &[u8], length: u16) -> Vec<u8> {
    let label = vector(1, &[b"tls13 ", label.as_bytes()].concat());
    let info = [&length.to_be_bytes()[..], &label, &vector(1, context), &[1]].concat();
    let mut out = extract(secret, &info);
    out.truncate(length.into());
    out
}

/// The record of that number, encrypted (RFC 8446, section 5.2).
fn seal(key: &LessSafeKey, iv: &[u8], number: u64, record: &Inner) -> Option<Vec<u8>> {
    let mut sealed = record.content.clone();
    sealed.push(record.kind);
    sealed.resize(sealed.len() + record.padding, 0);
    let mut nonce: [u8; 12] = iv.try_into().ok()?;
    for (byte, counted) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
        *byte ^= counted;
    }
    let length = ((sealed.len() + AES_128_GCM.tag_len()) as u16).to_be_bytes();
    let header = [&[APPLICATION_DATA, 3, 3][..], &length].concat();
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::from(&header), &mut sealed).ok()?;
    Some([header, sealed].concat())
}
