//! What does it cost to keep an observation? CPU microseconds for each, in the ledger and as JSON Lines.
//!
//! `cargo bench --bench ledger`; `-- --test` runs each case once and tiny. Every case takes 65,536 observations of
//! scattered addresses in batches as a loaded scan commits them: of `one leaf` for all, and of an `own leaf` for each;
//! `again` is a second scan that sees the same at the same addresses. Time is what the kernel and we spend, waiting for
//! the disk aside; a ledger's includes closing it.
//!
//! Microseconds an observation, with scan ids and words written out in each row (schema 5) and now; medians of 5 on a
//! shared Xeon, 2026-11-24:
//!
//! | | one leaf, schema 5 | now | own leaf, schema 5 | now |
//! | --- | --- | --- | --- | --- |
//! | ledger | 5.6 | 4.6 | 17.4 | 14.0 |
//! | ledger, again | 5.1 | 3.8 | 7.4 | 5.0 |
//! | jsonl | 0.4 | 0.4 | 1.5 | 1.5 |
//! | both | 6.0 | 5.0 | 19.0 | 15.4 |
//!
//! What was tried and left out: observations sorted by address before they are written (no gain that shows); references
//! looked up for each row, `foreign_keys` (1.3 more, the same statements without the rest of the ledger).

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench tells, and stops at a fault")]

use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::address::Target;
use certsweep::domain::coverage::Coverage;
use certsweep::domain::fingerprint::Sha256Fingerprint;
use certsweep::domain::observation::{Evidence, Observation, TlsFacts};
use certsweep::domain::outcome::Outcome;
use certsweep::domain::recogniser::Recogniser;
use certsweep::domain::record::{Lines, Origin};
use certsweep::domain::scan::{Counts, Scan, Shard};
use certsweep::domain::time::Timestamp;
use certsweep::domain::tls::{Ask, Asked, Verdict};
use certsweep::domain::visit::Visit;
use certsweep::store::{Batch, Ledger};
use nix::sys::resource::{UsageWho, getrusage};

/// A scan has at most so many in a batch.
const BATCH: usize = 8_192;

/// SoftEther's default certificate, whose last octets are changed for leaves of their own.
const LEAF: &str = include_str!("../src/domain/cert/softether-default.pem");

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (count, rounds) = if is_test { (100, 1) } else { (8 * BATCH, 5) };
    for (name, own) in [("one leaf", false), ("own leaf", true)] {
        let rounds: Vec<[f64; 4]> = (0..rounds).map(|_| round(count, own)).collect();
        for (column, sink) in ["ledger", "ledger, again", "jsonl", "both"].iter().enumerate() {
            let mut figures: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
            figures.sort_by(f64::total_cmp);
            println!("{name:<9} {sink:<14} {:>7.2} us", figures[figures.len() / 2]);
        }
    }
}

/// Microseconds for each of `count` observations: ledger, ledger again, JSON Lines, both.
fn round(count: usize, own: bool) -> [f64; 4] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ledger = Ledger::open(&folder.path().join("ledger.db")).expect("a new ledger");
    let (mut out, mut lines) = (BufWriter::with_capacity(64 * 1_024, io::sink()), Lines::default());
    let (mut kept, mut kept_again, mut written) = (0.0, 0.0, 0.0);
    for (scan, spent) in
        [("01JD0000000000000000000001", &mut kept), ("01JD0000000000000000000002", &mut kept_again)]
    {
        ledger.begin_scan(&begun(scan), &[]).expect("a new scan");
        let mut covered = Coverage::default();
        for first in (0..count).step_by(BATCH) {
            let batch: Vec<_> =
                (first..count.min(first + BATCH)).map(|number| observation(number, own)).collect();
            (first..first + batch.len()).for_each(|position| {
                covered.insert(position as u64);
            });
            *spent += cpu(|| keep(&mut ledger, scan, &batch, &covered));
            written += cpu(|| write(&mut out, &mut lines, scan, &batch));
        }
    }
    kept += cpu(|| drop(ledger));
    written /= 2.0;
    [kept, kept_again, written, kept + written].map(|spent| spent / count as f64)
}

fn keep(ledger: &mut Ledger, scan: &str, observations: &[Observation], coverage: &Coverage) {
    let counts = Counts::default();
    let batch = Batch { scan, observations, faults: &[], coverage, counts: &counts, renewal: None };
    ledger.record(&batch).expect("the batch is written");
}

fn write(out: &mut impl Write, lines: &mut Lines, scan: &str, observations: &[Observation]) {
    let origin = Origin { scan: Some(scan), vantage: "default" };
    for observation in observations {
        out.write_all(lines.observation(origin, observation).as_bytes()).expect("a line");
        out.write_all(b"\n").expect("a line");
    }
}

/// Microseconds of this thread, in the kernel and outside, that `work` takes.
fn cpu(work: impl FnOnce()) -> f64 {
    let spent = || {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("the thread's usage");
        let (user, system) = (usage.user_time(), usage.system_time());
        (user.tv_sec() + system.tv_sec()) as f64 * 1e6 + (user.tv_usec() + system.tv_usec()) as f64
    };
    let before = spent();
    work();
    spent() - before
}

fn begun(id: &str) -> Scan {
    Scan {
        id: id.to_owned(),
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

/// The visit of address number `number`, scattered over a /8, which shows a leaf.
fn observation(number: usize, own: bool) -> Observation {
    let ask = Ask { asked: Asked::Rustls, server_name: None, after: Duration::ZERO, request: None };
    let mixed = (number as u32).wrapping_mul(0x9e37_79b1) >> 8;
    let visit = Visit {
        time: Timestamp::from_micros(1_795_486_704_512_999 + number as i64 * 20),
        target: Target::new(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | mixed)), 443),
        began: Duration::ZERO,
        connected: Some(Duration::from_micros(30)),
        ask: &ask,
    };
    let mut der = data_encoding::BASE64
        .decode(LEAF.lines().filter(|line| !line.starts_with('-')).collect::<String>().as_bytes())
        .expect("a certificate");
    if own && let Some(end) = der.last_chunk_mut::<8>() {
        *end = number.to_be_bytes();
    }
    let verdict = Verdict {
        outcome: Outcome::Certificate,
        ended: None,
        certificates: vec![der],
        tls: Some(TlsFacts {
            version: "1.2",
            cipher_suite: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".into(),
        }),
        evidence: Evidence::of(Ok(true), false),
        first_byte: Some(Duration::from_micros(60)),
        leaf: Some(Duration::from_micros(70)),
        reply: None,
    };
    visit.observation(verdict, &mut Recogniser::new(Arc::default()))
}
