//! How fast does the ledger remember? Observations per second, one batch of 1,024 per transaction.
//!
//! `cargo bench --bench ledger`; `-- --test` runs each case once. `known_leaf` is one certificate at ever new
//! endpoints, `new_leaf` a certificate of its own for each.
//!
//! Last figures (medians, shared Xeon, 2026-11-24): known_leaf 97,000 a second, new_leaf 18,000 a second.

#![allow(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::address::{Family, Target};
use certsweep::domain::coverage::Coverage;
use certsweep::domain::fingerprint::Sha256Fingerprint;
use certsweep::domain::observation::{Evidence, Observation};
use certsweep::domain::outcome::Outcome;
use certsweep::domain::recogniser::Recogniser;
use certsweep::domain::scan::{Counts, Scan, Shard};
use certsweep::domain::time::Timestamp;
use certsweep::domain::tls::{Ask, Asked, Verdict};
use certsweep::domain::visit::Visit;
use certsweep::store::{Batch, Ledger};
use divan::counter::ItemsCount;

const BATCH: u32 = 1_024;

fn main() {
    divan::main();
}

fn scan() -> Scan {
    Scan {
        id: "bench".to_owned(),
        plan_hash: Sha256Fingerprint::of(b"plan"),
        scope_name: "bench".to_owned(),
        scope_hash: Sha256Fingerprint::of(b"scope"),
        scope_text: String::new(),
        command_line: Vec::new(),
        seed: 1,
        shard: Shard::WHOLE,
        vantage: "default".to_owned(),
        version: "bench".to_owned(),
        settings: "{}".to_owned(),
        positions: 1 << 32,
        started: Timestamp::default(),
    }
}

/// The visit of address number `number`, which shows the leaf `leaf`.
fn observation(number: u32, leaf: Vec<u8>) -> Observation {
    let ask = Ask { asked: Asked::Rustls, server_name: None, after: Duration::ZERO, request: None };
    let visit = Visit {
        time: Timestamp::from_seconds(i64::from(number)),
        target: Target::new(Family::V4.address(number.into()), 443),
        began: Duration::ZERO,
        connected: Some(Duration::ZERO),
        ask: &ask,
    };
    let verdict = Verdict {
        outcome: Outcome::Certificate,
        ended: None,
        certificates: vec![leaf],
        tls: None,
        evidence: Evidence::of(Ok(true), true),
        first_byte: None,
        leaf: None,
        reply: None,
    };
    visit.observation(verdict, &mut Recogniser::new(Arc::default()))
}

fn remember(bencher: divan::Bencher<'_, '_>, leaf: fn(u32) -> Vec<u8>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).expect("a new ledger");
    ledger.begin_scan(&scan(), &[]).expect("a new scan");
    let mut next = 0;
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            let batch: Vec<_> =
                (next..next + BATCH).map(|number| observation(number, leaf(number))).collect();
            next += BATCH;
            batch
        })
        .bench_local_refs(|observations| {
            let batch = Batch {
                scan: "bench",
                vantage: "default",
                observations,
                faults: &[],
                coverage: &Coverage::default(),
                counts: &Counts::default(),
            };
            ledger.record(&batch).expect("the batch is written");
        });
}

#[divan::bench]
fn known_leaf(bencher: divan::Bencher<'_, '_>) {
    remember(bencher, |_| vec![7; 900]);
}

#[divan::bench]
fn new_leaf(bencher: divan::Bencher<'_, '_>) {
    remember(bencher, |number| number.to_be_bytes().repeat(225));
}
