//! The program as a whole: run as people run it, against servers on loopback.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

/// Wrong input, and what the system denies: one clear line, the right exit code, nothing sent.
mod input;
/// Every target of the lab is seen as what it is, in any order, shard and concurrency.
mod lab_table;
/// Sixty thousand targets, none lost, in memory that does not grow with them.
mod large;
/// What was interrupted or killed is finished by `--resume`, nothing twice and nothing lost.
mod resume;
/// What the tests share.
mod support;
