//! Every target of the lab is seen as what it is: by any order, at any concurrency, in any parts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use certsweep::domain::address::Target;
use certsweep::domain::fingerprint::Fingerprint;
use certsweep::lab::{Behaviour, CertificateKind};
use certsweep::store::{Ledger, Summary};

use crate::support::{
    Finished, Lab, Running, Table, Workspace, assert_same, observations, parse, query, table,
};

/// Sweeps the whole lab and compares every target with the lab's own table.
fn the_table_is_met(seed: u64, concurrency: usize) {
    let (lab, workspace) = Lab::with_workspace();
    let line = format!("{} --seed {seed} --concurrency {concurrency}", lab.scan());
    let sweep = workspace.run(&line).expect(0);
    assert_same(&table(&sweep.stdout), &lab.table());
}

#[test]
fn two_at_a_time() {
    the_table_is_met(1, 2);
}

#[test]
fn sixteen_at_a_time() {
    the_table_is_met(u64::MAX, 16);
}

#[test]
fn a_hundred_and_twenty_eight_at_a_time() {
    the_table_is_met(0, 128);
}

#[test]
fn a_thousand_at_a_time() {
    the_table_is_met(20_261_124, 1_000);
}

/// Our own client sees what the lab says that it must, and waits for no proof.
#[test]
fn stopping_at_the_certificate_the_table_is_the_same_up_to_there() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan().replace("--handshake full", "--handshake leaf");
    let sweep = workspace.run(&line).expect(0);
    assert_same(&table(&sweep.stdout), &lab.table_of(Behaviour::expected_of_leaf));
    let records = parse(&sweep.stdout);
    let attempts = records.iter().filter_map(|record| record["attempts"][0]["client"].as_str());
    assert!(attempts.clone().all(|client| client == "own"));
    assert_eq!(attempts.count(), 1024);
}

/// By default only matches are worth a completed handshake, and a refusal a second offer.
#[test]
fn matches_are_confirmed_and_refusals_asked_again() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan().replace("--handshake full", "--handshake auto");
    let sweep = workspace.run(&line).expect(0);
    assert_same(&table(&sweep.stdout), &lab.table_of(Behaviour::expected_of_auto));
    for record in parse(&sweep.stdout).iter().filter(|record| record["type"] == "observation") {
        let attempts: Vec<_> = record["attempts"].as_array().unwrap().iter().collect();
        let attempts: Vec<_> = attempts.iter().map(|one| one["offer"].as_str().unwrap()).collect();
        let matches = !record["matches"].as_array().unwrap().is_empty();
        let suite = record["tls"]["cipher_suite"].as_str().unwrap_or_default();
        let is_modern = suite.starts_with("TLS_AES_") || suite.starts_with("TLS_ECDHE_");
        let finished = &record["evidence"]["handshake_finished"] == true;
        let expected: &[&str] = match record["outcome"].as_str().unwrap() {
            "certificate" if matches && finished => &["universal", "tls12-tls13"],
            "certificate" if matches && is_modern => {
                &["universal", "tls12-tls13", "universal-finish"]
            }
            "certificate" if matches => &["universal", "universal-finish"],
            "alert" => &["universal", "modern", "tls12"],
            "closed" => &["universal", "modern"],
            _ => &["universal"],
        };
        assert_eq!(attempts, expected, "{record}");
    }
}

/// The relay has no key and shows one proven: a proof is of a holder who took part, not of an address.
#[test]
fn a_relay_passes_a_real_proof_on() {
    let (lab, workspace) = Lab::with_workspace();
    let relay = lab.range.expected().find(|(_, what)| *what == Behaviour::Relay).unwrap().0;
    for mode in ["full", "leaf", "auto"] {
        let line = lab.scan_of(format!("{} {}", lab.host(17), relay.address));
        let line = line.replace("--handshake full", &format!("--handshake {mode}"));
        let seen = table(&workspace.run(&line).expect(0).stdout);
        let owner = seen.get(&Target::new(lab.host(17).into(), relay.port)).unwrap();
        assert_eq!(seen.get(&relay), Some(owner), "{mode}");
        let proven = (mode != "leaf").then_some(true);
        assert_eq!((owner.key_proven, owner.matches.len()), (proven, 1), "{mode}");
    }
}

