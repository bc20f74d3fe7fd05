//! Suricata: the `tls` events of eve.json; the server is the destination.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json};
use crate::domain::collected::{Claims, Collected, Known};

pub(super) const FORM: Form = Form { format: Format::Suricata, claims, read };

fn claims(object: &Value) -> bool {
    object.get("event_type").is_some()
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    if json::text(object, &["event_type"])? != Some("tls") {
        return Ok(found);
    }
    let tls = json::at(object, &["tls"]).unwrap_or(&Value::Null);
    // The chain begins with the leaf; either is logged only where the configuration says so.
    let first = json::items(tls, &["chain"])?.first().and_then(Value::as_str);
    let leaf = json::text(tls, &["certificate"])?.or(first);
    let der = leaf.map(facts::base64).transpose()?;
    let name = json::text(tls, &["sni"])?;
    let seen = Collected {
        time: json::read(object, &["timestamp"], facts::moment)?,
        address: json::read(object, &["dest_ip"], facts::address)?,
        port: json::port(object, &["dest_port"])?,
        server_name: name.and_then(|name| facts::server_name(name, &mut found.doubts)),
        certificate: Known::Hashes(Box::default()),
    };
    let claims = Claims {
        sha1: json::sha1(tls, &["fingerprint"])?,
        subject: json::said(tls, &["subject"]),
        issuer: json::said(tls, &["issuerdn"]),
        serial: json::said(tls, &["serial"]).as_deref().and_then(facts::hex_serial),
        not_before: json::read(tls, &["notbefore"], facts::utc)?,
        not_after: json::read(tls, &["notafter"], facts::utc)?,
        ..Claims::default()
    };
    facts::add(&mut found, der, claims, seen);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, claimed, said, seen};
    use crate::domain::fingerprint::Sha1Fingerprint;

    fn event(tls: &str) -> String {
        format!(
            "{{\"timestamp\":\"2026-11-24T02:18:24.512345+0000\",\"event_type\":\"tls\",\"src_ip\":\"192.0.2.99\",\
             \"src_port\":40000,\"dest_ip\":\"192.0.2.1\",\"dest_port\":443,\"proto\":\"TCP\",\"tls\":{{{tls}}}}}\n"
        )
    }

    #[test]
    fn tls_events_are_read_and_others_are_not() {
        let colons = SHA1.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let colons = colons.collect::<Vec<_>>().join(":");
        let hash = event(&format!(
            "\"subject\":\"CN=a\",\"issuerdn\":\"CN=b\",\"serial\":\"0A:1B\",\"fingerprint\":\"{colons}\",\
             \"sni\":\"a.example\",\"notbefore\":\"2026-01-01T00:00:00\",\"notafter\":\"2037-12-31T00:00:00\""
        ));
        let (leaf, chain) =
            (event("\"certificate\":\"YWJj\""), event("\"chain\":[\"YWJj\",\"YWJjZA==\"]"));
        let resumed = event("\"session_resumed\":true");
        let other = "{\"event_type\":\"flow\",\"dest_ip\":5}\n";
        let place = "suricata 2026-11-24T02:18:24.512Z 192.0.2.1 443";
        let abc = Sha1Fingerprint::of(b"abc");
        assert_eq!(
            seen(&format!("{other}{hash}{leaf}{chain}{resumed}")),
            [
                format!("2 {place} a.example {SHA1}"),
                format!("3 {place} - {abc}"),
                format!("4 {place} - {abc}"),
            ]
        );
        let claims = claimed(&hash);
        assert_eq!(
            (claims.serial.as_deref(), claims.issuer.as_deref()),
            (Some("0a1b"), Some("CN=b"))
        );
        assert_eq!(claims.not_after.unwrap().to_string(), "2037-12-31T00:00:00.000Z");
    }

    #[test]
    fn a_server_name_that_is_none_does_not_lose_the_certificate() {
        let text = event(&format!("\"fingerprint\":\"{SHA1}\",\"sni\":\"a..b\""));
        assert_eq!(
            seen(&text),
            [format!("1 suricata 2026-11-24T02:18:24.512Z 192.0.2.1 443 - {SHA1}")]
        );
        let name = "the server name 'a..b' has a label that does not have 1 to 63 characters; it was left out";
        assert_eq!(said(&text), [format!("f:1:229: {name}")]);
    }
}
