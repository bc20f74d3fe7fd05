//! masscan with `--capture cert`: banners of service X509, whose text is the certificate, in JSON and in lists.

use serde_json::Value;

use super::{Form, Format, Found, Wrong, facts, json};
use crate::domain::collected::{Claims, Collected, Known};

/// The service of leaves; certificates of authorities have one of their own.
const SERVICE: &str = "X509";

pub(super) const FORM: Form = Form { format: Format::Masscan, claims, read };

fn claims(object: &Value) -> bool {
    let of_host = object.get("ports").is_some() || object.get("rec_type").is_some();
    (object.get("ip").is_some() && of_host && object.get("services").is_none())
        || object.get("finished").is_some()
}

fn read(object: &Value) -> Result<Found, Wrong> {
    let mut found = Found::default();
    if object.get("finished").is_some() {
        return Ok(found);
    }
    let address = json::read(object, &["ip"], facts::address)?;
    let time = json::epoch(object, &["timestamp"])?;
    let mut banner = |port, service: Option<&str>, banner: Option<Vec<u8>>| {
        let Some(der) = banner.filter(|_| service == Some(SERVICE)) else { return };
        let certificate = Known::Hashes(Box::default());
        let seen = Collected { time, address, port, server_name: None, certificate };
        facts::add(&mut found, Some(der), Claims::default(), seen);
    };
    for port in json::items(object, &["ports"])? {
        let service = json::text(port, &["service", "name"])?;
        banner(
            json::port(port, &["port"])?,
            service,
            octets(port, ["service", "name"], ["service", "banner"])?,
        );
    }
    if object.get("rec_type").is_some() {
        let service = json::text(object, &["data", "service_name"])?;
        let der = octets(object, ["data", "service_name"], ["data", "banner"])?;
        banner(json::port(object, &["port"])?, service, der);
    }
    Ok(found)
}

/// The octets of a banner, if the service is the one; others have banners of any kind.
fn octets(value: &Value, name: [&str; 2], banner: [&str; 2]) -> Result<Option<Vec<u8>>, Wrong> {
    match json::text(value, &name)? {
        Some(SERVICE) => json::read(value, &banner, facts::base64),
        _ => Ok(None),
    }
}

/// Whether a line is one of `-oL`.
pub(super) fn is_list(line: &str) -> bool {
    let mut words = line.split_whitespace();
    line.starts_with("#masscan")
        || (matches!(words.next(), Some("open" | "closed" | "banner"))
            && matches!(words.next(), Some("tcp" | "udp" | "sctp")))
}

/// `banner tcp 443 192.0.2.1 1700000000 X509 MIIB...`: a line of `-oL`; others hold no certificate.
pub(super) fn list(line: &str) -> Result<Found, Wrong> {
    let mut found = Found::default();
    let words: Vec<&str> = line.split_whitespace().take(8).collect();
    match words[..] {
        [] => Ok(found),
        [first, ..] if first.starts_with('#') => Ok(found),
        ["banner", "tcp", port, address, time, SERVICE, banner] => {
            let seen = Collected {
                time: Some(facts::epoch(time)?),
                address: Some(facts::address(address)?),
                port: Some(facts::port(port)?),
                server_name: None,
                certificate: Known::Hashes(Box::default()),
            };
            let der = facts::base64(banner)?;
            facts::add(&mut found, Some(der), Claims::default(), seen);
            Ok(found)
        }
        _ if is_list(line) => Ok(found),
        _ => Err(Wrong::of(
            "",
            "no line of masscan -oL, such as 'open tcp 443 192.0.2.1 1700000000'",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{said, seen};
    use crate::domain::fingerprint::Sha1Fingerprint;

    #[test]
    fn certificates_are_read_from_every_output() {
        let hash = Sha1Fingerprint::of(b"abc");
        let json = "[\n{   \"ip\": \"192.0.2.1\",   \"timestamp\": \"1795486704\", \"ports\": [ {\"port\": 443, \
                    \"proto\": \"tcp\", \"service\": {\"name\": \"X509\", \"banner\": \"YWJj\"} } ] },\n\
                    {   \"ip\": \"192.0.2.1\",   \"timestamp\": \"1795486704\", \"ports\": [ {\"port\": 443, \
                    \"proto\": \"tcp\", \"service\": {\"name\": \"ssl\", \"banner\": \"TLS/1.2\"} } ] },\n\
                    {   \"ip\": \"192.0.2.1\",   \"timestamp\": \"1795486704\", \"ports\": [ {\"port\": 443, \
                    \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] }\n]\n";
        let expected = format!("masscan 2026-11-24T02:18:24.000Z 192.0.2.1 443 - {hash}");
        assert_eq!(seen(json), [format!("2 {expected}")]);
        let ndjson = "{\"ip\":\"192.0.2.1\",\"timestamp\":\"1795486704\",\"port\":443,\"proto\":\"tcp\",\
                      \"rec_type\":\"banner\",\"data\":{\"service_name\":\"X509\",\"banner\":\"YWJj\"}}\n\
                      {\"ip\":\"192.0.2.1\",\"timestamp\":\"1795486704\",\"port\":443,\"proto\":\"tcp\",\
                      \"rec_type\":\"status\",\"data\":{\"status\":\"open\",\"reason\":\"syn-ack\",\"ttl\":64}}\n\
                      {\"finished\": 1}\n";
        assert_eq!(seen(ndjson), [format!("1 {expected}")]);
        let list = "#masscan\nopen tcp 443 192.0.2.1 1795486704\n\
                    banner tcp 443 192.0.2.1 1795486704 ssl TLS/1.2 cipher:0xc02f\n\
                    banner tcp 443 192.0.2.1 1795486704 X509 YWJj\n# end\n";
        assert_eq!(seen(list), [format!("4 {expected}")]);
        assert_eq!((said(json), said(ndjson), said(list)), (vec![], vec![], vec![]));
    }

    #[test]
    fn wrong_facts_are_placed() {
        let list = "open tcp 443 192.0.2.1 1795486704\nbanner tcp 443 192.0.2 1795486704 X509 YWJj\n\
                    banner tcp 443 192.0.2.1 1795486704 X509 YWJ\nbanner tcp 443 192.0.2.1 now X509 YWJj\nhello\n";
        let message = "no line of masscan -oL, such as 'open tcp 443 192.0.2.1 1700000000'";
        assert_eq!(
            said(list),
            [
                "f:2:16: '192.0.2' is no IP address".to_owned(),
                "f:3:42: the certificate is no base64: invalid length at 0 of its characters"
                    .to_owned(),
                "f:4:26: 'now' is no time in seconds since 1970".to_owned(),
                format!("f:5:1: {message}"),
            ]
        );
    }
}
