//! Scans from begin to end, and what is needed to go on with them.

use super::*;

fn plan() -> Sha256Fingerprint {
    scan("any").plan_hash
}

const SHARD: Shard = Shard { index: 2, count: 8 };

#[test]
fn scan_coverage_and_counts_come_back_as_they_were() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let mut coverage: Coverage = [(0, 41), (50, 50)].into_iter().collect();
    let mut counts = Counts::default();
    counts.add_word("silent", 40);
    counts.add_word("not_tls", 3);
    counts.faults = 2;
    counts.add_tier(Tier::A, u64::MAX);
    let record = |ledger: &mut Ledger, coverage: &Coverage, counts: &Counts| {
        let batch =
            Batch { scan: "one", observations: &[], faults: &[], coverage, counts, renewal: None };
        ledger.record(&batch).unwrap();
    };
    record(&mut scratch.ledger, &coverage, &counts);
    coverage.insert(42);
    coverage.insert(u64::MAX);
    counts.add(&Outcome::Silent);
    record(&mut scratch.ledger, &coverage, &counts);

    let found = scratch.ledger.unfinished(plan(), None, SHARD).unwrap().unwrap();
    assert_eq!(found.scan, scan("one"));
    assert_eq!(found.scan.seed, u64::MAX);
    assert_eq!(found.coverage, coverage);
    assert_eq!(found.counts, counts);
    assert_eq!(scratch.ledger.resumable("one").unwrap(), Some(found));
    assert_eq!(
        scratch.query("SELECT outcome, count FROM scan_outcome"),
        ["not_tls|3", "silent|41"]
    );
}

#[test]
fn the_latest_unfinished_scan_of_plan_seed_and_shard_is_found() {
    let mut scratch = Scratch::new();
    let at = |seconds: i64| Timestamp::from_micros(T0 + seconds * 1_000_000);
    let other = Sha256Fingerprint::of(b"other");
    for scan in [
        Scan { started: at(0), seed: 5, ..scan("early") },
        Scan { started: at(2), seed: 6, ..scan("late") },
        Scan { started: at(1), seed: 5, ..scan("middle") },
        Scan { started: at(3), shard: Shard::WHOLE, ..scan("whole") },
        Scan { started: at(3), plan_hash: other, ..scan("other") },
    ] {
        scratch.ledger.begin_scan(&scan, &[]).unwrap();
    }
    let find = |ledger: &Ledger, seed| {
        let found = ledger.unfinished(plan(), seed, SHARD).unwrap();
        found.map(|resumable| resumable.scan.id)
    };
    assert_eq!(find(&scratch.ledger, None).as_deref(), Some("late"));
    assert_eq!(find(&scratch.ledger, Some(5)).as_deref(), Some("middle"));
    assert_eq!(find(&scratch.ledger, Some(7)), None);

    scratch.ledger.finish_scan("late", at(9), false).unwrap();
    assert_eq!(find(&scratch.ledger, None).as_deref(), Some("late"));
    scratch.ledger.finish_scan("late", at(9), true).unwrap();
    assert_eq!(find(&scratch.ledger, None).as_deref(), Some("middle"));
    assert_eq!(scratch.ledger.resumable("late").unwrap(), None);
    assert_eq!(scratch.ledger.resumable("absent").unwrap(), None);
}

#[test]
fn a_scan_ends_and_is_opened_again() {
    let mut scratch = Scratch::with_scans(&["one"]);
    scratch.ledger.finish_scan("one", Timestamp::from_micros(T0 + 1), false).unwrap();
    assert_eq!(scratch.query("SELECT ended, complete FROM scan"), [format!("{}|0", T0 + 1)]);
    scratch.ledger.resume_scan("one", &[]).unwrap();
    assert_eq!(scratch.query("SELECT ended, complete FROM scan"), ["NULL|0"]);
    let ended = Timestamp::from_micros(T0);
    let error = scratch.ledger.finish_scan("absent", ended, true).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} holds no scan absent; check --store and the scan's id",
            scratch.path().display()
        )
    );
    assert!(matches!(
        scratch.ledger.resume_scan("absent", &[]),
        Err(StoreError::UnknownScan { .. })
    ));
}

#[test]
fn sets_are_stored_once_for_each_content() {
    let mut scratch = Scratch::with_scans(&["one", "two"]);
    let updated = IndicatorSet { hash: Sha256Fingerprint::of(b"updated"), ..set() };
    scratch.ledger.begin_scan(&scan("three"), &[set(), updated]).unwrap();
    assert_eq!(
        scratch.query("SELECT id, name, tlp FROM indicator_set"),
        ["1|raptor|clear", "2|raptor|clear"]
    );
    assert_eq!(
        scratch.query("SELECT * FROM scan_set ORDER BY scan_id, set_id"),
        ["one|1", "three|1", "three|2", "two|1"]
    );
    let sha1 = leaf("listed").sha1;
    assert_eq!(
        scratch.query("SELECT kind, value, label, source, first_seen, certificate FROM indicator WHERE set_id = 1"),
        [
            format!("certificate|sha1:{sha1}|CN=listed|report|NULL|NULL"),
            format!("address|127.0.0.1|NULL|report|2025-12-01|sha1:{sha1}"),
        ]
    );
    assert_eq!(
        scratch.query("SELECT id, title, published FROM indicator_source WHERE set_id = 2"),
        ["report|A report|2026-01-02"]
    );
}

#[test]
fn an_outcome_that_is_none_of_ours_is_damage() {
    let scratch = Scratch::with_scans(&["one"]);
    scratch.query("INSERT INTO scan_outcome VALUES ('one', 'vanished', 1)");
    let error = scratch.ledger.resumable("one").unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("scan one counts an unknown outcome 'vanished'"), "{error}");
}

#[test]
fn a_scan_is_held_by_one_at_a_time() {
    let scratch = Scratch::with_scans(&["one", "two"]);
    let hold = scratch.ledger.hold("one").unwrap();
    let second = Ledger::open(&scratch.path()).unwrap();
    assert!(matches!(second.hold("one"), Err(StoreError::Running { scan, .. }) if scan == "one"));
    assert!(second.hold("two").is_ok());
    drop(hold);
    assert!(second.hold("one").is_ok());
    let left: Vec<_> = std::fs::read_dir(scratch.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".lock"))
        .collect();
    assert_eq!(left, [""; 0]);
}
