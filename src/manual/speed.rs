//! How fast it is, and how to check it.
//!
//! `certsweep bench` measures what a target costs on the machine that it runs on. It sends nothing beyond loopback, and
//! starts its servers in a process of their own, which is not counted: `cpu_us_per_target` is user and system time of the
//! scanning process alone. Microseconds differ between machines and with whatever else they do; ratios hardly do, as
//! cases take turns. On loopback the kernel does the receiving half of a packet's way inside the sender's system call, so
//! that every figure, the floors' too, holds some of the server's work.
//!
//! Build with `--release`, leave the machine alone, and read ratios first. Differences below a tenth mean nothing.
//!
//! # What each case is
//!
//! | case | what it does | compared with |
//! | --- | --- | --- |
//! | `floor_plain` | a bare loop over one event queue: socket, connect, close | |
//! | `floor_reuse` | the same loop with sockets that are used again: connecting to `AF_UNSPEC` takes them back | |
//! | `auto_tls12`, `auto_tls13` | a sweep as by default, of servers that pick that version; one leaf for all | floors |
//! | `leaf_tls12`, `leaf_tls13` | the same with `--handshake leaf` | floors |
//! | `auto_tls12_own_leaf` | as `auto_tls12`, with another leaf at each target | floors |
//! | `auto_matches` | TLS 1.2; one target in a thousand matches an indicator and has its handshake completed | `leaf_tls12` |
//! | `stored_one_leaf` | as `auto_tls12`, into a ledger and a file of JSON Lines, both temporary | `auto_tls12` |
//! | `stored_own_leaf` | the same with another leaf at each target | `auto_tls12_own_leaf` |
//! | `floor_rustls` | a bare loop of whole handshakes: rustls, TLS 1.3, X25519, the signature checked | |
//! | `full_tls13` | a sweep with `--handshake full` of the same servers | `floor_rustls` |
//! | `floor_refused` | the loop of `floor_plain` at a port without a listener | |
//! | `refused` | a sweep of the same port | `floor_refused` |
//! | `silent` | servers that accept and say nothing, up to 15,000 or as many as descriptors allow, all at once | |
//! | `paced` | at most 1,000 targets at a rate of 100 a second | |
//! | `paced_fast` | at most 20,000 targets at a rate of 20,000 a second | |
//! | `startup` | `certsweep probe`, from its start to its first connection, ten seconds at most | |
//!
//! Sweeps have everything that a scan has: scope check, order, pacing, deadlines, fingerprints, matching against the
//! built-in sets and one more. Servers answer from first flights that were made in advance, so that they cost next to
//! nothing; their signatures are real ones over another handshake, which take as long to check as any.
//! `auto_matches`, `floor_rustls` and `full_tls13` have servers that complete handshakes.
//!
//! `--case` picks cases; both floors, and what the cases are compared with, come along. `silent`, `paced` and
//! `paced_fast` are run once, before all others, whatever `--runs` says: `silent` so that it meets memory that nothing has
//! used before.
//!
//! # What is printed
//!
//! The table has a row for each case, then a line for each figure without a column. With `--format jsonl` there is one
//! object a case with these keys, all of them in each; `null` where a figure has no meaning:
//!
//! | key | what it is |
//! | --- | --- |
//! | `case`, `targets`, `concurrency` | what was run, over how many targets, so many open at once |
//! | `runs` | how many times; figures are medians of the runs |
//! | `ended_well` | how many targets ended as they should in the worst run; fewer than `targets` is exit code 4 |
//! | `cpu_us_per_target` | microseconds of CPU, user and system |
//! | `ratio_to_floor`, `ratio_to_reuse` | CPU over that of `floor_plain`, of `floor_reuse` |
//! | `base`, `ratio_to` | the case of the third column above, and CPU over its CPU |
//! | `targets_per_s` | targets over the time from first to last, with the servers on the same cores |
//! | `p50_us`, `p99_us` | from the start of a connection to its leaf, with so many open at once |
//! | `rss_kib` | the most memory that the process held right after a run; `silent`: while all were open |
//! | `in_flight`, `bytes_per_probe` | `silent`: probes open at once, and how much memory grew for each, the kernel's not counted |
//! | `rate_per_s`, `cpu_share` | `paced` and `paced_fast`: connections begun a second, from the first to the last, and CPU over time: one is a core |
//! | `startup_ms` | `startup`: milliseconds |
//!
//! # What is promised
//!
//! | figure | at most |
//! | --- | --- |
//! | `auto_tls12`: `ratio_to_floor`, `ratio_to_reuse` | 1.0, 1.3 |
//! | `auto_tls13`: `ratio_to_floor`, `ratio_to_reuse` | 1.2, 1.5 |
//! | `auto_matches`: `ratio_to` | 1.05 |
//! | `full_tls13`: `ratio_to` | 1.15 |
//! | `stored_one_leaf`, `stored_own_leaf`: `ratio_to` | 1.15, 2.0 |
//! | `refused`: `ratio_to` | 1.3 |
//! | `silent`: `bytes_per_probe`, `rss_kib` with 15,000 in flight | 512, 65,536 |
//! | `paced`: `cpu_share` | 0.03 |
//! | `startup`: `startup_ms` | 15 |
//!
//! # Where it goes
//!
//! A profile of the event loop (`perf record -g -- certsweep bench --case auto_tls12`, and `auto_tls13`; a virtual machine,
//! two cores of a Xeon, Linux 6.18, November 2026), in hundredths of its CPU time:
//!
//! | what | TLS 1.2 | TLS 1.3 |
//! | --- | --- | --- |
//! | kernel: connecting and disconnecting | 54 | 49 |
//! | kernel: sending the ClientHello, which on loopback delivers it as well | 31 | 28 |
//! | kernel: looking at the answer, waiting for news, the rest | 8 | 11 |
//! | TLS and hashes: keys, decryption, SHA-256 of the leaf | 1 | 5 |
//! | bookkeeping: order, pace, scope, deadlines, visits, observations | 3 | 4 |
//! | memory allocation, and what is too small to name | 3 | 3 |
//!
//! Nine tenths are the kernel's TCP: what is left to win there is not in this program's code but in doing without the
//! kernel's connections. Next would come a stage of SYN packets alone for empty ranges, and TCP in user space over packet
//! sockets; both need privileges. With the ledger, most of what is added is SQLite: three statements, in six B-trees, for
//! each new sighting.
//!
//! # Beside other scanners
//!
//! `benches/peers/compare` runs this program, zgrab2, tlsx, rxds and a bare Go client in turns on servers of
//! `certsweep bench --serve` that complete handshakes of TLS 1.2 and 1.3, and prints CPU time of each process for a target,
//! its memory, targets a second, and how many certificates it found. masscan, which has no certificates of these versions,
//! is compared by open ports over a link. Everything happens in network namespaces that the script makes, so that no
//! program, whatever its defaults, sends anything elsewhere. Its README says how to get the others, how far each goes in
//! a handshake, and what the figures do not say.
