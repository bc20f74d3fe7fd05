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
//! use std::{sync::Arc, time::Duration};
//! use certsweep::domain::{address::Target, outcome::{Alert, Outcome}};
//! use certsweep::domain::{recogniser::Recogniser, record, time::Timestamp, visit::Visit};
//! use certsweep::domain::tls::{Ask, Asked, Verdict};
//!
//! let ask = Ask { asked: Asked::Rustls, server_name: None, after: Duration::ZERO, request: None };
//! let visit = Visit {
//!     time: Timestamp::from_micros(1_795_486_704_512_000),
//!     target: Target::new("127.0.0.7".parse().unwrap(), 5555),
//!     began: Duration::ZERO,
//!     connected: None,
//!     ask: &ask,
//! };
//! let alert = Outcome::Alert(Alert { level: 2, description: 40 });
//! let mut recogniser = Recogniser::new(Arc::default());
//! let observation = visit.observation(Verdict::without_leaf(alert), &mut recogniser);
//! let origin = record::Origin { scan: Some("01JD"), vantage: "default" };
//! let expected = r#"{"type":"observation","schema":1,"scan":"01JD","time":"2026-11-24T02:18:24.512Z",
//!     "address":"127.0.0.7","port":5555,"server_name":null,"vantage":"default","outcome":"alert",
//!     "detail":{"level":"fatal","description":"handshake_failure","code":40},"ended":null,"tls":null,
//!     "evidence":{"presented":false,"key_proven":null,"unproven":null,"handshake_finished":false},
//!     "other_leaf":false,"leaf":null,
//!     "chain_sha256":[],"matches":[],"reported":[],"softether_server":null,
//!     "timing":{"connect_us":null,"first_byte_us":null,"leaf_us":null},
//!     "attempts":[{"time":"2026-11-24T02:18:24.512Z","client":"rustls","offer":"tls12-tls13","outcome":"alert",
//!     "detail":{"level":"fatal","description":"handshake_failure","code":40},
//!     "leaf_sha256":null,"key_proven":null,"handshake_finished":false,"request":null}]}"#;
//! let expected: String = expected.lines().map(str::trim_start).collect();
//! assert_eq!(record::observation(origin, &observation).to_string(), expected);
//! ```
//!
//! With a certificate, `tls` is `{"version":"1.3","cipher_suite":"TLS_AES_128_GCM_SHA256"}` and `leaf` holds
//! `sha1`, `sha256`, `spki_sha256`, `subject`, `issuer`, `common_name`, `names`, `serial` (hex octets),
//! `not_before`, `not_after`, `key`, `signature_algorithm`, `self_signed`, `softether_default`, `softether`,
//! `parse_error` and `der`. Each of `matches` has `set`, `tier`, `indicator`, `label` and `source`, the closest tier
//! first; `indicator` is `sha1:...`, `sha256:...`, `spki_sha256:...`, `name:...`, `profile:<id>` or
//! `template:softether`, in this order from tier A (both hashes) to tier E; each of
//! `reported` has `set`, `source`, `first_seen` and `last_seen`. `softether_server` is what the endpoint said of itself
//! with `--confirm-softether`, `{"product":"SoftEther VPN Server (64 bit)","version":444,"build":9807}` (the version in
//! hundredths; either may be `null`), and the attempt over which it was asked has `request` `softether`. `ended` is the
//! outcome after the leaf was seen, where that was not a good one. `key_proven` is true where a holder of the key took
//! part in this handshake; that it sits at this address is more than it says ([`evidence`](super::evidence)).
//! `timing` counts from the start of the connect.
//!
//! # `leaf`
//!
//! Whatever bytes a server sends as its certificate are hashed, and described as far as they can be read; a field
//! that cannot be is `null`, and `parse_error` says why, field by field. Names are written as RFC 4514 does
//! (`\,` for a comma in a value, `#` and hex for what is no string), but in the certificate's order and with
//! `, ` between. Text is Unicode as it came, control and bidirectional characters included (as escapes
//! of JSON, where that needs them); octets that are no text become `\xx` in hex, and a backslash `\\`:
//!
//! ```
//! use certsweep::domain::cert::Description;
//!
//! let name = b"\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03ab\xff"; // a UTF8String that is none
//! let fields = [&b"\x02\x01\x07\x30\x05\x06\x03\x2b\x65\x70"[..], name].concat();
//! let der = [&[0x30, 28, 0x30, 26], &fields[..]].concat();
//! let description = Description::read(&der);
//! assert_eq!(description.issuer.as_deref(), Some("CN=ab\\ff"));
//! assert_eq!(description.signature_algorithm.as_deref(), Some("Ed25519"));
//! assert_eq!(description.parse_error.as_deref(), Some("validity: missing, and all after it"));
//! ```
//!
//! `softether_default` tells that the leaf has the structure of the certificate that a SoftEther VPN server makes for
//! itself. **It says what software made the certificate, and nothing about whose it is**: every such server
//! has one of its own until its owner sets another, and anybody can imitate it. `softether` has the
//! structure's parts, each `true` or `false`, where at least `serial_zero` and `names_alike` hold, else
//! it is `null`; `softether_default` is true when all of them hold and `variant` is not `null`:
//!
//! - `serial_zero`: the serial number is one zero octet;
//! - `self_signed`: issuer and subject are the same octets;
//! - `names_alike`: the subject is `CN=x, O=x, OU=x, C=US` in this order, `x` being the host's name;
//! - `validity`: it ends on 2037-12-31 at the time of day of its start, or on 2049-12-29 if that was in 2030 or later
//!   (one midnight on, for a start at midnight); in version 1, after 3,650 days where that is later;
//! - `extensions`: basicConstraints, keyUsage and extKeyUsage with SoftEther's values, order and criticality, and
//!   no other; in version 1, none;
//! - `key_rsa_2048`: the key is RSA with 2,048 bits;
//! - `variant`: `v3` (X.509 version 3, as written since SoftEther 4.06 of 2014), `v1` (before), or `null`.
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
