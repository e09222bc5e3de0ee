//! Failures on their way through a handler: a broken rule inside an `io::Error`, and out again.

use std::io;

use crate::wire::{Kind, Violation};

/// Why a body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Violation(Violation),
    Transport(io::ErrorKind),
}

impl Failure {
    /// The error as the reader sees it.
    pub(crate) fn to_error(self) -> io::Error {
        match self {
            Self::Transport(kind) => kind.into(),
            Self::Violation(violation) => violation.into(),
        }
    }
}

/// The violation stays inside: [`Violation::of`] finds it again.
impl From<Violation> for io::Error {
    fn from(violation: Violation) -> Self {
        let kind = match violation.kind() {
            Kind::BodyTime => io::ErrorKind::TimedOut,
            Kind::EndedInBody | Kind::EndedInHead => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, violation)
    }
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
        error.get_ref()?.downcast_ref().copied()
    }
}
