//! Webhooks over TLS: only whom the configuration trusts gets an alert.

use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::server::{Act, Server};
use super::{LONG, NOW, channel};
use crate::domain::alert::{Delivery, tests::moved};

/// An authority, and its certificate in PEM.
fn authority() -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        BASE64.encode(certificate.der())
    );
    (Issuer::new(params, key), pem)
}

/// A server for `name` that `issuer` vouches for, up to `year`.
fn acceptor(issuer: &Issuer<'_, KeyPair>, name: &str, year: i32) -> TlsAcceptor {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.der().to_vec())], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// How a post to the server ends for whom trusts `pem`, and how many requests it saw.
async fn posted(folder: &Path, acceptor: TlsAcceptor, pem: &str) -> (Delivery, usize) {
    std::fs::write(folder.join("ca.pem"), pem).unwrap();
    let server = Server::start(vec![Act::answer("200 OK")], Some(acceptor)).await;
    let table = format!("webhook = \"https://{}/canary\"\nca_file = \"ca.pem\"", server.address);
    let webhook = channel(folder, &table, LONG).unwrap();
    let delivery = webhook.deliver(&moved(), NOW).await;
    (delivery, server.received().len())
}

#[tokio::test]
async fn only_the_server_that_is_vouched_for_gets_the_alert() {
    let folder = tempfile::tempdir().unwrap();
    let ((issuer, pem), (_, other)) = (authority(), authority());
    let good = || acceptor(&issuer, "127.0.0.1", 2090);
    assert_eq!(posted(folder.path(), good(), &pem).await, (Delivery::Delivered, 1));
    assert_eq!(
        posted(folder.path(), good(), &format!("{other}{pem}")).await,
        (Delivery::Delivered, 1)
    );
    for (acceptor, trusted, expected) in [
        (acceptor(&issuer, "soc.example", 2090), &pem, "not valid for name"),
        (acceptor(&issuer, "127.0.0.1", 2021), &pem, "certificate expired"),
        (good(), &other, "invalid peer certificate"),
    ] {
        let (delivery, requests) = posted(folder.path(), acceptor, trusted).await;
        let Delivery::Retry { why, after: None } = delivery else { panic!("{delivery:?}") };
        assert!(why.contains(expected) && !why.contains("canary"), "{why}");
        assert_eq!(requests, 0);
    }
}

#[tokio::test]
async fn the_systems_certificates_do_not_vouch_for_a_stranger() {
    let (issuer, _) = authority();
    let folder = tempfile::tempdir().unwrap();
    let tls = acceptor(&issuer, "127.0.0.1", 2090);
    let server = Server::start(vec![Act::answer("200 OK")], Some(tls)).await;
    let table = format!("webhook = \"https://{}/\"", server.address);
    // A machine may trust nobody, and says so at the start.
    match channel(folder.path(), &table, LONG) {
        Ok(webhook) => {
            let delivery = webhook.deliver(&moved(), NOW).await;
            assert!(matches!(delivery, Delivery::Retry { .. }), "{delivery:?}");
        }
        Err(why) => assert!(why.contains("no trusted certificates"), "{why}"),
    }
    assert!(server.received().is_empty());
}

#[test]
fn files_that_name_no_authority_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = "webhook = \"https://127.0.0.1/\"\nca_file = \"ca.pem\"";
    let refused = || channel(folder.path(), table, LONG).err().unwrap();
    assert!(refused().contains("ca.pem cannot be read: "), "{}", refused());
    for (pem, why) in [
        ("", "holds no certificate in PEM"),
        ("canary", "holds no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "is not PEM"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "holds what is no certificate",
        ),
    ] {
        std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
        assert!(refused().ends_with(why) && !refused().contains("canary"), "{}", refused());
    }
}
