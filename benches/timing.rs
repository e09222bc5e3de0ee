//! Whether the time that a guess takes tells anything of a secret. Standard library only.
//!
//! - `mac::equal`, by which the kit compares whatever is secret, on 32 octets that differ in the first,
//!   in the middle, in the last, and nowhere.
//! - A comparison that stops at the first difference: the control, which must be found out.
//! - `Keys::verify`, on signatures that differ in one character: the first, one in the middle, the last
//!   but one.
//! - `Accounts::check` while a delay runs, which looks at no password and so is quick, for a user who
//!   exists and for one who does not.
//!
//! The kinds of a subject come in random order, so that nothing else that happens on the machine falls
//! upon one alone. A histogram comes out for each, and Welch's t of each kind against the last: a
//! difference of the means in units of its own uncertainty. Beyond 4.5 either way it is real, as those
//! say who test hardware by it (Goodwill and others, 2011); the slowest tenth of the samples, in which
//! something else ran, is left out. What is more than a comparison allocates and locks besides, and
//! differs by a nanosecond for reasons of its own: there a hundredth of the mean is let pass.
//!
//! `cargo bench --bench timing` measures. Without `--bench` there is one quick pass, whose results are
//! checked and not timed.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use benches::measures;
use longhand_kit::auth::{Accounts, PasswordHash};
use longhand_kit::mac;
use longhand_kit::signed::Keys;

const LENGTH: usize = 32;
const SAMPLES: usize = 400_000;
/// Beyond this a difference is real.
const REAL: f64 = 4.5;
const COLUMNS: usize = 12;

/// What is timed.
struct Subject<'r> {
    name: &'static str,
    /// What one call may be given; the last is what the others are compared with.
    kinds: &'static [&'static str],
    /// One call with a guess of this kind: whether it was taken.
    run: &'r dyn Fn(usize) -> bool,
    /// Calls of one sample: one alone may be shorter than the clock's own noise.
    calls: u32,
    /// The share of the mean by which kinds may differ.
    spared: f64,
    /// Whether it has to be found out.
    tells: bool,
}

const PLACES: &[&str] = &["the first", "the middle", "the last", "nowhere"];

fn main() -> ExitCode {
    let secret: Vec<u8> = (0..=u8::MAX).step_by(7).take(LENGTH).collect();
    let guesses = [Some(0), Some(LENGTH / 2), Some(LENGTH - 1), None].map(|place| {
        let mut guess = secret.clone();
        if let Some(place) = place {
            guess[place] ^= 0x40;
        }
        guess
    });
    let equal = |kind: usize| compared(mac::equal, &secret, &guesses[kind]);
    let early = |kind: usize| compared(stops_early, &secret, &guesses[kind]);
    let (keys, now) = (keys(), SystemTime::UNIX_EPOCH);
    let signed = [0, 21, 41].map(|place| forged(&keys, place));
    let verify = |kind: usize| keys.verify("p", "n", black_box(&signed[kind]), now).is_ok();
    let (accounts, began) = (accounts(), Instant::now());
    let check = |kind: usize| {
        let user = ["ada", "eve"][kind];
        accounts.check(began, None, black_box(user), "guess").is_ok()
    };
    for user in [0, 1] {
        // The sixth wrong one is the first that is followed by a delay.
        (0..6).for_each(|_| assert!(!check(user)));
    }
    #[rustfmt::skip]
    let subjects = [
        Subject { name: "mac::equal", kinds: PLACES, run: &equal, calls: 32, spared: 0.0, tells: false },
        Subject { name: "one that stops early", kinds: PLACES, run: &early, calls: 32, spared: 0.0, tells: true },
        Subject { name: "Keys::verify", kinds: &PLACES[..3], run: &verify, calls: 1, spared: 0.01, tells: false },
        Subject { name: "Accounts::check", kinds: &["is there", "is not"], run: &check, calls: 1, spared: 0.01, tells: false },
    ];
    for subject in &subjects {
        for (kind, name) in subject.kinds.iter().enumerate() {
            assert_eq!((subject.run)(kind), *name == "nowhere", "{}: {name}", subject.name);
        }
    }
    if !measures() {
        println!("{} subjects give the results that they should", subjects.len());
        return ExitCode::SUCCESS;
    }
    // The control has to be found out: else this shows nothing of the others either.
    let as_wanted = subjects.map(|subject| subject.report(&subject.sampled()) == subject.tells);
    if as_wanted.iter().all(|it| *it) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// From one place in memory for all kinds.
#[inline(always)]
fn compared(compare: fn(&[u8], &[u8]) -> bool, secret: &[u8], guess: &[u8]) -> bool {
    let mut place = [0; LENGTH];
    place.copy_from_slice(guess);
    compare(black_box(secret), black_box(&place))
}

#[inline(never)]
fn stops_early(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| black_box(a) == b)
}

