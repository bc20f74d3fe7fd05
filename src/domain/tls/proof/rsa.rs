//! RSA signatures: PKCS#1 v1.5 and PSS (RFC 8017, section 8), and what TLS 1.1 and older sign.
//!
//! aws-lc-rs is asked first, because it is fast and takes the keys of nearly every server. But it does not take all
//! sizes, hashes and salts: what it does not confirm is left to the slower library, which decides.

use ::rsa::traits::SignatureScheme;
use ::rsa::{Pkcs1v15Sign, Pss, PublicKey};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha256, Sha384, Sha512};

use super::hash::Hash;
use super::{Check, Scheme};
use crate::domain::cert;
use crate::domain::observation::Unproven;
use crate::domain::tls::rsa::RsaKey;

/// What the object identifier of a key allows it to sign (RFC 4055, section 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// rsaEncryption: everything.
    Any,
    /// id-RSASSA-PSS: PSS only. The parameters that may restrict hash and salt are not looked at.
    PssOnly,
}

/// How a hash is brought to the length of the modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// MD5 and SHA-1 one after the other, unnamed (RFC 4346, section 7.4.3).
    Unnamed,
    Pkcs1(Hash),
    Pss(Hash),
}

impl Encoding {
    fn of(scheme: Scheme, kind: Kind) -> Option<Self> {
        let encoding = match scheme {
            Scheme::Legacy => Self::Unnamed,
            // The code points for either kind of key (RFC 8446, section 4.2.3) mean the same computation.
            Scheme::Named(0x0804 | 0x0809) => Self::Pss(Hash::Sha256),
            Scheme::Named(0x0805 | 0x080a) => Self::Pss(Hash::Sha384),
            Scheme::Named(0x0806 | 0x080b) => Self::Pss(Hash::Sha512),
            Scheme::Named(code) => match code.to_be_bytes() {
                [hash, 1] => Self::Pkcs1(Hash::of(hash)?),
                _ => return None,
            },
        };
        (kind == Kind::Any || matches!(encoding, Self::Pss(_))).then_some(encoding)
    }

    /// Whether what is signed fits into a modulus of `bits` (RFC 8017, sections 9.1.1 and 9.2): with less there is
    /// no signature, so that none can be wrong.
    const fn fits(self, bits: usize) -> bool {
        match self {
            Self::Unnamed => bits.div_ceil(8) >= 36 + 11,
            // The shorter DigestInfo, without parameters.
            Self::Pkcs1(hash) => {
                bits.div_ceil(8) >= 8 + hash.identifier().len() + hash.octets() + 11
            }
            Self::Pss(hash) => (bits - 1).div_ceil(8) >= hash.octets() + 2,
        }
    }
}

