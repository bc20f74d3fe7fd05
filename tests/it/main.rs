//! The program as a whole: run as people run it, against servers on loopback.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

/// `certsweep bench` measures every case.
mod bench;
/// Certificates written field by field.
mod certificate;
/// `certsweep match`: what others collected, looked up among the indicators.
mod collected;
/// Fifty thousand targets at full speed, each with its exact outcome.
mod crowd;
/// `certsweep demo` finds what it promises.
mod demo;
/// `scan --dry-run` tells all settings with their origins, and does nothing.
mod dry_run;
/// `--fail-on` turns matches into an exit code.
mod fail_on;
/// Hostile servers in memory: one exact outcome each, in any chunking.
mod hostile;
/// Wrong input, and what the system denies: one clear line, the right exit code, nothing sent.
mod input;
/// Every target of the lab is seen as what it is, in any order, shard and concurrency.
mod lab_table;
/// Sixty thousand targets, none lost, in memory that does not grow with them.
mod large;
/// Leaves that no well-behaved server shows.
mod leaves;
/// Ledgers put together.
mod merge;
/// Ledgers of earlier versions keep what they hold.
mod old_ledgers;
/// Help, manual pages, completions and the listing of indicators.
mod pages;
/// The comparison with other scanners runs what is there.
mod peers;
/// `certsweep probe` of one endpoint.
mod probe;
/// What was interrupted or killed is finished by `--resume`, nothing twice and nothing lost.
mod resume;
/// Search and show: what the ledger remembers.
mod search;
/// Six nights of one range, as a nightly rescan tells them.
mod story;
/// Strange but possible input.
mod strange;
/// What the tests share.
mod support;
/// The sources keep the rules that no compiler checks.
mod tidy;
/// Matches by tier: what is certain is never mixed with what is guessed.
mod tiers;
/// Several processes at one ledger.
mod together;
/// The order of targets: its length costs no memory.
mod walk;
/// `certsweep watch`: jobs on a schedule, once, and what is told of them.
mod watch;
