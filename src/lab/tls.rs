//! The settings of the servers that speak TLS to the end.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

use super::behaviour::Behaviour;
use super::certificates::Certificates;
use super::error::LabError;

/// Some versions of TLS.
pub(super) type Versions = &'static [&'static SupportedProtocolVersion];

/// TLS 1.2 alone.
pub(super) const ONLY_12: Versions = &[&TLS12];

/// TLS 1.3 alone.
pub(super) const ONLY_13: Versions = &[&TLS13];

const BOTH: Versions = &[&TLS12, &TLS13];

/// One server for each behaviour that speaks TLS to the end.
pub(super) struct TlsServers(HashMap<Behaviour, TlsAcceptor>);

impl TlsServers {
    /// Sets the servers up with `certificates`.
    pub(super) fn new(certificates: &Certificates) -> Result<Self, LabError> {
        let provider = Arc::new(default_provider());
        let mut acceptors = HashMap::new();
        for behaviour in Behaviour::PLAIN {
            if behaviour == Behaviour::Relay {
                continue;
            }
            let Some(kind) = behaviour.expected().leaf else { continue };
            let certified = match behaviour {
                Behaviour::Impostor | Behaviour::Impostor12 => certificates.impostor(kind),
                _ => certificates.credential(kind).certified(),
            };
            acceptors.insert(behaviour, acceptor(&provider, certified, versions(behaviour))?);
        }
        Ok(Self(acceptors))
    }

    /// The server for `behaviour`, if that speaks TLS to the end.
    pub(super) fn acceptor(&self, behaviour: Behaviour) -> Option<&TlsAcceptor> {
        self.0.get(&behaviour)
    }
}

const fn versions(behaviour: Behaviour) -> Versions {
    match behaviour {
        Behaviour::Tls12P256 | Behaviour::Tls12Rsa | Behaviour::Impostor12 => ONLY_12,
        Behaviour::Tls13P256 | Behaviour::Tls13Rsa | Behaviour::Ed25519 => ONLY_13,
        _ => BOTH,
    }
}

/// A server that shows `certified` to everybody and remembers nobody.
pub(super) fn acceptor(
    provider: &Arc<CryptoProvider>,
    certified: CertifiedKey,
    versions: Versions,
) -> Result<TlsAcceptor, LabError> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
