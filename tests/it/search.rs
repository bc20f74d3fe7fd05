//! `certsweep search` and `show`: what a sweep saw is answered with addresses and dates, and nothing is sent.

use certsweep::lab::CertificateKind;
use serde_json::Value;

use crate::support::{Lab, Workspace, parse};

/// The part of the lab whose addresses show, among others, the two indicators.
fn swept() -> (Lab, Workspace) {
    let (lab, workspace) = Lab::with_workspace();
    workspace.run(&lab.scan_of(format!("{}/28", lab.host(96)))).expect(0);
    (lab, workspace)
}

fn found(workspace: &Workspace, line: &str) -> Vec<Value> {
    parse(&workspace.run(&format!("search --format jsonl {line}")).expect(0).stdout)
}

/// `address: ports`, a line for each row.
fn places(found: &[Value]) -> Vec<String> {
    let place = |row: &Value| format!("{}: {}", row["address"].as_str().unwrap(), row["ports"]);
    found.iter().map(place).collect()
}

#[test]
fn every_way_to_ask_for_a_certificate_finds_where_it_was_seen() {
    let (lab, workspace) = swept();
    let leaf = lab.range.leaf(CertificateKind::IndicatorTwo);
    let (sha1, sha256, spki) =
        (leaf.sha1.to_string(), leaf.sha256.to_string(), leaf.spki_sha256.unwrap().to_string());
    let ports = format!("{:?}", lab.range.ports()).replace(' ', "");
    let expected = [format!("{}: {ports}", lab.host(100))];
    let serial = leaf.description.serial.clone().unwrap();
    let colons: Vec<&str> =
        sha1.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
    for line in [
        sha1.clone(),
        sha1[..9].to_owned(),
        colons.join(":").to_uppercase(),
        format!("sha256:{}", &sha256[..12]),
        format!("spki:{spki}"),
        format!("{sha1} 192.0.2.0/24 {}", lab.host(100)),
        "--name vpn000000002.demo.invalid".to_owned(),
        "--name VPN*2.demo.invalid --tier A".to_owned(),
        format!("--serial {serial} {}", lab.host(100)),
        "--set demo --tier A,B".to_owned(),
        format!("{} --tier A", lab.host(100)),
        format!("{sha1} --since today --until 2999-01-01 --by scans"),
        format!("--indicators demo.toml --tier A {}", lab.host(100)),
    ] {
        assert_eq!(places(&found(&workspace, &line)), expected, "{line}");
    }
    let row = &found(&workspace, &sha1)[0];
    assert_eq!((&row["leaf"]["sha1"], &row["count"]), (&sha1.clone().into(), &4.into()));
    assert_eq!(row["evidence"]["key_proven"], true);
    assert_eq!(row["matches"][0]["indicator"], format!("sha1:{sha1}"));
    assert_eq!(row["seen_by"], serde_json::json!([{"name": "default", "import": false}]));
    for line in [
        format!("{sha1} --port 1"),
        format!("{sha1} --until 2020-01-01"),
        format!("{sha1} --by imports"),
        format!("{sha1} {}", lab.host(99)),
        format!("{sha1} --tier C"),
        "--set other".to_owned(),
        "ffffffffffff".to_owned(),
        "2001:db8::/32".to_owned(),
    ] {
        assert_eq!(found(&workspace, &line), [Value::Null; 0], "{line}");
    }
}

#[test]
fn a_new_report_finds_what_was_seen_before_it_was_written() {
    let (lab, workspace) = Lab::with_workspace();
    let scan = lab.scan_of(format!("{}/28", lab.host(96))).replace("--indicators demo.toml", "");
    workspace.run(&scan).expect(0);
    assert_eq!(found(&workspace, "--tier A"), [Value::Null; 0]);
    let sha1 = lab.range.leaf(CertificateKind::IndicatorTwo).sha1;
    let found = found(&workspace, "--indicators demo.toml --set demo --tier A");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["address"], lab.host(100).to_string());
    assert_eq!(found[0]["matches"][0]["indicator"], format!("sha1:{sha1}"));
    // To the next scan it is news, though the certificate is not.
    let again = lab.scan_of(format!("{}/28", lab.host(96)));
    workspace.run(&format!("{again} --fail-on new")).expect(10);
    workspace.run(&format!("{again} --fail-on new")).expect(0);
}

