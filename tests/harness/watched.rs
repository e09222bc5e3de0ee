//! A TCP listener whose steps a test can see and hold up.
//!
//! What a test waits for is often not an answer but a place: "now this connection rests", "now that
//! one waits in the queue". Here both are said by the acceptor and its transports, so that no test
//! has to wait a while and hope.

use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use longhand::Limits;
use longhand::transport::{Accepted, Acceptor, Interrupt, TcpAcceptor, TcpTransport, Transport};

/// Called on the thread that the step is taken on, before it is taken.
pub type Step<T> = Arc<dyn Fn(T) + Send + Sync>;

/// A TCP acceptor that says what it is about to do.
pub struct Watched {
    inner: TcpAcceptor,
    /// Before every accept.
    pub before_accept: Step<()>,
    /// Before every read of a connection, with its peer.
    pub before_read: Step<SocketAddr>,
    /// When the last thread that waits has been woken to end.
    pub before_last_call: Step<()>,
    /// After the listener was let go.
    pub after_close: Step<()>,
}

/// A connection that says when it is about to read.
pub struct WatchedTransport {
    inner: TcpTransport,
    before_read: Step<SocketAddr>,
}

impl Watched {
    /// Over a listener, with nobody looking.
    #[must_use]
    pub fn over(listener: TcpListener) -> Self {
        Self::around(TcpAcceptor::own(listener))
    }

    /// Around an acceptor, with nobody looking.
    #[must_use]
    pub fn around(inner: TcpAcceptor) -> Self {
        Self {
            inner,
            before_accept: Arc::new(|()| ()),
            before_read: Arc::new(|_| ()),
            before_last_call: Arc::new(|()| ()),
            after_close: Arc::new(|()| ()),
        }
    }
}

impl Acceptor for Watched {
    type Transport = WatchedTransport;

    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        self.inner.prepare(limits)
    }

    fn accept(&self) -> io::Result<Accepted<WatchedTransport>> {
        (self.before_accept)(());
        Ok(match self.inner.accept()? {
            Accepted::Connection(inner) => {
                let before_read = Arc::clone(&self.before_read);
                Accepted::Connection(WatchedTransport { inner, before_read })
            }
            Accepted::Wake => Accepted::Wake,
        })
    }

    fn wake(&self) -> io::Result<()> {
        self.inner.wake()
    }

    fn refuse(&self, transport: WatchedTransport, answer: &[u8]) {
        self.inner.refuse(transport.inner, answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.inner.tend()
    }

    fn last_call(&self) -> bool {
        (self.before_last_call)(());
        self.inner.last_call()
    }

    fn close(&self) {
        self.inner.close();
        (self.after_close)(());
    }

    fn local(&self) -> Option<SocketAddr> {
        self.inner.local()
    }
}

impl Read for WatchedTransport {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(peer) = self.inner.peer() {
            (self.before_read)(peer);
        }
        self.inner.read(into)
    }
}

impl Write for WatchedTransport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Transport for WatchedTransport {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        self.inner.set_read_deadline(now, left);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.inner.set_write_stall(limit)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.inner.close_write()
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.inner.peer()
    }

    fn local(&self) -> Option<SocketAddr> {
        self.inner.local()
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        self.inner.interrupter()
    }

    fn halves(&mut self) -> Option<(Box<dyn Read + Send>, Box<dyn Write + Send>)> {
        self.inner.halves()
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall(&self) -> SystemTime {
        self.inner.wall()
    }
}
