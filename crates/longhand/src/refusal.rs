//! What a reader over a body finds wrong with its bytes: an error that knows the answer to it.
//!
//! A decoder or a parser that reads a body through [`std::io::Read`] can fail with nothing but an
//! [`io::Error`], and of those most are the server's own fault: 500. One that was made of a
//! [`Refusal`] is the client's, and keeps its status on the way through a handler.

use std::error::Error;
use std::fmt;
use std::io;

use crate::wire::Status;

/// What is wrong with what a client has sent, and the status that says so.
///
/// ```
/// # use longhand::{Limits, Refusal, Request, Response, Status, serve_connection, transport::Scripted};
/// # use std::io::{self, Read};
/// /// Reads upper-case letters and refuses everything else.
/// struct Letters<R>(R);
///
/// impl<R: Read> Read for Letters<R> {
///     fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
///         let count = self.0.read(into)?;
///         match into[..count].iter().find(|octet| !octet.is_ascii_uppercase()) {
///             None => Ok(count),
///             Some(octet) => {
///                 let wrong = format!("expected a letter, found 0x{octet:02X}");
///                 Err(Refusal::new(Status::UNPROCESSABLE_CONTENT, wrong).into())
///             }
///         }
///     }
/// }
///
/// fn count(request: &mut Request<'_>) -> io::Result<Response> {
///     let count = io::copy(&mut Letters(request.body()), &mut io::sink())?;
///     Ok(Response::text(format!("{count}\n")))
/// }
///
/// let mut client = Scripted::new().send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nAB1").end();
/// serve_connection(&mut client, &Limits::default(), count);
/// assert!(client.output_text().starts_with("HTTP/1.1 422 Unprocessable Content\r\n"));
/// assert!(client.output_text().ends_with("\r\n\r\nexpected a letter, found 0x31\n"));
/// ```
#[derive(Debug)]
pub struct Refusal {
    pub(crate) status: Status,
    error: Box<dyn Error + Send + Sync>,
}

impl Refusal {
    /// The text of `error` is what the client reads: it must be safe to show.
    #[must_use]
    pub fn new(status: Status, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { status, error: error.into() }
    }

    /// The refusal that an error from a reader was made of.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Its source is the error that it was made of, which can be asked for by its type.
impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidData, refusal)
    }
}
