//! Records: one JSON object a line, `type` and `schema` first.
//!
//! Times are RFC 3339 in UTC, durations are in the unit that their key names, hex is lower-case without
//! colons. Keys may be added; a key never changes its meaning.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::cert::{Leaf, SoftetherTemplate, SoftetherVariant};
use super::indicator::{Match, Reported, Shared, Tier};
use super::observation::{Attempt, Observation, Unproven};
use super::outcome::{Alert, Outcome, Protocol};
use super::plan::Plan;
use super::scan::{Counts, Fault, Scan};
use super::softether::SoftetherServer;
use super::time::Timestamp;
use super::tls::Request;

/// The version of the record format.
pub const SCHEMA: u32 = 1;

/// Where and as what a visit was made: the same for a whole run.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The scan's id; none for a visit outside any scan.
    pub scan: Option<&'a str>,
    /// Where the run looks from.
    pub vantage: &'a str,
}

/// The record of one visit.
pub fn observation(origin: Origin<'_>, observation: &Observation) -> Value {
    let Observation { target, evidence, tls, .. } = observation;
    json!({
        "type": "observation",
        "schema": SCHEMA,
        "scan": origin.scan,
        "time": observation.time,
        "address": target.address,
        "port": target.port,
        "server_name": observation.server_name,
        "vantage": origin.vantage,
        "outcome": observation.outcome,
        "detail": detail(&observation.outcome),
        "ended": observation.ended,
        "tls": tls.as_ref().map(|tls| json!({
            "version": tls.version,
            "cipher_suite": tls.cipher_suite,
        })),
        "evidence": {
            "presented": evidence.presented,
            "key_proven": evidence.key_proven,
            "unproven": evidence.unproven.map(Unproven::word),
            "handshake_finished": evidence.handshake_finished,
        },
        "other_leaf": observation.is_other_leaf,
        "leaf": observation.leaf.as_deref().map(leaf),
        "chain_sha256": observation.chain,
        "matches": observation.matches.iter().map(matched).collect::<Vec<_>>(),
        "reported": observation.reported.iter().map(reported).collect::<Vec<_>>(),
        "softether_server": observation.softether_server.as_ref().map(softether_server),
        "timing": {
            "connect_us": micros(observation.timing.connect),
            "first_byte_us": micros(observation.timing.first_byte),
            "leaf_us": micros(observation.timing.leaf),
        },
        "attempts": observation.attempts.iter().map(attempt).collect::<Vec<_>>(),
    })
}

/// Whether a run begins a scan or goes on with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The scan is new.
    Started,
    /// The scan was interrupted before.
    Resumed,
}

/// The record that opens a run at `now`: all that makes it repeatable.
pub fn scan_opened(
    scan: &Scan,
    plan: &Plan,
    sets: &[Value],
    (opening, now): (Opening, Timestamp),
) -> Value {
    let scope = &plan.scope;
    json!({
        "type": "scan",
        "schema": SCHEMA,
        "event": if opening == Opening::Started { "started" } else { "resumed" },
        "scan": scan.id,
        "time": now,
        "started": scan.started,
        "version": scan.version,
        "command_line": scan.command_line,
        "plan_hash": scan.plan_hash,
        "scope": {
            "name": scope.name,
            "sha256": scope.hash,
            "operator": scope.operator,
            "contact": scope.contact,
            "authorised_by": scope.authorised_by,
            "reference": scope.reference,
            "valid_from": scope.valid_from,
            "valid_until": scope.valid_until,
            "text": scope.text,
        },
        "ports": plan.ports.as_slice(),
        "seed": scan.seed,
        "shard": scan.shard.to_string(),
        "positions": scan.positions,
        "targets": u64::try_from(plan.target_count()).unwrap_or(u64::MAX),
        "rate": plan.tempo.rate,
        "rate_per_prefix": plan.tempo.rate_per_prefix,
        "concurrency": plan.tempo.concurrency,
        "connect_timeout_us": micros(Some(plan.tempo.connect_timeout)),
        "handshake_timeout_us": micros(Some(plan.tempo.limits.handshake)),
        "vantage": scan.vantage,
        "indicator_sets": sets,
    })
}

/// The record of a target that a fault of our own kept from being probed.
pub fn fault(origin: Origin<'_>, fault: &Fault) -> Value {
    json!({
        "type": "fault",
        "schema": SCHEMA,
        "scan": origin.scan,
        "time": fault.time,
        "address": fault.target.address,
        "port": fault.target.port,
        "vantage": origin.vantage,
        "message": fault.message,
    })
}

