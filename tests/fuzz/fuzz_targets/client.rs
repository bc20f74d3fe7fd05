//! The whole client against servers that say anything, in the clear and encrypted.
#![no_main]

use certsweep::domain::tls::own::exercise;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| exercise::client(input));