/// One silent host and one that stalls, each of which costs its whole timeout.
#[test]
fn one_at_a_time() {
    const HOSTS: [u8; 16] = [1, 17, 33, 49, 65, 77, 81, 97, 100, 112, 120, 128, 140, 150, 160, 255];
    let (lab, workspace) = Lab::with_workspace();
    let list = HOSTS.iter().fold(String::new(), |mut list, octet| {
        writeln!(list, "{}", lab.host(*octet)).unwrap();
        list
    });
    workspace.write("some.txt", list);
    let line = format!("{} --targets some.txt --concurrency 1", lab.scan());
    let sweep = workspace.run(&line.replace("--timeout 3", "--timeout 1")).expect(0);
    let named = HOSTS.map(|octet| lab.host(octet));
    let mut expected = lab.table();
    expected.retain(|target, _| named.iter().any(|host| target.address == *host));
    assert_eq!(expected.len(), 64);
    assert_same(&table(&sweep.stdout), &expected);
}

#[test]
fn the_same_seed_visits_in_the_same_order() {
    let (lab, workspace) = Lab::with_workspace();
    let order = |seed| {
        let range = format!("{}/28", lab.host(0));
        let line = format!("{} --seed {seed} --concurrency 1", lab.scan_of(range));
        let sweep = workspace.run(&line).expect(0);
        observations(&sweep.stdout).into_iter().map(|(target, _)| target).collect::<Vec<_>>()
    };
    let first = order(5);
    assert_eq!(first.len(), 64);
    assert_eq!(order(5), first);
    assert_ne!(order(6), first);
}

/// A shard is made of whole /24, so that it takes several labs to have something in each.
#[test]
fn three_shards_at_once_are_the_whole_once() {
    let labs = [Lab::start(), Lab::start(), Lab::start()];
    let workspace = Workspace::new();
    let line = scan_of_all(&labs, &workspace);
    let shards: Vec<Running> =
        (1..=3).map(|part| workspace.start(&format!("{line} --shard {part}/3"))).collect();
    let mut seen = Table::new();
    for shard in shards {
        let shard = table(&shard.finish().expect(0).stdout);
        assert_eq!(shard.len(), 1_024);
        for (target, row) in shard {
            assert_eq!(seen.insert(target, row), None, "{target} is in two shards");
        }
    }
    assert_same(&seen, &labs.iter().flat_map(Lab::table).collect());
    let shards = query(&workspace.ledger(), "SELECT shard, complete FROM scans ORDER BY shard");
    assert_eq!(shards, ["1/3 1", "2/3 1", "3/3 1"]);
}

/// The arguments for a sweep of all `labs` with the same seed, each with its own indicator set.
fn scan_of_all(labs: &[Lab; 3], workspace: &Workspace) -> String {
    let mut line = format!(
        "scan --ports {} --handshake full --format jsonl --timeout 3 --seed 9",
        labs[0].ports()
    );
    for (number, lab) in labs.iter().enumerate() {
        assert_eq!(lab.range.ports(), labs[0].range.ports());
        let set = lab.range.indicator_set_toml().replace("\"demo\"", &format!("\"demo-{number}\""));
        workspace.write(&format!("{number}.toml"), set);
        write!(line, " {} --indicators {number}.toml", lab.range.network()).unwrap();
    }
    line
}

#[test]
fn shards_of_one_prefix_are_the_prefix_and_nothing() {
    let (lab, workspace) = Lab::with_workspace();
    let line = lab.scan_of(format!("{}/27", lab.host(0)));
    let sizes = (1..=3).map(|part| {
        let shard = workspace.run(&format!("{line} --seed 4 --shard {part}/3")).expect(0);
        table(&shard.stdout).len()
    });
    let mut sizes: Vec<usize> = sizes.collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [0, 0, 128]);
}

