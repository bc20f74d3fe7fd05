//! The views show text where the tables hold numbers and bytes.

use super::*;
use crate::domain::softether::SoftetherServer;
use crate::domain::tls::Request;

const SOFTETHER: &str = include_str!("../../domain/cert/softether-default.pem");

#[test]
fn sightings_are_told_in_text() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let der = x509_parser::pem::parse_x509_pem(SOFTETHER.as_bytes()).unwrap().1.contents;
    let softether = Leaf::new(der);
    scratch.record("one", &[seen("192.0.2.1", 0, softether.clone())]).unwrap();
    scratch.ledger.begin_scan(&scan("two"), &[]).unwrap();
    scratch.record("two", &[seen("192.0.2.1", 60, softether.clone())]).unwrap();
    assert_eq!(
        scratch.query("SELECT * FROM sightings"),
        [format!(
            "192.0.2.1|443|NULL|{}|{}|CN=vm, O=vm, OU=vm, C=US|vm|\
             2026-11-24T02:18:24.512Z|2026-11-24T02:19:24.512Z|2|1|lab",
            softether.sha1, softether.sha256
        )]
    );
    let columns = "names, serial, not_after, key, self_signed, softether_default, parse_error";
    assert_eq!(
        scratch.query(&format!("SELECT {columns} FROM certificate")),
        ["[]|00|2145838704000000|RSA-2048|1|1|NULL"]
    );
}

#[test]
fn matches_are_told_in_text() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let leaf = leaf("listed");
    let named = ServerName::new("a.example").ok();
    let matches = vec![listed()];
    let visit = Observation { server_name: named, matches, ..seen("192.0.2.1", 0, leaf.clone()) };
    scratch.record("one", &[visit]).unwrap();
    assert_eq!(
        scratch.query("SELECT * FROM matches"),
        [format!(
            "raptor|A|sha1:{}|CN=listed|report|192.0.2.1|443|a.example|{}|{}|1|1|\
             2026-11-24T02:18:24.512Z|one",
            leaf.sha1, leaf.sha1, leaf.sha256
        )]
    );
}

#[test]
fn softether_servers_are_told_in_text_and_once_a_visit() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let leaf = leaf("leaf");
    let visit = |product: &str, version| {
        let server = SoftetherServer { product: product.to_owned(), version, build: Some(9674) };
        let mut seen = seen("192.0.2.1", 0, leaf.clone());
        seen.attempts[0].request = Some(Request::Softether(seen.target));
        Observation { softether_server: Some(server), ..seen }
    };
    let told = |product: &str, version: &str| {
        let (sha1, time) = (leaf.sha1, "2026-11-24T02:18:24.512Z");
        [format!("192.0.2.1|443|NULL|{product}|{version}|9674|{sha1}|{time}|one")]
    };
    scratch.record("one", &[visit("SoftEther", Some(501))]).unwrap();
    assert_eq!(scratch.query("SELECT * FROM softether_servers"), told("SoftEther", "501"));
    // A scan that is resumed may repeat the visit.
    scratch.record("one", &[visit("Other", None)]).unwrap();
    assert_eq!(scratch.query("SELECT * FROM softether_servers"), told("Other", "NULL"));
    assert_eq!(scratch.query("SELECT request FROM attempt"), ["softether"]);
    scratch.record("one", &[seen("192.0.2.1", 0, leaf.clone())]).unwrap();
    assert_eq!(scratch.query("SELECT * FROM softether_servers"), [""; 0]);
    assert_eq!(scratch.query("SELECT request FROM attempt"), ["NULL"]);
}

#[test]
fn scans_are_told_in_text() {
    let mut scratch = Scratch::with_scans(&["one"]);
    let mut counts = Counts::default();
    counts.add_word("silent", 3);
    counts.add_word("reset", 4);
    let coverage = Coverage::default();
    let batch = Batch {
        faults: &[],
        scan: "one",
        observations: &[],
        coverage: &coverage,
        counts: &counts,
        renewal: None,
    };
    scratch.ledger.record(&batch).unwrap();
    let row = |ended: &str, complete| {
        let plan = scan("one").plan_hash;
        let start = "2026-11-24T02:18:24.512Z";
        [format!("one|lab|{plan}|2/8|lab|0.1.0|{start}|{ended}|{complete}|510|7|0|0")]
    };
    assert_eq!(scratch.query("SELECT * FROM scans"), row("NULL", 0));
    scratch.ledger.finish_scan("one", Timestamp::from_micros(T0 + 1_000_000), true).unwrap();
    assert_eq!(scratch.query("SELECT * FROM scans"), row("2026-11-24T02:18:25.512Z", 1));
}
