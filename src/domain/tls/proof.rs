//! Whether a signature over the handshake checks against the leaf's public key.
//!
//! The public key is read from the leaf by our own walk of the DER, so that certificates which a strict
//! parser refuses (version 1, serial zero, trailing bytes) can still prove their key.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use rustls::SignatureScheme;

use crate::domain::cert::{PublicKey, public_key};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

/// The schemes that are offered, in the order of preference. All but ECDSA with SHA-1 can be checked; that one
/// is offered because servers exist that sign with nothing else.
pub(super) const SCHEMES: [SignatureScheme; 12] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1_Legacy,
];

/// Whether `signature` over `message` was made with the private key of `leaf`; `None` where leaf and
/// scheme are of a kind, or the key of a size, that cannot be checked here.
///
/// `Some(false)` is an accusation, so everything that only means "we cannot tell" is `None`.
pub(super) fn check(
    leaf: &[u8],
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let key = public_key(leaf)?;
    let readable = ParsedPublicKey::new(algorithm(&key, scheme)?, key.key).ok()?;
    Some(readable.verify_sig(message, signature).is_ok())
}

/// The algorithm for `scheme` with a key of this kind. In TLS 1.2 the ECDSA code points name the hash
/// and leave the curve to the key (RFC 8422, section 5.1.1).
fn algorithm(
    key: &PublicKey<'_>,
    scheme: SignatureScheme,
) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureScheme as S;
    if key.algorithm == RSA || key.algorithm == RSA_PSS {
        return rsa(key.rsa_bits()?, scheme);
    }
    if key.algorithm == ED25519 && scheme == S::ED25519 {
        return Some(&signature::ED25519);
    }
    if key.algorithm != EC {
        return None;
    }
    Some(match (key.parameters?, scheme) {
        (P256, S::ECDSA_NISTP256_SHA256) => &signature::ECDSA_P256_SHA256_ASN1,
        (P256, S::ECDSA_NISTP384_SHA384) => &signature::ECDSA_P256_SHA384_ASN1,
        (P384, S::ECDSA_NISTP256_SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
        (P384, S::ECDSA_NISTP384_SHA384) => &signature::ECDSA_P384_SHA384_ASN1,
        (P521, S::ECDSA_NISTP256_SHA256) => &signature::ECDSA_P521_SHA256_ASN1,
        (P521, S::ECDSA_NISTP384_SHA384) => &signature::ECDSA_P521_SHA384_ASN1,
        (P521, S::ECDSA_NISTP521_SHA512) => &signature::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

/// The algorithm for `scheme` if it takes a modulus of `bits`.
fn rsa(bits: usize, scheme: SignatureScheme) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureScheme as S;
    // The code points for keys with the RSASSA-PSS identifier (RFC 8446, section 4.2.3) mean the same.
    let scheme = match u16::from(scheme) {
        pss @ 0x0809..=0x080b => S::from(pss - 5),
        _ => scheme,
    };
    let (least, algorithm): (_, &'static dyn VerificationAlgorithm) = match scheme {
        S::RSA_PSS_SHA256 => (2048, &signature::RSA_PSS_2048_8192_SHA256),
        S::RSA_PSS_SHA384 => (2048, &signature::RSA_PSS_2048_8192_SHA384),
        S::RSA_PSS_SHA512 => (2048, &signature::RSA_PSS_2048_8192_SHA512),
        S::RSA_PKCS1_SHA1 => (1024, &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        S::RSA_PKCS1_SHA256 => (1024, &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        S::RSA_PKCS1_SHA384 => (2048, &signature::RSA_PKCS1_2048_8192_SHA384),
        S::RSA_PKCS1_SHA512 => (1024, &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        _ => return None,
    };
    (least..=8192).contains(&bits).then_some(algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate with an RSA key of 1,024 bits, made with openssl; its private key was thrown away.
    const RSA_1024: &str = include_str!("rsa-1024.pem");

    #[test]
    fn what_cannot_be_checked_is_not_held_against_the_server() {
        let leaf = x509_parser::pem::parse_x509_pem(RSA_1024.as_bytes()).unwrap().1.contents;
        let with = |scheme| check(&leaf, scheme, b"handshake", &[1; 128]);
        for scheme in [
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED448,
        ] {
            assert_eq!(with(scheme), None, "{scheme:?}");
        }
        // These can be checked, and this is no signature.
        for scheme in [SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::RSA_PKCS1_SHA256] {
            assert_eq!(with(scheme), Some(false), "{scheme:?}");
        }
        assert_eq!(check(b"no certificate", SignatureScheme::ED25519, b"", b""), None);
    }
}
