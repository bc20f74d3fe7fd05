//! The servers of the bench, in a process of their own.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

use crate::cli::exit::{Exit, Failure};
use crate::cli::terminal;
use crate::engine::limits;
use crate::lab::{Field, FieldServer, LabError};

/// How long the servers live at most.
const SERVE_MAX: Duration = Duration::from_secs(60 * 60);

/// One target in so many matches where some do.
pub(super) const MATCHES_EVERY: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// The first address of the swept range.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 128, 0, 0);

/// The address of the target with this number, which is less than 2^20.
pub(super) const fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits() + (number & 0xf_ffff))
}

/// What answers on every address of loopback, each kind at a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// Accepts, and waits for the client to close.
    Accept,
    /// One leaf for all over TLS 1.2, at the least cost.
    Canned12,
    /// A leaf of its own for each over TLS 1.2, at the least cost.
    OwnLeaf12,
    /// One leaf for all over TLS 1.3, at the least cost.
    Canned13,
    /// As `Canned12`, but for one in [`MATCHES_EVERY`] that shows an indicator and completes handshakes.
    Matches,
    /// Completes handshakes of TLS 1.3.
    Tls13,
    /// Never answers.
    Hold,
    /// Completes handshakes of TLS 1.2; no case of ours needs it, but peers that stop nowhere else do.
    Tls12,
    /// There is none.
    Nobody,
}

/// In the order of their ports, by which `benches/peers/compare` finds them.
const SERVERS: [Server; 8] = [
    Server::Accept,
    Server::Canned12,
    Server::OwnLeaf12,
    Server::Canned13,
    Server::Matches,
    Server::Tls13,
    Server::Hold,
    Server::Tls12,
];

fn field(server: Server) -> Result<Field, LabError> {
    let kind = match server {
        Server::Accept | Server::Nobody => FieldServer::Accept,
        Server::Canned12 => FieldServer::Canned12,
        Server::OwnLeaf12 => FieldServer::Canned12OwnLeaf,
        Server::Canned13 => FieldServer::Canned13,
        Server::Matches => {
            return Field::with_matches_every(MATCHES_EVERY, FieldServer::Canned12, 0);
        }
        Server::Tls13 => FieldServer::Tls13,
        Server::Hold => FieldServer::Hold,
        Server::Tls12 => FieldServer::Tls12,
    };
    Field::start(kind, 0)
}

/// What the servers say of themselves, in one line.
#[derive(Debug, Deserialize, Serialize)]
struct Introduction {
    ports: [u16; SERVERS.len()],
    /// The indicator set that names the leaf of [`Server::Matches`].
    indicators: String,
}

/// Is the servers until standard input ends.
pub(super) async fn serve() -> Result<Exit, Failure> {
    limits::descriptors();
    let failure = |error: LabError| Failure::local(error.to_string());
    let mut introduction = Introduction { ports: [0; SERVERS.len()], indicators: String::new() };
    let mut fields = Vec::new();
    for (server, port) in SERVERS.into_iter().zip(&mut introduction.ports) {
        let field = field(server).map_err(failure)?;
        *port = field.port();
        if server == Server::Matches {
            introduction.indicators = field.indicator_set_toml();
        }
        fields.push(field);
    }
    let line = serde_json::to_string(&introduction);
    let line = line.map_err(|error| Failure::local(error.to_string()))?;
    terminal::print(&format!("{line}\n"))?;
    let parent_gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = tokio::time::timeout(SERVE_MAX, parent_gone).await;
    Ok(Exit::Done)
}

/// The servers' process; it ends with this one.
pub(super) struct Servers {
    child: Child,
    introduction: Introduction,
    /// Has a port on all addresses, so that nobody else listens there.
    nobody: Socket,
}

impl Servers {
    pub(super) fn start() -> Result<Self, Failure> {
        let failure = |what: String| Failure::local(format!("cannot start the servers: {what}"));
        let program = std::env::current_exe().map_err(|error| failure(error.to_string()))?;
        let mut child = Command::new(program)
            .args(["bench", "--serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failure(error.to_string()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(|error| failure(error.to_string()))?;
        }
        let introduction = serde_json::from_str(&line)
            .map_err(|error| failure(format!("they did not say their ports: {error}")))?;
        let nobody = taken_port().map_err(|error| failure(error.to_string()))?;
        Ok(Self { child, introduction, nobody })
    }

    /// The port of `server`.
    pub(super) fn port(&self, server: Server) -> u16 {
        let taken = || self.nobody.local_addr().ok()?.as_socket().map(|address| address.port());
        let ports = SERVERS.into_iter().zip(self.introduction.ports);
        let port = ports.into_iter().find_map(|(kind, port)| (kind == server).then_some(port));
        port.or_else(taken).unwrap_or_default()
    }

    /// The text of the indicator set that names the leaf of [`Server::Matches`].
    pub(super) fn indicators(&self) -> &str {
        &self.introduction.indicators
    }
}

/// A socket that has a port and does not listen.
fn taken_port() -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into())?;
    Ok(socket)
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
