//! A walk over ten thousand million targets takes no more memory than one over ten thousand.

use std::hint::black_box;

use certsweep::domain::address::Family;
use certsweep::domain::order::Order;
use certsweep::domain::ports::PortSet;
use certsweep::domain::ranges::Range;
use certsweep::domain::scan::Shard;

/// How much more memory the long walk may take, in KiB.
const MARGIN: u64 = 8 * 1024;

/// How many positions are walked at the most.
const STEPS: u64 = 2_000_000;

/// The memory that this process holds now, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// Walks the order of `addresses` on `ports`; gives how many targets it has, and the memory held at the end.
fn walk(addresses: u128, ports: &str) -> (u64, u64) {
    let range = Range { family: Family::V4, first: 0, last: addresses - 1 };
    let ports = PortSet::read([ports]).unwrap();
    let order = Order::new([range].into_iter().collect(), ports, 7, Shard::WHOLE).unwrap();
    for position in 0..order.len().min(STEPS) {
        let target = black_box(order.target(position)).unwrap();
        assert_eq!(order.position(target), Some(position));
    }
    (order.len(), resident())
}

#[test]
fn ten_thousand_million_targets_are_walked_in_the_memory_of_ten_thousand() {
    let (few, small) = walk(2_500, "440-443");
    let (many, large) = walk(2_000_000_000, "440-444");
    assert_eq!((few, many), (10_000, 10_000_000_000));
    assert!(large.abs_diff(small) <= MARGIN, "{small} KiB for few, {large} KiB for many");
}
