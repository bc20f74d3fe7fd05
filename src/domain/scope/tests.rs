//! What scopes permit, and what is said of those that cannot be used.

use super::*;
use crate::domain::time::Day;

const HEAD: &str = "name = \"acme\"\noperator = \"ACME CERT\"\ncontact = \"cert@example.org\"\n\
                    authorised_by = \"CISO\"\nvalid_from = 2026-11-01\nvalid_until = 2026-12-31\n";

fn scope(tail: &str) -> Result<Scope, ScopeError> {
    read("acme.toml", &format!("{HEAD}{tail}"))
}

fn complaint(tail: &str) -> String {
    match scope(tail).unwrap_err() {
        ScopeError::Invalid(diagnostic) => diagnostic.to_string(),
        ScopeError::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

fn refusal(tail: &str) -> String {
    match scope(tail).unwrap_err() {
        ScopeError::Refused(refusal) => refusal.to_string(),
        ScopeError::Invalid(diagnostic) => panic!("invalid: {diagnostic}"),
    }
}

fn noon(year: i16, month: i8, day: i8) -> Timestamp {
    let date = jiff::civil::date(year, month, day).at(12, 0, 0, 0);
    let moment = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    Timestamp::from_micros(moment.as_microsecond())
}

fn target(address: &str, port: u16) -> Target {
    Target::new(address.parse().unwrap(), port)
}

#[test]
fn the_scope_of_the_manual_reads() {
    let scope = scope(
        "reference = \"IR-4471\"\ninclude = [\"192.0.2.0/24\", \"2001:db8:1::/120\"]\n\
         exclude = [\"192.0.2.13\"]\nports = [\"softether\", 8443]\nrate = 500\nrate_per_prefix = 5\n",
    )
    .unwrap();
    assert_eq!(scope.ports.as_slice(), [443, 992, 1194, 5555, 8443]);
    assert_eq!((scope.included.len(), scope.allowed.len()), (512, 511));
    assert_eq!((scope.default_rate(), scope.default_rate_per_prefix()), (Some(500.0), Some(5.0)));
    let now = noon(2026, 11, 24);
    assert_eq!(scope.permits(target("192.0.2.12", 8443), now), Ok(()));
    assert_eq!(scope.permits(target("2001:db8:1::ff", 443), now), Ok(()));
    let refused = |target, now| scope.permits(target, now).unwrap_err().to_string();
    assert_eq!(
        refused(target("192.0.2.13", 443), now),
        "192.0.2.13:443 is outside scope 'acme': 192.0.2.13/32 is excluded by the scope"
    );
    assert_eq!(refused(target("192.0.3.1", 443), now), "192.0.3.1:443 is outside scope 'acme'");
    assert!(refused(target("192.0.2.1", 22), now).contains("port 22 is not among its ports"));
    assert!(refused(target("::ffff:192.0.2.1", 443), now).contains("is outside"));
}

#[test]
fn both_days_are_included_and_no_more() {
    let scope = scope("include = [\"192.0.2.0/24\"]\nports = [443]\n").unwrap();
    let valid = |now| scope.is_valid_at(now);
    assert!(valid(noon(2026, 11, 1)).is_ok() && valid(noon(2026, 12, 31)).is_ok());
    let early = valid(noon(2026, 10, 31)).unwrap_err();
    assert_eq!(early.to_string(), "scope 'acme' is not valid before 2026-11-01 (UTC)");
    let late = valid(noon(2027, 1, 1)).unwrap_err();
    assert_eq!(late.to_string(), "scope 'acme' expired: it was valid until 2026-12-31 (UTC)");
    assert!(scope.permits(target("192.0.2.1", 443), noon(2027, 1, 1)).is_err());
}

#[test]
fn contradictions_are_placed() {
    assert_eq!(
        complaint("include = [\"192.0.2.7/24\"]\nports = [443]\n"),
        "acme.toml:7:12: 192.0.2.7/24 has host bits set; did you mean 192.0.2.0/24?"
    );
    assert_eq!(
        complaint("include = [\"10.0.0.0/8\",\n  \"10.1.0.0/16\"]\nports = [443]\n"),
        "acme.toml:8:3: 10.1.0.0/16 overlaps 10.0.0.0/8 of line 7; keep the wider one"
    );
    assert_eq!(
        complaint("include = [\"192.0.2.0/24\"]\nports = [\"softether\", 0]\n"),
        "acme.toml:8:23: port 0 cannot be probed; ports go from 1 to 65535"
    );
    assert_eq!(
        complaint("inlcude = [\"192.0.2.0/24\"]\ninclude = [\"192.0.2.0/24\"]\nports = [443]\n"),
        "acme.toml:7:1: unknown key 'inlcude'; did you mean 'include'?"
    );
    assert_eq!(
        complaint("include = [\"192.0.2.0/24\"]\nexclude = [\"192.0.0.0/16\"]\nports = [443]\n"),
        "acme.toml:1:1: nothing is left of the includes: 192.0.0.0/16 is excluded by the scope"
    );
    let backwards = HEAD.replace("2026-12-31", "2026-10-31");
    let error =
        read("acme.toml", &format!("{backwards}include = [\"192.0.2.0/24\"]\nports = [443]\n"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "acme.toml:6:15: valid_until 2026-10-31 comes before valid_from 2026-11-01: the scope is \
         never valid"
    );
    assert_eq!(complaint("ports = [443]\n"), "acme.toml:1:1: 'include' is missing");
    assert_eq!(complaint("include = [\"192.0.2.0/24\"]\n"), "acme.toml:1:1: 'ports' is missing");
}

#[test]
fn who_and_until_when_must_be_said_unless_all_is_loopback() {
    for key in ["operator", "contact", "authorised_by", "valid_until"] {
        let head: Vec<&str> = HEAD.lines().filter(|line| !line.starts_with(key)).collect();
        let tail = "\ninclude = [\"192.0.2.0/24\"]\nports = [443]\n";
        let error = read("acme.toml", &(head.join("\n") + tail)).unwrap_err();
        assert_eq!(error.to_string(), format!("acme.toml:1:1: '{key}' is missing"));
    }
    let loopback = "name = \"lo\"\ninclude = [\"127.0.0.0/24\", \"::1\"]\nports = [443]\n";
    let scope = read("lo.toml", loopback).unwrap();
    assert_eq!((scope.default_rate(), scope.default_rate_per_prefix()), (None, None));
}

#[test]
fn widths_are_checked_on_the_merged_set() {
    let quarters = "include = [\"0.0.0.0/2\", \"64.0.0.0/2\", \"128.0.0.0/2\"]\nports = [443]\n";
    assert!(refusal(quarters).contains("3,221,225,472 IPv4 addresses, more than half of all"));
    assert!(
        refusal("include = [\"0.0.0.0/1\", \"128.0.0.0/1\"]\nports = [443]\n").contains("half")
    );
    let half = scope("include = [\"0.0.0.0/1\"]\nports = [443]\n").unwrap();
    assert!(!half.allowed.contains("10.0.0.1".parse().unwrap()));
}

#[test]
fn the_hash_is_that_of_the_files_bytes() {
    let text = format!("{HEAD}include = [\"192.0.2.0/24\"]\nports = [443]\n");
    let scope = read("acme.toml", &text).unwrap();
    assert_eq!(scope.hash, Sha256Fingerprint::of(text.as_bytes()));
}

mod ad_hoc {
    use super::*;

    fn ad_hoc(include: &[&str], who: Option<&str>) -> Result<Scope, ScopeError> {
        let include: Vec<String> = include.iter().map(|text| (*text).to_owned()).collect();
        let ports = PortSet::read(["softether"]).unwrap();
        let day = Day::new(2026, 11, 24).unwrap();
        AdHoc {
            include: &include,
            exclude: &[],
            ports: &ports,
            authorised_by: who,
            contact: who,
            valid: (day, day),
        }
        .scope()
    }

    #[test]
    fn loopback_needs_nobody_and_all_else_does() {
        assert_eq!(ad_hoc(&["127.0.0.0/16"], None).unwrap().allowed.len(), 65_536);
        assert!(matches!(
            ad_hoc(&["127.0.0.1", "192.0.2.1"], None),
            Err(ScopeError::Refused(Refusal::Unauthorised(_)))
        ));
        let scope = ad_hoc(&["192.0.2.0/24"], Some("me \"quoted\"\n")).unwrap();
        assert_eq!(scope.authorised_by.as_deref(), Some("me \"quoted\"\n"));
        assert_eq!(scope.hash, Sha256Fingerprint::of(scope.text.as_bytes()));
    }

    #[test]
    fn no_more_than_65536_addresses() {
        let wide = ad_hoc(&["192.0.0.0/16", "192.1.0.0/32"], Some("me")).unwrap_err();
        assert_eq!(
            wide.to_string(),
            "65,537 addresses on the command line, more than 65,536: write a scope file"
        );
        assert!(ad_hoc(&["2001:db8::/32"], Some("me")).is_err());
        assert!(ad_hoc(&["127.0.0.0/8"], None).is_err());
    }
}
