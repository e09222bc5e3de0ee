//! A transport and what waits to be written to it.
//!
//! Answers are gathered in one buffer and leave in one write: before every read of the transport,
//! and when 64 KiB have come together. Large bodies are not copied; their beginning leaves in one
//! vectored write with what was gathered before them.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use crate::transport::Transport;

/// Above so many gathered bytes nothing more is gathered.
const GATHERED: usize = 64 << 10;

/// What most heads of responses and small bodies fit in.
const SMALL: usize = 512;

/// From this length on, bytes are written from where they are.
pub(crate) const LARGE: usize = 16 << 10;

/// So much of a large body goes out with what was gathered before it, and the rest in a second write:
/// what Go does by the size of its buffer. Over loopback, 1 MiB from memory goes out 1.7 times as often
/// at 0.6 of the CPU; 1 KiB does it as well as 16, the head alone does not. The peer's receive buffer
/// grows less then (0.6 MB instead of 4), so what it reads is still in a cache.
const FIRST: usize = 4 << 10;

/// The connection's transport with its outgoing buffer.
pub(crate) struct Link<'t> {
    pub(crate) transport: &'t mut dyn Transport,
    /// Gathered and not yet written.
    pub(crate) out: Vec<u8>,
    /// How a write failed. Nothing is written after it: it would stand in the middle of what was cut.
    failed: Option<io::ErrorKind>,
}

impl<'t> Link<'t> {
    pub(crate) fn new(transport: &'t mut dyn Transport) -> Self {
        Self { transport, out: Vec::with_capacity(SMALL), failed: None }
    }

    /// Writes everything gathered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return self.check();
        }
        let written = self
            .check()
            .and_then(|()| self.transport.write_all(&self.out))
            .and_then(|()| self.transport.flush());
        self.written(written)
    }

    /// Reads for as long as is `left` from `now` on. The caller has flushed what was gathered.
    #[inline(always)]
    pub(crate) fn read(
        &mut self,
        into: &mut [u8],
        now: Instant,
        left: Duration,
    ) -> io::Result<usize> {
        debug_assert!(self.out.is_empty(), "the peer may wait for what is gathered");
        self.transport.set_read_deadline(now, Some(left));
        loop {
            match self.transport.read(into) {
                // By a signal, as `Read` allows it: nothing has failed, and the deadline stays.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Gathers `bytes`, or writes them at once with everything gathered if they are large. `sent` grows by
    /// as many of them as were gathered or taken by the system.
    #[inline(always)]
    pub(crate) fn send(&mut self, bytes: &[u8], sent: &mut u64) -> io::Result<()> {
        if bytes.len() >= LARGE {
            return self.send_large(bytes, sent);
        }
        self.out.extend_from_slice(bytes);
        *sent += bytes.len() as u64;
        if self.out.len() < GATHERED { Ok(()) } else { self.flush() }
    }

    fn send_large(&mut self, bytes: &[u8], sent: &mut u64) -> io::Result<()> {
        let (first, rest) = bytes.split_at(if self.out.is_empty() { 0 } else { FIRST });
        let mut slices = [IoSlice::new(&self.out), IoSlice::new(first)];
        let gathered = self.out.len() as u64;
        let mut taken = 0;
        let written = self
            .check()
            .and_then(|()| write_all(&mut *self.transport, &mut slices, &mut taken))
            .and_then(|()| write_all(&mut *self.transport, &mut [IoSlice::new(rest)], &mut taken))
            .and_then(|()| self.transport.flush());
        *sent += taken.saturating_sub(gathered);
        self.written(written)
    }

    /// Gives memory back that an idle connection does not need.
    pub(crate) fn shrink(&mut self) {
        if self.out.is_empty() && self.out.capacity() > LARGE {
            self.out = Vec::with_capacity(SMALL);
        }
    }

    fn check(&self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// What a failed write left over is not for a later one, which fails as it did.
    fn written(&mut self, written: io::Result<()>) -> io::Result<()> {
        self.out.clear();
        self.failed = written.as_ref().err().map(io::Error::kind);
        written
    }
}

/// `Write::write_all_vectored` is not stable; this is what it does. It also counts what was `taken`.
fn write_all(
    transport: &mut dyn Transport,
    mut slices: &mut [IoSlice<'_>],
    taken: &mut u64,
) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match transport.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                *taken += written as u64;
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What a body needs of its connection. A trait, so that the lifetime of the transport does not
/// show in the type of a request.
pub(crate) trait Source {
    /// Writes what is gathered, then reads for as long as is `left` from `now` on.
    fn receive(&mut self, into: &mut [u8], now: Instant, left: Duration) -> io::Result<usize>;
    /// Writes what is gathered, then these bytes.
    fn send_now(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn flush(&mut self) -> io::Result<()>;
    fn now(&self) -> Instant;
    fn wall(&self) -> SystemTime;
    fn peer(&self) -> Option<SocketAddr>;
    fn local(&self) -> Option<SocketAddr>;
    fn is_secure(&self) -> bool;
}

impl Source for Link<'_> {
    fn receive(&mut self, into: &mut [u8], now: Instant, left: Duration) -> io::Result<usize> {
        self.flush()?;
        self.read(into, now, left)
    }

    fn send_now(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.extend_from_slice(bytes);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        Link::flush(self)
    }

    fn now(&self) -> Instant {
        self.transport.now()
    }

    fn wall(&self) -> SystemTime {
        self.transport.wall()
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.transport.peer()
    }

    fn local(&self) -> Option<SocketAddr> {
        self.transport.local()
    }

    fn is_secure(&self) -> bool {
        self.transport.is_secure()
    }
}
