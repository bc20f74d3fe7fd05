//! Matches of every tier, and ledgers from before there were any but the first.

use super::*;
use crate::domain::indicator::{Index, Spread, read};
use crate::store::migration::OLDEST_SCRIPT;

const SET: &str = "name = \"raptor\"\ntlp = \"clear\"\nshared_hosts = 1\n\
    [[source]]\nid = \"report\"\ntitle = \"t\"\n\
    [[host_name]]\nname = \"vm\"\nsource = \"report\"\n\
    [[profile]]\nid = \"p\"\nsource = \"report\"\nnote = \"n\"\nrule.not.serial = \"01\"\n\
    [[template]]\ntemplate = \"softether\"\nsource = \"report\"\n";

fn softether() -> Leaf {
    let pem = include_str!("../../domain/cert/softether-default.pem");
    Leaf::new(x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents)
}

/// A ledger of one scan that saw SoftEther's leaf at two addresses, and the set it matched.
fn two_hosts() -> (Scratch, IndicatorSet) {
    let spki = softether().spki_sha256.unwrap();
    let key = format!("[[public_key]]\nspki_sha256 = \"{spki}\"\nsource = \"report\"\n");
    let certificate = format!(
        "[[certificate]]\nsha1 = \"{}\"\nspki_sha256 = \"{spki}\"\nsource = \"report\"\n",
        softether().sha1
    );
    let set = read("s.toml", &format!("{SET}{key}{certificate}")).unwrap();
    let mut scratch = Scratch::new();
    scratch.ledger.begin_scan(&scan("one"), std::slice::from_ref(&set)).unwrap();
    let matches = Index::new([&set]).matches(&softether());
    let guessed = matches.iter().filter(|found| !found.tier.is_certain()).cloned().collect();
    let first = Observation { matches, ..seen("192.0.2.1", 0, softether()) };
    let other = Observation { matches: guessed, ..seen("192.0.2.2", 0, softether()) };
    scratch.record("one", &[first, other]).unwrap();
    (scratch, set)
}

#[test]
fn every_tier_comes_back_as_it_was_spelt_the_closest_first() {
    let (scratch, _) = two_hosts();
    let findings = scratch.ledger.findings("one", 10).unwrap();
    assert_eq!((findings.total, findings.guesses), (8, 6));
    let told: Vec<_> = findings
        .shown
        .iter()
        .map(|found| (found.tier.as_str(), found.indicator.parse::<Indicator>().unwrap().tier()))
        .collect();
    assert!(told.iter().all(|(letter, tier)| *letter == tier.letter()), "{told:?}");
    let tiers: String = told.iter().map(|(letter, _)| *letter).collect();
    assert_eq!(tiers, "ABCCDDEE");
    assert_eq!(
        scratch.query("SELECT kind, value, note, rule FROM indicator WHERE kind = 'profile'"),
        ["profile|profile:p|n|{ not = { serial = \"01\" } }"]
    );
}

#[test]
fn a_resumed_scan_goes_on_counting_tiers_and_hosts() {
    let (scratch, set) = two_hosts();
    let counts = scratch.ledger.resumable("one").unwrap().unwrap().counts;
    // The batch said that nothing matched exactly; the closest match of the other visit is a name.
    assert_eq!(Tier::ALL.map(|tier| counts.of_tier(tier)), [0, 0, 1, 0, 0]);
    let mut spread = Spread::new([&set]);
    scratch.ledger.add_to_spread("one", &mut spread).unwrap();
    let shared: Vec<_> = spread
        .shared()
        .iter()
        .map(|shared| (shared.indicator.to_string(), shared.hosts, shared.prefixes))
        .collect();
    assert_eq!(shared, [("name:vm".to_owned(), 2, 1), ("profile:p".to_owned(), 2, 1)]);
}

