//! Every target once, whatever the shape, the seed and the shards.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;

use super::*;
use crate::domain::address::Prefix;
use crate::domain::ranges::Range;

fn set(nets: &[&str]) -> AddressSet {
    nets.iter().map(|net| Range::from(net.parse::<IpNet>().unwrap())).collect()
}

fn shards(addresses: &AddressSet, ports: &PortSet, seed: u64, count: u32) -> Vec<Order> {
    (1..=count)
        .map(|index| {
            Order::new(addresses.clone(), ports.clone(), seed, Shard { index, count }).unwrap()
        })
        .collect()
}

/// Walks all shards: each target once and only its shard's, positions and targets inverse, no prefix
/// in two shards.
fn assert_exact(addresses: &AddressSet, ports: &PortSet, seed: u64, count: u32) {
    let orders = shards(addresses, ports, seed, count);
    let mut seen = HashSet::new();
    let mut owner: HashMap<Prefix, usize> = HashMap::new();
    for (shard, order) in orders.iter().enumerate() {
        for position in 0..order.len() {
            let target = order.target(position).unwrap();
            assert!(addresses.contains(target.address) && ports.contains(target.port));
            assert!(seen.insert(target), "{target} twice");
            assert_eq!(*owner.entry(target.prefix()).or_insert(shard), shard, "{target}");
            for (other, theirs) in orders.iter().enumerate() {
                let expected = (other == shard).then_some(position);
                assert_eq!(theirs.position(target), expected, "{target}");
            }
        }
        assert_eq!(order.target(order.len()), None);
    }
    assert_eq!(seen.len() as u128, addresses.len() * ports.len() as u128);
}

#[test]
fn every_size_to_4096_is_visited_once() {
    let one = PortSet::read(["443"]).unwrap();
    for size in 1..=4096_u128 {
        // Starts inside a prefix, so that heads, whole prefixes and tails of every length occur.
        let first = 0x0a00_0000 + 0x80 + (size % 129);
        let range =
            Range { family: crate::domain::address::Family::V4, first, last: first + size - 1 };
        let addresses: AddressSet = [range].into_iter().collect();
        let order = Order::new(addresses.clone(), one.clone(), size as u64, Shard::WHOLE).unwrap();
        assert_eq!(u128::from(order.len()), size);
        let mut seen = vec![false; size as usize];
        for position in 0..order.len() {
            let target = order.target(position).unwrap();
            let index = addresses.index(target.address).unwrap() as usize;
            assert!(!std::mem::replace(&mut seen[index], true), "{size} {target}");
            assert_eq!(order.position(target), Some(position));
        }
    }
}

#[test]
fn many_shapes_are_exact_in_any_number_of_shards() {
    let shapes: [&[&str]; 9] = [
        &["10.0.0.0/24"],
        &["10.0.0.0/22"],
        &["10.0.0.7/32"],
        &["10.0.0.0/25", "10.0.0.192/26"],
        &["10.0.0.250/31", "10.0.1.0/24", "10.0.2.0/30", "10.0.9.0/24"],
        &["2001:db8::/122"],
        &["2001:db8::/124", "2001:db8:0:1::/124", "2001:db8:1::/124"],
        &["10.0.0.0/23", "10.0.2.0/25", "10.0.2.200/29", "2001:db8::fff0/124", "2001:db8:5::1/128"],
        &["0.0.0.0/27", "255.255.255.0/24"],
    ];
    let ports = [PortSet::read(["443"]).unwrap(), PortSet::read(["softether"]).unwrap()];
    for shape in shapes {
        for ports in &ports {
            for (seed, count) in [(1, 1), (2, 2), (3, 3), (u64::MAX, 7), (5, 40)] {
                assert_exact(&set(shape), ports, seed, count);
            }
        }
    }
}

#[test]
fn the_whole_of_ipv4_has_an_order() {
    let ports = PortSet::read(["softether"]).unwrap();
    let order = Order::new(set(&["0.0.0.0/0"]), ports, 1, Shard::WHOLE).unwrap();
    assert_eq!(order.len(), 1 << 34);
    for position in [0, 1, 12_345_678_901, (1 << 34) - 1] {
        assert_eq!(order.position(order.target(position).unwrap()), Some(position));
    }
}

#[test]
fn a_prefix_is_not_visited_in_one_go() {
    let ports = PortSet::read(["443"]).unwrap();
    let order = Order::new(set(&["10.0.0.0/16"]), ports, 3, Shard::WHOLE).unwrap();
    let prefixes: HashSet<Prefix> =
        (0..256).map(|position| order.target(position).unwrap().prefix()).collect();
    // 256 draws out of 256 prefixes hit about 162 different ones.
    assert!(prefixes.len() > 140, "{}", prefixes.len());
}

#[test]
fn shards_are_even() {
    let ports = PortSet::read(["443"]).unwrap();
    let orders = shards(&set(&["10.0.0.0/16", "10.1.0.0/28"]), &ports, 3, 8);
    assert!(orders.iter().all(|order| (32 * 256..=32 * 256 + 16).contains(&order.len())));
}

/// Positions come from the includes; an exclusion is no part of them and so cannot move them. This pins
/// the positions themselves: another order is another [`VERSION`].
#[test]
fn positions_are_pinned() {
    let ports = PortSet::read(["softether"]).unwrap();
    let order = Order::new(set(&["10.0.0.0/22", "10.0.9.4/30"]), ports, 42, Shard::WHOLE).unwrap();
    let first: Vec<String> =
        (0..4).map(|position| order.target(position).unwrap().to_string()).collect();
    assert_eq!(first, PINNED);
}

const PINNED: [&str; 4] =
    ["10.0.3.52:5555", "10.0.0.209:1194", "10.0.0.233:5555", "10.0.3.103:1194"];

#[test]
fn a_whole_ipv6_prefix_is_too_many() {
    let ports = PortSet::read(["443"]).unwrap();
    for net in ["2001:db8::/48", "2001:db8::/32", "2001:db8::/64"] {
        let order = Order::new(set(&[net]), ports.clone(), 1, Shard::WHOLE);
        assert_eq!(order.err(), Some(TooMany), "{net}");
    }
}
