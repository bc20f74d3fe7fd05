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
//! # Which client saw it
//!
//! `--handshake leaf` uses a client of our own that offers everything from SSL 3.0 to TLS 1.3 in one ClientHello and
//! ends once it has the leaf and the signature that comes with it. `--handshake full` completes the handshake
//! with rustls: TLS 1.2 and 1.3 with ECDHE, so that an older server is `alert` there. `--handshake auto`, the
//! default, begins like `leaf` and tries again in the same visit where the leaf matches an indicator (like `full`, or
//! with our own client where the key exchange is RSA), or where the server answered the first offer with an alert or
//! by closing (like `full`). The record's `attempts` list both with what each
//! saw.
//!
//! TLS 1.3 with AES-CCM only, and servers that show a certificate by name only (SNI), are not reached yet.