#[test]
fn the_records_around_the_observations_say_what_was_done() {
    let (lab, workspace) = Lab::with_workspace();
    let sweep = workspace.run(&format!("{} --seed 11", lab.scan())).expect(0);
    let records = parse(&sweep.stdout);
    let (first, last) = (&records[0], records.last().unwrap());
    assert_eq!(records.len(), 1_026);
    assert_eq!((&first["type"], &first["event"]), (&"scan".into(), &"started".into()));
    assert_eq!((&last["type"], &last["event"]), (&"scan".into(), &"ended".into()));
    assert_eq!((&first["seed"], &first["positions"]), (&11.into(), &1_024.into()));
    assert_eq!((&last["complete"], &last["faults"]), (&true.into(), &0.into()));
    assert_eq!(last["matched"], lab.matching().len());
    let counts: BTreeMap<String, u64> = serde_json::from_value(last["outcomes"].clone()).unwrap();
    assert_eq!(counts, outcomes(&lab));
    let id = sweep.scan();
    assert!(records.iter().all(|record| record["scan"] == id.as_str()));
}

/// How many targets of the lab end with each outcome.
fn outcomes(lab: &Lab) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in lab.table().into_values() {
        *counts.entry(row.outcome).or_default() += 1;
    }
    counts
}

#[test]
fn the_ledger_remembers_where_each_certificate_was() {
    let (lab, workspace) = Lab::with_workspace();
    let sweep = workspace.run(&lab.scan()).expect(0);
    let ledger = Ledger::open_read_only(&workspace.ledger()).unwrap();
    let mut endpoints = 0;
    for kind in CertificateKind::ALL {
        let leaf = lab.range.leaf(kind);
        let places = places(&lab, kind);
        for fingerprint in [Fingerprint::Sha1(leaf.sha1), Fingerprint::Sha256(leaf.sha256)] {
            let sightings = ledger.endpoints_of(&fingerprint).unwrap();
            let seen = sightings.iter().map(|seen| (seen.target, seen.key_proven, seen.count));
            assert_eq!(seen.collect::<Vec<_>>(), places, "{kind:?}");
        }
        endpoints += places.len() as u64;
    }
    let shown = |kind: &CertificateKind| !places(&lab, *kind).is_empty();
    let certificates = CertificateKind::ALL.iter().filter(|kind| shown(kind)).count() as u64;
    let summary = Summary { certificates, endpoints, sightings: endpoints, scans: 1 };
    assert_eq!(ledger.summary().unwrap(), summary);
    the_findings_are_the_matches(&lab, &ledger, &sweep);
}

/// Where the lab shows `kind`, whether the key is proven there, and the one visit.
fn places(lab: &Lab, kind: CertificateKind) -> Vec<(Target, Option<bool>, u64)> {
    let shown = lab.range.expected().filter_map(|(target, behaviour)| {
        let expected = behaviour.expected();
        (expected.leaf == Some(kind)).then_some((target, expected.key_proven, 1))
    });
    let mut places: Vec<_> = shown.collect();
    places.sort_unstable();
    places
}

fn the_findings_are_the_matches(lab: &Lab, ledger: &Ledger, sweep: &Finished) {
    let findings = ledger.findings(&sweep.scan(), 1_000).unwrap();
    assert_eq!(findings.total, lab.matching().len() as u64);
    let mut targets: Vec<Target> = findings.shown.iter().map(|found| found.target).collect();
    targets.sort_unstable();
    assert_eq!(targets, lab.matching());
    let behaviours: BTreeMap<Target, Behaviour> = lab.range.expected().collect();
    for found in &findings.shown {
        let expected = lab.row(behaviours[&found.target]);
        assert_eq!((found.tier.as_str(), found.set.as_str()), ("A", "demo"));
        assert_eq!(expected.matches, [found.indicator.as_str()]);
        assert_eq!(found.evidence.key_proven, expected.key_proven);
        assert_eq!(found.evidence.handshake_finished, expected.handshake_finished);
    }
    let first = ledger.findings(&sweep.scan(), 2).unwrap();
    assert_eq!((first.total, &first.shown[..]), (findings.total, &findings.shown[..2]));
}
