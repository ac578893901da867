//! Histories with a hostile server.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(lro_attack::origins::play(bytes)));
