//! Preconditions: what a client asks to hold before its request is carried out (RFC 9110 section 13).
//!
//! What enters is a request and what is known of the current representation, its [`Validators`];
//! what leaves is the way on, a 304 or a 412. The order is that of section 13.2.2, written once, in
//! `evaluate`: If-Match else If-Unmodified-Since, then If-None-Match else If-Modified-Since.
//!
//! The lost update is what a handler's PUT, PATCH or DELETE guards against:
//!
//! ```
//! # use longhand::{Limits, Request, Response, Status, serve_connection, transport::Scripted};
//! use longhand_kit::{conditional::Validators, etag::ETag};
//!
//! fn put(request: &mut Request<'_>) -> Result<Response, Response> {
//!     Validators::new().etag(ETag::new("rev-2")).check(request)?;
//!     let page = request.body().read_all()?;
//!     // … is stored as revision 3.
//!     Ok(Response::new(Status::NO_CONTENT).field("ETag", ETag::new("rev-3")))
//! }
//!
//! let mut client = Scripted::new()
//!     .send("PUT /page HTTP/1.1\r\nHost: x\r\nIf-Match: \"rev-1\"\r\nContent-Length: 0\r\n\r\n")
//!     .end();
//! serve_connection(&mut client, &Limits::default(), put);
//! assert!(client.output_text().starts_with("HTTP/1.1 412 "), "somebody else was faster");
//! ```
//!
//! What cannot be read is ignored where the RFC says so: a date that is none, or that stands twice.
//! Of tags it does not say. Here a list that cannot be read whole never lets a change through, and
//! never withholds a representation: If-Match fails by it, If-None-Match fails by it for any method
//! but GET and HEAD.

use std::time::{SystemTime, UNIX_EPOCH};

use longhand::wire::{format_date, parse_date};
use longhand::{FieldValue, IntoResponse, Reply, Request, Response, Status};

use crate::etag::{self, ETag, Listed};

/// What is known of the current representation, to compare with what a client knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    missing: bool,
    etag: Option<ETag>,
    /// Whole seconds since 1970, as finely as a date tells.
    modified: Option<u64>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

impl Validators {
    /// There is a representation, of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// There is none: `If-None-Match: *` lets a PUT create it, and If-Match fails.
    ///
    /// ```
    /// # use longhand::{Limits, Response, Request, serve_connection, transport::Scripted};
    /// # use longhand_kit::conditional::Validators;
    /// let mut client = Scripted::new()
    ///     .send("PUT / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 0\r\n\r\n")
    ///     .end();
    /// serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| -> Result<_, Response> {
    ///     Validators::missing().check(request)?;
    ///     Ok(Response::text("created\n"))
    /// });
    /// assert!(client.output_text().ends_with("created\n"));
    /// ```
    #[must_use]
    pub fn missing() -> Self {
        Self { missing: true, ..Self::default() }
    }

    /// The validators that a finished response carries.
    #[must_use]
    pub fn of(reply: &Reply<'_>) -> Self {
        let value = |name| reply.field_value(name).map(FieldValue::as_bytes);
        Self {
            missing: false,
            etag: value("ETag").and_then(ETag::parse),
            modified: value("Last-Modified").and_then(|date| parse_date(date, 0)),
        }
    }

    /// It has this tag.
    #[must_use]
    pub fn etag(mut self, tag: ETag) -> Self {
        self.etag = Some(tag);
        self
    }

