//! Content between delimiters, found in a stream through one buffer (RFC 2046 section 5.1.1).
//!
//! What enters are reads of any length; what leaves are stretches of content that hold no delimiter
//! and no beginning of one, the delimiters, and the heads behind them. The same bytes give the same
//! content however they were cut.
//!
//! Looking for a delimiter takes time in proportion to the bytes, whatever they are. A delimiter holds
//! no CR but its first octet: where one that has begun turns out to be none, no other can have begun
//! in what was compared, and nothing is compared twice. That is why there is no table of how to go on
//! (Knuth, Morris and Pratt), and why `CR LF --` without end costs nothing but its bytes.

use std::io::{self, Read};

use longhand::wire::grammar::is_blank;

use super::PartLimits;
use super::error::{BadPart, Expected, MultipartError};
use super::head::Head;

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

/// The buffer, and what is known of the bytes in it.
///
/// ```text
///   0        start          content       end        buffer.len()
///   | consumed | known content | unknown, or | free      |
///   |          |               | a delimiter |           |
/// ```
pub(super) struct Splitter {
    /// CR LF, two hyphens, the boundary.
    delimiter: Vec<u8>,
    buffer: Box<[u8]>,
    start: usize,
    content: usize,
    end: usize,
    /// Whether a whole delimiter stands behind the known content.
    delimited: bool,
    /// Bytes that have been read from the body.
    read: u64,
}

impl Splitter {
    /// The buffer has room for a head of `head` bytes.
    pub(super) fn new(boundary: &str, head: usize) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        let mut buffer = vec![0; BUFFER.max(head.saturating_add(4)) + delimiter.len()];
        // The first delimiter may begin the body. With a line end in front, it is like the others.
        buffer[..2].copy_from_slice(b"\r\n");
        let buffer = buffer.into_boxed_slice();
        Self { delimiter, buffer, start: 0, content: 0, end: 2, delimited: false, read: 0 }
    }

    /// The offset in the body of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.read.saturating_sub((self.end - self.start) as u64)
    }

    /// Finds content, and says how much of it is known; nothing where a delimiter follows. `part` is
    /// the number of the part it belongs to.
    pub(super) fn content(
        &mut self,
        source: &mut dyn Read,
        part: usize,
    ) -> Result<usize, MultipartError> {
        while self.start == self.content && !self.delimited {
            let (length, delimited) = find(self.rest(), &self.delimiter);
            (self.content, self.delimited) = (self.start + length, delimited);
            if length == 0 && !delimited {
                self.want(source, self.rest().len() + 1, part)?;
            }
        }
        Ok(self.content - self.start)
    }

    /// The content that is known.
    pub(super) fn known(&self) -> &[u8] {
        &self.buffer[self.start..self.content]
    }

    /// How many bytes all of it takes.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.len() + self.delimiter.capacity()
    }

    /// Goes on behind so many bytes of the content.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = self.content.min(self.start + bytes);
    }

    // ABNF: delimiter       = CRLF "--" boundary                          (RFC 2046 section 5.1.1)
    //       close-delimiter = delimiter "--"
    //       multipart-body  = [preamble CRLF] dash-boundary transport-padding CRLF body-part
    //                         *( delimiter transport-padding CRLF body-part )
    //                         close-delimiter transport-padding [CRLF epilogue]
    /// Consumes the delimiter that stands here, with its line; behind the last one, the whole body.
    pub(super) fn delimiter(
        &mut self,
        source: &mut dyn Read,
        part: usize,
    ) -> Result<Line, MultipartError> {
        self.advance(self.delimiter.len());
        self.delimited = false;
        self.want(source, 2, part)?;
        let closes = self.rest().starts_with(b"--");
        if closes {
            self.advance(2);
        }
        while self.has(source, 1)? && is_blank(self.rest()[0]) {
            self.advance(1);
        }
        if closes && !self.has(source, 1)? {
            return Ok(Line::CloseDelimiter);
        }
        self.want(source, 2, part)?;
        if !self.rest().starts_with(b"\r\n") {
            let expected = Expected::This("-- or CR LF behind the boundary");
            return Err(BadPart::new(expected, part, self.at()).found(&self.rest()[..2]).into());
        }
        self.advance(2);
        if !closes {
            return Ok(Line::Delimiter);
        }
        while self.has(source, 1)? {
            self.advance(self.end - self.start);
        }
        Ok(Line::CloseDelimiter)
    }

    /// Consumes the head of a part, up to and with its empty line.
    pub(super) fn head(
        &mut self,
        source: &mut dyn Read,
        part: usize,
        limits: &PartLimits,
    ) -> Result<Head, MultipartError> {
        let at = self.at();
        // No head is shorter than its empty line.
        let length = self.head_length(source, limits.head.max(2))?;
        match Head::parse(&self.rest()[..length], limits) {
            Ok(head) => {
                self.advance(length);
                Ok(head)
            }
            Err((expected, i)) => {
                let bad = BadPart::new(expected, part, at + i as u64);
                Err(bad.found(&self.rest()[i..length]).into())
            }
        }
    }

    /// The length of the head, or of what there is of it where it is too long or the body ends in it.
    /// The end is looked for only among new bytes, however the head drips in.
    fn head_length(
        &mut self,
        source: &mut dyn Read,
        limit: usize,
    ) -> Result<usize, MultipartError> {
        let mut seen = 0;
        loop {
            let rest = self.rest();
            if rest.starts_with(b"\r\n") {
                return Ok(2);
            }
            if let Some(end) = rest[seen..].windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok(seen + end + 4);
            }
            let length = rest.len();
            seen = length.saturating_sub(3);
            if length > limit || !self.has(source, length + 1)? {
                return Ok(length);
            }
        }
    }

    /// What is in the buffer and not consumed.
    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Consumes what is not content.
    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.content = self.start;
    }

    /// Reads until so many bytes are in the buffer; it is an error of the client's if they do not come.
    fn want(
        &mut self,
        source: &mut dyn Read,
        bytes: usize,
        part: usize,
    ) -> Result<(), MultipartError> {
        if self.has(source, bytes)? {
            return Ok(());
        }
        Err(BadPart::new(Expected::END, part, self.read).into())
    }

    /// Reads until so many bytes are in the buffer; `false` if the body ends before.
    fn has(&mut self, source: &mut dyn Read, bytes: usize) -> Result<bool, MultipartError> {
        while self.end - self.start < bytes {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.content, self.end) = (self.content - self.start, self.end - self.start);
                self.start = 0;
            }
            match source.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.end += count;
                    self.read += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(MultipartError::Body(error)),
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
    // Four octets decide nearly always, and cost less here than where slices are compared.
    candidate[0] == b'\r'
        && candidate.iter().zip(&delimiter[..4]).all(|(found, wanted)| found == wanted)
        && (candidate.starts_with(delimiter) || delimiter.starts_with(candidate))
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
