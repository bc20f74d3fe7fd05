//! What always holds, and what holds it.
//!
//! **Nothing is sent outside the scope.** Every probing socket is connected by one function, in `engine::dial` (the
//! bench's bare loops connect to its own servers on loopback), and that function asks
//! [`Scope::permits`](crate::domain::scope::Scope::permits) first: address, port, and the day. All checks on the scope itself run on the merged set of addresses, so that no way of writing a range
//! down gets around one. IPv4 under an IPv6 name (mapped, compatible, translated, 6to4, Teredo), multicast
//! and broadcast are never probed; special-purpose space only where an include prefix lies wholly inside it:
//!
//! ```
//! use certsweep::domain::{address::Target, scope, time::Timestamp};
//! let text = "name = \"lab\"\ninclude = [\"127.0.0.0/30\"]\nexclude = [\"127.0.0.2\"]\nports = [443]\n";
//! let scope = scope::read("lab.toml", text).unwrap();
//! let now = Timestamp::from_seconds(1_795_000_000);
//! let permits = |address: &str, port| {
//!     scope.permits(Target::new(address.parse().unwrap(), port), now).is_ok()
//! };
//! assert!(permits("127.0.0.1", 443));
//! assert!(!permits("127.0.0.2", 443)); // excluded
//! assert!(!permits("127.0.0.4", 443)); // outside
//! assert!(!permits("127.0.0.1", 80)); // not among its ports
//! assert!(!permits("::ffff:127.0.0.1", 443)); // the same host under another name
//! ```
//!
//! **Every target is tried once.** The order is a bijection between positions and targets, proven
//! exhaustively for small sizes; shards partition it, and a prefix lies in exactly one. Positions depend on
//! the includes, ports, seed and shard only. What an exclusion removes keeps its position and is skipped
//! when its turn comes, so that a token written before an opt-out stays good after it:
//!
//! ```
//! use certsweep::domain::{order::Order, ports::PortSet, ranges::{AddressSet, Range}, scan::Shard};
//! let net: ipnet::IpNet = "192.0.2.0/24".parse().unwrap();
//! let addresses: AddressSet = [Range::from(net)].into_iter().collect();
//! let order = Order::new(addresses, PortSet::read(["softether"]).unwrap(), 7, Shard::WHOLE).unwrap();
//! assert_eq!(order.len(), 1024);
//! let target = order.target(5).unwrap();
//! assert_eq!(order.position(target), Some(5));
//! ```
//!
//! **One process goes on with a scan.** It holds a lock beside the ledger that ends with it, however it ends.
//!
//! **Coverage is never ahead of the ledger.** Observations and the positions that they cover are committed in
//! one transaction, at least twice a second. A scan that is killed loses what was not committed, and a
//! resumed scan repeats it. Visits are unique per scan, so that a repeat never counts twice.
//!
//! **The fingerprint comes first.** It is taken from the bytes on the wire before anything parses them: a leaf
//! that no parser accepts is still hashed, matched and stored.
//!
//! **An outcome is about the target; a shortage is about us.** Running out of descriptors or memory lowers the
//! number of connections, is said once, and the target goes back in line; the number grows again as probes
//! end. What a stranger can cause with an ICMP message is never taken for a shortage. A fault in certsweep
//! leaves its target uncovered and is recorded. Neither is ever written down as an outcome.
//!
//! **Everything is bounded.** Connections by the descriptors this process may open and by free memory, decided before
//! the first packet; bytes, certificates and time of each probe by
//! [`Limits`](crate::domain::tls::Limits); positions handed out ahead of the oldest unfinished one, and with
//! them the token; events between engine and ledger by a queue whose filling slows the sweep and loses
//! nothing.
//!
//! **Strangers' text takes no effect.** Subjects, names and labels are escaped before they reach a terminal,
//! and addresses and names are defanged for people; machine formats carry them as they are. Nothing that a
//! certificate names (CRL, OCSP, AIA, host names) is ever contacted.
//!
//! **A visit is told whole.** A second attempt needs its host and its permits anew; when a run ends before it could
//! be made, what the first one saw is told all the same.
//!
//! **No session is resumed.** A resumed TLS session would show yesterday's certificate.
//!
//! **Politeness**: a rate for the run (500 connections a second unless the scope says otherwise), a rate for
//! each /24 and /48 (5), one connection at a time to a host, and targets mixed so that no prefix is
//! visited in one go. Loopback has neither default rate.
//!
//! **Alerts go where the settings say.** No redirect is followed and no proxy of the environment is asked; a server
//! must show a certificate that is trusted for its name. Secrets sign and address, and are shown nowhere. What a set's
//! TLP does not permit is not told.
