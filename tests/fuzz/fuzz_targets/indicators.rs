//! Indicator set files.
#![no_main]

use certsweep::domain::indicator::exercise;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| exercise::indicators(input));
