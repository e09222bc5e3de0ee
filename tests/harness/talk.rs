//! One connection against a script: `serve_connection`, and what came of it.
//!
//! A scripted peer, limits and a handler enter; out comes what the peer received, what the
//! transport saw, and why the connection ended. Nothing waits: the clock is the script's.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use longhand::transport::{Happened, Interrupt, Scripted, Transport};
use longhand::{IntoResponse, Limits, Request, Why, serve_connection};

use crate::answer::{Answer, answers};

/// What became of a scripted connection.
#[derive(Debug)]
pub struct Talk {
    /// The peer, after the connection.
    pub peer: Scripted,
    /// Why the connection ended.
    pub why: Why,
    /// The answers that the peer received.
    pub answers: Vec<Answer>,
}

/// Serves a scripted peer whose requests are all of methods that are answered like GET.
pub fn talk<'s, F, R>(peer: Scripted, limits: &Limits, handler: F) -> Talk
where
    F: Fn(&mut Request<'_>) -> R,
    R: IntoResponse<'s>,
{
    talk_of(peer, &[], limits, handler)
}

/// Serves a scripted peer whose requests are of these methods.
pub fn talk_of<'s, F, R>(mut peer: Scripted, methods: &[&str], limits: &Limits, handler: F) -> Talk
where
    F: Fn(&mut Request<'_>) -> R,
    R: IntoResponse<'s>,
{
    let why = serve_connection(&mut peer, limits, handler);
    let answers = answers(&peer.output(), methods);
    Talk { peer, why, answers }
}

impl Talk {
    /// The statuses of the answers, interim ones among them.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        self.answers.iter().map(|answer| answer.status).collect()
    }

    /// The one answer.
    ///
    /// # Panics
    /// If there are more, or none.
    #[must_use]
    pub fn only(&self) -> &Answer {
        let [answer] = &self.answers[..] else { panic!("not one answer: {:?}", self.answers) };
        answer
    }

    /// The bodies of the answers, as texts.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.answers.iter().map(Answer::text).collect()
    }

    /// What was written, write by write.
    #[must_use]
    pub fn writes(&self) -> Vec<&[u8]> {
        let wrote = self.peer.happened().iter().filter_map(|(_, happened)| match happened {
            Happened::Wrote(bytes) => Some(&bytes[..]),
            _ => None,
        });
        wrote.collect()
    }

    /// When the sending side was ended: a lingering close began then.
    #[must_use]
    pub fn lingered_from(&self) -> Option<Duration> {
        let ended = |(_, happened): &&(Duration, Happened)| *happened == Happened::ClosedWrite;
        self.peer.happened().iter().find(ended).map(|(at, _)| *at)
    }

    /// How many bytes were read.
    #[must_use]
    pub fn bytes_read(&self) -> usize {
        let read = self.peer.happened().iter().map(|(_, happened)| match happened {
            Happened::Read(count) => *count,
            _ => 0,
        });
        read.sum()
    }
}

/// A clock that a test moves on, as a handler does that takes its time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Duration>>);

impl Clock {
    /// Time passes.
    pub fn pass(&self, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    fn passed(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scripted peer on a road that a test can make slow, or break.
pub struct Road<'t> {
    /// The peer at its end.
    pub peer: Scripted,
    /// Runs ahead of the peer's own.
    clock: Clock,
    before: &'t mut Toll<'t>,
}

/// Asked before everything that happens on a [`Road`]; an error is what happens instead.
pub type Toll<'t> = dyn FnMut(Travel) -> io::Result<()> + Send + 't;

/// What is about to happen on a [`Road`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Travel {
    /// A read.
    Read,
    /// A write of so many bytes.
    Write(usize),
}

impl<'t> Road<'t> {
    /// The road to `peer`. Both the caller and `before` may move the clock.
    pub fn new(peer: Scripted, clock: &Clock, before: &'t mut Toll<'t>) -> Self {
        Self { peer, clock: clock.clone(), before }
    }
}

impl Read for Road<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (self.before)(Travel::Read)?;
        self.peer.read(into)
    }
}

impl Write for Road<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.before)(Travel::Write(bytes.len()))?;
        self.peer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.peer.flush()
    }
}

impl Transport for Road<'_> {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        self.peer.set_read_deadline(now - self.clock.passed(), left);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.peer.set_write_stall(limit)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.peer.close_write()
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn local(&self) -> Option<SocketAddr> {
        None
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    fn now(&self) -> Instant {
        self.peer.now() + self.clock.passed()
    }

    fn wall(&self) -> SystemTime {
        self.peer.wall() + self.clock.passed()
    }
}

/// A road on which few bytes travel at once: each read and each write moves no more than that.
pub struct Narrow {
    /// The peer at its end.
    pub peer: Scripted,
    /// How many.
    pub bytes: usize,
}

impl Read for Narrow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.bytes);
        self.peer.read(&mut into[..most])
    }
}

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.peer.write(&bytes[..bytes.len().min(self.bytes)])
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        // Across the edges of the slices, as a socket does.
        let bytes = slices.iter().flat_map(|slice| slice.iter()).take(self.bytes);
        self.peer.write(&bytes.copied().collect::<Vec<u8>>())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.peer.flush()
    }
}

impl Transport for Narrow {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        self.peer.set_read_deadline(now, left);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.peer.set_write_stall(limit)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.peer.close_write()
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn local(&self) -> Option<SocketAddr> {
        None
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    fn now(&self) -> Instant {
        self.peer.now()
    }

    fn wall(&self) -> SystemTime {
        self.peer.wall()
    }
}
