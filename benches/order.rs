//! What does it cost to find the next target? Nanoseconds per target, no network.
//!
//! `cargo bench --bench order`; `-- --test` runs each case once. `walk` is the order alone, `find` its inverse;
//! `dispatch` adds the scope check and the bookkeeping of hosts and positions, with a rate also the permits.
//!
//! Last figures (medians, shared Xeon, 2026-11-24): walk 88 ns, find 89 ns, dispatch 206 ns without a rate and
//! 344 ns with one, per target.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::coverage::Coverage;
use certsweep::domain::dispatch::{Dispatch, Next};
use certsweep::domain::plan::{Plan, Tempo};
use certsweep::domain::scan::Shard;
use certsweep::domain::scope;
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
