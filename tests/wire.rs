//! The wire format as a black box: golden cases, the two laws of the parser, and properties.
//!
//! Bytes enter, from `tests/golden` and from seeded mutations of it; what `longhand::wire` says of
//! them must be what the files say, and must keep to the laws at the top of `wire/mod.rs` whatever
//! the bytes are. Nothing here opens a socket.
//!
//! `GOLDEN=write cargo test -p tests --test wire` writes what the parser says over the expected
//! blocks. Read the difference before believing it: the files are the judge, not the parser.

use core::ops::Range;
use std::collections::HashSet;

use harness::golden::{self, Case, Settings};
use harness::random::Random;
use longhand::Limits;
use longhand::wire::{
    Chunk, ChunkedDecoder, Class, Explained, FieldLine, Framing, Kind, Parsed, Part, RequestHead,
    ResponseHead, Verdict, Violation, encode_chunk_size, format_date, parse_date, percent_decode,
    percent_encode,
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
            let found = decode(&bytes[start..], settings, &mut random, largest);
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
        let found = decode(&coded, &Settings::default(), &mut random, 1 + round * 3);
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

/// Both laws on one input, and what the verdict says about the last span.
fn check_laws(bytes: &[u8], settings: &Settings, place: &str) {
    let explained = settings.explain(bytes);
    let mut end = 0;
    for (part, at) in &explained.spans {
        assert_eq!(at.start, end, "coverage: {part:?} at {at:?}\n{place}");
        assert!(at.end > at.start, "an empty {part:?} at {at:?}\n{place}");
        end = at.end;
    }
    assert_eq!(end, bytes.len(), "coverage to the end\n{place}");
    let last = match explained.verdict {
        Verdict::Accepted => Part::Next,
        Verdict::Unfinished => Part::Pending,
        Verdict::Refused(violation) => {
            check_violation(bytes, settings, &explained, violation, place);
            Part::Refused
        }
    };
    for (i, (part, at)) in explained.spans.iter().enumerate() {
        let tail = matches!(part, Part::Next | Part::Refused)
            || (*part == Part::Pending && last == Part::Pending);
        let is_last = i + 1 == explained.spans.len();
        assert!(!tail || (is_last && *part == last), "{part:?} at {at:?}\n{place}");
    }
}

/// That a violation points where its class says, and is the same as early as its class says.
fn check_violation(
    bytes: &[u8],
    settings: &Settings,
    explained: &Explained,
    violation: Violation,
    place: &str,
) {
    let at = violation.at();
    assert!(at < bytes.len(), "{violation:?} points behind the bytes\n{place}");
    let found = violation.found();
    assert!(found.is_none() || found == Some(bytes[at]), "{violation:?} is not there\n{place}");
    let decided = if violation.kind().class() == Class::Meaning {
        // By the whole head, but for the version, which its line decides: it is decided at the last
        // byte of that, and points before it.
        let end = match violation.kind() {
            Kind::VersionUnsupported => Part::Crlf,
            _ => Part::EndOfHead,
        };
        let head = explained.spans.iter().find(|(part, _)| *part == end);
        let head = head.map_or(0, |(_, at)| at.end);
        assert!(at < head, "{violation:?} points behind the head\n{place}");
        head - 1
    } else {
        assert_eq!(found, Some(bytes[at]), "{violation:?} names no byte\n{place}");
        let refused = explained.spans.last().map(|(_, at)| at.start);
        assert_eq!(refused, Some(at), "the refused span begins at the byte at fault\n{place}");
        at
    };
    let before = settings.explain(&bytes[..decided]);
    assert_eq!(before.verdict, Verdict::Unfinished, "{violation:?} is later\n{place}");
    let alone = settings.explain(&bytes[..=decided]);
    assert_eq!(alone.verdict, Verdict::Refused(violation), "minimal prefix\n{place}");
    // What was understood before the byte at fault does not depend on what follows it.
    let understood = alone.spans.iter().filter(|(part, _)| *part != Part::Refused);
    assert!(understood.eq(explained.spans.iter().filter(|s| s.0 != Part::Refused)), "{place}");
}

/// That the parser that serves says what the one that explains does.
fn check_head(bytes: &[u8], settings: &Settings, place: &str) {
    let mut lines = Vec::new();
    let explained = settings.explain(bytes);
    let head = if let Some(method) = &settings.response_to {
        ResponseHead::parse(bytes, &settings.limits, &mut lines).map(|parsed| match parsed {
            Parsed::Partial => None,
            Parsed::Complete { value, consumed } => {
                let framing = Framing::of_response(&value, method);
                let status = value.status.code().to_string().into_bytes();
                assert_eq!(part_bytes(bytes, &explained.spans, Part::Status), status, "{place}");
                assert_eq!(part_bytes(bytes, &explained.spans, Part::Reason), value.reason);
                Some((framing, consumed, value.fields))
            }
        })
    } else {
        RequestHead::parse(bytes, &settings.limits, &mut lines).map(|parsed| match parsed {
            Parsed::Partial => None,
            Parsed::Complete { value, consumed } => {
                let framing = Framing::of_request(&value).map(Some);
                let spans = &explained.spans;
                assert_eq!(part_bytes(bytes, spans, Part::Method), value.method.as_bytes());
                assert_eq!(part_bytes(bytes, spans, Part::Target), value.target_text.as_bytes());
                Some((framing, consumed, value.fields))
            }
        })
    };
    let (framing, consumed, fields) = match head {
        Err(violation) => {
            assert_eq!(explained.verdict, Verdict::Refused(violation), "{place}");
            return;
        }
        Ok(None) => {
            assert_eq!(explained.verdict, Verdict::Unfinished, "{place}");
            return;
        }
        Ok(Some(parts)) => parts,
    };
    let head_spans: Vec<_> =
        explained.spans.iter().filter(|(_, at)| at.end <= consumed).cloned().collect();
    assert_eq!(head_spans.last().map(|span| span.0), Some(Part::EndOfHead), "{place}");
    let names: Vec<u8> = fields.iter().flat_map(|(name, _)| name.bytes()).collect();
    let values: Vec<u8> = fields.iter().flat_map(|(_, value)| value.iter().copied()).collect();
    assert_eq!(part_bytes(bytes, &head_spans, Part::Name), names, "{place}");
    assert_eq!(part_bytes(bytes, &head_spans, Part::Value), values, "{place}");
    let here = (bytes.len() - consumed) as u64;
    match framing {
        Err(violation) => assert_eq!(explained.verdict, Verdict::Refused(violation), "{place}"),
        Ok(Some(Framing::None)) => assert_eq!(explained.verdict, Verdict::Accepted, "{place}"),
        Ok(Some(Framing::Length(length))) => {
            let whole = if length <= here { Verdict::Accepted } else { Verdict::Unfinished };
            assert_eq!(explained.verdict, whole, "{place}");
        }
        Ok(Some(Framing::Chunked)) => {
            let at = explained.violation().map_or(consumed, |violation| violation.at());
            assert!(at >= consumed, "{place}");
        }
        Ok(None) => assert_eq!(explained.verdict, Verdict::Unfinished, "{place}"),
    }
}

/// Where the chunked body of a message begins, if it has one.
fn chunked_body(bytes: &[u8], settings: &Settings) -> Option<usize> {
    let mut lines = Vec::new();
    let limits = &settings.limits;
    let (framing, consumed) = match &settings.response_to {
        Some(method) => match ResponseHead::parse(bytes, limits, &mut lines) {
            Ok(Parsed::Complete { value, consumed }) => {
                (Framing::of_response(&value, method).ok()??, consumed)
            }
            _ => return None,
        },
        None => match RequestHead::parse(bytes, limits, &mut lines) {
            Ok(Parsed::Complete { value, consumed }) => {
                (Framing::of_request(&value).ok()?, consumed)
            }
            _ => return None,
        },
    };
    (framing == Framing::Chunked).then_some(consumed)
}

/// What came out of a chunked body.
#[derive(Debug, PartialEq)]
struct Decoded {
    data: Vec<u8>,
    /// The length of the whole body if it ended, `None` if it did not, or what was wrong and where.
    end: Result<Option<usize>, (Kind, usize, Option<u8>)>,
}

/// Decodes a body as a connection does: pieces of up to `largest` bytes arrive, framing is read off
/// them, data is taken in parts, and a trailer section is kept until it is whole.
fn decode(body: &[u8], settings: &Settings, random: &mut Random, largest: usize) -> Decoded {
    let mut decoder = ChunkedDecoder::new(&settings.limits);
    let mut lines: Vec<FieldLine> = Vec::new();
    let mut data = Vec::new();
    let (mut read, mut arrived) = (0, 0);
    let mut end = Ok(None);
    loop {
        let next = decoder.framing(&body[read..arrived]).and_then(|(framing, next)| {
            read += framing;
            match next {
                Chunk::Trailers => {
                    match decoder.trailers(&body[read..arrived], &settings.limits, &mut lines)? {
                        Parsed::Complete { consumed, .. } => Ok(Some(consumed)),
                        Parsed::Partial => Ok(None),
                    }
                }
                Chunk::Data(left) if read < arrived => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX).min(arrived - read);
                    let taken = 1 + random.below(most);
                    data.extend_from_slice(&body[read..read + taken]);
                    decoder.took(taken as u64);
                    read += taken;
                    Ok(None)
                }
                Chunk::Data(_) | Chunk::NeedMore => Ok(None),
            }
        });
        match next {
            Ok(Some(trailers)) => end = Ok(Some(read + trailers)),
            Err(violation) => end = Err((violation.kind(), violation.at(), violation.found())),
            // Data that is still here is taken before more is waited for.
            Ok(None) if read < arrived && !data_is_over(&mut decoder) => continue,
            Ok(None) if arrived < body.len() => {
                arrived += 1 + random.below(largest.min(body.len() - arrived));
                continue;
            }
            Ok(None) => {}
        }
        return Decoded { data, end };
    }
}

/// Whether the decoder waits for the whole trailer section.
fn data_is_over(decoder: &mut ChunkedDecoder) -> bool {
    matches!(decoder.framing(b""), Ok((0, Chunk::Trailers)))
}

/// All bytes that are this part.
fn part_bytes(bytes: &[u8], spans: &[(Part, Range<usize>)], part: Part) -> Vec<u8> {
    spans
        .iter()
        .filter(|span| span.0 == part)
        .flat_map(|span| bytes[span.1.clone()].iter())
        .copied()
        .collect()
}

/// Where an accepted message ends.
fn message_end(explained: &Explained) -> usize {
    match explained.spans.last() {
        Some((Part::Next, next)) => next.start,
        Some((_, last)) => last.end,
        None => 0,
    }
}

fn violation(explained: &Explained) -> Option<Kind> {
    explained.violation().map(|violation| violation.kind())
}