fn keys() -> Keys {
    Keys::parse([b'k'; LENGTH]).expect("a key that is long enough")
}

/// A signed value with another character in its signature: the next of the alphabet, which takes as long
/// to decode, so that the time of that is no difference.
fn forged(keys: &Keys, place: usize) -> String {
    // A signature with a letter or digit before the end of its row at all three places.
    let has_next = |octet: u8| octet.is_ascii_alphanumeric() && !b"Zz9".contains(&octet);
    let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    for number in 0..1_000 {
        let mut signed = keys.sign("p", "n", format!("{number:04}"), expiry).into_bytes();
        let tag = signed.len() - 43;
        if [0, 21, 41].iter().all(|place| has_next(signed[tag + place])) {
            signed[tag + place] += 1;
            return String::from_utf8(signed).expect("base64url");
        }
    }
    panic!("no signature of a thousand has such characters");
}

/// Ada is there, Eve is not; her hash is looked up for both.
fn accounts() -> Accounts {
    let hash = PasswordHash::make("secret", 1_000).expect("random bytes");
    let accounts = Accounts::new(move |user| {
        let copy = black_box(hash.clone());
        (user == "ada").then_some(copy)
    });
    accounts.expect("random bytes").rounds(1_000)
}

impl Subject<'_> {
    /// Nanoseconds a call, of each kind, in order.
    fn sampled(&self) -> Vec<Vec<f64>> {
        let mut times = vec![Vec::new(); self.kinds.len()];
        let mut random = 1_u64;
        for _ in 0..SAMPLES {
            // Knuth's MMIX generator; its high bits are the good ones.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let kind = (random >> 33) as usize % self.kinds.len();
            let start = Instant::now();
            for _ in 0..self.calls {
                black_box((self.run)(kind));
            }
            times[kind].push(start.elapsed().as_secs_f64() * 1e9 / f64::from(self.calls));
        }
        for times in &mut times {
            times.sort_by(f64::total_cmp);
            times.truncate(times.len() * 9 / 10);
        }
        times
    }

    /// Prints what was measured; true if it tells one kind from another.
    fn report(&self, times: &[Vec<f64>]) -> bool {
        let at = |share: usize| {
            let of = times.iter().map(|times| times[times.len() * share / 100]);
            of.fold((f64::MAX, 0.0_f64), |(least, most), time| (least.min(time), most.max(time)))
        };
        let (from, to) = (at(1).0, at(99).1);
        let width = (to - from).max(0.01) / COLUMNS as f64;
        println!(
            "\n{}: of a thousand samples, how many took so long (ns a call, up to)\n",
            self.name
        );
        print!("{:<12}", "");
        (1..=COLUMNS).for_each(|column| print!("{:>7.1}", from + width * column as f64));
        println!("{:>9}{:>9}", "mean", "t");
        let (last, mut tells) = (mean(&times[times.len() - 1]), false);
        for (kind, times) in self.kinds.iter().zip(times) {
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
            let t = (own.0 - last.0) / (own.1 + last.1).sqrt();
            println!("{:>9.2}{t:>9.1}", own.0);
            tells |= t.abs() > REAL && (own.0 - last.0).abs() > self.spared * last.0;
        }
        println!(
            "\n{}",
            if tells { "It tells them apart." } else { "It does not tell them apart." }
        );
        tells
    }
}

/// The mean, and the square of its uncertainty.
fn mean(times: &[f64]) -> (f64, f64) {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let spread = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, spread / count)
}
