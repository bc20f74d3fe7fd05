//! Shodan: JSON Lines of banners. Its times are in UTC.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json, pem};
use crate::domain::collected::{Claims, Collected, Known};

pub(super) const FORM: Form = Form { format: Format::Shodan, claims, read };

fn claims(object: &Value) -> bool {
    object.get("ip_str").is_some()
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let Some(ssl) = json::at(object, &["ssl"]) else { return Ok(found) };
    let chain = json::items(ssl, &["chain"])?;
    let der = chain.first().and_then(Value::as_str).map(pem::first).transpose()?;
    let seen = Collected {
        time: json::read(object, &["timestamp"], facts::utc)?,
        address: json::read(object, &["ip_str"], facts::address)?,
        port: json::port(object, &["port"])?,
        server_name: None,
        certificate: Known::Hashes(Box::default()),
    };
    let claims = Claims {
        sha1: json::sha1(ssl, &["cert", "fingerprint", "sha1"])?,
        sha256: json::sha256(ssl, &["cert", "fingerprint", "sha256"])?,
        common_name: json::said(ssl, &["cert", "subject", "CN"]),
        // A number that may be longer than numbers are read exactly.
        serial: None,
        ..Claims::default()
    };
    facts::add(&mut found, der, claims, seen);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA1, SHA256, claimed, seen};
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn banners_are_read() {
        let hashes = format!(
            "{{\"ip_str\":\"192.0.2.1\",\"port\":443,\"timestamp\":\"2026-11-24T02:18:24.512345\",\"ssl\":\
             {{\"jarm\":\"x\",\"cert\":{{\"serial\":123456789012345678901234567890,\"subject\":{{\"CN\":\"a\"}},\
             \"fingerprint\":{{\"sha1\":\"{SHA1}\",\"sha256\":\"{SHA256}\"}}}}}}}}\n"
        );
        let chain = "{\"ip_str\":\"2001:db8::1\",\"port\":443,\"ssl\":{\"chain\":\
                     [\"-----BEGIN CERTIFICATE-----\\nYWJj\\n-----END CERTIFICATE-----\\n\"]}}\n";
        let plain = "{\"ip_str\":\"192.0.2.2\",\"port\":22,\"data\":\"SSH-2.0\"}\n";
        assert_eq!(
            seen(&format!("{hashes}{chain}{plain}")),
            [
                format!("1 shodan 2026-11-24T02:18:24.512Z 192.0.2.1 443 - {SHA1}"),
                format!("2 shodan - 2001:db8::1 443 - {}", Sha1Fingerprint::of(b"abc")),
            ]
        );
        let claims = claimed(&hashes);
        assert_eq!(claims.sha256.unwrap().to_string(), SHA256);
        assert_eq!((claims.common_name.as_deref(), claims.serial), (Some("a"), None));
    }
}
