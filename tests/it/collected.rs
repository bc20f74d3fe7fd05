//! `certsweep match`: what others collected, looked up among the indicators.

use std::io::Write;

use certsweep::lab::CertificateKind;
use serde_json::Value;

use crate::support::{Lab, Workspace, parse, query};

/// Named by the built-in set.
const NAMED: &str = "7992c0a816246b287d991c4ecf68f2d32e4bca18";
const OTHER: &str = "0000000000000000000000000000000000000001";

/// A line of tlsx.
fn tlsx(address: &str, sha1: &str) -> String {
    format!(
        "{{\"timestamp\":\"2026-11-24T02:18:24Z\",\"host\":\"{address}\",\"port\":\"5555\",\"probe_status\":true,\
         \"fingerprint_hash\":{{\"sha1\":\"{sha1}\"}}}}\n"
    )
}

/// `address port tier indicator` of every match.
fn matches(records: &[Value]) -> Vec<String> {
    let collected = records.iter().filter(|record| record["type"] == "collected");
    let spelt = |record: &Value| {
        let found = record["matches"].as_array().unwrap().iter();
        let found = found.map(|found| format!("{} {}", found["tier"], found["indicator"]));
        format!("{} {} {}", record["address"], record["port"], found.collect::<Vec<_>>().join(" "))
            .replace('"', "")
    };
    collected.map(spelt).collect()
}

/// What own scans saw is not touched, and a file that is read twice is remembered once.
#[test]
fn what_is_read_is_remembered_apart_from_own_scans() {
    let (lab, workspace) = Lab::with_workspace();
    workspace.run(&lab.scan_of(format!("{}/31", lab.host(100)))).expect(0);
    let own = "SELECT * FROM visit ORDER BY 1, 2, 3";
    let (visits, pending) = (
        query(&workspace.ledger(), own),
        query(&workspace.ledger(), "SELECT count(*) FROM pending_place"),
    );
    let text = [tlsx("192.0.2.1", OTHER), tlsx("192.0.2.2", NAMED)].concat();
    workspace.write("t.json", &text);
    for _ in 0..2 {
        workspace.run("match t.json --as friends").expect(0);
        let kept = "SELECT address, port, sha1, sha256, count, first_seen, vantage FROM sightings \
                    WHERE vantage = 'friends' ORDER BY address";
        let time = "2026-11-24T02:18:24.000Z friends";
        assert_eq!(
            query(&workspace.ledger(), kept),
            [
                format!("192.0.2.1 5555 {OTHER} - 1 {time}"),
                format!("192.0.2.2 5555 {NAMED} - 1 {time}")
            ]
        );
        let files = "SELECT path, format, records, refused FROM import";
        assert_eq!(query(&workspace.ledger(), files), ["t.json tlsx 2 0"]);
        assert_eq!(query(&workspace.ledger(), "SELECT count(*) FROM import_certificate"), ["2"]);
    }
    assert_eq!(query(&workspace.ledger(), own), visits);
    assert_eq!(query(&workspace.ledger(), "SELECT count(*) FROM pending_place"), pending);
    assert_eq!(
        query(&workspace.ledger(), "SELECT count(*) FROM transition WHERE vantage_id > 1"),
        ["0"]
    );
    let found =
        parse(&workspace.run("search --tier A --by imports --format jsonl").expect(0).stdout);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["address"], &found[0]["leaf"]["sha1"]),
        (&"192.0.2.2".into(), &NAMED.into())
    );
    assert_eq!(found[0]["matches"][0]["label"], "vpn437972693.sednc.cn");
    assert_eq!(found[0]["evidence"]["presented"], false);
    let text = workspace.run(&format!("search {NAMED}")).expect(0).stdout;
    assert!(text.contains("as collected") && text.contains("friends (import)"), "{text}");
    workspace.run("match t.json --dry-run --store other.db").expect(0);
    assert!(!workspace.path("other.db").exists());
}

