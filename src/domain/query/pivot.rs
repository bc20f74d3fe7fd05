//! What leads from one certificate to others: the same key, the same family of names, the same template.
//!
//! Each is a reason to look, and none is a verdict. The key is the only one that an operator cannot share by accident;
//! names and templates are what a program or a habit made, and thousands may have them.

use std::fmt;

use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;

/// What of a certificate leads to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: Option<Sha256Fingerprint>,
    /// The subject's first common name.
    pub common_name: Option<String>,
    /// The kind of key.
    pub key: Option<String>,
    /// The signature algorithm.
    pub signature_algorithm: Option<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// Whether subject and issuer are the same name.
    pub self_signed: Option<bool>,
    /// Whether it has the structure of SoftEther's default certificate.
    pub softether_default: bool,
}

/// Why one certificate leads to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The public key is the same.
    SameKey,
    /// The common name is the same.
    SameName,
    /// The common names differ in their digits only: what they have in common, digits as `#`.
    NameFamily(String),
    /// Both have the structure of SoftEther's default certificate.
    SoftetherTemplate,
    /// Both are self-signed, with the same kind of key, signature algorithm and length of validity.
    SameTemplate(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameKey => f.write_str("same key"),
            Self::SameName => f.write_str("same name"),
            Self::NameFamily(family) => write!(f, "name family {family}"),
            Self::SoftetherTemplate => f.write_str("SoftEther default template"),
            Self::SameTemplate(template) => write!(f, "same template ({template})"),
        }
    }
}

/// Why `of` leads to `other`, the strongest first; empty if nothing does.
pub fn reasons(of: &Traits, other: &Traits) -> Vec<Why> {
    let mut reasons = Vec::new();
    if of.spki_sha256.is_some() && of.spki_sha256 == other.spki_sha256 {
        reasons.push(Why::SameKey);
    }
    if let (Some(name), Some(others)) = (&of.common_name, &other.common_name) {
        if name.eq_ignore_ascii_case(others) {
            reasons.push(Why::SameName);
        } else if let Some(family) = family(name)
            && self::family(others).as_ref() == Some(&family)
        {
            reasons.push(Why::NameFamily(family));
        }
    }
    if of.softether_default && other.softether_default {
        reasons.push(Why::SoftetherTemplate);
    } else if let Some(template) = template(of)
        && self::template(other).as_ref() == Some(&template)
    {
        reasons.push(Why::SameTemplate(template));
    }
    reasons
}

/// `vpn437972693.sednc.cn` as `vpn#.sednc.cn`; `None` where there are no digits, or nothing else.
fn family(name: &str) -> Option<String> {
    let mut family = String::with_capacity(name.len());
    for char in name.chars() {
        if !char.is_ascii_digit() {
            family.extend(char.to_lowercase());
        } else if !family.ends_with('#') {
            family.push('#');
        }
    }
    let has_letters = family.chars().any(char::is_alphabetic);
    (has_letters && family.contains('#')).then_some(family)
}

/// How a self-signed certificate was made; what an authority signs, it makes alike for everybody.
fn template(of: &Traits) -> Option<String> {
    if of.self_signed != Some(true) {
        return None;
    }
    let (key, signature) = (of.key.as_ref()?, of.signature_algorithm.as_ref()?);
    let seconds = (of.not_after?.micros().checked_sub(of.not_before?.micros())?) / 1_000_000;
    // To the second: that is what programs count, and a day could be any.
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let rest = if rest == 0 { String::new() } else { format!(" and {rest} s") };
    Some(format!("self-signed, {key}, {signature}, {days} days{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(name: &str, key: u8) -> Traits {
        Traits {
            spki_sha256: Some(Sha256Fingerprint([key; 32])),
            common_name: Some(name.to_owned()),
            key: Some("RSA-2048".to_owned()),
            signature_algorithm: Some("sha256WithRSAEncryption".to_owned()),
            not_before: Some(Timestamp::from_seconds(1_000)),
            not_after: Some(Timestamp::from_seconds(1_000 + 3_650 * 86_400)),
            self_signed: Some(true),
            softether_default: false,
        }
    }

    fn words(of: &Traits, other: &Traits) -> Vec<String> {
        reasons(of, other).iter().map(Why::to_string).collect()
    }

    #[test]
    fn each_reason_is_told_the_strongest_first() {
        let seed = traits("vpn437972693.sednc.cn", 1);
        assert_eq!(
            words(&seed, &traits("VPN1.sednc.cn", 1)),
            [
                "same key",
                "name family vpn#.sednc.cn",
                "same template (self-signed, RSA-2048, sha256WithRSAEncryption, 3650 days)"
            ]
        );
        let signed = Traits { self_signed: Some(false), ..traits("Vpn437972693.sednc.cn", 2) };
        assert_eq!(words(&seed, &signed), ["same name"]);
        let default = Traits { softether_default: true, ..traits("host", 3) };
        assert_eq!(
            words(&default, &default.clone()),
            ["same key", "same name", "SoftEther default template"]
        );
    }

    #[test]
    fn what_is_alike_for_everybody_leads_nowhere() {
        let signed = |name, key| Traits { self_signed: Some(false), ..traits(name, key) };
        assert_eq!(words(&signed("a.example", 1), &signed("b.example", 2)), [""; 0]);
        // Addresses have no letters: they would all be one family.
        assert_eq!(words(&signed("192.0.2.1", 1), &signed("192.0.2.2", 2)), [""; 0]);
        let unknown = Traits::default();
        assert_eq!(words(&unknown, &unknown.clone()), [""; 0]);
        let later = Traits { not_after: Some(Timestamp::from_seconds(1)), ..traits("x", 2) };
        assert_eq!(words(&traits("y", 1), &later), [""; 0]);
    }
}
