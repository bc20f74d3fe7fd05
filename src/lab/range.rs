//! A /24 of loopback with servers of every behaviour.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process;
use std::sync::Arc;

use ipnet::Ipv4Net;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::behaviour::Behaviour;
use super::certificates::{CertificateKind, Certificates};
use super::error::LabError;
use super::layout::{HOSTS, OWNER, behaviour};
use super::server::Server;
use super::tls::TlsServers;
use super::{indicators, listener};
use crate::domain::address::Target;
use crate::domain::cert::Leaf;

/// The ports that SoftEther listens on unless it is told otherwise.
pub const SOFTETHER_PORTS: [u16; 4] = [443, 992, 1194, 5555];

/// The ports that stand in for [`SOFTETHER_PORTS`] where those cannot be had.
pub const STAND_IN_PORTS: [u16; 4] = [20_443, 20_992, 21_194, 25_555];

const BACKLOG: i32 = 1024;
const CONNECTIONS: usize = 4096;

/// How many blocks are tried before we say that none is free.
const TRIES: u32 = 64;

/// 127.64.0.0/10, which leaves 127.0.0.0/10 to whatever else listens on loopback.
const BLOCKS_FROM: u32 = Ipv4Addr::new(127, 64, 0, 0).to_bits();

/// How many /24 there are in a /10.
const BLOCKS: u32 = 1 << 14;

/// 256 loopback addresses with four ports each, as [`behaviour`] lays them out.
///
/// Servers and connections end when the range is dropped.
#[derive(Debug)]
pub struct Range {
    network: Ipv4Net,
    ports: [u16; 4],
    certificates: Certificates,
    _accepting: JoinSet<()>,
}

impl Range {
    /// Starts the servers on a free /24 of 127.64.0.0/10.
    ///
    /// Without `ports` they are [`SOFTETHER_PORTS`], or [`STAND_IN_PORTS`] where those need a
    /// privilege that we lack or are in use. There are about 540 listeners; the caller sees
    /// to it that the process may open so many files.
    ///
    /// # Errors
    /// [`LabError`], if certificates cannot be made or addresses cannot be listened on.
    pub fn start(ports: Option<[u16; 4]>) -> Result<Self, LabError> {
        if Handle::try_current().is_err() {
            return Err(LabError::NoRuntime);
        }
        let bound = match ports {
            Some(ports) => Bound::somewhere(ports)?,
            None => match Bound::somewhere(SOFTETHER_PORTS) {
                Err(error) if is_about_ports(&error) => Bound::somewhere(STAND_IN_PORTS)?,
                other => other?,
            },
        };
        let certificates = Certificates::generate()?;
        let servers = TlsServers::new(&certificates)?;
        let (network, ports) = (bound.network, bound.ports);
        let accepting = bound.serve(&servers, &certificates);
        Ok(Self { network, ports, certificates, _accepting: accepting })
    }

    /// The addresses.
    pub const fn network(&self) -> Ipv4Net {
        self.network
    }

    /// The ports, in the order of [`SOFTETHER_PORTS`].
    pub const fn ports(&self) -> [u16; 4] {
        self.ports
    }

    /// Whether the ports are SoftEther's own, some of which take a privilege to listen on.
    pub fn privileged(&self) -> bool {
        self.ports == SOFTETHER_PORTS
    }

    /// Every target and what stands there, in order of address and port index; 1024 in all.
    pub fn expected(&self) -> impl Iterator<Item = (Target, Behaviour)> + use<> {
        places(self.network, self.ports).map(|(address, behaviour)| (target(address), behaviour))
    }

    /// The leaf of that kind, with the fingerprints it has in this range.
    pub const fn leaf(&self, kind: CertificateKind) -> &Leaf {
        self.certificates.leaf(kind)
    }

    /// The text of an indicator set that names this range's two indicators.
    pub fn indicator_set_toml(&self) -> String {
        let kinds = CertificateKind::ALL.into_iter().filter(|kind| kind.is_indicator());
        indicators::set(kinds.map(|kind| (kind, self.leaf(kind))))
    }
}

fn target(address: SocketAddrV4) -> Target {
    Target::new((*address.ip()).into(), address.port())
}

/// Whether other ports may do better.
fn is_about_ports(error: &LabError) -> bool {
    matches!(error.kind(), Some(io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse))
}

/// Every address and port of the block, and what stands there.
fn places(
    network: Ipv4Net,
    ports: [u16; 4],
) -> impl Iterator<Item = (SocketAddrV4, Behaviour)> + use<> {
    (0..=u8::MAX).flat_map(move |host| {
        let address = Ipv4Addr::from_bits(network.network().to_bits() | u32::from(host));
        ports
            .into_iter()
            .enumerate()
            .map(move |(index, port)| (SocketAddrV4::new(address, port), behaviour(host, index)))
    })
}

/// Listeners that nobody accepts from yet.
struct Bound {
    network: Ipv4Net,
    ports: [u16; 4],
    listeners: Vec<(Behaviour, TcpListener)>,
}

