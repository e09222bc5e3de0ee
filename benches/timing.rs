//! Whether the time of a comparison tells where two secrets differ. Standard library only.
//!
//! Two comparisons of 32 octets: `mac::equal`, by which the kit compares whatever is secret, and one
//! that stops at the first difference, as a control that must be found out. Each is given secrets that
//! differ in the first octet, in the middle, in the last, and not at all, in random order, so that
//! nothing else that happens on the machine falls upon one kind alone.
//!
//! A histogram comes out for each, and Welch's t of each kind against those that are equal: a
//! difference of the means in units of its own uncertainty. Beyond 4.5 either way it is real, as
//! those say who test hardware by it (Goodwill and others, 2011); the slowest tenth of the
//! samples, in which something else ran, is left out.
//!
//! `cargo bench --bench timing` measures. Without `--bench` there is one quick pass, whose results are
//! checked and not timed.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use benches::measures;
use longhand_kit::mac;

const LENGTH: usize = 32;
/// Calls of one sample: one alone is shorter than the clock's own noise.
const CALLS: usize = 32;
const SAMPLES: usize = 400_000;
/// Where the secrets differ.
const KINDS: [(&str, Option<usize>); 4] = [
    ("the first", Some(0)),
    ("the middle", Some(LENGTH / 2)),
    ("the last", Some(LENGTH - 1)),
    ("nowhere", None),
];
/// Beyond this a difference is real.
const REAL: f64 = 4.5;
const COLUMNS: usize = 12;

type Compare = fn(&[u8], &[u8]) -> bool;

fn main() -> ExitCode {
    let secret: Vec<u8> = (0..=u8::MAX).step_by(7).take(LENGTH).collect();
    let guesses = KINDS.map(|(_, place)| {
        let mut guess = secret.clone();
        if let Some(place) = place {
            guess[place] ^= 0x40;
        }
        guess
    });
    let subjects: [(&str, Compare); 2] =
        [("mac::equal", mac::equal), ("one that stops early", stops_early)];
    for (_, compare) in subjects {
        for (guess, (kind, place)) in guesses.iter().zip(KINDS) {
            assert_eq!(compare(&secret, guess), place.is_none(), "{kind}");
        }
    }
    if !measures() {
        println!("2 comparisons of {} kinds give the results they should", KINDS.len());
        return ExitCode::SUCCESS;
    }
    let told = subjects.map(|(name, compare)| report(name, &sampled(compare, &secret, &guesses)));
    // The control has to be found out: else this shows nothing of the other either.
    if told == [false, true] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[inline(never)]
fn stops_early(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| black_box(a) == b)
}

/// Nanoseconds a call, of each kind.
fn sampled(compare: Compare, secret: &[u8], guesses: &[Vec<u8>; KINDS.len()]) -> [Vec<f64>; 4] {
    let mut times = [const { Vec::new() }; KINDS.len()];
    let mut random = 1_u64;
    for _ in 0..SAMPLES {
        // Knuth's MMIX generator; its high bits are the good ones.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let kind = (random >> 62) as usize;
        // One place in memory for all of them.
        let mut guess = [0; LENGTH];
        guess.copy_from_slice(&guesses[kind]);
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(compare(black_box(secret), black_box(&guess)));
        }
        times[kind].push(start.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.truncate(times.len() * 9 / 10);
        times
    })
}

/// Prints what was measured; true if it tells where secrets differ.
fn report(name: &str, times: &[Vec<f64>; KINDS.len()]) -> bool {
    let at = |share: usize| {
        let of = times.iter().map(|times| times[times.len() * share / 100]);
        of.fold((f64::MAX, 0.0_f64), |(least, most), time| (least.min(time), most.max(time)))
    };
    let (from, to) = (at(1).0, at(99).1);
    let width = (to - from).max(0.01) / COLUMNS as f64;
    println!("\n{name}: of a thousand samples, how many took so long (ns a call, up to)\n");
    print!("{:<12}", "they differ");
    (1..=COLUMNS).for_each(|column| print!("{:>7.1}", from + width * column as f64));
    println!("{:>9}{:>8}", "mean", "t");
    let (equal, mut tells) = (mean(&times[KINDS.len() - 1]), false);
    for ((kind, _), times) in KINDS.iter().zip(times) {
        // They are in order: each column has what is below its end, less what came before.
        let mut before = 0;
        print!("{kind:<12}");
        for column in 1..=COLUMNS {
            let end = if column == COLUMNS { f64::MAX } else { from + width * column as f64 };
            let below = times.partition_point(|time| *time < end);
            print!("{:>7}", (below - before) * 1000 / times.len());
            before = below;
        }
        let own = mean(times);
        let t = (own.0 - equal.0) / (own.1 + equal.1).sqrt();
        println!("{:>9.2}{t:>8.1}", own.0);
        tells |= t.abs() > REAL;
    }
    println!("\n{}", if tells { "It tells where they differ." } else { "It tells nothing." });
    tells
}

/// The mean, and the square of its uncertainty.
fn mean(times: &[f64]) -> (f64, f64) {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let spread = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, spread / count)
}
