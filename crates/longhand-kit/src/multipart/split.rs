//! Content between delimiters, found in a stream through one buffer (RFC 2046 section 5.1.1).
//!
//! What enters are reads of any length; what leaves are stretches of content that hold no delimiter
//! and no beginning of one, the delimiters, and the heads behind them. The same bytes give the same
//! content however they were cut.
//!
//! Looking for a delimiter takes time in proportion to the bytes, whatever they are. A delimiter holds
//! no CR but its first octet: where one that has begun turns out to be none, no other can have begun
//! in what was compared. That is why there is no table of how to go on (Knuth, Morris and Pratt), and
//! why `CR LF --` without end costs nothing but its bytes. Only a delimiter that is not whole yet is
//! compared again, with each read that brings more of it: no read costs more than its length besides.

use std::io::{self, Read};

use longhand::wire::grammar::is_blank;

use super::PartLimits;
use super::head::Head;
use super::label::{Expected, Label};

/// Bytes read at once, at most.
const BUFFER: usize = 32 << 10;

/// Bytes that are asked at once whether there is a CR among them.
const BLOCK: usize = 32;

/// What a line with the boundary is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A part follows.
    Delimiter,
    /// No part follows.
    CloseDelimiter,
}

/// A body, and what is known of the bytes of it in the buffer.
///
/// ```text
///   0        start          content_end   end        buffer.len()
///   | consumed | content      | unknown, or | free      |
///   |          |              | a delimiter |           |
/// ```
pub(super) struct Splitter<'r> {
    source: &'r mut (dyn Read + 'r),
    pub(super) limits: PartLimits,
    /// The part that is being read.
    label: Label,
    /// CR LF, two hyphens, the boundary.
    delimiter: Vec<u8>,
    buffer: Box<[u8]>,
    start: usize,
    content_end: usize,
    end: usize,
    /// Whether a whole delimiter stands behind the content.
    delimited: bool,
    /// Bytes that have been read from the body.
    read: u64,
}

