//! The wire format as a black box: golden cases, the two laws of the parser, and properties.
//!
//! Bytes enter, from `tests/golden` and from seeded mutations of it; what `longhand::wire` says of
//! them must be what the files say, and must keep to the laws at the top of `wire/mod.rs` whatever
//! the bytes are. Nothing here opens a socket.
//!
//! `GOLDEN=write cargo test -p tests --test wire` writes what the parser says over the expected
//! blocks. Read the difference before believing it: the files are the judge, not the parser.

use std::collections::HashSet;

use harness::golden::{self, Case, Settings};
use harness::laws::wire::{
    Decoded, check_head, check_laws, chunked_body, decode, message_end, part_bytes,
};
use harness::random::Random;
use longhand::Limits;
use longhand::wire::{
    Chunk, ChunkedDecoder, Explained, Kind, Part, Verdict, encode_chunk_size, format_date,
    parse_date, percent_decode, percent_encode,
};

/// Kinds that no parser of `wire` produces: the clock, the end of the stream, the size of a body and
/// what a connection serves are known to the connection alone.
const OF_THE_CONNECTION: &[Kind] = &[
    Kind::HeadTime,
    Kind::BodyTime,
    Kind::EndedInHead,
    Kind::EndedInBody,
    Kind::BodyTooLarge,
    Kind::Expectation,
    Kind::SchemeNotServed,
    Kind::ConnectRefused,
];

/// How many mutations each property is tried on.
const MUTATIONS: usize = 20_000;

/// Messages longer than this are not mutated, and not cut at every byte: a head of two megabytes
/// has as many beginnings.
const SHORT: usize = 2_048;

