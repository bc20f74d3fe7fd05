//! The records of what is read back from a ledger.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::SCHEMA;
use crate::domain::query::{Certificate, Changed, Found, Matched, Seer, Stretch, Why};

/// One certificate at one address.
pub fn found(found: &Found) -> Value {
    let names = found.server_names.iter().map(|name| (!name.is_empty()).then_some(name));
    json!({
        "type": "found",
        "schema": SCHEMA,
        "address": found.address,
        "ports": found.ports,
        "server_names": names.collect::<Vec<_>>(),
        "first_seen": found.first_seen,
        "last_seen": found.last_seen,
        "count": found.count,
        "evidence": {
            "presented": found.by.iter().any(|seer| !seer.is_import),
            "key_proven": found.key_proven,
            "handshake_finished": found.handshake_finished,
        },
        "leaf": leaf(&found.certificate),
        "matches": found.matches.iter().map(matched).collect::<Vec<_>>(),
        "seen_by": found.by.iter().map(seer).collect::<Vec<_>>(),
        "why": found.why.iter().map(Why::to_string).collect::<Vec<_>>(),
    })
}

/// Visits to `address` that saw the same, one after the other.
pub fn stretch(address: IpAddr, stretch: &Stretch) -> Value {
    let visit = &stretch.first;
    let (version, suite) = &visit.tls;
    let (scope, scope_hash) = &visit.scope;
    json!({
        "type": "stretch",
        "schema": SCHEMA,
        "address": address,
        "port": visit.port,
        "server_name": visit.server_name,
        "vantage": visit.vantage,
        "first": visit.time,
        "last": stretch.last,
        "visits": stretch.visits,
        "first_scan": visit.scan,
        "last_scan": stretch.last_scan,
        "scope": { "name": scope, "sha256": scope_hash },
        "outcome": visit.outcome,
        "detail": visit.detail,
        "tls": (version.is_some() || suite.is_some())
            .then(|| json!({ "version": version, "cipher_suite": suite })),
        "evidence": {
            "presented": visit.certificate.is_some(),
            "key_proven": visit.key_proven,
            "handshake_finished": visit.handshake_finished,
        },
        "leaf": visit.certificate.as_ref().map(leaf),
        "matches": visit.matches.iter().map(matched).collect::<Vec<_>>(),
    })
}

/// What changed at a place, or could not be told of it.
pub fn changed(changed: &Changed) -> Value {
    json!({
        "type": "difference",
        "schema": SCHEMA,
        "what": changed.what.word(),
        "missing_for": changed.what.missing_for(),
        "time": changed.time,
        "address": changed.target.address,
        "port": changed.target.port,
        "server_name": changed.server_name,
        "vantage": changed.vantage,
        "scan": changed.scan,
        "leaf": leaf(&changed.certificate),
        "previous": changed.previous.as_ref().map(leaf),
        "from": changed.from.map(|(target, last_seen)| {
            json!({ "address": target.address, "port": target.port, "last_seen": last_seen })
        }),
        "matches": changed.matches.iter().map(matched).collect::<Vec<_>>(),
    })
}

fn leaf(known: &Certificate) -> Value {
    json!({
        "sha1": known.sha1,
        "sha256": known.sha256,
        "spki_sha256": known.spki_sha256,
        "subject": known.subject,
        "issuer": known.issuer,
        "common_name": known.common_name,
        "serial": known.serial,
        "not_before": known.not_before,
        "not_after": known.not_after,
        "key": known.key,
    })
}

/// As observations hold it.
fn matched(found: &Matched) -> Value {
    json!({
        "set": found.set,
        "tier": found.tier.letter(),
        "indicator": found.indicator,
        "label": found.label,
        "source": found.source,
    })
}

fn seer(seer: &Seer) -> Value {
    json!({ "name": seer.name, "import": seer.is_import })
}
