//! Key exchange groups, and shares that cost nothing.
//!
//! The share that we send is the group's base point or generator, as if our private key were one. The server
//! computes its secret from it as it computed its own share, so that both are the same and we have nothing to
//! compute. RFC 8446 section 4.2.8 allows any valid element. Should a server refuse a base point, [`StaticKeys`]
//! have a share that nobody can tell from a fresh one.

use aws_lc_rs::agreement::{self, Algorithm, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519};

/// A group that we can give a share of (IANA TLS Supported Groups).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) code: u16,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A curve of SEC 2, with its base point: uncompressed points, the secret is the x coordinate.
    Weierstrass(&'static [u8]),
    /// A curve of RFC 7748: the base point's u coordinate in so many bytes.
    Montgomery { length: usize, base: u8 },
    /// A group of RFC 7919 in so many bytes, all with the generator 2.
    FiniteField { length: usize },
}

/// Every group that we can give a share of; the first three are sent at once.
pub(super) const GROUPS: [Group; 10] = [
    Group { code: 29, kind: Kind::Montgomery { length: 32, base: 9 } },
    Group { code: 23, kind: Kind::Weierstrass(&P256) },
    Group { code: 24, kind: Kind::Weierstrass(&P384) },
    Group { code: 25, kind: Kind::Weierstrass(&P521) },
    Group { code: 30, kind: Kind::Montgomery { length: 56, base: 5 } },
    Group { code: 256, kind: Kind::FiniteField { length: 256 } },
    Group { code: 257, kind: Kind::FiniteField { length: 384 } },
    Group { code: 258, kind: Kind::FiniteField { length: 512 } },
    Group { code: 259, kind: Kind::FiniteField { length: 768 } },
    Group { code: 260, kind: Kind::FiniteField { length: 1024 } },
];

/// How many of [`GROUPS`] have their share in the first ClientHello.
pub(super) const AT_ONCE: usize = 3;

impl Group {
    /// The group with this code point.
    pub(super) fn of(code: u16) -> Option<Self> {
        GROUPS.into_iter().find(|group| group.code == code)
    }

    /// Our share: the base point.
    pub(super) fn share(self) -> Vec<u8> {
        match self.kind {
            Kind::Weierstrass(point) => point.to_vec(),
            Kind::Montgomery { length, base } => {
                let mut share = vec![0; length];
                share[0] = base;
                share
            }
            Kind::FiniteField { length } => {
                let mut share = vec![0; length];
                share[length - 1] = 2;
                share
            }
        }
    }

    /// The secret that is shared with a server whose share is `theirs` when ours was the base point; `None` if that
    /// is no share.
    pub(super) fn secret(self, theirs: &[u8]) -> Option<&[u8]> {
        match self.kind {
            Kind::Weierstrass(point) => {
                let (form, coordinates) = theirs.split_first()?;
                (*form == 4 && theirs.len() == point.len())
                    .then(|| &coordinates[..coordinates.len() / 2])
            }
            Kind::Montgomery { length, .. } | Kind::FiniteField { length } => {
                (theirs.len() == length).then_some(theirs)
            }
        }
    }
}

/// Private keys for X25519 and P-256 that serve every connection of a run.
///
/// One key for all is enough: what it protects is a handshake over which nothing is said.
#[derive(Debug)]
pub struct StaticKeys {
    x25519: (PrivateKey, Vec<u8>),
    p256: (PrivateKey, Vec<u8>),
}

