//! RSA public keys of any size that is met, and encryption for them.
//!
//! aws-lc-rs is fast and takes keys of usual sizes only; old appliances show moduli of 512 bits, and some people love
//! 16,384. Both numbers of a key are bounded before anything is computed with them: they are the server's to choose.

use std::convert::Infallible;
use std::ops::RangeInclusive;

use ::rsa::rand_core::{TryCryptoRng, TryRng};
use ::rsa::{BoxedUint, Pkcs1v15Encrypt};
use sha2::{Digest, Sha256};

use crate::domain::cert::{PublicKey, RSA, bits, public_key};
use crate::domain::observation::Unproven;

/// Bits of a modulus. Nothing above is met, and the work grows with the square.
const MODULUS_BITS: RangeInclusive<usize> = 512..=16_384;

/// Bits of an exponent at most, the bound of both libraries: each bit is one more multiplication, so that a long
/// exponent makes every check burn time. All that is met is 65,537 and smaller, or fits the 32 bits of CryptoAPI.
const EXPONENT_BITS_MAX: usize = 33;

/// The two numbers of an RSA public key, within the bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct RsaKey<'a> {
    modulus: &'a [u8],
    exponent: &'a [u8],
}

impl<'a> RsaKey<'a> {
    /// The numbers of `key`, which must be of an RSA kind. Nothing is computed with them yet.
    ///
    /// # Errors
    /// `KeyUnreadable` where `key` does not hold two numbers, and `KeySize` where one is out of bounds.
    pub(super) fn read(key: &PublicKey<'a>) -> Result<Self, Unproven> {
        let (modulus, exponent) = key.rsa_numbers().ok_or(Unproven::KeyUnreadable)?;
        let [modulus_bits, exponent_bits] = [modulus, exponent].map(|it| bits(it).unwrap_or(0));
        let is_bounded = MODULUS_BITS.contains(&modulus_bits) && exponent_bits <= EXPONENT_BITS_MAX;
        if is_bounded { Ok(Self { modulus, exponent }) } else { Err(Unproven::KeySize) }
    }

    /// Bits of the modulus.
    pub(super) fn bits(&self) -> usize {
        bits(self.modulus).unwrap_or(0)
    }

    /// Octets of the modulus, and of everything that is signed or encrypted with the key.
    pub(super) const fn octets(&self) -> usize {
        self.modulus.len()
    }

    /// The key made ready to compute with, which takes about as long as to check one signature.
    ///
    /// # Errors
    /// `KeyUnreadable` where the numbers are no key's: an even modulus, an even exponent, an exponent of 1.
    pub(super) fn prepared(&self) -> Result<::rsa::PublicKey, Unproven> {
        let [modulus, exponent] =
            [self.modulus, self.exponent].map(BoxedUint::from_be_slice_vartime);
        ::rsa::PublicKey::new_with_size_limits(modulus, exponent, MODULUS_BITS)
            .map_err(|_| Unproven::KeyUnreadable)
    }
}

/// `premaster` encrypted for the RSA key of `leaf` (RFC 5246, section 7.4.7.1; PKCS#1 v1.5 as in RFC 8017, section
/// 7.2), as long as the modulus.
///
/// `entropy` must be numbers that the server cannot know. The padding is expanded from it with SHA-256. That is enough:
/// the secret protects nothing, it only must not be found without the private key for as long as the handshake
/// lasts. Padding that the server knew would not do: with an exponent of 3, a premaster secret in known padding
/// can be computed from the ciphertext, and anybody could seem to hold the key.
///
/// # Errors
/// `KeyUnreadable` or `KeyKind` where the leaf has no RSA key for this, `KeySize` where its numbers are out of bounds.
pub(super) fn encrypt_premaster(
    leaf: &[u8],
    premaster: &[u8; 48],
    entropy: &[u8; 32],
) -> Result<Vec<u8>, Unproven> {
    let key = public_key(leaf).ok_or(Unproven::KeyUnreadable)?;
    if key.algorithm != RSA {
        return Err(Unproven::KeyKind);
    }
    let mut padding = Expanded { entropy, blocks: 0 };
    let key = RsaKey::read(&key)?.prepared()?;
    key.encrypt(&mut padding, Pkcs1v15Encrypt, premaster).map_err(|_| Unproven::KeySize)
}

