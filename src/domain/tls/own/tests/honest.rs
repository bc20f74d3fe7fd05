//! Servers that do as they should: rustls's in the same thread.

use super::*;

#[test]
fn the_leaf_is_read_in_any_chunking() {
    for (version, (server, leaf)) in [("1.3", &*TLS13), ("1.2", &*TLS12)] {
        for chunk in [1, 2, 7, usize::MAX] {
            let verdict = verdict_of(server, Goal::Leaf, chunk);
            assert_eq!(verdict.outcome, Outcome::Certificate);
            assert_eq!(&verdict.certificates[0], leaf);
            assert_eq!(verdict.ended, None);
            let presented = Evidence::of(Err(Unproven::NotReached), false);
            assert_eq!(verdict.evidence, presented, "{version} {chunk}");
            assert_eq!(verdict.tls.unwrap().version, version);
            assert_eq!((verdict.first_byte, verdict.leaf), (Some(NOW), Some(NOW)));
        }
    }
}

#[test]
fn every_kind_of_key_is_proven_in_one_flight() {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        for algorithm in
            [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256]
        {
            let (server, leaf) = honest(version, algorithm);
            for chunk in [1, usize::MAX] {
                let verdict = verdict_of(&server, Goal::Finish, chunk);
                assert_eq!(verdict.certificates, [leaf.clone(), leaf.clone()]);
                assert_eq!(verdict.evidence.key_proven, Some(true), "{version:?} {algorithm:?}");
            }
        }
    }
}

/// The server has one group only; ours is asked for in a HelloRetryRequest, or was sent already.
#[test]
fn servers_with_one_group_are_reached() {
    use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
    for group in [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1] {
        let mut provider = default_provider();
        provider.kx_groups = vec![group];
        let (server, leaf) = &*TLS13;
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&server.cert_resolver));
        let verdict = verdict_of(&Arc::new(config), Goal::Finish, usize::MAX);
        assert_eq!(&verdict.certificates[0], leaf, "{group:?}");
        assert_eq!(verdict.evidence.key_proven, Some(true), "{group:?}");
    }
}

#[test]
fn every_suite_of_tls13_is_followed() {
    for suite in rustls::crypto::aws_lc_rs::default_provider().cipher_suites {
        if suite.tls13().is_none() {
            continue;
        }
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&TLS13.0.cert_resolver));
        let verdict = verdict_of(&Arc::new(config), Goal::Finish, usize::MAX);
        assert_eq!(verdict.evidence.key_proven, Some(true), "{suite:?}");
        let name = format!("{:?}", suite.suite()).replacen("TLS13", "TLS", 1);
        assert_eq!(verdict.tls.unwrap().cipher_suite, name);
    }
}

#[test]
fn old_versions_are_read_in_the_clear() {
    let certificate = [11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 7, 7, 7];
    for (version, name) in [(0x0300, "SSL3"), (0x0301, "1.0"), (0x0302, "1.1"), (0x0303, "1.2")] {
        let messages = [&hello(version, 0x002f)[..], &certificate].concat();
        let mut client = client(Goal::Leaf);
        sent_by(client.as_mut());
        client.handle_bytes(NOW, &handshake_record(version, &messages));
        let verdict = client.verdict().expect("the Certificate message is whole");
        assert_eq!(verdict.certificates, [vec![7, 7, 7]]);
        let facts = verdict.tls.unwrap();
        assert_eq!((facts.version, &*facts.cipher_suite), (name, "TLS_RSA_WITH_AES_128_CBC_SHA"));
        assert_eq!(verdict.evidence.key_proven, None);
    }
}
