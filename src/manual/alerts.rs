//! Alerts: who is told of a transition, how, and how often it is tried.
//!
//! An alert tells one transition at one endpoint. It is queued in the ledger for every channel that may carry it,
//! and stays there until it was delivered or given up.
//!
//! ```
//! let text = r#"
//! [[alert]]
//! name        = "soc"
//! webhook     = "https://soc.example/hooks/certsweep"
//! secret_file = "/etc/certsweep/soc.key"
//! ca_file     = "/etc/certsweep/ca.pem"
//! tlp         = "amber"
//! [[alert]]
//! name       = "chat"
//! slack_file = "/etc/certsweep/chat.url"
//! [[alert]]
//! name   = "log"
//! syslog = "unix:/dev/log"
//! [[alert]]
//! name = "file"
//! file = "alerts.jsonl"
//! [[alert]]
//! name    = "run"
//! command = ["/usr/local/bin/notify", "--from", "certsweep"]
//! "#;
//! let channels = certsweep::domain::alert::read_all("certsweep.toml", text).unwrap();
//! assert_eq!(channels.len(), 5);
//! ```
//!
//! | key | meaning |
//! | --- | --- |
//! | `name` | the channel's name: letters, digits, `-`, `_` and `.` |
//! | `tlp` | the most closed TLP level that it may carry; `clear` unless it is said |
//! | `webhook` | a URL that gets the record |
//! | `secret_file`, `secret_env` | where the secret is that signs a webhook, at least 16 bytes |
//! | `ca_file` | certificates in PEM that are trusted instead of the system's, for webhooks and chats |
//! | `slack`, `slack_file`, `slack_env` | a URL that gets `{"text": ...}`, or where it is kept: it is itself a secret |
//! | `syslog` | `unix:/PATH`, `udp:HOST:PORT` or `tcp:HOST:PORT` |
//! | `file` | a file that gets a line each |
//! | `command` | a program and its arguments |
//!
//! A table has exactly one place to send to. Relative paths are meant from the settings file's folder. Secrets are
//! read once, at the start. A secret file that others can read, or that its group can change, is refused.
//!
//! # At least once
//!
//! An alert counts as delivered only once the receiver said so, and that is written down afterwards. A crash between
//! the two delivers it again, and so may a connection that breaks off. The transition's `key` is the same each
//! time, in the record and in `Idempotency-Key`: whoever must not act twice remembers keys.
//!
//! What failed is tried again after 15 seconds, 30, 60 and so on up to an hour, each wait up to a quarter shorter by
//! what the key says. `Retry-After` in seconds is honoured up to six hours. After seven days an alert is given up
//! at its next failure. A channel that fails rests likewise, so that a receiver that is down is not asked once for
//! each alert that waits; the others go on meanwhile.
//!
//! | channel | delivered | given up at once | tried again |
//! | --- | --- | --- | --- |
//! | webhook, chat | 2xx | 4xx, but for 408, 425 and 429 | everything else, redirects too: none is followed |
//! | syslog | handed to the kernel; over TCP, the receiver closed in good order | | no socket, no connection |
//! | file | the line is on the disk | | it cannot be written, or is no regular file |
//! | command | exit code 0 within 30 seconds | | everything else; it is killed with what it started |
//!
//! # Webhooks
//!
//! One POST over a connection of its own, to the URL in the settings and nowhere else: no redirect, no proxy of the
//! environment, `http://` to this machine only. The server's certificate must be valid for the host. The answer's
//! body is not read. The body is the record below; beside it there are:
//!
//! | header | value |
//! | --- | --- |
//! | `Idempotency-Key` | the transition's key |
//! | `X-Certsweep-Timestamp` | when it is sent, in seconds since 1970 |
//! | `X-Certsweep-Signature` | `v1=` and the hex HMAC-SHA-256 of timestamp, `.` and body |
//!
//! To check it in Python:
//!
//! ```text
//! import hmac, time
//! def is_ours(headers, body, secret):
//!     sent = headers["X-Certsweep-Timestamp"]
//!     ours = "v1=" + hmac.new(secret, sent.encode() + b"." + body, "sha256").hexdigest()
//!     return hmac.compare_digest(ours, headers["X-Certsweep-Signature"]) and abs(time.time() - int(sent)) < 300
//! ```
//!
//! # The record
//!
//! Webhooks, files and commands get one JSON object: `"type":"transition"`, `schema`, `key`, `kind` (`new`, `moved`,
//! `returned`, `rotated`, `gone`), `time`, `address`, `port`, `server_name`, `vantage`, `scan`, `job`, the certificate as
//! `leaf`, the one that it took the place of as `previous`, where it was before as `from`, what either matches as
//! `matches` with the `tlp` of each, `evidence`, and `tlp`: the most closed level of the sets that it quotes, or null where it quotes none. Texts
//! are cut at 1,024 characters, and lists at 64 entries, beside which `from_count` and `match_count` are whole.
//!
//! Chats and syslog get one line. Addresses and names in it are defanged, strangers' text is cut and escaped; in a
//! chat it is a span of code, in which neither links nor mentions have an effect.
//!
//! # TLP
//!
//! A channel carries nothing of a set that is more closed than its `tlp`: matches of such sets are left out, and where
//! what is left would not have been told by itself, nothing is.
//!
//! # Syslog
//!
//! Messages are as in RFC 5424: facility `daemon`, severity `warning` for tiers A and B and `notice` for all else, the kind
//! as message id, and structured data `certsweep@32473` (the number for examples: none is registered) with `key`,
//! `address`, `port`, `vantage`, `server_name`, `job`, `sha1`, `sha256`, `tier`, `set` and `tlp`. They have at most 2,048
//! bytes. Over TCP each has its length before it (RFC 6587).
//!
//! # Files and commands
//!
//! A file is opened for each line, so that it may be rotated away at any time, and is made with mode 0600.
//!
//! A command is started without a shell and with no environment but `PATH` and `LANG`. The record is one line on its
//! standard input, nothing of it is in the arguments, and what it prints is dropped.
