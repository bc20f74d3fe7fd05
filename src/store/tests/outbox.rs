//! What is told of transitions, and to whom, over crashes.

use super::*;
use crate::domain::alert::{Alert, DELAY_MAX, Kind, Matched, Next, RETRY_AFTER_MAX};
use crate::store::{Change, ChannelStatus};

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(T0 + seconds * 1_000_000)
}

/// A ledger in which the listed leaf moved from 192.0.2.1 to 2001:db8::1 and was replaced there: transitions 1 and 2.
fn moved_and_rotated() -> Scratch {
    let mut scratch = Scratch::with_scans(&["one", "two", "three"]);
    let listed_at = |address, seconds| Observation {
        matches: vec![listed()],
        ..seen(address, seconds, leaf("listed"))
    };
    scratch.record("one", &[listed_at("192.0.2.1", 0)]).unwrap();
    scratch.record("two", &[listed_at("2001:db8::1", 100)]).unwrap();
    scratch.record("three", &[seen("2001:db8::1", 200, leaf("other"))]).unwrap();
    let pending = scratch.ledger.pending(10).unwrap();
    let [first, second, ..] = pending[..] else { panic!("{pending:?}") };
    let certificate = |name: &str| {
        let id = format!("SELECT id FROM certificate WHERE sha1 = x'{}'", leaf(name).sha1);
        scratch.query(&id)[0].parse::<i64>().unwrap()
    };
    let change = |kind, scan, seconds, name| Change {
        key: Sha256Fingerprint::of(name),
        kind,
        time: at(seconds),
        scan,
        certificate: certificate(if kind == "moved" { "listed" } else { "other" }),
        previous: (kind == "rotated").then(|| certificate("listed")),
        tier: None,
        from: (kind == "moved").then_some(first.place),
    };
    let changes = vec![change("moved", 2, 100, b"1"), change("rotated", 3, 200, b"2")];
    assert_eq!(scratch.ledger.write_transitions(&[(second, changes)], at(300)).unwrap(), 2);
    scratch
}

/// Decides that every alert is told over `channels`.
fn tell(ledger: &mut Ledger, channels: &[&str], limit: u32) -> Vec<Alert> {
    let untold = ledger.untold(limit).unwrap();
    let decided: Vec<_> = untold.iter().map(|one| (one.transition, channels.to_vec())).collect();
    ledger.tell(&decided, at(400)).unwrap();
    untold.into_iter().map(|one| one.alert).collect()
}

#[test]
fn an_alert_has_what_the_ledger_knows_of_its_transition() {
    let mut scratch = moved_and_rotated();
    let alerts = tell(&mut scratch.ledger, &["a"], 10);
    let [moved, rotated] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!((moved.kind, rotated.kind), (Kind::Moved, Kind::Rotated));
    assert_eq!((moved.key, moved.time), (Sha256Fingerprint::of(b"1"), at(100)));
    assert_eq!(
        (moved.target.to_string().as_str(), moved.scan.as_str()),
        ("[2001:db8::1]:443", "two")
    );
    assert_eq!((moved.vantage.as_str(), &moved.server_name, &moved.job), ("lab", &None, &None));
    assert_eq!(moved.leaf.sha1, Some(leaf("listed").sha1));
    assert_eq!(moved.leaf.sha256, Some(leaf("listed").sha256));
    let evidence = Evidence { unproven: None, ..Evidence::of(Ok(true), true) };
    assert_eq!((moved.evidence, &moved.previous), (Some(evidence), &None));
    let from: Vec<_> =
        moved.from.iter().map(|from| (from.target.to_string(), from.last_seen)).collect();
    assert_eq!(from, [("192.0.2.1:443".to_owned(), at(0))]);
    let matched = Matched {
        set: "raptor".into(),
        tlp: Tlp::Clear,
        tier: Tier::A,
        indicator: format!("sha1:{}", leaf("listed").sha1),
        label: Some("CN=listed".to_owned()),
        source: "report".into(),
    };
    assert_eq!(moved.matches, std::slice::from_ref(&matched));
    // What took the place of a reported certificate is told as a match: the server is the same.
    assert_eq!(rotated.leaf.sha1, Some(leaf("other").sha1));
    assert_eq!(rotated.previous.as_ref().unwrap().sha1, Some(leaf("listed").sha1));
    assert_eq!((&rotated.matches[..], &rotated.from[..]), (&[matched][..], &[][..]));
}

