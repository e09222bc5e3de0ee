//! Why there is no session to answer with.

use std::{fmt, io};

use longhand::{IntoResponse, Reply, Status};

use super::record::MAX_BYTES;
use crate::refusal::refusal;

/// What can go wrong with a session: 409 or 500 under `?`, or a page of the program's own.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::session::{SessionError, Sessions};
///
/// let sessions = Sessions::new();
/// let promote = |request: &mut Request<'_>| -> Result<Response, Response> {
///     // Only somebody who is signed in gets a new ID, and with it more rights.
///     let change = |user: Option<&[u8]>| user.map(|user| [user, b" (admin)"].concat());
///     match sessions.rotate(request, change, Response::text("done\n")) {
///         Err(SessionError::Gone) => Ok(Response::redirect("/sign-in")),
///         other => Ok(other?),
///     }
/// };
/// # let mut client = Scripted::new().send("POST / HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), promote);
/// # assert!(client.output_text().contains("\r\nLocation: /sign-in\r\n"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The session has ended or got another ID while this request was under way, and what it was to
    /// do depends on it.
    Gone,
    /// The value has more than [`MAX_BYTES`] bytes: this many.
    TooLong(usize),
    /// The store failed, or the system gives no random bytes.
    Io(io::Error),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => {
                f.write_str("the session has changed meanwhile: load the page again and retry")
            }
            Self::TooLong(found) => {
                write!(f, "session value: expected at most {MAX_BYTES} bytes, found {found}")
            }
            Self::Io(error) => write!(f, "session: {error}"),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<io::Error> for SessionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// 409 where the session is gone; else 500, whose [cause](Reply::because) it is.
impl<'s> IntoResponse<'s> for SessionError {
    fn into_response(self) -> Reply<'s> {
        match self {
            Self::Gone => Reply::text(format!("{self}\n")).status(Status::CONFLICT),
            _ => Status::INTERNAL_SERVER_ERROR.into_response().because(self),
        }
    }
}

refusal!(SessionError);