impl Bound {
    /// On the first block that is free, counted from one that our process identifier chooses, so
    /// that labs of several processes seldom meet.
    fn somewhere(ports: [u16; 4]) -> Result<Self, LabError> {
        let mut last = SocketAddrV4::new(Ipv4Addr::LOCALHOST, ports[0]);
        for index in 0..TRIES {
            match Self::on(block(process::id().wrapping_add(index)), ports) {
                Err(LabError::Listen { address, source })
                    if source.kind() == io::ErrorKind::AddrInUse =>
                {
                    last = address;
                }
                other => return other,
            }
        }
        Err(LabError::InUse { tried: TRIES, last })
    }

    fn on(network: Ipv4Net, ports: [u16; 4]) -> Result<Self, LabError> {
        let places: Vec<_> = places(network, ports)
            .filter(|&(_, behaviour)| behaviour != Behaviour::Refused)
            .collect();
        let listen = |&(address, behaviour): &(SocketAddrV4, Behaviour)| {
            listener::on_address(address, BACKLOG)
                .map(|listener| (behaviour, listener))
                .map_err(|source| LabError::listening(address, places.len(), source))
        };
        let listeners = places.iter().map(listen).collect::<Result<_, _>>()?;
        Ok(Self { network, ports, listeners })
    }

    /// Accepts from every listener, for as long as the set is kept.
    fn serve(self, servers: &TlsServers, certificates: &Certificates) -> JoinSet<()> {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let owner = Ipv4Addr::from_bits(self.network.network().to_bits() | u32::from(OWNER));
        let owner = SocketAddrV4::new(owner, self.ports[0]);
        let mut accepting = JoinSet::new();
        for (behaviour, listener) in self.listeners {
            let server = Server::new(behaviour, owner, servers, certificates);
            accepting.spawn(listener::accept(listener, Arc::clone(&places), move |_, stream| {
                server.clone().serve(stream)
            }));
        }
        accepting
    }
}

/// The /24 at that index within 127.64.0.0/10, counted round and round.
fn block(index: u32) -> Ipv4Net {
    let first = BLOCKS_FROM + (index % BLOCKS) * HOSTS as u32;
    Ipv4Net::new_assert(Ipv4Addr::from_bits(first), 24)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::super::client;
    use super::*;

    #[test]
    fn blocks_stay_inside_their_part_of_loopback() {
        let whole: Ipv4Net = "127.64.0.0/10".parse().unwrap();
        assert_eq!(block(0).to_string(), "127.64.0.0/24");
        assert_eq!(block(BLOCKS - 1).to_string(), "127.127.255.0/24");
        assert_eq!(block(BLOCKS), block(0));
        assert!((0..BLOCKS).all(|index| whole.contains(&block(index))));
    }

    #[test]
    fn there_is_no_range_without_a_runtime() {
        assert!(matches!(Range::start(None), Err(LabError::NoRuntime)));
    }

    #[tokio::test]
    async fn a_range_is_1024_targets_of_which_every_one_is_as_expected() {
        let range = Range::start(None).unwrap();
        let targets: BTreeSet<Target> = range.expected().map(|(target, _)| target).collect();
        assert_eq!(targets.len(), 4 * HOSTS);
        assert!(!range.privileged() || range.ports() == SOFTETHER_PORTS);
        let mut seen = BTreeSet::new();
        // The hostile ones are visited by the program itself, in the tests of the whole table.
        let plain = range.expected().filter(|(_, behaviour)| Behaviour::PLAIN.contains(behaviour));
        for (target, behaviour) in plain.filter(|(_, behaviour)| seen.insert(*behaviour)) {
            let expected = behaviour.expected();
            let answer = client::visit(target.into()).await;
            assert_eq!(answer.outcome, expected.outcome.word(), "{behaviour:?}");
            assert_eq!(
                answer.leaf.as_ref(),
                expected.leaf.map(|kind| range.leaf(kind).sha1).as_ref()
            );
            assert_eq!(answer.key_proven, expected.key_proven, "{behaviour:?}");
            assert_eq!(answer.handshake_finished, expected.handshake_finished, "{behaviour:?}");
            assert_eq!(answer.tls_version, expected.tls_version, "{behaviour:?}");
        }
        assert_eq!(seen.len(), Behaviour::PLAIN.len());
    }

    #[tokio::test]
    async fn a_range_passes_over_blocks_in_use_and_ends_when_dropped() {
        const PORTS: [u16; 4] = [21_001, 21_002, 21_003, 21_004];
        let first = block(process::id());
        let address = SocketAddrV4::new(first.network(), PORTS[0]);
        let occupant = TcpListener::bind(address).await;
        let range = Range::start(Some(PORTS)).unwrap();
        assert_ne!(range.network(), first);
        assert!(!range.privileged());
        for kind in [CertificateKind::IndicatorOne, CertificateKind::IndicatorTwo] {
            assert!(range.indicator_set_toml().contains(&range.leaf(kind).sha1.to_string()));
        }
        let address = SocketAddrV4::new(range.network().network(), PORTS[0]);
        TcpStream::connect(address).await.unwrap();
        drop((range, occupant));
        let ended = async { while TcpStream::connect(address).await.is_ok() {} };
        timeout(Duration::from_secs(10), ended).await.unwrap();
    }
}