/// The record that closes a run.
pub fn scan_ended(
    scan: &Scan,
    counts: &Counts,
    shared: &[Shared],
    (ended, complete): (Timestamp, bool),
) -> Value {
    let by_tier: serde_json::Map<String, Value> = Tier::ALL
        .into_iter()
        .map(|tier| (tier.letter().to_owned(), counts.of_tier(tier).into()))
        .collect();
    let outcomes: serde_json::Map<String, Value> =
        counts.outcomes().map(|(word, count)| (word.to_owned(), count.into())).collect();
    json!({
        "type": "scan",
        "schema": SCHEMA,
        "event": "ended",
        "scan": scan.id,
        "time": ended,
        "started": scan.started,
        "plan_hash": scan.plan_hash,
        "seed": scan.seed,
        "shard": scan.shard.to_string(),
        "outcomes": outcomes,
        "matched": counts.matched(),
        "matched_by_tier": by_tier,
        "probably_shared": shared.iter().map(probably_shared).collect::<Vec<_>>(),
        "faults": counts.faults,
        "complete": complete,
    })
}

fn leaf(leaf: &Leaf) -> Value {
    let description = &leaf.description;
    json!({
        "sha1": leaf.sha1,
        "sha256": leaf.sha256,
        "spki_sha256": leaf.spki_sha256,
        "subject": description.subject,
        "issuer": description.issuer,
        "common_name": description.common_name,
        "names": description.names,
        "serial": description.serial,
        "not_before": description.not_before,
        "not_after": description.not_after,
        "key": description.key,
        "signature_algorithm": description.signature_algorithm,
        "self_signed": description.self_signed,
        "softether_default": description.softether_default,
        "softether": description.softether.as_ref().map(softether),
        "parse_error": description.parse_error,
        "der": data_encoding::BASE64.encode(&leaf.der),
    })
}

fn softether(template: &SoftetherTemplate) -> Value {
    let parts = template.parts().map(|(part, held)| (part.to_owned(), Value::from(held)));
    let variant = template.variant.map(SoftetherVariant::word);
    let variant = [("variant".to_owned(), Value::from(variant))];
    Value::Object(parts.chain(variant).collect())
}

fn matched(found: &Match) -> Value {
    json!({
        "set": found.set,
        "tier": found.tier,
        "indicator": found.indicator.to_string(),
        "label": found.label,
        "source": found.source,
    })
}

fn probably_shared(shared: &Shared) -> Value {
    json!({
        "set": shared.set,
        "indicator": shared.indicator.to_string(),
        "hosts": shared.hosts,
        "prefixes": shared.prefixes,
    })
}

fn reported(report: &Reported) -> Value {
    json!({
        "set": report.set,
        "source": report.source,
        "first_seen": report.first_seen,
        "last_seen": report.last_seen,
    })
}

fn softether_server(server: &SoftetherServer) -> Value {
    json!({ "product": server.product, "version": server.version, "build": server.build })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "time": attempt.time,
        "client": attempt.asked.client(),
        "offer": attempt.asked.offer(),
        "outcome": attempt.outcome,
        "detail": detail(&attempt.outcome),
        "leaf_sha256": attempt.leaf,
        "key_proven": attempt.evidence.key_proven,
        "handshake_finished": attempt.evidence.handshake_finished,
        "request": attempt.request.map(Request::word),
    })
}

/// What the word of an outcome leaves out.
#[derive(Serialize)]
#[serde(untagged)]
enum Detail {
    NotTls { protocol: &'static str },
    Alert { level: &'static str, description: &'static str, code: u8 },
}

fn detail(outcome: &Outcome) -> Option<Detail> {
    let from_protocol = |protocol: Protocol| Detail::NotTls { protocol: protocol.word() };
    let from_alert = |alert: Alert| Detail::Alert {
        level: alert.level_name(),
        description: alert.name(),
        code: alert.description,
    };
    match outcome {
        Outcome::NotTls(protocol) => Some(from_protocol(*protocol)),
        Outcome::Alert(alert) => Some(from_alert(*alert)),
        _ => None,
    }
}

fn micros(duration: Option<Duration>) -> Option<u64> {
    duration.map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}
