//! The structure of the certificate that a SoftEther VPN server makes for itself.
//!
//! Since 4.06 (2014) both editions write X.509 version 3, serial number one zero octet, subject and
//! issuer `CN, O, OU, C` in this order with the host's name three times and `US`, and an end of
//! validity on 2037-12-31 at the time of day of its start (`SiGenerateDefaultCertEx`,
//! `NewRootX509` in SoftEther's sources).

use x509_parser::prelude::*;

/// basicConstraints, keyUsage, extKeyUsage: the extensions in the order written.
const EXTENSIONS: [&str; 3] = ["2.5.29.19", "2.5.29.15", "2.5.29.37"];

/// Whether `certificate` has the structure of a SoftEther default certificate.
///
/// The structure says what software made the certificate and nothing about whose it is.
pub(super) fn is_default(certificate: &X509Certificate<'_>) -> bool {
    certificate.version() == X509Version::V3
        && certificate.raw_serial() == [0]
        && certificate.subject().as_raw() == certificate.issuer().as_raw()
        && has_default_name(certificate.subject())
        && has_default_validity(certificate.validity())
        && certificate
            .extensions()
            .iter()
            .map(|extension| extension.oid.to_id_string())
            .eq(EXTENSIONS)
}

/// `CN=x, O=x, OU=x, C=US`, one attribute to an RDN, in this order.
fn has_default_name(name: &X509Name<'_>) -> bool {
    const ORDER: [&str; 4] = ["2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.6"];
    let attributes: Vec<_> = name
        .iter()
        .map(|rdn| {
            let mut attributes = rdn.iter();
            let first = attributes.next();
            (first, attributes.next().is_none())
        })
        .filter_map(|(first, single)| first.filter(|_| single))
        .map(|attribute| (attribute.attr_type().to_id_string(), attribute.attr_value().data))
        .collect();
    let in_order = attributes.iter().map(|(kind, _)| kind.as_str()).eq(ORDER);
    in_order
        && name.iter().count() == ORDER.len()
        && attributes[0].1 == attributes[1].1
        && attributes[1].1 == attributes[2].1
        && attributes[3].1 == b"US"
}

fn has_default_validity(validity: &Validity) -> bool {
    const DAY: i64 = 86_400;
    const LAST_DAY: i64 = 2_145_830_400; // 2037-12-31T00:00:00Z
    let (start, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    end.div_euclid(DAY) * DAY == LAST_DAY && start.rem_euclid(DAY) == end.rem_euclid(DAY)
}
