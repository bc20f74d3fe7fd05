//! Every behaviour of the lab, on as many addresses as anybody likes: one listener for all of loopback.
//!
//! Which behaviour an address has is decided by its number alone, so that a sweep of any number of them at full speed
//! has one exact table to meet.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::behaviour::Behaviour;
use super::certificates::{CertificateKind, Certificates};
use super::error::LabError;
use super::hostile::{Script, scripts};
use super::server::Server;
use super::tls::TlsServers;
use super::{indicators, listener};
use crate::domain::cert::Leaf;

const BACKLOG: i32 = 16_384;
const CONNECTIONS: usize = 16_384;

/// One address in so many is of a kind that costs a sweep its whole deadline.
const SLOW_EVERY: u32 = 1_009;

/// What most addresses are; signing with RSA would cost more than all else.
const ORDINARY: [Behaviour; 3] =
    [Behaviour::Tls12P256, Behaviour::Tls13P256, Behaviour::SoftetherDefault];

/// What is seldom: matches, copies of a match, and what speaks no TLS.
const SELDOM: [Behaviour; 12] = [
    Behaviour::IndicatorOne,
    Behaviour::IndicatorTwo,
    Behaviour::Impostor,
    Behaviour::Impostor12,
    Behaviour::Http,
    Behaviour::Ssh,
    Behaviour::Smtp,
    Behaviour::AlertHandshakeFailure,
    Behaviour::AlertProtocolVersion,
    Behaviour::ResetAfterHello,
    Behaviour::Truncate,
    Behaviour::Garbage,
];

/// What costs a whole deadline.
const SLOW: [Behaviour; 2] = [Behaviour::Silent, Behaviour::Stall];

/// Servers of every behaviour on the addresses of 127.0.0.0/8, at one port.
///
/// Nothing outside the machine can reach them. They end when it is dropped.
#[derive(Debug)]
pub struct Crowd {
    port: u16,
    certificates: Certificates,
    _accepting: JoinSet<()>,
}

impl Crowd {
    /// Starts the servers on a free port.
    ///
    /// # Errors
    /// [`LabError`], if certificates cannot be made or the port cannot be listened on.
    pub fn start() -> Result<Self, LabError> {
        if Handle::try_current().is_err() {
            return Err(LabError::NoRuntime);
        }
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        let refused = |source| LabError::listening(address, 1, source);
        let listener = listener::on_loopback(0, BACKLOG).map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        let certificates = Certificates::generate()?;
        let servers = TlsServers::new(&certificates)?;
        let server = |behaviour| Server::new(behaviour, address, &servers, &certificates);
        let servers: HashMap<Behaviour, Server> =
            all().map(|behaviour| (behaviour, server(behaviour))).collect();
        let serve = move |address, stream| {
            let server = servers.get(&behaviour(address)).cloned();
            async move {
                match server {
                    Some(server) => server.serve(stream).await,
                    None => Ok(()),
                }
            }
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(listener::accept(listener, Arc::new(Semaphore::new(CONNECTIONS)), serve));
        Ok(Self { port, certificates, _accepting: accepting })
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What stands at `address`.
    pub fn behaviour(address: Ipv4Addr) -> Behaviour {
        behaviour(address)
    }

    /// The leaf of that kind, with the fingerprints that it has in this crowd.
    pub const fn leaf(&self, kind: CertificateKind) -> &Leaf {
        self.certificates.leaf(kind)
    }

    /// The text of an indicator set that names this crowd's two indicators.
    pub fn indicator_set_toml(&self) -> String {
        let kinds = CertificateKind::ALL.into_iter().filter(|kind| kind.is_indicator());
        indicators::set(kinds.map(|kind| (kind, self.leaf(kind))))
    }
}

/// Every behaviour that any address has.
fn all() -> impl Iterator<Item = Behaviour> {
    let plain = ORDINARY.into_iter().chain(SELDOM).chain(SLOW);
    plain.chain(scripts().map(Behaviour::Hostile))
}

/// The hostile scripts that cost a whole deadline, or those that do not.
fn hostile(is_slow: bool) -> impl Iterator<Item = Behaviour> + Clone {
    let of_kind = move |script: &&'static Script| script.is_slow() == is_slow;
    scripts().filter(of_kind).map(Behaviour::Hostile)
}

/// The behaviour numbered `at` of `behaviours`, round and round.
fn pick(behaviours: impl Iterator<Item = Behaviour> + Clone, at: u32) -> Behaviour {
    behaviours.cycle().nth(at as usize).unwrap_or(Behaviour::Silent)
}

fn behaviour(address: Ipv4Addr) -> Behaviour {
    let number = address.to_bits();
    let part = |every: u32, count: usize| (number / every) % count.max(1) as u32;
    if number.is_multiple_of(SLOW_EVERY) {
        let slow = SLOW.into_iter().chain(hostile(true));
        return pick(slow.clone(), part(SLOW_EVERY, slow.count()));
    }
    match number % 16 {
        0 => pick(SELDOM.into_iter(), part(16, SELDOM.len())),
        1 | 2 => pick(hostile(false), part(16, hostile(false).count())),
        rest => ORDINARY[rest as usize % ORDINARY.len()],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_few_thousand_addresses_have_every_behaviour_and_most_are_ordinary() {
        let addresses = (0..60_000).map(|number| Ipv4Addr::from_bits(0x7f00_0000 + number));
        let seen: Vec<Behaviour> = addresses.map(behaviour).collect();
        let kinds: BTreeSet<&Behaviour> = seen.iter().collect();
        assert_eq!(kinds.len(), all().count());
        let ordinary = seen.iter().filter(|seen| ORDINARY.contains(seen)).count();
        assert!((45_000..50_000).contains(&ordinary), "{ordinary}");
    }
}
