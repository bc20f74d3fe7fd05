//! The public key of a certificate.
//!
//! Servers show certificates that strict parsers refuse; the public key is wanted even then, to check
//! the server's signature and to recognise the same key in another certificate.

use super::der::{BIT_STRING, Element, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, bits};
use super::walk::Fields;

/// A public key as a certificate holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// The whole SubjectPublicKeyInfo, tag and length included.
    pub spki: &'a [u8],
    /// The algorithm's object identifier, content octets only.
    pub algorithm: &'a [u8],
    /// The content octets of the algorithm's parameters, if it has any: a curve's identifier.
    pub parameters: Option<&'a [u8]>,
    /// The key's bits, without the count of unused ones.
    pub key: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// The key in a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    pub(super) fn within(spki: Element<'a>) -> Option<Self> {
        let algorithm = Element::read(spki.inside(SEQUENCE)?)?;
        let identifier = Element::read(algorithm.inside(SEQUENCE)?)?;
        let key = Element::read(algorithm.rest)?.inside(BIT_STRING)?;
        Some(Self {
            spki: spki.whole,
            algorithm: identifier.inside(OBJECT_IDENTIFIER)?,
            parameters: Element::read(identifier.rest).map(|parameters| parameters.content),
            key: key.split_first()?.1,
        })
    }

    /// Modulus and exponent of an RSA key (RFC 8017, appendix A.1.1), big-endian without leading zeros, or `None` if
    /// it is no RSA key. Neither is empty; neither is bounded.
    pub fn rsa_numbers(&self) -> Option<(&'a [u8], &'a [u8])> {
        let modulus = Element::read(Element::read(self.key)?.inside(SEQUENCE)?)?;
        let exponent = Element::read(modulus.rest)?;
        Some((positive(modulus.inside(INTEGER)?)?, positive(exponent.inside(INTEGER)?)?))
    }

    /// How many bits an RSA key's modulus has, or `None` if it is no RSA key.
    pub fn rsa_bits(&self) -> Option<usize> {
        self.rsa_numbers().and_then(|(modulus, _)| bits(modulus))
    }
}

/// The octets of an integer without leading zeros; `None` for zero.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    integer.get(integer.iter().position(|octet| *octet != 0)?..)
}

/// The public key of the certificate `der`, or `None` where the nesting up to it is not a certificate's.
pub fn public_key(der: &[u8]) -> Option<PublicKey<'_>> {
    PublicKey::within(Fields::of(der).spki?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLICIT_VERSION: u8 = 0xa0;

    /// A certificate's nesting with nothing in its fields but the key: Ed25519 (RFC 8410).
    fn certificate(version: bool) -> Vec<u8> {
        let seq = |content: Vec<u8>| [vec![SEQUENCE, content.len() as u8], content].concat();
        let spki = seq([seq(vec![6, 3, 0x2b, 0x65, 0x70]), vec![3, 3, 0, 0xaa, 0xbb]].concat());
        let mut fields = if version { vec![EXPLICIT_VERSION, 3, 2, 1, 2] } else { vec![] };
        fields.extend([2, 1, 0]);
        for _ in 0..4 {
            fields.extend([SEQUENCE, 0]);
        }
        fields.extend(spki);
        seq(seq(fields))
    }

    #[test]
    fn finds_the_key_with_and_without_a_version() {
        for version in [true, false] {
            let der = certificate(version);
            let key = public_key(&der).unwrap();
            assert_eq!(key.algorithm, [0x2b, 0x65, 0x70]);
            assert_eq!(key.key, [0xaa, 0xbb]);
            assert_eq!(key.parameters, None);
            assert_eq!(key.spki.len(), 14);
        }
    }

    #[test]
    fn rsa_keys_are_two_numbers() {
        let numbers = |key: &[u8]| {
            let key = PublicKey { spki: &[], algorithm: &[], parameters: None, key };
            key.rsa_numbers().map(|(modulus, exponent)| (modulus.to_vec(), exponent.to_vec()))
        };
        assert_eq!(numbers(&[SEQUENCE, 6, INTEGER, 1, 5, INTEGER, 1, 3]), Some((vec![5], vec![3])));
        let padded = [SEQUENCE, 9, INTEGER, 3, 0, 0x80, 1, INTEGER, 2, 0, 3];
        assert_eq!(numbers(&padded), Some((vec![0x80, 1], vec![3])));
        assert_eq!(numbers(&[4, 1, 2]), None);
        assert_eq!(numbers(&[SEQUENCE, 3, INTEGER, 1, 5]), None, "no exponent");
        assert_eq!(numbers(&[SEQUENCE, 6, INTEGER, 1, 0, INTEGER, 1, 3]), None, "zero");
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_survived() {
        let der = certificate(true);
        for length in 0..der.len() {
            assert_eq!(public_key(&der[..length]), None, "{length}");
        }
        for at in 0..der.len() {
            for value in 0..=255 {
                let mut changed = der.clone();
                changed[at] = value;
                let _ = public_key(&changed);
            }
        }
    }
}
