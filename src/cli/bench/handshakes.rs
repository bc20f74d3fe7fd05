//! The bare loop of whole handshakes: rustls over an event queue, and nothing written down.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
};

use super::floors::{AT_ONCE, Targets, begin, open, wait};

/// TLS 1.3 with X25519 alone and the cheapest suite first, as a sweep with `--handshake full` gets it.
pub(super) fn config() -> Result<Arc<ClientConfig>, Error> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    provider.cipher_suites.sort_by_key(|suite| match suite.suite() {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
        _ => 1,
    });
    let verifier = Permissive(provider.signature_verification_algorithms);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Accepts every certificate whose key signed the handshake.
#[derive(Debug)]
struct Permissive(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Permissive {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 was not offered".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Completes a handshake with each target and closes. How many were completed.
///
/// # Errors
/// What the system says when it gives no socket; what rustls says of `config`.
pub(super) fn rustls(targets: Targets, config: &Arc<ClientConfig>) -> io::Result<u64> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let places = targets.concurrency.min(targets.count as usize);
    let mut open_ones: Vec<Option<Connection>> = (0..places).map(|_| None).collect();
    let mut free: Vec<usize> = (0..places).collect();
    let mut events = Vec::with_capacity(AT_ONCE);
    let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
    let (mut next, mut well) = (0, 0);
    loop {
        while let Some(target) = targets.get(next)
            && let Some(place) = free.pop()
        {
            let socket = open()?;
            begin(&socket, target)?;
            epoll::add(&epoll, &socket, EventData::new_u64(place as u64), flags)?;
            let connection = Connection::new(socket.into(), config, *target.ip())?;
            if let Some(free) = open_ones.get_mut(place) {
                *free = Some(connection);
            }
            next += 1;
        }
        if free.len() == places || !wait(&epoll, &mut events)? {
            return Ok(well);
        }
        for event in events.drain(..) {
            let place = event.data.u64() as usize;
            let Some(slot) = open_ones.get_mut(place) else { continue };
            let Some(finished) = slot.as_mut().and_then(Connection::turn) else { continue };
            well += u64::from(finished);
            *slot = None;
            free.push(place);
        }
    }
}

struct Connection {
    stream: TcpStream,
    tls: ClientConnection,
}

impl Connection {
    fn new(stream: TcpStream, config: &Arc<ClientConfig>, address: Ipv4Addr) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(address.into());
        let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        Ok(Self { stream, tls })
    }

    /// Goes on as far as it can; once it is over, whether the handshake was completed.
    fn turn(&mut self) -> Option<bool> {
        match self.go_on() {
            Ok(()) => Some(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(false),
        }
    }

    fn go_on(&mut self) -> io::Result<()> {
        loop {
            while self.tls.wants_write() {
                self.tls.write_tls(&mut self.stream)?;
            }
            if !self.tls.is_handshaking() {
                return Ok(());
            }
            if self.tls.read_tls(&mut (&self.stream).by_ref())? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Field, FieldServer};

    #[tokio::test(flavor = "multi_thread")]
    async fn every_handshake_is_completed_or_counted_as_none() {
        let config = config().unwrap();
        for (server, completed) in
            [(FieldServer::Tls13, 40), (FieldServer::Tls12, 0), (FieldServer::Canned13, 0)]
        {
            let field = Field::start(server, 0).unwrap();
            let targets = Targets { port: field.port(), count: 40, concurrency: 6 };
            assert_eq!(rustls(targets, &config).unwrap(), completed, "{server:?}");
        }
    }
}
