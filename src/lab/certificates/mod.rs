//! Certificates and their keys, made at run time.
//!
//! Names, serial numbers and dates are the same every time; keys, and so fingerprints, are fresh.
//! Two RSA keys serve the three RSA leaves, since making one takes long; the second indicator's key
//! is its own, so that no other leaf shares an indicator's public key.

mod shape;

use std::sync::Arc;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use super::error::LabError;
use crate::domain::cert::Leaf;

/// The leaf certificates of a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateKind {
    /// A web server's, with a P-256 key.
    P256,
    /// A web server's, with a 2048-bit RSA key.
    Rsa,
    /// A web server's, with an Ed25519 key.
    Ed25519,
    /// The structure that a SoftEther VPN server gives to the certificate it makes for itself.
    SoftetherDefault,
    /// Stands in for a threat actor's: P-256, a name in the style of VPN hosts.
    IndicatorOne,
    /// Stands in for a threat actor's: RSA, the structure of a SoftEther default certificate.
    IndicatorTwo,
    /// A web server's of 48 KiB, with a P-256 key.
    Huge,
    /// A few bytes of text that a hostile server calls a certificate.
    Junk,
}

impl CertificateKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::P256,
        Self::Rsa,
        Self::Ed25519,
        Self::SoftetherDefault,
        Self::IndicatorOne,
        Self::IndicatorTwo,
        Self::Huge,
        Self::Junk,
    ];

    /// The common name on the leaf; empty for what is no certificate.
    pub const fn common_name(self) -> &'static str {
        match self {
            Self::P256 => "p256.lab.invalid",
            Self::Rsa => "rsa.lab.invalid",
            Self::Ed25519 => "ed25519.lab.invalid",
            Self::SoftetherDefault => "softether.lab.invalid",
            Self::IndicatorOne => "vpn000000001.demo.invalid",
            Self::IndicatorTwo => "vpn000000002.demo.invalid",
            Self::Huge => "huge.lab.invalid",
            Self::Junk => "",
        }
    }

    /// Whether the lab's indicator set names the leaf.
    pub const fn is_indicator(self) -> bool {
        matches!(self, Self::IndicatorOne | Self::IndicatorTwo)
    }
}

/// A leaf and the key that goes with it.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) leaf: Leaf,
    key: Arc<dyn SigningKey>,
}

impl Credential {
    /// A leaf of `kind` around the public half of `key`, signed with the other.
    fn issue(kind: CertificateKind, key: &KeyPair) -> Result<Self, LabError> {
        let params = match kind {
            CertificateKind::SoftetherDefault | CertificateKind::IndicatorTwo => {
                shape::softether_default(kind.common_name())?
            }
            CertificateKind::Huge => shape::huge(kind.common_name())?,
            _ => shape::web_server(kind.common_name())?,
        };
        let der = params.self_signed(key)?.der().to_vec();
        Ok(Self { leaf: Leaf::new(der), key: signing_key(key)? })
    }

    /// A fresh P-256 key and a leaf of `kind` around it.
    pub(super) fn p256(kind: CertificateKind) -> Result<Self, LabError> {
        Self::issue(kind, &KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
    }

    /// What is no certificate, with a key that a server must have.
    fn junk(key: &Arc<dyn SigningKey>) -> Self {
        Self { leaf: Leaf::new(b"no certificate".to_vec()), key: Arc::clone(key) }
    }

    /// A signature of the leaf's key, which is P-256, over `content`.
    pub(super) fn sign(&self, content: &[u8]) -> Result<Vec<u8>, LabError> {
        let signer = self.key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]);
        let wrong = || rustls::Error::General("the key is not one of P-256".to_owned());
        Ok(signer.ok_or_else(wrong)?.sign(content)?)
    }

    /// The leaf with its own key, as a TLS server wants them.
    pub(super) fn certified(&self) -> CertifiedKey {
        self.certified_by(&self.key)
    }

    fn certified_by(&self, key: &Arc<dyn SigningKey>) -> CertifiedKey {
        CertifiedKey::new(vec![CertificateDer::from(self.leaf.der.clone())], Arc::clone(key))
    }
}

/// One leaf of every kind with its key, made at the start, and a key that goes with none of them.
#[derive(Debug)]
pub struct Certificates {
    credentials: [Credential; CertificateKind::ALL.len()],
    stranger: Arc<dyn SigningKey>,
}

