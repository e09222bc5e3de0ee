//! The scan of a head: which bytes are which element (RFC 9112 sections 2 to 5).
//!
//! Bytes enter, as many as have arrived; out come the places of the elements, or "not yet", or the
//! first byte that cannot be part of a head. There is one scan, generic over the sink of `span.rs`:
//! what explains a head is what serves it.
//!
//! Every byte is judged when it is seen, never after a search for the end. That is the minimal-prefix
//! law: a refusal at byte k is the same whether k+1 bytes have arrived or a million, so a TLS hello
//! is refused at its first byte. A limit is tested before the byte at which a scan stopped, for the
//! same reason.

use super::fields::{FieldLine, name_bit};
use super::rules::Kind;
use super::run::{token_run, value_run};
use super::span::{Part, Sink};
use super::violation::Violation;
use crate::limits::Limits;

/// Where the elements of a start-line stand: offsets only, so that the buffer can be divided into a
/// shared head and a writable rest between parsing and use.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// The method of a request, the status code of a response.
    pub(crate) first: (usize, usize),
    /// The target of a request, the reason phrase of a response.
    pub(crate) second: (usize, usize),
    /// How many octets at the front of a target are of a path without escapes.
    pub(crate) plain: usize,
    /// The digits of the version.
    pub(crate) version: [u8; 2],
    /// The bits of the field names.
    pub(crate) names: u64,
    /// The length of the whole head.
    pub(crate) end: usize,
}

// ABNF: trailer-section = *( field-line CRLF )                          (RFC 9112 section 7.1.2)
/// Parses field lines up to the empty line, and gives their length with it. What has no `room` is
/// refused as `too_large`.
pub(crate) fn section<S: Sink>(
    bytes: &[u8],
    room: usize,
    too_large: Kind,
    limits: &Limits,
    lines: &mut Vec<FieldLine>,
    sink: &mut S,
) -> Result<Option<usize>, Violation> {
    lines.clear();
    let mut scan = Scan::new(bytes, room, sink);
    match scan.fields(limits.fields, lines)? {
        None => scan.unfinished(too_large),
        Some((end, _)) => Ok(Some(end)),
    }
}

/// What a step of the scan gives: `None` where the bytes end before it does.
pub(super) type Step<T> = Result<Option<T>, Violation>;

/// The scan of one head: what has been read is cut off the front of `rest`.
pub(super) struct Scan<'b, 's, S> {
    bytes: &'b [u8],
    pub(super) rest: &'b [u8],
    /// Bytes that may be read; the first beyond them is too much.
    room: usize,
    /// Where the bytes end, or the room.
    end: usize,
    sink: &'s mut S,
}

impl<'b, 's, S: Sink> Scan<'b, 's, S> {
    pub(super) fn new(bytes: &'b [u8], room: usize, sink: &'s mut S) -> Self {
        // Offsets are kept in 32 bits.
        let room = room.min(u32::MAX as usize);
        let end = bytes.len().min(room);
        Self { bytes, rest: &bytes[..end], room, end, sink }
    }

    /// The offset of the next byte.
    #[inline(always)]
    fn at(&self) -> usize {
        self.end - self.rest.len()
    }

    /// Refuses the byte `ahead` of the next one; `part` is what the bytes before it belong to.
    #[inline(always)]
    pub(super) fn refuse(&mut self, kind: Kind, part: Part, ahead: usize) -> Violation {
        // Not by reference: a scan whose address nobody has stays in registers.
        refuse(self.at(), self.rest, self.sink, (kind, part, ahead))
    }

    #[inline(always)]
    pub(super) fn take(&mut self, part: Part, length: usize) -> (usize, usize) {
        let at = self.at();
        self.rest = &self.rest[length..];
        self.sink.span(part, at..at + length);
        (at, at + length)
    }

    /// The CR LF that must stand here; `other` is what to call any other byte.
    #[inline(always)]
    pub(super) fn line_end(&mut self, other: Kind, part: Part) -> Step<()> {
        match self.rest {
            [b'\r', b'\n', ..] => {
                self.take(part, 2);
                Ok(Some(()))
            }
            [] | [b'\r'] => Ok(None),
            [b'\r', ..] => Err(self.refuse(Kind::BareCr, part, 1)),
            [b'\n', ..] => Err(self.refuse(Kind::BareLf, part, 0)),
            _ => Err(self.refuse(other, part, 0)),
        }
    }

    // ABNF: HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
    //                                                                   (RFC 9112 section 2.1)
    /// The fields after a start-line, and the verdict on the size of the whole head.
    #[inline(always)]
    pub(super) fn finish(
        &mut self,
        layout: Option<Layout>,
        limits: &Limits,
        lines: &mut Vec<FieldLine>,
    ) -> Step<Layout> {
        if let Some(layout) = layout {
            if let Some((end, names)) = self.fields(limits.fields, lines)? {
                return Ok(Some(Layout { end, names, ..layout }));
            }
        }
        self.unfinished(Kind::HeadTooLarge)
    }

    /// The verdict where the scan ended before its element did: the bytes are used up, or the room.
    fn unfinished<T>(&self, too_large: Kind) -> Step<T> {
        match self.bytes.get(self.room) {
            Some(&octet) => Err(Violation::new(too_large, self.room, Some(octet))),
            None => Ok(None),
        }
    }

