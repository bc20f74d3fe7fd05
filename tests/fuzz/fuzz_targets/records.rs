//! The stream cut into records.
#![no_main]

use certsweep::domain::tls::own::exercise;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| exercise::records(input));
