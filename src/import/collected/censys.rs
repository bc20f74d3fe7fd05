//! Censys: JSON Lines of hosts, each with its services.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json};
use crate::domain::collected::{Claims, Collected, Known};

pub(super) const FORM: Form = Form { format: Format::Censys, claims, read };

fn claims(object: &Value) -> bool {
    object.get("ip").is_some() && object.get("services").is_some_and(Value::is_array)
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let address = json::read(object, &["ip"], facts::address)?;
    for service in json::items(object, &["services"])? {
        let seen = Collected {
            time: json::read(service, &["observed_at"], facts::moment)?,
            address,
            port: json::port(service, &["port"])?,
            server_name: None,
            certificate: Known::Hashes(Box::default()),
        };
        facts::add(&mut found, None, leaf(service)?, seen);
    }
    Ok(found)
}

/// What a service's certificate is said to be. `public_key.fingerprint` is left out: of what it is the hash is not
/// documented.
fn leaf(service: &Value) -> Result<Claims, Wrong> {
    let leaf = json::at(service, &["tls", "certificates", "leaf_data"]).unwrap_or(&Value::Null);
    let newer = json::sha256(service, &["cert", "fingerprint_sha256"])?;
    Ok(Claims {
        sha1: json::sha1(service, &["tls", "certificate", "fingerprint_sha1"])?,
        sha256: json::sha256(leaf, &["fingerprint"])?.or(newer),
        subject: json::said(leaf, &["subject_dn"]),
        issuer: json::said(leaf, &["issuer_dn"]),
        names: json::all_said(leaf, &["names"]),
        ..Claims::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, SHA256, claimed, said, seen};

    #[test]
    fn every_service_of_a_host_is_read() {
        let text = format!(
            "{{\"ip\":\"192.0.2.1\",\"services\":[\
             {{\"port\":443,\"observed_at\":\"2026-11-24T02:18:24.5Z\",\"tls\":{{\"certificates\":{{\"leaf_data\":\
             {{\"fingerprint\":\"{SHA256}\",\"subject_dn\":\"CN=a\",\"names\":[\"a\",5]}}}}}}}},\
             {{\"port\":22}},{{\"port\":5555,\"tls\":{{\"certificate\":{{\"fingerprint_sha1\":\"{SHA1}\"}}}}}},\
             {{\"port\":992,\"cert\":{{\"fingerprint_sha256\":\"{SHA256}\"}}}}]}}\n"
        );
        assert_eq!(
            seen(&text),
            [
                format!("1 censys 2026-11-24T02:18:24.500Z 192.0.2.1 443 - {SHA256}"),
                format!("1 censys - 192.0.2.1 5555 - {SHA1}"),
                format!("1 censys - 192.0.2.1 992 - {SHA256}"),
            ]
        );
        let claims = claimed(&text);
        assert_eq!((claims.subject.as_deref(), claims.names), (Some("CN=a"), vec!["a".to_owned()]));
        let wrong = "{\"ip\":\"192.0.2.1\",\"services\":[{\"port\":65536}]}\n";
        assert_eq!(said(wrong), ["f:1:39: '65536' is no port from 1 to 65535"]);
    }
}