    /// It was last modified then. A fraction of a second is cut off; a time before 1970 is none.
    #[must_use]
    pub fn modified(mut self, time: SystemTime) -> Self {
        self.modified = time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs());
        self
    }

    /// Lets a request pass whose preconditions hold.
    ///
    /// It comes before the method is carried out, and after everything that would refuse the request
    /// anyway: a precondition changes only what would have succeeded (section 13.2.1).
    ///
    /// # Errors
    /// The answer to one whose preconditions do not: 412, or, to GET and HEAD, 304.
    pub fn check(&self, request: &Request<'_>) -> Result<(), Response> {
        match self.evaluate(request) {
            Verdict::Proceed => Ok(()),
            Verdict::Failed => Err(precondition_failed()),
            Verdict::NotModified => {
                let reply = self.describe(Response::new(Status::NOT_MODIFIED), request);
                Err(without_representation(reply))
            }
        }
    }

    /// The order of RFC 9110 section 13.2.2, steps 1 to 4.
    pub(crate) fn evaluate(&self, request: &Request<'_>) -> Verdict {
        let is_read = matches!(request.method(), "GET" | "HEAD");
        let modified = self.last_modified(request);
        let since = |name| Some((modified?, date(request, name)?));
        let (if_match, if_none_match) = ("If-Match", "If-None-Match");
        if request.field(if_match).is_some() {
            let holds = match self.listed(request, if_match, etag::strongly) {
                Listed::Any => !self.missing,
                found => found == Listed::Yes,
            };
            if !holds {
                return Verdict::Failed;
            }
        } else if since("If-Unmodified-Since").is_some_and(|(modified, date)| modified > date) {
            return Verdict::Failed;
        }
        let holds = if request.field(if_none_match).is_some() {
            match self.listed(request, if_none_match, etag::weakly) {
                Listed::Any => self.missing,
                Listed::Malformed => is_read,
                found => found == Listed::No,
            }
        } else {
            let unmodified =
                since("If-Modified-Since").is_some_and(|(modified, date)| modified <= date);
            !(is_read && unmodified)
        };
        match (holds, is_read) {
            (true, _) => Verdict::Proceed,
            (false, true) => Verdict::NotModified,
            (false, false) => Verdict::Failed,
        }
    }

    // ABNF: If-Range = entity-tag / HTTP-date                            (RFC 9110 section 13.1.5)
    /// Whether a Range field counts: step 5 of the order. Both comparisons are exact.
    pub(crate) fn range_counts(&self, request: &Request<'_>) -> bool {
        let Some(value) = single(request, "If-Range") else {
            return request.field("If-Range").is_none();
        };
        if let Some(tag) = ETag::parse(value) {
            return self.etag.as_ref().is_some_and(|own| own.matches_strongly(&tag));
        }
        let now = now(request);
        let modified = self.last_modified(request);
        // In the second of a change, there may be another one with the same date (section 8.8.2.2).
        modified.is_some_and(|own| own < now && parse_date(value, now) == Some(own))
    }

    fn listed(
        &self,
        request: &Request<'_>,
        name: &str,
        compare: fn(&[u8], &[u8]) -> bool,
    ) -> Listed {
        let own = self.etag.as_ref().map(ETag::as_bytes);
        etag::listed(request.fields().all(name), |tag| own.is_some_and(|own| compare(own, tag)))
    }

    /// No later than now: a date to come would be sent as what it cannot be (section 8.8.2.1).
    fn last_modified(&self, request: &Request<'_>) -> Option<u64> {
        self.modified.map(|modified| modified.min(now(request)))
    }

    /// Writes them into a response.
    pub(crate) fn describe<'s>(&self, mut reply: Reply<'s>, request: &Request<'_>) -> Reply<'s> {
        if let Some(tag) = &self.etag {
            reply = reply.field("ETag", tag.clone());
        }
        if let Some(modified) = self.last_modified(request) {
            let date =
                FieldValue::new(format_date(modified)).expect("a date is visible characters");
            reply = reply.field("Last-Modified", date);
        }
        reply
    }
}

/// Turns a handler's finished response into 304 or 412 where the request's preconditions say so.
///
/// It looks at a 200 to GET or HEAD that carries `ETag` or Last-Modified, and leaves all others as they
/// are: what another method did is done, and is checked before ([`Validators::check`]).
///
/// ```
/// # use longhand::{Limits, Request, Response, Status, serve_connection, transport::Scripted};
/// use longhand_kit::{conditional::revalidate, etag::ETag};
///
/// fn news(request: &mut Request<'_>) -> Response {
///     let page = "<h1>Nothing new</h1>";
///     let reply = Response::html(page).field("ETag", ETag::of_bytes(page.as_bytes()));
///     revalidate(request, reply.field("Cache-Control", "no-cache"))
/// }
///
/// let tag = ETag::of_bytes(b"<h1>Nothing new</h1>");
/// let mut client = Scripted::new()
///     .send(format!("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n"))
///     .end();
/// serve_connection(&mut client, &Limits::default(), news);
/// assert!(client.output_text().starts_with("HTTP/1.1 304 "));
/// ```
pub fn revalidate<'s>(request: &Request<'_>, reply: Reply<'s>) -> Reply<'s> {
    if reply.status_code() != Status::OK || !matches!(request.method(), "GET" | "HEAD") {
        return reply;
    }
    match Validators::of(&reply).evaluate(request) {
        Verdict::Proceed => reply,
        Verdict::NotModified => without_representation(reply.status(Status::NOT_MODIFIED)),
        Verdict::Failed => precondition_failed(),
    }
}

/// What a client that has the representation knows already: a 304 leaves it away (RFC 9110 section
/// 15.4.5). Cache-Control, Content-Location, Date, `ETag`, Expires and Vary stay, and so does what is
/// not about the representation.
pub(crate) fn without_representation(mut reply: Reply<'_>) -> Reply<'_> {
    for name in REPRESENTATION {
        reply = reply.without_field(name);
    }
    if reply.field_value("ETag").is_some() {
        reply = reply.without_field("Last-Modified");
    }
    reply
}

/// The fields that describe bytes which are not sent.
pub(crate) const REPRESENTATION: [&str; 6] = [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Range",
    "Content-Type",
];

pub(crate) fn precondition_failed<'s>() -> Reply<'s> {
    Status::PRECONDITION_FAILED.into_response()
}

/// The value of a field that is no list, if it stands once.
pub(crate) fn single<'c>(request: &Request<'c>, name: &str) -> Option<&'c [u8]> {
    let fields = request.fields();
    let mut values = fields.all(name);
    values.next().filter(|_| values.next().is_none())
}

fn date(request: &Request<'_>, name: &str) -> Option<u64> {
    parse_date(single(request, name)?, now(request))
}

fn now(request: &Request<'_>) -> u64 {
    request.wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
