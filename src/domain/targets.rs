//! Target lists: what of a scope to visit. A list narrows a scope and can never widen it.
//!
//! Entries must lie inside what the scope includes. What the scope excludes keeps its position and is skipped
//! when its turn comes, as it is without a list: an opt-out neither moves positions nor spoils a list.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::address::{Family, Target};
use super::diagnostic::Diagnostic;
use super::fingerprint::Sha256Fingerprint;
use super::ports::PortSet;
use super::ranges::{AddressSet, Range};
use super::scope::Scope;

/// One item of a list, as an importer reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// One address, or a prefix of them.
    pub range: Range,
    /// The port, where the list names one.
    pub port: Option<u16>,
    /// Line and column that the item stands at, from 1.
    pub at: (usize, usize),
}

/// Targets named one by one, all of them inside a scope.
#[derive(Clone, Debug)]
pub struct TargetList {
    /// Every address named.
    pub addresses: AddressSet,
    any_port: AddressSet,
    ports: HashMap<IpAddr, BTreeSet<u16>>,
    /// Of `any_port`, what the scope does not exclude.
    allowed_any_port: AddressSet,
    /// How many addresses the scope excludes.
    pub excluded: u128,
    /// SHA-256 of what the list means; the same for any order and form of it.
    pub hash: Sha256Fingerprint,
}

impl TargetList {
    /// The list of `entries`, read from `file`.
    ///
    /// # Errors
    /// A complaint about the first entry that is not wholly inside `scope`, or if there is no entry.
    pub fn within(scope: &Scope, file: &str, entries: &[Entry]) -> Result<Self, Diagnostic> {
        for entry in entries {
            if let Err(message) = is_inside(scope, entry) {
                return Err(Diagnostic { file: file.to_owned(), at: Some(entry.at), message });
            }
        }
        if entries.is_empty() {
            return Err(Diagnostic::whole(file, "the list names no target"));
        }
        let any_port = entries.iter().filter(|entry| entry.port.is_none());
        let any_port: AddressSet = any_port.map(|entry| entry.range).collect();
        let mut ports: HashMap<IpAddr, BTreeSet<u16>> = HashMap::new();
        for entry in entries {
            let address = entry.range.family.address(entry.range.first);
            if let Some(port) = entry.port
                && !any_port.contains(address)
            {
                ports.entry(address).or_default().insert(port);
            }
        }
        let addresses: AddressSet = entries.iter().map(|entry| entry.range).collect();
        Ok(Self {
            hash: hash(&any_port, &ports),
            allowed_any_port: any_port.intersection(&scope.allowed),
            excluded: addresses.difference(&scope.allowed).len(),
            addresses,
            any_port,
            ports,
        })
    }

    /// Whether the list names `target`.
    pub fn names(&self, target: Target) -> bool {
        self.any_port.contains(target.address)
            || self.ports.get(&target.address).is_some_and(|ports| ports.contains(&target.port))
    }

    /// How many targets of the list are to be visited on `ports`, those excluded by `scope` left out.
    pub fn len(&self, scope: &Scope, ports: &PortSet) -> u128 {
        let single = self.single(scope).filter(|port| ports.contains(*port)).count();
        let any = self.allowed_any_port.len().saturating_mul(ports.len() as u128);
        any.saturating_add(single as u128)
    }

    /// How many targets the list names on other ports than `ports`, those excluded by `scope` left out.
    pub fn on_other_ports(&self, scope: &Scope, ports: &PortSet) -> usize {
        self.single(scope).filter(|port| !ports.contains(*port)).count()
    }

    /// The ports of single targets that `scope` does not exclude.
    fn single(&self, scope: &Scope) -> impl Iterator<Item = u16> {
        let allowed = self.ports.iter().filter(|(address, _)| scope.allowed.contains(**address));
        allowed.flat_map(|(_, ports)| ports.iter().copied())
    }
}

