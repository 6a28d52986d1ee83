#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::run("hl7v2", octets));
