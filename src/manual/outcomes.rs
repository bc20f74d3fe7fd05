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
//! | `not_tls` | answered with something else; the detail says `ssh`, `http`, `smtp`, `ftp`, `pop3`, `imap`, `mysql`, `rdp`, `openvpn` or `unknown` |
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
//! What the outcome of each of many ways to break the rules is, [`hostile`](super::hostile) lists.
//!
//! # Which client saw it
//!
//! `--handshake leaf` uses a client of our own that offers everything from SSL 3.0 to TLS 1.3 in one ClientHello and
//! stops at the certificate: once all of the Certificate message is there, or where that never ends, with the leaf when
//! the connection ends. What the server says afterwards is not looked at, and nothing is known of the key.
//! `--handshake auto`, the default, does the same and completes a handshake at once where the leaf matches at tier A, B
//! or C: with rustls where it speaks what the server chose, else with our own client. `--handshake full` completes
//! every handshake, with rustls first.
//!
//! A visit is mostly one connection. There are more, each under all limits of rate and concurrency, where
//!
//! * the server answered with an alert: a shorter ClientHello with a key share like any other (`modern`), then one of
//!   TLS 1.2 with nothing that came later (`tls12`); not after `unrecognized_name`, which a name would change;
//! * it accepted and closed without a byte: once more, five seconds later, since SoftEther does so to whoever
//!   connects too often;
//! * rustls failed where our own client may do better;
//! * a match is to be confirmed;
//! * `--server-names` asks again with each name, where anything answered;
//! * `--all-leaves` asks for each kind of key that was not shown: RSA, ECDSA, EdDSA;
//! * `--confirm-softether` asks what looks like SoftEther for its product, with a proof that is due anyway where there
//!   is one.
//!
//! The record's `attempts` list all with what each saw, in order. The outcome is that of the most telling one.
//!
//! Where a visit is broken off (Ctrl-C, a scope that ends) before all of these were made, a leaf is told all the same. The
//! target counts as visited only if nothing was left but a proof; else `--resume`, which asks what the scan asked before,
//! visits it again, and records may stand twice.
//!
//! A connection that ends before its handshake does is one that the server sees abandoned. SoftEther's Stable edition
//! bans a source for ten minutes after about 60 of them. So a host that has seen 40 within ten minutes has its further
//! handshakes completed, where the cipher is one that we speak. Runs that make no more than 40 connections to a host
//! need not count, and runs do not know of one another.
//!
//! # `--confirm-softether`
//!
//! Off by default: it is a request to the application behind TLS, where all else is handshakes. An endpoint whose leaf
//! has the structure of SoftEther's default certificate, or matches an indicator at any tier, is sent one request over
//! a completed handshake, once a visit whatever names and kinds of keys are asked for:
//!
//! ```
//! use certsweep::domain::{address::Target, softether};
//! let target = Target::new("192.0.2.7".parse().unwrap(), 5555);
//! let request = "POST /vpnsvc/connect.cgi HTTP/1.1\r\nHost: 192.0.2.7:5555\r\nContent-Length: 10\r\n\
//!                Connection: close\r\n\r\nVPNCONNECT";
//! assert_eq!(softether::request(target), request.as_bytes());
//! ```
//!
//! SoftEther's own clients begin with it. It needs no account, logs in nowhere and changes nothing; the server logs the
//! connection, some versions as "A client which is non-SoftEther VPN software has connected". Whoever is not SoftEther
//! answers 404 or the like. Of the answer, 16 KiB are taken within three seconds. What stands in it is the server's
//! word, which no certificate and no key vouches for: `softether_server` in the record, `softether_servers` in the
//! ledger. No answer, or another one, leaves it empty and the outcome as it is.
