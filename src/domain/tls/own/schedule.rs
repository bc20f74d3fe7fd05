//! The TLS 1.3 key schedule (RFC 8446, section 7) as far as a client needs it to read the
//! server's flight and to answer it.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256, Sha384};

use super::aead::{self, Algorithm};
use super::codepoints::{TLS12, content};
use super::records::{Record, Trouble, record};

/// A cipher suite of TLS 1.3.
#[derive(Clone, Copy)]
pub(super) struct Suite {
    aead: Algorithm,
    hash: Hash,
}

/// The hash of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// Bytes of its output.
    const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// An empty transcript.
    pub(super) fn transcript(self) -> Transcript {
        match self {
            Self::Sha256 => Transcript::Sha256(Sha256::new()),
            Self::Sha384 => Transcript::Sha384(Sha384::new()),
        }
    }

    /// The key schedule up to where the shared secret comes in, which is the same for every handshake; `None` only
    /// if the library refuses a length.
    pub(super) fn beginning(self) -> Option<Beginning> {
        let early = Keyed::new(self, &[])?.mac(&[&[0; 48][..self.len()]]);
        let empty = self.transcript().hash();
        let derived =
            Keyed::new(self, early.as_ref())?.expand(b"derived", empty.as_ref(), self.len());
        Keyed::new(self, derived.as_ref()).map(Beginning)
    }
}

impl Suite {
    /// The suite with this code point, if it is one that was offered (RFC 8446, appendix B.4).
    pub(super) const fn of(code: u16) -> Option<Self> {
        let (aead, hash) = match code {
            0x1301 => (Algorithm::Aes128Gcm, Hash::Sha256),
            0x1302 => (Algorithm::Aes256Gcm, Hash::Sha384),
            0x1303 => (Algorithm::ChaCha20Poly1305, Hash::Sha256),
            0x1304 => (Algorithm::Aes128Ccm, Hash::Sha256),
            0x1305 => (Algorithm::Aes128Ccm8, Hash::Sha256),
            _ => return None,
        };
        Some(Self { aead, hash })
    }

    /// Its hash.
    pub(super) const fn hash(self) -> Hash {
        self.hash
    }

    /// An empty transcript.
    pub(super) fn transcript(self) -> Transcript {
        self.hash.transcript()
    }

    /// What stands for the first ClientHello after a HelloRetryRequest (RFC 8446, section 4.4.1).
    pub(super) fn message_hash(self, client_hello: &[u8]) -> Vec<u8> {
        let mut transcript = self.transcript();
        transcript.update(client_hello);
        let hash = transcript.hash();
        [&[254, 0, 0, hash.as_ref().len() as u8], hash.as_ref()].concat()
    }

    /// The secrets of a handshake, from the shared `secret` and the hash of the transcript up to the ServerHello;
    /// `None` only if the library refuses a length.
    pub(super) fn secrets(self, secret: &[u8], transcript: Digest) -> Option<Secrets> {
        self.hash.beginning()?.secrets(self, secret, transcript)
    }
}

/// The hash over the handshake messages so far.
#[derive(Clone)]
pub(super) enum Transcript {
    Sha256(Sha256),
    Sha384(Sha384),
}

impl Transcript {
    pub(super) fn update(&mut self, message: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(message),
            Self::Sha384(hash) => hash.update(message),
        }
    }

    /// The hash of what came so far.
    pub(super) fn hash(&self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest::of(&hash.clone().finalize()),
            Self::Sha384(hash) => Digest::of(&hash.clone().finalize()),
        }
    }
}

/// What a hash or an HMAC gave, or its first bytes.
#[derive(Clone, Copy)]
pub(super) struct Digest {
    bytes: [u8; 48],
    len: usize,
}

