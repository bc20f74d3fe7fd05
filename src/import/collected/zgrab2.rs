//! zgrab2: JSON Lines, an object for each host, in it one for each module that spoke to it.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json};
use crate::domain::collected::{Claims, Collected, Known};

/// Where a module's result keeps the handshake: the TLS module, those that start TLS, and HTTP.
const HANDSHAKES: [&[&str]; 4] = [
    &["result", "handshake_log"],
    &["result", "tls", "handshake_log"],
    &["result", "tls_log", "handshake_log"],
    &["result", "response", "request", "tls_log", "handshake_log"],
];

pub(super) const FORM: Form = Form { format: Format::Zgrab2, claims, read };

fn claims(object: &Value) -> bool {
    object.get("data").is_some_and(Value::is_object)
        && (object.get("ip").is_some() || object.get("domain").is_some())
        && object.get("rec_type").is_none()
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let Some(modules) = object.get("data").and_then(Value::as_object) else {
        return Err(Wrong::of("", "no zgrab2 line: no object 'data'"));
    };
    let address = json::read(object, &["ip"], facts::address)?;
    let port = json::port(object, &["port"])?;
    let domain = json::text(object, &["domain"])?;
    for module in modules.values() {
        let handshakes = HANDSHAKES.iter().filter_map(|path| json::at(module, path));
        for handshake in handshakes {
            let leaf = json::at(handshake, &["server_certificates", "certificate"]);
            let Some(leaf) = leaf else { continue };
            let der = json::read(leaf, &["raw"], facts::base64)?;
            let seen = Collected {
                time: json::read(module, &["timestamp"], facts::moment)?,
                address,
                port: json::port(module, &["port"])?.or(port),
                server_name: domain.and_then(|name| facts::server_name(name, &mut found.doubts)),
                certificate: Known::Hashes(Box::default()),
            };
            facts::add(&mut found, der, parsed(leaf)?, seen);
        }
    }
    Ok(found)
}

/// What zgrab2 read in the certificate.
fn parsed(leaf: &Value) -> Result<Claims, Wrong> {
    let time = |key| json::read(leaf, &["parsed", "validity", key], facts::moment);
    let serial = json::said(leaf, &["parsed", "serial_number"]);
    let common_names = json::all_said(leaf, &["parsed", "subject", "common_name"]);
    Ok(Claims {
        sha1: json::sha1(leaf, &["parsed", "fingerprint_sha1"])?,
        sha256: json::sha256(leaf, &["parsed", "fingerprint_sha256"])?,
        spki_sha256: json::sha256(leaf, &["parsed", "subject_key_info", "fingerprint_sha256"])?,
        subject: json::said(leaf, &["parsed", "subject_dn"]),
        issuer: json::said(leaf, &["parsed", "issuer_dn"]),
        common_name: common_names.into_iter().next(),
        names: json::all_said(leaf, &["parsed", "names"]),
        serial: serial.as_deref().and_then(facts::decimal_serial),
        not_before: time("start")?,
        not_after: time("end")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, SHA256, claimed, said, seen};
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn the_certificates_of_every_module_are_read() {
        let leaf = "{\"server_certificates\":{\"certificate\":{\"raw\":\"YWJj\"}}}";
        let tls = format!(
            "{{\"ip\":\"192.0.2.1\",\"domain\":\"a.example\",\"data\":{{\"tls\":{{\"status\":\"success\",\
             \"protocol\":\"tls\",\"port\":5555,\"timestamp\":\"2026-11-24T02:18:24Z\",\
             \"result\":{{\"handshake_log\":{leaf}}}}}}}}}\n"
        );
        let http = format!(
            "{{\"ip\":\"192.0.2.2\",\"port\":443,\"data\":{{\"http\":{{\"result\":{{\"response\":{{\
             \"request\":{{\"tls_log\":{{\"handshake_log\":{leaf}}}}}}}}}}},\"smtp\":{{\"port\":25,\
             \"result\":{{\"tls\":{{\"handshake_log\":{leaf}}}}}}}}}}}\n"
        );
        let refused =
            "{\"ip\":\"192.0.2.3\",\"data\":{\"tls\":{\"status\":\"connection-refused\"}}}\n";
        let hash = Sha1Fingerprint::of(b"abc");
        assert_eq!(
            seen(&format!("{tls}{http}{refused}")),
            [
                format!("1 zgrab2 2026-11-24T02:18:24.000Z 192.0.2.1 5555 a.example {hash}"),
                format!("2 zgrab2 - 192.0.2.2 443 - {hash}"),
                format!("2 zgrab2 - 192.0.2.2 25 - {hash}"),
            ]
        );
    }

    #[test]
    fn hashes_are_taken_where_there_are_no_octets() {
        let line = |sha1: &str, serial: &str| {
            format!(
                "{{\"ip\":\"192.0.2.1\",\"data\":{{\"tls\":{{\"result\":{{\"handshake_log\":{{\
                 \"server_certificates\":{{\"certificate\":{{\"parsed\":{{\"fingerprint_sha1\":\"{sha1}\",\
                 \"fingerprint_sha256\":\"{SHA256}\",\"serial_number\":\"{serial}\",\
                 \"subject_dn\":\"CN=a\",\"subject\":{{\"common_name\":[\"a\"]}},\
                 \"validity\":{{\"start\":\"2026-01-01T00:00:00Z\"}},\
                 \"subject_key_info\":{{\"fingerprint_sha256\":\"{SHA256}\"}}}}}}}}}}}}}}}}}}\n"
            )
        };
        let claims = claimed(&line(SHA1, "256"));
        assert_eq!(claims.sha1.unwrap().to_string(), SHA1);
        assert_eq!(claims.sha256, claims.spki_sha256);
        assert_eq!(
            (claims.subject.as_deref(), claims.common_name.as_deref()),
            (Some("CN=a"), Some("a"))
        );
        assert_eq!(claims.serial.as_deref(), Some("0100"));
        assert_eq!(claims.not_before.unwrap().to_string(), "2026-01-01T00:00:00.000Z");
        let complaint = "f:1:129: '7992' is no SHA-1, which has 40 hex digits";
        assert_eq!(said(&line("7992", "1")), [complaint]);
    }

    #[test]
    fn a_hash_that_is_not_true_is_told_and_ours_is_taken() {
        let line = format!(
            "{{\"ip\":\"192.0.2.1\",\"data\":{{\"tls\":{{\"result\":{{\"handshake_log\":{{\
             \"server_certificates\":{{\"certificate\":{{\"raw\":\"YWJj\",\"parsed\":{{\
             \"fingerprint_sha1\":\"{SHA1}\"}}}}}}}}}}}}}}}}\n"
        );
        let hash = Sha1Fingerprint::of(b"abc");
        assert_eq!(seen(&line), [format!("1 zgrab2 - 192.0.2.1 - - {hash}")]);
        let told = format!(
            "f:1:1: the file says SHA-1 {SHA1}, but its certificate has {hash}, which is taken"
        );
        assert_eq!(said(&line), [told]);
    }
}
