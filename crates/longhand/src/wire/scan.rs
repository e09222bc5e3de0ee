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

use super::fields::FieldLine;
use super::grammar::{is_blank, is_target, is_tchar, value_run};
use super::rules::Kind;
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
    /// The digits of the version.
    pub(crate) version: [u8; 2],
    /// The length of the whole head.
    pub(crate) end: usize,
}

/// Parses a request head into `lines` and a [`Layout`]; `None` if it is a beginning.
pub(crate) fn request<S: Sink>(
    bytes: &[u8],
    limits: &Limits,
    lines: &mut Vec<FieldLine>,
    sink: &mut S,
) -> Result<Option<Layout>, Violation> {
    lines.clear();
    let mut scan = Scan::new(bytes, limits.head, sink);
    let layout = scan.request_line(limits.target)?;
    scan.finish(layout, limits, lines)
}

/// Parses a response head into `lines` and a [`Layout`]; `None` if it is a beginning.
pub(crate) fn response<S: Sink>(
    bytes: &[u8],
    limits: &Limits,
    lines: &mut Vec<FieldLine>,
    sink: &mut S,
) -> Result<Option<Layout>, Violation> {
    lines.clear();
    let mut scan = Scan::new(bytes, limits.head, sink);
    let layout = scan.status_line()?;
    scan.finish(layout, limits, lines)
}

/// Parses field lines up to the empty line: the trailers of a chunked body. Gives their length.
pub(crate) fn trailers<S: Sink>(
    bytes: &[u8],
    room: usize,
    limits: &Limits,
    lines: &mut Vec<FieldLine>,
    sink: &mut S,
) -> Result<Option<usize>, Violation> {
    lines.clear();
    let mut scan = Scan::new(bytes, room, sink);
    match scan.fields(limits.fields, lines)? {
        None if bytes.len() > room => {
            Err(Violation::new(Kind::TrailersTooLarge, room, bytes.get(room).copied()))
        }
        end => Ok(end),
    }
}

/// What a step of the scan gives: `None` where the bytes end before it does.
type Step<T> = Result<Option<T>, Violation>;

/// The scan of one head: what has been read is cut off the front of `rest`.
struct Scan<'b, 's, S> {
    bytes: &'b [u8],
    rest: &'b [u8],
    /// Bytes that may be read; the first beyond them is too much.
    room: usize,
    sink: &'s mut S,
}

impl<'b, 's, S: Sink> Scan<'b, 's, S> {
    fn new(bytes: &'b [u8], room: usize, sink: &'s mut S) -> Self {
        Self { bytes, rest: &bytes[..bytes.len().min(room)], room, sink }
    }

    /// The offset of the next byte.
    #[inline(always)]
    fn at(&self) -> usize {
        self.bytes.len().min(self.room) - self.rest.len()
    }

    /// Refuses the byte `ahead` of the next one; `part` is what the bytes before it belong to.
    #[cold]
    fn refuse(&mut self, kind: Kind, part: Part, ahead: usize) -> Violation {
        let at = self.at();
        self.sink.span(part, at..at + ahead);
        Violation::new(kind, at + ahead, self.rest.get(ahead).copied())
    }

    #[inline(always)]
    fn take(&mut self, part: Part, length: usize) -> (usize, usize) {
        let at = self.at();
        self.rest = &self.rest[length..];
        self.sink.span(part, at..at + length);
        (at, at + length)
    }

