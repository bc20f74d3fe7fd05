//! The record of a visit, as a line of text.

use std::time::Duration;

use super::leaves::Leaves;
use super::moment::Moments;
use super::text::Json;
use super::{Origin, SCHEMA, whole_micros};
use crate::domain::indicator::{Match, Reported};
use crate::domain::observation::{Attempt, Observation, Timing, TlsFacts, Unproven};
use crate::domain::outcome::Outcome;
use crate::domain::softether::SoftetherServer;
use crate::domain::tls::Request;

/// Writes the records of many visits, one after the other, and keeps what the next one may need again.
///
/// It holds the last line, and texts of some leaves, at most 1 MiB.
#[derive(Debug, Default)]
pub struct Lines {
    json: Json,
    moments: Moments,
    /// Apart from `moments`: validity begins and ends at other times than visits.
    validity: Moments,
    leaves: Leaves,
}

impl Lines {
    /// The record of `seen`, without a line feed.
    pub fn observation(&mut self, origin: Origin<'_>, seen: &Observation) -> &str {
        self.json.0.clear();
        self.visited(origin, seen);
        let json = &mut self.json;
        json.raw(",\"outcome\":");
        json.word(seen.outcome.word());
        json.raw(",\"detail\":");
        detail(json, &seen.outcome);
        json.raw(",\"ended\":");
        json.optional(seen.ended, |json, outcome| json.word(outcome.word()));
        json.raw(",\"tls\":");
        json.optional(seen.tls.as_ref(), tls);
        json.raw(",\"evidence\":{\"presented\":");
        json.truth(seen.evidence.presented);
        json.raw(",\"key_proven\":");
        json.optional(seen.evidence.key_proven, Json::truth);
        json.raw(",\"unproven\":");
        json.optional(seen.evidence.unproven.map(Unproven::word), Json::word);
        json.raw(",\"handshake_finished\":");
        json.truth(seen.evidence.handshake_finished);
        json.raw("},\"other_leaf\":");
        json.truth(seen.is_other_leaf);
        json.raw(",\"leaf\":");
        let (leaves, validity) = (&mut self.leaves, &mut self.validity);
        json.optional(seen.leaf.as_ref(), |json, leaf| leaves.append(json, validity, leaf));
        json.raw(",\"chain_sha256\":");
        json.array(&seen.chain, |json, hash| json.hex(&hash.0));
        json.raw(",\"matches\":");
        json.array(&seen.matches, matched);
        json.raw(",\"reported\":");
        json.array(&seen.reported, reported);
        json.raw(",\"softether_server\":");
        json.optional(seen.softether_server.as_ref(), softether_server);
        json.raw(",\"timing\":");
        timing(json, &seen.timing);
        json.raw(",\"attempts\":");
        json.array(&seen.attempts, |json, made| attempt(json, &mut self.moments, made));
        json.raw("}");
        &json.0
    }

    /// What was visited, when, and from where.
    fn visited(&mut self, origin: Origin<'_>, seen: &Observation) {
        let json = &mut self.json;
        json.raw("{\"type\":\"observation\",\"schema\":");
        json.number(SCHEMA);
        json.raw(",\"scan\":");
        json.optional(origin.scan, Json::string);
        json.raw(",\"time\":");
        self.moments.append(json, seen.time);
        json.raw(",\"address\":");
        json.shown(seen.target.address);
        json.raw(",\"port\":");
        json.number(seen.target.port);
        json.raw(",\"server_name\":");
        json.optional(seen.server_name.as_ref(), |json, name| json.string(name.as_str()));
        json.raw(",\"vantage\":");
        json.string(origin.vantage);
    }
}

/// What the word of an outcome leaves out.
fn detail(json: &mut Json, outcome: &Outcome) {
    match outcome {
        Outcome::NotTls(protocol) => {
            json.raw("{\"protocol\":");
            json.word(protocol.word());
            json.raw("}");
        }
        Outcome::Alert(alert) => {
            json.raw("{\"level\":");
            json.word(alert.level_name());
            json.raw(",\"description\":");
            json.word(alert.name());
            json.raw(",\"code\":");
            json.number(alert.description);
            json.raw("}");
        }
        _ => json.raw("null"),
    }
}

fn tls(json: &mut Json, facts: &TlsFacts) {
    json.raw("{\"version\":");
    json.string(facts.version);
    json.raw(",\"cipher_suite\":");
    json.string(&facts.cipher_suite);
    json.raw("}");
}

fn matched(json: &mut Json, found: &Match) {
    json.raw("{\"set\":");
    json.string(&found.set);
    json.raw(",\"tier\":");
    json.word(found.tier.letter());
    json.raw(",\"indicator\":");
    json.string(&found.indicator.to_string());
    json.raw(",\"label\":");
    json.optional(found.label.as_deref(), Json::string);
    json.raw(",\"source\":");
    json.string(&found.source);
    json.raw("}");
}

fn reported(json: &mut Json, report: &Reported) {
    json.raw("{\"set\":");
    json.string(&report.set);
    json.raw(",\"source\":");
    json.string(&report.source);
    json.raw(",\"first_seen\":");
    json.optional(report.first_seen, Json::shown);
    json.raw(",\"last_seen\":");
    json.optional(report.last_seen, Json::shown);
    json.raw("}");
}

fn softether_server(json: &mut Json, server: &SoftetherServer) {
    json.raw("{\"product\":");
    json.string(&server.product);
    json.raw(",\"version\":");
    json.optional(server.version, Json::number);
    json.raw(",\"build\":");
    json.optional(server.build, Json::number);
    json.raw("}");
}

fn timing(json: &mut Json, timing: &Timing) {
    let took = |json: &mut Json, key: &str, duration: Option<Duration>| {
        json.raw(key);
        json.optional(duration.map(whole_micros), Json::number);
    };
    took(json, "{\"connect_us\":", timing.connect);
    took(json, ",\"first_byte_us\":", timing.first_byte);
    took(json, ",\"leaf_us\":", timing.leaf);
    json.raw("}");
}

fn attempt(json: &mut Json, moments: &mut Moments, made: &Attempt) {
    json.raw("{\"time\":");
    moments.append(json, made.time);
    json.raw(",\"client\":");
    json.word(made.asked.client());
    json.raw(",\"offer\":");
    json.word(made.asked.offer());
    json.raw(",\"outcome\":");
    json.word(made.outcome.word());
    json.raw(",\"detail\":");
    detail(json, &made.outcome);
    json.raw(",\"leaf_sha256\":");
    json.optional(made.leaf, |json, hash| json.hex(&hash.0));
    json.raw(",\"key_proven\":");
    json.optional(made.evidence.key_proven, Json::truth);
    json.raw(",\"handshake_finished\":");
    json.truth(made.evidence.handshake_finished);
    json.raw(",\"request\":");
    json.optional(made.request.map(Request::word), Json::word);
    json.raw("}");
}
