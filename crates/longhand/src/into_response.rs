//! What a handler may return: everything that stands for a response.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use crate::failure::Broken;
use crate::refusal::Refusal;
use crate::response::{Reply, Response};
use crate::value::BadValue;
use crate::wire::{Status, Violation};

/// What a handler may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a handler may return",
    label = "expected what becomes a response",
    note = "a handler returns a `Response` or `Reply`, text, a `Status`, or a `Result` of two of these; \
            `io::Error` is one too, and any other error becomes one by `.map_err(Response::failed)?`",
    note = "a closure that uses `?` names its result: `|request| -> Result<Response, Response> {{ … }}`"
)]
pub trait IntoResponse<'s> {
    /// The response it stands for.
    fn into_response(self) -> Reply<'s>;
}

impl<'s, 'a: 's> IntoResponse<'s> for Reply<'a> {
    fn into_response(self) -> Reply<'s> {
        self
    }
}

/// 200 with the text.
impl<'s, 'a: 's> IntoResponse<'s> for &'a str {
    fn into_response(self) -> Reply<'s> {
        Reply::text(self)
    }
}

/// 200 with the text.
impl<'s> IntoResponse<'s> for String {
    fn into_response(self) -> Reply<'s> {
        Reply::text(self)
    }
}

/// A response of this status whose body is its name, or none where it cannot have one.
impl<'s> IntoResponse<'s> for Status {
    fn into_response(self) -> Reply<'s> {
        if self.never_has_body() || self == Self::RESET_CONTENT {
            Reply::new(self)
        } else {
            Reply::text(format!("{self}\n")).status(self)
        }
    }
}

/// The refusal of a broken rule: which rule, which byte, and the way out, after which the connection
/// is closed. It repeats nothing of the peer's but that one byte.
impl<'s> IntoResponse<'s> for Violation {
    fn into_response(self) -> Reply<'s> {
        Broken { violation: self, note: None }.answer()
    }
}

impl Broken {
    /// The refusal, with the note on a line of its own.
    pub(crate) fn answer(&self) -> Response {
        let (violation, kind) = (self.violation, self.violation.kind());
        let mut text = format!("{}: {violation}\n{}", kind.name(), kind.text());
        if let Some(note) = &self.note {
            text = text + "\n" + note;
        }
        short_answer(kind.status(), format!("{text}\nHelp: {}\n", violation.help()))
    }
}

/// A response of its status with its fields, whose body is its text.
impl<'s> IntoResponse<'s> for Refusal {
    fn into_response(self) -> Reply<'s> {
        refused(&self)
    }
}

fn refused<'s>(refusal: &Refusal) -> Reply<'s> {
    let reply = Reply::text(format!("{refusal}\n")).status(refusal.status());
    let fields = refusal.fields.iter().cloned();
    fields.fold(reply, |reply, (name, value)| reply.field(name, value))
}

/// The refusal, where a body broke a rule or a reader over it [refused](Refusal) what it read; else
/// 500, whose [cause](Reply::because) the error is.
impl<'s> IntoResponse<'s> for io::Error {
    fn into_response(self) -> Reply<'s> {
        match (Broken::of(&self), Refusal::of(&self)) {
            (Some(broken), _) => broken.answer(),
            (None, Some(refusal)) => refused(refusal),
            (None, None) => Status::INTERNAL_SERVER_ERROR.into_response().because(self),
        }
    }
}

/// 500, whose [cause](Reply::because) it is.
impl<'s> IntoResponse<'s> for BadValue {
    fn into_response(self) -> Reply<'s> {
        Status::INTERNAL_SERVER_ERROR.into_response().because(self)
    }
}

impl Reply<'_> {
    /// What an error of one's own becomes: 500, whose [cause](Self::because) it is. An [`io::Error`]
    /// stands for the response that it is elsewhere, with the status that a body's failure or a
    /// [`Refusal`] in it has.
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// fn price(text: &str) -> Result<u32, std::num::ParseIntError> {
    ///     text.trim().parse()
    /// }
    ///
    /// fn total(_: &mut Request<'_>) -> Result<Response, Response> {
    ///     let prices = std::fs::read_to_string("prices.txt")?; // an `io::Error` needs nothing
    ///     let total = prices.lines().map(price).sum::<Result<u32, _>>().map_err(Response::failed)?;
    ///     Ok(Response::text(format!("{total}\n")))
    /// }
    /// ```
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match error.into().downcast::<io::Error>() {
            Ok(error) => error.into_response(),
            Err(error) => Status::INTERNAL_SERVER_ERROR.into_response().because(error),
        }
    }
}

// `?` in a handler or a guard that fails with a response of its own.
impl From<io::Error> for Reply<'_> {
    fn from(error: io::Error) -> Self {
        error.into_response()
    }
}

impl From<Violation> for Reply<'_> {
    fn from(violation: Violation) -> Self {
        violation.into_response()
    }
}

impl From<Refusal> for Reply<'_> {
    fn from(refusal: Refusal) -> Self {
        refusal.into_response()
    }
}

impl From<BadValue> for Reply<'_> {
    fn from(bad: BadValue) -> Self {
        bad.into_response()
    }
}

impl<'s, T: IntoResponse<'s>, E: IntoResponse<'s>> IntoResponse<'s> for Result<T, E> {
    fn into_response(self) -> Reply<'s> {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// A short answer of the server's own, after which it closes.
pub(crate) fn short_answer(status: Status, text: impl Into<Cow<'static, str>>) -> Response {
    Response::text(text).status(status).field("X-Content-Type-Options", "nosniff").close()
}
