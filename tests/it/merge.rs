//! Ledgers put together: shards of one plan, swept into four ledgers and merged, hold what one sweep holds.

use certsweep::store::Ledger;

use crate::support::{Lab, Workspace, query};

/// What a merged ledger has in common with that of one sweep: all but identities, times and shards.
const CONTENT: [&str; 6] = [
    "SELECT outcome, sum(count) FROM scan_outcome GROUP BY 1 ORDER BY 1",
    "SELECT address, port, outcome, detail, sha1, ended, tls_version, cipher_suite, key_proven, \
        handshake_finished FROM visits ORDER BY address, port",
    "SELECT address, port, sha1, count, key_proven, vantage FROM sightings \
        ORDER BY address, port, sha1",
    "SELECT set_name, tier, indicator, label, source, address, port, key_proven, \
        handshake_finished FROM matches ORDER BY indicator, address, port",
    "SELECT kind, address, port, sha1, tier FROM transitions ORDER BY address, port, sha1",
    "SELECT lower(hex(sha256)), subject, key FROM certificate ORDER BY 1",
];

fn content(workspace: &Workspace, ledger: &str) -> Vec<String> {
    CONTENT.iter().flat_map(|sql| query(&workspace.path(ledger), sql)).collect()
}

#[test]
fn four_shards_merged_are_one_sweep() {
    let (lab, workspace) = Lab::with_workspace();
    let scan = format!("{} --seed 7", lab.scan());
    workspace.run(&format!("{scan} --store whole.db")).expect(0);
    for shard in 1..=4 {
        workspace.run(&format!("{scan} --shard {shard}/4 --store {shard}.db")).expect(0);
    }
    let merged = workspace.run("store merge 1.db 2.db 3.db 4.db --store merged.db").expect(0);
    assert_eq!(merged.stdout.lines().count(), 4, "{}", merged.stdout);
    let (whole, parts) = (content(&workspace, "whole.db"), content(&workspace, "merged.db"));
    assert!(whole.len() > 700, "{}", whole.len());
    assert_eq!(parts, whole);
    // Once more changes nothing.
    workspace.run("store merge 3.db 1.db --store merged.db").expect(0);
    assert_eq!(content(&workspace, "merged.db"), whole);
    let itself = workspace.run("store merge merged.db --store merged.db").expect(4);
    assert!(itself.stderr.contains("is the ledger itself"), "{}", itself.stderr);
}

/// One copy of a ledger went on with a scan: merged in either order, the scan is whole and nothing counts twice.
#[test]
fn a_copy_that_went_on_is_merged_without_counting_twice() {
    let (lab, workspace) = Lab::with_workspace();
    let first = lab.scan_of(format!("{}/28", lab.host(96)));
    workspace.run(&format!("{first} --store one.db")).expect(0);
    std::fs::copy(workspace.path("one.db"), workspace.path("two.db")).unwrap();
    workspace.run(&format!("{first} --store two.db")).expect(0);
    workspace.run(&format!("{first} --store two.db")).expect(0);
    let expected = content(&workspace, "two.db");
    workspace.run("store merge two.db --store one.db").expect(0);
    assert_eq!(content(&workspace, "one.db"), expected);
    let ledger = Ledger::open_read_only(&workspace.path("one.db")).unwrap();
    assert_eq!(ledger.summary().unwrap().scans, 3);
}
