//! Tiers A to E: one leaf can be exact, the same key, a name, a profile and a template, and each is told apart.

use std::collections::BTreeMap;

use certsweep::lab::CertificateKind;
use serde_json::{Value, json};

use crate::support::{Lab, Workspace, parse, query};

const HEAD: &str = "name = \"case\"\ntlp = \"clear\"\nshared_hosts = 15\n\
                    [[source]]\nid = \"memo\"\ntitle = \"t\"\n";
const NAME: &str = "[[host_name]]\nname = \"VPN000000002.demo.invalid\"\nsource = \"memo\"\n";
const PROFILE: &str = "[[profile]]\nid = \"proxy\"\nlabel = \"like it\"\nsource = \"memo\"\n\
                       rule.all = [{ not_after_date = 2037-12-31 }, { softether_default = true }]\n";
const TEMPLATE: &str = "[[template]]\ntemplate = \"softether\"\nsource = \"memo\"\n";

/// The key of the leaf that the lab's set names, host 100 shows, and SoftEther could have made.
fn key(lab: &Lab) -> String {
    let hash = lab.range.leaf(CertificateKind::IndicatorTwo).spki_sha256.unwrap();
    format!("[[public_key]]\nspki_sha256 = \"{hash}\"\nsource = \"memo\"\n")
}

/// The lab, its own set, and the set `case` of every other tier.
fn set_up() -> (Lab, Workspace, String) {
    let (lab, workspace) = Lab::with_workspace();
    workspace.write("case.toml", format!("{HEAD}{}{NAME}{PROFILE}{TEMPLATE}", key(&lab)));
    let line = format!("{} --indicators case.toml", lab.scan_of(format!("{}/28", lab.host(96))));
    (lab, workspace, line)
}

/// The matches of a record, `set tier indicator`.
fn matches(record: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let spelt =
        |found: &Value| [&found["set"], &found["tier"], &found["indicator"]].map(text).join(" ");
    record["matches"].as_array().unwrap().iter().map(spelt).collect()
}

#[test]
fn every_tier_is_told_apart_from_the_closest_on() {
    let (lab, workspace, line) = set_up();
    let records = parse(&workspace.run(&line).expect(0).stdout);
    let leaf = lab.range.leaf(CertificateKind::IndicatorTwo);
    let guesses = ["case D profile:proxy", "case E template:softether"].map(str::to_owned);
    let mut all = vec![
        format!("demo A sha1:{}", leaf.sha1),
        format!("case B spki_sha256:{}", leaf.spki_sha256.unwrap()),
        "case C name:vpn000000002.demo.invalid".to_owned(),
    ];
    all.extend(guesses.clone());
    let host = lab.host(100).to_string();
    let visits = records.iter().filter(|record| record["type"] == "observation");
    for record in visits {
        let expected = if record["address"] == *host { &all[..] } else { &guesses };
        assert_eq!(matches(record), expected, "{record}");
    }
    let last = records.last().unwrap();
    assert_eq!(last["matched"], 4);
    assert_eq!(last["matched_by_tier"], json!({"A": 4, "B": 0, "C": 0, "D": 60, "E": 0}));
    let profile = json!({"set": "case", "indicator": "profile:proxy", "hosts": 16, "prefixes": 1});
    assert_eq!(last["probably_shared"], json!([profile]));
    let kept =
        query(&workspace.ledger(), "SELECT tier, count(*) FROM matches GROUP BY 1 ORDER BY 1");
    assert_eq!(kept, ["A 4", "B 4", "C 4", "D 64", "E 64"]);
    assert_eq!(query(&workspace.ledger(), "SELECT matched FROM scans"), ["4"]);
}

