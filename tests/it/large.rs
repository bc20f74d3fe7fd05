//! Sixty thousand targets: none is lost, and memory does not grow with their number.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::process::ChildStdout;

use certsweep::lab::{Field, FieldServer};
use ipnet::Ipv4Subnets;
use serde_json::Value;

use crate::support::{Running, Workspace, raise_descriptors, runtime, single};

const TARGETS: u32 = 60_000;

/// How much more memory a run may take than another, in KiB.
const MARGIN: u64 = 64 * 1024;

const FIRST: Ipv4Addr = Ipv4Addr::new(127, 192, 0, 0);

const EVERY: NonZeroU32 = NonZeroU32::new(997).unwrap();

/// The most memory that the process `id` has held at once so far, in KiB; `None` once it is gone.
fn peak(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The text of a scope file for the first [`TARGETS`] addresses from [`FIRST`] on.
fn scope(port: u16) -> String {
    let last = Ipv4Addr::from_bits(FIRST.to_bits() + TARGETS - 1);
    let nets: Vec<String> =
        Ipv4Subnets::new(FIRST, last, 0).map(|net| format!("\"{net}\"")).collect();
    format!("name = \"large\"\ninclude = [{}]\nports = [{port}]\n", nets.join(", "))
}

/// What the sweep printed, and the most memory that it held while it did.
struct Sweep {
    finished: BTreeSet<String>,
    matched: BTreeSet<String>,
    peak: u64,
}

/// Follows a running sweep line by line.
fn follow(running: Running, stdout: BufReader<ChildStdout>) -> Sweep {
    let mut sweep = Sweep { finished: BTreeSet::new(), matched: BTreeSet::new(), peak: 0 };
    for (number, line) in stdout.lines().enumerate() {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if number % 500 == 0 {
            sweep.peak = peak(running.id()).unwrap_or(sweep.peak);
        }
        let evidence = &record["evidence"];
        if evidence["handshake_finished"] != true || evidence["key_proven"] != true {
            continue;
        }
        let address = record["address"].as_str().unwrap().to_owned();
        if record["matches"].as_array().is_some_and(|matches| !matches.is_empty()) {
            sweep.matched.insert(address.clone());
        }
        assert!(sweep.finished.insert(address), "twice: {record}");
    }
    running.finish().expect(0);
    sweep
}

/// The most memory that a dry run of `scope` holds.
///
/// It prints its plan in one go, and more than a pipe holds: it waits for us to look.
fn peak_of_dry_run(workspace: &Workspace, scope: &str) -> u64 {
    workspace.write("wide.toml", scope);
    let line = "scan --dry-run --scope wide.toml";
    let (running, mut stdout) = Running::piped(&mut workspace.command(line));
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    assert!(first.starts_with("dry run"), "{first}");
    let peak = peak(running.id()).unwrap();
    stdout.read_to_string(&mut String::new()).unwrap();
    running.finish().expect(0);
    peak
}

/// A scope of documentation's contact over `net`, valid for a century, with a reference that is longer
/// than what a pipe holds.
fn wide(net: &str) -> String {
    let mut text = String::from("name = \"wide\"\n");
    for key in ["operator", "contact", "authorised_by"] {
        writeln!(text, "{key} = \"nobody@example.org\"").unwrap();
    }
    let reference = "x".repeat(256 * 1024);
    text + &format!(
        "valid_from = 2000-01-01\nvalid_until = 2099-12-31\ninclude = [\"{net}\"]\nports = [443]\n\
         reference = \"{reference}\"\n"
    )
}

#[test]
fn sixty_thousand_targets_are_all_seen_in_bounded_memory() {
    raise_descriptors();
    let (runtime, workspace) = (runtime(), Workspace::new());
    let entered = runtime.enter();
    let field = Field::with_matches_every(EVERY, FieldServer::Tls13, 0).unwrap();
    drop(entered);
    workspace.write("scope.toml", scope(field.port()));
    workspace.write("demo.toml", field.indicator_set_toml());
    let line = "scan --scope scope.toml --indicators demo.toml --handshake full --format jsonl \
                --concurrency 500";
    let (running, stdout) = Running::piped(&mut workspace.command(line));
    let sweep = follow(running, stdout);

    let all = (0..TARGETS).map(|number| Ipv4Addr::from_bits(FIRST.to_bits() + number));
    let matching = all.clone().filter(|address| address.to_bits() % EVERY == 0);
    let all = all.map(|address| address.to_string()).collect();
    assert_eq!(sweep.finished.len(), TARGETS as usize);
    assert!(sweep.finished == all, "other targets than all");
    assert_eq!(sweep.matched, matching.map(|address| address.to_string()).collect());
    let (ledger, matched) = (workspace.ledger(), sweep.matched.len());
    let scan = single(&ledger, "SELECT complete, positions, visits, matched FROM scans");
    assert_eq!(scan, format!("1 {TARGETS} {TARGETS} {matched}"));
    assert_eq!(single(&ledger, "SELECT count(*), sum(count) FROM sighting"), "60000 60000");

    let half = peak_of_dry_run(&workspace, &wide("0.0.0.0/1"));
    let part = peak_of_dry_run(&workspace, &wide("8.0.0.0/8"));
    assert!(sweep.peak > 0);
    assert!(half.abs_diff(part) < MARGIN, "a /1 takes {half} KiB, a /8 {part} KiB");
    let grown = sweep.peak.saturating_sub(half.min(part));
    assert!(grown < MARGIN, "the sweep took {} KiB, dry runs {half} and {part}", sweep.peak);
}