#[test]
fn a_ledger_of_schema_1_keeps_its_indicators_matches_and_attempts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(OLDEST_SCRIPT).unwrap();
    old.pragma_update(None, "application_id", crate::store::migration::APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute_batch(
        "PRAGMA foreign_keys = ON;
        INSERT INTO scan VALUES ('one', x'00', 's', x'00', '', '[]', 1, 1, 1, 'v', '0', '{}', 1, 1, 2, 1, 1, 0);
        INSERT INTO indicator_set VALUES (1, 'raptor', 'clear', x'00');
        INSERT INTO indicator VALUES (7, 1, 'certificate', 'sha1:00', 'l', 'r', 'n', NULL, NULL, NULL);
        INSERT INTO indicator VALUES (9, 1, 'address', '192.0.2.1', NULL, 'r', NULL, '2026-01-02', NULL, 'sha1:00');
        INSERT INTO endpoint VALUES (1, '192.0.2.1', x'00000000000000000000ffffc0000201', 443);
        INSERT INTO certificate VALUES
            (4, x'02', x'01', NULL, x'30', NULL, NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, 5);
        INSERT INTO visit VALUES (3, 'one', 1, 0, 5, 'certificate', NULL, 4, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL);
        INSERT INTO scan VALUES ('two', x'00', 's', x'00', '', '[]', 1, 1, 1, 'v', '0', '{}', 1, 3, 4, 1, 0, 0);
        INSERT INTO visit VALUES
            (5, 'two', 1, 0, 6, 'alert', 'fatal x(40)', NULL, NULL, '1.2', NULL, NULL, 0, 7, 8, NULL);
        INSERT INTO sighting VALUES (1, 0, 4, 'v', 5, 6, 2, 'one', 'two', 1, 0);
        INSERT INTO attempt VALUES (3, 1, 'rustls', 'tls12-tls13', 'certificate', NULL, x'02', 1, 0);
        INSERT INTO \"match\" VALUES (3, 7, 'A');",
    )
    .unwrap();
    drop(old);
    let mut ledger = Ledger::open(&path).unwrap();
    assert_eq!(
        query(&ledger, "SELECT * FROM indicator"),
        [
            "7|1|certificate|sha1:00|l|r|n|NULL|NULL|NULL|NULL",
            "9|1|address|192.0.2.1|NULL|r|NULL|2026-01-02|NULL|sha1:00|NULL",
        ]
    );
    assert_eq!(
        query(&ledger, "SELECT set_name, tier, indicator, sha1, key_proven FROM matches"),
        ["raptor|A|sha1:00|01|1"]
    );
    assert_eq!(
        query(
            &ledger,
            "SELECT address, scan, number, client, offer, attempt.outcome, leaf_sha256, attempt.key_proven
             FROM attempt JOIN visits ON visits.id = visit_id"
        ),
        ["192.0.2.1|one|1|rustls|tls12-tls13|certificate|02|1"]
    );
    assert_eq!(
        query(
            &ledger,
            "SELECT scan, address, outcome, detail, sha1, tls_version, key_proven, connect_us FROM visits"
        ),
        [
            "one|192.0.2.1|certificate|NULL|01|NULL|1|NULL",
            "two|192.0.2.1|alert|fatal x(40)|NULL|1.2|NULL|7",
        ]
    );
    assert_eq!(
        query(
            &ledger,
            "SELECT endpoint_id >> 16, certificate_id, sighting.vantage_id, first_seen, last_seen, count, first.scan_id, last.scan_id
             FROM sighting
             JOIN scan_number AS first ON first.number = first_scan
             JOIN scan_number AS last ON last.number = last_scan"
        ),
        ["3221225985|4|1|5|6|2|one|two"]
    );
    assert_eq!(query(&ledger, "PRAGMA foreign_key_check"), [""; 0]);
    let set = read("s.toml", SET).unwrap();
    ledger.begin_scan(&scan("three"), &[set]).unwrap();
    assert_eq!(
        query(&ledger, "SELECT kind FROM indicator WHERE set_id = 2"),
        ["name", "template", "profile"]
    );
}
