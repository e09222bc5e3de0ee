//! Every parser that strangers feed, on inputs that a seed makes: mostly of HTTP's grammar, partly not.
//!
//! What must hold of an input is in `tests/harness/laws`, what inputs are like in
//! `tests/harness/grammar.rs`. A run is short, and the same every time; it begins with the inputs in
//! `tests/fuzz/corpus`, which reach everything that any has reached. What fails prints its seed or its
//! file, its bytes, and how to try it again.
//!
//! - `FUZZ_SECONDS=3600` tries other inputs in every run, for so long for each parser.
//! - `FUZZ_SEED=0x1f` tries the one input of this seed.
//!
//! `tests/fuzz` runs the same laws where coverage leads.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use harness::grammar::{self, input};
use harness::laws;

/// Inputs of each parser in a short run.
const ROUNDS: u64 = 3_000;

/// What is being tried; told when that panics.
struct Trial<'a> {
    /// Where the bytes are from.
    from: String,
    /// How they are tried again.
    again: String,
    bytes: &'a [u8],
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { from, again, bytes } = self;
            eprintln!("\n{from}: \"{}\"\nagain: {again}", bytes.escape_ascii());
        }
    }
}

fn run(name: &str) {
    let (_, generate) = grammar::ALL.iter().find(|entry| entry.0 == name).expect("a generator");
    let (_, check) = laws::ALL.iter().find(|entry| entry.0 == name).expect("laws");
    let attempt = |seed| {
        let bytes = input(*generate, seed);
        let again = format!("FUZZ_SEED={seed:#x} cargo test -p tests --test fuzzing {name}");
        let _trial = Trial { from: format!("seed {seed:#x}"), again, bytes: &bytes };
        check(&bytes);
    };
    if let Some(seed) = number("FUZZ_SEED") {
        attempt(seed);
    } else if let Some(seconds) = number("FUZZ_SECONDS") {
        let end = Instant::now() + Duration::from_secs(seconds);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let first = now.as_secs() << 24;
        let mut seed = first;
        while Instant::now() < end {
            (0..100).for_each(|more| attempt(seed + more));
            seed += 100;
        }
        let told = format!("{name}: {} inputs from seed {first:#x} on\n", seed - first);
        std::io::stderr().write_all(told.as_bytes()).expect("written");
    } else {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        for entry in fs::read_dir(&corpus).unwrap_or_else(|e| panic!("{}: {e}", corpus.display())) {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a file");
            let again = format!("cargo test -p tests --test fuzzing {name}");
            let _trial = Trial { from: path.display().to_string(), again, bytes: &bytes };
            check(&bytes);
        }
        (0..ROUNDS).for_each(attempt);
    }
}

/// A number in the environment, in decimal or hexadecimal digits.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(
        number.unwrap_or_else(|_| panic!("{name}={text:?}: expected a number, such as 60 or 0x1f")),
    )
}

macro_rules! parsers {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*

        #[test]
        fn no_parser_is_left_out() {
            let tried = [$(stringify!($name)),*];
            assert!(laws::ALL.iter().map(|entry| entry.0).eq(tried));
        }
    };
}

parsers! { head chunked conversation responses cookies forms multipart ranges paths forwarded values }
