//! A client that trusts everybody, for the tests of this room.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, InvalidMessage, ProtocolVersion,
    SignatureScheme,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::domain::cert::public_key;
use crate::domain::fingerprint::Sha1Fingerprint;
use crate::domain::outcome::Protocol;

/// How long it waits for the next bytes before it calls a server silent or stalled.
const DEADLINE: Duration = Duration::from_millis(400);

/// What it made of a server.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcome: &'static str,
    pub(super) leaf: Option<Sha1Fingerprint>,
    pub(super) key_proven: Option<bool>,
    pub(super) handshake_finished: bool,
    pub(super) tls_version: Option<&'static str>,
}

/// Connects to `address`, which is on loopback, and goes as far in TLS as the server does.
pub(super) async fn visit(address: SocketAddr) -> Answer {
    assert!(address.ip().is_loopback());
    let verifier = Arc::new(Permissive::default());
    let (outcome, version) = match TcpStream::connect(address).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => ("refused", None),
        Err(error) => panic!("{error}"),
        Ok(stream) => handshake(stream, Arc::clone(&verifier)).await,
    };
    let seen = verifier.seen.lock().unwrap();
    Answer {
        outcome: if seen.leaf.is_some() { "certificate" } else { outcome },
        leaf: seen.leaf,
        key_proven: seen.key_proven,
        handshake_finished: outcome == "finished",
        tls_version: version.map(|version| match version {
            ProtocolVersion::TLSv1_2 => "1.2",
            ProtocolVersion::TLSv1_3 => "1.3",
            other => panic!("{other:?}"),
        }),
    }
}

async fn handshake(
    mut stream: TcpStream,
    verifier: Arc<Permissive>,
) -> (&'static str, Option<ProtocolVersion>) {
    let mut connection = connection(verifier);
    let mut received = Vec::new();
    let outcome = loop {
        let mut outgoing = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut outgoing).unwrap();
        }
        let _ = stream.write_all(&outgoing).await;
        if !connection.is_handshaking() {
            break "finished";
        }
        let before = received.len();
        let read = timeout(DEADLINE, stream.read_buf(&mut received)).await;
        break match read {
            Ok(Ok(0)) if before == 0 => "closed",
            Ok(Ok(0)) => "stalled",
            Ok(Ok(_)) => match take(&mut connection, &received[before..]) {
                Ok(()) => continue,
                Err(error) => ending(&error, &received),
            },
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => "reset",
            Ok(Err(error)) => panic!("{error}"),
            Err(_) if before == 0 => "silent",
            Err(_) => "stalled",
        };
    };
    (outcome, connection.protocol_version())
}

fn connection(verifier: Arc<Permissive>) -> ClientConnection {
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.enable_sni = false;
    let name = ServerName::try_from("lab.invalid").unwrap();
    ClientConnection::new(Arc::new(config), name).unwrap()
}

fn take(connection: &mut ClientConnection, mut bytes: &[u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        connection.read_tls(&mut bytes).unwrap();
        connection.process_new_packets()?;
    }
    Ok(())
}

fn ending(error: &Error, received: &[u8]) -> &'static str {
    match error {
        Error::AlertReceived(_) => "alert",
        Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge) => {
            assert!(received.len() < 256 << 10);
            "too_large"
        }
        Error::InvalidMessage(_) if !matches!(received, [20..=23, 3, ..]) => {
            assert_ne!(Protocol::recognise(received), Protocol::Unknown);
            "not_tls"
        }
        Error::InvalidMessage(_) => "malformed",
        other => panic!("{other}"),
    }
}

/// Accepts every certificate and signature, and remembers what they were.
#[derive(Debug, Default)]
struct Permissive {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    leaf: Option<Sha1Fingerprint>,
    key_proven: Option<bool>,
}

impl Permissive {
    fn remember(
        &self,
        checked: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.seen.lock().unwrap().key_proven = Some(checked.is_ok());
        Ok(HandshakeSignatureValid::assertion())
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    default_provider().signature_verification_algorithms
}

impl ServerCertVerifier for Permissive {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.seen.lock().unwrap().leaf = Some(Sha1Fingerprint::of(end_entity));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.remember(verify_tls12_signature(message, leaf, signature, &algorithms()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let spki = SubjectPublicKeyInfoDer::from(public_key(leaf).unwrap().spki);
        let algorithms = algorithms();
        self.remember(verify_tls13_signature_with_raw_key(message, &spki, signature, &algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}
