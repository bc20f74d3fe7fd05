//! The TLS 1.3 key schedule (RFC 8446, section 7) as far as a client needs it to read the
//! server's flight and to answer it.

use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{self, HKDF_SHA256, HKDF_SHA384, KeyType, Prk, Salt};
use hmac::Hmac;
use sha2::{Sha256, Sha384};

use super::aead::{self, Algorithm};
use super::codepoints::{TLS12, content};
use super::prf::mac;
use super::records::{Record, Trouble, record};

/// A cipher suite of TLS 1.3.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    aead: Algorithm,
    hkdf: hkdf::Algorithm,
    hash: &'static digest::Algorithm,
}

impl Suite {
    /// The suite with this code point, if it is one that was offered (RFC 8446, appendix B.4).
    pub(super) fn of(code: u16) -> Option<Self> {
        let (aead, hkdf, hash) = match code {
            0x1301 => (Algorithm::Aes128Gcm, HKDF_SHA256, &digest::SHA256),
            0x1302 => (Algorithm::Aes256Gcm, HKDF_SHA384, &digest::SHA384),
            0x1303 => (Algorithm::ChaCha20Poly1305, HKDF_SHA256, &digest::SHA256),
            0x1304 => (Algorithm::Aes128Ccm, HKDF_SHA256, &digest::SHA256),
            0x1305 => (Algorithm::Aes128Ccm8, HKDF_SHA256, &digest::SHA256),
            _ => return None,
        };
        Some(Self { aead, hkdf, hash })
    }

    /// An empty transcript.
    pub(super) fn transcript(self) -> digest::Context {
        digest::Context::new(self.hash)
    }

    /// What stands for the first ClientHello after a HelloRetryRequest (RFC 8446, section 4.4.1).
    pub(super) fn message_hash(self, client_hello: &[u8]) -> Vec<u8> {
        let hash = digest::digest(self.hash, client_hello);
        [&[254, 0, 0, hash.as_ref().len() as u8], hash.as_ref()].concat()
    }

    /// The secrets of a handshake, from the shared `secret` and the transcript up to the ServerHello; `None`
    /// only if the library refuses a length.
    pub(super) fn secrets(self, secret: &[u8], transcript: &[u8]) -> Option<Secrets> {
        let early = Salt::new(self.hkdf, &[]).extract(&vec![0; self.hash.output_len]);
        let empty = digest::digest(self.hash, b"");
        let derived = expand(&early, b"derived", empty.as_ref(), self.hash.output_len)?;
        let handshake = Salt::new(self.hkdf, &derived).extract(secret);
        Some(Secrets { suite: self, handshake, transcript: transcript.to_vec() })
    }
}

/// What the keys of both sides come from while the handshake lasts.
pub(super) struct Secrets {
    suite: Suite,
    handshake: Prk,
    transcript: Vec<u8>,
}

impl Secrets {
    /// What the server encrypts and finishes with.
    pub(super) fn server(&self) -> Option<Traffic> {
        self.traffic(b"s hs traffic")
    }

    /// What the client does.
    pub(super) fn client(&self) -> Option<Traffic> {
        self.traffic(b"c hs traffic")
    }

    fn traffic(&self, label: &[u8]) -> Option<Traffic> {
        let Suite { aead, hkdf, hash } = self.suite;
        let secret = expand(&self.handshake, label, &self.transcript, hash.output_len)?;
        let traffic = Prk::new_less_safe(hkdf, &secret);
        let key = expand(&traffic, b"key", b"", aead.key_len())?;
        let iv = expand(&traffic, b"iv", b"", 12)?.try_into().ok()?;
        let key = aead::Key::new(aead, &key)?;
        Some(Traffic { suite: self.suite, secret: traffic, key, iv, sequence: 0 })
    }
}

/// One side's keys for its handshake records, in order.
pub(super) struct Traffic {
    suite: Suite,
    secret: Prk,
    key: aead::Key,
    iv: [u8; 12],
    sequence: u64,
}

impl Traffic {
    /// The content type and content of an encrypted record (RFC 8446, section 5.2).
    pub(super) fn open(&mut self, record: &Record) -> Result<(u8, Vec<u8>), Trouble> {
        let nonce = self.nonce();
        let mut plain = self
            .key
            .open(nonce, &record.header, record.fragment.clone())
            .ok_or(Trouble::Malformed)?;
        let end = plain.iter().rposition(|byte| *byte != 0).ok_or(Trouble::Malformed)?;
        let kind = plain[end];
        plain.truncate(end);
        Ok((kind, plain))
    }

    /// `content` of this type as an encrypted record.
    pub(super) fn seal(&mut self, kind: u8, content: &[u8]) -> Option<Vec<u8>> {
        let nonce = self.nonce();
        let inner = [content, &[kind]].concat();
        let length = (inner.len() + self.suite.aead.tag_len()) as u16;
        let [high, low] = length.to_be_bytes();
        let header = [content::APPLICATION_DATA, 3, 3, high, low];
        let sealed = self.key.seal(nonce, &header, inner)?;
        Some(record(content::APPLICATION_DATA, TLS12, &sealed))
    }

    /// The content of this side's Finished after a transcript of this hash (RFC 8446, section 4.4.4).
    pub(super) fn verify_data(&self, transcript: &[u8]) -> Option<Vec<u8>> {
        let key = expand(&self.secret, b"finished", b"", self.suite.hash.output_len)?;
        Some(match self.suite.hash.output_len {
            48 => mac::<Hmac<Sha384>>(&key, &[transcript]),
            _ => mac::<Hmac<Sha256>>(&key, &[transcript]),
        })
    }

    fn nonce(&mut self) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        self.sequence += 1;
        nonce
    }
}

/// HKDF-Expand-Label (RFC 8446, section 7.1).
fn expand(secret: &Prk, label: &[u8], context: &[u8], length: usize) -> Option<Vec<u8>> {
    let lengths = [(length >> 8) as u8, length as u8, 6 + label.len() as u8];
    let info = [&lengths, &b"tls13 "[..], label, &[context.len() as u8], context];
    let mut out = vec![0; length];
    secret.expand(&info, Length(length)).ok()?.fill(&mut out).ok()?;
    Some(out)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
