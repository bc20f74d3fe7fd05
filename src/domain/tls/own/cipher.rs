//! What a cipher suite of TLS 1.2 or older means, told from its registered name.

use super::aead;
use super::codepoints::{TLS10, TLS12, suite_name};
use super::prf::{Hash, Prf};

/// How client and server agree on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// The server's ephemeral elliptic-curve share, signed.
    Ecdhe,
    /// The server's ephemeral finite-field share, signed.
    Dhe,
    /// A secret encrypted for the server's key. Nothing is signed.
    Rsa,
    /// Static Diffie-Hellman or what we know nothing of. Nothing is signed.
    Other,
}

impl Exchange {
    /// The key exchange of `suite`.
    pub(super) fn of(suite: u16) -> Self {
        let name = suite_name(suite);
        match name.split_once("_WITH_") {
            Some(("TLS_RSA", _)) => Self::Rsa,
            Some((exchange, _)) if exchange.starts_with("TLS_ECDHE_") => Self::Ecdhe,
            Some((exchange, _)) if exchange.starts_with("TLS_DHE_") => Self::Dhe,
            _ => Self::Other,
        }
    }

    /// Whether the server signs its part of the exchange.
    pub(super) const fn is_signed(self) -> bool {
        matches!(self, Self::Ecdhe | Self::Dhe)
    }
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// A block cipher in CBC mode over content, MAC and padding (RFC 5246, section 6.2.3.2).
    Cbc(Block, Hash),
    /// A stream cipher, or none, over content and MAC (RFC 5246, section 6.2.3.1).
    Stream(Stream, Hash),
    /// Authenticated encryption (RFC 5246, section 6.2.3.3).
    Aead(aead::Algorithm),
}

/// A block cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Aes128,
    Aes256,
    TripleDes,
}

impl Block {
    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
            Self::TripleDes => 24,
        }
    }

    /// Bytes of a block, and of an initialisation vector.
    pub(super) const fn block_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes256 => 16,
            Self::TripleDes => 8,
        }
    }
}

/// A stream cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Null,
    Rc4,
}

/// A cipher suite whose records we can read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) protection: Protection,
    pub(super) prf: Prf,
}

impl Suite {
    /// The suite with this code point under `version`; `None` if its cipher is not spoken here.
    pub(super) fn of(code: u16, version: u16) -> Option<Self> {
        use aead::Algorithm as A;
        let name = suite_name(code);
        let (_, cipher) = name.split_once("_WITH_")?;
        let (protection, prf) = match cipher {
            "AES_128_CBC_SHA" => (Protection::Cbc(Block::Aes128, Hash::Sha1), Prf::Sha256),
            "AES_256_CBC_SHA" => (Protection::Cbc(Block::Aes256, Hash::Sha1), Prf::Sha256),
            "3DES_EDE_CBC_SHA" => (Protection::Cbc(Block::TripleDes, Hash::Sha1), Prf::Sha256),
            "AES_128_CBC_SHA256" => (Protection::Cbc(Block::Aes128, Hash::Sha256), Prf::Sha256),
            "AES_256_CBC_SHA256" => (Protection::Cbc(Block::Aes256, Hash::Sha256), Prf::Sha256),
            "AES_256_CBC_SHA384" => (Protection::Cbc(Block::Aes256, Hash::Sha384), Prf::Sha384),
            "RC4_128_MD5" => (Protection::Stream(Stream::Rc4, Hash::Md5), Prf::Sha256),
            "RC4_128_SHA" => (Protection::Stream(Stream::Rc4, Hash::Sha1), Prf::Sha256),
            "NULL_MD5" => (Protection::Stream(Stream::Null, Hash::Md5), Prf::Sha256),
            "NULL_SHA" => (Protection::Stream(Stream::Null, Hash::Sha1), Prf::Sha256),
            "NULL_SHA256" => (Protection::Stream(Stream::Null, Hash::Sha256), Prf::Sha256),
            "AES_128_GCM_SHA256" => (Protection::Aead(A::Aes128Gcm), Prf::Sha256),
            "AES_256_GCM_SHA384" => (Protection::Aead(A::Aes256Gcm), Prf::Sha384),
            "AES_128_CCM" => (Protection::Aead(A::Aes128Ccm), Prf::Sha256),
            "AES_256_CCM" => (Protection::Aead(A::Aes256Ccm), Prf::Sha256),
            "AES_128_CCM_8" => (Protection::Aead(A::Aes128Ccm8), Prf::Sha256),
            "AES_256_CCM_8" => (Protection::Aead(A::Aes256Ccm8), Prf::Sha256),
            "CHACHA20_POLY1305_SHA256" => (Protection::Aead(A::ChaCha20Poly1305), Prf::Sha256),
            _ => return None,
        };
        match version {
            TLS12 => Some(Self { protection, prf }),
            // What came with TLS 1.2 exists in no older version.
            TLS10.. if protection.is_old() => Some(Self { protection, prf: Prf::Md5Sha1 }),
            _ => None,
        }
    }
}

