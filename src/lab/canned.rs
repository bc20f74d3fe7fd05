//! First flights that cost a server next to nothing: made once, or sealed without a key exchange.
//!
//! Nothing is signed for a connection. The signatures are real ones of the leaf's key over something else, so that a
//! client has as much to check as ever, and finds that the key is not proven.

use std::net::Ipv4Addr;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};

use super::certificates::Credential;
use super::error::LabError;
use super::hostile::Inner;
use super::hostile::messages::{
    AES_128_GCM, CERTIFICATE_VERIFY, ECDHE, Hello, SERVER_KEY_EXCHANGE, TLS12, X25519, certificate,
    certificate13, handshake, key_share, message, vector,
};
use super::hostile::sealed::{
    encrypted_extensions, handshake_secret, said, seal_all, session_of, share_of,
};

/// RFC 5246, section 7.4.5.
const SERVER_HELLO_DONE: [u8; 4] = [14, 0, 0, 0];

/// Bytes of a leaf that differ in [`Canned::tls12_of`]: an IPv4 address.
const OWN: usize = 4;

/// The flights of one leaf.
pub(super) struct Canned {
    tls12: Vec<u8>,
    /// The place in `tls12` of the last bytes of the leaf, which belong to its signature.
    own_at: usize,
    tls13: Canned13,
}

impl Canned {
    pub(super) fn new(credential: &Credential) -> Result<Self, LabError> {
        let leaf = &credential.leaf.der;
        // ecdsa_secp256r1_sha256.
        let signature = [&[4, 3][..], &vector(2, &credential.sign(b"another handshake")?)].concat();
        let chain = certificate(&[leaf]);
        let params = [&[3, 0, 29][..], &vector(1, &[0x5a; 32]), &signature].concat();
        let exchange = message(SERVER_KEY_EXCHANGE, &params);
        let hello = Hello::old(TLS12, ECDHE).message();
        // The chain is the leaf alone: where it ends, the leaf ends. Five bytes are the record's.
        let own_at = (5 + hello.len() + chain.len()).saturating_sub(OWN);
        let tls12 = handshake(&[hello, chain, exchange, SERVER_HELLO_DONE.to_vec()].concat());
        let verify = message(CERTIFICATE_VERIFY, &signature);
        let records = [said(&[encrypted_extensions(), certificate13(leaf), verify])];
        Ok(Self { tls12, own_at, tls13: Canned13::new(records)? })
    }

    /// ServerHello, Certificate, ServerKeyExchange and ServerHelloDone of TLS 1.2.
    pub(super) fn tls12(&self) -> &[u8] {
        &self.tls12
    }

    /// The same with a leaf that no other address has: `address` takes the place of the last bytes of the
    /// certificate's own signature.
    pub(super) fn tls12_of(&mut self, address: Ipv4Addr) -> &[u8] {
        let own = self.tls12.iter_mut().skip(self.own_at).take(OWN);
        own.zip(address.octets()).for_each(|(byte, octet)| *byte = octet);
        &self.tls12
    }

    /// ServerHello, EncryptedExtensions, Certificate and CertificateVerify of TLS 1.3 for the client whose
    /// ClientHello the record `hello` holds; `None` if it offers no X25519.
    pub(super) fn tls13(&mut self, hello: &[u8]) -> Option<&[u8]> {
        self.tls13.flight(hello)
    }
}

/// Flights of TLS 1.3 with one key share for everybody. What depends on the client's share, and what depends on its
/// whole hello, is kept for as long as the next client says the same.
struct Canned13 {
    key: PrivateKey,
    share: Vec<u8>,
    records: [Inner; 1],
    /// The last client's share, and what the handshake's keys come from.
    agreed: Option<(Vec<u8>, Vec<u8>)>,
    /// The last client's hello, and its flight.
    last: (Vec<u8>, Vec<u8>),
}

impl Canned13 {
    fn new(records: [Inner; 1]) -> Result<Self, LabError> {
        let refused = |_| rustls::Error::General("no key of X25519".to_owned());
        let key = PrivateKey::generate(&agreement::X25519).map_err(refused)?;
        let share = key.compute_public_key().map_err(refused)?.as_ref().to_vec();
        Ok(Self { key, share, records, agreed: None, last: Default::default() })
    }

    fn flight(&mut self, hello: &[u8]) -> Option<&[u8]> {
        if self.last.0 != hello {
            self.last.1 = self.sealed(hello)?;
            hello.clone_into(&mut self.last.0);
        }
        Some(&self.last.1)
    }

    fn sealed(&mut self, hello: &[u8]) -> Option<Vec<u8>> {
        let mut answer = Hello::new(AES_128_GCM, &key_share(X25519, &self.share));
        answer.session = session_of(hello)?.to_vec();
        let theirs = share_of(hello)?;
        let agreed = match self.agreed.take() {
            Some(agreed) if agreed.0 == theirs => agreed,
            _ => (theirs.to_vec(), self.agree(theirs)?),
        };
        let flight = seal_all(&agreed.1, hello, &answer.message(), &self.records);
        self.agreed = Some(agreed);
        flight
    }

    fn agree(&self, theirs: &[u8]) -> Option<Vec<u8>> {
        let theirs = UnparsedPublicKey::new(&agreement::X25519, theirs);
        agreement::agree(&self.key, theirs, (), |shared| Ok(handshake_secret(shared))).ok()
    }
}
