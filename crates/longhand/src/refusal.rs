//! What is wrong with what a client has sent: an error that knows the answer to it.
//!
//! A parser fails with it, and `?` makes it the response of a handler. What reads a body through
//! [`std::io::Read`] can fail with nothing but an [`io::Error`], and of those most are the server's
//! own fault: 500. One that was made of a [`Refusal`] is the client's, and keeps its status.

use std::error::Error;
use std::fmt;
use std::io;

use crate::value::FieldValue;
use crate::wire::{Status, shown};

/// What is wrong with what a client has sent: a status, and a text that the client may read.
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
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    status: Status,
    text: String,
    pub(crate) fields: Vec<(&'static str, FieldValue)>,
}

impl Refusal {
    /// The client reads the text: it must be safe to show.
    #[must_use]
    pub fn new(status: Status, text: impl fmt::Display) -> Self {
        Self { status, text: text.to_string(), fields: Vec::new() }
    }

    /// The same with this field line in its response.
    ///
    /// ```
    /// use longhand::{Refusal, Response, Status};
    ///
    /// let refusal = Refusal::new(Status::UNSUPPORTED_MEDIA_TYPE, "expected JSON");
    /// let response = Response::from(refusal.field("Accept", "application/json"));
    /// assert_eq!(response.status_code().code(), 415);
    /// assert_eq!(response.field_value("Accept").unwrap().as_bytes(), b"application/json");
    /// ```
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<FieldValue>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The refusal that an error from a reader was made of.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As that of a response: without the values of cookies.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.iter().map(|(name, value)| (name, shown(name, value.as_bytes())));
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("text", &self.text)
            .field("fields", &fields.collect::<Vec<_>>())
            .finish()
    }
}

impl Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidData, refusal)
    }
}
