//! What a certificate says of itself, in words.

use x509_parser::prelude::*;
use x509_parser::public_key::PublicKey as ParsedKey;

use super::softether;
use crate::domain::text::one_line;
use crate::domain::time::Timestamp;

/// A leaf's own account of itself. Nothing here is proven, and all of it is chosen by the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The subject, `CN=…, O=…` in the order written.
    pub subject: Option<String>,
    /// The issuer, likewise.
    pub issuer: Option<String>,
    /// The subject's first common name.
    pub common_name: Option<String>,
    /// DNS names and addresses of the subject alternative name extension.
    pub names: Vec<String>,
    /// The serial number's content octets, in hex.
    pub serial: Option<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// `RSA-2048`, `P-256`, `Ed25519`, or the algorithm's identifier.
    pub key: Option<String>,
    /// The signature algorithm's usual name, or its identifier.
    pub signature_algorithm: Option<String>,
    /// Whether subject and issuer are the same name.
    pub self_signed: Option<bool>,
    /// Whether it has the structure of SoftEther's default certificate.
    pub softether_default: bool,
    /// Why fields are missing.
    pub parse_error: Option<String>,
}

impl Description {
    /// Describes `der`. Total: whatever the bytes are, there is a description.
    pub fn read(der: &[u8]) -> Self {
        match X509Certificate::from_der(der) {
            Ok((rest, certificate)) => {
                let mut description = Self::of(&certificate);
                if !rest.is_empty() {
                    description.parse_error =
                        Some(format!("{} bytes after the certificate", rest.len()));
                }
                description
            }
            Err(error) => {
                Self { parse_error: Some(one_line(&error.to_string())), ..Self::default() }
            }
        }
    }

    fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        let common_name =
            certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        Self {
            subject: Some(distinguished_name(certificate.subject())),
            issuer: Some(distinguished_name(certificate.issuer())),
            common_name: common_name.map(str::to_owned),
            names: alternative_names(certificate),
            serial: Some(data_encoding::HEXLOWER.encode(certificate.raw_serial())),
            not_before: Some(Timestamp::from_seconds(validity.not_before.timestamp())),
            not_after: Some(Timestamp::from_seconds(validity.not_after.timestamp())),
            key: Some(key_name(certificate.public_key())),
            signature_algorithm: Some(signature_name(&certificate.signature_algorithm.algorithm)),
            self_signed: Some(certificate.subject().as_raw() == certificate.issuer().as_raw()),
            softether_default: softether::is_default(certificate),
            parse_error: None,
        }
    }
}

/// The name as text; where x509-parser cannot write it, its bytes in hex.
fn distinguished_name(name: &X509Name<'_>) -> String {
    name.to_string_with_registry(oid_registry())
        .unwrap_or_else(|_| format!("#{}", data_encoding::HEXLOWER.encode(name.as_raw())))
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(octets) => address(octets),
            _ => None,
        })
        .collect()
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    <[u8; 16]>::try_from(octets).ok().map(|v6| std::net::Ipv6Addr::from(v6).to_string())
}

fn key_name(spki: &SubjectPublicKeyInfo<'_>) -> String {
    const CURVES: [(&str, &str); 4] = [
        ("1.2.840.10045.3.1.7", "P-256"),
        ("1.3.132.0.34", "P-384"),
        ("1.3.132.0.35", "P-521"),
        ("1.3.132.0.10", "secp256k1"),
    ];
    let algorithm = spki.algorithm.algorithm.to_id_string();
    match (algorithm.as_str(), spki.parsed()) {
        ("1.3.101.112", _) => "Ed25519".to_owned(),
        ("1.3.101.113", _) => "Ed448".to_owned(),
        (_, Ok(ParsedKey::RSA(key))) => format!("RSA-{}", key.key_size()),
        ("1.2.840.10045.2.1", _) => {
            let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            let curve = curve.map(|oid| oid.to_id_string()).unwrap_or_default();
            CURVES
                .iter()
                .find(|(id, _)| *id == curve)
                .map_or_else(|| format!("EC {curve}"), |(_, name)| (*name).to_owned())
        }
        ("1.2.840.10040.4.1", _) => "DSA".to_owned(),
        (identifier, _) => identifier.to_owned(),
    }
}

fn signature_name(identifier: &x509_parser::der_parser::oid::Oid<'_>) -> String {
    let id = identifier.to_id_string();
    let name = match id.as_str() {
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        _ => return id,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default certificate that SoftEther 5.01.9674 made for itself, its key thrown away.
    const SOFTETHER: &str = include_str!("softether-default.pem");

    fn softether_der() -> Vec<u8> {
        x509_parser::pem::parse_x509_pem(SOFTETHER.as_bytes()).unwrap().1.contents
    }

    #[test]
    fn a_softether_default_certificate_is_described_in_full() {
        let description = Description::read(&softether_der());
        assert_eq!(description.subject.as_deref(), Some("CN=vm, O=vm, OU=vm, C=US"));
        assert_eq!(description.issuer, description.subject);
        assert_eq!(description.common_name.as_deref(), Some("vm"));
        assert_eq!(description.serial.as_deref(), Some("00"));
        assert_eq!(description.key.as_deref(), Some("RSA-2048"));
        assert_eq!(description.signature_algorithm.as_deref(), Some("sha256WithRSAEncryption"));
        assert_eq!(description.self_signed, Some(true));
        let not_after = description.not_after.map(|moment| moment.to_string());
        assert_eq!(not_after.as_deref(), Some("2037-12-31T02:18:24.000Z"));
        assert!(description.softether_default);
        assert_eq!(description.parse_error, None);
    }

    #[test]
    fn trailing_bytes_are_said_and_the_rest_is_still_described() {
        let description = Description::read(&[softether_der(), vec![0, 0]].concat());
        assert_eq!(description.parse_error.as_deref(), Some("2 bytes after the certificate"));
        assert_eq!(description.common_name.as_deref(), Some("vm"));
    }

    #[test]
    fn bytes_that_are_no_certificate_have_a_reason_and_nothing_else() {
        for bytes in [&b""[..], b"not a certificate", &softether_der()[..400]] {
            let description = Description::read(bytes);
            assert!(description.parse_error.is_some());
            assert_eq!(Description { parse_error: None, ..description }, Description::default());
        }
    }
}
