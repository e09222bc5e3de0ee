//! What holds of every message: the laws of the parser, and that there is one parser.
//!
//! Bytes enter; a law that they break is a panic. `place` says where the bytes are from.

use core::ops::Range;

use longhand::Limits;
use longhand::wire::{
    Chunk, ChunkedDecoder, Class, Explained, FieldLine, Framing, Kind, Parsed, Part, RequestHead,
    ResponseHead, Verdict, Violation,
};

use crate::golden::Settings;
use crate::random::Random;

/// Both laws on one input, and what the verdict says about the last span.
///
/// # Panics
/// If one of them does not hold; so do the others of this file.
pub fn check_laws(bytes: &[u8], settings: &Settings, place: &str) {
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
///
/// # Panics
/// If it does not.
pub fn check_head(bytes: &[u8], settings: &Settings, place: &str) {
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
#[must_use]
pub fn chunked_body(bytes: &[u8], settings: &Settings) -> Option<usize> {
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
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The data of its chunks.
    pub data: Vec<u8>,
    /// The length of the whole body if it ended, `None` if it did not, or what was wrong and where.
    pub end: Result<Option<usize>, (Kind, usize, Option<u8>)>,
}

/// Decodes a body as a connection does: pieces of up to `largest` bytes arrive, framing is read off
/// them, data is taken in parts, and a trailer section is kept until it is whole.
pub fn decode(body: &[u8], limits: &Limits, random: &mut Random, largest: usize) -> Decoded {
    let mut decoder = ChunkedDecoder::new(limits);
    let mut lines: Vec<FieldLine> = Vec::new();
    let mut data = Vec::new();
    let (mut read, mut arrived) = (0, 0);
    let mut end = Ok(None);
    loop {
        let next = decoder.framing(&body[read..arrived]).and_then(|(framing, next)| {
            read += framing;
            match next {
                Chunk::Trailers => {
                    match decoder.trailers(&body[read..arrived], limits, &mut lines)? {
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
#[must_use]
pub fn part_bytes(bytes: &[u8], spans: &[(Part, Range<usize>)], part: Part) -> Vec<u8> {
    spans
        .iter()
        .filter(|span| span.0 == part)
        .flat_map(|span| bytes[span.1.clone()].iter())
        .copied()
        .collect()
}

/// Where an accepted message ends.
#[must_use]
pub fn message_end(explained: &Explained) -> usize {
    match explained.spans.last() {
        Some((Part::Next, next)) => next.start,
        Some((_, last)) => last.end,
        None => 0,
    }
}