#[test]
fn a_set_counts_as_closed_as_it_ever_was() {
    let mut scratch = moved_and_rotated();
    let red = IndicatorSet { tlp: Tlp::Red, hash: Sha256Fingerprint::of(b"red"), ..set() };
    scratch.ledger.begin_scan(&scan("four"), &[red]).unwrap();
    let again = Observation { matches: vec![listed()], ..seen("192.0.2.1", 500, leaf("listed")) };
    scratch.record("four", &[again]).unwrap();
    let alerts = tell(&mut scratch.ledger, &[], 10);
    let levels: Vec<_> = alerts.iter().map(Alert::tlp).collect();
    assert_eq!(levels, [Some(Tlp::Red); 2]);
}

#[test]
fn it_is_decided_once_who_is_told_also_over_a_restart() {
    let mut scratch = moved_and_rotated();
    assert_eq!(tell(&mut scratch.ledger, &["a", "b"], 1).len(), 1);
    let mut reopened = Ledger::open(&scratch.path()).unwrap();
    assert_eq!(reopened.untold(10).unwrap().len(), 1);
    // Nobody wants to know, which is decided too.
    assert_eq!(tell(&mut reopened, &[], 10)[0].kind, Kind::Rotated);
    assert_eq!(reopened.untold(10).unwrap(), []);
    reopened.tell(&[], at(0)).unwrap();
    reopened.tell(&[(1, vec!["a"])], at(0)).unwrap();
    let waiting =
        scratch.query("SELECT transition_id, channel FROM outbox WHERE channel <> '' ORDER BY 2");
    assert_eq!(waiting, ["1|a", "1|b"]);
}

#[test]
fn an_attempt_is_written_down_for_its_channel_alone() {
    let mut scratch = moved_and_rotated();
    tell(&mut scratch.ledger, &["a", "b"], 10);
    let ledger = &mut scratch.ledger;
    let due = |ledger: &Ledger, channel: &str, now| {
        let due = ledger.alerts_due(channel, now, 10).unwrap();
        due.iter().map(|entry| (entry.alert.kind, entry.attempts)).collect::<Vec<_>>()
    };
    assert_eq!(due(ledger, "a", at(399)), []);
    let [first, second] = &ledger.alerts_due("a", at(400), 10).unwrap()[..] else { panic!() };
    assert_eq!((first.queued, ledger.alert_planned("a").unwrap()), (at(300), Some(at(400))));
    let again = Next::Again { at: at(450), why: "down".to_owned() };
    ledger.settle_alert(first.id, at(401), &again).unwrap();
    // What was not tried comes first.
    assert_eq!(due(ledger, "a", at(460)), [(Kind::Rotated, 0), (Kind::Moved, 1)]);
    assert_eq!(due(ledger, "a", at(449)), [(Kind::Rotated, 0)]);
    ledger.settle_alert(second.id, at(402), &Next::Delivered).unwrap();
    assert_eq!(ledger.alert_planned("a").unwrap(), Some(at(450)));
    let status = |channel: &str, waiting, delivered, next, error: Option<&str>| ChannelStatus {
        channel: channel.to_owned(),
        waiting,
        delivered,
        given_up: 0,
        next_attempt: Some(at(next)),
        last_error: error.map(str::to_owned),
    };
    let expected = [status("a", 1, 1, 450, Some("down")), status("b", 2, 0, 400, None)];
    assert_eq!(ledger.channels().unwrap(), expected);
    ledger.settle_alert(first.id, at(460), &Next::GivenUp { why: "no".to_owned() }).unwrap();
    assert_eq!((due(ledger, "a", at(9_999)), ledger.alert_planned("a").unwrap()), (vec![], None));
    assert_eq!(due(ledger, "b", at(460)).len(), 2);
    let status = &ledger.channels().unwrap()[0];
    assert_eq!((status.waiting, status.delivered, status.given_up), (0, 1, 1));
    assert_eq!(status.last_error.as_deref(), Some("no"));
}

#[test]
fn an_attempt_planned_by_a_clock_that_was_set_back_is_due() {
    let mut scratch = moved_and_rotated();
    tell(&mut scratch.ledger, &["a"], 1);
    let far = RETRY_AFTER_MAX.as_secs() as i64;
    let due = |now| scratch.ledger.alerts_due("a", now, 10).unwrap().len();
    assert_eq!([due(at(399 - far)), due(at(400 - far)), due(at(399)), due(at(400))], [1, 0, 0, 1]);
    assert!(DELAY_MAX < RETRY_AFTER_MAX);
}