/// A certificate in a file of its own has neither place nor time, and is found all the same.
#[test]
fn a_certificate_without_a_place_is_remembered_without_one() {
    let (lab, workspace) = Lab::with_workspace();
    let leaf = lab.range.leaf(CertificateKind::IndicatorOne);
    workspace.write("leaf.der", &leaf.der);
    workspace.run("match leaf.der --indicators demo.toml").expect(0);
    let line = format!("search {} --format jsonl", &leaf.sha256.to_string()[..16]);
    let found = parse(&workspace.run(&line).expect(0).stdout);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["address"], &found[0]["count"]), (&Value::Null, &0.into()));
    assert_eq!(found[0]["seen_by"], serde_json::json!([{"name": "der", "import": true}]));
}

#[test]
fn what_matches_is_printed_and_all_is_counted() {
    let workspace = Workspace::new();
    let text =
        [tlsx("192.0.2.1", OTHER), tlsx("192.0.2.2", NAMED), tlsx("192.0.2", NAMED)].concat();
    workspace.write("t.json", &text);
    let done = workspace.run("match t.json --format jsonl --as friends --fail-on exact").expect(10);
    let records = parse(&done.stdout);
    assert_eq!(matches(&records), [format!("192.0.2.2 5555 A sha1:{NAMED}")]);
    let found = &records[0];
    assert_eq!((&found["vantage"], &found["format"]), (&"friends".into(), &"tlsx".into()));
    assert_eq!((&found["file"], &found["line"]), (&"t.json".into(), &2.into()));
    assert_eq!(found["evidence"], "reported by others");
    assert_eq!(found["matches"][0]["label"], "vpn437972693.sednc.cn");
    let end = records.last().unwrap();
    assert_eq!(
        (&end["certificates"], &end["refused"], &end["files"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert_eq!(end["matched_by_tier"]["A"], 1);
    assert!(
        done.stderr.starts_with("t.json:3:45: '192.0.2' is no IP address\n"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_report_is_grouped_and_defanged() {
    let workspace = Workspace::new();
    let text = [tlsx("192.0.2.2", NAMED), tlsx("45.204.1.248", NAMED)].concat();
    let report = workspace.run_with_input("match -", &text).expect(0);
    let lines: Vec<&str> = report.stdout.lines().collect();
    assert_eq!(lines[0], "2 matches reported by others: a copy proves nothing, look for yourself");
    let heading = format!(
        "tier A  sha1:{NAMED}  vpn437972693[.]sednc[.]cn  flax-typhoon / microsoft-2023-08-24"
    );
    assert_eq!(lines.iter().filter(|line| **line == heading).count(), 1, "{}", report.stdout);
    assert!(report.stdout.contains("192.0.2[.]2 port 5555"), "{}", report.stdout);
    assert!(report.stdout.contains("tlsx (<stdin>), line 2"), "{}", report.stdout);
    assert!(report.stdout.contains("flax-typhoon / microsoft-2023-08-24"));
    assert!(!report.stdout.contains("45.204.1.248"));
    assert_eq!(report.stderr, "1 file, 2 certificates; nothing was sent\n");
}

#[test]
fn csv_has_a_header_and_a_row_for_each() {
    let workspace = Workspace::new();
    workspace.write("t.json", tlsx("192.0.2.2", NAMED));
    let csv = workspace.run("match t.json --format csv").expect(0).stdout;
    let row = format!(
        "2026-11-24T02:18:24.000Z,tlsx,192.0.2.2,5555,,{NAMED},,,,,A/flax-typhoon/sha1:{NAMED},,tlsx,t.json,1"
    );
    let header = "time,vantage,address,port,server_name,sha1,sha256,subject,not_before,not_after,matches,guesses,\
                  format,file,line";
    assert_eq!(csv.lines().collect::<Vec<_>>(), [header, &row]);
    workspace.write("none.json", tlsx("192.0.2.2", OTHER));
    let csv = workspace.run("match none.json --format csv --fail-on any").expect(0).stdout;
    assert_eq!(csv.lines().collect::<Vec<_>>(), [header]);
}

#[test]
fn bad_lines_are_told_ten_times_and_counted_always() {
    let workspace = Workspace::new();
    let bad = "{\"host\":\"x\",\"probe_status\":true,\"ip\":\"192.0.2\"}\n".repeat(50);
    workspace.write("t.json", tlsx("192.0.2.2", NAMED) + &bad + &tlsx("192.0.2.3", NAMED));
    let done = workspace.run("match t.json --format jsonl").expect(0);
    let said: Vec<&str> = done.stderr.lines().collect();
    assert_eq!(said.len(), 12, "{}", done.stderr);
    assert_eq!(said[0], "t.json:2:39: '192.0.2' is no IP address");
    assert_eq!(said[9], "t.json:11:39: '192.0.2' is no IP address");
    assert_eq!(said[10], "and more like these, which are counted");
    assert_eq!(said[11], "1 file, 2 certificates, 50 lines refused; nothing was sent");
    assert_eq!(parse(&done.stdout).last().unwrap()["refused"], 50);
    workspace.write("bad.json", &bad);
    let refused = workspace.run("match bad.json").expect(2);
    assert_eq!(refused.stderr.lines().last(), Some("certsweep: no certificate could be read"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_read() {
    let workspace = Workspace::new();
    workspace.write("t.json", tlsx("192.0.2.2", NAMED));
    workspace.write("text", "hello\n");
    let done = workspace.run("match nowhere text t.json").expect(0);
    let known = "pem, der, own, zgrab2, tlsx, masscan, zeek, suricata, censys, shodan";
    assert_eq!(
        done.stderr.lines().collect::<Vec<_>>(),
        [
            "cannot read nowhere: No such file or directory (os error 2)",
            &format!("text: no known format ({known})"),
            "1 file, 1 certificate, 2 files unreadable; nothing was sent",
        ]
    );
    workspace.run("match nowhere").expect(2);
    let unknown = workspace.run("match t.json --from nmap").expect(2);
    assert!(unknown.stderr.contains("[possible values: pem, der, own,"), "{}", unknown.stderr);
}

#[test]
fn a_folder_is_read_whole_and_zeek_is_joined() {
    let workspace = Workspace::new();
    std::fs::create_dir_all(workspace.path("all/zeek")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(tlsx("192.0.2.2", NAMED).as_bytes()).unwrap();
    workspace.write("all/t.json.gz", packed.finish().unwrap());
    workspace.write("all/README", "what this is\n");
    workspace.write(
        "all/zeek/ssl.log",
        "#fields\tts\tid.resp_h\tid.resp_p\tcert_chain_fuids\n1\t192.0.2.3\t443\tFa\n",
    );
    workspace.write("all/zeek/x509.log", format!("#fields\tts\tid\tfingerprint\n1\tFa\t{NAMED}\n"));
    let done = workspace.run("match all --format jsonl").expect(0);
    let expected =
        ["192.0.2.2 5555", "192.0.2.3 443"].map(|place| format!("{place} A sha1:{NAMED}"));
    assert_eq!(matches(&parse(&done.stdout)), expected);
    let summary = "3 files, 2 certificates, 1 file of no known format; nothing was sent\n";
    assert_eq!(done.stderr, summary);
}

#[test]
fn records_of_a_scan_match_as_the_scan_did() {
    let (lab, workspace) = Lab::with_workspace();
    let scanned = workspace.run(&lab.scan_of(lab.host(17))).expect(0).stdout;
    let scanned_matches = |record: &&Value| {
        record["type"] == "observation" && !record["matches"].as_array().unwrap().is_empty()
    };
    let records = parse(&scanned);
    let expected: Vec<_> =
        records.iter().filter(scanned_matches).map(|record| &record["matches"]).collect();
    assert!(!expected.is_empty());
    workspace.write("run.jsonl", &scanned);
    let again = workspace.run("match run.jsonl --indicators demo.toml --format jsonl").expect(0);
    let again = parse(&again.stdout);
    let found: Vec<_> =
        again.iter().map(|record| &record["matches"]).take(expected.len()).collect();
    assert_eq!(found, expected);
    assert_eq!(again.len(), expected.len() + 1);
    // The same certificate as a file.
    workspace.write("leaf.der", &lab.range.leaf(CertificateKind::IndicatorOne).der);
    let der = workspace.run("match leaf.der --indicators demo.toml --fail-on match").expect(10);
    assert!(der.stdout.starts_with("1 match reported by others"), "{}", der.stdout);
}
