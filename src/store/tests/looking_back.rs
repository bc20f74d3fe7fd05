//! Histories, first sights, pending places and transitions.

use super::*;
use crate::store::{Change, Pending, PlaceRow};

const ALERT: Outcome = Outcome::Refused;

/// The places that are pending, in words, each once; they are looked through.
fn settle(ledger: &mut Ledger) -> Vec<String> {
    let pending = ledger.pending(1_000).unwrap();
    let mut places: Vec<_> = pending
        .iter()
        .map(|pending| {
            let place = ledger.place(pending.place).unwrap();
            let name = place.server_name.unwrap_or_default();
            format!("{} {name} {}", place.target, place.vantage)
        })
        .collect();
    places.sort();
    places.dedup();
    let settled: Vec<_> = pending.into_iter().map(|pending| (pending, Vec::new())).collect();
    assert_eq!(ledger.write_transitions(&settled, Timestamp::from_micros(T0)).unwrap(), 0);
    assert_eq!(ledger.pending(1).unwrap(), []);
    places
}

/// The first place that is pending.
fn first(ledger: &Ledger) -> PlaceRow {
    ledger.pending(1).unwrap()[0].place
}

#[test]
fn a_place_is_pending_where_something_may_have_changed_and_nowhere_else() {
    let mut scratch = Scratch::with_scans(&["one", "two", "three", "four", "five"]);
    let place = ["192.0.2.1:443  lab"];
    let one = |leaf| [seen("192.0.2.1", 0, leaf)];
    scratch.record("one", &one(leaf("a"))).unwrap();
    assert_eq!(settle(&mut scratch.ledger), place, "a new sighting");
    scratch.record("one", &one(leaf("a"))).unwrap();
    scratch.record("two", &one(leaf("a"))).unwrap();
    assert_eq!(settle(&mut scratch.ledger), [""; 0], "all as it was");
    scratch.record("four", &[unseen("192.0.2.1", 0, ALERT)]).unwrap();
    assert_eq!(settle(&mut scratch.ledger), place, "no leaf");
    scratch.record("five", &one(leaf("a"))).unwrap();
    assert_eq!(settle(&mut scratch.ledger), place, "not seen in the visit before");
    scratch.record("three", &one(leaf("a"))).unwrap();
    assert_eq!(settle(&mut scratch.ledger), place, "written behind a later scan");
    scratch.record("five", &one(leaf("b"))).unwrap();
    assert_eq!(settle(&mut scratch.ledger), place, "another leaf in the same scan");
}

#[test]
fn a_place_of_several_leaves_stays_pending_until_it_is_quiet() {
    let ids: Vec<_> = (0..70).map(|number| format!("{number:02}")).collect();
    let mut scratch = Scratch::with_scans(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let mut changed = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        let name = if number == 2 { "b" } else { "a" };
        scratch.record(id, &[seen("192.0.2.1", number as i64, leaf(name))]).unwrap();
        changed.extend((!settle(&mut scratch.ledger).is_empty()).then_some(number));
    }
    // Scan 2 saw another leaf; the 64 visits up to 66 are the first without it.
    assert_eq!(changed, [vec![0], (2..66).collect()].concat());
    let mut scratch = Scratch::with_scans(&["one", "two", "three"]);
    let further = Observation { is_other_leaf: true, ..seen("192.0.2.1", 1, leaf("b")) };
    for id in ["one", "two", "three"] {
        scratch.record(id, &[seen("192.0.2.1", 0, leaf("a")), further.clone()]).unwrap();
        assert_eq!(settle(&mut scratch.ledger).len(), 1);
    }
}

#[test]
fn names_and_vantages_are_places_of_their_own() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let away = Scan { vantage: "away".to_owned(), ..scan("two") };
    scratch.ledger.begin_scan(&away, &[]).unwrap();
    let named = Observation {
        server_name: ServerName::new("a.example").ok(),
        ..seen("2001:db8::1", 0, leaf("a"))
    };
    let plain = seen("2001:db8::1", 0, leaf("a"));
    scratch.record("one", &[named, plain.clone()]).unwrap();
    let [one, two] = ["[2001:db8::1]:443  lab", "[2001:db8::1]:443 a.example lab"];
    assert_eq!(settle(&mut scratch.ledger), [one, two]);
    scratch.record("two", &[plain]).unwrap();
    assert_eq!(settle(&mut scratch.ledger), ["[2001:db8::1]:443  away"]);
}

#[test]
fn a_history_has_all_leaves_of_all_visits_from_one_vantage_in_order_of_time() {
    let mut scratch = Scratch::with_scans(&["one", "two", "three"]);
    let away = Scan { vantage: "away".to_owned(), ..scan("four") };
    scratch.ledger.begin_scan(&away, &[]).unwrap();
    let further = Observation { is_other_leaf: true, ..seen("192.0.2.1", 51, leaf("b")) };
    scratch.record("one", &[seen("192.0.2.1", 50, leaf("a")), further]).unwrap();
    scratch.record("two", &[unseen("192.0.2.1", 20, ALERT)]).unwrap();
    scratch.record("three", &[seen("192.0.2.1", 30, leaf("c"))]).unwrap();
    scratch.record("three", &[seen("192.0.2.1", 31, leaf("b"))]).unwrap();
    scratch.record("four", &[seen("192.0.2.1", 40, leaf("d"))]).unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let id = format!("SELECT id FROM certificate WHERE sha1 = x'{}'", leaf(name).sha1);
        scratch.query(&id)[0].parse::<i64>().unwrap()
    });
    let history = scratch.ledger.history(first(&scratch.ledger)).unwrap();
    let told: Vec<_> = history
        .into_iter()
        .map(|visit| {
            ((visit.time.micros() - T0) / 1_000_000, visit.scan, visit.outcome, visit.leaves)
        })
        .collect();
    // A repeat within a scan shows another leaf: the scan saw both.
    let certificate = || "certificate".to_owned();
    assert_eq!(
        told,
        [
            (20, 2, "refused".to_owned(), vec![]),
            (31, 3, certificate(), vec![b, c]),
            (50, 1, certificate(), vec![a, b]),
        ]
    );
    assert_eq!(scratch.ledger.leaf(a).unwrap(), Some(leaf("a").sha256));
    assert_eq!(scratch.ledger.leaf(99).unwrap(), None);
}

