//! What does it cost to find the next target? Nanoseconds per target, no network.
//!
//! `cargo bench --bench order`; `-- --test` runs each case once. `walk` is the order alone, `find` its inverse;
//! `permitted` is what every target costs before a packet: order, a permit of the run's rate, and the scope's word with
//! its dates; `dispatch` adds the bookkeeping of hosts and positions, with a rate also the permits of prefixes.
//!
//! Last figures (minima, shared Xeon under load, 2026-11-24): walk 18 ns, find 17 ns, permitted 46 ns, dispatch 84 ns
//! without a rate and 133 ns with one, per target.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::coverage::Coverage;
use certsweep::domain::dispatch::{Dispatch, Next};
use certsweep::domain::pace::Pace;
use certsweep::domain::plan::{Plan, Tempo};
use certsweep::domain::scan::Shard;
use certsweep::domain::scope;
use certsweep::domain::time::Timestamp;
use divan::counter::ItemsCount;

/// Targets per sample.
const TARGETS: u64 = 10_000;

fn main() {
    divan::main();
}

/// A plan over half of IPv4 on four ports: 8.4 thousand million targets.
fn plan(rate: Option<f64>) -> Arc<Plan> {
    let text = "name = \"half\"\noperator = \"x\"\ncontact = \"x\"\nauthorised_by = \"x\"\n\
                valid_until = 2026-12-31\ninclude = [\"0.0.0.0/1\"]\nports = [\"softether\"]\n";
    let scope = scope::read("half.toml", text).expect("the scope is right");
    let ports = scope.ports.clone();
    let tempo = Tempo { rate, rate_per_prefix: rate, ..Tempo::default() };
    Arc::new(Plan::new(scope, ports, None, (7, Shard::WHOLE), tempo).expect("the plan is right"))
}

#[divan::bench]
fn walk(bencher: divan::Bencher<'_, '_>) {
    let plan = plan(None);
    bencher
        .counter(ItemsCount::new(TARGETS))
        .bench(|| (0..TARGETS).filter(|position| plan.order.target(*position).is_some()).count());
}

#[divan::bench]
fn find(bencher: divan::Bencher<'_, '_>) {
    let plan = plan(None);
    let targets: Vec<_> = (0..TARGETS).filter_map(|position| plan.order.target(position)).collect();
    bencher
        .counter(ItemsCount::new(TARGETS))
        .bench(|| targets.iter().filter_map(|target| plan.order.position(*target)).sum::<u64>());
}

#[divan::bench]
fn permitted(bencher: divan::Bencher<'_, '_>) {
    let plan = plan(None);
    let day = Timestamp::from_utc(2026, [11, 24, 12, 0, 0]).expect("the day exists");
    bencher.counter(ItemsCount::new(TARGETS)).bench(|| {
        let mut pace = Pace::new(Some(1e9), None);
        let mut permitted = |position: &u64| {
            let target = plan.order.target(*position)?;
            pace.take(Duration::from_nanos(100 * position)).ok()?;
            plan.scope.permits(target, day).ok()
        };
        (0..TARGETS).filter(|position| permitted(position).is_some()).count()
    });
}

#[divan::bench(args = [None, Some(1e9)])]
fn dispatch(bencher: divan::Bencher<'_, '_>, rate: Option<f64>) {
    let plan = plan(rate);
    bencher.counter(ItemsCount::new(TARGETS)).bench(|| {
        let mut dispatch = Dispatch::new(Arc::clone(&plan), Coverage::default());
        let (mut now, mut started) = (Duration::ZERO, 0);
        while started < TARGETS {
            match dispatch.next(now) {
                Next::Start(ticket) => {
                    started += 1;
                    dispatch.finished(ticket);
                }
                Next::Wait(until) => now = until,
                Next::Skip { .. } | Next::Full | Next::Done => {}
            }
        }
        started
    });
}
