//! Files that people write: scopes, indicator sets, target lists, settings.
//!
//! All are UTF-8. In TOML files an unknown key is an error with the nearest known key as a hint; every
//! complaint names file, line and column.
//!
//! # Scope
//!
//! ```
//! let text = r#"
//! name          = "acme-perimeter"
//! operator      = "ACME CERT"
//! contact       = "cert@example.org"
//! authorised_by = "CISO, ACME"
//! reference     = "IR-4471"
//! valid_from    = 2026-11-01
//! valid_until   = 2026-12-31
//! include       = ["192.0.2.0/24", "2001:db8:1::/120"]
//! exclude       = ["192.0.2.13"]
//! ports         = ["softether", 8443]
//! rate            = 500
//! rate_per_prefix = 5
//! "#;
//! let scope = certsweep::domain::scope::read("acme.toml", text).unwrap();
//! assert_eq!(scope.allowed.len(), 511);
//! assert_eq!(scope.ports.as_slice(), [443, 992, 1194, 5555, 8443]);
//! ```
//!
//! | key | meaning |
//! | --- | --- |
//! | `name` | the scope's name, in every record |
//! | `operator`, `contact`, `authorised_by` | who probes, where to complain, who permits; needed unless all is loopback |
//! | `reference` | the contract or ticket |
//! | `valid_from`, `valid_until` | first and last day in UTC, both included; the last one is needed unless all is loopback |
//! | `include` | addresses and prefixes without host bits, none overlapping another |
//! | `exclude` | likewise; taken from the includes |
//! | `ports` | numbers, ranges (`"8000-8010"`) and lists (`"softether"`, `"softether-wide"`, `"https"`) |
//! | `rate` | connections per second, whole run, at least 0.001; written down it is a limit, else 500 is the default |
//! | `rate_per_prefix` | connections per second to one /24 or /48; likewise, default 5 |
//!
//! More than half of IPv4 is refused. Special-purpose space (IANA registries) is in scope only where an
//! include prefix lies wholly inside it; IPv4 under an IPv6 name (mapped, translated, 6to4, Teredo) is never
//! probed. More than 2^40 IPv6 targets are not walked: a target list has to name fewer.
//!
//! # Indicator set
//!
//! ```
//! let text = r#"
//! name = "flax-typhoon"
//! tlp  = "clear"
//! [[source]]
//! id        = "microsoft-2023-08-24"
//! title     = "Flax Typhoon using legitimate software to quietly access Taiwanese organizations"
//! publisher = "Microsoft Threat Intelligence"
//! published = 2023-08-24
//! [[certificate]]
//! sha1   = "79:92:C0:A8:16:24:6B:28:7D:99:1C:4E:CF:68:F2:D3:2E:4B:CA:18"
//! label  = "vpn437972693.sednc.cn"
//! source = "microsoft-2023-08-24"
//! [[address]]
//! address    = "45.204.1.248"
//! first_seen = 2023-02-23
//! last_seen  = 2023-05-09
//! source     = "microsoft-2023-08-24"
//! "#;
//! let set = certsweep::domain::indicator::read("set.toml", text).unwrap();
//! let fingerprint = set.certificates[0].fingerprint.to_string();
//! assert_eq!(fingerprint, "sha1:7992c0a816246b287d991c4ecf68f2d32e4bca18");
//! ```
//!
//! A certificate has `sha1` or `sha256` in any common spelling (either case, colons, spaces, `sha1:` or
//! `SHA1 Fingerprint=` before it), an optional `label` and `note`, and a `source` that is declared.
//! An address is shown beside matches and is never a match; its `certificate` is the fingerprint that the report
//! saw there. `tlp` is the Traffic Light Protocol 2.0 level: `clear`, `green`, `amber`, `amber+strict`,
//! `red`. A fingerprint that stands twice, or has a wrong number of digits, is refused.
//!
//! What a set can name, each with an optional `label` and `note`, and a `source`:
//!
//! | table | keys | matches | tier |
//! | --- | --- | --- | --- |
//! | `[[certificate]]` | `sha1` or `sha256` | the exact leaf | A |
//! | | and `spki_sha256` | another leaf with that public key | B |
//! | `[[public_key]]` | `spki_sha256` | any leaf with that public key (SHA-256 of the SubjectPublicKeyInfo) | B |
//! | `[[host_name]]` | `name` | a leaf of SoftEther's default structure whose common name or a subject alternative name is it; ASCII case is ignored, nothing else (no IDNA) | C |
//! | `[[profile]]` | `id`, `rule` | a leaf of which the rule holds | D |
//! | `[[template]]` | `template = "softether"` | any leaf of SoftEther's default structure | E |
//!
//! A and B are certain: they tie the leaf to what was reported. C, D and E are guesses, listed and counted apart.
//! SoftEther servers are many and mostly nobody's business, so that tier E is matched only for sets that ask for
//! it; every leaf record says `softether_default` anyway. A leaf may match at several tiers, of one set or
//! several: each is a match of its own. Tiers A, B and C are confirmed by a second connection at once.
//!
//! # Profile rules
//!
//! ```
//! let text = r#"
//! name = "storm-0558"
//! tlp  = "clear"
//! [[source]]
//! id    = "microsoft-2023-07-14"
//! title = "Analysis of Storm-0558 techniques for unauthorized email access"
//! [[profile]]
//! id     = "storm-0558-softether-proxy"
//! source = "microsoft-2023-07-14"
//! rule.all = [
//!     { not_after_date = 2037-12-31 },
//!     { softether_default = true },
//!     { not = { subject_contains = "softether" } },
//! ]
//! "#;
//! let set = certsweep::domain::indicator::read("storm-0558.toml", text).unwrap();
//! assert_eq!(
//!     set.profiles[0].rule.to_string(),
//!     "{ all = [{ not_after_date = 2037-12-31 }, { softether_default = true }, \
//!      { not = { subject_contains = \"softether\" } }] }"
//! );
//! ```
//!
//! A rule is a table with exactly one key: `all` or `any` with a list of such tables, `not` with one, or one question.
//!
//! | key | holds where |
//! | --- | --- |
//! | `subject`, `issuer`, `common_name`, `name` | the text is this one (`name`: one of the subject alternative names) |
//! | the same with `_contains`, `_prefix`, `_suffix` | it contains, starts with, ends with this text |
//! | `serial` | the serial number's octets are these, in hex |
//! | `key`, `signature_algorithm` | it is called so in the leaf's record: `RSA-2048`, `sha256WithRSAEncryption` |
//! | `self_signed`, `softether_default` | it is so, or is not so |
//! | `not_before_date`, `not_after_date` | the date falls on this day in UTC |
//! | the same with `_from`, `_until` instead of `_date` | it falls on this day or later, or earlier |
//! | `validity_days_min`, `validity_days_max` | there are at least, at most so many whole days between the dates |
//!
//! Texts are compared without regard to the case of ASCII letters; subject and issuer as records write them. What
//! could not be read is neither true nor false, and `not` leaves it so: a profile never matches because something is
//! missing. A rule is at most 8 tables deep and has at most 64 of them. JARM is not taken and cannot be asked for.
//! `targets/indicators/storm-0558.toml` is a worked example; it is not loaded by default.
//!
//! # Probably shared
//!
//! A cloned machine image or a default certificate is served by many people. An indicator that one scan sees at more
//! than `shared_hosts` addresses (64) or in more than `shared_prefixes` /24s or /48s (16) is flagged as probably shared
//! in the report and in the last record; the two keys stand beside `name` and go from 1 to 65,536. It is counted over
//! all runs of a resumed scan, but over one shard only; a match stays what it is. A template is shared by its
//! nature and is not counted.
//!
//! # Target list
//!
//! What of a scope to visit, for `--targets FILE` or `--targets -`: plain lines (`192.0.2.1`,
//! `192.0.2.0/28`, `192.0.2.1:443`, `[2001:db8::1]:443`, comments after `#`), masscan `-oL`, `-oJ` and
//! `-oD`, zmap CSV (`saddr` or `saddr,sport`), nmap `-oG`. Only open TCP ports are taken. An entry outside
//! what the scope includes, or on a port that is not among its ports, refuses the whole run. What the scope
//! excludes is skipped, and the number of such addresses is said.
//!
//! # Settings
//!
//! `certsweep.toml` in the current directory, or the file that `--config` names: `rate`, `rate_per_prefix`,
//! `concurrency`, `threads`, `timeout` (seconds), `handshake`, `store`, `format`, `vantage`, `indicators` (a list of files), and
//! `[[job]]` tables for `watch` ([`super::watch`]). A
//! flag wins over the environment (`CERTSWEEP_RATE`, ...), that over the file, that over the default;
//! `scan --dry-run` shows where each value came from. A rate in the settings file that is above the scope's is
//! passed over; a flag that is above it is refused.
//! Tables headed `[[alert]]` name the channels of [`alerts`](super::alerts).
