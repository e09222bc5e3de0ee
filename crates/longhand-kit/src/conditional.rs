//! Preconditions: what a client asks to hold before its request is carried out (RFC 9110 section 13).
//!
//! What enters is a request and what is known of the current representation, its [`Validators`];
//! what leaves is that it may go on, or the answer: 304 or 412. The order is that of section 13.2.2, written once, in
//! `evaluate`: If-Match else If-Unmodified-Since, then If-None-Match else If-Modified-Since.
//!
//! The lost update is what a handler's PUT, PATCH or DELETE guards against:
//!
//! ```
//! # use longhand::{Limits, Request, Response, Status, serve_connection, transport::Scripted};
//! use longhand_kit::{conditional::Validators, etag::ETag};
//!
//! fn put(request: &mut Request<'_>) -> Result<Response, Response> {
//!     let page = request.body().read_all()?;
//!     // Here a lock is taken on what is stored, and held to the end.
//!     Validators::new().etag(ETag::new("rev-2")?).check(request)?;
//!     // `page` is stored as revision 3.
//! #   drop(page);
//!     Ok(Response::new(Status::NO_CONTENT).field("ETag", ETag::new("rev-3")?))
//! }
//!
//! let mut client = Scripted::new()
//!     .send("PUT /page HTTP/1.1\r\nHost: x\r\nIf-Match: \"rev-1\"\r\nContent-Length: 0\r\n\r\n")
//!     .end();
//! serve_connection(&mut client, &Limits::default(), put);
//! assert!(client.output_text().starts_with("HTTP/1.1 412 "), "somebody else was faster");
//! ```
//!
//! The body is read first: between the check and the change nothing may take as long as a client
//! likes, or another one's change comes between and is lost after all.
//!
//! A date that cannot be read or stands twice is ignored, as the RFC says. Of a list of tags that
//! cannot be read whole it says nothing; here such a list lets no change through. If-Match fails by it,
//! whatever the method, and If-None-Match for all methods but GET and HEAD, which get the
//! representation.

use std::time::{SystemTime, UNIX_EPOCH};

use longhand::wire::{format_date, parse_date};
use longhand::{FieldValue, IntoResponse, Reply, Request, Response, Status};

use crate::etag::{self, ETag, Listed};
use crate::seconds::seconds;

/// What is known of the current representation, to compare with what a client knows. The module's
/// example shows it at work.
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

    /// There is none: `If-None-Match: *` lets a PUT create it, and If-Match fails. It is for a PUT alone: of
    /// what is not there, any other method is answered 404 without a look at these fields (RFC 9110 section
    /// 13.2.1).
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
    fn of(reply: &Reply<'_>) -> Self {
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

    /// It was last modified then. A fraction of a second is cut off; a time before 1970 counts as
    /// unknown.
    ///
    /// ```
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// # use longhand_kit::conditional::Validators;
    /// let modified = |millis| Validators::new().modified(UNIX_EPOCH + Duration::from_millis(millis));
    /// assert_eq!(modified(1_999), modified(1_000));
    /// assert_eq!(Validators::new().modified(UNIX_EPOCH - Duration::from_secs(1)), Validators::new());
    /// ```
    #[must_use]
    pub fn modified(mut self, time: SystemTime) -> Self {
        self.modified = time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs());
        self
    }

    /// Lets a request pass if its preconditions hold.
    ///
    /// It comes before the method is carried out, and after everything that would refuse the request
    /// anyway: a precondition changes only what would have succeeded (section 13.2.1).
    ///
    /// # Errors
    /// If they do not, the answer: 412, or, to GET and HEAD, 304.
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

    /// No later than now: nothing was last modified in the future (section 8.8.2.1).
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

