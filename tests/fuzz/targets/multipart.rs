#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::laws::multipart::check(bytes));
