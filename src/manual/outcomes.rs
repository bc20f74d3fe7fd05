//! How a probe can end: twelve words, closed and stable.
//!
//! | word | what happened |
//! | --- | --- |
//! | `certificate` | a leaf was seen, whatever happened afterwards; `ended` in the record says what, if not well |
//! | `refused` | the SYN was answered with a reset |
//! | `unreachable` | the network, or this machine (a route, a firewall rule, no IPv6), said that there is no way |
//! | `connect_timeout` | nothing answered the SYN in time |
//! | `closed` | accepted, then end of stream before any byte: also what SoftEther does to sources it bans |
//! | `reset` | accepted, then reset before a certificate |
//! | `silent` | accepted, then no byte in time |
//! | `stalled` | began to answer, then neither finished nor went on; or ended midway |
//! | `not_tls` | answered with something else; the detail says `ssh`, `http`, `smtp`, `openvpn` or `unknown` |
//! | `alert` | a TLS alert before a certificate; the detail has level, description and code |
//! | `malformed` | began as TLS, then broke its rules, or chose what the client cannot follow |
//! | `too_large` | more bytes than a probe takes, or a message longer than 64 KiB |
//!
//! The words are pinned:
//!
//! ```
//! use certsweep::domain::outcome::WORDS;
//! assert_eq!(
//!     WORDS,
//!     ["certificate", "refused", "unreachable", "connect_timeout", "closed", "reset", "silent",
//!      "stalled", "not_tls", "alert", "malformed", "too_large"]
//! );
//! ```
//!
//! # What the client cannot reach yet
//!
//! Handshakes are completed by rustls: TLS 1.2 and 1.3 with ECDHE key exchange. A server that stops at TLS
//! 1.1 or insists on RSA or finite-field key exchange answers `alert` (`protocol_version`,
//! `handshake_failure`); its leaf is not seen. rustls hands the leaf over once the server has signed
//! the handshake, so that a server which stalls right after its Certificate message is `stalled`.
