//! Lines written by hand against records made of values, which cannot be put together wrongly.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Lines, Origin, SCHEMA};
use crate::domain::address::Target;
use crate::domain::cert::{Description, Leaf, SoftetherTemplate, SoftetherVariant};
use crate::domain::fingerprint::{Fingerprint, Sha256Fingerprint};
use crate::domain::indicator::{Indicator, Match, Reported, Tier};
use crate::domain::observation::{Attempt, Evidence, Observation, Timing, TlsFacts, Unproven};
use crate::domain::outcome::{Alert, Outcome, Protocol};
use crate::domain::softether::SoftetherServer;
use crate::domain::time::{Day, Timestamp};
use crate::domain::tls::own::{Goal, Hello};
use crate::domain::tls::{Asked, Request, ServerName};

/// The record of one visit, as a tree of values.
fn reference(origin: Origin<'_>, observation: &Observation) -> Value {
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

/// Numbers that look random and are the same each time (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(3) > 0).then(|| value(self))
    }

    fn several<T>(&mut self, mut value: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.roll(3)).map(|_| value(self)).collect()
    }

    /// Text as strangers choose it.
    fn text(&mut self) -> String {
        const PARTS: [&str; 12] = [
            "plain",
            "\"",
            "\\",
            "/",
            "\n\r\t\u{8}\u{c}",
            "\0\u{1}\u{1b}\u{1f}",
            "\u{7f}\u{80}",
            "\u{2028}\u{202e}\u{feff}",
            "\u{fc}\u{df}",
            "\u{1f512}",
            "CN=a, O=b",
            "",
        ];
        (0..self.roll(5)).map(|_| PARTS[self.roll(PARTS.len())]).collect()
    }

    fn time(&mut self) -> Timestamp {
        let micros = [-7_000_001, 0, 1_795_486_704_512_999, 1_795_486_704_999_999, i64::MAX];
        Timestamp::from_micros(micros[self.roll(5)].saturating_add(self.roll(2_000_000) as i64))
    }

    fn outcome(&mut self) -> Outcome {
        let alert = Alert { level: self.roll(4) as u8, description: self.roll(256) as u8 };
        let protocol = [Protocol::Ssh, Protocol::Openvpn, Protocol::Unknown][self.roll(3)];
        [
            Outcome::Certificate,
            Outcome::Silent,
            Outcome::ConnectTimeout,
            Outcome::Alert(alert),
            Outcome::NotTls(protocol),
        ][self.roll(5)]
    }

    fn evidence(&mut self) -> Evidence {
        let unproven = [Unproven::NotReached, Unproven::Cipher, Unproven::SignatureUnreadable];
        let proof = self.maybe(|dice| dice.roll(2) == 0).ok_or(unproven[self.roll(3)]);
        if self.roll(3) == 0 { Evidence::NONE } else { Evidence::of(proof, self.roll(2) == 0) }
    }

    fn leaf(&mut self) -> Leaf {
        // Few enough for the same one to come again; what is remembered under one hash must be the same.
        let number = self.roll(150) as u64;
        let mut dice = Dice(number * 7 + 1);
        let size = [0, 1, 2, 900, 16_000][dice.roll(5)];
        let mut leaf = Leaf::new([number.to_be_bytes().to_vec(), vec![7; size]].concat());
        leaf.spki_sha256 = dice.maybe(|dice| Sha256Fingerprint::of(&[dice.roll(9) as u8]));
        leaf.description = dice.description();
        leaf
    }

    fn description(&mut self) -> Description {
        let template = |dice: &mut Self| SoftetherTemplate {
            serial_zero: dice.roll(2) == 0,
            self_signed: dice.roll(2) == 0,
            names_alike: dice.roll(2) == 0,
            validity: dice.roll(2) == 0,
            extensions: dice.roll(2) == 0,
            key_rsa_2048: dice.roll(2) == 0,
            variant: dice.maybe(|_| SoftetherVariant::V1),
        };
        Description {
            subject: self.maybe(Self::text),
            issuer: self.maybe(Self::text),
            common_name: self.maybe(Self::text),
            names: self.several(Self::text),
            serial: self.maybe(Self::text),
            not_before: self.maybe(Self::time),
            not_after: self.maybe(Self::time),
            key: self.maybe(Self::text),
            signature_algorithm: self.maybe(Self::text),
            self_signed: self.maybe(|dice| dice.roll(2) == 0),
            softether_default: self.roll(2) == 0,
            softether: self.maybe(template),
            parse_error: self.maybe(Self::text),
            ..Description::default()
        }
    }

    fn found(&mut self) -> Match {
        let sha1 = Fingerprint::Sha1(Leaf::new(vec![self.roll(9) as u8]).sha1);
        let name: Arc<str> = self.text().into();
        let indicators = [Indicator::Leaf(sha1), Indicator::Name(Arc::clone(&name))];
        Match {
            set: self.text().into(),
            tier: Tier::ALL[self.roll(Tier::ALL.len())],
            indicator: indicators[self.roll(2)].clone(),
            label: self.maybe(Self::text).map(Arc::from),
            source: name,
        }
    }

    fn reported(&mut self) -> Reported {
        let day = |dice: &mut Self| Day::new(2026, 1 + dice.roll(12) as i8, 7);
        let (first_seen, last_seen) = (self.maybe(day).flatten(), self.maybe(day).flatten());
        Reported { set: self.text().into(), source: self.text().into(), first_seen, last_seen }
    }

    fn attempt(&mut self, target: Target) -> Attempt {
        Attempt {
            time: self.time(),
            asked: [Asked::Rustls, Asked::Own(Hello::Universal, Goal::Leaf)][self.roll(2)],
            outcome: self.outcome(),
            leaf: self.maybe(|dice| Sha256Fingerprint::of(&[dice.roll(9) as u8])),
            evidence: self.evidence(),
            request: self.maybe(|_| Request::Softether(target)),
        }
    }

    fn observation(&mut self) -> Observation {
        let addresses = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"];
        let address = addresses[self.roll(3)].parse().unwrap();
        let target = Target::new(address, self.roll(65_536) as u16);
        let duration = |dice: &mut Self| match dice.roll(4) {
            0 => Duration::MAX,
            number => Duration::from_nanos(number as u64 * 999_999),
        };
        Observation {
            time: self.time(),
            target,
            server_name: self.maybe(|_| ServerName::new("a.example").unwrap()),
            is_other_leaf: self.roll(2) == 0,
            outcome: self.outcome(),
            ended: self.maybe(Self::outcome),
            tls: self.maybe(|dice| TlsFacts { version: "1.3", cipher_suite: dice.text().into() }),
            evidence: self.evidence(),
            leaf: self.maybe(Self::leaf).map(Arc::new),
            chain: self.several(|dice| Sha256Fingerprint::of(&[dice.roll(9) as u8])),
            matches: self.several(Self::found),
            reported: self.several(Self::reported),
            softether_server: self.maybe(|dice| SoftetherServer {
                product: dice.text(),
                version: dice.maybe(|dice| dice.roll(999) as u32),
                build: dice.maybe(|dice| dice.roll(99_999) as u32),
            }),
            timing: Timing {
                connect: self.maybe(duration),
                first_byte: self.maybe(duration),
                leaf: self.maybe(duration),
            },
            attempts: self.several(|dice| dice.attempt(target)),
        }
    }
}

#[test]
fn lines_are_byte_for_byte_what_values_print() {
    let (mut dice, mut lines) = (Dice(42), Lines::default());
    for _ in 0..5_000 {
        let (scan, vantage) = (dice.maybe(Dice::text), dice.text());
        let origin = Origin { scan: scan.as_deref(), vantage: &vantage };
        let seen = dice.observation();
        let expected = reference(origin, &seen).to_string();
        assert_eq!(lines.observation(origin, &seen), expected);
        assert_eq!(super::observation(origin, &seen), expected);
    }
}
