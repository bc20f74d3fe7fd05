//! A VPN server whose certificate a report names, and then another.

use std::collections::BTreeSet;
use std::net::IpAddr;

use certsweep::domain::fingerprint::Fingerprint;
use certsweep::store::{Ledger, Sighting};
use serde_json::{Value, json};

use super::program::{Ran, indicator_set, scan};
use super::sandbox::{CERTSWEEP, Sandbox};
use super::softether::{ADDRESS, PORTS, Server};

const STORE: &str = "/mnt/ledger.db";

#[test]
fn a_softether_server_is_found_by_its_certificate_and_again_by_its_next() {
    let sandbox = &Sandbox::new();
    let server = Server::start(sandbox);
    let first = server.sha1();

    let set = sandbox.write("first.toml", &indicator_set("report", &[&first]));
    let ran = sweep(sandbox, &set);
    for observation in found_on_all_ports(&ran, &first) {
        assert_eq!(observation["leaf"]["softether_default"], true, "{observation}");
        assert_eq!(observation["leaf"]["self_signed"], true, "{observation}");
        assert_eq!(observation["leaf"]["serial"], "00", "{observation}");
        assert_eq!(observation["leaf"]["parse_error"], Value::Null, "{observation}");
    }

    let second = server.replace_certificate();
    assert_ne!(first, second);
    assert_eq!(server.sha1(), second, "the server did not take its new certificate");
    let set = sandbox.write("both.toml", &indicator_set("report", &[&first, &second]));
    let ran = sweep(sandbox, &set);
    for observation in found_on_all_ports(&ran, &second) {
        assert_eq!(observation["leaf"]["softether_default"], false, "{observation}");
        assert_eq!(observation["leaf"]["common_name"], "replaced.example", "{observation}");
    }

    assert_eq!(remembered(sandbox, &first), endpoints());
    assert_eq!(remembered(sandbox, &second), endpoints());
}

/// Three nights of a job: the certificate of a report is new, gives way to another, and that is told once.
#[test]
fn a_softether_server_that_changes_its_certificate_is_told_of_once() {
    let sandbox = &Sandbox::new();
    let server = Server::start(sandbox);
    let first = server.sha1();
    let set = sandbox.write("first.toml", &indicator_set("report", &[&first]));
    let scope = sandbox.write(
        "scope.toml",
        "name = \"vpn\"\ninclude = [\"127.0.0.0/28\"]\nports = [\"softether\"]\n",
    );
    let settings = sandbox.write(
        "certsweep.toml",
        &format!(
            "[[alert]]\nname = \"log\"\nfile = \"alerts.jsonl\"\n\
             [[job]]\nname = \"nightly\"\nscope = \"{scope}\"\nindicators = [\"{set}\"]\n"
        ),
    );
    let night = || {
        let arguments = ["watch", "--once", "nightly", "--config", &settings, "--store", STORE];
        Ran::from(sandbox.run(CERTSWEEP, arguments)).exited(0);
        let told = std::fs::read_to_string(sandbox.outside("alerts.jsonl")).unwrap();
        let told = told.lines().map(|line| serde_json::from_str(line).unwrap());
        let told: Vec<Value> = told.collect();
        told
    };
    let is = |alert: &Value, kind: &str, leaf: &str, previous: Option<&str>| {
        assert_eq!(alert["kind"], kind, "{alert}");
        assert_eq!(alert["job"], "nightly", "{alert}");
        assert_eq!(alert["leaf"]["sha1"], leaf, "{alert}");
        assert_eq!(alert["previous"]["sha1"].as_str(), previous, "{alert}");
        assert_eq!(alert["matches"][0]["indicator"], format!("sha1:{first}"), "{alert}");
    };
    let told = night();
    assert_eq!(told.iter().map(target).collect::<BTreeSet<_>>(), endpoints());
    assert_eq!(told.len(), PORTS.len());
    told.iter().for_each(|alert| is(alert, "new", &first, None));

    let second = server.replace_certificate();
    assert_eq!(server.sha1(), second, "the server did not take its new certificate");
    let told = night();
    assert_eq!(told.len(), 2 * PORTS.len());
    let rotated = &told[PORTS.len()..];
    assert_eq!(rotated.iter().map(target).collect::<BTreeSet<_>>(), endpoints());
    rotated.iter().for_each(|alert| is(alert, "rotated", &second, Some(&first)));
    assert_eq!(night().len(), told.len(), "what was told is not told again");

    let arguments = ["search", &first, "--format", "jsonl", "--store", STORE];
    let found = Ran::from(sandbox.run(CERTSWEEP, arguments)).exited(0);
    let found: Value = serde_json::from_str(found.stdout.trim()).unwrap();
    assert_eq!((&found["address"], &found["count"]), (&ADDRESS.to_string().into(), &4.into()));
    let arguments = ["diff", "--since", "today", "--format", "jsonl", "--store", STORE];
    let told = Ran::from(sandbox.run(CERTSWEEP, arguments)).exited(0);
    let what: Vec<Value> =
        told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |word: &str| what.iter().filter(|row| row["what"] == word).count();
    assert_eq!((count("new"), count("rotated"), what.len()), (4, 4, 8), "{}", told.stdout);
}

