//! Names that a client sends to say which of its servers it wants (SNI).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::DnsName;

/// Characters of a name at most (RFC 1035, section 2.3.4, without the root's dot).
const LEN_MAX: usize = 253;

/// Characters of one label at most.
const LABEL_LEN_MAX: usize = 63;

/// A DNS name for the server_name extension (RFC 6066, section 3): ASCII, lower-case, no dot at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName(Arc<str>);

impl ServerName {
    /// Reads `name`; a dot at its end is dropped.
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever wrote it.
    pub fn new(name: &str) -> Result<Self, &'static str> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if !name.is_ascii() {
            return Err("is not ASCII; write an internationalised name as xn--...");
        }
        if name.parse::<IpAddr>().is_ok() {
            return Err("is an address; server names are DNS names");
        }
        if name.is_empty() || name.len() > LEN_MAX {
            return Err("does not have 1 to 253 characters");
        }
        if name.split('.').any(|label| label.is_empty() || label.len() > LABEL_LEN_MAX) {
            return Err("has a label that does not have 1 to 63 characters");
        }
        // Underscores are no part of host names and are met all the same.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err("has other characters than letters, digits, hyphens and dots");
        }
        if DnsName::try_from(name).is_err() {
            return Err("is no DNS name");
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for ServerName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_dns_spells_them() {
        let read = |name: &str| ServerName::new(name).map(|name| name.to_string());
        assert_eq!(read("VPN.Example.org."), Ok("vpn.example.org".to_owned()));
        assert_eq!(read("_x.softether.net"), Ok("_x.softether.net".to_owned()));
        for wrong in ["", ".", "a..b", "127.0.0.1", "::1", "b\u{fc}cher.de", "a b", "*.a.org"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&"a".repeat(64)).is_err());
        assert!(read(&"a.".repeat(127)).is_ok());
        assert!(read(&"ab.".repeat(86)).is_err());
    }
}
