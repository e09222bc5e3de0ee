//! What a response's closures write to: a body of unknown length, or a connection that changed hands.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::time::Instant;

use crate::link::{LARGE, Link};
use crate::transport::Transport;
use crate::value::{FieldValue, check_name};
use crate::wire::encode_chunk_size;

/// Writes the body of a [streamed](crate::Reply::stream) response.
///
/// What is written is gathered; a [`flush`](Write::flush), or 16 KiB, sends it as one chunk. To a
/// client of HTTP/1.0, which knows no chunks, it is sent as it is and ends with the connection.
pub struct BodyWriter<'c> {
    link: &'c mut dyn Out,
    chunked: bool,
    gathered: Vec<u8>,
    trailers: Vec<(Cow<'static, str>, FieldValue)>,
    sent: u64,
}

/// The link, without the lifetime of its transport.
pub(crate) trait Out {
    fn gather(&mut self) -> &mut Vec<u8>;
    fn send(&mut self, bytes: &[u8], sent: &mut u64) -> io::Result<()>;
    fn flush(&mut self) -> io::Result<()>;
}

impl Out for Link<'_> {
    fn gather(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn send(&mut self, bytes: &[u8], sent: &mut u64) -> io::Result<()> {
        Link::send(self, bytes, sent)
    }

    fn flush(&mut self) -> io::Result<()> {
        Link::flush(self)
    }
}

impl<'c> BodyWriter<'c> {
    pub(crate) fn new(link: &'c mut dyn Out, chunked: bool) -> Self {
        Self { link, chunked, gathered: Vec::new(), trailers: Vec::new(), sent: 0 }
    }

    /// Adds a field line that follows the body (RFC 9110 section 6.5): a checksum or a final status,
    /// known only now. Announce it with a `Trailer` field. HTTP/1.0 has none, and it is dropped there.
    ///
    /// # Panics
    /// As [`Reply::field`](crate::Reply::field).
    #[track_caller]
    pub fn trailer(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<FieldValue>) {
        let name = name.into();
        check_name(&name);
        self.trailers.push((name, value.into()));
    }

    // ABNF: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF       (RFC 9112 section 7.1)
    fn send_chunk(&mut self, data: &[u8]) -> io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if self.chunked {
            encode_chunk_size(data.len(), self.link.gather());
        }
        self.link.send(data, &mut self.sent)?;
        if self.chunked {
            self.link.gather().extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    fn send_gathered(&mut self) -> io::Result<()> {
        let mut gathered = std::mem::take(&mut self.gathered);
        let sent = self.send_chunk(&gathered);
        gathered.clear();
        self.gathered = gathered;
        sent
    }

    /// The last chunk and the trailers. Gives the number of data bytes of the whole body.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.send_gathered()?;
        if self.chunked {
            let out = self.link.gather();
            out.push(b'0');
            for (name, value) in &self.trailers {
                write_field(out, name, value.as_bytes());
            }
            out.extend_from_slice(b"\r\n\r\n");
        }
        Ok(self.sent)
    }

    /// Data bytes that have become chunks so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }
}

// ABNF: field-line = field-name ":" OWS field-value OWS                   (RFC 9112 section 5)
/// Appends one field line behind another line, whose CRLF it brings.
#[inline]
pub(crate) fn write_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= LARGE {
            self.send_gathered()?;
            self.send_chunk(bytes)?;
        } else {
            self.gathered.extend_from_slice(bytes);
            if self.gathered.len() >= LARGE {
                self.send_gathered()?;
            }
        }
        Ok(bytes.len())
    }

    /// Sends what was written as one chunk, now.
    fn flush(&mut self) -> io::Result<()> {
        self.send_gathered()?;
        self.link.flush()
    }
}

impl std::fmt::Debug for BodyWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyWriter").field("sent", &self.sent).finish_non_exhaustive()
    }
}

/// A connection that went on to another protocol (RFC 9110 section 7.8).
///
/// Reading gives first what the client sent right behind its request. Reads wait without end unless
/// [a deadline](Self::set_read_deadline) is set; writes keep the server's limit on standing still.
/// When the closure that got it returns, the connection is closed.
pub struct Upgraded<'c> {
    early: &'c [u8],
    transport: &'c mut dyn Transport,
}

/// The reading and the writing half of an [`Upgraded`] connection.
pub type Halves = (Box<dyn Read + Send>, Box<dyn Write + Send>);

impl<'c> Upgraded<'c> {
    pub(crate) fn new(early: &'c [u8], transport: &'c mut dyn Transport) -> Self {
        let now = transport.now();
        transport.set_read_deadline(now, None);
        Self { early, transport }
    }

    /// From now on a read that still waits at `deadline` fails with `TimedOut`.
    pub fn set_read_deadline(&mut self, deadline: Option<Instant>) {
        let now = self.transport.now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        self.transport.set_read_deadline(now, left);
    }

    /// A reader and a writer that two threads may use at once; `None` where the transport cannot be
    /// divided, as TLS cannot. The connection still closes when the closure returns, so it joins the
    /// thread it started.
    #[must_use]
    pub fn split(&mut self) -> Option<Halves> {
        let (reader, writer) = self.transport.halves()?;
        let early = std::mem::take(&mut self.early).to_vec();
        Some((Box::new(io::Cursor::new(early).chain(reader)), writer))
    }
}

impl Read for Upgraded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.early.is_empty() { self.transport.read(into) } else { self.early.read(into) }
    }
}

impl Write for Upgraded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.transport.write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.transport.write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.transport.flush()
    }
}

impl std::fmt::Debug for Upgraded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upgraded").field("early", &self.early.len()).finish_non_exhaustive()
    }
}
