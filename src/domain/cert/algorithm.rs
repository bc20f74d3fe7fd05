//! Keys and signature algorithms by their usual names.
//!
//! The tables hold the identifiers' content octets. What is in no table is told by its identifier.

use super::der::{Element, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, bits, dotted};
use super::spki::PublicKey;

/// id-ecPublicKey (RFC 5480, section 2.1.1).
pub(in crate::domain) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
/// rsaEncryption: an RSA key for any use (RFC 8017, appendix A.1).
pub(in crate::domain) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// id-RSASSA-PSS: an RSA key that signs in that way only (RFC 8017, appendix A.2.3).
pub(in crate::domain) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// Keys of one size (RFC 8410, RFC 9215, RFC 9881, GM/T 0006).
const KEYS: [(&[u8], &str); 12] = [
    (&[0x2b, 0x65, 110], "X25519"),
    (&[0x2b, 0x65, 111], "X448"),
    (&[0x2b, 0x65, 112], "Ed25519"),
    (&[0x2b, 0x65, 113], "Ed448"),
    (&[0x2a, 0x85, 0x03, 2, 2, 20], "GOST R 34.10-94"),
    (&[0x2a, 0x85, 0x03, 2, 2, 19], "GOST R 34.10-2001"),
    (&[0x2a, 0x85, 0x03, 7, 1, 1, 1, 1], "GOST R 34.10-2012-256"),
    (&[0x2a, 0x85, 0x03, 7, 1, 1, 1, 2], "GOST R 34.10-2012-512"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], "ML-DSA-44"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], "ML-DSA-65"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], "ML-DSA-87"),
    (&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d], "SM2"),
];

/// Named curves (SEC 2, RFC 5639).
const CURVES: [(&[u8], &str); 23] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "P-256"),
    (&[0x2b, 0x81, 4, 0, 34], "P-384"),
    (&[0x2b, 0x81, 4, 0, 35], "P-521"),
    (&[0x2b, 0x81, 4, 0, 33], "P-224"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1], "P-192"),
    (&[0x2b, 0x81, 4, 0, 10], "secp256k1"),
    (&[0x2b, 0x81, 4, 0, 31], "secp192k1"),
    (&[0x2b, 0x81, 4, 0, 32], "secp224k1"),
    (&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d], "SM2"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 1], "brainpoolP160r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 2], "brainpoolP160t1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 3], "brainpoolP192r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 4], "brainpoolP192t1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 5], "brainpoolP224r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 6], "brainpoolP224t1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], "brainpoolP256r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 8], "brainpoolP256t1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 9], "brainpoolP320r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 10], "brainpoolP320t1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11], "brainpoolP384r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 12], "brainpoolP384t1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13], "brainpoolP512r1"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 14], "brainpoolP512t1"),
];

/// Signature algorithms (RFC 8017, 5758, 8410, 9215, 9881; OIW for the last).
const SIGNATURES: [(&[u8], &str); 30] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], "sha256WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2], "md2WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 3], "md4WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], "md5WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], "sha1WithRSAEncryption"),
    (RSA_PSS, "rsassaPss"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], "sha384WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], "sha512WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14], "sha224WithRSAEncryption"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], "ecdsa-with-SHA1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1], "ecdsa-with-SHA224"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], "ecdsa-with-SHA256"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], "ecdsa-with-SHA384"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], "ecdsa-with-SHA512"),
    (&[0x2b, 0x65, 112], "Ed25519"),
    (&[0x2b, 0x65, 113], "Ed448"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], "dsa-with-SHA1"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 1], "dsa-with-SHA224"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2], "dsa-with-SHA256"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 3], "dsa-with-SHA384"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 4], "dsa-with-SHA512"),
    (&[0x2a, 0x85, 0x03, 2, 2, 4], "GOST R 34.10-94"),
    (&[0x2a, 0x85, 0x03, 2, 2, 3], "GOST R 34.10-2001"),
    (&[0x2a, 0x85, 0x03, 7, 1, 1, 3, 2], "GOST R 34.10-2012-256"),
    (&[0x2a, 0x85, 0x03, 7, 1, 1, 3, 3], "GOST R 34.10-2012-512"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], "ML-DSA-44"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], "ML-DSA-65"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], "ML-DSA-87"),
    (&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75], "SM2-with-SM3"),
    (&[0x2b, 0x0e, 3, 2, 29], "sha1WithRSA"),
];

fn named(table: &[(&[u8], &'static str)], identifier: &[u8]) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == identifier).map(|(_, name)| *name)
}

/// The signature algorithm with this identifier.
pub(super) fn signature_name(identifier: &[u8]) -> String {
    named(&SIGNATURES, identifier).map_or_else(|| dotted(identifier), str::to_owned)
}

/// `RSA-2048`, `P-256`, `DSA-1024`, `Ed25519`, or the algorithm's identifier.
pub(super) fn key_name(key: &PublicKey<'_>) -> String {
    let sized = |name: &str, bits: Option<usize>| match bits {
        Some(bits) => format!("{name}-{bits}"),
        None => name.to_owned(),
    };
    match key.algorithm {
        RSA => sized("RSA", key.rsa_bits()),
        RSA_PSS => sized("RSA-PSS", key.rsa_bits()),
        DSA => sized("DSA", key.parameters.and_then(first_integer).and_then(bits)),
        EC => curve_name(key.parameters.unwrap_or_default()),
        other => named(&KEYS, other).map_or_else(|| dotted(other), str::to_owned),
    }
}

/// The curve of ECParameters (RFC 3279, section 2.3.5): named, or explicit with the size of its field.
fn curve_name(parameters: &[u8]) -> String {
    if let Some(name) = named(&CURVES, parameters) {
        return name.to_owned();
    }
    match explicit_field(parameters) {
        Some(Some(bits)) => format!("EC explicit {bits} bits"),
        Some(None) => "EC explicit".to_owned(),
        None if parameters.is_empty() => "EC".to_owned(),
        None => format!("EC {}", dotted(parameters)),
    }
}

/// The bits of the prime field of explicit parameters; a field of another kind has none here.
fn explicit_field(parameters: &[u8]) -> Option<Option<usize>> {
    const PRIME_FIELD: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 1];
    let version = Element::read(parameters).filter(|version| version.tag == INTEGER)?;
    let kind = Element::read(Element::read(version.rest)?.inside(SEQUENCE)?)?;
    let prime = kind.inside(OBJECT_IDENTIFIER)? == PRIME_FIELD;
    Some(first_integer(kind.rest).filter(|_| prime).and_then(bits))
}

fn first_integer(content: &[u8]) -> Option<&[u8]> {
    Element::read(content)?.inside(INTEGER)
}