#[test]
fn first_sights_tell_the_same_address_from_another() {
    let mut scratch = Scratch::with_scans(&["one", "two", "three"]);
    let on = |address: &str, port, seconds| {
        let seen = seen(address, seconds, leaf("a"));
        Observation { target: Target::new(seen.target.address, port), ..seen }
    };
    scratch.record("one", &[on("192.0.2.1", 443, 1), on("192.0.2.1", 5555, 2)]).unwrap();
    let here = first(&scratch.ledger);
    let first_sights = |ledger: &Ledger| {
        let sights = ledger.first_sights(1).unwrap();
        let told = |sight: &crate::store::FirstSight| (sight.scan, sight.is_elsewhere(here));
        sights.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(first_sights(&scratch.ledger), [(1, false)]);
    assert_eq!(scratch.ledger.elsewhere(1, here, 9).unwrap(), []);
    scratch.record("two", &[on("192.0.2.2", 443, 3), on("192.0.2.1", 80, 9)]).unwrap();
    scratch.record("three", &[on("192.0.2.3", 443, 4), on("192.0.2.2", 443, 5)]).unwrap();
    assert_eq!(first_sights(&scratch.ledger), [(1, false), (2, true), (3, true)]);
    let elsewhere = scratch.ledger.elsewhere(1, here, 9).unwrap();
    let told: Vec<_> = elsewhere
        .iter()
        .map(|at| {
            let target = scratch.ledger.place(at.place).unwrap().target;
            (target.to_string(), at.first_scan, (at.last_seen.micros() - T0) / 1_000_000)
        })
        .collect();
    assert_eq!(told, [("192.0.2.2:443".to_owned(), 2, 5), ("192.0.2.3:443".to_owned(), 3, 4)]);
    assert_eq!(scratch.ledger.elsewhere(1, here, 1).unwrap(), elsewhere[..1]);
    let heads = scratch.ledger.scan_heads().unwrap();
    let told: Vec<_> = heads.iter().map(|head| (head.number, &*head.id, head.seed)).collect();
    assert_eq!(told, [(1, "one", u64::MAX), (2, "two", u64::MAX), (3, "three", u64::MAX)]);
}

#[test]
fn transitions_are_written_once_and_what_changes_meanwhile_stays_pending() {
    let mut scratch = Scratch::with_scans(&["one", "two"]);
    scratch.record("one", &[seen("192.0.2.1", 0, leaf("a"))]).unwrap();
    scratch.record("one", &[seen("192.0.2.2", 0, leaf("b"))]).unwrap();
    let pending: Vec<Pending> = scratch.ledger.pending(9).unwrap();
    let change = |name: &str, kind| Change {
        key: Sha256Fingerprint::of(name.as_bytes()),
        kind,
        time: Timestamp::from_micros(T0),
        scan: 1,
        certificate: 1,
        previous: None,
        tier: Some("A"),
        from: None,
    };
    let moved = Change { from: Some(pending[1].place), ..change("moved", "moved") };
    let rotated = Change { certificate: 2, previous: Some(1), ..change("rotated", "rotated") };
    scratch.record("two", &[seen("192.0.2.1", 5, leaf("b"))]).unwrap();
    let settled = [(pending[0], vec![moved, rotated.clone()]), (pending[1], vec![])];
    let derived = Timestamp::from_micros(T0 + 9);
    assert_eq!(scratch.ledger.write_transitions(&settled, derived).unwrap(), 2);
    assert_eq!(scratch.ledger.pending(9).unwrap().len(), 1, "the visit of scan two");
    assert_eq!(scratch.ledger.write_transitions(&settled, derived).unwrap(), 0);
    let [a, b] = ["a", "b"].map(|name| leaf(name).sha256);
    let time = "2026-11-24T02:18:24.512Z";
    assert_eq!(
        scratch.query(
            "SELECT kind, time, address, port, vantage, sha256, previous_sha256, previous_address,
             previous_port, tier, scan FROM transitions"
        ),
        [
            format!("moved|{time}|192.0.2.1|443|lab|{a}|NULL|192.0.2.2|443|A|one"),
            format!("rotated|{time}|192.0.2.1|443|lab|{b}|{a}|NULL|NULL|A|one"),
        ]
    );
    let strange = Change { certificate: 99, ..change("strange", "new") };
    let refused = [(pending[0], vec![change("fine", "new"), strange])];
    scratch.ledger.write_transitions(&refused, derived).unwrap_err();
    assert_eq!(scratch.query("SELECT count(*) FROM transition"), ["2"], "all or nothing");
}
