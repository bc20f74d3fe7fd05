//! Our own records: observations of other runs and other machines, and what was collected before.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json};
use crate::domain::collected::{Claims, Collected, Known};

pub(super) const FORM: Form = Form { format: Format::Own, claims, read };

/// The types of records that hold a certificate, each with the key that it has there.
const TYPES: [(&str, &str); 2] = [("observation", "leaf"), ("collected", "certificate")];

fn claims(object: &Value) -> bool {
    object.get("type").is_some_and(Value::is_string)
        && object.get("schema").is_some_and(Value::is_number)
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let kind = json::text(object, &["type"])?;
    let of_type = TYPES.iter().find(|(name, _)| Some(*name) == kind);
    let leaf = of_type.and_then(|(_, key)| json::at(object, &[key]));
    let Some(leaf) = leaf else { return Ok(found) };
    let name = json::text(object, &["server_name"])?;
    let seen = Collected {
        time: json::read(object, &["time"], facts::moment)?,
        address: json::read(object, &["address"], facts::address)?,
        port: json::port(object, &["port"])?,
        server_name: name.and_then(|name| facts::server_name(name, &mut found.doubts)),
        certificate: Known::Hashes(Box::default()),
    };
    let der = json::read(leaf, &["der"], facts::base64)?;
    let claims = Claims {
        sha1: json::sha1(leaf, &["sha1"])?,
        sha256: json::sha256(leaf, &["sha256"])?,
        spki_sha256: json::sha256(leaf, &["spki_sha256"])?,
        subject: json::said(leaf, &["subject"]),
        issuer: json::said(leaf, &["issuer"]),
        common_name: json::said(leaf, &["common_name"]),
        names: json::all_said(leaf, &["names"]),
        serial: json::said(leaf, &["serial"]),
        not_before: json::read(leaf, &["not_before"], facts::moment)?,
        not_after: json::read(leaf, &["not_after"], facts::moment)?,
    };
    facts::add(&mut found, der, claims, seen);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, seen};
    use crate::domain::collected::{self, Claims, Collected, Known, Place};
    use crate::domain::fingerprint::Sha1Fingerprint;
    use crate::domain::indicator::Index;

    #[test]
    fn observations_are_read_and_other_records_are_not() {
        let abc = Sha1Fingerprint::of(b"abc");
        let text = format!(
            "{{\"type\":\"scan\",\"schema\":1,\"event\":\"started\"}}\n\
             {{\"type\":\"observation\",\"schema\":1,\"time\":\"2026-11-24T02:18:24.512Z\",\"address\":\"192.0.2.1\",\
             \"port\":5555,\"server_name\":\"a.example\",\"leaf\":{{\"sha1\":\"{abc}\",\"der\":\"YWJj\"}}}}\n\
             {{\"type\":\"observation\",\"schema\":1,\"address\":\"192.0.2.1\",\"port\":443,\"leaf\":null}}\n"
        );
        let expected = format!("2 own 2026-11-24T02:18:24.512Z 192.0.2.1 5555 a.example {abc}");
        assert_eq!(seen(&text), [expected]);
    }

    #[test]
    fn what_match_prints_can_be_read_again() {
        let sha1 = super::facts::sha1(SHA1).unwrap();
        let known = Known::Hashes(Box::new(Claims { sha1: Some(sha1), ..Claims::default() }));
        let seen_there = Collected { port: Some(443), ..Collected::alone(known) };
        let place = Place { file: "x", line: 1, format: "tlsx", vantage: "v" };
        let record = collected::record(place, &seen_there, &Index::default(), &[]).to_string();
        assert_eq!(seen(&record), [format!("1 own - - 443 - {SHA1}")]);
    }
}