    // ABNF: request-line = method SP request-target SP HTTP-version     (RFC 9112 section 3)
    fn request_line(&mut self, target_limit: usize) -> Step<Layout> {
        if self.blank_lines()?.is_none() {
            return Ok(None);
        }
        let Some(method) = self.method()? else { return Ok(None) };
        let Some(target) = self.target(target_limit)? else { return Ok(None) };
        let Some(version) = self.version()? else { return Ok(None) };
        if self.line_end(Kind::LineEnd, Part::Crlf)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Layout { first: method, second: target, version, end: 0 }))
    }

    /// Skips up to two empty lines (RFC 9112 section 2.2).
    #[inline]
    fn blank_lines(&mut self) -> Step<()> {
        let mut skipped = 0;
        while let [b'\r' | b'\n', ..] = self.rest {
            if skipped == 2 {
                return Err(self.refuse(Kind::BlankLines, Part::Blank, 0));
            }
            if self.line_end(Kind::BlankLines, Part::Blank)?.is_none() {
                return Ok(None);
            }
            skipped += 1;
        }
        Ok(Some(()))
    }

    // ABNF: method = token                                              (RFC 9112 section 3.1)
    #[inline]
    fn method(&mut self) -> Step<(usize, usize)> {
        let Some(length) = self.rest.iter().position(|&octet| !is_tchar(octet)) else {
            return Ok(None);
        };
        let kind = match self.rest[length] {
            b' ' if length > 0 => {
                let method = self.take(Part::Method, length);
                self.take(Part::Sp, 1);
                return Ok(Some(method));
            }
            b'\n' => Kind::BareLf,
            b'\r' => Kind::TargetMissing,
            0x16 if length == 0 => Kind::TlsHello,
            _ => Kind::MethodOctet,
        };
        Err(self.refuse(kind, Part::Method, length))
    }

    #[inline]
    fn target(&mut self, limit: usize) -> Step<(usize, usize)> {
        let stop = self.rest.iter().position(|&octet| !is_target(octet));
        let length = stop.unwrap_or(self.rest.len());
        if length > limit {
            return Err(self.refuse(Kind::TargetTooLong, Part::Target, limit));
        }
        let Some(&octet) = self.rest.get(length) else { return Ok(None) };
        let kind = match octet {
            b' ' if length > 0 => {
                let target = self.take(Part::Target, length);
                self.take(Part::Sp, 1);
                return Ok(Some(target));
            }
            b'\n' => Kind::BareLf,
            b' ' | b'\r' if length == 0 => Kind::TargetMissing,
            b'\r' => Kind::VersionMissing,
            _ => Kind::TargetOctet,
        };
        Err(self.refuse(kind, Part::Target, length))
    }

    // ABNF: HTTP-version = HTTP-name "/" DIGIT "." DIGIT                (RFC 9112 section 2.3)
    /// Gives the two digits.
    #[inline]
    fn version(&mut self) -> Step<[u8; 2]> {
        if let Some(
            [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'],
        ) = self.rest.first_chunk::<8>()
        {
            self.take(Part::Version, 8);
            return Ok(Some([*major, *minor]));
        }
        for (i, &octet) in self.rest.iter().take(8).enumerate() {
            let fits =
                if i == 5 || i == 7 { octet.is_ascii_digit() } else { octet == b"HTTP/?.?"[i] };
            if !fits {
                let kind = if octet == b'\n' { Kind::BareLf } else { Kind::VersionSyntax };
                return Err(self.refuse(kind, Part::Version, i));
            }
        }
        Ok(None)
    }

    // ABNF: status-line = HTTP-version SP status-code SP [ reason-phrase ]    (RFC 9112 section 4)
    fn status_line(&mut self) -> Step<Layout> {
        let Some(version) = self.version()? else { return Ok(None) };
        if self.one_space()?.is_none() {
            return Ok(None);
        }
        for i in 0..3 {
            let Some(octet) = self.rest.get(i) else { return Ok(None) };
            if !octet.is_ascii_digit() || (i == 0 && !(b'1'..=b'5').contains(octet)) {
                return Err(self.refuse(Kind::StatusDigits, Part::Status, i));
            }
        }
        let status = self.take(Part::Status, 3);
        if self.one_space()?.is_none() {
            return Ok(None);
        }
        let length = value_run(self.rest);
        match self.rest.get(length) {
            None => return Ok(None),
            Some(b'\r' | b'\n') => {}
            Some(_) => return Err(self.refuse(Kind::ReasonOctet, Part::Reason, length)),
        }
        // The end of the line is looked at before the reason is told, so that every span is whole.
        if self.rest.len() == length + 1 && self.rest[length] == b'\r' {
            return Ok(None);
        }
        let reason = self.take(Part::Reason, length);
        self.line_end(Kind::ReasonOctet, Part::Crlf)?;
        Ok(Some(Layout { first: status, second: reason, version, end: 0 }))
    }

    fn one_space(&mut self) -> Step<()> {
        match self.rest.first() {
            None => Ok(None),
            Some(b' ') => {
                self.take(Part::Sp, 1);
                Ok(Some(()))
            }
            Some(_) => Err(self.refuse(Kind::StatusDigits, Part::Sp, 0)),
        }
    }

    /// The CR LF that must stand here; `other` is what to call any other byte.
    #[inline]
    fn line_end(&mut self, other: Kind, part: Part) -> Step<()> {
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

    /// The fields after a start-line, and the verdict on the size of the whole head.
    fn finish(
        &mut self,
        layout: Option<Layout>,
        limits: &Limits,
        lines: &mut Vec<FieldLine>,
    ) -> Step<Layout> {
        if let Some(layout) = layout {
            if let Some(end) = self.fields(limits.fields, lines)? {
                return Ok(Some(Layout { end, ..layout }));
            }
        }
        match self.bytes.get(self.room) {
            Some(&octet) => Err(Violation::new(Kind::HeadTooLarge, self.room, Some(octet))),
            None => Ok(None),
        }
    }

    // ABNF: *( field-line CRLF ) CRLF; field-line = field-name ":" OWS field-value OWS
    //                                                             (RFC 9112 sections 2.1 and 5)
    /// Reads field lines to the empty line, and gives the offset behind it.
    fn fields(&mut self, limit: usize, lines: &mut Vec<FieldLine>) -> Step<usize> {
        loop {
            match self.rest {
                [b'\r' | b'\n', ..] => {
                    return Ok(self
                        .line_end(Kind::NameOctet, Part::EndOfHead)?
                        .map(|()| self.at()));
                }
                [] => return Ok(None),
                _ if lines.len() == limit => {
                    return Err(self.refuse(Kind::TooManyFields, Part::Name, 0));
                }
                [b' ' | b'\t', ..] => {
                    let kind = if lines.is_empty() { Kind::FieldIndented } else { Kind::ObsFold };
                    return Err(self.refuse(kind, Part::Name, 0));
                }
                _ => {}
            }
            let Some(name) = self.name()? else { return Ok(None) };
            let Some(value) = self.value()? else { return Ok(None) };
            lines.push(FieldLine {
                name: (short(name.0), short(name.1)),
                value: (short(value.0), short(value.1)),
            });
        }
    }

    // ABNF: field-name = token; no blank before the colon               (RFC 9112 section 5.1)
    #[inline]
    fn name(&mut self) -> Step<(usize, usize)> {
        let Some(length) = self.rest.iter().position(|&octet| !is_tchar(octet)) else {
            return Ok(None);
        };
        let kind = match self.rest[length] {
            b':' if length > 0 => {
                let name = self.take(Part::Name, length);
                self.take(Part::Colon, 1);
                return Ok(Some(name));
            }
            b':' => Kind::NameEmpty,
            b'\n' => Kind::BareLf,
            b'\r' => Kind::ColonMissing,
            octet if is_blank(octet) => Kind::NameSpace,
            _ => Kind::NameOctet,
        };
        Err(self.refuse(kind, Part::Name, length))
    }

    // ABNF: OWS field-value OWS CRLF                                    (RFC 9112 section 5)
    #[inline]
    fn value(&mut self) -> Step<(usize, usize)> {
        let before = self.rest.iter().take_while(|&&octet| is_blank(octet)).count();
        let run = before + value_run(&self.rest[before..]);
        match &self.rest[run..] {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] => return Ok(None),
            [b'\r', ..] => {
                self.value_parts(before, run);
                return Err(self.refuse(Kind::BareCr, Part::Crlf, 1));
            }
            [octet, ..] => {
                let kind = if *octet == b'\n' { Kind::BareLf } else { Kind::ValueOctet };
                self.value_parts(before, run);
                return Err(self.refuse(kind, Part::Value, 0));
            }
        }
        let value = self.value_parts(before, run);
        self.take(Part::Crlf, 2);
        Ok(Some(value))
    }

    /// Takes the blanks, the value and the blanks behind it.
    #[inline(always)]
    fn value_parts(&mut self, before: usize, run: usize) -> (usize, usize) {
        let value = &self.rest[before..run];
        let after = value.iter().rev().take_while(|&&octet| is_blank(octet)).count();
        self.take(Part::Ows, before);
        let value = self.take(Part::Value, run - before - after);
        self.take(Part::Ows, after);
        value
    }
}

/// An offset into a head. No head comes near 4 GiB: `limits.head` is held to that by the type that
/// counts it, and an offset beyond would only name the wrong bytes, never bytes outside.
#[inline(always)]
fn short(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
