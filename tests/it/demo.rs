//! The demo keeps what it promises to somebody who has just installed the program.

use std::time::{Duration, Instant};

use certsweep::lab::{HOSTS, behaviour};

use crate::support::{Workspace, query, single};

/// How many targets of a lab match with a proof, with one that fails, and with none.
fn promised() -> [usize; 3] {
    let all = (0..HOSTS).flat_map(|host| (0..4).map(move |port| behaviour(host as u8, port)));
    let matches: Vec<_> =
        all.map(|what| what.expected_of_auto()).filter(|expected| expected.matches).collect();
    [Some(true), Some(false), None]
        .map(|proven| matches.iter().filter(|expected| expected.key_proven == proven).count())
}

/// How many endpoints the report's tables show with `evidence`: a row has an address and its ports.
fn endpoints(report: &str, evidence: &str) -> usize {
    let rows = report.lines().map(|line| line.split('\u{2506}').map(str::trim).collect::<Vec<_>>());
    rows.filter(|row| row.len() == 3 && row[2].starts_with(evidence))
        .map(|row| row[1].split(", ").count())
        .sum()
}

#[test]
fn the_demo_finds_all_matches_and_tells_copies_from_owners() {
    let workspace = Workspace::new();
    let begun = Instant::now();
    let demo = workspace.run("demo --store demo.db").expect(0);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let [proven, copied, presented] = promised();
    let matches = proven + copied + presented;
    assert!(demo.stdout.starts_with(&format!("{matches} matches\n")), "{}", demo.stdout);
    assert_eq!(endpoints(&demo.stdout, "NOT proven"), copied);
    assert_eq!(endpoints(&demo.stdout, "key proven"), proven);
    assert_eq!(endpoints(&demo.stdout, "presented"), presented);
    assert!(demo.stdout.contains("vpn000000001[.]demo[.]invalid"));
    assert!(demo.stdout.contains("1,024 targets probed of 1,024 in the plan, coverage 100.0%\n"));
    assert!(demo.stderr.starts_with("demo: 127."), "{}", demo.stderr);
    let ledger = workspace.path("demo.db");
    let kept = query(
        &ledger,
        "SELECT coalesce(key_proven, -1), count(*) FROM matches GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(kept, [format!("-1 {presented}"), format!("0 {copied}"), format!("1 {proven}")]);
    let scan = single(&ledger, "SELECT scope, complete, positions, visits, faults FROM scans");
    assert_eq!(scan, "demo 1 1024 1024 0");
}

#[test]
fn without_a_store_the_demo_leaves_nothing_behind() {
    let workspace = Workspace::new();
    let scratch = workspace.path("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let mut command = workspace.command("demo");
    let demo = crate::support::Running::start(command.env("TMPDIR", &scratch)).finish().expect(0);
    assert!(demo.stderr.contains("The ledger of this demo is gone"), "{}", demo.stderr);
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    assert!(!workspace.ledger().exists());
}
