//! What a connection runs over: one duplex stream with deadlines and a clock, and what accepts them.
//!
//! [`Transport`] is used through one `&mut`: never cloned, never split, so that TLS fits. Its clock is
//! its own, so that [`Scripted`] tests every deadline without waiting for it.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::limits::Limits;

mod stream;
mod socket;
mod quiet;
mod refused;
mod listen;
mod scripted;

pub use listen::TcpAcceptor;
#[cfg(unix)]
pub use listen::UnixAcceptor;
pub use scripted::{Happened, Scripted};
#[cfg(unix)]
pub use socket::UnixTransport;
pub use socket::{Socket, TcpTransport};
pub use stream::Stream;

/// One duplex stream of bytes.
///
/// A read or write that runs out of its time fails with [`io::ErrorKind::TimedOut`], never with
/// `WouldBlock`. An adapter, such as one for TLS, wraps another transport and hands all of these
/// methods on; it must forward `write_vectored` too, or each response becomes two writes. Where it knows a
/// cut from an end that the peer has said, the cut is [`io::ErrorKind::UnexpectedEof`]. The repository's
/// `examples/https` is such an adapter, over rustls.
pub trait Transport: Read + Write + Send {
    /// From now on a read that still waits when `left` is over fails; `None` waits for ever. It is a
    /// deadline and not a timeout, because one read of TLS may receive many times: `left` is counted
    /// from `now`, the transport's own [`now`](Self::now), handed in so that nobody asks the clock twice.
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>);

    /// From now on a write that makes no progress for `limit` fails.
    ///
    /// # Errors
    /// What the system says.
    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()>;

    /// Ends the sending side, so that the peer reads to its end; reading goes on. Never called where a
    /// response was cut short: over TLS this is `close_notify`, by whose absence the peer can tell.
    ///
    /// # Errors
    /// What the system says.
    fn close_write(&mut self) -> io::Result<()>;

    /// The peer's address, where it has one.
    fn peer(&self) -> Option<SocketAddr>;

    /// The address the peer reached, where there is one.
    fn local(&self) -> Option<SocketAddr>;

    /// Whether the bytes travel encrypted and authenticated.
    fn is_secure(&self) -> bool {
        false
    }

    /// A handle by which another thread ends a read that blocks. Without one, the connection can
    /// neither make room for another nor be closed by a drain before its deadlines.
    fn interrupter(&self) -> Option<Arc<dyn Interrupt>>;

    /// A reading and a writing half for two threads, where the transport can be used so.
    fn halves(&mut self) -> Option<(Box<dyn Read + Send>, Box<dyn Write + Send>)> {
        None
    }

    /// The time by which deadlines are kept.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// The time of day.
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A deadline that cannot overflow the clock, however generous a limit is.
pub(crate) fn deadline(now: Instant, left: Duration) -> Instant {
    const AGES: Duration = Duration::from_secs(365 * 86_400);
    now + left.min(AGES)
}

/// Ends a connection's reads from another thread.
pub trait Interrupt: Send + Sync {
    /// The read that blocks gives the end of the stream; later ones what has still come, and the end.
    /// Writing goes on.
    fn end_reads(&self);

    /// Reads end and writes fail.
    fn cut(&self);
}

/// What came out of [`Acceptor::accept`].
#[derive(Debug)]
pub enum Accepted<T> {
    /// A connection.
    Connection(T),
    /// Nothing but a call of [`Acceptor::wake`].
    Wake,
}

impl<T> Accepted<T> {
    /// The same with another transport: how an adapter wraps what it accepts.
    pub fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Accepted<U> {
        match self {
            Self::Connection(transport) => Accepted::Connection(wrap(transport)),
            Self::Wake => Accepted::Wake,
        }
    }
}

/// Where connections come from. Several threads accept at once.
pub trait Acceptor: Send + Sync {
    /// What a connection runs over.
    type Transport: Transport;

    /// Called once before the first `accept`: a chance to set what connections inherit.
    ///
    /// # Errors
    /// What the system says; the server does not start then.
    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        let _ = limits;
        Ok(())
    }

    /// Waits for a connection. It must not wait for the peer: a TLS handshake belongs to the first
    /// read, on the connection's own thread.
    ///
    /// # Errors
    /// What the system says. The server reports it, waits a little and accepts again.
    fn accept(&self) -> io::Result<Accepted<Self::Transport>>;

    /// Makes one blocked `accept` return, [`Accepted::Wake`] where it can be told apart. The
    /// connections that waited before it come out first.
    ///
    /// # Errors
    /// What the system says; the server tries again.
    fn wake(&self) -> io::Result<()>;

    /// Answers a connection that finds no place with the bytes of `answer` and closes it, without
    /// ever waiting for the peer. A secure transport is closed without bytes: an answer would wait
    /// for a handshake.
    fn refuse(&self, transport: Self::Transport, answer: &[u8]);

    /// Goes on with what [`refuse`](Self::refuse) began, without waiting. Gives when it wants to be
    /// called again; `None` once nothing is left. The thread that called `run` does it.
    fn tend(&self) -> Option<Duration> {
        None
    }

    /// From here on `accept` never waits: it gives the connections that have come already, and when
    /// there are none it lets the listener go in the same breath and fails with
    /// [`io::ErrorKind::NotConnected`]. Called in a drain by the last thread that waits in `accept`,
    /// so that nobody who was let in is thrown out unheard. False where that cannot be done, as
    /// with a listener that other processes go on with; then `accept` is as before.
    fn last_call(&self) -> bool {
        false
    }

    /// Lets the listener go, so that newcomers are told at once that nobody is there. Called in a
    /// drain, when no thread waits in `accept` any more.
    fn close(&self) {}

    /// Where it listens, where that is an address.
    fn local(&self) -> Option<SocketAddr>;
}
