//! The ledger: one SQLite file that can be asked with plain SQL.
//!
//! It is in the user's data directory (`~/.local/share/certsweep/ledger.db`) or where `--store` says. Certificates
//! are stored once, keyed by SHA-256 and found by SHA-1; sightings are intervals; a scan has its plan,
//! scope, seed, counts by outcome and coverage. A visit has a row if it saw a leaf or went to an endpoint that
//! has a sighting; all others are counted by outcome.
//!
//! Five views are made for people:
//!
//! ```sql
//! -- Where was this certificate seen, and when?
//! SELECT address, port, first_seen, last_seen, count, key_proven
//!   FROM sightings WHERE sha1 = '7992c0a816246b287d991c4ecf68f2d32e4bca18';
//! -- What matched in a scan?
//! SELECT tier, set_name, label, address, port, key_proven FROM matches WHERE scan = '01JD...';
//! -- How did the visits of a scan end, those that have a row?
//! SELECT address, port, outcome, detail, tls_version, cipher_suite FROM visits WHERE scan = '01JD...';
//! -- What was swept?
//! SELECT id, scope, started, ended, complete, visits, matched FROM scans;
//! -- What did SoftEther servers say of themselves (--confirm-softether)? 501 is version 5.01.
//! SELECT address, port, product, version, build, time FROM softether_servers;
//! ```
//!
//! `matches` holds every tier; `tier IN ('A', 'B')` is what is certain. The table `indicator` keeps each indicator as
//! records spell it, with its provenance, and a profile with its rule. A scan's `matched` counts visits at tier A.
//!
//! `attempt` shows every connection of a visit; the one attempt of most visits is kept with its visit and has no row of its
//! own.
//!
//! The tables behind the views are made for size. Visits and sightings call a scan by its number in `scan_number`, a
//! visit's words are in `manner` and its chain in `chain_list`, once for all visits that share them. An `endpoint_id` is
//! the number of an address times 65,536 plus the port: an IPv4 address is its own number, so that a prefix is one range
//! (`endpoint_id BETWEEN 3221225984 * 65536 AND 3221226239 * 65536 + 65535` is 192.0.2.0/24); IPv6 addresses have theirs
//! in `address6`. All visits of an endpoint lie side by side, and all sightings of a certificate, so that no further
//! index is needed for either; what a whole scan saw is found by a pass over `visit`. A visit may see more than one leaf:
//! `further_leaf` has the others.
//!
//! `job` holds what `watch` remembers of its jobs; a process that runs one holds `LEDGER-job-NAME.lock`.
//!
//! `pending_place` lists where something changed and transitions are still to be looked for.
//!
//! Targets that a fault in certsweep kept from being probed are in the table `fault`. While a scan runs there is a
//! file `LEDGER-SCAN.lock` beside the ledger, and one for its part of the plan: a row of `lease` says who sweeps that, so
//! that a second scan of the same part is refused (exit code 4). The lock of a process that was killed is free at once;
//! what another machine began is waited for until a minute after its last batch.
//!
//! Writes come from one process in short transactions, in write-ahead-log mode; readers are never kept out.
//! `user_version` is the version of the schema: older files are migrated when they are opened for
//! writing, newer ones are refused and left as they are. A full disk or a read-only place ends a sweep with
//! exit code 4; what was committed before is kept, and `--resume` finishes the scan.
//!
//! The table `outbox` has a row for each alert and channel ([`alerts`](super::alerts)): `next_attempt` while it waits,
//! then `delivered` or `given_up`, and `last_error`. One row without a channel says up to which transition it was decided who
//! is told.
