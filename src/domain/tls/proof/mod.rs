//! Whether a signature over the handshake checks against the leaf's public key.
//!
//! The public key is read from the leaf by our own walk of the DER, so that certificates which a strict
//! parser refuses (version 1, serial zero, trailing bytes) can still prove their key. Strength is no question here:
//! whoever signs with a key of 512 bits holds it. Everything that people still sign with is checked, and what is
//! not is said by name.

mod ecdsa;
mod hash;
mod rsa;

use aws_lc_rs::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, ParsedPublicKey};

use self::rsa::Kind;
use crate::domain::cert::{EC, PublicKey, RSA, RSA_PSS, public_key};
use crate::domain::observation::Unproven;

const EDWARDS_25519: &[u8] = &[0x2b, 0x65, 0x70];

/// How the server says that it signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// The code point of TLS 1.2 and later (IANA TLS SignatureScheme).
    Named(u16),
    /// TLS 1.1 and older name nothing: RSA signs MD5 and SHA-1 together (RFC 4346, section 7.4.3), ECDSA and DSA sign
    /// SHA-1 (RFC 4492, section 5.4).
    Legacy,
}

/// What a signature was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// It was made with the leaf's private key.
    Proven,
    /// It was not. That is an accusation, so it is said only of what has the structure of a signature, under a
    /// scheme that this kind of key can sign with: random octets of the right length are that, shorter ones not.
    Disproven,
    /// Nothing can be said, for this reason.
    Unchecked(Unproven),
}

impl Check {
    const fn of(is_proven: bool) -> Self {
        if is_proven { Self::Proven } else { Self::Disproven }
    }

    /// Whether the key is proven, or why that is not known: as
    /// [`Evidence::of`](crate::domain::observation::Evidence::of) takes it.
    pub(super) const fn proof(self) -> Result<bool, Unproven> {
        match self {
            Self::Proven => Ok(true),
            Self::Disproven => Ok(false),
            Self::Unchecked(reason) => Err(reason),
        }
    }
}

/// Whether `signature` over `message` was made with the private key of `leaf`.
///
/// The reasons in [`Check::Unchecked`], the first that holds:
/// * `KeyUnreadable`: no public key is found in `leaf`.
/// * `KeyKind`: it is none of RSA, ECDSA on P-256, P-384 or P-521, and Ed25519.
/// * `Scheme`: a key of this kind, or of so few bits, cannot sign with it; or it is not known.
/// * `KeyUnreadable`: what should be the key has not the structure of one, or is no point of the curve.
/// * `KeySize`: an RSA modulus of less than 512 or more than 16,384 bits, or an exponent of more than 33.
/// * `SignatureUnreadable`: not as long as the modulus (RSA), not 64 octets (Ed25519), not the DER of two numbers
///   (ECDSA).
/// * `KeyUnreadable`: an RSA key whose numbers are even.
pub(super) fn check(leaf: &[u8], scheme: Scheme, message: &[u8], signature: &[u8]) -> Check {
    let key = public_key(leaf).ok_or(Unproven::KeyUnreadable);
    let checked = key.and_then(|key| check_with(&key, scheme, message, signature));
    checked.unwrap_or_else(Check::Unchecked)
}

fn check_with(
    key: &PublicKey<'_>,
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> Result<Check, Unproven> {
    match key.algorithm {
        RSA => rsa::check(Kind::Any, key, scheme, message, signature),
        RSA_PSS => rsa::check(Kind::PssOnly, key, scheme, message, signature),
        EC => ecdsa::check(key.parameters, key.key, scheme, message, signature),
        EDWARDS_25519 => check_ed25519(key.key, scheme, message, signature),
        _ => Err(Unproven::KeyKind),
    }
}

/// Ed25519 (RFC 8032) signs messages, not hashes, and only from TLS 1.2 on (RFC 8422, section 5.10).
fn check_ed25519(
    key: &[u8],
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> Result<Check, Unproven> {
    if scheme != Scheme::Named(0x0807) {
        return Err(Unproven::Scheme);
    }
    if key.len() != ED25519_PUBLIC_KEY_LEN {
        return Err(Unproven::KeyUnreadable);
    }
    let key = ParsedPublicKey::new(&ED25519, key).map_err(|_| Unproven::KeyUnreadable)?;
    if signature.len() != 64 {
        return Err(Unproven::SignatureUnreadable);
    }
    Ok(Check::of(key.verify_sig(message, signature).is_ok()))
}

#[cfg(test)]
mod tests;
