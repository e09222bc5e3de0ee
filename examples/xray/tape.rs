//! The tape: every byte that is read from a connection or written to it, as it passes.
//!
//! A transport and an acceptor that wrap the library's own, which records nothing itself.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use longhand::Limits;
use longhand::transport::{Accepted, Acceptor, Interrupt, Transport};

use crate::exchange::Connection;
use crate::recorder::Log;

/// A transport on whose way every byte is recorded.
pub(crate) struct Tee<T> {
    inner: T,
    log: Arc<Log>,
    number: u32,
}

impl<T: Transport> Tee<T> {
    pub(crate) fn new(inner: T, log: &Arc<Log>) -> Self {
        let number = log.open(inner.peer(), inner.now().saturating_duration_since(log.started));
        Self { inner, log: Arc::clone(log), number }
    }

    fn record(&self, act: impl FnOnce(&mut Connection, Duration, &Limits)) {
        let time = self.inner.now().saturating_duration_since(self.log.started);
        self.log.change(None, Some(self.number), |one| act(one, time, &self.log.limits));
    }
}

impl<T: Transport> Read for Tee<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if count > 0 {
            self.record(|one, time, limits| one.received(&into[..count], time, limits));
        }
        Ok(count)
    }
}

impl<T: Transport> Write for Tee<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = self.inner.write_vectored(slices)?;
        let bytes: Vec<u8> =
            slices.iter().flat_map(|slice| slice.iter().copied()).take(count).collect();
        self.record(|one, time, limits| one.sent(&bytes, time, limits));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Transport> Transport for Tee<T> {
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

    fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        self.inner.interrupter()
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall(&self) -> SystemTime {
        self.inner.wall()
    }
}

/// Accepts what another accepts, with the tape running.
pub(crate) struct Recording<A> {
    pub(crate) inner: A,
    pub(crate) log: Arc<Log>,
}

impl<A: Acceptor> Acceptor for Recording<A> {
    type Transport = Tee<A::Transport>;

    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        self.inner.prepare(limits)
    }

    fn accept(&self) -> io::Result<Accepted<Self::Transport>> {
        Ok(self.inner.accept()?.map(|transport| Tee::new(transport, &self.log)))
    }

    fn wake(&self) -> io::Result<()> {
        self.inner.wake()
    }

    fn refuse(&self, transport: Self::Transport, answer: &[u8]) {
        transport.record(|one, time, _| one.closed = Some((time, "there was no place for it")));
        self.inner.refuse(transport.inner, answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.inner.tend()
    }

    fn close(&self) {
        self.inner.close();
    }

    fn local(&self) -> Option<SocketAddr> {
        self.inner.local()
    }
}
