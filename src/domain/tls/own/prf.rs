//! The pseudorandom function of TLS 1.0 to 1.2 (RFC 2246, section 5; RFC 5246, section 5).

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Bytes of its output.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// Which PRF, and with it which hash of the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1 together.
    Md5Sha1,
    Sha256,
    Sha384,
}

impl Prf {
    /// `length` bytes from `secret`, `label` and `seed`.
    pub(super) fn expand(self, secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
        let seed = [label, seed].concat();
        match self {
            Self::Sha256 => p_hash::<Hmac<Sha256>>(secret, &seed, length),
            Self::Sha384 => p_hash::<Hmac<Sha384>>(secret, &seed, length),
            Self::Md5Sha1 => {
                let half = secret.len().div_ceil(2);
                let (first, second) = (&secret[..half], &secret[secret.len() - half..]);
                let md5 = p_hash::<Hmac<Md5>>(first, &seed, length);
                let sha1 = p_hash::<Hmac<Sha1>>(second, &seed, length);
                md5.iter().zip(&sha1).map(|(a, b)| a ^ b).collect()
            }
        }
    }

    /// The hash of all handshake messages that Finished is computed over.
    pub(super) fn hash(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(messages).to_vec(),
            Self::Sha384 => Sha384::digest(messages).to_vec(),
            Self::Md5Sha1 => [&Md5::digest(messages)[..], &Sha1::digest(messages)[..]].concat(),
        }
    }
}

/// HMAC of `parts`, one after the other. A key of any length is taken.
pub(super) fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn p_hash<M: Mac + KeyInit>(secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let (mut out, mut a) = (Vec::with_capacity(length + 64), seed.to_vec());
    while out.len() < length {
        a = mac::<M>(secret, &[&a]);
        out.extend(mac::<M>(secret, &[&a, seed]));
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// The test vector for P_SHA256 that circulates since 2009 in the IETF TLS list's archive.
    #[test]
    fn sha256_agrees_with_the_published_vector() {
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let out = Prf::Sha256.expand(&secret, b"test label", &seed, 100);
        let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a\
                        6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab\
                        4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
                        87347b66";
        assert_eq!(HEXLOWER.encode(&out), expected);
    }

    #[test]
    fn any_length_of_secret_and_output_is_taken() {
        for prf in [Prf::Md5Sha1, Prf::Sha256, Prf::Sha384] {
            let long = prf.expand(b"odd", b"label", b"seed", 200);
            assert_eq!(prf.expand(b"odd", b"label", b"seed", 7), long[..7]);
            assert_eq!(prf.expand(&[], b"label", b"seed", 1).len(), 1);
        }
        assert_eq!(Prf::Md5Sha1.hash(b"").len(), 36);
    }
}