impl Protection {
    const fn is_old(self) -> bool {
        matches!(self, Self::Cbc(_, Hash::Sha1) | Self::Stream(_, Hash::Md5 | Hash::Sha1))
    }

    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Cbc(block, _) => block.key_len(),
            Self::Stream(Stream::Rc4, _) => 16,
            Self::Stream(Stream::Null, _) => 0,
            Self::Aead(algorithm) => algorithm.key_len(),
        }
    }

    pub(super) const fn mac_len(self) -> usize {
        match self {
            Self::Cbc(_, hash) | Self::Stream(_, hash) => hash.len(),
            Self::Aead(_) => 0,
        }
    }

    /// Bytes of the key block that begin each direction's initialisation vectors or nonces.
    pub(super) const fn iv_len(self) -> usize {
        match self {
            Self::Cbc(block, _) => block.block_len(),
            Self::Stream(..) => 0,
            Self::Aead(aead::Algorithm::ChaCha20Poly1305) => 12,
            Self::Aead(_) => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tls::own::codepoints::{SSL30, SUITES};

    #[test]
    fn key_exchanges_are_told_by_the_suite() {
        assert_eq!(Exchange::of(0xc02f), Exchange::Ecdhe);
        assert_eq!(Exchange::of(0xccaa), Exchange::Dhe);
        assert_eq!(Exchange::of(0x002f), Exchange::Rsa);
        assert_eq!(Exchange::of(0xc031), Exchange::Other, "static ECDH");
        assert_eq!(Exchange::of(0xe013), Exchange::Other, "unknown");
        assert_eq!(Exchange::of(0x1301), Exchange::Other, "TLS 1.3 has its own");
    }

    #[test]
    fn what_is_spoken_is_what_the_name_says() {
        let of = |code, version| Suite::of(code, version).map(|suite| suite.protection);
        assert_eq!(of(0x002f, TLS12), Some(Protection::Cbc(Block::Aes128, Hash::Sha1)));
        assert_eq!(of(0x000a, TLS10), Some(Protection::Cbc(Block::TripleDes, Hash::Sha1)));
        assert_eq!(of(0x0004, TLS10), Some(Protection::Stream(Stream::Rc4, Hash::Md5)));
        assert_eq!(of(0xc0a0, TLS12), Some(Protection::Aead(aead::Algorithm::Aes128Ccm8)));
        assert_eq!(of(0x009c, TLS10), None, "GCM came with TLS 1.2");
        assert_eq!(of(0x003c, TLS10), None, "SHA-256 came with TLS 1.2");
        assert_eq!(of(0x002f, SSL30), None);
        assert_eq!(of(0x0041, TLS12), None, "Camellia");
        assert_eq!(of(0x0003, TLS10), None, "export");
        assert_eq!(Suite::of(0x002f, TLS10).unwrap().prf, Prf::Md5Sha1);
        assert_eq!(Suite::of(0xc030, TLS12).unwrap().prf, Prf::Sha384);
        let spoken = SUITES.iter().filter(|code| Suite::of(**code, TLS12).is_some()).count();
        assert_eq!(spoken, 88);
    }

    #[test]
    fn key_blocks_have_room_for_what_the_cipher_needs() {
        let lengths = |code| {
            let protection = Suite::of(code, TLS12).unwrap().protection;
            (protection.mac_len(), protection.key_len(), protection.iv_len())
        };
        assert_eq!(lengths(0x000a), (20, 24, 8));
        assert_eq!(lengths(0x0005), (20, 16, 0));
        assert_eq!(lengths(0xc028), (48, 32, 16));
        assert_eq!(lengths(0xc02f), (0, 16, 4));
        assert_eq!(lengths(0xcca8), (0, 32, 12));
        assert_eq!(lengths(0x0001), (16, 0, 0));
    }
}
