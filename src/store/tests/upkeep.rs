//! What a ledger says of itself, and what is dropped from it.

use super::*;
use crate::store::{Info, Pruned};

/// One place visited by as many scans as `results` has letters: a leaf of this name, or none for `-`. A capital saw the
/// leaf "listed", which matches.
fn visited(results: &str) -> Scratch {
    let ids: Vec<_> = (0..results.len()).map(|number| format!("{number:03}")).collect();
    let mut scratch = Scratch::with_scans(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    for ((number, result), id) in results.chars().enumerate().zip(&ids) {
        let seconds = number as i64;
        let visit = match result {
            '-' => unseen("192.0.2.1", seconds, Outcome::Silent),
            'L' => Observation {
                matches: vec![listed()],
                ..seen("192.0.2.1", seconds, leaf("listed"))
            },
            name => seen("192.0.2.1", seconds, leaf(&name.to_string())),
        };
        scratch.record(id, &[visit]).unwrap();
    }
    scratch
}

/// The numbers of the scans whose visits are left.
fn left(scratch: &Scratch) -> Vec<usize> {
    let scans = scratch.query("SELECT scan_number FROM visit ORDER BY scan_number");
    scans.iter().map(|number| number.parse::<usize>().unwrap() - 1).collect()
}

const LATER: Timestamp = Timestamp::from_micros(T0 + 1_000_000_000);

#[test]
fn what_lies_inside_a_run_is_dropped_and_the_rest_stays() {
    let mut scratch = visited(&["a".repeat(40), "-".repeat(3), "a".repeat(20)].concat());
    let before = scratch.query("SELECT * FROM sightings");
    let pruned = scratch.ledger.prune(LATER, false).unwrap();
    assert_eq!(pruned, Pruned { visits: 23 + 3, ..Pruned::default() });
    let expected: Vec<_> = (0..16).chain([39]).chain(40..43).chain(43..59).chain([62]).collect();
    assert_eq!(left(&scratch), expected);
    assert_eq!(scratch.query("SELECT * FROM sightings"), before);
    assert_eq!(scratch.ledger.check().unwrap(), [""; 0]);
    assert_eq!(scratch.ledger.prune(LATER, true).unwrap(), Pruned::default());
}

/// At a place of several leaves one is gone only after more visits without it.
#[test]
fn more_is_kept_where_several_leaves_were_seen() {
    let mut scratch = visited(&["b".to_owned(), "a".repeat(40)].concat());
    scratch.ledger.prune(LATER, false).unwrap();
    assert_eq!(left(&scratch), (0..33).chain([40]).collect::<Vec<_>>());
}

#[test]
fn what_is_younger_or_matched_is_kept_unless_it_is_said_otherwise() {
    let mut scratch = visited(&"a".repeat(40));
    let at = |seconds: i64| Timestamp::from_micros(T0 + seconds * 1_000_000);
    assert_eq!(scratch.ledger.prune(at(20), true).unwrap().visits, 4);
    assert_eq!(left(&scratch), (0..16).chain(20..40).collect::<Vec<_>>());
    let mut scratch = visited(&"L".repeat(20));
    assert_eq!(scratch.ledger.prune(LATER, false).unwrap(), Pruned::default());
    let pruned = scratch.ledger.prune(LATER, true).unwrap();
    assert_eq!(pruned, Pruned { visits: 3, matches: 3, ..Pruned::default() });
    assert_eq!(scratch.query("SELECT count(*) FROM matches"), ["17"]);
}

#[test]
fn attempts_and_chains_go_with_their_visits() {
    let ids: Vec<_> = (0..20).map(|number| format!("{number:03}")).collect();
    let mut scratch = Scratch::with_scans(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, id) in ids.iter().enumerate() {
        let mut visit = seen("192.0.2.1", number as i64, leaf("a"));
        visit.chain = vec![Sha256Fingerprint::of(&[number as u8])];
        visit.attempts = vec![visit.attempts[0].clone(); 2];
        scratch.record(id, &[visit]).unwrap();
    }
    // A certificate that nothing refers to, as a transaction of an import may leave it.
    scratch.query("INSERT INTO certificate (sha1, names, first_stored) VALUES (x'07', '[]', 0)");
    let pruned = scratch.ledger.prune(LATER, false).unwrap();
    let expected = Pruned { visits: 3, attempts: 6, chains: 3, certificates: 1, matches: 0 };
    assert_eq!(pruned, expected);
    assert_eq!(scratch.query("SELECT count(*) FROM chain"), ["17"]);
    assert_eq!(scratch.query("PRAGMA foreign_keys"), ["1"]);
    assert_eq!(scratch.ledger.check().unwrap(), [""; 0]);
}

#[test]
fn a_ledger_says_how_large_it_is_and_what_fills_it() {
    let scratch = visited("aL-");
    let info = scratch.ledger.info().unwrap();
    assert!(info.file_bytes > 0 && info.log_bytes > 0 && info.bytes_per_sighting().is_some());
    let expected = Info {
        schema: crate::store::migration::NEWEST,
        certificate_bytes: 7,
        certificates: 2,
        sightings: 2,
        visits: 3,
        scans: 3,
        matches: 1,
        transitions: 0,
        // Two leaves that were new, and one visit without.
        pending: 3,
        oldest: Some(Timestamp::from_micros(T0)),
        newest: Some(Timestamp::from_micros(T0 + 1_000_000)),
        ..info
    };
    assert_eq!(info, expected);
    let empty = Scratch::new().ledger.info().unwrap();
    assert_eq!((empty.oldest, empty.newest, empty.bytes_per_sighting()), (None, None, None));
    scratch.query("DELETE FROM pending_place");
    assert_eq!(scratch.ledger.info().unwrap().pending, 0);
}

#[test]
fn compacting_gives_room_back_and_keeps_everything() {
    let mut scratch = visited("ab-");
    let large = Leaf::new(vec![7; 400_000]);
    scratch.record("002", &[seen("192.0.2.2", 1, large)]).unwrap();
    scratch.query("DELETE FROM sighting WHERE certificate_id = 3");
    scratch.query("DELETE FROM visit WHERE certificate_id = 3");
    scratch.query("DELETE FROM certificate WHERE id = 3");
    let before = scratch.dump();
    let compacted = scratch.ledger.compact().unwrap();
    assert_eq!(compacted.after, std::fs::metadata(scratch.path()).unwrap().len());
    let info = scratch.ledger.info().unwrap();
    assert_eq!((info.free_bytes, info.log_bytes, info.file_bytes), (0, 0, compacted.after));
    assert!(compacted.after < 400_000, "{compacted:?}");
    assert_eq!(scratch.dump(), before);
}

#[test]
fn compacting_waits_for_readers_and_does_not_wait_for_ever() {
    let mut scratch = visited("ab-");
    let other = rusqlite::Connection::open(scratch.path()).unwrap();
    other.execute_batch("BEGIN; SELECT count(*) FROM visit").unwrap();
    scratch.query("UPDATE scan SET version = 'x'");
    scratch.ledger.connection.busy_timeout(Duration::ZERO).unwrap();
    let error = scratch.ledger.compact().unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    drop(other);
    assert!(scratch.ledger.compact().is_ok());
}

#[test]
fn what_does_not_hold_together_is_told() {
    let scratch = visited("ab-");
    let broken = |sql: &str| {
        let file = tempfile::tempdir().unwrap();
        let path = file.path().join("ledger.db");
        scratch.ledger.connection.execute("VACUUM INTO ?1", [path.to_str()]).unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(sql).unwrap();
        Ledger::open(&path).unwrap().check().unwrap()
    };
    assert_eq!(broken(""), [""; 0]);
    for (sql, told) in [
        (
            "DELETE FROM sighting WHERE certificate_id = 1",
            "1 visits saw a leaf of which there is no sighting",
        ),
        (
            "UPDATE sighting SET count = 0",
            "2 sightings end before they begin, or were never seen",
        ),
        (
            "UPDATE visit SET endpoint_id = 4294967296 << 16",
            "3 visits are of an IPv6 address that has no row",
        ),
        (
            "UPDATE chain_list SET hashes = x'00'",
            "1 chains are no whole number of hashes",
        ),
        (
            "INSERT INTO coverage VALUES ('000', 5, 5)",
            "1 ranges of coverage overlap or end before they begin",
        ),
        (
            "DELETE FROM manner WHERE outcome = 'silent'",
            "1 rows of visit refer to rows of manner that are not there",
        ),
        (
            "INSERT INTO further_leaf SELECT endpoint_id, server_name_id, scan_number, certificate_id
             FROM visit WHERE certificate_id = 2",
            "1 further leaves are those of which there is no sighting, or their visit's own",
        ),
    ] {
        let wrong = broken(sql);
        assert!(wrong.iter().any(|line| line == told), "{sql}: {wrong:?}");
    }
}