impl Certificates {
    /// Makes all keys and certificates; the RSA keys take the better part of a second.
    ///
    /// # Errors
    /// [`LabError`], if a key or certificate cannot be made.
    pub fn generate() -> Result<Self, LabError> {
        let rsa = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let indicator_rsa = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let ed25519 = KeyPair::generate_for(&PKCS_ED25519)?;
        let stranger = signing_key(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?;
        Ok(Self {
            credentials: [
                Credential::p256(CertificateKind::P256)?,
                Credential::issue(CertificateKind::Rsa, &rsa)?,
                Credential::issue(CertificateKind::Ed25519, &ed25519)?,
                Credential::issue(CertificateKind::SoftetherDefault, &rsa)?,
                Credential::p256(CertificateKind::IndicatorOne)?,
                Credential::issue(CertificateKind::IndicatorTwo, &indicator_rsa)?,
                Credential::p256(CertificateKind::Huge)?,
                Credential::junk(&stranger),
            ],
            stranger,
        })
    }

    /// The leaf of `kind`.
    pub const fn leaf(&self, kind: CertificateKind) -> &Leaf {
        &self.credential(kind).leaf
    }

    /// The leaf of `kind` and its key.
    pub(super) const fn credential(&self, kind: CertificateKind) -> &Credential {
        // The credentials stand in the order in which the kinds are declared.
        &self.credentials[kind as usize]
    }

    /// The leaf of `kind` with a key that is not its own.
    pub(super) fn impostor(&self, kind: CertificateKind) -> CertifiedKey {
        self.credential(kind).certified_by(&self.stranger)
    }
}

fn signing_key(key: &KeyPair) -> Result<Arc<dyn SigningKey>, LabError> {
    let pkcs8 = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(any_supported_type(&pkcs8)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_what_its_name_says() {
        let certificates = Certificates::generate().unwrap();
        let expected = [
            (CertificateKind::P256, "P-256", false),
            (CertificateKind::Rsa, "RSA-2048", false),
            (CertificateKind::Ed25519, "Ed25519", false),
            (CertificateKind::SoftetherDefault, "RSA-2048", true),
            (CertificateKind::IndicatorOne, "P-256", false),
            (CertificateKind::IndicatorTwo, "RSA-2048", true),
            (CertificateKind::Huge, "P-256", false),
        ];
        assert_eq!(expected.map(|(kind, ..)| kind), CertificateKind::ALL[..7]);
        for (kind, key, softether_default) in expected {
            let description = &certificates.credential(kind).leaf.description;
            assert_eq!(description.parse_error, None, "{kind:?}");
            assert_eq!(description.common_name.as_deref(), Some(kind.common_name()));
            assert_eq!(description.key.as_deref(), Some(key), "{kind:?}");
            assert_eq!(description.self_signed, Some(true), "{kind:?}");
            assert_eq!(description.softether_default, softether_default, "{kind:?}");
        }
    }

    #[test]
    fn the_huge_is_huge_and_junk_is_junk() {
        let certificates = Certificates::generate().unwrap();
        let length = certificates.leaf(CertificateKind::Huge).der.len();
        assert!((48 << 10..49 << 10).contains(&length), "{length}");
        let junk = certificates.leaf(CertificateKind::Junk);
        assert!(junk.description.parse_error.is_some());
        assert_eq!(junk.der.len(), 14);
    }

    #[test]
    fn indicators_share_neither_leaf_nor_key_with_any_other() {
        let certificates = Certificates::generate().unwrap();
        for indicator in CertificateKind::ALL.into_iter().filter(|kind| kind.is_indicator()) {
            for other in CertificateKind::ALL.into_iter().filter(|&kind| kind != indicator) {
                let (a, b) = (certificates.credential(indicator), certificates.credential(other));
                assert_ne!(a.leaf.sha1, b.leaf.sha1);
                assert_ne!(a.leaf.spki_sha256, b.leaf.spki_sha256);
            }
        }
    }

    #[test]
    fn rustls_sees_that_only_the_impostors_key_does_not_fit() {
        let certificates = Certificates::generate().unwrap();
        let indicator = certificates.credential(CertificateKind::IndicatorOne);
        assert_eq!(indicator.certified().keys_match(), Ok(()));
        let impostor = certificates.impostor(CertificateKind::IndicatorOne);
        assert!(impostor.keys_match().is_err());
        assert_eq!(impostor.cert, indicator.certified().cert);
    }
}
