//! The body of a request: read by the handler as it arrives, without its framing (RFC 9112 section 6).
//!
//! Bytes that came with the head are read first, then the transport, straight into the reader's own
//! buffer. Limits on size and slowness are kept here; how the body ended is left behind for the
//! connection, which answers a failure and decides what becomes of the bytes nobody read.

use std::io::{self, Read};

use crate::body_state::{BodyState, Left, receive, transport_failure, violation};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::link::Source;
use crate::wire::{Chunk, Fields, Kind};

/// The body of a request.
///
/// It is read by [`Read`], or whole by [`read_all`](Self::read_all). The first read sends the
/// `100 Continue` that the client may be waiting for. A body that turns out too large, too slow or
/// broken gives an error, and the connection answers it with its own status (413, 408, 400)
/// whatever the handler returns: a handler may pass the error on with `?` and need not tell them
/// apart.
pub struct Body<'c> {
    source: &'c mut (dyn Source + 'c),
    /// What has been read behind the head lies in here, at `state.from..state.to`.
    buffer: &'c mut [u8],
    state: &'c mut BodyState,
    limits: &'c Limits,
}

impl<'c> Body<'c> {
    pub(crate) fn new(
        source: &'c mut (dyn Source + 'c),
        buffer: &'c mut [u8],
        state: &'c mut BodyState,
        limits: &'c Limits,
    ) -> Self {
        Self { source, buffer, state, limits }
    }

    /// Sets how many bytes this body may have from here on, in place of [`Limits::body`].
    pub fn limit(&mut self, bytes: u64) -> &mut Self {
        self.state.limit = self.state.taken.saturating_add(bytes);
        self
    }

    /// How many bytes are still to come, where the head said so; 0 where there is no body.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.state.framing {
            Left::Nothing => Some(0),
            Left::Length(left) => Some(left),
            Left::Chunked(_) => None,
        }
    }

    /// Reads the rest of the body. Memory grows with the bytes that arrive, never by what the peer
    /// declares.
    ///
    /// # Errors
    /// If the body is larger than its limit, slower than its rate, broken, or ends early.
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// fn shout(request: &mut Request<'_>) -> std::io::Result<Response> {
    ///     let body = request.body().limit(64 * 1024).read_all()?;
    ///     Ok(Response::bytes("text/plain; charset=utf-8", body.to_ascii_uppercase()))
    /// }
    /// ```
    pub fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        let buffered = (self.state.to - self.state.from) as u64;
        let expected = self.remaining().map_or(buffered, |left| left.min(buffered.max(8 << 10)));
        // One byte more, so that the read which finds the end needs no growth.
        all.reserve_exact(usize::try_from(expected).unwrap_or(0) + 1);
        self.read_to_end(&mut all)?;
        Ok(all)
    }

    /// Reads and drops the `left` bytes that nobody has read. A function of its own because of the 8 KiB
    /// that a copy has on its stack: in the frame of the connection, each idle one would hold them.
    #[inline(never)]
    pub(crate) fn discard(&mut self, left: u64) -> io::Result<()> {
        io::copy(self.limit(left), &mut io::sink()).map(|_| ())
    }

    pub(crate) fn trailers(&self) -> Fields<'_> {
        match (&self.state.framing, &self.state.trailers) {
            (Left::Nothing, Some(trailers)) => Fields::new(&trailers.bytes, &trailers.lines),
            _ => Fields::new(&[], &[]),
        }
    }

    /// What it is read from, which knows its peer and its clock.
    pub(crate) fn source(&self) -> &dyn Source {
        self.source
    }

    fn check_limit(&self, coming: u64) -> Result<(), Failure> {
        if coming > self.state.limit - self.state.taken.min(self.state.limit) {
            return Err(violation(Kind::BodyTooLarge, self.state.limit));
        }
        Ok(())
    }

    fn next(&mut self, into: &mut [u8]) -> Result<usize, Failure> {
        if let Left::Length(left) = self.state.framing {
            self.check_limit(left)?;
        }
        if std::mem::take(&mut self.state.expects) {
            self.source.send_now(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(transport_failure)?;
        }
        let left = match &self.state.framing {
            Left::Nothing => return Ok(0),
            Left::Length(left) => *left,
            Left::Chunked(_) => match self.chunk()? {
                Some(left) => left,
                None => return Ok(0),
            },
        };
        let most = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.data(&mut into[..most])?;
        self.state.taken += count as u64;
        match &mut self.state.framing {
            Left::Length(left) => {
                *left -= count as u64;
                if *left == 0 {
                    self.state.framing = Left::Nothing;
                }
            }
            Left::Chunked(decoder) => decoder.took(count as u64),
            Left::Nothing => {}
        }
        Ok(count)
    }

    /// Data bytes: those in the buffer, else straight from the transport. A reader that takes less
    /// than the buffer holds is served through it, so that small reads are no system calls.
    fn data(&mut self, into: &mut [u8]) -> Result<usize, Failure> {
        if self.state.from == self.state.to {
            if into.len() >= self.buffer.len() {
                return receive(self.source, self.state, self.limits, into);
            }
            self.fill()?;
        }
        let buffered = &self.buffer[self.state.from..self.state.to];
        let count = buffered.len().min(into.len());
        into[..count].copy_from_slice(&buffered[..count]);
        self.state.from += count;
        Ok(count)
    }

    /// Reads framing until data follows, and says how much; `None` at the end of the body.
    fn chunk(&mut self) -> Result<Option<u64>, Failure> {
        loop {
            let Left::Chunked(decoder) = &mut self.state.framing else { return Ok(None) };
            let buffered = &self.buffer[self.state.from..self.state.to];
            let (read, chunk) = decoder.framing(buffered).map_err(Failure::Violation)?;
            self.state.from += read;
            match chunk {
                Chunk::Data(left) => {
                    self.check_limit(left)?;
                    return Ok(Some(left));
                }
                Chunk::NeedMore => self.fill()?,
                Chunk::Trailers => return self.read_trailers().map(|()| None),
            }
        }
    }

    /// Collects the trailer section, which may be longer than the buffer, until it is whole.
    fn read_trailers(&mut self) -> Result<(), Failure> {
        loop {
            let Left::Chunked(decoder) = &self.state.framing else { return Ok(()) };
            let trailers = self.state.trailers.get_or_insert_default();
            trailers.bytes.extend_from_slice(&self.buffer[self.state.from..self.state.to]);
            self.state.from = self.state.to;
            let end = decoder
                .trailers_to(&trailers.bytes, self.limits, &mut trailers.lines, &mut ())
                .map_err(Failure::Violation)?;
            if let Some(end) = end {
                // What is behind the end belongs to the next request: it is still in the buffer.
                self.state.from -= trailers.bytes.len() - end;
                trailers.bytes.truncate(end);
                self.state.framing = Left::Nothing;
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Reads more into the buffer, all of which has been used.
    fn fill(&mut self) -> Result<(), Failure> {
        debug_assert_eq!(
            self.state.from, self.state.to,
            "framing reads to the end before it wants more"
        );
        (self.state.from, self.state.to) = (0, 0);
        self.state.to = receive(self.source, self.state, self.limits, self.buffer)?;
        Ok(())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.state.failure {
            return Err(self.state.error(failure));
        }
        if into.is_empty() {
            return Ok(0);
        }
        self.next(into).map_err(|failure| {
            self.state.failure = Some(failure);
            self.state.error(failure)
        })
    }
}

impl std::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}
