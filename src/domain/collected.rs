//! Certificates that others collected: what their files say of them, and what of it may be believed.
//!
//! Where the certificate's bytes are at hand, we hash them, and what a file claims is only compared. Where a file
//! gives hashes alone, they are taken at its word, and match what a hash can match: nothing here was shown to us.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::address::Target;
use super::cert::Leaf;
use super::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};
use super::indicator::{Index, Match};
use super::record::SCHEMA;
use super::server_name::ServerName;
use super::time::Timestamp;

/// How much is known of what others collected. It is never *presented* or *proven*: we were not there.
pub const EVIDENCE: &str = "reported by others";

/// One certificate in somebody's file, with where and when it is said to have been seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// When it was seen, if the file says.
    pub time: Option<Timestamp>,
    /// Where, if the file says.
    pub address: Option<IpAddr>,
    /// On which port, if the file says; some name an address and no port.
    pub port: Option<u16>,
    /// The server name that was asked for, if the file says.
    pub server_name: Option<ServerName>,
    /// The certificate.
    pub certificate: Known,
}

/// What is known of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its bytes, hashed by us.
    Leaf(Arc<Leaf>),
    /// What a file says of it.
    Hashes(Box<Claims>),
}

/// What a file says of a certificate, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// SHA-1 of the DER.
    pub sha1: Option<Sha1Fingerprint>,
    /// SHA-256 of the DER.
    pub sha256: Option<Sha256Fingerprint>,
    /// SHA-256 of the SubjectPublicKeyInfo (RFC 5280, section 4.1).
    pub spki_sha256: Option<Sha256Fingerprint>,
    /// The subject, as the file writes it.
    pub subject: Option<String>,
    /// The issuer, likewise.
    pub issuer: Option<String>,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// Subject alternative names.
    pub names: Vec<String>,
    /// The serial number's octets in lower-case hex, as far as the file gives them.
    pub serial: Option<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
}

impl Claims {
    /// Whether a certificate can be told from others by what is said.
    pub const fn has_hash(&self) -> bool {
        self.sha1.is_some() || self.sha256.is_some()
    }

    /// The first hash that is not the one of `leaf`, in words.
    pub fn contradiction(&self, leaf: &Leaf) -> Option<String> {
        let says = |name: &str, claimed: &dyn std::fmt::Display, is: &dyn std::fmt::Display| {
            format!("the file says {name} {claimed}, but its certificate has {is}, which is taken")
        };
        if let Some(claimed) = self.sha1.filter(|claimed| *claimed != leaf.sha1) {
            return Some(says("SHA-1", &claimed, &leaf.sha1));
        }
        if let Some(claimed) = self.sha256.filter(|claimed| *claimed != leaf.sha256) {
            return Some(says("SHA-256", &claimed, &leaf.sha256));
        }
        let (claimed, is) = self.spki_sha256.zip(leaf.spki_sha256)?;
        (claimed != is).then(|| says("public key SHA-256", &claimed, &is))
    }
}

impl Known {
    /// SHA-1 of the certificate, if it is known.
    pub fn sha1(&self) -> Option<Sha1Fingerprint> {
        match self {
            Self::Leaf(leaf) => Some(leaf.sha1),
            Self::Hashes(claims) => claims.sha1,
        }
    }

    /// SHA-256 of the certificate, if it is known.
    pub fn sha256(&self) -> Option<Sha256Fingerprint> {
        match self {
            Self::Leaf(leaf) => Some(leaf.sha256),
            Self::Hashes(claims) => claims.sha256,
        }
    }

    /// The subject, if it is known.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Leaf(leaf) => leaf.description.subject.as_deref(),
            Self::Hashes(claims) => claims.subject.as_deref(),
        }
    }

    /// Start and end of validity, as far as they are known.
    pub fn validity(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::Leaf(leaf) => (leaf.description.not_before, leaf.description.not_after),
            Self::Hashes(claims) => (claims.not_before, claims.not_after),
        }
    }
}

impl Collected {
    /// A certificate of which nothing else is said.
    pub fn alone(certificate: Known) -> Self {
        Self { time: None, address: None, port: None, server_name: None, certificate }
    }

    /// Where it was seen, if both address and port are known.
    pub fn target(&self) -> Option<Target> {
        Some(Target::new(self.address?, self.port?))
    }

    /// Every indicator that it matches, the closest tier first: all tiers where its bytes are at hand, else what
    /// hashes can say, which is A and B.
    pub fn matches(&self, index: &Index) -> Vec<Match> {
        match &self.certificate {
            Known::Leaf(leaf) => index.matches(leaf),
            Known::Hashes(claims) => {
                index.matches_hashes(claims.sha1, claims.sha256, claims.spki_sha256)
            }
        }
    }
}

/// Where a collected certificate stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file, as it was named.
    pub file: &'a str,
    /// Its line, from 1; 1 for what has no lines.
    pub line: usize,
    /// The word for its format.
    pub format: &'a str,
    /// The name for where it was seen from.
    pub vantage: &'a str,
}

/// The record of a collected certificate and what it matches.
pub fn record(place: Place<'_>, seen: &Collected, index: &Index, matches: &[Match]) -> Value {
    let matched = matches.iter().map(|found| {
        json!({
            "set": found.set,
            "tier": found.tier.letter(),
            "indicator": found.indicator.to_string(),
            "label": found.label,
            "source": found.source,
        })
    });
    let reports = seen.address.map(|address| index.reported(address)).unwrap_or_default();
    let reported = reports.iter().map(|report| {
        json!({
            "set": report.set,
            "source": report.source,
            "first_seen": report.first_seen,
            "last_seen": report.last_seen,
        })
    });
    json!({
        "type": "collected",
        "schema": SCHEMA,
        "time": seen.time,
        "address": seen.address,
        "port": seen.port,
        "server_name": seen.server_name,
        "vantage": place.vantage,
        "format": place.format,
        "file": place.file,
        "line": place.line,
        "evidence": EVIDENCE,
        "certificate": certificate(&seen.certificate),
        "matches": matched.collect::<Vec<_>>(),
        "reported": reported.collect::<Vec<_>>(),
    })
}

