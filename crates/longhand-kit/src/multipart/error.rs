//! What can go wrong with an upload, whose fault it is, and how it is answered.

use std::error::Error;
use std::fmt;
use std::io;

use longhand::wire::{Kind, Violation};
use longhand::{IntoResponse, Refusal, Reply, Status};

use crate::content_type::{answer, start, wrong_type};
use crate::refusal::refusal;

pub(super) const MEDIA_TYPE: &str = "multipart/form-data";

/// Why an upload could not be read or kept.
///
/// But for [`Keep`](Self::Keep), its text may be shown to the one who sent it, as text: it contains
/// the start of what came from there.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// # use longhand_kit::multipart::{Multipart, MultipartError, PartLimits};
/// fn names(request: &mut Request<'_>) -> Result<Response, MultipartError> {
///     let mut parts = Multipart::of(request, &PartLimits::default())?;
///     let mut names = String::new();
///     while let Some(part) = parts.next()? {
///         names += part.name();
///     }
///     Ok(Response::text(names))
/// }
///
/// let mut client = Scripted::new()
///     .send("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n")
///     .send("Content-Length: 35\r\n\r\n--x\r\nContent-Type: a/b\r\n\r\n\r\n--x--\r\n")
///     .end();
/// serve_connection(&mut client, &Limits::default(), names);
/// assert!(client.output_text().starts_with("HTTP/1.1 400 Bad Request\r\n"));
/// assert!(client.output_text().ends_with(
///     "part 1, byte 5: expected Content-Disposition: form-data with a name, found \"Content-Type: a/b\"\n"
/// ));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum MultipartError {
    /// The body is of another type: 415.
    MediaType {
        /// What the Content-Type was, if there was one.
        found: Option<String>,
    },
    /// The Content-Type has no boundary, or one that RFC 2046 does not allow: 400.
    Boundary {
        /// What the boundary was, if there was one.
        found: Option<String>,
    },
    /// A part is malformed or too large: 400, 413 or 415.
    Part(BadPart),
    /// The body failed: the connection answers it with its own status.
    Body(io::Error),
    /// The file could not be written: 409 if there is one already, else 500.
    Keep(io::Error),
}

impl MultipartError {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::MediaType { .. } => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Boundary { .. } => Status::BAD_REQUEST,
            Self::Part(bad) => bad.status(),
            Self::Body(error) => Violation::of(error)
                .map_or(Status::INTERNAL_SERVER_ERROR, |violation| violation.status()),
            Self::Keep(error) if error.kind() == io::ErrorKind::AlreadyExists => Status::CONFLICT,
            Self::Keep(_) => Status::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for MultipartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MediaType { found } => f.write_str(&wrong_type(MEDIA_TYPE, found.as_deref())),
            Self::Boundary { found: None } => {
                f.write_str("Content-Type: expected a boundary, found none")
            }
            Self::Boundary { found: Some(found) } => write!(
                f,
                "Content-Type: expected a boundary of 1 to 70 of the characters that RFC 2046 \
                 section 5.1.1 allows, found {:?}",
                start(found)
            ),
            Self::Part(bad) => bad.fmt(f),
            Self::Body(error) | Self::Keep(error) => error.fmt(f),
        }
    }
}

impl Error for MultipartError {}

/// What is wrong, with the status of the case. Why a file could not be written is told to the
/// observer alone.
impl<'s> IntoResponse<'s> for MultipartError {
    fn into_response(self) -> Reply<'s> {
        match self {
            Self::Body(error) => error.into_response(),
            Self::Keep(error) => match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    Reply::text("A file of this name is there already.\n").status(Status::CONFLICT)
                }
                _ => Status::INTERNAL_SERVER_ERROR.into_response().because(error),
            },
            other => answer(&other, other.status(), MEDIA_TYPE),
        }
    }
}

refusal!(MultipartError);

impl From<BadPart> for MultipartError {
    fn from(bad: BadPart) -> Self {
        Self::Part(bad)
    }
}

/// Whoever reads a [`Part`](super::Part) through [`Read`](std::io::Read) gets a malformed one as a
/// [`Refusal`], and its client the right status.
impl From<MultipartError> for io::Error {
    fn from(error: MultipartError) -> Self {
        match error {
            MultipartError::Body(error) | MultipartError::Keep(error) => error,
            other => Refusal::new(other.status(), other).into(),
        }
    }
}

/// What is wrong with a part, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPart {
    expected: Expected,
    part: usize,
    name: Option<String>,
    at: u64,
    found: Option<String>,
}

impl BadPart {
    pub(super) fn new(expected: Expected, part: usize, at: u64) -> Self {
        Self { expected, part, name: None, at, found: None }
    }

    /// Keeps the line that was found instead, or the start of it, so that it is safe to show; if there
    /// is one, and it is not too much of what is good in itself.
    pub(super) fn found(self, bytes: &[u8]) -> Self {
        if bytes.is_empty() || matches!(self.expected, Expected::AtMost(..)) {
            return self;
        }
        let end =
            bytes.iter().skip(1).position(|octet| *octet == b'\r').map_or(bytes.len(), |i| i + 1);
        let shown = &bytes[..end.min(40)];
        Self { found: Some(shown.escape_ascii().to_string()), ..self }
    }

    pub(super) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// The status of the answer: 413 where something is too long or too many, 415 where it is encoded
    /// in a way that is not undone here, else 400.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.expected {
            Expected::AtMost(..) => Status::CONTENT_TOO_LARGE,
            Expected::Supported(_) => Status::UNSUPPORTED_MEDIA_TYPE,
            Expected::This(_) | Expected::Rule(_) => Status::BAD_REQUEST,
        }
    }

    /// The number of the part, counted from 1; 0 before the first.
    #[must_use]
    pub fn part(&self) -> usize {
        self.part
    }

    /// The name of the part, where its content is at fault and not its head.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The offset in the body of the first byte that is wrong.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }
}

impl fmt::Display for BadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            0 => f.write_str("before the first part")?,
            part => write!(f, "part {part}")?,
        }
        if let Some(name) = &self.name {
            write!(f, " ({:?})", start(name))?;
        }
        write!(f, ", byte {}: expected {}", self.at, self.expected)?;
        match &self.found {
            Some(found) => write!(f, ", found \"{found}\""),
            None => Ok(()),
        }
    }
}

impl Error for BadPart {}

/// What was expected where something else was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    This(&'static str),
    /// What this rule of field lines says.
    Rule(Kind),
    AtMost(u64, &'static str),
    /// What is valid in itself, and not read here.
    Supported(&'static str),
}

impl Expected {
    pub(super) const END: Self = Self::This("the closing delimiter, found the end of the body");
    pub(super) const NAME: Self = Self::This("Content-Disposition: form-data with a name");
    pub(super) const UTF8: Self = Self::This("UTF-8");

    pub(super) fn at_most(most: usize, what: &'static str) -> Self {
        Self::AtMost(most as u64, what)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::This(what) | Self::Supported(what) => f.write_str(what),
            Self::Rule(kind) => write!(f, "{} ({})", kind.expected(), kind.section()),
            Self::AtMost(most, what) => write!(f, "at most {most} {what}"),
        }
    }
}