fn is_inside(scope: &Scope, entry: &Entry) -> Result<(), String> {
    let (first, range) = (entry.range.family.address(entry.range.first), entry.range);
    let port = entry.port.or_else(|| scope.ports.as_slice().first().copied()).unwrap_or_default();
    let included = &scope.included;
    let inside = included.range_at(first).is_some_and(|at| included.ranges()[at].covers(&range));
    if inside && scope.ports.contains(port) {
        return Ok(());
    }
    if range.len() == 1 {
        return Err(format!(
            "{}; remove it from the list",
            scope.outside(Target::new(first, port))
        ));
    }
    Err(format!("the prefix at {first} is not wholly inside scope '{}'", scope.name))
}

fn hash(any_port: &AddressSet, ports: &HashMap<IpAddr, BTreeSet<u16>>) -> Sha256Fingerprint {
    let mut lines: Vec<String> = any_port
        .ranges()
        .iter()
        .map(|range| {
            let v = if range.family == Family::V4 { 4 } else { 6 };
            format!("{v} {:032x} {:032x}", range.first, range.last)
        })
        .collect();
    let mut single: Vec<_> = ports.iter().collect();
    single.sort_unstable();
    lines.extend(single.into_iter().map(|(address, ports)| format!("{address} {ports:?}")));
    Sha256Fingerprint::of(lines.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope;

    fn small_scope() -> Scope {
        let text = "name = \"lo\"\ninclude = [\"127.0.0.0/24\"]\nexclude = [\"127.0.0.13\"]\n\
                    ports = [443, 5555]\n";
        scope::read("lo.toml", text).unwrap()
    }

    fn entry(net: &str, port: Option<u16>, line: usize) -> Entry {
        let net: ipnet::IpNet = net.parse().unwrap();
        Entry { range: net.into(), port, at: (line, 1) }
    }

    #[test]
    fn a_list_narrows_by_address_and_port() {
        let entries = [entry("127.0.0.4/31", None, 1), entry("127.0.0.9/32", Some(5555), 2)];
        let list = TargetList::within(&small_scope(), "l", &entries).unwrap();
        let named = |address: &str, port| list.names(Target::new(address.parse().unwrap(), port));
        assert!(named("127.0.0.5", 443) && named("127.0.0.9", 5555));
        assert!(!named("127.0.0.9", 443) && !named("127.0.0.6", 443));
        let ports = |items: &[&str]| PortSet::read(items.iter().copied()).unwrap();
        assert_eq!(list.len(&small_scope(), &ports(&["443", "5555"])), 5);
        assert_eq!(list.len(&small_scope(), &ports(&["443"])), 2);
        assert_eq!(list.on_other_ports(&small_scope(), &ports(&["443"])), 1);
        let turned = [entries[1], entries[0], entries[0]];
        assert_eq!(TargetList::within(&small_scope(), "l", &turned).unwrap().hash, list.hash);
    }

    #[test]
    fn a_list_never_widens() {
        let refused = |net: &str, port| {
            let entries = [entry("127.0.0.1/32", None, 1), entry(net, port, 2)];
            TargetList::within(&small_scope(), "l", &entries).unwrap_err().to_string()
        };
        assert_eq!(
            refused("192.0.2.1/32", None),
            "l:2:1: 192.0.2.1:443 is outside scope 'lo'; remove it from the list"
        );
        assert!(refused("127.0.0.1/32", Some(22)).contains("port 22 is not among its ports"));
        assert!(refused("127.0.0.0/23", None).contains("not wholly inside"));
        assert!(TargetList::within(&small_scope(), "l", &[]).is_err());
    }

    #[test]
    fn what_the_scope_excludes_is_counted_and_left_out() {
        let entries = [
            entry("127.0.0.12/31", None, 1),
            entry("127.0.0.13/32", Some(443), 2),
            entry("127.0.0.14/32", Some(443), 3),
        ];
        let list = TargetList::within(&small_scope(), "l", &entries).unwrap();
        assert_eq!(list.excluded, 1);
        assert_eq!(list.len(&small_scope(), &PortSet::read(["443", "5555"]).unwrap()), 3);
        let without = "name = \"lo\"\ninclude = [\"127.0.0.0/24\"]\nports = [443, 5555]\n";
        let without = scope::read("lo.toml", without).unwrap();
        let same = TargetList::within(&without, "l", &entries).unwrap();
        assert_eq!((same.excluded, same.hash), (0, list.hash));
        assert_eq!(same.addresses, list.addresses);
    }
}
