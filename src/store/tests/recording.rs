//! What a batch leaves in the tables.

use super::*;
use crate::domain::scan::Fault;

const SIGHTINGS: &str =
    "SELECT first_seen, last_seen, count, first.scan_id, last.scan_id, key_proven FROM sighting
    JOIN scan_number AS first ON first.number = first_scan
    JOIN scan_number AS last ON last.number = last_scan";

fn row(first: i64, last: i64, rest: &str) -> String {
    format!("{}|{}|{rest}", T0 + first * 1_000_000, T0 + last * 1_000_000)
}

#[test]
fn a_sighting_names_place_and_interval() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let named = Observation {
        server_name: Some(ServerName::new("www.example").unwrap()),
        ..seen("2001:db8::1", 3, leaf("a"))
    };
    scratch.record("one", &[named, seen("192.0.2.1", 1, leaf("a"))]).unwrap();
    scratch
        .record("one", &[seen("192.0.2.0", 2, leaf("a")), seen("192.0.2.9", 2, leaf("b"))])
        .unwrap();
    let expected =
        [("192.0.2.0", 2, None), ("192.0.2.1", 1, None), ("2001:db8::1", 3, Some("www.example"))]
            .map(|(address, seconds, name)| crate::store::Sighting {
                target: Target::new(address.parse().unwrap(), 443),
                server_name: name.map(str::to_owned),
                first_seen: Timestamp::from_micros(T0 + seconds * 1_000_000),
                last_seen: Timestamp::from_micros(T0 + seconds * 1_000_000),
                count: 1,
                key_proven: Some(true),
            });
    for fingerprint in [Fingerprint::Sha1(leaf("a").sha1), Fingerprint::Sha256(leaf("a").sha256)] {
        assert_eq!(scratch.ledger.endpoints_of(&fingerprint).unwrap(), expected);
    }
    let summary = scratch.ledger.summary().unwrap();
    assert_eq!((summary.certificates, summary.endpoints), (2, 4));
    assert_eq!((summary.sightings, summary.scans), (4, 1));
    // An IPv4 endpoint is its own number; IPv6 addresses have theirs from a table.
    assert_eq!(
        scratch.query("SELECT endpoint_id >> 16, endpoint_id & 65535 FROM visit"),
        ["3221225984|443", "3221225985|443", "3221225993|443", "4294967296|443"]
    );
    assert_eq!(
        scratch.query("SELECT * FROM address6"),
        ["4294967296|2001:db8::1|20010db8000000000000000000000001"]
    );
}

#[test]
fn vantages_are_kept_apart_and_told_together() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let away = Scan { vantage: "away".to_owned(), ..scan("two") };
    scratch.ledger.begin_scan(&away, &[]).unwrap();
    for (seconds, scan) in [(0, "one"), (5, "two")] {
        scratch.record(scan, &[seen("192.0.2.1", seconds, leaf("a"))]).unwrap();
    }
    assert_eq!(scratch.query("SELECT vantage FROM sightings ORDER BY 1"), ["away", "lab"]);
    assert_eq!(scratch.query("SELECT * FROM vantage"), ["1|lab|own", "2|away|own"]);
    let found = scratch.ledger.endpoints_of(&Fingerprint::Sha1(leaf("a").sha1)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].count, found[0].first_seen.micros()), (2, T0));
    assert_eq!(found[0].last_seen.micros(), T0 + 5_000_000);
}

#[test]
fn a_repeated_visit_is_updated_and_counts_once() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let first = Observation { matches: vec![listed()], ..seen("192.0.2.1", 0, leaf("listed")) };
    let again =
        Observation { matches: vec![listed(), listed()], ..seen("192.0.2.1", 9, leaf("listed")) };
    scratch.record("one", &[first]).unwrap();
    scratch.record("one", &[again.clone(), again]).unwrap();
    assert_eq!(scratch.query(SIGHTINGS), [row(0, 9, "1|one|one|1")]);
    assert_eq!(scratch.query("SELECT time FROM visit"), [(T0 + 9_000_000).to_string()]);
    for (table, rows) in [("attempt", "1"), ("chain", "1"), ("\"match\"", "1")] {
        assert_eq!(scratch.query(&format!("SELECT count(*) FROM {table}")), [rows], "{table}");
    }
}

