//! Seven servers that almost work: `exercises/s1.rs` to `s7.rs`, one test for each.
//!
//! ```text
//! cargo test -p tests --test exercises          what is still wrong
//! cargo test -p tests --test exercises s3       with one of them
//! LONGHAND_EX=solutions cargo test -p tests --test exercises
//! ```
//!
//! A test that fails says what a user of the server would report, what went over the wire, and where
//! it stands how it should be.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use harness::lessons::{CHECKS, Outcome, Patience};

#[path = "exercises/mod.rs"]
pub mod exercises;

/// Runs the checks of a lesson on its server, all of them, and shows those that fail.
#[track_caller]
fn lesson(number: usize) {
    let servers = exercises::servers().unwrap_or_else(|error| panic!("{error}"));
    let serve = servers[number - 1];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    thread::spawn(move || serve(listener));

    let answer = Duration::from_secs(3);
    let patience = Patience { answer, until: Instant::now() + 4 * answer };
    let name = format!("S{number}");
    let checks = CHECKS.iter().filter(|check| check.name.starts_with(&name));
    let reports: Vec<_> = checks.map(|check| check.of(address, patience)).collect();
    let failed = reports.iter().filter(|report| report.outcome != Outcome::Passed);
    let failed: Vec<_> = failed.map(ToString::to_string).collect();
    assert!(failed.is_empty(), "\n\n{}", failed.join("\n"));
}

#[test]
fn s1_a_head_that_comes_in_pieces_is_one_request() {
    lesson(1);
}

#[test]
fn s2_a_body_belongs_to_its_request() {
    lesson(2);
}

#[test]
fn s3_an_answer_says_where_it_ends() {
    lesson(3);
}

#[test]
fn s4_whoever_is_refused_can_read_why() {
    lesson(4);
}

#[test]
fn s5_nobody_waits_for_somebody_who_says_nothing() {
    lesson(5);
}

#[test]
fn s6_several_workers_work_at_once_and_survive() {
    lesson(6);
}

#[test]
fn s7_a_request_with_two_lengths_is_the_last_one() {
    lesson(7);
}
