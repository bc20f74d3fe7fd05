//! How many instructions does the work on a target take? A count repeats where time does not, so that CI can guard it.
//!
//! `cargo bench --bench instructions` counts each case under callgrind and fails if one takes more than a tenth more
//! than `counts.toml` says; `-- --write` writes that file anew; `-- --test` runs each case once, without valgrind.
//!
//! Everything is fixed: bytes, keys, entropy, the clock, how often. Valgrind shows programs a processor without
//! SHA extensions and AVX-512, so that hashes cost several times what they do on most machines: compare a count with
//! itself, not with another. Compilers and C libraries move counts a little; `counts.toml` notes the compiler.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench tells, and stops at a fault")]

mod callgrind;
mod cases;
mod counts;
mod flights;

use std::hint::black_box;
use std::process::ExitCode;

use cases::{CASES, Case};
use counts::Counts;

/// Given to the program that runs under valgrind.
const COUNTED: &str = "--counted";

fn main() -> ExitCode {
    let is_given = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    if is_given("--test") {
        for case in CASES {
            (case.begin)()();
            println!("{}: ran once", case.name);
        }
        return ExitCode::SUCCESS;
    }
    if is_given(COUNTED) {
        CASES.iter().for_each(run);
        return ExitCode::SUCCESS;
    }
    let now = Counts::of(callgrind::totals(COUNTED, "instructions::counted"));
    if is_given("--write") {
        now.write();
        return ExitCode::SUCCESS;
    }
    let complaints = now.compared_with(&Counts::committed());
    complaints.iter().for_each(|complaint| println!("{complaint}"));
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does the operation of `case` once so that what is kept for later is there, then as often as is counted.
fn run(case: &Case) {
    let mut operation = (case.begin)();
    operation();
    counted(case.times, &mut operation);
}

/// Callgrind counts what happens in here, and knows it by its name.
#[inline(never)]
fn counted(times: u32, operation: &mut dyn FnMut()) {
    for _ in 0..times {
        operation();
    }
    // A call at the very end could be a jump, which callgrind would take for the end.
    black_box(());
}