#[test]
fn a_repeat_never_takes_a_leaf_away_and_another_leaf_is_another_sighting() {
    let mut scratch = Scratch::with_scans(&["one"]);
    scratch.record("one", &[seen("192.0.2.1", 0, leaf("a"))]).unwrap();
    let before = scratch.query("SELECT * FROM visit");
    scratch.record("one", &[unseen("192.0.2.1", 5, Outcome::ConnectTimeout)]).unwrap();
    assert_eq!(scratch.query("SELECT * FROM visit"), before);
    assert_eq!(scratch.query(SIGHTINGS), [row(0, 0, "1|one|one|1")]);
    scratch.record("one", &[seen("192.0.2.1", 6, leaf("b"))]).unwrap();
    assert_eq!(scratch.query(SIGHTINGS), [row(0, 0, "1|one|one|1"), row(6, 6, "1|one|one|1")]);
    assert_eq!(scratch.query("SELECT certificate_id FROM visit"), ["2"]);
}

#[test]
fn another_scan_widens_the_interval_to_both_sides() {
    let mut scratch = Scratch::with_scans(&["one", "two", "three"]);
    let mut unproven = seen("192.0.2.1", 10, leaf("a"));
    unproven.evidence.key_proven = None;
    scratch.record("one", &[unproven]).unwrap();
    assert_eq!(scratch.query(SIGHTINGS), [row(10, 10, "1|one|one|NULL")]);
    let mut failed = seen("192.0.2.1", 20, leaf("a"));
    failed.evidence.key_proven = Some(false);
    scratch.record("two", &[failed]).unwrap();
    assert_eq!(scratch.query(SIGHTINGS), [row(10, 20, "2|one|two|0")]);
    scratch.record("three", &[seen("192.0.2.1", 5, leaf("a"))]).unwrap();
    assert_eq!(scratch.query(SIGHTINGS), [row(5, 20, "3|three|two|1")]);
    assert_eq!(scratch.query("SELECT count(*) FROM visit"), ["3"]);
}

#[test]
fn a_visit_without_a_leaf_has_a_row_only_at_an_endpoint_with_a_sighting() {
    let mut scratch = Scratch::with_scans(&["one", "two"]);
    let alert = Outcome::Alert(crate::domain::outcome::Alert { level: 2, description: 40 });
    scratch.record("one", &[unseen("192.0.2.1", 0, alert), unseen("192.0.2.2", 0, alert)]).unwrap();
    assert_eq!(scratch.query("SELECT count(*) FROM visit"), ["0"]);
    scratch.record("one", &[seen("192.0.2.1", 1, leaf("a"))]).unwrap();
    scratch.record("two", &[unseen("192.0.2.1", 2, alert), unseen("192.0.2.2", 2, alert)]).unwrap();
    let visits = scratch.query("SELECT scan, outcome, detail, sha1 FROM visits ORDER BY time");
    assert_eq!(
        visits,
        [
            format!("one|certificate|NULL|{}", leaf("a").sha1),
            "two|alert|fatal handshake_failure(40)|NULL".to_owned()
        ]
    );
    assert_eq!(scratch.query(SIGHTINGS), [row(1, 1, "1|one|one|1")]);
}

#[test]
fn a_visit_keeps_its_attempts_chain_and_timing() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let mut visit = seen("192.0.2.1", 0, leaf("a"));
    visit.ended = Some(Outcome::Reset);
    visit.attempts.insert(0, unseen("192.0.2.1", 0, Outcome::Closed).attempts[0].clone());
    scratch.record("one", &[visit]).unwrap();
    let columns =
        "outcome, ended, tls_version, cipher_suite, handshake_finished, connect_us, leaf_us";
    assert_eq!(
        scratch.query(&format!("SELECT {columns} FROM visits")),
        ["certificate|reset|1.3|TLS_AES_128_GCM_SHA256|1|70|NULL"]
    );
    let columns = "number, client, offer, outcome, detail, leaf_sha256, key_proven, request";
    assert_eq!(
        scratch.query(&format!("SELECT {columns} FROM attempt ORDER BY number")),
        [
            "1|rustls|tls12-tls13|closed|NULL|NULL|NULL|NULL".to_owned(),
            format!("2|rustls|tls12-tls13|certificate|NULL|{}|1|NULL", leaf("a").sha256)
        ]
    );
    let intermediate = Sha256Fingerprint::of(b"intermediate");
    assert_eq!(scratch.query("SELECT position, sha256 FROM chain"), [format!("1|{intermediate}")]);
}

