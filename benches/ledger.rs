//! What does it cost to keep an observation? CPU microseconds for each, in the ledger and as JSON Lines.
//!
//! `cargo bench --bench ledger`; `-- --test` runs each case once and tiny. Every case takes 65,536 observations of
//! scattered addresses in batches as a loaded scan commits them: of `one leaf` for all, and of an `own leaf` for each;
//! `again` is a second scan that sees the same at the same addresses. Time is what the kernel and we spend, waiting for
//! the disk aside; a ledger's includes closing it.
//!
//! Microseconds an observation, with scan ids and words written out in each row (schema 5) and now (schema 6); medians of
//! 5 on a shared Xeon, 2026-11-24:
//!
//! | | one leaf, schema 5 | now | own leaf, schema 5 | now |
//! | --- | --- | --- | --- | --- |
//! | ledger | 5.6 | 3.8 | 17.4 | 12.8 |
//! | ledger, again | 5.1 | 5.1 | 7.4 | 5.4 |
//! | jsonl | 0.4 | 0.5 | 1.5 | 1.5 |
//! | both | 6.0 | 4.3 | 19.0 | 14.5 |
//!
//! `again` includes finding out, from the visits before, that nothing changed (1.3). What was left out: references looked
//! up for each row, `foreign_keys` (1.3 more, the same statements without the rest of the ledger).
//!
//! `-- --big` keeps 10,000,000 observations of scattered endpoints, each with its round trip, that show 100,000 leaves; it
//! needs 4 GB of disk for temporary files. A run that was stopped at 9,216,000, on a disk of 140 MB/s that others used too:
//! 119 octets a sighting with its visit and its place to look through (certificates themselves aside), 110 after VACUUM;
//! a look-up of 92 sightings took 12 to 13 ms where nothing was in memory and 1.4 to 1.8 where it was. Kept per second:
//! 53,000 up to the first million, 5,900 over 8 million. Then every observation changes two pages that no other of its
//! batch changes, each is written to the log and to the file, 14 KB in all, and the disk is what is waited for: the
//! processor spent 30 us an observation, two thirds of them on the kernel's writing.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench tells, and stops at a fault")]

use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certsweep::domain::address::Target;
use certsweep::domain::cert::Leaf;
use certsweep::domain::coverage::Coverage;
use certsweep::domain::fingerprint::{Fingerprint, Sha256Fingerprint};
use certsweep::domain::observation::{Evidence, Observation, Timing, TlsFacts};
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
    let is_given = |flag: &str| std::env::args().any(|argument| argument == flag);
    let is_test = is_given("--test");
    if is_test || is_given("--big") {
        big(if is_test { 1_000 } else { 10_000_000 });
    }
    if is_given("--big") {
        return;
    }
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

/// One scan of `count` endpoints scattered over all of IPv4 that show a hundredth as many leaves, and what is then asked.
fn big(count: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ledger.db");
    let leaves: Vec<_> = (0..count / 100).map(leaf).collect();
    let template = observation(0, false);
    let mut ledger = Ledger::open(&path).expect("a new ledger");
    ledger.begin_scan(&begun("01JD0000000000000000000001"), &[]).expect("a new scan");
    let (mut covered, mut spent) = (Coverage::default(), Duration::ZERO);
    for first in (0..count).step_by(BATCH) {
        let numbers = first..count.min(first + BATCH);
        let batch: Vec<_> = numbers.clone().map(|number| far(&template, &leaves, number)).collect();
        numbers.for_each(|position| {
            covered.insert(position as u64);
        });
        let start = Instant::now();
        keep(&mut ledger, "01JD0000000000000000000001", &batch, &covered);
        spent += start.elapsed();
        if (first / BATCH).is_multiple_of(122) {
            println!("{first} kept, {:.0}/s so far", first as f64 / spent.as_secs_f64());
        }
    }
    let start = Instant::now();
    drop(ledger);
    spent += start.elapsed();
    println!(
        "kept {:.0} observations/s, waiting for the disk included",
        count as f64 / spent.as_secs_f64()
    );
    weigh(&path, count, "as swept");
    look_up(&path, &leaves);
    rusqlite::Connection::open(&path).and_then(|file| file.execute_batch("VACUUM")).expect("room");
    weigh(&path, count, "after VACUUM");
    look_up(&path, &leaves);
}

/// Octets a sighting that are not certificates themselves.
fn weigh(path: &Path, count: usize, when: &str) {
    let file = rusqlite::Connection::open(path).expect("the ledger");
    let ask = |sql| file.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(ask("SELECT count(*) FROM sighting"), count as i64);
    let certificates = ask("SELECT sum(length(der)) FROM certificate");
    drop(file);
    let size = path.metadata().expect("a file").len() as i64 - certificates;
    println!("{when}: {:.1} octets a sighting", size as f64 / count as f64);
}

/// How long it takes to find a hundred sightings: file and connection new to the system, then again.
fn look_up(path: &Path, leaves: &[Arc<Leaf>]) {
    let mut of = std::ffi::OsString::from("of=");
    of.push(path);
    // What the system has of the file in memory is written and given up (coreutils: dd, oflag=nocache).
    let dropped = Command::new("dd")
        .arg(of)
        .args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"])
        .status();
    assert!(dropped.expect("dd").success());
    let mut figures = Vec::new();
    for step in [0, 1, 1, 1] {
        let start = Instant::now();
        let ledger = Ledger::open_read_only(path).expect("the ledger");
        let leaf = &leaves[leaves.len() / 2 + leaves.len() / 8 * step];
        let found = ledger.endpoints_of(&Fingerprint::Sha1(leaf.sha1)).expect("sightings");
        figures.push(format!("{} in {:.2} ms", found.len(), start.elapsed().as_secs_f64() * 1e3));
    }
    println!("look-ups by SHA-1, cold, another, again, again: {}", figures.join(", "));
}

/// A leaf of its own for each number.
fn leaf(number: usize) -> Arc<Leaf> {
    observation(number, true).leaf.expect("a leaf")
}

/// The visit of one far endpoint, which shows one of `leaves`; a hundred show the same.
fn far(template: &Observation, leaves: &[Arc<Leaf>], number: usize) -> Observation {
    // Odd multipliers: all addresses are different, and scattered.
    let mixed = (number as u32).wrapping_mul(0x9e37_79b1);
    let away = Duration::from_micros(u64::from(mixed >> 14) + 2_000);
    let timing = Timing {
        connect: Some(away),
        first_byte: Some(away * 2),
        leaf: Some(away * 2 + Duration::from_micros(90)),
    };
    let chain = Sha256Fingerprint::of(&(mixed % 50).to_be_bytes());
    let leaf = leaves.get(number.wrapping_mul(7_919) % leaves.len()).cloned();
    let mut attempts = template.attempts.clone();
    for attempt in &mut attempts {
        attempt.leaf = leaf.as_ref().map(|leaf| leaf.sha256);
    }
    Observation {
        time: Timestamp::from_micros(1_795_486_704_512_999 + number as i64 * 50),
        target: Target::new(IpAddr::V4(Ipv4Addr::from(mixed)), 443),
        leaf,
        attempts,
        chain: vec![chain],
        timing,
        ..template.clone()
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
