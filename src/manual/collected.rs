//! What others collected: the files that `certsweep match` reads.
//!
//! Formats are told apart by their first bytes or lines; `--from` says it instead. Gzip is unpacked. Of a folder every
//! file is read, and those of the folders within it; links are not followed, and files of no known format are counted
//! and passed over. Memory is bounded by the longest line, which may have 16 MiB.
//!
//! | `--from` | what is read | of the certificate |
//! | --- | --- | --- |
//! | `pem` | every `CERTIFICATE` block, with any text between them | the bytes |
//! | `der` | a file that is one certificate | the bytes |
//! | `own` | records of the types `observation` and `collected` of this program | the bytes, or hashes |
//! | `zgrab2` | `server_certificates.certificate` of every module; the domain is taken for the server name | the bytes (`raw`), or hashes |
//! | `tlsx` | one object a host and port | the bytes (`-cert`), or hashes |
//! | `masscan` | banners of service `X509` (`--capture cert`) in `-oJ`, `-oD` and `-oL` | the bytes |
//! | `zeek` | `x509.log` and `ssl.log`, tab-separated or JSON | the bytes (`log-certs-base64`), or the hash that Zeek made |
//! | `suricata` | events of type `tls` in `eve.json`; the server is `dest_ip` | the bytes (`certificate`, `chain`), or SHA-1 |
//! | `censys` | hosts with their `services` | hashes |
//! | `shodan` | banners with `ssl` | the bytes (`chain`), or hashes |
//!
//! JSON has one object a line, or an array of objects on one line.
//!
//! # What is believed
//!
//! Where the bytes are there, they are hashed and described as those of a scan are, and match at every tier; a hash that
//! the file claims is compared, and if it is another, that is told and ours is taken. Loggers cut long texts: bytes that
//! end before the certificate does, and have not the claimed hash, are passed over for the file's hashes. Where only
//! hashes are there, they match at tier A by the certificate's and at tier B by the key's. Names and structure would
//! need the bytes: tiers C to E are not claimed.
//!
//! The evidence is always `reported by others`. Where and when is what the file says; nothing is completed or guessed: an
//! address of three octets, a port of 0, a hash of another length or a time that is none refuse their line. A server
//! name that cannot be one is left out, and that is told.
//!
//! ```
//! use std::ops::ControlFlow;
//! use certsweep::import::collected::{Reader, Told};
//!
//! let line = r#"{"host":"192.0.2.1","port":"443","probe_status":true,"ip":"192.0.2"}"#;
//! let mut told = Vec::new();
//! let read = Reader::new(None).read("run.json", line.as_bytes(), &mut |one| {
//!     told.push(one);
//!     ControlFlow::Continue(())
//! });
//! assert!(read.unwrap());
//! let Told::Refused(complaint) = &told[0] else { panic!() };
//! assert_eq!(complaint.to_string(), "run.json:1:60: '192.0.2' is no IP address");
//! ```
//!
//! The first ten complaints are shown, and all are counted. The exit code is 2 only where no certificate could be
//! read and something was wrong.
//!
//! # Zeek's logs
//!
//! `x509.log` has certificates and no addresses, `ssl.log` has addresses and names certificates by `cert_chain_fps` or
//! `cert_chain_fuids`. Of a folder that has both, or where both are named, they are joined: each connection has its
//! certificate, and certificates that no connection showed come last, without an address. Up to 256 MiB of lines of
//! `x509.log` wait for that; those beyond are told at once, without an address. An `ssl.log` alone with `cert_chain_fps`
//! has hashes, and that is enough for tier A if Zeek made the kind of hash that the indicator has: SHA-256, unless its
//! configuration says SHA-1.
//!
//! # Records
//!
//! `--format jsonl` has a record of type `collected` for every certificate that matches, and for no other: `time`,
//! `address`, `port`, `server_name` (each may be `null`), `vantage` (`--as`, or the name of the format), `format`, `file`,
//! `line` (where the certificate begins), `evidence`, `certificate` (as a `leaf` of [`records`](super::records), as far
//! as it is known; `der` is `null` where nobody has the bytes), `matches` and `reported`. The last record is of type
//! `collection` with `event` `ended` and counts: `files`, `certificates`, `refused` and `doubted` lines, `unreadable` files,
//! `passed_over` files, and `matched_by_tier`.
//!
//! # What is remembered
//!
//! Certificates go into the ledger with the others; where a file has hashes alone, these are kept, and completed when the
//! bytes are met. Where a file says address, port and time, there is a sighting of the vantage `--as` (or the format's name), of
//! kind `import`. It is never mixed with own scans: there is no visit, no coverage, and no transition. A certificate without
//! address or time is kept without a sighting. A moment inside the interval that is known is no other sighting, so that a file
//! may be read twice. The tables `import` and `import_certificate` say which file brought what.
