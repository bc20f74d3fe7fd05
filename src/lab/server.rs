//! One server of the lab: what its behaviour takes to be played.

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::behaviour::Behaviour;
use super::certificates::Certificates;
use super::conversation::{converse, relay, shake_hands};
use super::hostile::{Step, play};
use super::tls::TlsServers;

/// What one listener does with each of its connections.
#[derive(Clone)]
pub(super) enum Server {
    Tls(TlsAcceptor),
    Script(Arc<[Step]>),
    /// The address that all is passed on to.
    Relay(SocketAddrV4),
    Other(Behaviour),
}

impl Server {
    /// What behaves as `behaviour`; a relay passes everything on to `owner`.
    pub(super) fn new(
        behaviour: Behaviour,
        owner: SocketAddrV4,
        servers: &TlsServers,
        certificates: &Certificates,
    ) -> Self {
        match (behaviour, servers.acceptor(behaviour)) {
            (_, Some(acceptor)) => Self::Tls(acceptor.clone()),
            (Behaviour::Hostile(script), _) => Self::Script(script.steps(certificates).into()),
            (Behaviour::Relay, _) => Self::Relay(owner),
            (other, None) => Self::Other(other),
        }
    }

    /// Serves one connection.
    ///
    /// # Errors
    /// Whatever ended the connection early; nobody needs to be told.
    pub(super) async fn serve(self, stream: TcpStream) -> io::Result<()> {
        match self {
            Self::Tls(acceptor) => shake_hands(&acceptor, stream).await,
            Self::Script(steps) => play(&steps, stream).await,
            Self::Relay(owner) => relay(stream, owner).await,
            Self::Other(behaviour) => converse(behaviour, stream).await,
        }
    }
}