#[test]
fn golden_cases_are_what_the_files_say() {
    if golden::rewrites() {
        golden::rewrite();
        return;
    }
    let mut failures = Vec::new();
    for case in golden::cases() {
        let outcome = case.outcome();
        if outcome != case.expected {
            let differs = outcome.iter().zip(&case.expected).take_while(|(a, b)| a == b).count();
            let shown = |lines: &[String]| {
                lines.get(differs).map_or("(nothing more)".to_string(), Clone::clone)
            };
            failures.push(format!(
                "{}\n  tests/golden/{}:{}\n  expected: {}\n  found:    {}",
                case.place(),
                case.file,
                case.expected_line + differs,
                shown(&case.expected),
                shown(&outcome),
            ));
        }
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn golden_cases_are_many_and_each_has_a_title_of_its_own() {
    let cases = golden::cases();
    assert!(cases.len() >= 200, "only {} cases", cases.len());
    let mut titles = HashSet::new();
    for case in &cases {
        assert!(titles.insert((&case.file, &case.title)), "{}: a title used twice", case.place());
        assert!(!case.expected.is_empty(), "{}: nothing expected", case.place());
    }
}

#[test]
fn every_kind_of_violation_is_triggered_by_a_golden_case() {
    let triggered: HashSet<Kind> =
        golden::cases().iter().filter_map(|case| violation(&case.explained())).collect();
    for kind in Kind::ALL {
        let by_wire = triggered.contains(kind);
        let by_connection = OF_THE_CONNECTION.contains(kind);
        assert!(by_wire || by_connection, "no golden case is refused as {}", kind.name());
        assert!(!(by_wire && by_connection), "{} is listed as the connection's", kind.name());
    }
}

#[test]
fn the_laws_hold_on_every_case_and_each_of_its_beginnings() {
    for case in golden::cases() {
        for end in cuts(&case) {
            check_laws(&case.bytes[..end], &case.settings, &case.place());
        }
    }
}

#[test]
fn the_laws_hold_on_mutations() {
    for_mutations(1, check_laws);
}

#[test]
fn no_beginning_of_an_accepted_message_is_refused() {
    for case in golden::cases() {
        let whole = case.explained();
        if whole.verdict == Verdict::Accepted {
            let end = message_end(&whole);
            for cut in cuts(&case).into_iter().filter(|cut| *cut < end) {
                let verdict = case.settings.explain(&case.bytes[..cut]).verdict;
                assert_eq!(verdict, Verdict::Unfinished, "{}: first {cut} bytes", case.place());
            }
        }
    }
}

#[test]
fn bytes_behind_an_accepted_message_change_nothing_of_it() {
    let mut random = Random::new(2);
    let mut accepted = 0;
    let mut check = |bytes: &[u8], settings: &Settings, place: &str| {
        let before = settings.explain(bytes);
        if before.verdict != Verdict::Accepted {
            return;
        }
        accepted += 1;
        let end = message_end(&before);
        let own: Vec<_> = before.spans.iter().filter(|(part, _)| *part != Part::Next).collect();
        for more in [&b"GET / HTTP/1.1\r\n"[..], b"\r\n", b"\n", b"\0", b"5", &random.octets(9)] {
            let longer = [&bytes[..end], more].concat();
            let after = settings.explain(&longer);
            assert_eq!(after.verdict, Verdict::Accepted, "{place}: followed by {more:?}");
            let (next, same) = after.spans.split_last().expect("spans");
            assert_eq!(*next, (Part::Next, end..longer.len()), "{place}");
            assert!(same.iter().eq(own.iter().copied()), "{place}: followed by {more:?}");
        }
    };
    for case in golden::cases() {
        check(&case.bytes, &case.settings, &case.place());
    }
    for_mutations(3, &mut check);
    assert!(accepted > 500, "only {accepted} messages were accepted");
}

#[test]
fn a_head_parsed_is_the_head_explained() {
    for case in golden::cases() {
        for end in cuts(&case) {
            check_head(&case.bytes[..end], &case.settings, &case.place());
        }
    }
    for_mutations(4, check_head);
}

#[test]
fn chunks_fed_in_any_pieces_are_the_chunks_of_the_whole() {
    let mut random = Random::new(5);
    let mut check = |bytes: &[u8], settings: &Settings, place: &str| {
        let explained = settings.explain(bytes);
        let Some(start) = chunked_body(bytes, settings) else { return };
        let wanted = Decoded {
            data: part_bytes(bytes, &explained.spans, Part::ChunkData),
            end: match explained.verdict {
                Verdict::Accepted => Ok(Some(message_end(&explained) - start)),
                Verdict::Unfinished => Ok(None),
                Verdict::Refused(v) => Err((v.kind(), v.at() - start, v.found())),
            },
        };
        for largest in [1, 7, bytes.len()] {
            let found = decode(&bytes[start..], &settings.limits, &mut random, largest);
            assert_eq!(found, wanted, "{place}: pieces of up to {largest}");
        }
    };
    let cases: Vec<Case> = golden::cases()
        .into_iter()
        .filter(|case| case.bytes.len() <= SHORT)
        .filter(|case| chunked_body(&case.bytes, &case.settings).is_some())
        .collect();
    assert!(cases.len() > 50, "only {} bodies are chunked", cases.len());
    for case in &cases {
        check(&case.bytes, &case.settings, &case.place());
    }
    // Heads are left alone here: most mutations of a head have no body.
    for seed in 0..MUTATIONS as u64 {
        let mut random = Random::new(6 << 32 | seed);
        let (case, other) = (random.pick(&cases), random.pick(&cases));
        let start = chunked_body(&case.bytes, &case.settings).unwrap_or_default();
        let (head, body) = case.bytes.split_at(start);
        let bytes = [head, &random.mutate(body, &other.bytes)].concat();
        let place = format!("seed {seed}, {}: \"{}\"", case.place(), golden::escape(&bytes));
        check(&bytes, &case.settings, &place);
    }
}

#[test]
fn a_body_encoded_is_decoded_to_itself() {
    let mut random = Random::new(7);
    for round in 0..500 {
        let length = random.below(5_000);
        let body = random.octets(length);
        let mut coded = Vec::new();
        let mut rest = &body[..];
        while !rest.is_empty() {
            let most = 1 + random.below(2_000);
            let length = 1 + random.below(rest.len().min(most));
            encode_chunk_size(length, &mut coded);
            coded.extend_from_slice(&rest[..length]);
            coded.extend_from_slice(b"\r\n");
            rest = &rest[length..];
        }
        encode_chunk_size(0, &mut coded);
        coded.extend_from_slice(if round % 2 == 0 { b"\r\n" } else { b"Sum: 1\r\n\r\n" });
        let whole = coded.len();
        coded.extend_from_slice(b"GET /");
        let found = decode(&coded, &Limits::default(), &mut random, 1 + round * 3);
        assert_eq!(found, Decoded { data: body, end: Ok(Some(whole)) }, "round {round}");
    }
    for length in [1, 9, 10, 15, 16, 255, 256, usize::MAX] {
        let mut line = Vec::new();
        encode_chunk_size(length, &mut line);
        assert_eq!(line, format!("{length:x}\r\n").into_bytes());
        let mut decoder = ChunkedDecoder::new(&Limits::default());
        let next = decoder.framing(&line).expect("a size line");
        assert_eq!(next, (line.len(), Chunk::Data(length as u64)));
    }
}

#[test]
fn dates_are_read_as_they_are_written_and_nothing_else_panics() {
    let mut random = Random::new(8);
    let now = 1_795_000_000;
    for _ in 0..MUTATIONS {
        let seconds = random.next_u64() % 253_402_300_800;
        let text = format_date(seconds);
        assert_eq!(parse_date(&text, now), Some(seconds), "{}", text.escape_ascii());
        let changed = random.mutate(&text, b"Sunday, 06-Nov-94 08:49:37 GMT");
        if let Some(read) = parse_date(&changed, now) {
            assert!(read < 253_402_300_800, "{}", changed.escape_ascii());
            assert_eq!(parse_date(&format_date(read), now), Some(read));
        }
    }
}

#[test]
fn percent_decoding_undoes_encoding_and_says_where_it_cannot() {
    let mut random = Random::new(9);
    for _ in 0..MUTATIONS {
        let length = random.below(40);
        let bytes = random.octets(length);
        let encoded = percent_encode(&bytes);
        assert_eq!(percent_decode(&encoded), Ok(bytes));
        let changed = random.mutate(encoded.as_bytes(), b"%%41%zz/?");
        let Ok(text) = core::str::from_utf8(&changed) else { continue };
        match percent_decode(text) {
            Ok(decoded) => {
                let escapes = text.matches('%').count();
                assert_eq!(decoded.len() + 2 * escapes, text.len(), "{text}");
            }
            Err(bad) => {
                assert_eq!(text.as_bytes()[bad.at], b'%', "{text}");
                let digits = text.as_bytes()[bad.at + 1..].iter().take(2);
                let digits = digits.filter(|octet| octet.is_ascii_hexdigit()).count();
                assert!(digits < 2, "{text}");
                assert!(percent_decode(&text[..bad.at]).is_ok(), "{text}");
            }
        }
    }
}

/// Runs `check` on seeded mutations of the short cases, each told as `seed N, mutation of CASE`.
fn for_mutations(seed: u64, mut check: impl FnMut(&[u8], &Settings, &str)) {
    let cases: Vec<Case> =
        golden::cases().into_iter().filter(|case| case.bytes.len() <= SHORT).collect();
    for round in 0..MUTATIONS as u64 {
        let seed = seed << 32 | round;
        let mut random = Random::new(seed);
        let case = random.pick(&cases);
        let other = &random.pick(&cases).bytes;
        let bytes = random.mutate(&case.bytes, other);
        let place = format!(
            "seed {seed:#x}, a mutation of {}: \"{}\"",
            case.place(),
            golden::escape(&bytes)
        );
        check(&bytes, &case.settings, &place);
    }
}

/// Where a case is cut: everywhere if it is short, else around the edges of its spans.
fn cuts(case: &Case) -> Vec<usize> {
    let length = case.bytes.len();
    if length <= SHORT {
        return (0..=length).collect();
    }
    let explained = case.explained();
    let edges = explained.spans.iter().map(|(_, at)| at.end);
    let mut edges: Vec<usize> = edges.rev().take(8).collect();
    edges.extend(explained.violation().map(|violation| violation.at()));
    let mut cuts: Vec<usize> = edges
        .into_iter()
        .flat_map(|edge| edge.saturating_sub(2)..=edge + 2)
        .filter(|cut| *cut <= length)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

fn violation(explained: &Explained) -> Option<Kind> {
    explained.violation().map(|violation| violation.kind())
}
