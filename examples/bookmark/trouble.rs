//! What does not go, in the form in which the client wants to hear it.
//!
//! A status and a sentence enter, and for browsers a page where there is a better one than that
//! sentence; a response leaves: a page, JSON, or a line of text.

use std::fmt::Display;
use std::io::{self, Write};

use longhand::{FieldValue, Request, Response, Status};
use longhand_kit::html::Html;

use crate::json::Object;
use crate::page::{message, messages, plain, reader};
use crate::store::StoreError;
use crate::wants::Wants;

/// Why a request is not answered as it was meant.
pub(crate) struct Trouble {
    status: Status,
    text: String,
    page: Option<Html>,
    /// Complete already: a redirect, or what a guard of the kit answers.
    whole: Option<Box<Response>>,
    fields: Vec<(String, FieldValue)>,
}

impl Trouble {
    pub(crate) fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), page: None, whole: None, fields: Vec::new() }
    }

    /// The same with a page for browsers.
    pub(crate) fn with_page(self, page: Html) -> Self {
        Self { page: Some(page), ..self }
    }

    /// The same with a field.
    pub(crate) fn field(mut self, name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// What a guard of the kit answers, in other words.
    pub(crate) fn like(response: &Response, text: impl Into<String>) -> Self {
        let fields = response.fields().filter(|(name, _)| *name != "Content-Type");
        let fields = fields.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Self { fields, ..Self::new(response.status_code(), text) }
    }

    /// A redirect.
    pub(crate) fn leads(to: &str) -> Self {
        Self::from(Response::redirect(to))
    }

    /// What is wrong with a store, which is for the log; the client learns whether to try again.
    pub(crate) fn of_store(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>()) {
            Some(StoreError::Away(_)) => away(error, messages::AWAY),
            _ => {
                log(error);
                Self::new(Status::INTERNAL_SERVER_ERROR, messages::NOT_READ)
            }
        }
    }

    /// A change that the store did not take.
    pub(crate) fn not_stored(error: &StoreError) -> Self {
        let text = messages::not_stored(error);
        match error {
            StoreError::Away(_) => away(error, text),
            StoreError::Failed(_) => {
                log(error);
                Self::new(Status::INTERNAL_SERVER_ERROR, text)
            }
        }
    }

    /// The answer to a request.
    pub(crate) fn answer(self, request: &Request<'_>) -> Response {
        if let Some(whole) = self.whole {
            return *whole;
        }
        let response = match Wants::of(request) {
            Wants::Json => Response::json(Object::new().text("error", &self.text).end() + "\n"),
            Wants::Text => Response::text(plain(&self.text)),
            Wants::Page => {
                let heading = heading(self.status);
                let page = self.page;
                Response::html(
                    page.unwrap_or_else(|| message(reader(request), heading, &self.text)),
                )
            }
        };
        let fields = self.fields.into_iter();
        fields.fold(response.status(self.status), |response, (name, value)| {
            response.field(name, value)
        })
    }
}

fn heading(status: Status) -> &'static str {
    match status {
        Status::NOT_FOUND => "Not found",
        Status::FORBIDDEN => "Not from there",
        Status::CONFLICT => "Changed meanwhile",
        Status::SERVICE_UNAVAILABLE => "Not at this moment",
        Status::INTERNAL_SERVER_ERROR => "Something broke",
        _ => "That does not go",
    }
}

fn away(error: &dyn Display, text: &str) -> Trouble {
    log(error);
    Trouble::new(Status::SERVICE_UNAVAILABLE, text).field("Retry-After", "5")
}

/// The store could not be read.
impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::of_store(&io::Error::other(error))
    }
}

/// The body could not be read: its own status, and the connection closes after it.
impl From<io::Error> for Trouble {
    fn from(bad: io::Error) -> Self {
        let text = messages::not_a_form(&bad);
        Self::new(Response::from(bad).status_code(), text)
    }
}

/// An answer that is complete.
impl From<Response> for Trouble {
    fn from(whole: Response) -> Self {
        Self { whole: Some(Box::new(whole)), ..Self::new(Status::OK, "") }
    }
}

/// A line for whoever runs this server. Where nobody takes it, it is lost: no visitor waits for it.
pub(crate) fn log(line: &(impl Display + ?Sized)) {
    let _ = io::stderr().write_all(plain(&line.to_string()).as_bytes());
}
