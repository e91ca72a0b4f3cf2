//! Any text is a program or an error with a place in it.
#![no_main]

use chimera_sql::{Functions, Program};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Program::parse_script(text, &Functions::new(), &|_| None) {
        assert!(!error.to_string().is_empty());
    }
});
