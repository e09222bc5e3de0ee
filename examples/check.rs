//! Checks a server, in any language, for what seven lessons teach.
//!
//! ```text
//! cargo run --example check -- 127.0.0.1:8000
//! cargo run --example check -- 127.0.0.1:8000 S1 S5
//! ```
//!
//! The server answers `GET /` with 200, `POST /echo` with the body, and `GET /slow` after a second.
//! What it has not got is left out: S4 needs a server that refuses 4,000,000 bytes, S5b a bookmark
//! server. Each check says what it sent, what came back, what was wanted and why. All end within 20
//! seconds. The exit code is 0 where none failed, 1 where one did, 2 where the arguments are at fault.

use std::env;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{ExitCode, exit};
use std::time::{Duration, Instant};

#[path = "../tests/harness/lessons/mod.rs"]
pub mod lessons;

use lessons::{CHECKS, Check, Outcome, Patience};

/// Less than 20 seconds, so that the last one has time to say how it ended.
const ALTOGETHER: Duration = Duration::from_secs(18);

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let address = address(&arguments.next().unwrap_or_else(|| usage("what is to be checked?")));
    let chosen: Vec<&Check> = match arguments.collect::<Vec<_>>() {
        names if names.is_empty() => CHECKS.iter().collect(),
        names => names.iter().flat_map(|name| named(name)).collect(),
    };
    let patience = Patience { answer: Duration::from_secs(2), until: Instant::now() + ALTOGETHER };
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    for check in chosen {
        let report = check.of(address, patience);
        match &report.outcome {
            Outcome::Unreachable(why) if passed + failed + left_out == 0 => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
            _ => println!("{report}"),
        }
        match report.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed(_) | Outcome::Unreachable(_) => failed += 1,
            Outcome::LeftOut(_) => left_out += 1,
        }
    }
    println!("{passed} passed, {failed} failed, {left_out} left out");
    ExitCode::from(u8::from(failed > 0))
}

/// The checks of this lesson, or the one of this name.
fn named(name: &str) -> Vec<&'static Check> {
    let is_named = |check: &&Check| {
        let start = check.name.get(..name.len());
        name.len() >= 2 && start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let checks: Vec<_> = CHECKS.iter().filter(is_named).collect();
    if checks.is_empty() {
        usage(&format!("{name}: no such check"));
    }
    checks
}

/// Nobody connects to find out which address answers: some servers do not survive that.
fn address(text: &str) -> SocketAddr {
    let found: Vec<_> = match text.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => usage(&format!("{text}: {error}")),
    };
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    *first.unwrap_or_else(|| usage(&format!("{text}: has no address")))
}

fn usage(why: &str) -> ! {
    eprintln!("{why}\nusage: check HOST:PORT [S1 … S7]");
    for check in CHECKS {
        eprintln!("  {:<4} {}", check.name, check.title);
    }
    exit(2)
}
