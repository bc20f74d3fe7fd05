//! What is killed: a process that writes numbered batches into a ledger as a scan does, and tells each once it is there.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::address::Target;
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

pub(super) const SCAN: &str = "01JD0000000000000000000001";

/// Batches of a whole run, and observations in each.
pub(super) const BATCHES: u64 = 10;
pub(super) const PER_BATCH: u64 = 6;

/// Where the writer finds its ledger. Without it the writer does nothing.
const LEDGER: &str = "CERTSWEEP_TEST_CRASH_LEDGER";

/// The command that runs [`the_writer`] on the ledger at `path`, below `wrapper` if one is given.
pub(super) fn command(wrapper: &[&str], path: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let (first, rest) = match wrapper.split_first() {
        Some((first, rest)) => (first.into(), [rest, &[program.to_str().unwrap()]].concat()),
        None => (program.clone().into_os_string(), vec![]),
    };
    let mut command = Command::new(first);
    command
        .args(rest)
        .args(["--exact", "crash::writer::the_writer", "--nocapture", "--test-threads=1"])
        .env(LEDGER, path)
        .stdin(std::process::Stdio::null());
    command
}

/// The numbers that a run of the writer has told.
pub(super) fn told(stdout: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(stdout);
    text.lines().filter_map(|line| line.split("told ").nth(1)?.trim().parse().ok()).collect()
}

/// No test by itself: the process that others kill.
#[test]
fn the_writer() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let mut ledger = Ledger::open(Path::new(&path)).unwrap();
    let _hold = ledger.hold(SCAN).unwrap();
    let mut covered = match ledger.resumable(SCAN).unwrap() {
        Some(resumable) => {
            ledger.resume_scan(SCAN, &[]).unwrap();
            resumable.coverage
        }
        None if ledger.summary().unwrap().scans == 1 => return,
        None => {
            ledger.begin_scan(&scan(), &[]).unwrap();
            Coverage::default()
        }
    };
    for number in covered.len() / PER_BATCH..BATCHES {
        let positions = number * PER_BATCH..(number + 1) * PER_BATCH;
        positions.clone().for_each(|position| {
            covered.insert(position);
        });
        let observations: Vec<Observation> = positions.map(observation).collect();
        let counts = counts(&covered);
        let batch = Batch {
            scan: SCAN,
            observations: &observations,
            faults: &[],
            coverage: &covered,
            counts: &counts,
            renewal: None,
        };
        ledger.record(&batch).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "told {}", number + 1).unwrap();
        out.flush().unwrap();
    }
    ledger.finish_scan(SCAN, Timestamp::from_seconds(2_000_000), true).unwrap();
}

fn counts(covered: &Coverage) -> Counts {
    let mut counts = Counts::default();
    (0..covered.len()).for_each(|_| counts.add(&Outcome::Certificate));
    counts
}

fn scan() -> Scan {
    Scan {
        id: SCAN.to_owned(),
        plan_hash: Sha256Fingerprint::of(b"plan"),
        scope_name: "crash".to_owned(),
        scope_hash: Sha256Fingerprint::of(b"scope"),
        scope_text: String::new(),
        command_line: Vec::new(),
        seed: 1,
        shard: Shard::WHOLE,
        vantage: "default".to_owned(),
        version: "test".to_owned(),
        settings: "{}".to_owned(),
        positions: BATCHES * PER_BATCH,
        started: Timestamp::from_seconds(1_000_000),
    }
}

/// The visit at `position`: a leaf of its own at every other one, of some kilobytes, so that pages fill.
fn observation(position: u64) -> Observation {
    let ask = Ask { asked: Asked::Rustls, server_name: None, after: Duration::ZERO, request: None };
    let address = Ipv4Addr::from_bits(0x7f50_0000 | (position as u32).wrapping_mul(7_919) & 0xffff);
    let visit = Visit {
        time: Timestamp::from_seconds(1_000_000 + position as i64),
        target: Target::new(IpAddr::V4(address), 443),
        began: Duration::ZERO,
        connected: Some(Duration::from_micros(30)),
        ask: &ask,
    };
    let leaf =
        if position.is_multiple_of(2) { vec![0x30; 700] } else { vec![position as u8; 2_500] };
    let verdict = Verdict {
        outcome: Outcome::Certificate,
        ended: None,
        certificates: vec![leaf],
        tls: None,
        evidence: Evidence { presented: true, ..Evidence::NONE },
        first_byte: None,
        leaf: None,
        reply: None,
    };
    visit.observation(verdict, &mut Recogniser::new(Arc::default()))
}
