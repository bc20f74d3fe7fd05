//! An alert as a record: one JSON object, for machines. Nothing is defanged in it.

use serde_json::{Value, json};

use super::{Alert, Certificate, Matched};
use crate::domain::observation::{Evidence, Unproven};
use crate::domain::record::SCHEMA;
use crate::domain::text::shortened;

/// Characters of a text that a record holds. Servers may show names of 64 KiB; the ledger has them whole.
const TEXT_MAX: usize = 1_024;

/// How many earlier places and matches a record lists; the totals are beside them.
const LISTED_MAX: usize = 64;

/// The record of a transition, at most about a quarter of a MiB.
pub fn record(alert: &Alert) -> Value {
    let from = alert.from.iter().take(LISTED_MAX).map(|from| {
        json!({
            "address": from.target.address,
            "port": from.target.port,
            "last_seen": from.last_seen,
        })
    });
    json!({
        "type": "transition",
        "schema": SCHEMA,
        "key": alert.key,
        "kind": alert.kind.word(),
        "time": alert.time,
        "address": alert.target.address,
        "port": alert.target.port,
        "server_name": alert.server_name.as_deref().map(text),
        "vantage": text(&alert.vantage),
        "scan": text(&alert.scan),
        "job": alert.job.as_deref().map(text),
        "leaf": certificate(&alert.leaf),
        "previous": alert.previous.as_ref().map(certificate),
        "from": from.collect::<Vec<_>>(),
        "from_count": alert.from.len(),
        "matches": alert.matches.iter().take(LISTED_MAX).map(matched).collect::<Vec<_>>(),
        "match_count": alert.matches.len(),
        "evidence": alert.evidence.map(evidence),
        "tlp": alert.tlp(),
    })
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "sha1": certificate.sha1,
        "sha256": certificate.sha256,
        "common_name": certificate.common_name.as_deref().map(text),
        "subject": certificate.subject.as_deref().map(text),
        "issuer": certificate.issuer.as_deref().map(text),
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
    })
}

fn matched(found: &Matched) -> Value {
    json!({
        "set": text(&found.set),
        "tier": found.tier,
        "indicator": text(&found.indicator),
        "label": found.label.as_deref().map(text),
        "source": text(&found.source),
        "tlp": found.tlp,
    })
}

fn evidence(evidence: Evidence) -> Value {
    json!({
        "presented": evidence.presented,
        "key_proven": evidence.key_proven,
        "unproven": evidence.unproven.map(Unproven::word),
        "handshake_finished": evidence.handshake_finished,
    })
}

fn text(text: &str) -> String {
    shortened(text, TEXT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::tests::{matched, moved};
    use crate::domain::indicator::{Tier, Tlp};

    #[test]
    fn the_record_has_every_key_in_its_order() {
        let (sha1, sha256, key) = ("79".repeat(20), "11".repeat(32), "ab".repeat(32));
        let expected = format!(
            "{{\"type\":\"transition\",\"schema\":1,\"key\":\"{key}\",\"kind\":\"moved\",\
             \"time\":\"2026-11-24T02:18:24.512Z\",\"address\":\"192.0.2.7\",\"port\":5555,\
             \"server_name\":null,\"vantage\":\"default\",\"scan\":\"01JD0000000000000000000000\",\
             \"job\":\"nightly\",\"leaf\":{{\"sha1\":\"{sha1}\",\"sha256\":\"{sha256}\",\
             \"common_name\":\"vpn1.example.com\",\"subject\":\"CN=vpn1.example.com\",\"issuer\":null,\
             \"not_before\":null,\"not_after\":null}},\"previous\":null,\
             \"from\":[{{\"address\":\"198.51.100.1\",\"port\":443,\"last_seen\":\"2026-11-01T02:26:40.000Z\"}}],\
             \"from_count\":1,\"matches\":[{{\"set\":\"flax-typhoon\",\"tier\":\"A\",\
             \"indicator\":\"sha1:7979\",\"label\":\"vpn1.example.com\",\"source\":\"memo-1\",\"tlp\":\"clear\"}}],\
             \"match_count\":1,\"evidence\":{{\"presented\":true,\"key_proven\":true,\"unproven\":null,\
             \"handshake_finished\":false}},\"tlp\":\"clear\"}}"
        );
        assert_eq!(record(&moved()).to_string(), expected);
    }

    #[test]
    fn hostile_texts_stay_on_one_line_and_within_bounds() {
        let hostile = format!("\"\n\r\u{0}\u{1b}\\{}", "\u{1f980}".repeat(16_384));
        let mut alert = moved();
        alert.server_name = Some(hostile.clone());
        alert.leaf.common_name = Some(hostile.clone());
        alert.leaf.subject = Some(hostile.clone());
        alert.leaf.issuer = Some(hostile.clone());
        alert.previous = Some(alert.leaf.clone());
        alert.matches = (0..1_000).map(|_| matched(&hostile, Tlp::Red, Tier::B)).collect();
        alert.from = vec![alert.from[0]; 1_000];
        let line = record(&alert).to_string();
        assert!(!line.contains(['\n', '\r', '\u{0}', '\u{1b}']));
        let read: Value = serde_json::from_str(&line).unwrap();
        let name = read["leaf"]["common_name"].as_str().unwrap();
        assert!(name.starts_with("\"\n\r\u{0}\u{1b}\\\u{1f980}") && name.ends_with('\u{2026}'));
        assert_eq!(name.chars().count(), TEXT_MAX);
        let counts = [&read["from_count"], &read["match_count"]].map(|count| count.as_u64());
        assert_eq!(counts, [Some(1_000); 2]);
        assert_eq!(read["matches"].as_array().map(Vec::len), Some(LISTED_MAX));
        assert!(line.len() < 512 << 10, "{}", line.len());
    }
}
