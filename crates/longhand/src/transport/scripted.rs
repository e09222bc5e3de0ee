//! A peer that keeps to a script, with a clock of its own: every deadline is tested without waiting.
//!
//! The script says what the peer sends and when it pauses, ends, resets or stops reading. Time passes
//! in the script's pauses and in reads that run into their deadline; what the server did is kept.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::{Interrupt, Transport, deadline};

/// A transport whose peer keeps to a script.
///
/// ```
/// use longhand::{Limits, Response, serve_connection, transport::Scripted};
/// use std::time::Duration;
///
/// let mut peer = Scripted::new().send("GET / HTTP/1.1\r\nHo").wait(Duration::from_secs(11)).send("st: x\r\n\r\n");
/// serve_connection(&mut peer, &Limits::default(), |_| Response::text("hello"));
/// assert!(peer.output_text().starts_with("HTTP/1.1 408 "));
/// assert_eq!(peer.elapsed(), Duration::from_secs(11), "ten for the head, one to linger");
/// ```
#[derive(Debug)]
pub struct Scripted {
    script: VecDeque<Act>,
    happened: Vec<(Duration, Happened)>,
    elapsed: Duration,
    started: (Instant, SystemTime),
    deadline: Option<Instant>,
    stall: Duration,
    /// What the peer still takes; `None`: everything.
    takes: Option<usize>,
    peer: Option<SocketAddr>,
    secure: bool,
    write_ended: bool,
}

#[derive(Debug)]
enum Act {
    Send(Vec<u8>),
    Wait(Duration),
    End,
    Reset,
}

/// What the server did, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A read gave so many bytes; zero is the end of the stream.
    Read(usize),
    /// A read ran into its deadline.
    TimedOut,
    /// These bytes were written, in one write.
    Wrote(Vec<u8>),
    /// A write found the peer not reading.
    Stalled,
    /// The sending side was ended.
    ClosedWrite,
}

impl Scripted {
    /// A peer that stays silent for ever.
    #[must_use]
    pub fn new() -> Self {
        Self {
            script: VecDeque::new(),
            happened: Vec::new(),
            elapsed: Duration::ZERO,
            started: (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)),
            deadline: None,
            stall: Duration::MAX,
            takes: None,
            peer: None,
            secure: false,
            write_ended: false,
        }
    }

    /// The peer sends these bytes; they arrive in one read, if the reader has room for them.
    #[must_use]
    pub fn send(mut self, bytes: impl AsRef<[u8]>) -> Self {
        if !bytes.as_ref().is_empty() {
            self.script.push_back(Act::Send(bytes.as_ref().to_vec()));
        }
        self
    }

    /// The peer sends these bytes one at a time, with a pause before each.
    #[must_use]
    pub fn drip(self, bytes: impl AsRef<[u8]>, pause: Duration) -> Self {
        bytes.as_ref().iter().fold(self, |peer, byte| peer.wait(pause).send([*byte]))
    }

    /// The peer does nothing for so long.
    #[must_use]
    pub fn wait(mut self, pause: Duration) -> Self {
        self.script.push_back(Act::Wait(pause));
        self
    }

    /// The peer ends its sending side.
    #[must_use]
    pub fn end(mut self) -> Self {
        self.script.push_back(Act::End);
        self
    }

    /// The peer resets the connection.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.script.push_back(Act::Reset);
        self
    }

    /// The peer takes so many bytes of what the server writes and then stops reading.
    #[must_use]
    pub fn takes_only(mut self, bytes: usize) -> Self {
        self.takes = Some(bytes);
        self
    }

    /// The peer has this address.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.peer = Some(address);
        self
    }

    /// The transport calls itself secure.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    /// Everything that was written.
    #[must_use]
    pub fn output(&self) -> Vec<u8> {
        let written = |(_, happened): &(Duration, Happened)| match happened {
            Happened::Wrote(bytes) => Some(bytes.clone()),
            _ => None,
        };
        self.happened.iter().filter_map(written).collect::<Vec<_>>().concat()
    }

    /// The same, as text.
    #[must_use]
    pub fn output_text(&self) -> String {
        String::from_utf8_lossy(&self.output()).into_owned()
    }

    /// What happened, in order, with the time of each.
    #[must_use]
    pub fn happened(&self) -> &[(Duration, Happened)] {
        &self.happened
    }

    /// How far the clock has moved.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    fn note(&mut self, happened: Happened) {
        self.happened.push((self.elapsed, happened));
    }

    /// Moves the clock on; `Err` if the read's deadline comes first.
    fn pass(&mut self, pause: Duration) -> Result<(), Duration> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(self.now()));
        match left {
            Some(left) if left <= pause => {
                self.elapsed += left;
                Err(pause - left)
            }
            _ => {
                self.elapsed += pause;
                Ok(())
            }
        }
    }
}

impl Default for Scripted {
    fn default() -> Self {
        Self::new()
    }
}

impl Read for Scripted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.script.pop_front() {
                Some(Act::Send(mut bytes)) => {
                    let taken = bytes.len().min(into.len());
                    into[..taken].copy_from_slice(&bytes[..taken]);
                    if taken < bytes.len() {
                        self.script.push_front(Act::Send(bytes.split_off(taken)));
                    }
                    self.note(Happened::Read(taken));
                    return Ok(taken);
                }
                Some(Act::Wait(pause)) => {
                    if let Err(rest) = self.pass(pause) {
                        self.script.push_front(Act::Wait(rest));
                        self.note(Happened::TimedOut);
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Some(Act::End) => {
                    self.script.push_front(Act::End);
                    self.note(Happened::Read(0));
                    return Ok(0);
                }
                Some(Act::Reset) => {
                    self.script.push_front(Act::Reset);
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                None if self.deadline.is_some() => {
                    let _ = self.pass(Duration::MAX);
                    self.note(Happened::TimedOut);
                    return Err(io::ErrorKind::TimedOut.into());
                }
                None => {
                    return Err(io::Error::other(
                        "the script is over and this read would wait for ever",
                    ));
                }
            }
        }
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.write_ended || matches!(self.script.front(), Some(Act::Reset)) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.takes.unwrap_or(usize::MAX));
        if taken == 0 && !bytes.is_empty() {
            self.elapsed += self.stall;
            self.note(Happened::Stalled);
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.takes = self.takes.map(|left| left - taken);
        self.note(Happened::Wrote(bytes[..taken].to_vec()));
        Ok(taken)
    }

    fn write_vectored(&mut self, bytes: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.write(&bytes.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Scripted {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        self.deadline = left.map(|left| deadline(now, left));
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.stall = limit;
        Ok(())
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.write_ended = true;
        self.note(Happened::ClosedWrite);
        Ok(())
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn local(&self) -> Option<SocketAddr> {
        None
    }

    fn is_secure(&self) -> bool {
        self.secure
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    fn now(&self) -> Instant {
        self.started.0 + self.elapsed
    }

    fn wall(&self) -> SystemTime {
        self.started.1 + self.elapsed
    }
}
