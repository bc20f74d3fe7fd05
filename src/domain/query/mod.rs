//! What people look for in a ledger, and what leads from one certificate to others.
//!
//! Everything that is asked must hold. Nothing here knows how a ledger is stored.

mod changed;
mod found;
mod hash;
mod pattern;
mod pivot;
mod timeline;

pub use changed::{Changed, Difference, What};
pub use found::{Certificate, Found, Matched, Seer};
pub use hash::{HashPrefix, Which};
pub use pattern::Pattern;
pub use pivot::{Traits, Why, reasons};
pub use timeline::{Stretch, Visited, stretches};

use super::indicator::Tier;
use super::ports::PortSet;
use super::ranges::Range;
use super::time::Timestamp;

/// What is looked for. What is `None` or empty asks nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The beginning of a hash of the certificate or of its public key.
    pub hashes: Vec<HashPrefix>,
    /// Where it was seen.
    pub ranges: Vec<Range>,
    /// On which ports.
    pub ports: Option<PortSet>,
    /// Its common name, or one of its alternative names.
    pub name: Option<Pattern>,
    /// Its issuer.
    pub issuer: Option<Pattern>,
    /// Its serial number, hex octets in lower case.
    pub serial: Option<String>,
    /// The indicator set that it matches.
    pub set: Option<String>,
    /// The tiers, one of which it matches at.
    pub tiers: Vec<Tier>,
    /// The interval in which it was seen reaches into this time: from, until, both included.
    pub seen: (Option<Timestamp>, Option<Timestamp>),
    /// Whose sightings count.
    pub by: By,
}

/// Whose sightings are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Own scans, and what others collected.
    #[default]
    All,
    /// Own scans.
    Scans,
    /// What others collected.
    Imports,
}

/// A serial number as people write it, `0A:1B`, `0a1b` or `0x0a1b`, as hex octets in lower case.
///
/// # Errors
/// What is expected, if `text` is something else.
pub fn serial(text: &str) -> Result<String, String> {
    let bare = text.trim();
    let bare = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")).unwrap_or(bare);
    let digits: String = bare.chars().filter(|char| !matches!(char, ':' | ' ')).collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("'{text}' is no serial number: expected hex octets such as 0a:1b"));
    }
    let padding = if digits.len() % 2 == 1 { "0" } else { "" };
    Ok(format!("{padding}{}", digits.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_read_in_every_spelling() {
        for text in ["0A:1B", "0a1b", "0x0A1B", " 0a 1b ", "a1b"] {
            assert_eq!(serial(text).unwrap(), "0a1b", "{text}");
        }
        assert_eq!(serial("0").unwrap(), "00");
        assert_eq!(
            serial("12g").unwrap_err(),
            "'12g' is no serial number: expected hex octets such as 0a:1b"
        );
        assert!(serial("").is_err());
    }
}
