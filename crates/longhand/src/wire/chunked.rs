//! The chunked transfer coding, both ways, with trailers (RFC 9112 section 7.1).
//!
//! The decoder takes the framing out of a stream and leaves the data where it is: it says how many
//! bytes of data follow, and its caller reads them wherever it likes. The encoder writes size lines.

use super::fields::{FieldLine, Fields};
use super::grammar::{hex_value, is_blank, is_qdtext, is_tchar};
use super::head::Parsed;
use super::rules::Kind;
use super::scan;
use super::span::{Part, Sink};
use super::violation::Violation;
use crate::limits::Limits;

/// A decoder of one chunked body, fed with its bytes in pieces of any size.
///
/// ```
/// use longhand::{Limits, wire::{Chunk, ChunkedDecoder}};
///
/// let mut bytes = &b"5\r\nhello\r\n0\r\n\r\n"[..];
/// let mut decoder = ChunkedDecoder::new(&Limits::default());
/// let (read, chunk) = decoder.framing(bytes).unwrap();
/// assert_eq!((read, chunk), (3, Chunk::Data(5)));
/// decoder.took(5);
/// bytes = &bytes[3 + 5..];
/// assert_eq!(decoder.framing(bytes).unwrap(), (5, Chunk::Trailers));
/// ```
#[derive(Clone, Debug)]
pub struct ChunkedDecoder {
    state: State,
    /// The size being read, then the data bytes still to come.
    left: u64,
    /// What extensions and trailers may still take.
    overhead: usize,
    /// Bytes of the body gone by, framing and data: where a violation is.
    at: usize,
}

/// What comes next in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// The framing is unfinished: more bytes are needed.
    NeedMore,
    /// So many bytes of data. Take some, and tell [`ChunkedDecoder::took`].
    Data(u64),
    /// The data is over; what follows is the trailer section, for [`ChunkedDecoder::trailers`].
    Trailers,
}

/// Where the decoder stands in `chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the size, after so many digits.
    Size(u8),
    /// Blanks after a size, a name or a value: an extension must follow.
    ExtBlank,
    /// After the semicolon, before the name.
    ExtStart,
    ExtName,
    /// Blanks after a name: `=` or `;` must follow.
    ExtNameBlank,
    /// After the `=`, before the value.
    ExtEquals,
    ExtToken,
    ExtQuoted,
    /// After a backslash.
    ExtEscape,
    /// After the closing quote.
    ExtQuotedEnd,
    /// After the CR of the size line.
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers,
}

