//! A crowd of all manners before a server at its cap, for as long as one likes: nothing grows.
//!
//! ```text
//! SOAK_SECONDS=1800 SOAK_CSV=soak.csv SOAK_SVG=soak.svg cargo test --release -p tests --test soak
//! ```
//!
//! The server is the example `probe`, a process of its own, whose memory, descriptors and threads are
//! read once a second. Clients rest, are silent, drip, do not read, hang up in the middle, pipeline,
//! upload, stream, and rush in; a few are normal, and are timed. What any of them is told that it has
//! not brought upon itself is an error. Without `SOAK_SECONDS` it takes 20 seconds.
#![cfg(target_os = "linux")]

#[path = "soak/crowd.rs"]
mod crowd;
#[path = "soak/manners.rs"]
mod manners;
#[path = "soak/samples.rs"]
mod samples;
#[path = "soak/picture.rs"]
mod picture;

use std::time::{Duration, Instant};
use std::{env, fs, thread};

use harness::figures::Figures;
use harness::program::{Program, command};

use crowd::Crowd;
use samples::Samples;

/// How many connections the server takes, and what it may have beside those: refused connections that
/// are heard out, and threads and connections that are just coming or going.
const CAP: u64 = 200;
const REFUSED: u64 = 256;
const ON_THE_WAY: u64 = 48;

/// What an idle server may have of threads: the one that conducts, the one for signals, and spare ones.
const HANDFUL: u64 = 20;

/// Short, so that each of them runs out many times.
const SETTINGS: [(&str, &str); 7] = [
    ("PORT", "0"),
    ("PROBE_CONNECTIONS", "200"),
    ("PROBE_FIRST_BYTE_MS", "2000"),
    ("PROBE_HEAD_TIME_MS", "3000"),
    ("PROBE_BODY_GRACE_MS", "2000"),
    ("PROBE_WRITE_STALL_MS", "2000"),
    ("PROBE_IDLE_MS", "5000"),
];

#[test]
fn nothing_grows_before_a_crowd_of_all_manners() {
    let seconds = env::var("SOAK_SECONDS")
        .ok()
        .map_or(20, |text| text.parse().expect("SOAK_SECONDS is a number of seconds"));
    let probe = Program::start(command("probe", &SETTINGS));
    assert_eq!(probe.client().get("/").answer().status, 200);
    let before = Figures::of(probe.id());

    let crowd = Crowd::before(probe.address());
    let mut samples = Samples::default();
    let begun = Instant::now();
    thread::scope(|scope| {
        crowd.send(scope);
        for second in 1..=seconds {
            crowd.rest_until(begun + Duration::from_secs(second));
            samples.take(second, Figures::of(probe.id()), &crowd);
        }
        crowd.go_home();
    });
    if let Ok(file) = env::var("SOAK_CSV") {
        fs::write(file, samples.csv()).expect("the samples can be kept");
    }
    if let Ok(file) = env::var("SOAK_SVG") {
        fs::write(file, picture::draw(&samples)).expect("the picture can be kept");
    }
    println!("{}{}", samples.summary(), crowd.summary());
    assert!(crowd.wrongs().is_empty(), "{:#?}", crowd.wrongs());
    samples.assert_flat();

    // They have all gone. What was theirs is given back.
    let gone = Instant::now();
    loop {
        let after = Figures::of(probe.id());
        if after.threads <= HANDFUL && after.descriptors <= before.descriptors + 1 {
            break;
        }
        assert!(gone.elapsed() < Duration::from_secs(30), "{before:?} became {after:?}");
        thread::yield_now();
    }
    assert_eq!(probe.client().get("/").answer().status, 200);
    probe.signal("TERM");
    let (status, errors) = probe.end();
    let unexpected: Vec<_> = errors.iter().filter(|line| !tells_of_panic(line)).collect();
    assert!(status.success() && unexpected.is_empty(), "{status}: {unexpected:?}");
}

/// Whether a line is of the message of a panic that was asked for.
fn tells_of_panic(line: &str) -> bool {
    let begins = ["thread 'longhand' ", "note: run with "];
    line.is_empty()
        || line.contains("asked to")
        || begins.iter().any(|begin| line.starts_with(begin))
}
