#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| harness::laws::values::check(bytes));
