//! Several processes at one ledger: two scans write, others read, and nobody loses or waits for anything.

use crate::support::{Lab, query};

#[test]
fn two_scans_write_and_searches_read_at_the_same_time() {
    let (lab, workspace) = Lab::with_workspace();
    let slow = |host: u8| {
        let range = format!("{}/27", lab.host(host));
        // Some four seconds for each.
        format!("{} --rate 30 --threads 1", lab.scan_of(range))
    };
    workspace.run(&lab.scan_of(lab.host(17))).expect(0);
    let scans = [0, 96].map(|host| workspace.start(&slow(host)));
    let mut read = 0;
    for _ in 0..10 {
        workspace.run("search --tier A --format jsonl").expect(0);
        workspace.run("diff --all --format jsonl").expect(0);
        workspace.run("store check").expect(0);
        read += 1;
    }
    let refused = workspace.run("store compact").expect(4);
    assert!(refused.stderr.contains("; compact it when that has ended"), "{}", refused.stderr);
    for scan in scans {
        scan.finish().expect(0);
    }
    workspace.run("store compact").expect(0);
    assert_eq!(read, 10);
    let complete = "SELECT complete, visits FROM scans ORDER BY started, id";
    assert_eq!(query(&workspace.ledger(), complete), ["1 4", "1 128", "1 128"]);
    assert_eq!(workspace.run("store check").expect(0).stdout, "ok\n");
    // What each saw is what it sees alone.
    let together = "SELECT address, port, outcome, sha1 FROM visits ORDER BY 1, 2, 3, 4";
    let both = query(&workspace.ledger(), together);
    for host in [17, 0, 96] {
        let range =
            if host == 17 { lab.host(17).to_string() } else { format!("{}/27", lab.host(host)) };
        workspace.run(&format!("{} --store alone.db", lab.scan_of(range))).expect(0);
    }
    assert_eq!(query(&workspace.path("alone.db"), together), both);
}