#[test]
fn a_chain_is_kept_once_and_told_of_each_visit() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let hashes: Vec<_> = (0..300_u16).map(|n| Sha256Fingerprint::of(&n.to_be_bytes())).collect();
    let with = |address, chain: &[Sha256Fingerprint]| Observation {
        chain: chain.to_vec(),
        ..seen(address, 0, leaf("a"))
    };
    let visits = [
        with("192.0.2.1", &hashes),
        with("192.0.2.2", &hashes[..2]),
        with("192.0.2.3", &[]),
        with("192.0.2.4", &hashes[..2]),
    ];
    scratch.record("one", &visits[..2]).unwrap();
    scratch.record("one", &visits[2..]).unwrap();
    assert_eq!(scratch.query("SELECT length(hashes) FROM chain_list"), ["9600", "64"]);
    let told = |address: &str| {
        scratch.query(&format!(
            "SELECT position, chain.sha256 FROM chain JOIN visits ON visits.id = visit_id
             WHERE address = '{address}' ORDER BY position"
        ))
    };
    let expected = |hashes: &[Sha256Fingerprint]| -> Vec<_> {
        hashes.iter().zip(1..).map(|(hash, position)| format!("{position}|{hash}")).collect()
    };
    assert_eq!(told("192.0.2.1"), expected(&hashes));
    assert_eq!(told("192.0.2.2"), expected(&hashes[..2]));
    assert_eq!(told("192.0.2.3"), expected(&[]));
    assert_eq!(told("192.0.2.4"), expected(&hashes[..2]));
}

/// The one attempt of most visits has no row of its own, and is told as if it had.
#[test]
fn an_attempt_that_is_its_visit_is_told_from_it() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let told = |address: &str, rest: &str| format!("{address}|1|rustls|tls12-tls13|{rest}|NULL");
    let hash = leaf("a").sha256;
    let alike = seen("192.0.2.1", 0, leaf("a"));
    let mut other = seen("192.0.2.2", 0, leaf("a"));
    other.attempts[0].evidence = Evidence::of(Ok(false), false);
    scratch.record("one", &[alike, other]).unwrap();
    let seen_twice = [
        told("192.0.2.1", &format!("certificate|NULL|{hash}|1|1")),
        told("192.0.2.2", &format!("certificate|NULL|{hash}|0|0")),
    ];
    let listed = "SELECT endpoint_id >> 16 & 255 FROM listed_attempt";
    let attempts = "SELECT address, number, client, offer, attempt.outcome, attempt.detail,
        leaf_sha256, attempt.key_proven, attempt.handshake_finished, request
        FROM attempt JOIN visits ON visits.id = visit_id";
    assert_eq!(scratch.query(listed), ["2"]);
    assert_eq!(scratch.query(&format!("{attempts} ORDER BY address")), seen_twice);
    // A visit that is repeated within its scan takes its attempts along, whichever way they were kept.
    let repeated = |address| Observation {
        attempts: vec![unseen(address, 1, Outcome::Closed).attempts[0].clone(); 2],
        ..seen(address, 1, leaf("a"))
    };
    scratch.record("one", &[repeated("192.0.2.1"), seen("192.0.2.2", 1, leaf("a"))]).unwrap();
    assert_eq!(scratch.query(listed), ["1", "1"]);
    assert_eq!(
        scratch.query(
            "SELECT address, attempt.outcome FROM attempt JOIN visits ON visits.id = visit_id
             ORDER BY 1"
        ),
        ["192.0.2.1|closed", "192.0.2.1|closed", "192.0.2.2|certificate"]
    );
    scratch.ledger.begin_scan(&scan("two"), &[]).unwrap();
    scratch.record("two", &[unseen("192.0.2.1", 2, Outcome::Silent)]).unwrap();
    assert_eq!(
        scratch.query(&format!("{attempts} WHERE scan = 'two'")),
        [told("192.0.2.1", "silent|NULL|NULL|NULL|0")]
    );
}

