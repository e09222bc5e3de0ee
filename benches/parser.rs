//! How fast bytes become values: heads, chunks, dates, escapes, forms, pages, hashes. Standard library
//! only.
//!
//! The heads of `heads.rs` enter, from the shortest that is legal to one of 64 fields; a table of
//! nanoseconds an operation and bytes a second comes out. Each figure is the median of rounds in which
//! all subjects take turns, so that a busy machine is unkind to all alike.
//!
//! `cargo bench --bench parser` measures. Without `--bench`, as `cargo test --all-targets` runs it,
//! there is one quick pass over each subject, whose results are checked and not timed.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use benches::heads::{self, Head};
use benches::{Report, measures};
use longhand::Limits;
use longhand::wire::{
    Chunk, ChunkedDecoder, Parsed, RequestHead, encode_chunk_size, format_date, parse_date,
    percent_decode, percent_encode,
};
use longhand_kit::form::Form;
use longhand_kit::html::escape;
use longhand_kit::mac::sha256;

/// Rounds of which the median is taken. Odd, so that there is one.
const ROUNDS: usize = 31;

/// About how long one subject takes in one round.
const ROUND_NANOSECONDS: u128 = 4_000_000;

/// One thing that is measured: it takes `bytes` bytes through an operation and gives a number that
/// depends on the result, so that no optimiser drops the work.
struct Subject {
    name: String,
    bytes: usize,
    wanted: usize,
    operation: Box<dyn FnMut() -> usize>,
}

fn main() -> ExitCode {
    let mut subjects = subjects();
    for subject in &mut subjects {
        let found = (subject.operation)();
        assert_eq!(found, subject.wanted, "{} gives another result", subject.name);
    }
    if measures() {
        return measure(&mut subjects);
    }
    println!("{} subjects give the results they should", subjects.len());
    ExitCode::SUCCESS
}

fn subjects() -> Vec<Subject> {
    let mut subjects: Vec<Subject> = heads::all().into_iter().map(head).collect();
    subjects.push(chunks("64 KiB in 4 KiB chunks", 4_096));
    subjects.push(chunks("64 KiB in 64 B chunks", 64));
    subjects.extend(dates());
    subjects.extend(escapes());
    subjects.extend(forms());
    subjects.extend(pages());
    subjects.extend([64, 64 << 10].map(hash));
    subjects
}

fn head(Head { name, bytes, fields }: Head) -> Subject {
    let limits = Limits::default();
    let mut lines = Vec::new();
    Subject {
        name: format!("head, {name}"),
        bytes: bytes.len(),
        wanted: bytes.len() + fields,
        operation: Box::new(move || {
            match RequestHead::parse(black_box(&bytes), &limits, &mut lines) {
                Ok(Parsed::Complete { value, consumed }) => consumed + value.fields.len(),
                _ => 0,
            }
        }),
    }
}

