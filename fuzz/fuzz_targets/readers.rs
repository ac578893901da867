//! Damaged replies of every dialect.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(lro_attack::readers::read(bytes)));
