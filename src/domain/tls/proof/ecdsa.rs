//! ECDSA signatures (RFC 8422, section 5.4) on the curves that certificates are made with.
//!
//! Up to TLS 1.2 any hash goes with any curve, more pairs than aws-lc-rs has algorithms for. But to the curve a hash is
//! a number, its leftmost bits as many as the order has (FIPS 186-5, section 6.4.2): so each hash is brought to the
//! length of the one hash whose algorithm is taken, with zeros in front or without its end, and stays the same number.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey};

use super::hash::Hash;
use super::{Check, Scheme};
use crate::domain::observation::Unproven;

const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Checks with the point `key` on the curve that `parameters` name; curves written out in full are not looked at.
pub(super) fn check(
    parameters: Option<&[u8]>,
    key: &[u8],
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> Result<Check, Unproven> {
    let (algorithm, length) = parameters.and_then(curve).ok_or(Unproven::KeyKind)?;
    let hash = hash(scheme).ok_or(Unproven::Scheme)?;
    let key = ParsedPublicKey::new(algorithm, key).map_err(|_| Unproven::KeyUnreadable)?;
    if !is_signature(signature) {
        return Err(Unproven::SignatureUnreadable);
    }
    let number = fitted(&hash.digest(message), length.output_len());
    let number = Digest::import_less_safe(&number, length).map_err(|_| Unproven::Scheme)?;
    Ok(Check::of(key.verify_digest_sig(&number, signature).is_ok()))
}

/// The algorithm for a named curve, and the hash that it takes: one no shorter than the order, or the longest.
fn curve(
    identifier: &[u8],
) -> Option<(&'static EcdsaVerificationAlgorithm, &'static digest::Algorithm)> {
    Some(match identifier {
        P256 => (&signature::ECDSA_P256_SHA256_ASN1, &digest::SHA256),
        P384 => (&signature::ECDSA_P384_SHA384_ASN1, &digest::SHA384),
        P521 => (&signature::ECDSA_P521_SHA512_ASN1, &digest::SHA512),
        _ => return None,
    })
}

/// The hash that `scheme` signs with ECDSA. In TLS 1.2 the code points leave the curve to the key (RFC 8422, section
/// 5.1.1); TLS 1.3 binds the two (RFC 8446, section 4.2.3), but a signature of another pair proves the key as well.
fn hash(scheme: Scheme) -> Option<Hash> {
    match scheme {
        Scheme::Legacy => Some(Hash::Sha1),
        Scheme::Named(code) => match code.to_be_bytes() {
            [hash, 3] => Hash::of(hash),
            _ => None,
        },
    }
}

/// The same number in `length` octets, or its leftmost ones.
fn fitted(hash: &[u8], length: usize) -> Vec<u8> {
    let mut fitted = vec![0; length.saturating_sub(hash.len())];
    fitted.extend(hash.iter().take(length));
    fitted
}

/// Whether this is the DER of two numbers that are not negative (RFC 8422, section 5.4), and nothing else.
fn is_signature(der: &[u8]) -> bool {
    let numbers = match element(der) {
        Some((SEQUENCE, content, [])) => content,
        _ => return false,
    };
    let Some((INTEGER, r, rest)) = element(numbers) else { return false };
    let Some((INTEGER, s, [])) = element(rest) else { return false };
    is_number(r) && is_number(s)
}

fn is_number(content: &[u8]) -> bool {
    match content {
        [] | [0x80..=0xff, ..] => false,
        [0, next, ..] => *next >= 0x80,
        [..] => true,
    }
}

/// Tag, content and rest of an element in DER; no signature is longer than a length of one octet can tell.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, content_on) = match der {
        [_, length @ 0..=0x7f, rest @ ..] | [_, 0x81, length @ 0x80..=0xff, rest @ ..] => {
            (*length, rest)
        }
        _ => return None,
    };
    let (content, rest) = content_on.split_at_checked(usize::from(length))?;
    Some((*der.first()?, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_strict_der_of_two_numbers() {
        let long =
            [&[SEQUENCE, 0x81, 0x86, INTEGER, 0x41][..], &[1; 0x41], &[INTEGER, 0x41], &[1; 0x41]];
        for good in [&[SEQUENCE, 6, INTEGER, 1, 1, INTEGER, 1, 0][..], &long.concat()] {
            assert!(is_signature(good), "{good:02x?}");
        }
        for bad in [
            &[][..],
            &[SEQUENCE],
            &[SEQUENCE, 0],
            &[SEQUENCE, 3, INTEGER, 1, 1],
            &[0x31, 6, INTEGER, 1, 1, INTEGER, 1, 1],
            &[SEQUENCE, 7, INTEGER, 1, 1, INTEGER, 1, 1],
            &[SEQUENCE, 6, INTEGER, 1, 1, INTEGER, 1, 1, 0],
            &[SEQUENCE, 0x81, 6, INTEGER, 1, 1, INTEGER, 1, 1],
            &[SEQUENCE, 6, INTEGER, 1, 0x80, INTEGER, 1, 1],
            &[SEQUENCE, 7, INTEGER, 2, 0, 1, INTEGER, 1, 1],
            &[SEQUENCE, 5, INTEGER, 0, INTEGER, 1, 1],
            &[SEQUENCE, 6, INTEGER, 1, 1, 4, 1, 1],
            &[SEQUENCE, 9, INTEGER, 1, 1, INTEGER, 1, 1, INTEGER, 1, 1],
        ] {
            assert!(!is_signature(bad), "{bad:02x?}");
        }
    }

    #[test]
    fn hashes_keep_their_number() {
        assert_eq!(fitted(&[1, 2], 4), [0, 0, 1, 2]);
        assert_eq!(fitted(&[1, 2, 3], 3), [1, 2, 3]);
        assert_eq!(fitted(&[1, 2, 3], 2), [1, 2]);
    }
}