impl Digest {
    fn of(output: &[u8]) -> Self {
        let (mut bytes, len) = ([0; 48], output.len().min(48));
        bytes[..len].copy_from_slice(&output[..len]);
        Self { bytes, len }
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// HMAC with a key that has been taken in, so that it costs nothing any more.
#[derive(Clone)]
enum Keyed {
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
}

impl Keyed {
    fn new(hash: Hash, key: &[u8]) -> Option<Self> {
        Some(match hash {
            Hash::Sha256 => Self::Sha256(Hmac::new_from_slice(key).ok()?),
            Hash::Sha384 => Self::Sha384(Hmac::new_from_slice(key).ok()?),
        })
    }

    fn mac(&self, parts: &[&[u8]]) -> Digest {
        fn with<M: Mac + Clone>(mac: &M, parts: &[&[u8]]) -> Digest {
            let mut mac = mac.clone();
            parts.iter().for_each(|part| mac.update(part));
            Digest::of(&mac.finalize().into_bytes())
        }
        match self {
            Self::Sha256(mac) => with(mac, parts),
            Self::Sha384(mac) => with(mac, parts),
        }
    }

    /// HKDF-Expand-Label (RFC 8446, section 7.1) of no more bytes than the hash has: one round of HKDF-Expand (RFC
    /// 5869, section 2.3).
    fn expand(&self, label: &[u8], context: &[u8], length: usize) -> Digest {
        let lengths = [(length >> 8) as u8, length as u8, 6 + label.len() as u8];
        let context_len = [context.len() as u8];
        let mut output = self.mac(&[&lengths, b"tls13 ", label, &context_len, context, &[1]]);
        output.len = output.len.min(length);
        output
    }
}

/// The key schedule before the shared secret (RFC 8446, section 7.1).
#[derive(Clone)]
pub(super) struct Beginning(Keyed);

impl Beginning {
    /// The secrets of a handshake with `suite`, whose hash this must be.
    pub(super) fn secrets(
        &self,
        suite: Suite,
        secret: &[u8],
        transcript: Digest,
    ) -> Option<Secrets> {
        let handshake = Keyed::new(suite.hash, self.0.mac(&[secret]).as_ref())?;
        Some(Secrets { suite, handshake, transcript })
    }
}

/// What the keys of both sides come from while the handshake lasts.
pub(super) struct Secrets {
    suite: Suite,
    handshake: Keyed,
    transcript: Digest,
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
        let Suite { aead, hash } = self.suite;
        let secret = self.handshake.expand(label, self.transcript.as_ref(), hash.len());
        let secret = Keyed::new(hash, secret.as_ref())?;
        let key = aead::Key::new(aead, secret.expand(b"key", b"", aead.key_len()).as_ref())?;
        let iv = *secret.expand(b"iv", b"", 12).as_ref().first_chunk()?;
        Some(Traffic { suite: self.suite, secret, key, iv, sequence: 0 })
    }
}

/// One side's keys for its handshake records, in order.
pub(super) struct Traffic {
    suite: Suite,
    secret: Keyed,
    key: aead::Key,
    iv: [u8; 12],
    sequence: u64,
}

impl Traffic {
    /// The content type and content of an encrypted record (RFC 8446, section 5.2).
    pub(super) fn open(&mut self, record: &Record) -> Result<(u8, Vec<u8>), Trouble> {
        let mut plain = record.fragment.clone();
        let (kind, length) = self.open_in_place(&record.header, &mut plain)?;
        plain.truncate(length);
        Ok((kind, plain))
    }

    /// The same of a record with this `header`: its content comes to stand where it was `sealed`, in so many bytes.
    pub(super) fn open_in_place(
        &mut self,
        header: &[u8; 5],
        sealed: &mut [u8],
    ) -> Result<(u8, usize), Trouble> {
        let nonce = self.nonce();
        let plain = self.key.open_in_place(nonce, header, sealed).ok_or(Trouble::Malformed)?;
        let end = plain.iter().rposition(|byte| *byte != 0).ok_or(Trouble::Malformed)?;
        Ok((plain[end], end))
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
    pub(super) fn verify_data(&self, transcript: Digest) -> Option<Vec<u8>> {
        let hash = self.suite.hash;
        let key = self.secret.expand(b"finished", b"", hash.len());
        Some(Keyed::new(hash, key.as_ref())?.mac(&[transcript.as_ref()]).as_ref().to_vec())
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