#[test]
fn a_pivot_says_why() {
    let (lab, workspace) = Lab::with_workspace();
    workspace.run(&lab.scan()).expect(0);
    let seed = lab.range.leaf(CertificateKind::IndicatorOne).sha1.to_string();
    let other = lab.range.leaf(CertificateKind::IndicatorTwo).sha1.to_string();
    let found = found(&workspace, &format!("--pivot {seed} --limit 0"));
    let why = |sha1: &str| {
        let rows = found.iter().filter(|row| row["leaf"]["sha1"] == sha1);
        let mut why: Vec<&Value> = rows.map(|row| &row["why"]).collect();
        why.dedup();
        why.into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(why(&seed), [serde_json::json!([])]);
    assert_eq!(why(&other), [serde_json::json!(["name family vpn#.demo.invalid"])]);
    assert_eq!(found[0]["leaf"]["sha1"], seed);
}

#[test]
fn people_read_a_heading_and_a_row_for_each_address() {
    let (lab, workspace) = swept();
    let leaf = lab.range.leaf(CertificateKind::IndicatorTwo);
    let text = workspace.run(&format!("search {}", leaf.sha1)).expect(0).stdout;
    let begin =
        format!("sha1:{}  vpn000000002[.]demo[.]invalid\nsha256:{}\n", leaf.sha1, leaf.sha256);
    assert!(text.starts_with(&begin), "{text}");
    for part in ["first seen", "last seen", "key proven", "demo / demo-", "\n1 row\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(workspace.run("search ffffffff").expect(0).stdout, "nothing found\n");
    let csv = workspace.run(&format!("search {} --format csv", leaf.sha1)).expect(0).stdout;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let cut = workspace.run(&format!("search {}/28 --limit 1", lab.host(96))).expect(0);
    assert!(cut.stderr.starts_with("only the first 1 are shown"), "{}", cut.stderr);
}

#[test]
fn the_timeline_of_an_address_is_told_port_by_port() {
    let (lab, workspace) = swept();
    workspace.run(&lab.scan_of(lab.host(100))).expect(0);
    let host = lab.host(100);
    let leaf = lab.range.leaf(CertificateKind::IndicatorTwo);
    let port = lab.range.ports()[1];
    let told = workspace.run(&format!("show {host}:{port} --format jsonl")).expect(0).stdout;
    let told = parse(&told);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["port"], &told[0]["visits"]), (&port.into(), &2.into()));
    assert_eq!(told[0]["leaf"]["sha1"], leaf.sha1.to_string());
    assert_ne!(told[0]["first_scan"], told[0]["last_scan"]);
    let text = workspace.run(&format!("show {host}")).expect(0).stdout;
    let ports = lab.range.ports().map(|port| format!("\nport {port}\n"));
    assert!(ports.iter().all(|port| text.contains(port.as_str())), "{text}");
    let pem = workspace.run(&format!("show {host} --format pem")).expect(0).stdout;
    assert_eq!(pem.matches("-----BEGIN CERTIFICATE-----").count(), 1, "{pem}");
    let unknown = workspace.run("show 192.0.2.1").expect(0).stdout;
    assert_eq!(unknown, "192.0.2[.]1\n\nnothing is remembered of it\n");
}

#[test]
fn what_cannot_be_asked_is_told_in_one_line() {
    let workspace = Workspace::new();
    for (line, exit, message) in [
        (
            "search 7992c0a8",
            4,
            "ledger.db does not exist; check --store, or run a scan that writes it\n",
        ),
        ("search 79", 2, "'79' has 2 hex digits: expected 4 to 64 of them"),
        ("show sedns.cn", 2, "'sedns.cn' is no address such as 192.0.2.1"),
        ("search --since soon", 2, "--since: 'soon' is no moment: expected a day (2026-11-24)"),
    ] {
        let finished = workspace.run(line).expect(exit);
        assert!(finished.stderr.contains(message), "{line}: {}", finished.stderr);
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    }
}