impl StaticKeys {
    /// Keys made of `entropy`; `None` in the one case of 2^32 where that is no key.
    pub fn new(entropy: &[u8; 64]) -> Option<Self> {
        let key = |algorithm: &'static Algorithm, bytes: &[u8]| {
            let key = PrivateKey::from_private_key(algorithm, bytes).ok()?;
            let share = key.compute_public_key().ok()?.as_ref().to_vec();
            Some((key, share))
        };
        let (first, second) = entropy.split_at(32);
        Some(Self { x25519: key(&X25519, first)?, p256: key(&ECDH_P256, second)? })
    }

    fn of(&self, group: Group) -> Option<&(PrivateKey, Vec<u8>)> {
        match group.code {
            X25519_CODE => Some(&self.x25519),
            P256_CODE => Some(&self.p256),
            _ => None,
        }
    }

    /// Our share of `group`; of a group without a key of ours, the base point.
    pub(super) fn share(&self, group: Group) -> Vec<u8> {
        self.of(group).map_or_else(|| group.share(), |(_, share)| share.clone())
    }

    /// The secret that is shared with a server whose share is `theirs`; `None` if that is no share.
    pub(super) fn secret(&self, group: Group, theirs: &[u8]) -> Option<Vec<u8>> {
        let Some((key, _)) = self.of(group) else {
            return group.secret(theirs).map(<[u8]>::to_vec);
        };
        let theirs = UnparsedPublicKey::new(key.algorithm(), theirs);
        agreement::agree(key, theirs, (), |secret| Ok(secret.to_vec())).ok()
    }
}

const X25519_CODE: u16 = 29;
const P256_CODE: u16 = 23;

/// Lower-case `hex` as bytes; a compile-time error if it has another length.
const fn unhex<const N: usize>(hex: &str) -> [u8; N] {
    const fn digit(byte: u8) -> u8 {
        if byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 }
    }
    let digits = hex.as_bytes();
    assert!(digits.len() == 2 * N, "wrong length");
    let (mut bytes, mut at) = ([0; N], 0);
    while at < N {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

/// The base point of secp256r1 (SEC 2, section 2.4.2), uncompressed.
const P256: [u8; 65] = unhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
     4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
);

/// The base point of secp384r1 (SEC 2, section 2.5.1), uncompressed.
const P384: [u8; 97] = unhex(
    "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38\
     5502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29\
     f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
);

/// The base point of secp521r1 (SEC 2, section 2.6.1), uncompressed.
const P521: [u8; 133] = unhex(
    "0400c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d\
     3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd\
     66011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e\
     662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The point is on the curve where a server accepts it: the tests of the whole client see to that. This
    /// sees to the digits.
    #[test]
    fn base_points_are_those_of_the_standard() {
        let ends = |point: &[u8]| {
            let hex = data_encoding::HEXLOWER.encode(point);
            (hex[..12].to_owned(), hex[hex.len() - 8..].to_owned())
        };
        assert_eq!(ends(&P256), ("046b17d1f2e1".into(), "37bf51f5".into()));
        assert_eq!(ends(&P384), ("04aa87ca22be".into(), "90ea0e5f".into()));
        assert_eq!(ends(&P521), ("0400c6858e06".into(), "9fd16650".into()));
    }

    #[test]
    fn shares_have_the_length_of_their_group_and_secrets_are_theirs() {
        let lengths = GROUPS.map(|group| group.share().len());
        assert_eq!(lengths, [32, 65, 97, 133, 56, 256, 384, 512, 768, 1024]);
        for group in GROUPS {
            let mut theirs = group.share();
            let secret = group.secret(&theirs).unwrap().to_vec();
            assert!(theirs.windows(secret.len()).any(|window| window == secret));
            theirs.push(0);
            assert_eq!(group.secret(&theirs), None);
            assert_eq!(group.secret(&[]), None);
        }
        assert_eq!(Group::of(24).unwrap().secret(&[2; 97]), None, "a compressed point");
        assert_eq!(Group::of(26), None);
    }

    #[test]
    fn static_keys_agree_with_whoever_has_their_share() {
        let [ours, theirs] = [[7; 64], [9; 64]].map(|entropy| StaticKeys::new(&entropy).unwrap());
        for group in [29, 23, 24].map(|code| Group::of(code).unwrap()) {
            let secret = ours.secret(group, &theirs.share(group)).unwrap();
            assert_eq!(Some(&secret), theirs.secret(group, &ours.share(group)).as_ref());
            assert_eq!(ours.share(group) == group.share(), group.code == 24);
            assert_eq!(ours.secret(group, &[4; 65]), None, "no point");
        }
        assert!(StaticKeys::new(&[0xff; 64]).is_none(), "greater than the order of P-256");
    }
}
