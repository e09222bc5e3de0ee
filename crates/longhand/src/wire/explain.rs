//! Every byte of a message, named: the public door to the parsers' sink.
//!
//! Bytes enter; out come spans that cover them all, in order, without gap or overlap, and the
//! verdict. It is the server's own parsers that speak here. What a server refuses beyond the bytes
//! (a tunnel, an expectation, a scheme it does not serve, a body over its limit) is not said here.

use core::ops::Range;

use super::chunked::{Chunk, ChunkedDecoder};
use super::framing::Framing;
use super::head::{RequestHead, ResponseHead};
use super::span::{Part, Sink, Spans};
use super::start_line;
use super::violation::Violation;
use crate::limits::Limits;

/// What a message turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is whole.
    Accepted,
    /// It has begun, and breaks no rule so far.
    Unfinished,
    /// It breaks a rule. The offset is counted from the first byte of the message.
    Refused(Violation),
}

/// Every byte of one message, named.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What each run of bytes is. Together they cover all of the input.
    pub spans: Vec<(Part, Range<usize>)>,
    /// What became of the message.
    pub verdict: Verdict,
}

impl Explained {
    /// The rule that was broken, if one was.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        match self.verdict {
            Verdict::Refused(violation) => Some(violation),
            Verdict::Accepted | Verdict::Unfinished => None,
        }
    }
}

/// Explains the request at the front of `bytes`: its head, its body and its trailers. What follows
/// it is [`Part::Next`].
///
/// ```
/// use longhand::{Limits, wire::{self, Part, Verdict}};
///
/// let explained = wire::explain(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", &Limits::default());
/// assert_eq!(explained.verdict, Verdict::Accepted);
/// assert_eq!(explained.spans[0], (Part::Method, 0..3));
/// assert_eq!(explained.spans.last(), Some(&(Part::EndOfHead, 25..27)));
/// ```
#[must_use]
pub fn explain(bytes: &[u8], limits: &Limits) -> Explained {
    whole(bytes, |spans| {
        let mut lines = Vec::new();
        let Some(layout) = start_line::request(bytes, limits, &mut lines, spans)? else {
            return Ok(None);
        };
        let head = RequestHead::new(bytes, &layout, &lines, None)?;
        let framing = Framing::of_request(&head)?;
        body(bytes, layout.end, Some(framing), limits, spans)
    })
}

/// Explains the response at the front of `bytes` to a request of this `method`.
#[must_use]
pub fn explain_response(bytes: &[u8], method: &str, limits: &Limits) -> Explained {
    whole(bytes, |spans| {
        let mut lines = Vec::new();
        let Some(layout) = start_line::response(bytes, limits, &mut lines, spans)? else {
            return Ok(None);
        };
        let head = ResponseHead::new(bytes, &layout, &lines)?;
        let framing = Framing::of_response(&head, method)?;
        body(bytes, layout.end, framing, limits, spans)
    })
}

/// Runs a parse and names what it left over. The parse gives where the message ends, if it does.
fn whole(
    bytes: &[u8],
    parse: impl FnOnce(&mut Spans) -> Result<Option<usize>, Violation>,
) -> Explained {
    let mut spans = Spans::default();
    let (verdict, rest) = match parse(&mut spans) {
        Ok(Some(_)) => (Verdict::Accepted, Part::Next),
        Ok(None) => (Verdict::Unfinished, Part::Pending),
        Err(violation) => (Verdict::Refused(violation), Part::Refused),
    };
    spans.base = 0;
    let mut told = spans.list.last().map_or(0, |(_, at)| at.end);
    if let Verdict::Refused(violation) = verdict {
        // An element that a limit cut was read up to the limit: what is refused begins there.
        let read = violation.at().clamp(told, bytes.len());
        spans.span(Part::Pending, told..read);
        told = read;
    }
    spans.span(rest, told..bytes.len());
    Explained { spans: spans.list, verdict }
}

/// The body from `start` on; gives where it ends, if it does.
fn body(
    bytes: &[u8],
    start: usize,
    framing: Option<Framing>,
    limits: &Limits,
    spans: &mut Spans,
) -> Result<Option<usize>, Violation> {
    let here = bytes.len() - start;
    match framing {
        Some(Framing::None) => Ok(Some(start)),
        Some(Framing::Length(length)) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            spans.span(Part::Body, start..start + length.min(here));
            Ok((length <= here).then(|| start + length))
        }
        // Until the connection closes: there is always room for more.
        None => {
            spans.span(Part::Body, start..bytes.len());
            Ok(None)
        }
        Some(Framing::Chunked) => {
            chunks(bytes, start, limits, spans).map_err(|violation| violation.moved(start))
        }
    }
}

/// Chunks and trailers from `start` on. Violations are counted from there.
fn chunks(
    bytes: &[u8],
    start: usize,
    limits: &Limits,
    spans: &mut Spans,
) -> Result<Option<usize>, Violation> {
    let mut decoder = ChunkedDecoder::new(limits);
    let mut at = start;
    loop {
        spans.base = at;
        let (read, chunk) = decoder.framing_to(&bytes[at..], spans)?;
        at += read;
        spans.base = at;
        match chunk {
            Chunk::NeedMore => return Ok(None),
            Chunk::Data(left) => {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
                spans.span(Part::ChunkData, 0..here);
                decoder.took(here as u64);
                at += here;
                if at == bytes.len() {
                    return Ok(None);
                }
            }
            Chunk::Trailers => {
                let mut lines = Vec::new();
                let end = decoder.trailers_to(&bytes[at..], limits, &mut lines, spans)?;
                return Ok(end.map(|end| at + end));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_limit_is_not_called_refused() {
        let limits = Limits { head: 24, ..Limits::default() };
        let explained = explain(b"GET / HTTP/1.1\r\nHost: abcdef", &limits);
        assert_eq!(explained.violation().map(|violation| violation.at()), Some(24));
        let tail = &explained.spans[explained.spans.len() - 3..];
        assert_eq!(tail[0], (Part::Colon, 20..21));
        assert_eq!(tail[1], (Part::Pending, 21..24));
        assert_eq!(tail[2], (Part::Refused, 24..28));
    }
}