/// References are not looked up while a batch is written, and hold all the same.
#[test]
fn what_a_batch_refers_to_is_there_and_checked_again_afterwards() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let strange = Match { set: "other".into(), ..listed() };
    let visit = Observation { matches: vec![listed()], ..seen("192.0.2.1", 0, leaf("listed")) };
    let refused = Observation { matches: vec![strange], ..visit.clone() };
    scratch.record("one", &[visit]).unwrap();
    scratch.record("one", &[refused]).unwrap_err();
    assert_eq!(scratch.query("PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(scratch.query("PRAGMA foreign_keys"), ["1"]);
}

#[test]
fn a_batch_that_does_not_fit_is_rolled_back_whole_and_earlier_ones_stay() {
    let mut scratch = Scratch::with_scans(&["one"]);
    scratch.record("one", &[seen("192.0.2.1", 0, leaf("a"))]).unwrap();
    let before = scratch.dump();
    let pages: i64 = scratch.query("PRAGMA page_count")[0].parse().unwrap();
    scratch.query(&format!("PRAGMA max_page_count = {}", pages + 2));
    let large = Leaf::new(vec![7; 100_000]);
    let error =
        scratch.record("one", &[seen("192.0.2.2", 1, leaf("b")), seen("192.0.2.3", 1, large)]);
    let error = error.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert_eq!(scratch.dump(), before);
    scratch.query("PRAGMA max_page_count = 100000");
    scratch.record("one", &[seen("192.0.2.2", 1, leaf("b"))]).unwrap();
    assert_eq!(scratch.ledger.summary().unwrap().certificates, 2);
}

#[test]
fn what_was_committed_outlives_a_process_that_is_killed() {
    let mut scratch = Scratch::with_scans(&["one"]);
    scratch.record("one", &[seen("192.0.2.1", 0, leaf("a"))]).unwrap();
    // What a killed process leaves: file and log, as the kernel has them at that moment.
    let directory = tempfile::tempdir().unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        let from = scratch.directory.path().join(name);
        std::fs::copy(from, directory.path().join(name)).unwrap();
    }
    let ledger = Ledger::open(&directory.path().join("ledger.db")).unwrap();
    assert_eq!(Scratch { directory, ledger }.dump(), scratch.dump());
}

#[test]
fn a_match_of_no_known_set_and_a_scan_that_was_not_begun_are_errors() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let before = scratch.dump();
    let error = scratch.record("absent", &[]).unwrap_err();
    assert!(matches!(&error, StoreError::UnknownScan { scan, .. } if scan == "absent"));
    let strange = Match { set: "other".into(), ..listed() };
    let visit = Observation { matches: vec![strange], ..seen("192.0.2.1", 0, leaf("listed")) };
    let error = scratch.record("one", std::slice::from_ref(&visit)).unwrap_err();
    assert!(matches!(&error, StoreError::UnknownIndicator { set, .. } if set == "other"));
    assert_eq!(scratch.dump(), before);
    let other = IndicatorSet { name: "other".to_owned(), ..set() };
    scratch.ledger.resume_scan("one", &[other]).unwrap();
    scratch.record("one", &[visit]).unwrap();
    assert_eq!(scratch.query("SELECT set_name FROM matches"), ["other"]);
}

#[test]
fn one_batch_or_many_leave_the_same() {
    let outcomes = [Outcome::Refused, Outcome::Silent, Outcome::Certificate];
    let visits: Vec<_> = (0..60)
        .map(|number| {
            let address = format!("192.0.2.{}", number % 20);
            match outcomes[number % 3] {
                Outcome::Certificate => {
                    let name = ServerName::new(&format!("n{}.example", number % 7)).ok();
                    let name = name.filter(|_| number % 2 == 0);
                    let leaf = leaf(["a", "b"][number % 2]);
                    Observation { server_name: name, ..seen(&address, number as i64, leaf) }
                }
                outcome => unseen(&address, number as i64, outcome),
            }
        })
        .collect();
    let told = |size| {
        let mut scratch = Scratch::with_scans(&["one"]);
        for batch in visits.chunks(size) {
            scratch.record("one", batch).unwrap();
        }
        let pending = "SELECT DISTINCT endpoint_id >> 16, name FROM pending_place
            JOIN server_name ON server_name.id = server_name_id ORDER BY 1, 2";
        let first = "SELECT sha256, first_stored FROM certificate ORDER BY 1";
        let ordered = [
            "SELECT address, server_name, outcome, sha256, time FROM visits ORDER BY 1, 2",
            "SELECT * FROM sightings ORDER BY address, server_name, sha1",
            "SELECT address, server_name, number, offer, attempt.outcome FROM attempt
             JOIN visits ON visits.id = visit_id ORDER BY 1, 2, 3",
            "SELECT address, server_name, position, chain.sha256 FROM chain
             JOIN visits ON visits.id = visit_id ORDER BY 1, 2, 3",
        ]
        .map(|sql| scratch.query(sql));
        [ordered.concat(), scratch.query(pending), scratch.query(first)].concat()
    };
    let whole = told(60);
    assert!(whole.len() > 60, "{}", whole.len());
    assert_eq!(told(1), whole);
    assert_eq!(told(7), whole);
}

#[test]
fn a_fault_is_kept_with_its_target_and_repeats_nothing() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let fault = Fault {
        time: Timestamp::from_micros(7),
        position: 3,
        target: Target::new("192.0.2.1".parse().unwrap(), 443),
        message: "it broke".to_owned(),
    };
    for _ in 0..2 {
        scratch
            .ledger
            .record(&Batch {
                scan: "one",
                observations: &[],
                faults: std::slice::from_ref(&fault),
                coverage: &Coverage::default(),
                counts: &Counts::default(),
                renewal: None,
            })
            .unwrap();
    }
    assert_eq!(scratch.query("SELECT * FROM fault"), ["one|3|192.0.2.1|443|7|it broke"]);
}