fn certificate(known: &Known) -> Value {
    match known {
        Known::Leaf(leaf) => {
            let says = &leaf.description;
            json!({
                "sha1": leaf.sha1,
                "sha256": leaf.sha256,
                "spki_sha256": leaf.spki_sha256,
                "subject": says.subject,
                "issuer": says.issuer,
                "common_name": says.common_name,
                "names": says.names,
                "serial": says.serial,
                "not_before": says.not_before,
                "not_after": says.not_after,
                "der": data_encoding::BASE64.encode(&leaf.der),
            })
        }
        Known::Hashes(claims) => json!({
            "sha1": claims.sha1,
            "sha256": claims.sha256,
            "spki_sha256": claims.spki_sha256,
            "subject": claims.subject,
            "issuer": claims.issuer,
            "common_name": claims.common_name,
            "names": claims.names,
            "serial": claims.serial,
            "not_before": claims.not_before,
            "not_after": claims.not_after,
            "der": null,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::indicator::read;

    fn softether() -> Leaf {
        let pem = include_str!("cert/softether-default.pem");
        Leaf::new(x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents)
    }

    /// A set that names the leaf in every way there is.
    fn index(leaf: &Leaf) -> Index {
        let text = format!(
            "name = \"s\"\ntlp = \"clear\"\n[[source]]\nid = \"r\"\ntitle = \"t\"\n\
             [[template]]\ntemplate = \"softether\"\nsource = \"r\"\n\
             [[profile]]\nid = \"p\"\nsource = \"r\"\nrule = {{ serial = \"00\" }}\n\
             [[host_name]]\nname = \"VM\"\nsource = \"r\"\n\
             [[public_key]]\nspki_sha256 = \"{}\"\nsource = \"r\"\n\
             [[certificate]]\nsha1 = \"{}\"\nsource = \"r\"\n",
            leaf.spki_sha256.unwrap(),
            leaf.sha1
        );
        Index::new([&read("s.toml", &text).unwrap()])
    }

    fn tiers(known: Known, index: &Index) -> String {
        Collected::alone(known).matches(index).iter().map(|found| found.tier.letter()).collect()
    }

    #[test]
    fn bytes_match_at_every_tier_and_hashes_only_at_those_that_hashes_can() {
        let leaf = softether();
        let index = index(&leaf);
        let named = Claims {
            subject: leaf.description.subject.clone(),
            common_name: Some("VM".to_owned()),
            serial: Some("00".to_owned()),
            ..Claims::default()
        };
        let claims = |sha1, spki_sha256| {
            Known::Hashes(Box::new(Claims { sha1, spki_sha256, ..named.clone() }))
        };
        let other = Some(Sha1Fingerprint([7; 20]));
        assert_eq!(tiers(claims(Some(leaf.sha1), None), &index), "A");
        assert_eq!(tiers(claims(Some(leaf.sha1), leaf.spki_sha256), &index), "AB");
        assert_eq!(tiers(claims(other, leaf.spki_sha256), &index), "B");
        assert_eq!(tiers(claims(other, None), &index), "");
        assert_eq!(tiers(Known::Leaf(Arc::new(leaf)), &index), "ABCDE");
    }

    #[test]
    fn a_claim_that_is_not_true_of_the_bytes_is_told() {
        let leaf = softether();
        let mut claims = Claims { sha1: Some(leaf.sha1), ..Claims::default() };
        assert_eq!(claims.contradiction(&leaf), None);
        claims.sha256 = Some(Sha256Fingerprint([1; 32]));
        let told = claims.contradiction(&leaf).unwrap();
        let expected = format!(
            "the file says SHA-256 {}, but its certificate has {}, which is taken",
            "01".repeat(32),
            leaf.sha256
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn a_record_says_that_others_reported_it() {
        let leaf = softether();
        let index = index(&leaf);
        let claims = Claims { sha1: Some(leaf.sha1), ..Claims::default() };
        let seen = Collected {
            time: Some(Timestamp::from_seconds(1_795_486_704)),
            address: Some("192.0.2.7".parse().unwrap()),
            port: Some(5555),
            ..Collected::alone(Known::Hashes(Box::new(claims)))
        };
        let place = Place { file: "f", line: 3, format: "tlsx", vantage: "v" };
        let expected = format!(
            "{{\"type\":\"collected\",\"schema\":1,\"time\":\"2026-11-24T02:18:24.000Z\",\
             \"address\":\"192.0.2.7\",\"port\":5555,\"server_name\":null,\"vantage\":\"v\",\
             \"format\":\"tlsx\",\"file\":\"f\",\"line\":3,\"evidence\":\"reported by others\",\
             \"certificate\":{{\"sha1\":\"{0}\",\"sha256\":null,\"spki_sha256\":null,\"subject\":null,\
             \"issuer\":null,\"common_name\":null,\"names\":[],\"serial\":null,\"not_before\":null,\
             \"not_after\":null,\"der\":null}},\"matches\":[{{\"set\":\"s\",\"tier\":\"A\",\
             \"indicator\":\"sha1:{0}\",\"label\":null,\"source\":\"r\"}}],\"reported\":[]}}",
            leaf.sha1
        );
        assert_eq!(record(place, &seen, &index, &seen.matches(&index)).to_string(), expected);
    }
}
