//! JSON Lines: what `--format jsonl` writes.
//!
//! One object a line, `type` and `schema` first. Times are RFC 3339 in UTC with milliseconds, durations are in
//! the unit that their key names, hex is lower-case without colons, DER is base64. Unknown keys may be
//! added; a key never changes its meaning.
//!
//! # `observation`
//!
//! One visit, under one server name. A further leaf of the same visit (`--all-leaves`, or a server that shows another
//! one when it is asked again) has an observation of its own after it, with `other_leaf` true; it counts for no outcome.
//!
//! ```
//! use std::time::Duration;
//! use certsweep::domain::{address::Target, indicator::Index, outcome::{Alert, Outcome}};
//! use certsweep::domain::{record, time::Timestamp, visit::Visit};
//! use certsweep::domain::tls::{Ask, Asked};
//!
//! let ask = Ask { asked: Asked::Rustls, server_name: None, after: Duration::ZERO };
//! let visit = Visit {
//!     time: Timestamp::from_micros(1_795_486_704_512_000),
//!     target: Target::new("127.0.0.7".parse().unwrap(), 5555),
//!     began: Duration::ZERO,
//!     connected: None,
//!     ask: &ask,
//! };
//! let alert = Outcome::Alert(Alert { level: 2, description: 40 });
//! let observation = visit.without_connection(alert, &Index::default());
//! let origin = record::Origin { scan: Some("01JD"), vantage: "default" };
//! let expected = r#"{"type":"observation","schema":1,"scan":"01JD","time":"2026-11-24T02:18:24.512Z",
//!     "address":"127.0.0.7","port":5555,"server_name":null,"vantage":"default","outcome":"alert",
//!     "detail":{"level":"fatal","description":"handshake_failure","code":40},"ended":null,"tls":null,
//!     "evidence":{"presented":false,"key_proven":null,"unproven":null,"handshake_finished":false},
//!     "other_leaf":false,"leaf":null,
//!     "chain_sha256":[],"matches":[],"reported":[],
//!     "timing":{"connect_us":null,"first_byte_us":null,"leaf_us":null},
//!     "attempts":[{"time":"2026-11-24T02:18:24.512Z","client":"rustls","offer":"tls12-tls13","outcome":"alert",
//!     "detail":{"level":"fatal","description":"handshake_failure","code":40},
//!     "leaf_sha256":null,"key_proven":null,"handshake_finished":false}]}"#;
//! let expected: String = expected.lines().map(str::trim_start).collect();
//! assert_eq!(record::observation(origin, &observation).to_string(), expected);
//! ```
//!
//! With a certificate, `tls` is `{"version":"1.3","cipher_suite":"TLS_AES_128_GCM_SHA256"}` and `leaf` holds
//! `sha1`, `sha256`, `spki_sha256`, `subject`, `issuer`, `common_name`, `names`, `serial` (hex octets),
//! `not_before`, `not_after`, `key`, `signature_algorithm`, `self_signed`, `softether_default`,
//! `parse_error` and `der`. Each of `matches` has `set`, `tier`, `indicator`, `label` and `source`, the closest tier
//! first; `indicator` is `sha1:...`, `sha256:...`, `spki_sha256:...`, `name:...`, `profile:<id>` or
//! `template:softether`, in this order from tier A (both hashes) to tier E; each of
//! `reported` has `set`, `source`, `first_seen` and `last_seen`. `ended` is the outcome after the leaf
//! was seen, where that was not a good one. `timing` counts from the start of the connect.
//!
//! # `scan`
//!
//! The first and the last record of a run. `event` is `started`, `resumed` or `ended`. The first one holds all
//! that makes the run repeatable: version, command line, plan hash, the scope with its text and its hash, ports,
//! seed, shard, rates, concurrency, timeouts, vantage, and the indicator sets with their hashes. The last
//! one holds the counts by outcome, `matched`, `matched_by_tier`, `probably_shared`, `faults`, start, end, and
//! whether the scan is `complete`: counts are of the whole scan, all its runs together.
//!
//! `matched_by_tier` counts each visit once, at its closest tier: `{"A":4,"B":0,"C":0,"D":60,"E":0}`. `matched` is its
//! count at A: visits that saw a reported certificate itself. Each of `probably_shared` has `set`, `indicator`,
//! `hosts` and `prefixes`: distinct addresses and /24s (or /48s) that showed it, each counted no further than one above
//! the limit of its set.
//!
//! # `fault`
//!
//! A target that a fault in certsweep kept from being probed: `scan`, `time`, `address`, `port`, `vantage` and the
//! fault's own `message`. Its position stays uncovered, and a resumed scan tries it again.
//!
//! # CSV
//!
//! `--format csv` writes one visit a line under a header: scan, time, vantage, address, port, server_name,
//! outcome, detail, sha1, sha256, subject, not_before, not_after, key_proven, handshake_finished, tls_version,
//! matches (tiers A and B) and guesses (tiers C to E), each `tier/set/indicator`, separated by spaces.