/// A server that holds two certificates: what it proves of one says nothing of the other.
#[test]
fn a_further_leaf_has_its_own_sighting_and_its_matches_their_own_evidence() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let first = seen("192.0.2.1", 0, leaf("first"));
    let evidence = Evidence::of(Ok(false), false);
    let further = Observation {
        is_other_leaf: true,
        evidence,
        matches: vec![listed()],
        ..seen("192.0.2.1", 1, leaf("listed"))
    };
    scratch.record("one", &[first, further]).unwrap();
    let findings = scratch.ledger.findings("one", 10).unwrap();
    let told = findings.shown[0].evidence;
    assert_eq!((findings.total, told.key_proven), (1, Some(false)));
    assert!(!told.handshake_finished);
    let sha1 = leaf("listed").sha1;
    assert_eq!(
        scratch.query("SELECT sha1, key_proven, handshake_finished FROM matches"),
        [format!("{sha1}|0|0")]
    );
    assert_eq!(
        scratch.query("SELECT common_name, count, key_proven FROM sightings ORDER BY key_proven"),
        ["NULL|1|0", "NULL|1|1"]
    );
    assert_eq!(scratch.query("SELECT count(*) FROM visit"), ["1"]);
}

/// A resumed scan may see a visit again, and not all that it saw the first time.
#[test]
fn a_repeated_visit_counts_no_leaf_twice_and_takes_back_no_match() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let further = Observation {
        is_other_leaf: true,
        matches: vec![listed()],
        ..seen("192.0.2.1", 1, leaf("listed"))
    };
    let first = || seen("192.0.2.1", 0, leaf("first"));
    scratch.record("one", &[first(), further.clone()]).unwrap();
    scratch.record("one", &[first(), further]).unwrap();
    scratch.record("one", &[first()]).unwrap();
    assert_eq!(scratch.query("SELECT count FROM sighting"), ["1", "1"]);
    assert_eq!(scratch.ledger.findings("one", 10).unwrap().total, 1);
}

/// More ways to end than are kept at hand, each met again, in this batch and in the next.
#[test]
fn visits_that_end_alike_share_their_words() {
    let mut scratch = Scratch::with_scans(&["one", "two"]);
    let visits: Vec<_> = (0..80)
        .map(|number: u16| {
            let mut visit = seen(&format!("192.0.2.{number}"), 0, leaf("a"));
            visit.tls = Some(TlsFacts {
                version: "1.2",
                cipher_suite: format!("{:#06x}", number % 40).into(),
            });
            visit
        })
        .collect();
    let suites: Vec<_> =
        (0..80).map(|number| format!("192.0.2.{number}|{:#06x}", number % 40)).collect();
    for scan in ["one", "two"] {
        scratch.record(scan, &visits).unwrap();
        assert_eq!(scratch.query("SELECT count(*) FROM manner"), ["40"]);
        let told = "SELECT address, cipher_suite FROM visits WHERE scan = ";
        assert_eq!(scratch.query(&format!("{told} '{scan}' ORDER BY id")), suites);
    }
}

/// Of what others collected sometimes only a hash is known, until a visit sees the leaf itself.
#[test]
fn a_certificate_known_by_a_hash_is_completed_by_the_visit_that_sees_it() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let [a, b, c] = ["a", "b", "c"].map(leaf);
    scratch.query(&format!(
        "INSERT INTO certificate (sha256, sha1, names, first_stored) VALUES
         (NULL, x'{}', '[]', 5), (x'{}', NULL, '[]', 6), (NULL, x'00', '[]', 7)",
        a.sha1, b.sha256
    ));
    let visits = [seen("192.0.2.1", 0, a.clone()), seen("192.0.2.2", 0, b.clone())];
    scratch.record("one", &visits).unwrap();
    scratch.record("one", &[seen("192.0.2.3", 0, c.clone())]).unwrap();
    let told = |id, leaf: &Leaf, first| format!("{id}|{}|{}|1|{first}", leaf.sha256, leaf.sha1);
    assert_eq!(
        scratch.query("SELECT id, sha256, sha1, length(der), first_stored FROM certificate"),
        [told(1, &a, 5), told(2, &b, 6), "3|NULL|00|NULL|7".to_owned(), told(4, &c, T0)]
    );
    assert_eq!(scratch.query("SELECT certificate_id FROM visit"), ["1", "2", "4"]);
}