pub(super) fn check(
    kind: Kind,
    key: &cert::PublicKey<'_>,
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> Result<Check, Unproven> {
    let encoding = Encoding::of(scheme, kind).ok_or(Unproven::Scheme)?;
    let rsa = RsaKey::read(key)?;
    if !encoding.fits(rsa.bits()) {
        return Err(Unproven::Scheme);
    }
    if signature.len() != rsa.octets() {
        return Err(Unproven::SignatureUnreadable);
    }
    let is_proven = is_proven_fast(encoding, rsa.bits(), key.key, message, signature)
        || is_proven(encoding, &rsa.prepared()?, message, signature);
    Ok(Check::of(is_proven))
}

/// Whether aws-lc-rs can tell that the signature is right.
fn is_proven_fast(
    encoding: Encoding,
    bits: usize,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some(algorithm) = algorithm(encoding, bits) else { return false };
    ParsedPublicKey::new(algorithm, key).is_ok_and(|key| key.verify_sig(message, signature).is_ok())
}

/// The algorithm of aws-lc-rs, if it takes a modulus of `bits`.
fn algorithm(encoding: Encoding, bits: usize) -> Option<&'static dyn VerificationAlgorithm> {
    use Encoding::{Pkcs1, Pss};
    let (least, algorithm): (_, &'static dyn VerificationAlgorithm) = match encoding {
        Pss(Hash::Sha256) => (2048, &signature::RSA_PSS_2048_8192_SHA256),
        Pss(Hash::Sha384) => (2048, &signature::RSA_PSS_2048_8192_SHA384),
        Pss(Hash::Sha512) => (2048, &signature::RSA_PSS_2048_8192_SHA512),
        Pkcs1(Hash::Sha1) => (1024, &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        Pkcs1(Hash::Sha256) => (1024, &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        Pkcs1(Hash::Sha384) => (2048, &signature::RSA_PKCS1_2048_8192_SHA384),
        Pkcs1(Hash::Sha512) => (1024, &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        _ => return None,
    };
    (least..=8192).contains(&bits).then_some(algorithm)
}

/// Whether the signature is right, whatever the size of the key and the length of the salt.
fn is_proven(encoding: Encoding, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    match encoding {
        Encoding::Unnamed => {
            let hashes = [Hash::Md5, Hash::Sha1].map(|hash| hash.digest(message)).concat();
            key.verify(Pkcs1v15Sign::new_unprefixed(), &hashes, signature).is_ok()
        }
        Encoding::Pkcs1(hash) => {
            let digest = hash.digest(message);
            // Both forms must be taken (RFC 5246, section 4.7).
            [&[5, 0][..], &[]].into_iter().any(|parameters| {
                let prefix = digest_info(hash, parameters).into();
                let named = Pkcs1v15Sign { hash_len: Some(hash.octets()), prefix };
                key.verify(named, &digest, signature).is_ok()
            })
        }
        Encoding::Pss(hash) => {
            let digest = hash.digest(message);
            match hash {
                Hash::Sha256 => is_pss::<Sha256>(key, &digest, signature),
                Hash::Sha384 => is_pss::<Sha384>(key, &digest, signature),
                Hash::Sha512 => is_pss::<Sha512>(key, &digest, signature),
                Hash::Md5 | Hash::Sha1 | Hash::Sha224 => false,
            }
        }
    }
}

/// A salt is as long as the hash (RFC 8446, section 4.2.3), but any length proves the key.
fn is_pss<D: Digest + FixedOutputReset>(key: &PublicKey, digest: &[u8], signature: &[u8]) -> bool
where
    Pss<D>: SignatureScheme,
{
    let padding = Pss { blinded: true, digest: D::new(), salt_len: None };
    key.verify(padding, digest, signature).is_ok()
}

/// What stands before the hash in a DigestInfo (RFC 8017, section 9.2): all of it is shorter than 128 octets.
fn digest_info(hash: Hash, parameters: &[u8]) -> Vec<u8> {
    let (identifier, octets) = (hash.identifier(), hash.octets() as u8);
    let inner = (2 + identifier.len() + parameters.len()) as u8;
    let head = [0x30, inner + 4 + octets, 0x30, inner, 0x06, identifier.len() as u8];
    [&head, identifier, parameters, &[0x04, octets]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tls::proof::check;
    use crate::domain::tls::rsa::tests::key_and_leaf;

    #[test]
    fn both_forms_of_the_hash_name_are_taken_and_no_other() {
        let (key, leaf) = key_and_leaf(1024);
        let sha1 = Scheme::Named(0x0201);
        for (parameters, worth) in [
            (&[5, 0][..], Check::Proven),
            (&[], Check::Proven),
            (&[5, 1, 0], Check::Disproven),
            (&[4, 0], Check::Disproven),
        ] {
            let prefix = digest_info(Hash::Sha1, parameters).into();
            let padding = Pkcs1v15Sign { hash_len: Some(20), prefix };
            let signature = key.sign(padding, &Hash::Sha1.digest(b"handshake")).unwrap();
            assert_eq!(check(&leaf, sha1, b"handshake", &signature), worth, "{parameters:?}");
        }
        let nothing = key.sign(Pkcs1v15Sign::new_unprefixed(), &Hash::Sha1.digest(b"handshake"));
        assert_eq!(check(&leaf, sha1, b"handshake", &nothing.unwrap()), Check::Disproven);
    }
}