/// Octets expanded from entropy: SHA-256 of it and a counter, block by block.
struct Expanded<'a> {
    entropy: &'a [u8; 32],
    blocks: u64,
}

impl TryRng for Expanded<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_be_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_be_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for piece in out.chunks_mut(32) {
            let block =
                Sha256::new().chain_update(self.entropy).chain_update(self.blocks.to_be_bytes());
            self.blocks += 1;
            piece.iter_mut().zip(block.finalize()).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

impl TryCryptoRng for Expanded<'_> {}

#[cfg(test)]
pub(super) mod tests {
    use ::rsa::PrivateKey;
    use ::rsa::traits::PublicKeyParts;

    use super::*;

    pub(in crate::domain::tls) const SEQUENCE: u8 = 0x30;

    pub(in crate::domain::tls) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len() as u16;
        let head = match length {
            0..0x80 => vec![tag, length as u8],
            _ => [&[tag, 0x82], &length.to_be_bytes()[..]].concat(),
        };
        [&head, content].concat()
    }

    /// A certificate's nesting with nothing in its fields but the key (RFC 5280, section 4.1).
    pub(in crate::domain::tls) fn leaf(spki: &[u8]) -> Vec<u8> {
        let before = [2, 1, 0, SEQUENCE, 0, SEQUENCE, 0, SEQUENCE, 0, SEQUENCE, 0];
        der(SEQUENCE, &der(SEQUENCE, &[&before, spki].concat()))
    }

    /// The same around an RSA key.
    pub(in crate::domain::tls) fn rsa_leaf(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let number = |octets: &[u8]| der(2, &[&[0], octets].concat());
        let key = der(SEQUENCE, &[number(modulus), number(exponent)].concat());
        let algorithm = der(SEQUENCE, &der(6, RSA));
        leaf(&der(SEQUENCE, &[algorithm, der(3, &[&[0], &key[..]].concat())].concat()))
    }

    /// The same key for the same size, and a certificate around its public part.
    pub(in crate::domain::tls) fn key_and_leaf(bits: usize) -> (PrivateKey, Vec<u8>) {
        let mut source = Expanded { entropy: &[7; 32], blocks: 0 };
        let key = PrivateKey::new_unchecked(&mut source, bits).unwrap();
        let octets = key.n().to_be_bytes();
        let first = octets.iter().position(|octet| *octet != 0).unwrap();
        let leaf = rsa_leaf(&octets[first..], &[1, 0, 1]);
        (key, leaf)
    }

    #[test]
    fn the_key_decrypts_what_was_encrypted_for_it() {
        for bits in [512, 520, 1023, 1024, 1025] {
            let (key, leaf) = key_and_leaf(bits);
            for octet in 0..20 {
                let premaster = std::array::from_fn(|at| octet ^ at as u8);
                let sealed = encrypt_premaster(&leaf, &premaster, &[octet; 32]).unwrap();
                assert_eq!(sealed.len(), bits.div_ceil(8), "{bits}");
                let opened = key.decrypt(Pkcs1v15Encrypt, &sealed).unwrap();
                assert_eq!(opened, premaster, "{bits}");
            }
        }
    }

    #[test]
    fn other_entropy_pads_otherwise() {
        let (_, leaf) = key_and_leaf(512);
        let with = |entropy: u8| encrypt_premaster(&leaf, &[3; 48], &[entropy; 32]).unwrap();
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn keys_out_of_bounds_are_not_encrypted_for() {
        let with = |modulus: usize, exponent: &[u8]| {
            let leaf = rsa_leaf(&vec![0xff; modulus], exponent);
            encrypt_premaster(&leaf, &[3; 48], &[1; 32]).map(|sealed| sealed.len())
        };
        assert_eq!(with(63, &[3]), Err(Unproven::KeySize));
        assert_eq!(with(64, &[3]), Ok(64));
        assert_eq!(with(2048, &[3]), Ok(2048));
        assert_eq!(with(2049, &[3]), Err(Unproven::KeySize));
        assert_eq!(with(2048, &[0xff; 512]), Err(Unproven::KeySize));
        assert_eq!(with(64, &[1]), Err(Unproven::KeyUnreadable));
        let unread = encrypt_premaster(b"no certificate", &[3; 48], &[1; 32]);
        assert_eq!(unread, Err(Unproven::KeyUnreadable));
    }
}