/// Loopback's first sixteen addresses, on the ports that are asked by default.
fn sweep(sandbox: &Sandbox, set: &str) -> Ran {
    scan(sandbox, STORE, &["127.0.0.0/28", "--indicators", set]).exited(0)
}

/// The visits that found `sha1`; all others must have been refused.
#[track_caller]
fn found_on_all_ports(ran: &Ran, sha1: &str) -> Vec<Value> {
    let observations = ran.observations();
    assert_eq!(observations.len(), 16 * PORTS.len());
    let (found, others): (Vec<_>, Vec<_>) =
        observations.into_iter().partition(|observation| observation["outcome"] == "certificate");
    for other in others {
        assert_eq!(other["outcome"], "refused", "{other}");
        assert_eq!(other["matches"], json!([]), "{other}");
    }
    assert_eq!(found.iter().map(target).collect::<BTreeSet<_>>(), endpoints());
    assert_eq!(found.len(), PORTS.len());
    for observation in &found {
        let evidence = json!({ "presented": true, "key_proven": true, "unproven": null, "handshake_finished": true });
        assert_eq!(observation["evidence"], evidence, "{observation}");
        assert_eq!(observation["ended"], Value::Null, "{observation}");
        assert_eq!(observation["leaf"]["sha1"], sha1, "{observation}");
        let [matched] = &observation["matches"].as_array().unwrap()[..] else {
            panic!("not one match: {observation}");
        };
        assert_eq!(matched["tier"], "A", "{observation}");
        assert_eq!(matched["set"], "report", "{observation}");
        assert_eq!(matched["indicator"], format!("sha1:{sha1}"), "{observation}");
    }
    found
}

fn target(observation: &Value) -> (IpAddr, u16) {
    let address = observation["address"].as_str().unwrap().parse().unwrap();
    (address, observation["port"].as_u64().unwrap().try_into().unwrap())
}

fn endpoints() -> BTreeSet<(IpAddr, u16)> {
    PORTS.iter().map(|port| (ADDRESS.into(), *port)).collect()
}

/// Where the ledger says that the certificate was seen, once each and with its key proven.
fn remembered(sandbox: &Sandbox, sha1: &str) -> BTreeSet<(IpAddr, u16)> {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("ledger.db");
    std::fs::copy(sandbox.outside("ledger.db"), &path).unwrap();
    let fingerprint: Fingerprint = format!("sha1:{sha1}").parse().unwrap();
    let sightings = Ledger::open_read_only(&path).unwrap().endpoints_of(&fingerprint).unwrap();
    let proven = sightings.iter().all(|seen| seen.count == 1 && seen.key_proven == Some(true));
    assert!(proven, "{sightings:?}");
    sightings.into_iter().map(|Sighting { target, .. }| (target.address, target.port)).collect()
}
