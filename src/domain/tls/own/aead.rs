//! Authenticated encryption, whichever library has it.
//!
//! GCM and ChaCha20-Poly1305 come from aws-lc-rs, which is fast and has no CCM; CCM comes from RustCrypto.

use aes::{Aes128, Aes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce};
use aws_lc_rs::aead::{Algorithm as Fast, UnboundKey};
use ccm::Ccm;
use ccm::aead::inout::InOutBuf;
use ccm::aead::{AeadInOut, KeyInit, Tag};
use ccm::consts::{U8, U12, U16};

/// An algorithm with nonces of 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes256Ccm,
    /// With a tag of 8 bytes (RFC 6655).
    Aes128Ccm8,
    /// With a tag of 8 bytes.
    Aes256Ccm8,
}

impl Algorithm {
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 | Self::Aes256Ccm | Self::Aes256Ccm8 => 32,
        }
    }

    /// Bytes that sealing adds.
    pub(super) const fn tag_len(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            _ => 16,
        }
    }
}

/// A key, ready for use.
pub(super) struct Key(Inner);

enum Inner {
    Fast(LessSafeKey),
    Ccm(Box<dyn Sealing>),
}

impl Key {
    /// `None` if `key` has not the algorithm's length.
    pub(super) fn new(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        Some(Self(match algorithm {
            Algorithm::Aes128Gcm => fast(&AES_128_GCM, key)?,
            Algorithm::Aes256Gcm => fast(&AES_256_GCM, key)?,
            Algorithm::ChaCha20Poly1305 => fast(&CHACHA20_POLY1305, key)?,
            Algorithm::Aes128Ccm => slow::<Ccm<Aes128, U16, U12>>(key)?,
            Algorithm::Aes256Ccm => slow::<Ccm<Aes256, U16, U12>>(key)?,
            Algorithm::Aes128Ccm8 => slow::<Ccm<Aes128, U8, U12>>(key)?,
            Algorithm::Aes256Ccm8 => slow::<Ccm<Aes256, U8, U12>>(key)?,
        }))
    }

    /// `content` encrypted, with its tag after it.
    pub(super) fn seal(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        mut content: Vec<u8>,
    ) -> Option<Vec<u8>> {
        match &self.0 {
            Inner::Fast(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut content).ok()?;
            }
            Inner::Ccm(key) => key.seal(nonce, aad, &mut content)?,
        }
        Some(content)
    }

    /// What was sealed, if it is authentic.
    pub(super) fn open(&self, nonce: [u8; 12], aad: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let length = self.open_in_place(nonce, aad, &mut sealed)?.len();
        sealed.truncate(length);
        Some(sealed)
    }

    /// The same where it stands.
    pub(super) fn open_in_place<'a>(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        match &self.0 {
            Inner::Fast(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(aad), sealed).ok()
            }
            Inner::Ccm(key) => key.open(nonce, aad, sealed),
        }
    }
}

fn fast(algorithm: &'static Fast, key: &[u8]) -> Option<Inner> {
    Some(Inner::Fast(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?)))
}

fn slow<C>(key: &[u8]) -> Option<Inner>
where
    C: AeadInOut<NonceSize = U12> + KeyInit + Send + 'static,
{
    Some(Inner::Ccm(Box::new(Slow(C::new_from_slice(key).ok()?))))
}

struct Slow<C>(C);

/// A key of RustCrypto's, whatever its type.
trait Sealing: Send {
    fn seal(&self, nonce: [u8; 12], aad: &[u8], content: &mut Vec<u8>) -> Option<()>;
    fn open<'a>(&self, nonce: [u8; 12], aad: &[u8], sealed: &'a mut [u8]) -> Option<&'a mut [u8]>;
}

impl<C: AeadInOut<NonceSize = U12> + Send> Sealing for Slow<C> {
    fn seal(&self, nonce: [u8; 12], aad: &[u8], content: &mut Vec<u8>) -> Option<()> {
        self.0.encrypt_in_place(&nonce.into(), aad, content).ok()
    }

    fn open<'a>(&self, nonce: [u8; 12], aad: &[u8], sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let content_len = sealed.len().checked_sub(size_of::<Tag<C>>())?;
        let (content, tag) = sealed.split_at_mut(content_len);
        let tag = Tag::<C>::try_from(&*tag).ok()?;
        let buffer = InOutBuf::from(&mut *content);
        self.0.decrypt_inout_detached(&nonce.into(), aad, buffer, &tag).ok()?;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Algorithm; 7] = [
        Algorithm::Aes128Gcm,
        Algorithm::Aes256Gcm,
        Algorithm::ChaCha20Poly1305,
        Algorithm::Aes128Ccm,
        Algorithm::Aes256Ccm,
        Algorithm::Aes128Ccm8,
        Algorithm::Aes256Ccm8,
    ];

    #[test]
    fn what_is_sealed_opens_once_nothing_is_changed() {
        for algorithm in ALL {
            let key = Key::new(algorithm, &vec![7; algorithm.key_len()]).unwrap();
            let sealed = key.seal([1; 12], b"header", b"content".to_vec()).unwrap();
            assert_eq!(sealed.len(), 7 + algorithm.tag_len(), "{algorithm:?}");
            assert_eq!(key.open([1; 12], b"header", sealed.clone()).unwrap(), b"content");
            assert_eq!(key.open([2; 12], b"header", sealed.clone()), None);
            assert_eq!(key.open([1; 12], b"other", sealed.clone()), None);
            assert_eq!(key.open([1; 12], b"header", sealed[1..].to_vec()), None);
            assert_eq!(key.open([1; 12], b"header", vec![]), None);
            assert!(Key::new(algorithm, &[7; 15]).is_none());
        }
    }
}
