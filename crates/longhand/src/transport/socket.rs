//! TCP and Unix sockets as transports: one descriptor a connection, deadlines by socket timeouts.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stream::{Half, Stream, is_timeout, timed_out};
use super::{Interrupt, Transport};

/// A connection over TCP.
pub type TcpTransport = Socket<TcpStream>;

/// A connection over a Unix socket.
#[cfg(unix)]
pub type UnixTransport = Socket<UnixStream>;

/// A socket with a read deadline.
#[derive(Debug)]
pub struct Socket<S> {
    pub(super) stream: Arc<S>,
    peer: Option<SocketAddr>,
    /// What reads may wait, counted from the time it was set.
    left: Option<Duration>,
    since: Instant,
    /// No read has begun since then.
    fresh: bool,
    /// The one read that does not wait, after the deadline, has been made or is not due.
    looked: bool,
    /// The read timeout that the socket has.
    armed: Option<Duration>,
    /// The wait that this timeout was last found good for.
    suits: Option<Duration>,
    /// The write timeout that the socket has.
    stall: Option<Duration>,
    /// A byte that was read to see what had been accepted.
    pub(super) early: Option<u8>,
}

impl<S: Stream> Socket<S> {
    /// `stall` is the write timeout that the stream has already.
    pub(super) fn new(
        stream: S,
        peer: Option<SocketAddr>,
        stall: Option<Duration>,
        early: Option<u8>,
    ) -> Self {
        Self {
            stream: Arc::new(stream),
            peer,
            left: None,
            since: Instant::now(),
            fresh: false,
            looked: false,
            armed: None,
            suits: None,
            stall,
            early,
        }
    }

    pub(super) fn stream(&self) -> &Arc<S> {
        &self.stream
    }

    /// Sees to it that the socket's timeout is what is left until the deadline. False where that is
    /// nothing.
    fn arm(&mut self) -> io::Result<bool> {
        if std::mem::take(&mut self.fresh) {
            return self.set_timeout(self.left);
        }
        let waited = Instant::now().saturating_duration_since(self.since);
        self.set_timeout(self.left.map(|left| left.saturating_sub(waited)))
    }

    /// Sets the socket's timeout where it is off by more than an eighth.
    fn set_timeout(&mut self, left: Option<Duration>) -> io::Result<bool> {
        let Some(left) = left else {
            self.suits = None;
            if self.armed.take().is_some() {
                self.stream.set_timeouts(Some(None), None)?;
            }
            return Ok(true);
        };
        if left.is_zero() {
            return Ok(false);
        }
        // Near enough: each exact time would be a system call.
        let near = left / 8;
        if !self.armed.is_some_and(|armed| armed >= left - near && armed <= left + near) {
            // The system counts in ticks of some milliseconds; less than one would mean "for ever".
            let timeout = left.max(Duration::from_millis(1));
            self.stream.set_timeouts(Some(Some(timeout)), None)?;
            self.armed = Some(timeout);
        }
        self.suits = Some(left);
        Ok(true)
    }

    /// Reads once without waiting. Where the process was stopped or the machine moved, the deadline is over
    /// although bytes came in time and lie in the socket. Once: a peer that never pauses has its deadline
    /// too.
    #[cold]
    fn look(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.looked, true) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_blocking(false)?;
        let read = self.stream.receive(into);
        self.stream.set_blocking(true)?;
        read.map_err(timed_out)
    }
}

impl TcpTransport {
    /// A transport over a stream that was accepted elsewhere.
    ///
    /// # Errors
    /// If the stream cannot be set to send small answers at once.
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr().ok();
        Ok(Self::new(stream, peer, None, None))
    }
}

#[cfg(unix)]
impl UnixTransport {
    /// A transport over a stream that was accepted elsewhere.
    #[must_use]
    pub fn over(stream: UnixStream) -> Self {
        Self::new(stream, None, None, None)
    }
}

impl<S: Stream> Read for Socket<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let (Some(early), Some(first)) = (self.early, into.first_mut()) {
            *first = early;
            self.early = None;
            return Ok(1);
        }
        loop {
            // The wait for the next request is as long as the one before: nothing is reckoned then, and
            // no system call spent.
            if self.fresh && self.left == self.suits {
                self.fresh = false;
            } else if !self.arm()? {
                return self.look(into);
            }
            match self.stream.receive(into) {
                // A timeout shorter than the deadline, or a signal: the clock decides.
                Err(error) if is_timeout(&error) || error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

impl<S: Stream> Write for Socket<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.send(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Stream> Transport for Socket<S> {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        let over = left.is_some_and(|left| left.is_zero());
        (self.since, self.left, self.fresh, self.looked) = (now, left, true, over);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        if self.stall != Some(limit) {
            self.stream.set_timeouts(None, Some(limit.max(Duration::from_millis(1))))?;
            self.stall = Some(limit);
        }
        Ok(())
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.stream.end(Shutdown::Write)
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn local(&self) -> Option<SocketAddr> {
        self.stream.local()
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.stream) as Arc<dyn Interrupt>)
    }

    fn halves(&mut self) -> Option<(Box<dyn Read + Send>, Box<dyn Write + Send>)> {
        self.stream.set_timeouts(Some(None), None).ok()?;
        (self.armed, self.suits) = (None, None);
        let half = || Half(Arc::clone(&self.stream));
        Some((Box::new(half()), Box::new(half())))
    }
}