/// Takes from a 304 what a client that has the representation knows already (RFC 9110 section
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
    seconds(request.wall())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use longhand::transport::Scripted;
    use longhand::{Limits, serve_connection};

    use super::*;

    /// What a scripted peer's clock says.
    const NOW: u64 = 784_111_777;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn date_text(seconds: u64) -> String {
        String::from_utf8(format_date(seconds).to_vec()).unwrap()
    }

    /// What `handler` makes of requests that differ in their first line and fields, in order.
    fn asked<T>(requests: &[(String, String)], handler: impl Fn(&Request<'_>) -> T) -> Vec<T> {
        let found = RefCell::new(Vec::new());
        let bytes: String = requests
            .iter()
            .map(|(method, fields)| format!("{method} / HTTP/1.1\r\nHost: x\r\n{fields}\r\n"))
            .collect();
        let mut client = Scripted::new().send(bytes).end();
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            found.borrow_mut().push(handler(request));
            Response::new(Status::NO_CONTENT)
        });
        assert_eq!(found.borrow().len(), requests.len());
        found.into_inner()
    }

    fn verdict(validators: &Validators, method: &str, fields: &str) -> Verdict {
        let request = (method.to_owned(), fields.to_owned());
        asked(&[request], |request| validators.evaluate(request))[0]
    }

    /// When the representation was modified, in the tables.
    const MODIFIED: u64 = NOW - 1_000;

    /// What can be known of a representation: the columns of the tables.
    fn columns() -> [Validators; 6] {
        let (strong, new) = (ETag::new("a").unwrap(), Validators::new);
        [
            Validators::missing(),
            new(),
            new().etag(strong.clone()),
            new().etag(strong.clone().weak()),
            new().modified(at(MODIFIED)),
            // With a fraction of a second, which a date cannot tell.
            new().etag(strong).modified(at(MODIFIED) + Duration::from_millis(999)),
        ]
    }

    /// A value of a field, and for each column whether its condition is true.
    type Row = (&'static str, [bool; 6]);

    const T: bool = true;
    const F: bool = false;

    // RFC 9110 section 13.1.1, by hand.
    const IF_MATCH: [Row; 7] = [
        ("*", [F, T, T, T, T, T]),
        ("\"a\"", [F, F, T, F, F, T]),
        ("W/\"a\"", [F, F, F, F, F, F]),
        ("\"b\"", [F, F, F, F, F, F]),
        ("\"b\",\"a\"", [F, F, T, F, F, T]),
        ("\"a\", nonsense", [F, F, F, F, F, F]),
        ("", [F, F, F, F, F, F]),
    ];

    // RFC 9110 section 13.1.2, by hand; of nonsense see the head of this file: it is true to read and
    // false to write.
    const NONSENSE: &str = "\"b\", nonsense";
    const IF_NONE_MATCH: [Row; 7] = [
        ("*", [T, F, F, F, F, F]),
        ("\"a\"", [T, T, F, F, T, F]),
        ("W/\"a\"", [T, T, F, F, T, F]),
        ("\"b\"", [T, T, T, T, T, T]),
        ("\"b\", W/\"a\"", [T, T, F, F, T, F]),
        ("", [T, T, T, T, T, T]),
        (NONSENSE, [T, T, T, T, T, T]),
    ];

    /// Dates beside the time of modification; in seconds from it, or not to be read.
    const DATES: [Option<i64>; 4] = [Some(-1), Some(0), Some(1), None];

    /// The lists of section 13.2.2 as it words them, over conditions that were decided by the tables.
    /// `None` is a field that is not there, or one that must be ignored.
    fn oracle(
        is_read: bool,
        if_match: Option<bool>,
        if_unmodified_since: Option<bool>,
        if_none_match: Option<bool>,
        if_modified_since: Option<bool>,
    ) -> Verdict {
        let mut step = 1;
        loop {
            step = match step {
                1 => match if_match {
                    Some(true) => 3,
                    Some(false) => return Verdict::Failed,
                    None => 2,
                },
                2 => match if_unmodified_since {
                    Some(false) => return Verdict::Failed,
                    _ => 3,
                },
                3 => match if_none_match {
                    Some(true) => 5,
                    Some(false) if is_read => return Verdict::NotModified,
                    Some(false) => return Verdict::Failed,
                    None => 4,
                },
                4 => match if_modified_since {
                    Some(false) if is_read => return Verdict::NotModified,
                    _ => 5,
                },
                _ => return Verdict::Proceed,
            };
        }
    }

    /// Every value with every other, for every method and every state of knowledge.
    #[test]
    fn every_combination_of_preconditions_ends_as_the_rfc_says() {
        fn all<V: Copy>(values: &[V]) -> Vec<Option<V>> {
            std::iter::once(None).chain(values.iter().copied().map(Some)).collect()
        }
        let line = |name: &str, value: &str| format!("{name}: {value}\r\n");
        let date_line = |name: &str, offset: Option<i64>| match offset {
            Some(offset) => line(name, &date_text(MODIFIED.checked_add_signed(offset).unwrap())),
            None => line(name, "Sunday"),
        };
        let mut count = 0;
        for (column, validators) in columns().iter().enumerate() {
            let is_dated = column >= 4;
            // True if the representation is no younger than the date; only where both are known.
            let is_old = |date: Option<Option<i64>>| {
                date.flatten().filter(|_| is_dated).map(|offset| offset >= 0)
            };
            for method in ["GET", "HEAD", "PUT"] {
                let is_read = method != "PUT";
                for if_match in all(&IF_MATCH) {
                    let (mut requests, mut expected) = (Vec::new(), Vec::new());
                    for if_none_match in all(&IF_NONE_MATCH) {
                        for (unmodified, modified) in all(&DATES)
                            .into_iter()
                            .flat_map(|a| all(&DATES).into_iter().map(move |b| (a, b)))
                        {
                            let fields = [
                                unmodified.map(|date| date_line("If-Unmodified-Since", date)),
                                modified.map(|date| date_line("If-Modified-Since", date)),
                                if_none_match.map(|row| line("If-None-Match", row.0)),
                                if_match.map(|row| line("If-Match", row.0)),
                            ];
                            requests.push((
                                method.to_owned(),
                                fields.into_iter().flatten().collect::<String>(),
                            ));
                            expected.push(oracle(
                                is_read,
                                if_match.map(|row| row.1[column]),
                                is_old(unmodified),
                                if_none_match
                                    .map(|row| row.1[column] && (is_read || row.0 != NONSENSE)),
                                is_old(modified).map(|is_old| !is_old),
                            ));
                        }
                    }
                    count += requests.len();
                    let found = asked(&requests, |request| validators.evaluate(request));
                    for ((request, found), expected) in requests.iter().zip(found).zip(expected) {
                        assert_eq!(found, expected, "{validators:?}\n{request:?}");
                    }
                }
            }
        }
        assert_eq!(count, 6 * 3 * 8 * 8 * 5 * 5);
    }

    #[test]
    fn a_date_that_stands_twice_or_is_none_is_ignored() {
        let validators = Validators::new().modified(at(MODIFIED));
        let (old, new) = (date_text(MODIFIED - 1), date_text(MODIFIED));
        let of = |value: &str| {
            let read = verdict(&validators, "GET", &format!("If-Modified-Since: {value}\r\n"));
            (read, verdict(&validators, "PUT", &format!("If-Unmodified-Since: {value}\r\n")))
        };
        assert_eq!(of(&new), (Verdict::NotModified, Verdict::Proceed));
        assert_eq!(of(&old), (Verdict::Proceed, Verdict::Failed));
        let ignored = (Verdict::Proceed, Verdict::Proceed);
        for value in ["", "yesterday", &format!("{new}, {new}"), &format!("{old}; length=7"), "0"] {
            assert_eq!(of(value), ignored, "{value}");
        }
        let twice = format!("{new}\r\nIf-Modified-Since: {new}");
        assert_eq!(of(&twice).0, Verdict::Proceed);
        let twice = format!("{old}\r\nIf-Unmodified-Since: {old}");
        assert_eq!(of(&twice).1, Verdict::Proceed);
        // The two obsolete forms are dates, which must be read.
        assert_eq!(of("Sunday, 06-Nov-94 08:49:37 GMT"), (Verdict::NotModified, Verdict::Proceed));
        assert_eq!(of("Sun Nov  6 08:49:37 1994"), (Verdict::NotModified, Verdict::Proceed));
    }

    #[test]
    fn a_range_counts_if_the_representation_is_exactly_the_one_that_is_known() {
        let modified = |seconds| Validators::new().modified(at(seconds));
        let (strong, date) = (Validators::new().etag(ETag::new("a").unwrap()), date_text(MODIFIED));
        let both = strong.clone().modified(at(MODIFIED));
        for (validators, value, counts) in [
            (&strong, "\"a\"", T),
            (&strong, "W/\"a\"", F),
            (&strong, "\"b\"", F),
            (&strong, "*", F),
            (&strong, "\"a\", \"b\"", F),
            (&strong, &date, F),
            (&Validators::new().etag(ETag::new("a").unwrap().weak()), "W/\"a\"", F),
            (&Validators::new().etag(ETag::new("a").unwrap().weak()), "\"a\"", F),
            (&both, "\"a\"", T),
            (&both, &date, T),
            (&both, "\"b\"", F),
            (&modified(MODIFIED), &date, T),
            (&modified(MODIFIED), &date_text(MODIFIED - 1), F),
            (&modified(MODIFIED), &date_text(MODIFIED + 1), F),
            (&modified(MODIFIED), "\"a\"", F),
            (&modified(MODIFIED), "nonsense", F),
            (&modified(MODIFIED), "", F),
            (&modified(MODIFIED), &format!("{date}\r\nIf-Range: {date}"), F),
            // This second has not passed, and may bring another change.
            (&modified(NOW), &date_text(NOW), F),
            (&modified(NOW - 1), &date_text(NOW - 1), T),
            (&Validators::new(), &date, F),
            (&Validators::new(), "\"a\"", F),
        ] {
            let request = ("GET".to_owned(), format!("If-Range: {value}\r\n"));
            let found = asked(&[request], |request| validators.range_counts(request))[0];
            assert_eq!(found, counts, "{validators:?}\nIf-Range: {value}");
        }
        assert!(asked(&[("GET".to_owned(), String::new())], |r| strong.range_counts(r))[0]);
    }

    /// The status and the fields of the answer to one request, without Date and Content-Length.
    fn answer(request: &str, handler: impl Fn(&Request<'_>) -> Response) -> String {
        let mut client = Scripted::new().send(request).end();
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            handler(request)
        });
        let text = client.output_text();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let is_told =
            |line: &&str| !line.starts_with("Date") && !line.starts_with("Content-Length");
        head.lines().filter(is_told).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_finished_response_becomes_a_304_with_the_fields_that_one_keeps() {
        let page = |request: &Request<'_>| {
            let reply = Response::html("<p>")
                .field("ETag", "\"a\"")
                .field("Last-Modified", "Sun, 06 Nov 1994 08:00:00 GMT")
                .field("Cache-Control", "no-cache")
                .field("Vary", "Cookie")
                .field("Expires", "0")
                .field("Content-Location", "/page")
                .field("Content-Language", "en")
                .field("content-encoding", "br")
                .field("Content-Security-Policy", "default-src 'self'");
            revalidate(request, reply)
        };
        assert_eq!(
            answer("GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"a\"\r\n\r\n", page),
            "HTTP/1.1 304 Not Modified\nETag: \"a\"\nCache-Control: no-cache\nVary: Cookie\nExpires: 0\n\
             Content-Location: /page\nContent-Security-Policy: default-src 'self'"
        );
        let tagless = |request: &Request<'_>| {
            let date = "Sun, 06 Nov 1994 08:00:00 GMT";
            revalidate(request, Response::html("<p>").field("Last-Modified", date))
        };
        let since = "If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT";
        assert_eq!(
            answer(&format!("HEAD / HTTP/1.1\r\nHost: x\r\n{since}\r\n\r\n"), tagless),
            "HTTP/1.1 304 Not Modified\nLast-Modified: Sun, 06 Nov 1994 08:00:00 GMT"
        );
    }

    #[test]
    fn only_a_200_to_get_and_head_is_revalidated() {
        let of = |method: &str, fields: &str, reply: fn() -> Response| {
            let request = format!("{method} / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n");
            let head = answer(&request, |request| revalidate(request, reply()));
            head.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
        };
        let page = || Response::text("").field("ETag", "\"a\"");
        assert_eq!(of("GET", "If-None-Match: \"a\"", page), 304);
        assert_eq!(of("GET", "If-None-Match: \"b\"", page), 200);
        assert_eq!(of("GET", "If-Match: \"b\"", page), 412);
        assert_eq!(of("POST", "If-None-Match: \"a\"", page), 200);
        assert_eq!(of("DELETE", "If-Match: \"b\"", page), 200);
        let missing = || Status::NOT_FOUND.into_response().field("ETag", "\"a\"");
        assert_eq!(of("GET", "If-None-Match: \"a\"", missing), 404);
        assert_eq!(of("GET", "If-Match: \"b\"", missing), 404);
        // A field that is no tag is no validator.
        let bare = || Response::text("").field("ETag", "a");
        assert_eq!(of("GET", "If-None-Match: \"a\"", bare), 200);
        assert_eq!(of("GET", "If-None-Match: *", bare), 304);
    }

    #[test]
    fn a_check_answers_as_the_method_wants_it() {
        let known = || Validators::new().etag(ETag::new("a").unwrap()).modified(at(MODIFIED));
        let of = |method: &str, fields: &str| {
            let request = format!("{method} / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n");
            answer(&request, |request| match known().check(request) {
                Ok(()) => Response::new(Status::NO_CONTENT),
                Err(reply) => reply,
            })
        };
        assert_eq!(of("GET", "If-None-Match: *"), "HTTP/1.1 304 Not Modified\nETag: \"a\"");
        assert!(of("PUT", "If-None-Match: *").starts_with("HTTP/1.1 412 Precondition Failed\n"));
        assert!(of("PATCH", "If-Match: \"b\"").starts_with("HTTP/1.1 412 Precondition Failed\n"));
        assert_eq!(of("PATCH", "If-Match: \"a\""), "HTTP/1.1 204 No Content");
    }
}
