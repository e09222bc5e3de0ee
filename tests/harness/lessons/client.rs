//! A client for the checks: it sends, waits for an answer no longer than it may, and keeps a record.

use std::fmt::{self, Display};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use longhand::Limits;
use longhand::wire::{Part, Verdict, explain_response};

use super::Patience;

/// No answer here is longer.
const LONGEST: usize = 1 << 20;
/// A timeout of zero is none at all.
const SHORTEST: Duration = Duration::from_millis(1);

/// Why a check goes no further.
pub(super) enum Stop {
    Failed(String),
    Unreachable(String),
    Missing(String),
}

/// What happened, in order.
#[derive(Debug)]
pub(super) enum Event {
    Sent(Vec<u8>),
    Note(String),
    Received(&'static str, Vec<u8>, String),
}

/// One check under way.
pub(super) struct Talk {
    pub(super) address: SocketAddr,
    pub(super) patience: Patience,
    pub(super) events: Vec<Event>,
}

/// A connection, and what came on it that nobody has looked at.
pub(super) struct Line {
    pub(super) stream: TcpStream,
    pub(super) received: Vec<u8>,
}

/// How waiting for an answer ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    Refused(String),
    Closed,
    Broken(String),
    Silent,
}

/// What an answer says; its status is 0 where none came.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// It runs until the connection closes.
    pub(super) until_close: bool,
}

impl Talk {
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.events.push(Event::Note(text.into()));
    }

    /// What is left of `wait`, and of the time for everything.
    fn left(&self, wait: Duration) -> Duration {
        wait.min(self.patience.until.saturating_duration_since(Instant::now())).max(SHORTEST)
    }

    pub(super) fn connect(&mut self) -> Result<Line, Stop> {
        let wait = self.left(self.patience.answer);
        let stream = TcpStream::connect_timeout(&self.address, wait).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(wait))?;
            Ok(stream)
        });
        match stream {
            Ok(stream) => Ok(Line { stream, received: Vec::new() }),
            Err(error) => {
                Err(Stop::Unreachable(format!("no connection to {}: {error}", self.address)))
            }
        }
    }

    pub(super) fn send(&mut self, line: &mut Line, bytes: &[u8]) -> Result<(), Stop> {
        self.events.push(Event::Sent(bytes.to_vec()));
        let sent = line.stream.write_all(bytes);
        sent.map_err(|error| Stop::Failed(format!("the request could not be sent: {error}")))
    }

    /// Sends a GET on a connection of its own.
    pub(super) fn get(&mut self, path: &str, status: u16) -> Result<Answer, Stop> {
        let mut line = self.connect()?;
        self.send(&mut line, format!("GET {path} HTTP/1.1\r\nHost: check\r\n\r\n").as_bytes())?;
        self.expect(&mut line, "GET", status)
    }

    /// The next answer, which has this status.
    pub(super) fn expect(
        &mut self,
        line: &mut Line,
        method: &'static str,
        status: u16,
    ) -> Result<Answer, Stop> {
        let (end, answer) = self.answer(line, method);
        match answer.status {
            0 => Err(Stop::Failed(end.to_string())),
            found if found == status => Ok(answer),
            found => Err(Stop::Failed(format!("{found} instead of {status}"))),
        }
    }

    /// The next answer, and how waiting for it ended.
    pub(super) fn answer(&mut self, line: &mut Line, method: &'static str) -> (End, Answer) {
        let end = self.receive(line, method, self.patience.answer);
        let explained = explain_response(&line.received, method, &Limits::default());
        let mut answer = Answer::default();
        let (mut framed, mut ended, mut length) = (false, false, line.received.len());
        for (part, at) in &explained.spans {
            let bytes = &line.received[at.clone()];
            match part {
                Part::Status => {
                    answer.status = String::from_utf8_lossy(bytes).parse().unwrap_or_default();
                }
                Part::Name => {
                    let framing = [&b"content-length"[..], b"transfer-encoding"];
                    framed |= framing.iter().any(|name| bytes.eq_ignore_ascii_case(name));
                }
                Part::EndOfHead => ended = true,
                Part::Body | Part::ChunkData => answer.body.extend_from_slice(bytes),
                Part::Next => length = at.start,
                _ => {}
            }
        }
        answer.until_close = ended && !framed && explained.verdict == Verdict::Unfinished;
        let taken = line.received.drain(..length).collect();
        self.events.push(Event::Received(method, taken, end.to_string()));
        (end, answer)
    }

    /// Reads until a whole answer is there, or nothing more is to come.
    pub(super) fn receive(&mut self, line: &mut Line, method: &str, wait: Duration) -> End {
        let until = Instant::now() + self.left(wait);
        let mut piece = [0; 16 << 10];
        loop {
            match explain_response(&line.received, method, &Limits::default()).verdict {
                Verdict::Accepted => return End::Whole,
                Verdict::Refused(violation) => return End::Refused(violation.to_string()),
                Verdict::Unfinished => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || line.received.len() > LONGEST {
                return End::Silent;
            }
            let read = line.stream.set_read_timeout(Some(left.max(SHORTEST)));
            match read.and_then(|()| line.stream.read(&mut piece)) {
                Ok(0) => return End::Closed,
                Ok(count) => line.received.extend_from_slice(&piece[..count]),
                // Windows says the one, Unix the other.
                Err(error)
                    if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) =>
                {
                    return End::Silent;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return End::Broken(error.to_string()),
            }
        }
    }
}

impl Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("a whole answer"),
            Self::Refused(why) => write!(f, "what came is no HTTP/1.1: {why}"),
            Self::Closed => f.write_str("the connection closed"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::Silent => f.write_str("no whole answer came in time"),
        }
    }
}