#[test]
fn people_read_matches_before_guesses_and_what_is_probably_shared() {
    let (lab, workspace, line) = set_up();
    let sweep = workspace.run(&line.replace("jsonl", "human")).expect(0);
    let text = &sweep.stdout;
    assert!(text.starts_with("8 matches\n"), "{text}");
    let places = [
        &format!("tier A  sha1:{}", lab.range.leaf(CertificateKind::IndicatorTwo).sha1),
        "tier B  spki_sha256:",
        "132 guesses: not a reported certificate or key, but alike (tiers C to E)\n",
        "tier C  name:vpn000000002[.]demo[.]invalid  -  case / memo\n",
        "tier D  profile:proxy  like it  case / memo\n\
         probably shared: seen at more than 15 hosts, as a cloned image or a default certificate would be\n",
        "tier E  template:softether  -  case / memo\n",
    ]
    .map(|part| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}")));
    assert!(places.is_sorted(), "{places:?}");
    let said = |word: &str| sweep.stderr.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((said("MATCH A"), said("MATCH B"), said("GUESS C"), said("GUESS D")), (4, 4, 4, 64));
    assert_eq!(said("GUESS E") + said("MATCH C"), 0);
}

#[test]
fn csv_keeps_matches_and_guesses_in_columns_of_their_own() {
    let (lab, workspace, line) = set_up();
    let csv = workspace.run(&line.replace("jsonl", "csv")).expect(0).stdout;
    let leaf = lab.range.leaf(CertificateKind::IndicatorTwo);
    let exact =
        format!("A/demo/sha1:{} B/case/spki_sha256:{}", leaf.sha1, leaf.spki_sha256.unwrap());
    let guesses = "D/case/profile:proxy E/case/template:softether";
    let mut rows: BTreeMap<(String, String), u32> = BTreeMap::new();
    for row in csv::Reader::from_reader(csv.as_bytes()).deserialize::<BTreeMap<String, String>>() {
        let mut row = row.unwrap();
        let cells = (row.remove("matches").unwrap(), row.remove("guesses").unwrap());
        *rows.entry(cells).or_default() += 1;
    }
    let named = format!("C/case/name:vpn000000002.demo.invalid {guesses}");
    let expected = [((String::new(), guesses.to_owned()), 60), ((exact, named), 4)];
    assert_eq!(rows, BTreeMap::from(expected));
}

#[test]
fn the_exit_code_takes_no_guess_for_a_match() {
    let (lab, workspace) = Lab::with_workspace();
    let scan = lab.scan_of(lab.host(100)).replace("demo.toml", "case.toml");
    for (entry, [exact, matched, any]) in [
        (key(&lab), [0, 10, 10]),
        (NAME.to_owned(), [0, 0, 10]),
        (PROFILE.to_owned(), [0, 0, 10]),
        (TEMPLATE.to_owned(), [0, 0, 10]),
    ] {
        workspace.write("case.toml", format!("{HEAD}{entry}"));
        for (what, code) in [("exact", exact), ("match", matched), ("any", any)] {
            workspace.run(&format!("{scan} --fail-on {what}")).expect(code);
        }
    }
}

#[test]
fn what_matches_by_key_or_name_is_confirmed_at_once_and_a_profile_is_not() {
    let (lab, workspace) = Lab::with_workspace();
    let scan = lab.scan_of(lab.host(100)).replace("demo.toml", "case.toml");
    let scan = scan.replace("--handshake full", "--handshake auto");
    for (entry, attempts) in
        [(key(&lab), 2), (NAME.to_owned(), 2), (PROFILE.to_owned(), 1), (TEMPLATE.to_owned(), 1)]
    {
        workspace.write("case.toml", format!("{HEAD}{entry}"));
        let records = parse(&workspace.run(&scan).expect(0).stdout);
        let visits = records.iter().filter(|record| record["type"] == "observation");
        let made: Vec<_> =
            visits.map(|record| record["attempts"].as_array().unwrap().len()).collect();
        assert_eq!(made, [attempts; 4], "{entry}");
    }
}

#[test]
fn a_profile_is_listed_with_its_rule() {
    let (_lab, workspace, _) = set_up();
    let list = workspace.run("indicators list case.toml").expect(0).stdout;
    let rule = "profile:proxy matches where { all = [{ not_after_date = 2037-12-31 }, \
                { softether_default = true }] }\n";
    assert!(list.contains(rule), "{list}");
    assert!(list.contains("name:vpn000000002[.]demo[.]invalid"), "{list}");
    let head = "set 'case', 0 certificates, 1 public key, 1 name, 1 profile, 1 template, \
                0 reported addresses, TLP CLEAR\n";
    assert!(list.contains(head), "{list}");
}
