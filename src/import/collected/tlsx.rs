//! tlsx: JSON Lines, an object for each host and port.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json, pem};
use crate::domain::collected::{Claims, Collected, Known};

pub(super) const FORM: Form = Form { format: Format::Tlsx, claims, read };

fn claims(object: &Value) -> bool {
    object.get("host").is_some()
        && (object.get("probe_status").is_some() || object.get("fingerprint_hash").is_some())
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let der = json::read(object, &["certificate"], pem::first)?;
    // What was asked for is an address, or a name of which `ip` is one.
    let host = json::text(object, &["host"])?;
    let address = match json::read(object, &["ip"], facts::address)? {
        Some(address) => Some(address),
        None => host.filter(|host| is_address(host)).map(facts::address).transpose()?,
    };
    let name = json::text(object, &["sni"])?;
    let seen = Collected {
        time: json::read(object, &["timestamp"], facts::moment)?,
        address,
        port: json::port(object, &["port"])?,
        server_name: name.and_then(|name| facts::server_name(name, &mut found.doubts)),
        certificate: Known::Hashes(Box::default()),
    };
    let claims = Claims {
        sha1: json::sha1(object, &["fingerprint_hash", "sha1"])?,
        sha256: json::sha256(object, &["fingerprint_hash", "sha256"])?,
        spki_sha256: None,
        subject: json::said(object, &["subject_dn"]),
        issuer: json::said(object, &["issuer_dn"]),
        common_name: json::said(object, &["subject_cn"]),
        names: json::all_said(object, &["subject_an"]),
        serial: json::said(object, &["serial"]).as_deref().and_then(facts::hex_serial),
        not_before: json::read(object, &["not_before"], facts::moment)?,
        not_after: json::read(object, &["not_after"], facts::moment)?,
    };
    facts::add(&mut found, der, claims, seen);
    Ok(found)
}

/// Whether `host` is meant as an address, right or wrong: digits and dots, or colons.
fn is_address(host: &str) -> bool {
    host.contains(':') || host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, claimed, said, seen};
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn hashes_and_pem_are_read() {
        let hashes = format!(
            "{{\"timestamp\":\"2026-11-24T04:18:24.512345678+02:00\",\"host\":\"a.example\",\"ip\":\"192.0.2.1\",\
             \"port\":\"5555\",\"probe_status\":true,\"tls_version\":\"tls13\",\"sni\":\"A.example\",\
             \"subject_an\":[\"a.example\"],\"serial\":\"0A:1B\",\
             \"fingerprint_hash\":{{\"md5\":\"x\",\"sha1\":\"{SHA1}\"}}}}\n"
        );
        let pem = "{\"host\":\"192.0.2.2\",\"port\":\"443\",\"probe_status\":true,\"certificate\":\
                   \"-----BEGIN CERTIFICATE-----\\nYWJj\\n-----END CERTIFICATE-----\\n\"}\n";
        let failed = "{\"host\":\"192.0.2.3\",\"port\":\"443\",\"probe_status\":false,\"error\":\"refused\"}\n";
        assert_eq!(
            seen(&format!("{hashes}{pem}{failed}")),
            [
                format!("1 tlsx 2026-11-24T02:18:24.512Z 192.0.2.1 5555 a.example {SHA1}"),
                format!("2 tlsx - 192.0.2.2 443 - {}", Sha1Fingerprint::of(b"abc")),
            ]
        );
        let claims = claimed(&hashes);
        assert_eq!(
            (claims.names, claims.serial.as_deref()),
            (vec!["a.example".to_owned()], Some("0a1b"))
        );
    }

    #[test]
    fn wrong_facts_are_placed() {
        let line = |ip: &str, port: &str, rest: &str| {
            format!("{{\"host\":\"x\",\"probe_status\":true,\"ip\":{ip},\"port\":{port}{rest}}}\n")
        };
        let text = [
            line("\"192.0.2\"", "\"443\"", ""),
            line("\"192.0.2.256\"", "443", ""),
            line("192", "443", ""),
            line("null", "0", ""),
            line("null", "true", ""),
            line("null", "443", ",\"timestamp\":\"yesterday\""),
            line("null", "443", ",\"certificate\":\"MIIB\""),
            "{\"host\":\"192.0.2\",\"probe_status\":true}\n".to_owned(),
        ];
        assert_eq!(
            said(&text.concat()),
            [
                "f:1:39: '192.0.2' is no IP address",
                "f:2:39: '192.0.2.256' is no IP address",
                "f:3:34: ip should be a text, not '192'",
                "f:4:50: '0' is no port from 1 to 65535",
                "f:5:44: port should be a port, not 'true'",
                "f:6:67: 'yesterday' is no time such as 2026-11-24T02:18:24Z",
                "f:7:69: no certificate in PEM form",
                "f:8:10: '192.0.2' is no IP address",
            ]
        );
    }
}
