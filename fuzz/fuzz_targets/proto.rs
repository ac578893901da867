//! Damaged protobuf messages of `google.longrunning`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(lro_attack::readers::proto(bytes)));
