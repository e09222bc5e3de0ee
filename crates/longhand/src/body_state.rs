//! What is left of a body: kept by the connection while the request borrows the rest.
//!
//! The framing decides it at first; every read moves it on; at the end the connection reads from it
//! whether the body was read whole, failed, or left something over.

use std::io;
use std::time::Duration;

use crate::failure::{Broken, Failure};
use crate::limits::Limits;
use crate::link::Source;
use crate::wire::{ChunkedDecoder, FieldLine, Framing, Kind, Violation};

/// What is left of a body, kept by the connection while the request borrows it.
pub(crate) struct BodyState {
    pub(crate) framing: Left,
    /// The bytes that lie in the buffer behind the head and are not read yet.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Data bytes that the reader has got, and may get altogether.
    pub(crate) taken: u64,
    pub(crate) limit: u64,
    /// Whether the peer waits for a 100 before it sends (RFC 9110 section 10.1.1).
    pub(crate) expects: bool,
    pub(crate) failure: Option<Failure>,
    /// Bytes that have arrived.
    arrived: u64,
    /// How long the next read may wait.
    patience: Duration,
    /// Made when they come.
    pub(crate) trailers: Option<Box<Trailers>>,
}

/// What the framing says is still to come.
pub(crate) enum Left {
    Length(u64),
    Chunked(ChunkedDecoder),
    Nothing,
}

/// The trailer section: its bytes, and its lines once it is whole.
#[derive(Default)]
pub(crate) struct Trailers {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: Vec<FieldLine>,
}

/// What an unread rest of a body asks of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Everything was read.
    Nothing,
    /// So many bytes will come.
    Known(u64),
    /// Nobody knows how many, or the peer may send none at all.
    Unknown,
}

impl BodyState {
    /// `to` bytes of what follows the head have arrived already.
    pub(crate) fn new(framing: Framing, expects: bool, to: usize, limits: &Limits) -> Self {
        let framing = match framing {
            Framing::None | Framing::Length(0) => Left::Nothing,
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::Chunked(ChunkedDecoder::new(limits)),
        };
        Self {
            expects: expects && !matches!(framing, Left::Nothing),
            framing,
            from: 0,
            to,
            taken: 0,
            limit: limits.body,
            failure: None,
            arrived: to as u64,
            patience: limits.body_grace,
            trailers: None,
        }
    }

    /// The rule that the peer broke in its body.
    pub(crate) fn violation(&self) -> Option<Violation> {
        match self.failure {
            Some(Failure::Violation(violation)) => Some(violation),
            _ => None,
        }
    }

    /// A failure as the reader sees it, with what the framing tells of it.
    #[cold]
    pub(crate) fn error(&self, failure: Failure) -> io::Error {
        let violation = match failure {
            Failure::Transport(kind) => return kind.into(),
            Failure::Violation(violation) => violation,
        };
        let stopped = matches!(violation.kind(), Kind::EndedInBody | Kind::BodyTime);
        let too_large = violation.kind() == Kind::BodyTooLarge;
        let promised = |left| format!("Content-Length promised {} bytes", self.taken + left);
        let note = match &self.framing {
            Left::Length(left) if stopped => {
                Some(format!("{}, {} came.", promised(left), self.arrived))
            }
            Left::Length(left) if too_large => {
                Some(format!("{}, {} may come.", promised(left), self.limit))
            }
            Left::Chunked(decoder) if stopped => Some(match decoder.data_left() {
                Some(left) => format!(
                    "By its size, in which 10 means sixteen, {left} bytes of the chunk are missing."
                ),
                None => "A chunk of size 0 and an empty line would end it.".to_owned(),
            }),
            _ => None,
        };
        Broken { violation, note }.into()
    }

    pub(crate) fn unread(&self) -> Unread {
        match self.framing {
            Left::Nothing => Unread::Nothing,
            _ if self.expects => Unread::Unknown,
            Left::Length(left) => Unread::Known(left),
            Left::Chunked(_) => Unread::Unknown,
        }
    }
}

/// One read of the transport under the body's clock, which runs only while a read waits.
///
/// There is patience for the body's grace; waiting uses it up, bytes earn it back at the least rate,
/// and never more than the grace. So a fast burst does not buy hours of silence.
pub(crate) fn receive(
    source: &mut dyn Source,
    state: &mut BodyState,
    limits: &Limits,
    into: &mut [u8],
) -> Result<usize, Failure> {
    // Before the clock runs: a write that takes its time is not the peer's silence.
    source.flush().map_err(transport_failure)?;
    let now = source.now();
    let count = match source.receive(into, now, state.patience) {
        Ok(0) => return Err(violation(Kind::EndedInBody, state.arrived)),
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Err(violation(Kind::BodyTime, state.arrived));
        }
        Err(error) => return Err(transport_failure(error)),
    };
    state.arrived += count as u64;
    let waited = source.now().saturating_duration_since(now);
    let earned = Duration::from_secs_f64(count as f64 / limits.body_rate.max(1) as f64);
    state.patience =
        limits.body_grace.min(state.patience.saturating_sub(waited).saturating_add(earned));
    Ok(count)
}

pub(crate) fn violation(kind: Kind, at: u64) -> Failure {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    Failure::Violation(Violation::new(kind, at, None).of_body())
}

pub(crate) fn transport_failure(error: io::Error) -> Failure {
    Failure::Transport(error.kind())
}
