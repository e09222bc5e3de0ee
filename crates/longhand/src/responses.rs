//! Responses as a client or a proxy reads them: heads, and bodies without their framing (RFC 9112
//! sections 4, 6 and 7).
//!
//! A connection enters, as anything to read from; each response's head leaves, and its body as bytes.
//! How long to wait is the connection's to know.

use std::io::{self, ErrorKind, Read};

use crate::limits::Limits;
use crate::wire::{
    Chunk, ChunkedDecoder, FieldLine, Framing, Parsed, ResponseHead, Version, scan_response,
};

/// How much is asked for at once where framing is read.
const PIECE: usize = 8 << 10;

/// Reads the responses of a connection, one after the other.
///
/// What is asked is written elsewhere. After the head of a response its body is what is [read](Read),
/// to its end; a body that breaks off is an error, never an end.
///
/// ```
/// use longhand::{Limits, Responses};
/// use std::io::Read;
///
/// let wire = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
///             5\r\nhello\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
/// let mut responses = Responses::new(wire.as_bytes(), &Limits::default());
/// assert_eq!(responses.head("GET")?.status.code(), 103);
/// assert_eq!(responses.head("GET")?.status.code(), 200);
/// let mut body = String::new();
/// responses.read_to_string(&mut body)?;
/// assert_eq!(body, "hello");
/// assert_eq!(responses.head("GET")?.status.code(), 204);
/// assert!(responses.may_persist());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Responses<R> {
    source: R,
    /// What has come and was not taken yet begins at `from`.
    buffer: Vec<u8>,
    from: usize,
    lines: Vec<FieldLine>,
    left: Left,
    closes: bool,
    limits: Limits,
}

/// What is still to come of a body.
#[derive(Debug)]
enum Left {
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
    Nothing,
}

impl<R: Read> Responses<R> {
    /// Of `limits`, those on heads and framing count.
    pub fn new(source: R, limits: &Limits) -> Self {
        let (buffer, lines, limits) = (Vec::new(), Vec::new(), limits.clone());
        Self { source, buffer, from: 0, lines, left: Left::Nothing, closes: false, limits }
    }

    /// Reads the next head, interim or final, of what answers a request of this `method`.
    ///
    /// # Errors
    /// If it breaks a rule ([`Violation::of`](crate::wire::Violation::of)), or does not come whole.
    ///
    /// # Panics
    /// If the body before it was not read to its end.
    pub fn head(&mut self, method: &str) -> io::Result<ResponseHead<'_>> {
        assert!(self.is_over(), "a head is read where the body before it has ended");
        // Until a head was read whole, there is nothing to rely on.
        self.closes = true;
        let layout = loop {
            let bytes = &self.buffer[self.from..];
            if let Some(layout) = scan_response(bytes, &self.limits, &mut self.lines, &mut ())? {
                break layout;
            }
            self.fill()?;
        };
        let bytes = &self.buffer[self.from..self.from + layout.end];
        let head = ResponseHead::new(bytes, &layout, &self.lines)?;
        self.from += layout.end;
        let framing = Framing::of_response(&head, method)?;
        let says_close =
            head.fields.list("connection").any(|option| option.eq_ignore_ascii_case(b"close"));
        self.closes = says_close || head.version == Version::Http10 || framing.is_none();
        self.left = match framing {
            Some(Framing::None | Framing::Length(0)) => Left::Nothing,
            Some(Framing::Length(length)) => Left::Length(length),
            Some(Framing::Chunked) => Left::Chunked(ChunkedDecoder::new(&self.limits)),
            None => Left::UntilClose,
        };
        Ok(head)
    }

    /// Whether the body was read to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    /// Whether the connection may carry another request: the response was read to its end, nothing has
    /// come behind it, and it did not say that the connection closes (RFC 9112 section 9.3).
    #[must_use]
    pub fn may_persist(&self) -> bool {
        self.is_over() && !self.closes && self.buffered().is_empty()
    }

    /// What has come and was not read yet.
    #[must_use]
    pub fn buffered(&self) -> &[u8] {
        &self.buffer[self.from..]
    }

    /// The connection.
    pub fn source(&mut self) -> &mut R {
        &mut self.source
    }

    /// Reads more into the buffer.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.from);
        self.from = 0;
        let end = self.buffer.len();
        self.buffer.resize(end + PIECE, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(end + read.as_ref().map_or(0, |count| *count));
        if read? == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads framing until data follows, and says how much; 0 at the end, behind the trailers, which
    /// nobody gets.
    fn chunk(&mut self) -> io::Result<u64> {
        loop {
            let Left::Chunked(decoder) = &mut self.left else { return Ok(0) };
            let (read, chunk) = decoder.framing(&self.buffer[self.from..])?;
            self.from += read;
            match chunk {
                Chunk::Data(left) => return Ok(left),
                Chunk::NeedMore => {}
                Chunk::Trailers => {
                    let bytes = &self.buffer[self.from..];
                    let section = decoder.trailers(bytes, &self.limits, &mut self.lines)?;
                    if let Parsed::Complete { consumed, .. } = section {
                        self.from += consumed;
                        self.left = Left::Nothing;
                        return Ok(0);
                    }
                }
            }
            self.fill()?;
        }
    }
}

