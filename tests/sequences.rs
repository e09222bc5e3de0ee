//! The state machine of a connection, exhaustively: every sequence of a few events.
//!
//! An event is what a peer does next (it sends a piece of a message, pauses past a deadline, ends,
//! resets) or what a handler does once it is called (it reads none, some or all of the body; it answers,
//! streams, fails, panics, upgrades). All sequences are tried, against what must hold of each:
//! no answer without a request and never two, order kept, nothing parsed behind a refusal, a close
//! announced or owed, nothing left behind, an end within the deadlines.
//!
//! `SEQUENCE_EVENTS=6` tries all of up to six events; with an optimised build that takes some minutes.

#[path = "sequences/check.rs"]
mod check;
#[path = "sequences/events.rs"]
mod events;
#[path = "sequences/run.rs"]
mod run;

use std::env;
use std::time::Duration;

use events::{ACTS, Act, DEEDS, Deed};
use longhand::transport::Happened;
use run::{Cut, Run, Takes};

/// Events of a sequence in a short run.
const EVENTS: usize = 4;

/// The sequences tried so far.
#[derive(Debug, Default)]
struct Tally {
    /// Sequences that differ in what happened.
    tried: u64,
    /// Sequences whose last events nobody saw: the connection was over.
    over: u64,
    answers: u64,
    longest: Duration,
}

#[test]
fn every_sequence_of_events_keeps_what_was_promised() {
    let events = env::var("SEQUENCE_EVENTS").map_or(EVENTS, |text| {
        text.parse().unwrap_or_else(|_| panic!("SEQUENCE_EVENTS={text:?}: expected a number"))
    });
    let mut tally = Tally::default();
    // What is kept for ever is made by the first of them.
    explore(&mut Vec::new(), &mut Vec::new(), 2, &mut Tally::default());
    #[cfg(target_os = "linux")]
    let before = process();
    explore(&mut Vec::new(), &mut Vec::new(), events, &mut tally);
    #[cfg(target_os = "linux")]
    {
        let after = process();
        assert_eq!((after.threads, after.descriptors), (before.threads, before.descriptors));
        // 100 bytes lost in each sequence would be more.
        let more = after.resident.saturating_sub(before.resident);
        assert!(more < 4 << 20, "{more} bytes of memory are not given back");
    }
    println!("up to {events} events: {tally:?}");
    assert!(tally.tried > 1_000 && tally.answers > 1_000, "{tally:?}");
}

/// What this process holds.
#[cfg(target_os = "linux")]
struct Process {
    threads: usize,
    descriptors: usize,
    /// Bytes of memory that are there, and of no file.
    resident: usize,
}

#[cfg(target_os = "linux")]
fn process() -> Process {
    let entries = |path| std::fs::read_dir(path).expect("/proc").count();
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
    let kib = line.trim().strip_suffix(" kB").and_then(|number| number.parse::<usize>().ok());
    Process {
        threads: entries("/proc/self/task"),
        descriptors: entries("/proc/self/fd"),
        resident: kib.expect("a number of kB") << 10,
    }
}

/// Tries what has been chosen, then everything that may follow, `left` events at most.
fn explore(acts: &mut Vec<Act>, deeds: &mut Vec<Deed>, left: usize, tally: &mut Tally) {
    let run = Run::new(acts, deeds, Cut::AsSent, Takes::All);
    if run.wants_deed {
        // The sequence is not finished: what the handler does is its next event.
        for deed in if left > 0 { DEEDS } else { &[] } {
            deeds.push(*deed);
            explore(acts, deeds, left - 1, tally);
            deeds.pop();
        }
        return;
    }
    tally.tried += 1;
    tally.answers += run.calls.len() as u64;
    tally.longest = tally.longest.max(run.elapsed);
    check::all(acts, deeds, &run);
    check_variants(acts, deeds, &run);
    if left == 0 || acts.last().is_some_and(|act| act.is_last()) {
        return;
    }
    for (number, act) in ACTS.iter().enumerate() {
        acts.push(*act);
        // The first is the peer's end: where even that is not seen, nothing is that follows.
        if number == 0 && Run::new(acts, deeds, Cut::AsSent, Takes::All).happened == run.happened {
            tally.over += (1..=left)
                .map(|n| (ACTS.len() as u64).pow(u32::try_from(n).unwrap_or(0)))
                .sum::<u64>();
            acts.pop();
            return;
        }
        explore(acts, deeds, left - 1, tally);
        acts.pop();
    }
}

/// The same bytes in other pieces mean the same; and a peer that stops reading gets the beginning of the
/// same.
fn check_variants(acts: &[Act], deeds: &[Deed], run: &Run) {
    for cut in [Cut::Joined, Cut::Bytes] {
        let other = Run::new(acts, deeds, cut, Takes::All);
        if acts.contains(&Act::Reset) {
            // A reset meets the one with more read and written than the other.
            let [short, long] = [&run.output, &other.output];
            let agree = short.starts_with(long) || long.starts_with(short);
            assert!(agree || other.wants_deed, "{cut:?}: {acts:?} {deeds:?}\n{run:?}\n{other:?}");
            continue;
        }
        assert!(
            other.calls == run.calls && other.output == run.output && other.why == run.why,
            "in other pieces, {cut:?}: {acts:?} {deeds:?}\n{run:?}\n{other:?}"
        );
        // What bytes earn is rounded down once for each read.
        let differs = other.elapsed.abs_diff(run.elapsed);
        assert!(differs < Duration::from_micros(1), "{differs:?}, {cut:?}: {acts:?} {deeds:?}");
    }
    for bytes in [0, 40] {
        let deaf = Run::new(acts, deeds, Cut::AsSent, Takes::Only(bytes));
        let place = || format!("{bytes} taken: {acts:?} {deeds:?}\n{run:?}\n{deaf:?}");
        assert!(deaf.wants_deed || run.output.starts_with(&deaf.output), "{}", place());
        assert!(deaf.output.len() <= bytes, "{}", place());
        assert_eq!(deaf.held, 0, "{}", place());
        let stalls = deaf.happened.iter().filter(|(_, what)| *what == Happened::Stalled).count();
        assert!(stalls <= 1, "written on after a write had failed: {}", place());
    }
}