impl ChunkedDecoder {
    /// A decoder at the start of a body. Of `limits`, `body_overhead` and `fields` count here; how
    /// much data is too much is its caller's to say.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { state: State::Size(0), left: 0, overhead: limits.body_overhead, at: 0 }
    }

    /// Reads the framing at the front of `bytes`: how many bytes of it were read, and what comes next.
    ///
    /// # Errors
    /// The first byte that breaks the coding's grammar, or the limit on extensions. Its offset is
    /// counted from the start of the body.
    pub fn framing(&mut self, bytes: &[u8]) -> Result<(usize, Chunk), Violation> {
        self.framing_to(bytes, &mut ())
    }

    // ABNF: chunked-body = *chunk last-chunk trailer-section CRLF         (RFC 9112 section 7.1)
    //       chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
    //       last-chunk = 1*"0" [ chunk-ext ] CRLF
    pub(crate) fn framing_to<S: Sink>(
        &mut self,
        bytes: &[u8],
        sink: &mut S,
    ) -> Result<(usize, Chunk), Violation> {
        // Where the element being read began in `bytes`, for the sink.
        let mut from = 0;
        for (i, &octet) in bytes.iter().enumerate() {
            match self.state {
                State::Data if self.left > 0 => return Ok((i, Chunk::Data(self.left))),
                State::Data => self.state = State::DataCr,
                State::Trailers => return Ok((i, Chunk::Trailers)),
                _ => {}
            }
            let part = part_of(self.state);
            match self.step(octet) {
                Ok(state) => self.state = state,
                Err(kind) => {
                    sink.span(part, from..i);
                    return Err(Violation::new(kind, self.at, Some(octet)).of_body());
                }
            }
            self.at = self.at.saturating_add(1);
            // An element ends where the part changes: before this byte, or behind it after CR LF.
            if part != part_of(self.state) {
                let end = i + usize::from(part == Part::Crlf);
                let last = part == Part::ChunkSize && self.left == 0;
                sink.span(if last { Part::LastChunk } else { part }, from..end);
                from = end;
            }
        }
        Ok((
            bytes.len(),
            match self.state {
                State::Data if self.left > 0 => Chunk::Data(self.left),
                State::Trailers => Chunk::Trailers,
                _ => Chunk::NeedMore,
            },
        ))
    }

    /// Tells that `count` bytes of data were taken from the stream.
    ///
    /// # Panics
    /// If that is more than [`Chunk::Data`] announced.
    pub fn took(&mut self, count: u64) {
        assert!(
            self.state == State::Data && count <= self.left,
            "more data taken than the chunk has"
        );
        self.left -= count;
        self.at = self.at.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
    }

    /// Bytes of data that are still to come of the chunk, inside of one.
    pub(crate) fn data_left(&self) -> Option<u64> {
        (self.state == State::Data && self.left > 0).then_some(self.left)
    }

    // ABNF: chunk-size = 1*HEXDIG                                         (RFC 9112 section 7.1)
    //       chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )  (7.1.1)
    //       chunk-ext-name = token
    //       chunk-ext-val = token / quoted-string
    /// The state after one byte of framing, or the rule it breaks.
    fn step(&mut self, octet: u8) -> Result<State, Kind> {
        let state = match (self.state, octet) {
            (State::Size(digits), _) if hex_value(octet).is_some() => {
                if digits == 16 {
                    return Err(Kind::ChunkSizeTooLarge);
                }
                self.left = self.left << 4 | u64::from(hex_value(octet).unwrap_or_default());
                return Ok(State::Size(digits + 1));
            }
            (State::Size(0), _) => return Err(Kind::ChunkSize),
            (State::Size(_) | State::ExtName | State::ExtToken | State::ExtQuotedEnd, b'\r') => {
                return Ok(State::SizeLf);
            }
            (State::SizeLf, b'\n') if self.left == 0 => return Ok(State::Trailers),
            (State::SizeLf, b'\n') => return Ok(State::Data),
            (State::DataCr, b'\r') => return Ok(State::DataLf),
            (State::DataLf, b'\n') => return Ok(State::Size(0)),
            (State::SizeLf, _) => return Err(Kind::BareCr),
            (State::DataCr | State::DataLf, _) => return Err(Kind::ChunkDataEnd),
            (State::ExtQuoted, b'"') => State::ExtQuotedEnd,
            (State::ExtQuoted, b'\\') => State::ExtEscape,
            (State::ExtQuoted, _) if is_qdtext(octet) => State::ExtQuoted,
            (State::ExtEscape, b'\t' | b' '..=b'~' | 0x80..) => State::ExtQuoted,
            (State::ExtQuoted | State::ExtEscape, b'\n') => return Err(Kind::BareLf),
            (State::ExtQuoted | State::ExtEscape, _) => return Err(Kind::ChunkExt),
            (_, b'\n') => return Err(Kind::BareLf),
            (State::ExtStart | State::ExtEquals, _) if is_blank(octet) => self.state,
            (State::ExtName | State::ExtNameBlank, _) if is_blank(octet) => State::ExtNameBlank,
            (_, _) if is_blank(octet) => State::ExtBlank,
            (State::ExtStart, _) if is_tchar(octet) => State::ExtName,
            (State::ExtStart, _) => return Err(Kind::ChunkExt),
            (State::ExtName, _) if is_tchar(octet) => State::ExtName,
            (State::ExtName | State::ExtNameBlank, b'=') => State::ExtEquals,
            (State::ExtEquals, b'"') => State::ExtQuoted,
            (State::ExtEquals | State::ExtToken, _) if is_tchar(octet) => State::ExtToken,
            (State::ExtEquals, _) => return Err(Kind::ChunkExt),
            (_, b';') => State::ExtStart,
            _ => return Err(Kind::ChunkExt),
        };
        // What arrives here is a byte of an extension; the grammar above came first, so a byte that
        // is wrong in itself is called so however many came before it.
        self.overhead = self.overhead.checked_sub(1).ok_or(Kind::ChunkExtTooLong)?;
        Ok(state)
    }

    /// Reads the trailer section at the front of `bytes`, which must all be kept until it is whole.
    /// `lines` is emptied and filled.
    ///
    /// # Errors
    /// The first rule that the bytes break, as for the fields of a head.
    pub fn trailers<'b>(
        &self,
        bytes: &'b [u8],
        limits: &Limits,
        lines: &'b mut Vec<FieldLine>,
    ) -> Result<Parsed<Fields<'b>>, Violation> {
        Ok(match self.trailers_to(bytes, limits, lines, &mut ())? {
            Some(consumed) => Parsed::Complete { value: Fields::new(bytes, lines), consumed },
            None => Parsed::Partial,
        })
    }

    /// The same; gives the section's length with its empty line, or `None`.
    pub(crate) fn trailers_to<S: Sink>(
        &self,
        bytes: &[u8],
        limits: &Limits,
        lines: &mut Vec<FieldLine>,
        sink: &mut S,
    ) -> Result<Option<usize>, Violation> {
        // The empty line has its place whatever the extensions have taken.
        let room = self.overhead.saturating_add(2);
        scan::section(bytes, room, Kind::TrailersTooLarge, limits, lines, sink)
            .map_err(|violation| violation.moved(self.at).of_body())
    }
}

/// What a byte read in this state is a part of.
fn part_of(state: State) -> Part {
    match state {
        State::Size(_) => Part::ChunkSize,
        State::SizeLf | State::DataCr | State::DataLf => Part::Crlf,
        State::Data => Part::ChunkData,
        State::Trailers => Part::EndOfHead,
        _ => Part::ChunkExt,
    }
}

/// Appends the line that begins a chunk of `length` bytes. A length of zero begins the last chunk.
///
/// ```
/// let mut out = Vec::new();
/// longhand::wire::encode_chunk_size(26, &mut out);
/// assert_eq!(out, b"1a\r\n");
/// ```
pub fn encode_chunk_size(length: usize, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (length.checked_ilog2().unwrap_or(0) / 4 + 1) as usize;
    for digit in (0..digits).rev() {
        out.push(DIGITS[length >> (digit * 4) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}
