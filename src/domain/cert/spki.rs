//! The public key of a certificate, found by walking the DER ourselves.
//!
//! x509-parser refuses some certificates that real servers show; the public key is wanted even
//! then, to check the server's signature and to recognise the same key in another certificate.
//! Only the nesting that RFC 5280 section 4.1 gives is walked; nothing is interpreted on the way.

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
    /// Modulus and exponent of an RSA key (RFC 8017, appendix A.1.1), big-endian without leading zeros, or `None` if
    /// it is no RSA key. Neither is empty; neither is bounded.
    pub fn rsa_numbers(&self) -> Option<(&'a [u8], &'a [u8])> {
        let modulus = Element::read(Element::read(self.key)?.inside(SEQUENCE)?)?;
        let exponent = Element::read(modulus.rest)?;
        Some((positive(modulus.inside(INTEGER)?)?, positive(exponent.inside(INTEGER)?)?))
    }
}

/// The octets of an integer without leading zeros; `None` for zero.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    integer.get(integer.iter().position(|octet| *octet != 0)?..)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const EXPLICIT_VERSION: u8 = 0xa0;

/// The public key of the certificate `der`, or `None` where the nesting is not a certificate's.
pub fn public_key(der: &[u8]) -> Option<PublicKey<'_>> {
    let certificate = Element::read(der)?.inside(SEQUENCE)?;
    let mut fields = Element::read(certificate)?.inside(SEQUENCE)?;
    if Element::read(fields)?.tag == EXPLICIT_VERSION {
        fields = Element::read(fields)?.rest;
    }
    // serialNumber, signature, issuer, validity, subject
    for _ in 0..5 {
        fields = Element::read(fields)?.rest;
    }
    let spki = Element::read(fields)?;
    let inside = spki.inside(SEQUENCE)?;
    let algorithm = Element::read(inside)?;
    let identifier = Element::read(algorithm.inside(SEQUENCE)?)?;
    let key = Element::read(algorithm.rest)?.inside(BIT_STRING)?;
    Some(PublicKey {
        spki: spki.whole,
        algorithm: identifier.inside(OBJECT_IDENTIFIER)?,
        parameters: Element::read(identifier.rest).map(|parameters| parameters.content),
        key: key.split_first()?.1,
    })
}

/// One tag, length and value (X.690, section 8.1), with definite lengths of up to four octets.
struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&tag, after_tag) = bytes.split_first()?;
        let (&first, after_first) = after_tag.split_first()?;
        let (length, content_on) = if first < 0x80 {
            (usize::from(first), after_first)
        } else {
            let octets = usize::from(first & 0x7f);
            if !(1..=4).contains(&octets) {
                return None;
            }
            let (length, rest) = after_first.split_at_checked(octets)?;
            (length.iter().fold(0, |sum, &octet| sum << 8 | usize::from(octet)), rest)
        };
        let (content, rest) = content_on.split_at_checked(length)?;
        Some(Self { tag, whole: &bytes[..bytes.len() - rest.len()], content, rest })
    }

    fn inside(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
