//! What leaves a sandbox, as its kernel sees it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::sandbox::Sandbox;

/// Every address and port that TCP is sent to, and a count of all other packets; but for ICMPv6, which
/// the kernel sends of its own accord when an interface goes up.
const TABLE: &str = "
table inet watch {
    set contacted {
        type ipv4_addr . inet_service
        size 65535
        flags dynamic
    }
    counter others {
        packets 0 bytes 0
    }
    chain output {
        type filter hook output priority 0
        policy accept
        meta l4proto ipv6-icmp accept
        ip protocol tcp update @contacted { ip daddr . tcp dport } accept
        counter name others
    }
}
";

/// Endpoints in a network that nobody answers in.
pub(crate) type Endpoints = BTreeSet<(Ipv4Addr, u16)>;

/// What was seen since [`Watch::start`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where TCP was sent to.
    pub(crate) contacted: Endpoints,
    /// How many packets were something else.
    pub(crate) others: u64,
}

/// An eye on a sandbox's network.
pub(crate) struct Watch<'a>(&'a Sandbox);

impl<'a> Watch<'a> {
    /// Counts from now on what the sandbox's processes send.
    pub(crate) fn start(sandbox: &'a Sandbox) -> Self {
        sandbox.ok("nft", [TABLE]);
        Self(sandbox)
    }

    /// What was sent so far.
    pub(crate) fn seen(&self) -> Seen {
        let text = self.0.ok("nft", ["--json", "--numeric", "list", "table", "inet", "watch"]);
        let listed: Value = serde_json::from_str(&text).unwrap();
        let objects = listed["nftables"].as_array().unwrap();
        let object = |kind: &str| objects.iter().find_map(|object| object.get(kind)).unwrap();
        let elements = object("set")["elem"].as_array().into_iter().flatten();
        Seen {
            contacted: elements.map(endpoint).collect(),
            others: object("counter")["packets"].as_u64().unwrap(),
        }
    }
}

fn endpoint(element: &Value) -> (Ipv4Addr, u16) {
    let parts = &element["concat"];
    let address = parts[0].as_str().unwrap().parse().unwrap();
    (address, parts[1].as_u64().unwrap().try_into().unwrap())
}

/// A way out of `sandbox` for 192.0.2.0/28 that takes every packet and brings back none.
pub(crate) fn lead_nowhere(sandbox: &Sandbox) {
    // Without ARP every address is taken to be at the other end of the wire, where nobody listens.
    let steps = [
        "link add v0 type veth peer name v1",
        "link set v0 arp off up",
        "link set v1 up",
        "address add 198.51.100.1/32 dev v0",
        "route add 192.0.2.0/28 dev v0 src 198.51.100.1",
    ];
    for step in steps {
        sandbox.ok("ip", step.split(' '));
    }
}

/// These hosts of 192.0.2.0/24 with each of these ports.
pub(crate) fn endpoints(hosts: impl IntoIterator<Item = u8>, ports: &[u16]) -> Endpoints {
    let addresses = hosts.into_iter().map(|host| Ipv4Addr::new(192, 0, 2, host));
    addresses.flat_map(|address| ports.iter().map(move |port| (address, *port))).collect()
}
