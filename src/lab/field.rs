//! Any number of identical servers behind one listener.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::behaviour::Behaviour;
use super::certificates::{CertificateKind, Credential};
use super::conversation::{converse, shake_hands};
use super::error::LabError;
use super::tls::{ONLY_12, ONLY_13, acceptor};
use super::{indicators, listener};
use crate::domain::cert::Leaf;

const BACKLOG: i32 = 16_384;
const CONNECTIONS: usize = 16_384;

/// What the servers of a field do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldServer {
    /// TLS 1.3 and nothing older, with the field's P-256 leaf.
    Tls13,
    /// TLS 1.2 and nothing newer, with the field's P-256 leaf.
    Tls12,
    /// TLS 1.3 and nothing older, with the field's indicator, which is P-256 as well.
    Indicator,
    /// Reads the ClientHello and ends its stream without a byte of an answer.
    Accept,
    /// Accepts and never answers, for at most 30 seconds.
    Hold,
}

/// Servers on every address of 127.0.0.0/8, at one port.
///
/// Nothing outside the machine can reach them. Servers and connections end when it is dropped.
#[derive(Debug)]
pub struct Field {
    port: u16,
    leaf: Leaf,
    indicator: Leaf,
    _accepting: JoinSet<()>,
}

impl Field {
    /// Starts the same `server` on every address; port 0 is for a free one.
    ///
    /// # Errors
    /// [`LabError`], if certificates cannot be made or the port cannot be listened on.
    pub fn start(server: FieldServer, port: u16) -> Result<Self, LabError> {
        Self::start_with(move |_| server, port)
    }

    /// Starts the field's indicator on every address whose number is a multiple of `every`, and
    /// `server` on all others.
    ///
    /// # Errors
    /// As for [`Field::start`].
    pub fn with_matches_every(
        every: NonZeroU32,
        server: FieldServer,
        port: u16,
    ) -> Result<Self, LabError> {
        let choose = move |address: Ipv4Addr| match address.to_bits() % every {
            0 => FieldServer::Indicator,
            _ => server,
        };
        Self::start_with(choose, port)
    }

    /// Starts on every address the server that `choose` gives for it.
    ///
    /// # Errors
    /// As for [`Field::start`].
    pub fn start_with<C>(choose: C, port: u16) -> Result<Self, LabError>
    where
        C: Fn(Ipv4Addr) -> FieldServer + Send + Sync + 'static,
    {
        if Handle::try_current().is_err() {
            return Err(LabError::NoRuntime);
        }
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
        let refused = |source| LabError::listening(address, 1, source);
        let listener = listener::on_loopback(port, BACKLOG).map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        let plain = Credential::p256(CertificateKind::P256)?;
        let indicator = Credential::p256(CertificateKind::IndicatorOne)?;
        let servers = Arc::new(Servers::new(&plain, &indicator)?);
        let serve = move |address, stream| Arc::clone(&servers).serve(choose(address), stream);
        let mut accepting = JoinSet::new();
        accepting.spawn(listener::accept(listener, Arc::new(Semaphore::new(CONNECTIONS)), serve));
        Ok(Self { port, leaf: plain.leaf, indicator: indicator.leaf, _accepting: accepting })
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The leaf that [`FieldServer::Tls13`] and [`FieldServer::Tls12`] show.
    pub const fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The leaf that [`FieldServer::Indicator`] shows.
    pub const fn indicator(&self) -> &Leaf {
        &self.indicator
    }

    /// The text of an indicator set that names this field's indicator.
    pub fn indicator_set_toml(&self) -> String {
        indicators::set([(CertificateKind::IndicatorOne, &self.indicator)])
    }
}

/// The field's three TLS servers.
struct Servers {
    tls13: TlsAcceptor,
    tls12: TlsAcceptor,
    indicator: TlsAcceptor,
}

impl Servers {
    fn new(plain: &Credential, indicator: &Credential) -> Result<Self, LabError> {
        let provider = Arc::new(default_provider());
        Ok(Self {
            tls13: acceptor(&provider, plain.certified(), ONLY_13)?,
            tls12: acceptor(&provider, plain.certified(), ONLY_12)?,
            indicator: acceptor(&provider, indicator.certified(), ONLY_13)?,
        })
    }

    async fn serve(self: Arc<Self>, server: FieldServer, stream: TcpStream) -> io::Result<()> {
        match server {
            FieldServer::Tls13 => shake_hands(&self.tls13, stream).await,
            FieldServer::Tls12 => shake_hands(&self.tls12, stream).await,
            FieldServer::Indicator => shake_hands(&self.indicator, stream).await,
            FieldServer::Accept => converse(Behaviour::CloseAtOnce, stream).await,
            FieldServer::Hold => converse(Behaviour::Silent, stream).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client;
    use super::*;

    #[tokio::test]
    async fn every_nth_address_shows_the_indicator() {
        let every = NonZeroU32::new(4).unwrap();
        let field = Field::with_matches_every(every, FieldServer::Tls12, 0).unwrap();
        for (address, matches) in [
            (Ipv4Addr::new(127, 0, 0, 1), false),
            (Ipv4Addr::new(127, 0, 0, 4), true),
            (Ipv4Addr::new(127, 9, 8, 7), false),
            (Ipv4Addr::new(127, 200, 3, 252), true),
        ] {
            let answer = client::visit((address, field.port()).into()).await;
            let leaf = if matches { field.indicator() } else { field.leaf() };
            assert_eq!(answer.leaf, Some(leaf.sha1), "{address}");
            assert_eq!(answer.tls_version, Some(if matches { "1.3" } else { "1.2" }));
            assert_eq!(answer.key_proven, Some(true));
        }
    }

    #[tokio::test]
    async fn servers_that_speak_no_tls_close_or_stay_silent() {
        let choose = |address: Ipv4Addr| match address.octets()[3] {
            1 => FieldServer::Accept,
            _ => FieldServer::Hold,
        };
        let field = Field::start_with(choose, 0).unwrap();
        for (host, outcome) in [(1, "closed"), (2, "silent")] {
            let address = Ipv4Addr::new(127, 70, 0, host);
            let answer = client::visit((address, field.port()).into()).await;
            assert_eq!((answer.outcome, answer.leaf), (outcome, None));
        }
    }
}
