//! The fields of the lab's certificates, apart from keys.

use std::time::Duration;

use rcgen::string::PrintableString;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, Error, SerialNumber,
    date_time_ymd,
};

/// As a web server's certificate: the host's name as common name and alternative name.
pub(super) fn web_server(host: &str) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new([host.to_owned()])?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, host);
    params.distinguished_name = name;
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    Ok(params)
}

/// As a web server's certificate, with an extension of 48 KiB that means nothing.
pub(super) fn huge(host: &str) -> Result<CertificateParams, Error> {
    // An arc that is set aside for examples (RFC 5612, section 2).
    const EXAMPLE: [u64; 8] = [1, 3, 6, 1, 4, 1, 32_473, 1];
    let mut params = web_server(host)?;
    let content = vec![0x30; 48 << 10];
    params.custom_extensions = vec![CustomExtension::from_oid_content(&EXAMPLE, content)];
    Ok(params)
}

/// As SoftEther writes for itself on a host of that name, byte for byte but for name, times and key.
///
/// The extensions are written as they are on the wire because rcgen would put them in another order,
/// mark keyUsage as critical and add a subjectKeyIdentifier.
pub(super) fn softether_default(host: &str) -> Result<CertificateParams, Error> {
    const TIME_OF_DAY: Duration = Duration::from_secs(2 * 3_600 + 18 * 60 + 24);
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, host);
    name.push(DnType::OrganizationName, host);
    name.push(DnType::OrganizationalUnitName, host);
    name.push(DnType::CountryName, DnValue::PrintableString(PrintableString::try_from("US")?));
    params.distinguished_name = name;
    params.serial_number = Some(SerialNumber::from(vec![0]));
    params.not_before = date_time_ymd(2026, 1, 1) + TIME_OF_DAY;
    params.not_after = date_time_ymd(2037, 12, 31) + TIME_OF_DAY;
    params.custom_extensions = vec![
        basic_constraints(),
        key_usage(),
        CustomExtension::from_oid_content(&[2, 5, 29, 37], extended_key_usages()),
    ];
    Ok(params)
}

/// Critical, `CA:TRUE` and no limit on the path's length.
fn basic_constraints() -> CustomExtension {
    let content = vec![0x30, 3, 0x01, 1, 0xff];
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 19], content);
    extension.set_criticality(true);
    extension
}

/// digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyCertSign and cRLSign:
/// bits 0 to 3, 5 and 6.
fn key_usage() -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![0x03, 2, 1, 0b1111_0110])
}

/// A sequence of 1.3.6.1.5.5.7.3.1 to 9: serverAuth, clientAuth, codeSigning, emailProtection,
/// three for IPsec, timeStamping and OCSPSigning.
fn extended_key_usages() -> Vec<u8> {
    let purposes =
        (1..=9).flat_map(|purpose| [0x06, 8, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, purpose]);
    [0x30, 90].into_iter().chain(purposes).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
    use x509_parser::pem::parse_x509_pem;
    use x509_parser::prelude::*;

    use super::*;

    /// Made by SoftEther 5.01.9674 for itself.
    const ORIGINAL: &str = include_str!("../../domain/cert/softether-default.pem");

    /// What all such certificates have in common: serial, kinds of names, extensions.
    fn common_parts(der: &[u8]) -> Vec<String> {
        let (_, certificate) = X509Certificate::from_der(der).unwrap();
        let mut parts = vec![format!("{:?}", certificate.raw_serial())];
        for name in certificate.subject().iter_attributes() {
            parts.push(format!("{} {}", name.attr_type(), name.attr_value().header.tag()));
        }
        for extension in certificate.extensions() {
            let (critical, value) = (extension.critical, extension.value);
            parts.push(format!("{} {critical} {value:?}", extension.oid));
        }
        parts
    }

    #[test]
    fn a_softether_default_has_the_originals_serial_extensions_and_kinds_of_names() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let made = softether_default("host").unwrap().self_signed(&key).unwrap();
        let original = parse_x509_pem(ORIGINAL.as_bytes()).unwrap().1.contents;
        assert_eq!(common_parts(made.der()), common_parts(&original));
        assert_eq!(common_parts(&original).len(), 8);
    }
}
