//! Any number of identical servers behind one listener.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::canned::Canned;
use super::certificates::{CertificateKind, Credential};
use super::conversation::{PATIENCE, shake_hands};
use super::error::LabError;
use super::event_loop::{Answer, EventLoop, Serve};
use super::tls::{ONLY_12, ONLY_13, acceptor};
use super::{indicators, listener};
use crate::domain::cert::Leaf;

const BACKLOG: i32 = 16_384;

/// Handshakes that are made at once; connections beyond are closed.
const HANDSHAKES: usize = 16_384;

/// What the servers of a field do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldServer {
    /// TLS 1.3 and nothing older, with the field's P-256 leaf.
    Tls13,
    /// TLS 1.2 and nothing newer, with the field's P-256 leaf.
    Tls12,
    /// TLS 1.3 and nothing older, with the field's indicator, which is P-256 as well.
    Indicator,
    /// The field's leaf over TLS 1.2, and a signature of its key over another handshake. It costs as little as a
    /// server can, and cannot finish a handshake.
    Canned12,
    /// The same, with a leaf that no other address shows: the last four bytes of its own signature are the address.
    Canned12OwnLeaf,
    /// The same as [`Self::Canned12`] over TLS 1.3, to clients that offer X25519.
    Canned13,
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
    _accepting: EventLoop,
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
        let runtime = Handle::try_current().map_err(|_| LabError::NoRuntime)?;
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
        let refused = |source| LabError::listening(address, 1, source);
        let listener = listener::on_loopback(port, BACKLOG).map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        let listener = listener.into_std().map_err(refused)?;
        let plain = Credential::p256(CertificateKind::P256)?;
        let indicator = Credential::p256(CertificateKind::IndicatorOne)?;
        let servers = Servers {
            choose,
            canned: Canned::new(&plain)?,
            handshakes: Handshakes::new(&plain, &indicator, runtime)?,
        };
        let accepting = EventLoop::start(listener.into(), servers).map_err(LabError::Serving)?;
        Ok(Self { port, leaf: plain.leaf, indicator: indicator.leaf, _accepting: accepting })
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The leaf that all servers show but [`FieldServer::Indicator`] and [`FieldServer::Canned12OwnLeaf`].
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

/// What every address does.
struct Servers<C> {
    choose: C,
    canned: Canned,
    handshakes: Handshakes,
}

impl<C> Serve for Servers<C>
where
    C: Fn(Ipv4Addr) -> FieldServer + Send + 'static,
{
    fn hand_over(&mut self, address: Ipv4Addr, connection: OwnedFd) -> Option<OwnedFd> {
        let acceptor = match (self.choose)(address) {
            FieldServer::Tls13 => &self.handshakes.tls13,
            FieldServer::Tls12 => &self.handshakes.tls12,
            FieldServer::Indicator => &self.handshakes.indicator,
            _ => return Some(connection),
        };
        let acceptor = acceptor.clone();
        self.handshakes.begin(acceptor, connection);
        None
    }

    fn answer(&mut self, address: Ipv4Addr, hello: &[u8]) -> Answer<'_> {
        match (self.choose)(address) {
            FieldServer::Canned12 => Answer::Bytes(self.canned.tls12()),
            FieldServer::Canned12OwnLeaf => Answer::Bytes(self.canned.tls12_of(address)),
            FieldServer::Canned13 => self.canned.tls13(hello).map_or(Answer::End, Answer::Bytes),
            FieldServer::Hold => Answer::Silence,
            _ => Answer::End,
        }
    }
}

/// The field's three servers that speak TLS to the end, and the connections that they have.
struct Handshakes {
    tls13: TlsAcceptor,
    tls12: TlsAcceptor,
    indicator: TlsAcceptor,
    runtime: Handle,
    going_on: JoinSet<()>,
}

impl Handshakes {
    fn new(plain: &Credential, indicator: &Credential, runtime: Handle) -> Result<Self, LabError> {
        let provider = Arc::new(default_provider());
        Ok(Self {
            tls13: acceptor(&provider, plain.certified(), ONLY_13)?,
            tls12: acceptor(&provider, plain.certified(), ONLY_12)?,
            indicator: acceptor(&provider, indicator.certified(), ONLY_13)?,
            runtime,
            going_on: JoinSet::new(),
        })
    }

    fn begin(&mut self, acceptor: TlsAcceptor, connection: OwnedFd) {
        while self.going_on.try_join_next().is_some() {}
        if self.going_on.len() >= HANDSHAKES {
            return;
        }
        let shaken = async move {
            let Ok(stream) = TcpStream::from_std(connection.into()) else { return };
            let _ = timeout(PATIENCE, shake_hands(&acceptor, stream)).await;
        };
        self.going_on.spawn_on(shaken, &self.runtime);
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

    #[tokio::test]
    async fn canned_flights_show_a_leaf_whose_key_is_not_proven() {
        let choose = |address: Ipv4Addr| match address.octets()[3] {
            1 => FieldServer::Canned12,
            _ => FieldServer::Canned13,
        };
        let field = Field::start_with(choose, 0).unwrap();
        for (host, version) in [(1, "1.2"), (2, "1.3"), (3, "1.3")] {
            let address = Ipv4Addr::new(127, 71, 0, host);
            let answer = client::visit((address, field.port()).into()).await;
            assert_eq!(answer.leaf, Some(field.leaf().sha1), "{address}");
            assert_eq!(answer.tls_version, Some(version));
            assert_eq!((answer.key_proven, answer.handshake_finished), (Some(false), false));
        }
    }

    #[tokio::test]
    async fn a_leaf_of_its_own_is_that_of_its_address() {
        let field = Field::start(FieldServer::Canned12OwnLeaf, 0).unwrap();
        for address in [Ipv4Addr::new(127, 1, 2, 3), Ipv4Addr::new(127, 200, 0, 255)] {
            let mut own = field.leaf().der.clone();
            let at = own.len() - 4;
            own[at..].copy_from_slice(&address.octets());
            let answer = client::visit((address, field.port()).into()).await;
            assert_eq!(answer.leaf, Some(Leaf::new(own).sha1), "{address}");
        }
    }

    #[tokio::test]
    async fn a_hello_may_come_in_pieces_and_the_end_of_the_field_ends_all() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let field = Field::start(FieldServer::Canned12, 0).unwrap();
        let address = (Ipv4Addr::new(127, 4, 4, 4), field.port());
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in [&[22, 3][..], &[1, 0, 4, 1], &[0, 0, 0]] {
            stream.write_all(piece).await.unwrap();
        }
        let mut start = [0; 6];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!((start[0], start[5]), (22, 2));
        drop(field);
        assert!(stream.read_to_end(&mut Vec::new()).await.is_ok());
        assert!(TcpStream::connect(address).await.is_err());
    }
}
