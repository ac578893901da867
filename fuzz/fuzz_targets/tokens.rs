//! Forged tokens.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(lro_attack::tokens::play(bytes)));