/// Decodes a body as a connection does, without copying the data: counts it.
fn chunks(name: &str, size: usize) -> Subject {
    let data = vec![b'x'; 64 << 10];
    let mut body = Vec::new();
    for chunk in data.chunks(size) {
        encode_chunk_size(chunk.len(), &mut body);
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let limits = Limits::default();
    Subject {
        name: format!("chunks, {name}"),
        bytes: body.len(),
        wanted: data.len(),
        operation: Box::new(move || {
            let mut rest = &black_box(&body)[..];
            let mut decoder = ChunkedDecoder::new(&limits);
            let mut decoded = 0;
            while let Ok((read, next)) = decoder.framing(rest) {
                rest = &rest[read..];
                let Chunk::Data(left) = next else { break };
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                decoder.took(here as u64);
                rest = &rest[here..];
                decoded += here;
            }
            decoded
        }),
    }
}

fn dates() -> [Subject; 2] {
    let text = format_date(784_111_777);
    [
        Subject {
            name: "date, written".to_string(),
            bytes: text.len(),
            wanted: usize::from(b'9'),
            operation: Box::new(|| usize::from(format_date(black_box(784_111_777))[12 + 2])),
        },
        Subject {
            name: "date, read".to_string(),
            bytes: text.len(),
            wanted: 784_111_777,
            operation: Box::new(move || {
                let seconds = parse_date(black_box(&text), 1_795_000_000).unwrap_or_default();
                usize::try_from(seconds).unwrap_or_default()
            }),
        },
    ]
}

fn escapes() -> [Subject; 2] {
    let plain = "name=Erika Mustermann&town=K\u{f6}ln&note=half a line of text, as forms send it";
    let encoded = percent_encode(plain.as_bytes());
    [
        Subject {
            name: "percent, encoded".to_string(),
            bytes: plain.len(),
            wanted: encoded.len(),
            operation: Box::new(move || percent_encode(black_box(plain).as_bytes()).len()),
        },
        Subject {
            name: "percent, decoded".to_string(),
            bytes: encoded.len(),
            wanted: plain.len(),
            operation: Box::new(move || percent_decode(black_box(&encoded)).map_or(0, |d| d.len())),
        },
    ]
}

fn forms() -> [Subject; 2] {
    let line = |i: usize| format!("field_{i}=some+value+of+number+{i}%2C+with+an+escape+or+two%21");
    let page =
        format!("title=A+note&text={}", "a+line+of+prose%2C+as+it+is+typed%0D%0A".repeat(250));
    [("20 pairs", (0..20).map(line).collect::<Vec<_>>().join("&"), 20), ("a long text", page, 2)]
        .map(|(name, form, pairs)| Subject {
            name: format!("form, {name}"),
            bytes: form.len(),
            wanted: pairs,
            operation: Box::new(move || Form::parse(black_box(&form)).map_or(0, |form| form.len())),
        })
}

fn pages() -> [Subject; 2] {
    let prose = "Half a page of text as people write it, with few marks of any kind. ".repeat(15);
    let markup = "<p class=\"a\">if (a < b && c > d) { return 'x'; }</p>\n".repeat(20);
    [("prose", prose), ("markup", markup)].map(|(name, text)| Subject {
        name: format!("escape, {name}"),
        bytes: text.len(),
        wanted: escaped_length(&text),
        operation: Box::new(move || escape(black_box(&text)).len()),
    })
}

/// How long a text is when its five marks have become references.
fn escaped_length(text: &str) -> usize {
    let marks = [('&', 4), ('<', 3), ('>', 3), ('"', 5), ('\'', 4)];
    text.len() + marks.iter().map(|(mark, more)| text.matches(*mark).count() * more).sum::<usize>()
}

/// The wanted octets are the first of what another program makes of so many zeros.
fn hash(length: usize) -> Subject {
    let wanted = if length == 64 { 0xf5 } else { 0xde };
    let bytes = vec![0; length];
    Subject {
        name: format!("SHA-256, {length} B"),
        bytes: length,
        wanted,
        operation: Box::new(move || usize::from(sha256(black_box(&bytes))[0])),
    }
}

fn measure(subjects: &mut [Subject]) -> ExitCode {
    let mut report = Report::default();
    let repeats: Vec<u32> = subjects.iter_mut().map(repeats).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); subjects.len()];
    for round in 0..ROUNDS {
        for turn in 0..subjects.len() {
            let i = (turn + round) % subjects.len();
            times[i].push(time(&mut subjects[i], repeats[i]));
        }
    }
    println!("| subject | bytes | ns/op, median | best | worst | GB/s |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (subject, mut times) in subjects.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let (best, median, worst) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
        let rate = subject.bytes as f64 / median;
        let (name, bytes) = (&subject.name, subject.bytes);
        println!("| {name} | {bytes} | {median:.1} | {best:.1} | {worst:.1} | {rate:.2} |");
        report.add(name, median);
    }
    report.finish()
}

/// How often a subject is run in a round: doubled until it takes long enough to be timed.
fn repeats(subject: &mut Subject) -> u32 {
    let mut repeats = 1;
    loop {
        let start = Instant::now();
        run(subject, repeats);
        if start.elapsed().as_nanos() > ROUND_NANOSECONDS / 2 || repeats > 1 << 24 {
            return repeats;
        }
        repeats *= 2;
    }
}

/// Nanoseconds an operation.
fn time(subject: &mut Subject, repeats: u32) -> f64 {
    let start = Instant::now();
    run(subject, repeats);
    start.elapsed().as_secs_f64() * 1e9 / f64::from(repeats)
}

fn run(subject: &mut Subject, repeats: u32) {
    for _ in 0..repeats {
        black_box((subject.operation)());
    }
}
