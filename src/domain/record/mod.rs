//! Records: one JSON object a line, `type` and `schema` first.
//!
//! Times are RFC 3339 in UTC, durations are in the unit that their key names, hex is lower-case without
//! colons. Keys may be added; a key never changes its meaning.

mod found;
mod leaves;
mod lines;
mod moment;
#[cfg(test)]
mod tests;
mod text;

use std::time::Duration;

use serde_json::{Value, json};

pub use found::{changed, found, stretch};
pub use lines::Lines;

use super::indicator::{Shared, Tier};
use super::observation::Observation;
use super::plan::Plan;
use super::scan::{Counts, Fault, Scan};
use super::time::Timestamp;

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

/// The record of one visit. For many of them there is [`Lines`].
pub fn observation(origin: Origin<'_>, observation: &Observation) -> String {
    Lines::default().observation(origin, observation).to_owned()
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
        "connect_timeout_us": whole_micros(plan.tempo.connect_timeout),
        "handshake_timeout_us": whole_micros(plan.tempo.limits.handshake),
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

fn probably_shared(shared: &Shared) -> Value {
    json!({
        "set": shared.set,
        "indicator": shared.indicator.to_string(),
        "hosts": shared.hosts,
        "prefixes": shared.prefixes,
    })
}

/// `duration` in microseconds, or as many as there can be.
fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
