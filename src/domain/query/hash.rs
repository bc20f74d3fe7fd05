//! The beginning of a hash, as reports shorten them.

use std::fmt;
use std::str::FromStr;

/// Digits below which a beginning says too little: any four of them match one certificate in 65,536.
const DIGITS_MIN: usize = 4;

/// Which hash is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Any of the others that is long enough.
    Any,
    /// SHA-1 of the certificate.
    Sha1,
    /// SHA-256 of the certificate.
    Sha256,
    /// SHA-256 of its SubjectPublicKeyInfo.
    Spki,
}

impl Which {
    /// Octets in a whole one.
    const fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Any | Self::Sha256 | Self::Spki => 32,
        }
    }
}

/// The beginning of a hash, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashPrefix {
    which: Which,
    /// Hex digits in lower case.
    digits: String,
}

impl HashPrefix {
    /// Which hash it is the beginning of.
    pub const fn which(&self) -> Which {
        self.which
    }

    /// Whether a hash of `octets` octets may begin so.
    pub fn fits(&self, octets: usize) -> bool {
        self.digits.len() <= octets * 2
    }

    /// The first and the last hash of `octets` octets that begin so; none if it is longer.
    pub fn bounds(&self, octets: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        self.fits(octets).then(|| (self.filled(octets, b'0'), self.filled(octets, b'f')))
    }

    fn filled(&self, octets: usize, with: u8) -> Vec<u8> {
        let digit = |at: usize| {
            let digit = self.digits.as_bytes().get(at).copied().unwrap_or(with);
            (digit as char).to_digit(16).unwrap_or(0) as u8
        };
        (0..octets).map(|at| digit(at * 2) << 4 | digit(at * 2 + 1)).collect()
    }
}

/// `sha1:7992c0a8`.
impl fmt::Display for HashPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.which {
            Which::Any => "",
            Which::Sha1 => "sha1:",
            Which::Sha256 => "sha256:",
            Which::Spki => "spki:",
        };
        write!(f, "{kind}{}", self.digits)
    }
}

/// `7992c0a8`, `79:92:C0:A8`, `sha1:7992c0a8`, `sha256:...`, `spki:...`, `SHA1 Fingerprint=...`.
impl FromStr for HashPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (which, rest) = kind(text.trim());
        let digits: String = rest
            .chars()
            .filter(|char| !matches!(char, ':' | ' '))
            .map(|char| char.to_ascii_lowercase())
            .collect();
        if let Some(wrong) = digits.chars().find(|char| !char.is_ascii_hexdigit()) {
            return Err(format!("'{text}' is no hash: '{}' is no hex digit", wrong.escape_debug()));
        }
        let most = which.octets() * 2;
        if !(DIGITS_MIN..=most).contains(&digits.len()) {
            let count = digits.len();
            return Err(format!(
                "'{text}' has {count} hex digits: expected {DIGITS_MIN} to {most} of them"
            ));
        }
        Ok(Self { which, digits })
    }
}

/// Which hash a text says it is, and what is left of it.
fn kind(text: &str) -> (Which, &str) {
    const NAMES: [(&str, Which); 7] = [
        ("spki_sha256", Which::Spki),
        ("spki", Which::Spki),
        ("key", Which::Spki),
        ("sha-256", Which::Sha256),
        ("sha256", Which::Sha256),
        ("sha-1", Which::Sha1),
        ("sha1", Which::Sha1),
    ];
    for (name, which) in NAMES {
        let Some(begin) = text.get(..name.len()) else { continue };
        if begin.eq_ignore_ascii_case(name) {
            let rest = text[name.len()..].trim_start();
            let rest = match rest.get(..11) {
                Some(word) if word.eq_ignore_ascii_case("fingerprint") => &rest[11..],
                _ => rest,
            };
            return (which, rest.trim_start().trim_start_matches([':', '=']));
        }
    }
    (Which::Any, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<HashPrefix>().map(|prefix| prefix.to_string())
    }

    #[test]
    fn every_spelling_is_the_same_beginning() {
        for text in ["7992c0a8", "79:92:C0:A8", " 7992 c0a8 "] {
            assert_eq!(read(text).as_deref(), Ok("7992c0a8"), "{text}");
        }
        for text in ["sha1:7992c0a8", "SHA1 Fingerprint=79:92:C0:A8", "sha-1: 7992C0A8"] {
            assert_eq!(read(text).as_deref(), Ok("sha1:7992c0a8"), "{text}");
        }
        for text in ["spki:7992c0a8", "spki_sha256:7992c0a8", "key:7992c0a8"] {
            assert_eq!(read(text).as_deref(), Ok("spki:7992c0a8"), "{text}");
        }
        assert_eq!(read("sha256=7992c0a8").as_deref(), Ok("sha256:7992c0a8"));
    }

    #[test]
    fn bounds_hold_what_begins_so_and_nothing_else() {
        let prefix: HashPrefix = "7992c".parse().unwrap();
        let (first, last) = prefix.bounds(20).unwrap();
        assert_eq!((first.len(), last.len()), (20, 20));
        assert_eq!(
            (&first[..4], &last[..4]),
            (&[0x79, 0x92, 0xc0, 0][..], &[0x79, 0x92, 0xcf, 255][..])
        );
        let whole: HashPrefix = "ab".repeat(32).parse().unwrap();
        assert_eq!(whole.bounds(20), None);
        assert_eq!(whole.bounds(32), Some((vec![0xab; 32], vec![0xab; 32])));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        assert_eq!(read("799").unwrap_err(), "'799' has 3 hex digits: expected 4 to 64 of them");
        let long = format!("sha1:{}", "a".repeat(41));
        assert_eq!(
            read(&long).unwrap_err(),
            format!("'{long}' has 41 hex digits: expected 4 to 40 of them")
        );
        assert_eq!(read("sedns.cn").unwrap_err(), "'sedns.cn' is no hash: 's' is no hex digit");
    }
}
