//! Signatures that openssl made, kept in `vectors.txt`, and what becomes of them when something is changed.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use super::*;
use crate::domain::tls::rsa::tests::{SEQUENCE, der, leaf, rsa_leaf};
use Check::{Disproven, Proven, Unchecked};

const MESSAGE: &[u8] = b"the randoms, the parameters: what a server signs";

struct Vector {
    name: &'static str,
    leaf: Vec<u8>,
    scheme: Scheme,
    signature: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let mut leaves = BTreeMap::new();
    let mut vectors = Vec::new();
    for line in include_str!("vectors.txt").lines().filter(|line| !line.starts_with('#')) {
        let decoded = |text: &str| BASE64.decode(text.as_bytes()).unwrap();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["key", name, spki] => assert!(leaves.insert(name, leaf(&decoded(spki))).is_none()),
            ["sig", name, scheme, signature] => vectors.push(Vector {
                name,
                leaf: leaves[name].clone(),
                scheme: match scheme {
                    "legacy" => Scheme::Legacy,
                    code => Scheme::Named(u16::from_str_radix(code, 16).unwrap()),
                },
                signature: decoded(signature),
            }),
            _ => panic!("{line}"),
        }
    }
    vectors
}

/// Those whose keys are of a kind that is checked.
fn checked() -> impl Iterator<Item = Vector> {
    let of_odd_kind = |name: &str| {
        ["ed448", "dsa", "brainpool", "secp256k1", "p256-explicit"]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    vectors().into_iter().filter(move |vector| !of_odd_kind(vector.name))
}

/// The first vector of `name` under `scheme`.
fn vector(name: &str, scheme: Scheme) -> Vector {
    vectors().into_iter().find(|vector| vector.name == name && vector.scheme == scheme).unwrap()
}

#[test]
fn signatures_of_every_kind_are_proven() {
    let mut counts = BTreeMap::new();
    for Vector { name, leaf, scheme, signature } in checked() {
        assert_eq!(check(&leaf, scheme, MESSAGE, &signature), Proven, "{name} {scheme:04x?}");
        *counts.entry(name).or_insert(0) += 1;
    }
    let expected = [
        ("ed25519", 1),
        ("p256", 6),
        ("p256-compressed", 1),
        ("p384", 6),
        ("p521", 6),
        ("pss-1024", 2),
        ("pss-2048", 3),
        ("rsa-1024", 10),
        ("rsa-1025", 2),
        ("rsa-16384", 4),
        ("rsa-2048", 13),
        ("rsa-2048-3", 2),
        ("rsa-512", 6),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn signatures_over_something_else_are_disproven() {
    for Vector { name, leaf, scheme, signature } in checked() {
        let worth = check(&leaf, scheme, b"another handshake", &signature);
        assert_eq!(worth, Disproven, "{name} {scheme:04x?}");
    }
}

#[test]
fn changed_signatures_are_disproven() {
    for Vector { name, leaf, scheme, mut signature } in checked() {
        *signature.last_mut().unwrap() ^= 1;
        let worth = check(&leaf, scheme, MESSAGE, &signature);
        assert_eq!(worth, Disproven, "{name} {scheme:04x?}");
    }
}

#[test]
fn signatures_of_another_length_are_unreadable() {
    let unreadable = Unchecked(Unproven::SignatureUnreadable);
    for Vector { name, leaf, scheme, signature } in checked() {
        let with = |signature: &[u8]| check(&leaf, scheme, MESSAGE, signature);
        let shorter = &signature[..signature.len() - 1];
        assert_eq!(with(shorter), unreadable, "{name} {scheme:04x?}");
        assert_eq!(with(&[&signature[..], &[0]].concat()), unreadable, "{name} {scheme:04x?}");
        assert_eq!(with(&[]), unreadable, "{name} {scheme:04x?}");
    }
}

/// Random octets of the right length are a signature that is wrong; none have the structure of one by chance where
/// there is a structure.
#[test]
fn garbage_is_told_by_its_structure() {
    for (name, octets, worth) in [
        ("rsa-512", 64, Disproven),
        ("rsa-2048", 256, Disproven),
        ("rsa-16384", 2048, Disproven),
        ("p256", 70, Unchecked(Unproven::SignatureUnreadable)),
    ] {
        let Vector { leaf, scheme, .. } =
            vector(name, Scheme::Named(0x0401 | u16::from(name == "p256") << 1));
        // The last one is above every modulus.
        for octet in [0, 1, 0x5a, 0xff] {
            assert_eq!(
                check(&leaf, scheme, MESSAGE, &vec![octet; octets]),
                worth,
                "{name} {octet}"
            );
        }
    }
    let Vector { leaf, scheme, .. } = vector("ed25519", Scheme::Named(0x0807));
    assert_eq!(check(&leaf, scheme, MESSAGE, &[0x5a; 64]), Disproven);
}

#[test]
fn kinds_that_are_not_checked_are_named() {
    let odd: Vec<_> =
        vectors().into_iter().filter(|odd| checked().all(|v| v.name != odd.name)).collect();
    let mut names: Vec<_> = odd.iter().map(|vector| vector.name).collect();
    names.dedup();
    assert_eq!(names, ["ed448", "dsa-1024", "brainpool256", "secp256k1", "p256-explicit"]);
    for Vector { name, leaf, scheme, signature } in odd {
        let worth = check(&leaf, scheme, MESSAGE, &signature);
        assert_eq!(worth, Unchecked(Unproven::KeyKind), "{name} {scheme:04x?}");
    }
}

#[test]
fn schemes_that_do_not_fit_the_key_are_named() {
    let named = Scheme::Named;
    let unfit: [(&str, u16, &[Scheme]); 5] = [
        (
            "rsa-1024",
            0x0401,
            &[named(0x0403), named(0x0807), named(0x0808), named(0x0001), named(0)],
        ),
        ("pss-1024", 0x0809, &[named(0x0401), named(0x0201), Scheme::Legacy]),
        (
            "p256",
            0x0403,
            &[named(0x0401), named(0x0804), named(0x081a), named(0x0202), named(0x0703)],
        ),
        ("ed25519", 0x0807, &[named(0x0403), named(0x0808), Scheme::Legacy]),
        // No such signature fits into 512 bits.
        ("rsa-512", 0x0401, &[named(0x0501), named(0x0601), named(0x0806)]),
    ];
    for (name, own, schemes) in unfit {
        let Vector { leaf, signature, .. } = vector(name, named(own));
        for scheme in schemes {
            let worth = check(&leaf, *scheme, MESSAGE, &signature);
            assert_eq!(worth, Unchecked(Unproven::Scheme), "{name} {scheme:04x?}");
        }
    }
}

/// The code points for keys with either identifier mean the same.
#[test]
fn pss_is_pss_whatever_the_code_point() {
    for (name, made, said) in [
        ("pss-2048", 0x0809, 0x0804),
        ("pss-2048", 0x080a, 0x0805),
        ("pss-2048", 0x080b, 0x0806),
        ("rsa-2048", 0x0804, 0x0809),
        ("rsa-1024", 0x0805, 0x080a),
    ] {
        let Vector { leaf, signature, .. } = vector(name, Scheme::Named(made));
        let worth = check(&leaf, Scheme::Named(said), MESSAGE, &signature);
        assert_eq!(worth, Proven, "{name} {said:04x}");
    }
}

#[test]
fn one_scheme_is_not_taken_for_another() {
    for (name, made, said) in [
        ("rsa-512", 0x0201, 0x0401),
        ("rsa-1024", 0x0101, 0x0201),
        ("rsa-2048", 0x0401, 0x0804),
        ("rsa-2048", 0x0804, 0x0805),
        ("p384", 0x0503, 0x0403),
        ("p521", 0x0203, 0x0603),
    ] {
        let Vector { leaf, signature, .. } = vector(name, Scheme::Named(made));
        let worth = check(&leaf, Scheme::Named(said), MESSAGE, &signature);
        assert_eq!(worth, Disproven, "{name} {said:04x}");
        if name.starts_with("rsa") {
            assert_eq!(check(&leaf, Scheme::Legacy, MESSAGE, &signature), Disproven, "{name}");
        }
    }
}

#[test]
fn keys_out_of_bounds_cost_nothing() {
    let with = |modulus: usize, exponent: &[u8]| {
        let leaf = rsa_leaf(&vec![0xff; modulus], exponent);
        check(&leaf, Scheme::Named(0x0401), MESSAGE, &vec![1; modulus])
    };
    let size = Unchecked(Unproven::KeySize);
    assert_eq!(with(1024, &[0xff; 512]), size, "an exponent of 4,096 bits");
    assert_eq!(with(2048, &[2, 0, 0, 0, 1]), size, "an exponent of 34 bits");
    assert_eq!(with(256, &[1, 0, 0, 0, 1]), Disproven, "an exponent of 33 bits");
    assert_eq!(with(2049, &[3]), size);
    assert_eq!(with(2048, &[3]), Disproven);
    assert_eq!(with(63, &[3]), size);
    assert_eq!(with(64, &[3]), Disproven);
}

#[test]
fn keys_that_are_none_are_unreadable() {
    let with = |leaf: &[u8], scheme| check(leaf, Scheme::Named(scheme), MESSAGE, &[1; 64]);
    let unreadable = Unchecked(Unproven::KeyUnreadable);
    assert_eq!(with(b"no certificate", 0x0401), unreadable);
    let modulus = [0xff; 64];
    for exponent in [1, 2, 4] {
        assert_eq!(with(&rsa_leaf(&modulus, &[exponent]), 0x0401), unreadable, "{exponent}");
    }
    assert_eq!(with(&rsa_leaf(&[0xfe; 64], &[3]), 0x0401), unreadable, "an even modulus");
    assert_eq!(with(&rsa_leaf(&[], &[3]), 0x0401), unreadable, "zero");
    let key = |algorithm: &[u8], key: &[u8]| {
        leaf(&der(SEQUENCE, &[der(SEQUENCE, algorithm), der(3, &[&[0], key].concat())].concat()))
    };
    for short in [0, 31, 33] {
        let leaf = key(&der(6, EDWARDS_25519), &vec![1; short]);
        assert_eq!(with(&leaf, 0x0807), unreadable, "{short}");
    }
    let p256 = [der(6, EC), der(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07])].concat();
    for point in [&[4; 65][..], &[4; 64], &[0], &[]] {
        assert_eq!(with(&key(&p256, point), 0x0403), unreadable, "{point:?}");
    }
    assert_eq!(with(&key(&der(6, EC), &[4; 65]), 0x0403), Unchecked(Unproven::KeyKind), "no curve");
    assert_eq!(with(&key(&der(6, RSA), b"no numbers"), 0x0401), unreadable);
}

/// No octet of a key, wherever it is changed, leads to a proof or to the end of the program.
#[test]
fn changed_keys_prove_nothing() {
    for (name, scheme) in
        [("rsa-512", 0x0401), ("p256", 0x0403), ("ed25519", 0x0807), ("pss-1024", 0x0809)]
    {
        let Vector { leaf, scheme, signature, .. } = vector(name, Scheme::Named(scheme));
        // The key's bits are at the end.
        for at in leaf.len() - 30..leaf.len() - 5 {
            let mut changed = leaf.clone();
            changed[at] ^= 0x40;
            let worth = check(&changed, scheme, MESSAGE, &signature);
            assert_ne!(worth, Proven, "{name} {at}");
        }
        for length in 0..leaf.len() {
            let worth = check(&leaf[..length], scheme, MESSAGE, &signature);
            assert_eq!(worth, Unchecked(Unproven::KeyUnreadable), "{name} {length}");
        }
    }
}
