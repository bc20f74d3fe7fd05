//! Leaf certificates: hashed first, described afterwards.
//!
//! The fingerprints are taken from the bytes on the wire before anything reads them, so that a leaf
//! which no parser accepts is still stored and matched. The description is total: what cannot be
//! read leaves its field empty and a reason in [`Description::parse_error`]. There is one walk over the
//! DER, ours, and it refuses nothing that it can step over.

mod algorithm;
mod der;
mod describe;
mod moment;
mod name;
mod softether;
mod spki;
mod walk;

pub(in crate::domain) use algorithm::{EC, RSA, RSA_PSS};
pub(in crate::domain) use der::bits;
pub use describe::Description;
pub use softether::{Template as SoftetherTemplate, Variant as SoftetherVariant};
pub use spki::{PublicKey, public_key};

use walk::Fields;

use super::fingerprint::{Sha1Fingerprint, Sha256Fingerprint};

/// The first certificate of a server's Certificate message, as the bytes received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The bytes received.
    pub der: Vec<u8>,
    /// SHA-1 of `der`: the fingerprint that reports print.
    pub sha1: Sha1Fingerprint,
    /// SHA-256 of `der`: the key that the ledger uses.
    pub sha256: Sha256Fingerprint,
    /// SHA-256 of the SubjectPublicKeyInfo (RFC 5280, section 4.1), if it could be found.
    pub spki_sha256: Option<Sha256Fingerprint>,
    /// What a reader makes of it.
    pub description: Description,
}

impl Leaf {
    /// Hashes `der`, then describes it.
    pub fn new(der: Vec<u8>) -> Self {
        let sha256 = Sha256Fingerprint::of(&der);
        Self::with_sha256(der, sha256)
    }

    /// The same where its SHA-256 is known.
    pub(super) fn with_sha256(der: Vec<u8>, sha256: Sha256Fingerprint) -> Self {
        let sha1 = Sha1Fingerprint::of(&der);
        let fields = Fields::of(&der);
        let key = fields.spki.and_then(PublicKey::within);
        let spki_sha256 = key.map(|key| Sha256Fingerprint::of(key.spki));
        let description = Description::of(fields, key.as_ref());
        Self { der, sha1, sha256, spki_sha256, description }
    }
}