impl<R: Read> Read for Responses<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = match &self.left {
            _ if into.is_empty() => 0,
            Left::Nothing => 0,
            Left::Length(left) => *left,
            Left::Chunked(_) => self.chunk()?,
            Left::UntilClose => u64::MAX,
        };
        let most = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = if self.buffered().is_empty() {
            self.source.read(&mut into[..most])?
        } else {
            let count = self.buffered().read(&mut into[..most])?;
            self.from += count;
            count
        };
        match &mut self.left {
            Left::UntilClose if count == 0 => self.left = Left::Nothing,
            Left::UntilClose | Left::Nothing => {}
            _ if count == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            Left::Length(left) if *left == count as u64 => self.left = Left::Nothing,
            Left::Length(left) => *left -= count as u64,
            Left::Chunked(decoder) => decoder.took(count as u64),
        }
        Ok(count)
    }
}

/// Without the bytes that it holds: cookies may be among them.
impl<R> std::fmt::Debug for Responses<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let buffered = self.buffer.len() - self.from;
        f.debug_struct("Responses")
            .field("left", &self.left)
            .field("buffered", &buffered)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Violation;

    /// Gives one byte at a time: framing must not depend on how bytes come.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(1);
            self.0.read(&mut into[..most])
        }
    }

    /// What a response to this method is read as: body, or error; whether the connection may persist.
    fn read(wire: &str, method: &str) -> (Result<String, ErrorKind>, bool) {
        let limits = Limits::default();
        let one = |responses: &mut dyn Read| {
            let mut body = String::new();
            responses.read_to_string(&mut body).map(|_| body).map_err(|error| error.kind())
        };
        let mut whole = Responses::new(wire.as_bytes(), &limits);
        let all = match whole.head(method).map(drop) {
            Ok(()) => one(&mut whole),
            Err(error) => Err(error.kind()),
        };
        let mut drip = Responses::new(Drip(wire.as_bytes()), &limits);
        let dripped = match drip.head(method).map(drop) {
            Ok(()) => one(&mut drip),
            Err(error) => Err(error.kind()),
        };
        assert_eq!(all, dripped, "{wire:?}");
        (all, whole.may_persist())
    }

    #[test]
    fn a_body_ends_where_its_framing_says_and_else_breaks_off() {
        const OK: &str = "HTTP/1.1 200 OK\r\n";
        let text = |text: &str| Ok(text.to_owned());
        for (rest, method, body, persists) in [
            ("Content-Length: 2\r\n\r\nhi", "GET", text("hi"), true),
            ("Content-Length: 2\r\n\r\nhi", "HEAD", text(""), false),
            ("Content-Length: 2\r\n\r\n", "HEAD", text(""), true),
            ("Content-Length: 2\r\n\r\nhi!", "GET", text("hi"), false),
            ("Content-Length: 2\r\nConnection: x, Close\r\n\r\nhi", "GET", text("hi"), false),
            ("Content-Length: 3\r\n\r\nhi", "GET", Err(ErrorKind::UnexpectedEof), false),
            ("\r\nhi", "GET", text("hi"), false),
            (
                "Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\nA: b\r\n\r\n",
                "GET",
                text("hi"),
                true,
            ),
            (
                "Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n",
                "GET",
                Err(ErrorKind::UnexpectedEof),
                false,
            ),
            (
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
                "GET",
                Err(ErrorKind::UnexpectedEof),
                false,
            ),
            (
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhix\r\n",
                "GET",
                Err(ErrorKind::InvalidData),
                false,
            ),
            (
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "GET",
                Err(ErrorKind::InvalidData),
                false,
            ),
            (
                "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "GET",
                Err(ErrorKind::InvalidData),
                false,
            ),
            ("A: b\r\n", "GET", Err(ErrorKind::UnexpectedEof), false),
        ] {
            let (found, may) = read(&format!("{OK}{rest}"), method);
            assert_eq!(found, body, "{rest:?}");
            assert_eq!(may && found.is_ok(), persists, "{rest:?}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let mut responses = Responses::new(&b"SSH-2.0-x\r\n"[..], &Limits::default());
        let error = responses.head("GET").expect_err("no HTTP");
        assert!(Violation::of(&error).is_some(), "{error}");
    }
}
