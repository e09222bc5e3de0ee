//! The parts of a message, and the sink that a parse reports them to.
//!
//! Every parser of this module says what it found as `(Part, byte range)` to a sink. The server's
//! sink is `()`, for which the calls compile to nothing; [`explain`](super::explain()) collects them.
//! So the explanation of a message is made by the very code that serves it.

use core::ops::Range;

/// What a run of bytes is, in the words of RFC 9112.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// An empty line before a request (RFC 9112 section 2.2).
    Blank,
    /// The method of a request.
    Method,
    /// The one space between the elements of a start-line.
    Sp,
    /// The request-target.
    Target,
    /// `HTTP/1.1`
    Version,
    /// The CR LF that ends a line.
    Crlf,
    /// A field name.
    Name,
    /// The colon after a field name.
    Colon,
    /// Optional blanks around a field value.
    Ows,
    /// A field value.
    Value,
    /// The empty line that ends a head or a trailer section.
    EndOfHead,
    /// The three digits of a status code.
    Status,
    /// The reason phrase.
    Reason,
    /// Body bytes whose number the head announced, or that end with the connection.
    Body,
    /// The hexadecimal size of a chunk.
    ChunkSize,
    /// The extensions of a chunk, from the first `;` or blank on.
    ChunkExt,
    /// The data of a chunk.
    ChunkData,
    /// The size of the last chunk: zero.
    LastChunk,
    /// An element that has begun and needs more bytes, or that a limit cut short.
    Pending,
    /// From the byte that broke a rule to the end: not read.
    Refused,
    /// The next message on the connection.
    Next,
}

/// Where a parse reports the parts it finds, in order, without overlap and without gap.
pub(crate) trait Sink {
    /// `at` is counted from the start of the bytes that the parser was given.
    fn span(&mut self, part: Part, at: Range<usize>);
}

/// The server's sink: nobody looks, and nothing is left of the calls in the machine code.
impl Sink for () {
    #[inline(always)]
    fn span(&mut self, _: Part, _: Range<usize>) {}
}

/// A sink that keeps what it is told. Empty runs are not worth a span.
#[derive(Default)]
pub(crate) struct Spans {
    pub(crate) list: Vec<(Part, Range<usize>)>,
    /// Added to every range: where the bytes given to the parser begin in the whole input.
    pub(crate) base: usize,
}

impl Sink for Spans {
    fn span(&mut self, part: Part, at: Range<usize>) {
        if !at.is_empty() {
            self.list.push((part, at.start + self.base..at.end + self.base));
        }
    }
}
