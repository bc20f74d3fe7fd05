//! Fingerprints: the hash of a leaf certificate's DER bytes exactly as they were received.

use std::fmt;

use data_encoding::HEXLOWER;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A SHA-1 digest (FIPS 180-4) of a certificate's DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha1Fingerprint(pub [u8; 20]);

/// A SHA-256 digest (FIPS 180-4) of a certificate's DER, of a public key, of a scope or of a plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Fingerprint(pub [u8; 32]);

impl Sha1Fingerprint {
    /// The SHA-1 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha1::digest(bytes).into())
    }
}

impl Sha256Fingerprint {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

macro_rules! lower_hex {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

lower_hex!(Sha1Fingerprint);
lower_hex!(Sha256Fingerprint);

/// A fingerprint of either kind, as a report prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fingerprint {
    /// 40 hex digits.
    Sha1(Sha1Fingerprint),
    /// 64 hex digits.
    Sha256(Sha256Fingerprint),
}

/// `sha1:…` or `sha256:…`, the spelling that records use.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1(hash) => write!(f, "sha1:{hash}"),
            Self::Sha256(hash) => write!(f, "sha256:{hash}"),
        }
    }
}

/// Why a text is not a fingerprint. `at` counts characters from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// A character that no spelling of a fingerprint holds.
    #[error("'{}' is no hex digit", .found.escape_debug())]
    NotHex {
        /// The character found.
        found: char,
        /// Where it stands.
        at: usize,
    },
    /// A number of digits that belongs to neither hash, or not to the one named.
    #[error("{digits} hex digits, where {expected}")]
    Length {
        /// How many hex digits there were.
        digits: usize,
        /// What would have been right.
        expected: &'static str,
    },
}

impl FingerprintError {
    /// The character, counted from 0, that the error is about.
    pub fn at(&self) -> usize {
        match self {
            Self::NotHex { at, .. } => *at,
            Self::Length { .. } => 0,
        }
    }
}

const EITHER: &str = "a SHA-1 fingerprint has 40 and a SHA-256 fingerprint 64";

impl std::str::FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads every common spelling: either case, with colons, spaces or hyphens between digits, after
    /// `sha1:`, `SHA-256 Fingerprint=` and the like. The number of digits tells the hash.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (named, digits_from) = algorithm_prefix(text);
        let mut digits = Vec::with_capacity(64);
        for (at, found) in text.chars().enumerate().skip(digits_from) {
            match found {
                ':' | ' ' | '-' | '\t' => {}
                _ => match found.to_digit(16) {
                    Some(value) => digits.push(value as u8),
                    None => return Err(FingerprintError::NotHex { found, at }),
                },
            }
        }
        let length = |expected| FingerprintError::Length { digits: digits.len(), expected };
        match (named, digits.len()) {
            (Some(Algorithm::Sha1) | None, 40) => Ok(Self::Sha1(Sha1Fingerprint(packed(&digits)))),
            (Some(Algorithm::Sha256) | None, 64) => {
                Ok(Self::Sha256(Sha256Fingerprint(packed(&digits))))
            }
            (Some(Algorithm::Sha1), _) => Err(length("a SHA-1 fingerprint has 40")),
            (Some(Algorithm::Sha256), _) => Err(length("a SHA-256 fingerprint has 64")),
            (None, _) => Err(length(EITHER)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Sha256,
}

/// The algorithm that a prefix names, and the character that the digits begin at.
fn algorithm_prefix(text: &str) -> (Option<Algorithm>, usize) {
    let lower = text.to_ascii_lowercase();
    let spellings = [
        ("sha256", Algorithm::Sha256),
        ("sha-256", Algorithm::Sha256),
        ("sha1", Algorithm::Sha1),
        ("sha-1", Algorithm::Sha1),
    ];
    for (word, algorithm) in spellings {
        let Some(rest) = lower.trim_start().strip_prefix(word) else { continue };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("fingerprint").unwrap_or(rest).trim_start();
        if let Some(digits) = rest.strip_prefix([':', '=']) {
            return (Some(algorithm), lower.chars().count() - digits.chars().count());
        }
    }
    (None, 0)
}

/// Hex digit values, two to a byte. The caller has counted them.
fn packed<const N: usize>(digits: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "7992c0a816246b287d991c4ecf68f2d32e4bca18";

    fn read(text: &str) -> Result<String, FingerprintError> {
        text.parse::<Fingerprint>().map(|fingerprint| fingerprint.to_string())
    }

    #[test]
    fn every_spelling_is_the_same_fingerprint() {
        let colons = "79:92:C0:A8:16:24:6B:28:7D:99:1C:4E:CF:68:F2:D3:2E:4B:CA:18";
        for text in [
            PRINTED.to_owned(),
            PRINTED.to_uppercase(),
            colons.to_owned(),
            colons.replace(':', " "),
            format!("sha1:{PRINTED}"),
            format!("SHA1:{colons}"),
            format!("SHA1 Fingerprint={colons}"),
            format!("sha-1: {PRINTED}"),
            format!("  {PRINTED} "),
        ] {
            assert_eq!(read(&text), Ok(format!("sha1:{PRINTED}")), "{text:?}");
        }
        let sha256 = PRINTED.repeat(2)[..64].to_owned();
        for text in [sha256.clone(), format!("sha256:{sha256}"), format!("SHA-256={sha256}")] {
            assert_eq!(read(&text), Ok(format!("sha256:{sha256}")), "{text:?}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_where() {
        let short = read(&PRINTED[1..]).unwrap_err();
        assert_eq!(short.to_string(), format!("39 hex digits, where {EITHER}"));
        let named = read(&format!("sha256:{PRINTED}")).unwrap_err();
        assert_eq!(named.to_string(), "40 hex digits, where a SHA-256 fingerprint has 64");
        let letter = read(&PRINTED.replace("c0", "cO")).unwrap_err();
        assert_eq!(letter, FingerprintError::NotHex { found: 'O', at: 5 });
        let prefixed = read("sha1:zz").unwrap_err();
        assert_eq!(prefixed.at(), 5);
        assert!(read("").is_err());
    }

    #[test]
    fn hashes_agree_with_the_published_vectors() {
        // FIPS 180-4 examples: the three bytes "abc".
        assert_eq!(
            Sha1Fingerprint::of(b"abc").to_string(),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert_eq!(
            Sha256Fingerprint::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
