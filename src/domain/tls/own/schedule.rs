//! The TLS 1.3 key schedule (RFC 8446, section 7) as far as a client needs it to read the server's flight.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{self, HKDF_SHA256, HKDF_SHA384, KeyType, Prk, Salt};

use super::records::{Record, Trouble};

/// A cipher suite of TLS 1.3.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    aead: &'static Algorithm,
    hkdf: hkdf::Algorithm,
    hash: &'static digest::Algorithm,
}

impl Suite {
    /// The suite with this code point, if it is one that was offered.
    pub(super) fn of(code: u16) -> Option<Self> {
        let (aead, hkdf, hash) = match code {
            0x1301 => (&AES_128_GCM, HKDF_SHA256, &digest::SHA256),
            0x1302 => (&AES_256_GCM, HKDF_SHA384, &digest::SHA384),
            0x1303 => (&CHACHA20_POLY1305, HKDF_SHA256, &digest::SHA256),
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

    /// The key that the server encrypts its flight with, from the shared `secret` and the transcript up to
    /// the ServerHello; `None` only if the library refuses a length.
    pub(super) fn server_key(self, secret: &[u8], transcript: &[u8]) -> Option<ServerKey> {
        let length = self.hash.output_len;
        let early = Salt::new(self.hkdf, &[]).extract(&vec![0; length]);
        let empty = digest::digest(self.hash, b"");
        let derived = expand(&early, b"derived", empty.as_ref(), length)?;
        let handshake = Salt::new(self.hkdf, &derived).extract(secret);
        let traffic = expand(&handshake, b"s hs traffic", transcript, length)?;
        let traffic = Prk::new_less_safe(self.hkdf, &traffic);
        let key = expand(&traffic, b"key", b"", self.aead.key_len())?;
        let iv = expand(&traffic, b"iv", b"", 12)?;
        Some(ServerKey {
            key: LessSafeKey::new(UnboundKey::new(self.aead, &key).ok()?),
            iv: iv.try_into().ok()?,
            sequence: 0,
        })
    }
}

/// What the server's encrypted records are opened with, in order.
pub(super) struct ServerKey {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

impl ServerKey {
    /// The content type and content of an encrypted record (RFC 8446, section 5.2).
    pub(super) fn open(&mut self, record: &Record) -> Result<(u8, Vec<u8>), Trouble> {
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        self.sequence += 1;
        let mut content = record.fragment.clone();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(record.header), &mut content)
            .map_err(|_| Trouble::Malformed)?;
        let end = plain.iter().rposition(|byte| *byte != 0).ok_or(Trouble::Malformed)?;
        let (kind, length) = (plain[end], end);
        content.truncate(length);
        Ok((kind, content))
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
