//! Failures on their way through a handler: a broken rule inside an `io::Error`, and out again.

use std::any::Any;
use std::{fmt, io};

use crate::wire::{Framing, Kind, Violation};

/// Why a body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Violation(Violation),
    Transport(io::ErrorKind),
}

/// A broken rule as it stands in an `io::Error`, with what the server can tell beyond the rule.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) violation: Violation,
    /// One sentence.
    pub(crate) note: Option<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.violation)?;
        self.note.as_ref().map_or(Ok(()), |note| write!(f, ". {note}"))
    }
}

impl std::error::Error for Broken {}

/// The violation stays inside: [`Violation::of`] finds it again.
impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        let kind = match broken.violation.kind() {
            Kind::BodyTime => io::ErrorKind::TimedOut,
            Kind::EndedInBody | Kind::EndedInHead => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, broken)
    }
}

impl From<Violation> for io::Error {
    fn from(violation: Violation) -> Self {
        Broken { violation, note: None }.into()
    }
}

impl Broken {
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// A head that is refused behind a request whose body was delimited so. Where its first line is at
    /// fault, it may be no head but the rest of that body. `received` begins with it.
    pub(crate) fn behind(last: Option<Framing>, received: &[u8], violation: Violation) -> Self {
        let before = &received[..violation.at().min(received.len())];
        let in_first_line = !before.trim_ascii_start().contains(&b'\n');
        let note = match last.filter(|_| in_first_line) {
            Some(_) if received.starts_with(b"\n") => {
                Some("A line end too many came behind the request, as echo adds one.".to_owned())
            }
            Some(Framing::None) => {
                Some("If this is a body, its request lacks a Content-Length.".to_owned())
            }
            Some(Framing::Length(length)) => Some(format!(
                "If this is the rest of a body, the Content-Length before it, {length}, is too small; if \
                 its first letters are missing, that was too large and took them."
            )),
            Some(Framing::Chunked) | None => None,
        };
        Self { violation, note }
    }
}

/// What a panic said, where that was text.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

impl Violation {
    /// The rule that the peer broke, if that is what an error from reading a body says.
    ///
    /// ```
    /// # use longhand::{Request, Response, wire::Violation};
    /// fn save(request: &mut Request<'_>) -> Response {
    ///     match request.body().read_all() {
    ///         Ok(bytes) => Response::text(format!("{} bytes\n", bytes.len())),
    ///         // The status is the violation's own whatever stands here; the words may be the program's.
    ///         Err(error) => match Violation::of(&error) {
    ///             Some(broken) => Response::text("{\"error\":\"body\"}").status(broken.status()),
    ///             None => Response::text("gone").because(error),
    ///         },
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        Broken::of(error).map(|broken| broken.violation)
    }
}