impl<'r> Splitter<'r> {
    /// The buffer has room for the longest head.
    pub(super) fn new(
        boundary: &str,
        source: &'r mut (dyn Read + 'r),
        limits: &PartLimits,
    ) -> Self {
        // No head is shorter than its empty line.
        let limits = PartLimits { head: limits.head.max(2), ..limits.clone() };
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        let mut buffer = vec![0; BUFFER.max(limits.head.saturating_add(4)) + delimiter.len()];
        // The first delimiter may begin the body. With a line end in front, it is like the others.
        buffer[..2].copy_from_slice(b"\r\n");
        Self {
            source,
            limits,
            label: Label::default(),
            delimiter,
            buffer: buffer.into_boxed_slice(),
            start: 0,
            content_end: 0,
            end: 2,
            delimited: false,
            read: 0,
        }
    }

    /// The offset in the body of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.read.saturating_sub(self.buffered().len() as u64)
    }

    /// The refusal of the part that is being read.
    pub(super) fn refuse(&self, at: u64, expected: impl Into<Expected>, found: &[u8]) -> io::Error {
        self.label.refuse(at, expected.into(), found).into()
    }

    /// Skips to the next part, and reads its head; `None` behind the last one, at the end of the body.
    pub(super) fn next_head(&mut self) -> io::Result<Option<Head>> {
        self.label.name = None;
        while let length @ 1.. = self.find_content()? {
            self.consume(length);
        }
        if self.delimiter()? == Line::CloseDelimiter {
            return Ok(None);
        }
        self.label.number += 1;
        if self.label.number > self.limits.parts {
            let expected = Expected::at_most(self.limits.parts, "parts");
            return Err(self.refuse(self.at(), expected, b""));
        }
        let head = self.head()?;
        self.check_first_line()?;
        self.label.name = Some(head.name.clone());
        Ok(Some(head))
    }

    /// Finds content, and says how much of it; none where a delimiter follows.
    pub(super) fn find_content(&mut self) -> io::Result<usize> {
        while self.start == self.content_end && !self.delimited {
            let (length, delimited) = find(self.buffered(), &self.delimiter);
            (self.content_end, self.delimited) = (self.start + length, delimited);
            if length == 0 && !delimited {
                self.require(self.buffered().len() + 1)?;
            }
        }
        Ok(self.content_end - self.start)
    }

    /// The content that was found.
    pub(super) fn content(&self) -> &[u8] {
        &self.buffer[self.start..self.content_end]
    }

    /// Goes on behind so many bytes of the content.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = self.content_end.min(self.start + bytes);
    }

    /// How many bytes all of it takes.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.len() + self.delimiter.capacity()
    }

    // ABNF: delimiter       = CRLF "--" boundary                          (RFC 2046 section 5.1.1)
    //       close-delimiter = delimiter "--"
    //       multipart-body  = [preamble CRLF] dash-boundary transport-padding CRLF body-part
    //                         *( delimiter transport-padding CRLF body-part )
    //                         close-delimiter transport-padding [CRLF epilogue]
    /// Consumes the delimiter that stands here, with its line; behind the last one, the whole body.
    fn delimiter(&mut self) -> io::Result<Line> {
        self.advance(self.delimiter.len());
        self.delimited = false;
        self.require(2)?;
        let closes = self.buffered().starts_with(b"--");
        if closes {
            self.advance(2);
        }
        while self.at_least(1)? && is_blank(self.buffered()[0]) {
            self.advance(1);
        }
        if closes && !self.at_least(1)? {
            return Ok(Line::CloseDelimiter);
        }
        self.require(2)?;
        if !self.buffered().starts_with(b"\r\n") {
            let expected = "-- or CR LF behind the boundary";
            return Err(self.refuse(self.at(), expected, &self.buffered()[..2]));
        }
        self.advance(2);
        if !closes {
            return Ok(Line::Delimiter);
        }
        while self.at_least(1)? {
            self.advance(self.buffered().len());
        }
        Ok(Line::CloseDelimiter)
    }

    /// Consumes the head of a part, up to and with its empty line.
    fn head(&mut self) -> io::Result<Head> {
        // One byte too many shows that there are; what a refusal shows does not depend on how many came.
        let length = self.head_length()?.min(self.limits.head.saturating_add(1));
        let bytes = &self.buffered()[..length];
        let head = Head::parse(bytes, &self.limits)
            .map_err(|(expected, i)| self.refuse(self.at() + i as u64, expected, &bytes[i..]))?;
        self.advance(length);
        Ok(head)
    }

    /// "Lines in a body-part must not start with the specified dash-boundary" (RFC 2046 section 5.1.1).
    /// Behind the empty line of a head, where no other line end is, some programs take one for a
    /// delimiter and others for content.
    fn check_first_line(&mut self) -> io::Result<()> {
        let length = self.delimiter.len() - 2;
        while self.buffered().len() < length && self.delimiter[2..].starts_with(self.buffered()) {
            self.require(self.buffered().len() + 1)?;
        }
        if self.buffered().starts_with(&self.delimiter[2..]) {
            let expected = "content or a line end, and no boundary behind the empty line";
            return Err(self.refuse(self.at(), expected, &self.buffered()[..length]));
        }
        Ok(())
    }

    /// The length of the head, or of what there is of it where it is too long or the body ends in it.
    /// The end is looked for only among new bytes, however the head drips in.
    fn head_length(&mut self) -> io::Result<usize> {
        let mut seen = 0;
        loop {
            let bytes = self.buffered();
            if bytes.starts_with(b"\r\n") {
                return Ok(2);
            }
            if let Some(end) = bytes[seen..].windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok(seen + end + 4);
            }
            let length = bytes.len();
            seen = length.saturating_sub(3);
            if length > self.limits.head || !self.at_least(length + 1)? {
                return Ok(length);
            }
        }
    }

    /// What is in the buffer and not consumed.
    fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Consumes what is not content.
    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.content_end = self.start;
    }

    /// Reads until the buffer holds this many bytes; it is an error of the client's if they do not come.
    fn require(&mut self, bytes: usize) -> io::Result<()> {
        match self.at_least(bytes)? {
            true => Ok(()),
            false => Err(self.refuse(self.read, Expected::END, b"")),
        }
    }

    /// Reads until the buffer holds this many bytes; `false` if the body ends before.
    fn at_least(&mut self, bytes: usize) -> io::Result<bool> {
        while self.end - self.start < bytes {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                self.content_end -= self.start;
                self.end -= self.start;
                self.start = 0;
            }
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.end += count;
                    self.read += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// How many bytes stand before the delimiter, or before what may become one; and whether it is whole.
fn find(bytes: &[u8], delimiter: &[u8]) -> (usize, bool) {
    let mut at = 0;
    for block in bytes.chunks(BLOCK) {
        // Without a branch inside, this is a handful of vector instructions.
        if block.iter().fold(false, |found, octet| found | (*octet == b'\r')) {
            for i in 0..block.len() {
                let candidate = &bytes[at + i..];
                if begins(candidate, delimiter) {
                    return (at + i, candidate.len() >= delimiter.len());
                }
            }
        }
        at += block.len();
    }
    (bytes.len(), false)
}

/// Whether a delimiter begins here, as far as there are bytes.
fn begins(candidate: &[u8], delimiter: &[u8]) -> bool {
    match candidate {
        // Four octets decide nearly always, and cost less here than where slices are compared.
        [b'\r', b'\n', b'-', b'-', ..] | [b'\r'] | [b'\r', _] | [b'\r', _, _] => {
            candidate.starts_with(delimiter) || delimiter.starts_with(candidate)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The obvious way, which is quadratic.
    fn find_slowly(bytes: &[u8], delimiter: &[u8]) -> (usize, bool) {
        let at = (0..bytes.len()).find(|&at| {
            let rest = &bytes[at..];
            rest.starts_with(delimiter) || delimiter.starts_with(rest)
        });
        at.map_or((bytes.len(), false), |at| (at, bytes.len() - at >= delimiter.len()))
    }

    #[test]
    fn what_is_found_is_what_is_there() {
        let delimiter = b"\r\n--b";
        let mut number = 0x6669_6E64_u64;
        for length in 0..4_000 {
            let bytes: Vec<u8> = (0..length % 100)
                .map(|_| {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    delimiter[usize::try_from(number >> 60).unwrap() % delimiter.len()]
                })
                .collect();
            // As much of a delimiter as there is, at the end and elsewhere.
            let bytes =
                [&bytes[..], &delimiter[..length % 6], &bytes[..length % 7 % (bytes.len() + 1)]]
                    .concat();
            assert_eq!(find(&bytes, delimiter), find_slowly(&bytes, delimiter), "{bytes:?}");
        }
    }
}