    // ABNF: *( field-line CRLF ) CRLF; field-line = field-name ":" OWS field-value OWS
    //                                                             (RFC 9112 sections 2.1 and 5)
    /// Reads field lines to the empty line, and gives the offset behind it and the bits of the names.
    #[inline(always)]
    fn fields(&mut self, limit: usize, lines: &mut Vec<FieldLine>) -> Step<(usize, u64)> {
        let mut names = 0;
        loop {
            if let [b'\r', b'\n', ..] = self.rest {
                self.take(Part::EndOfHead, 2);
                return Ok(Some((self.at(), names)));
            }
            let Some((name, bit)) = self.name(lines.len() < limit) else { break };
            names |= bit;
            let Some(value) = self.value()? else { return Ok(None) };
            lines.push(FieldLine {
                name: (short(name.0), short(name.1)),
                value: (short(value.0), short(value.1)),
            });
        }
        match no_name(self.rest, lines.is_empty(), lines.len() == limit) {
            Some((kind, part, ahead)) => Err(self.refuse(kind, part, ahead)),
            None => Ok(None),
        }
    }

    // ABNF: field-name = token; no blank before the colon               (RFC 9112 section 5.1)
    /// A name with its colon, if another line `may` stand here and they are whole.
    #[inline(always)]
    fn name(&mut self, may: bool) -> Option<((usize, usize), u64)> {
        let length = token_run(self.rest);
        if !may || length == 0 || self.rest.get(length) != Some(&b':') {
            return None;
        }
        let bit = name_bit(&self.rest[..length]);
        let name = self.take(Part::Name, length);
        self.take(Part::Colon, 1);
        Some((name, bit))
    }

    // ABNF: field-value = *field-content; with the OWS around it and the CRLF behind
    //                                             (RFC 9110 section 5.5, RFC 9112 section 5)
    #[inline(always)]
    fn value(&mut self) -> Step<(usize, usize)> {
        // One blank, most often.
        let mut value = match self.rest {
            [b' ', value @ ..] => value,
            value => value,
        };
        while let [b' ' | b'\t', rest @ ..] = value {
            value = rest;
        }
        let start = self.end - value.len();
        let (value, rest) = value.split_at(value_run(value));
        let (kind, part, ahead) = match rest {
            [b'\r', b'\n', rest @ ..] => {
                let end = self.value_parts(start, value);
                self.rest = rest;
                let line_end = self.at();
                self.sink.span(Part::Crlf, line_end - 2..line_end);
                return Ok(Some((start, end)));
            }
            [] | [b'\r'] => return Ok(None),
            [b'\r', ..] => (Kind::BareCr, Part::Crlf, 1),
            [b'\n', ..] => (Kind::BareLf, Part::Value, 0),
            _ => (Kind::ValueOctet, Part::Value, 0),
        };
        self.value_parts(start, value);
        self.rest = rest;
        Err(self.refuse(kind, part, ahead))
    }

    /// Reports the blanks before the value, which begins at `start`, the value, and the blanks behind it,
    /// and says where it ends.
    #[inline(always)]
    fn value_parts(&mut self, start: usize, mut value: &[u8]) -> usize {
        let run = start + value.len();
        while let [rest @ .., b' ' | b'\t'] = value {
            value = rest;
        }
        let end = start + value.len();
        self.sink.span(Part::Ows, self.at()..start);
        self.sink.span(Part::Value, start..end);
        self.sink.span(Part::Ows, end..run);
        end
    }
}

/// What is wrong where neither a whole name nor an empty line is, and how far ahead; nothing, where
/// one may still come.
#[cold]
fn no_name(rest: &[u8], first: bool, full: bool) -> Option<(Kind, Part, usize)> {
    let length = token_run(rest);
    let kind = match rest {
        [] | [b'\r'] => return None,
        [b'\r', ..] => return Some((Kind::BareCr, Part::EndOfHead, 1)),
        [b'\n', ..] => Kind::BareLf,
        _ if full => return Some((Kind::TooManyFields, Part::Name, 0)),
        [b' ' | b'\t', ..] if first => Kind::FieldIndented,
        [b' ' | b'\t', ..] => Kind::ObsFold,
        [b':', ..] => Kind::NameEmpty,
        rest => match rest.get(length)? {
            b'\n' => Kind::BareLf,
            b'\r' => Kind::ColonMissing,
            b' ' | b'\t' => Kind::NameSpace,
            _ => Kind::NameOctet,
        },
    };
    Some((kind, Part::Name, length))
}

#[cold]
fn refuse(
    at: usize,
    rest: &[u8],
    sink: &mut impl Sink,
    (kind, part, ahead): (Kind, Part, usize),
) -> Violation {
    sink.span(part, at..at + ahead);
    Violation::new(kind, at + ahead, rest.get(ahead).copied())
}

/// An offset into a head as it is kept. None is cut: `Scan::new` reads no byte beyond 4 GiB.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "no offset is greater than the room")]
fn short(offset: usize) -> u32 {
    offset as u32
}
