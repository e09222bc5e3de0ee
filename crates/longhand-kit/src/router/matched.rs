//! What a router has found out about a request: the pattern that matched, and its parameters.
//!
//! Places in a path, still percent-encoded, enter; text leaves, or the refusal of what is not UTF-8.
//! It is kept as a fact of the request, apart from the fields, where a client could have put it.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use longhand::wire::percent_decode;
use longhand::{Request, Response, Status};

use super::pattern::{Pattern, Segment};

/// The route that a request took: a fact of the request, for its handler, and for the one who
/// observes the answer.
///
/// ```
/// use longhand::{Limits, Reply, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::router::{Matched, Router};
///
/// let router = Router::new().route("GET /users/{name}/{*path}", |request: &mut Request<'_>| {
///     let route = request.get::<Matched>().unwrap();
///     assert_eq!(route.pattern(), "GET /users/{name}/{*path}");
///     assert_eq!(route.param("name"), Some("zoë"));
///     assert_eq!(route.param("path"), Some("a/b/"));
///     assert_eq!(route.param("id"), None);
///     Response::text("seen\n")
/// });
/// let mut client = Scripted::new().send("GET /users/zo%C3%AB/a%2fb/ HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// serve_connection(&mut client, &Limits::default(), |request| router.handle(request));
/// assert!(client.output_text().ends_with("seen\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Matched {
    pattern: Arc<Pattern>,
    values: Vec<String>,
    rest_at: Option<usize>,
}

impl Matched {
    pub(super) fn new(
        pattern: &Arc<Pattern>,
        path: &str,
        spans: &[Range<usize>],
    ) -> Result<Self, Response> {
        let mut values = Vec::with_capacity(spans.len());
        for (name, span) in pattern.names().zip(spans) {
            let value = decode(&path[span.clone()]).ok_or_else(|| not_utf8(name, span.start))?;
            values.push(value);
        }
        let has_rest = matches!(pattern.segments.last(), Some(Segment::Rest(_)));
        let rest_at = spans.last().filter(|_| has_rest).map(|span| span.start);
        Ok(Self { pattern: Arc::clone(pattern), values, rest_at })
    }

    /// The pattern as it was registered, with its method: `GET /bookmarks/{id}`. A program has few
    /// patterns, where paths are without number: so count requests by it.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern.text
    }

    /// The parameter of this name, percent-decoded. In a rest, an encoded slash has become one like
    /// the others: [`rest`] tells them apart.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.pattern.names().zip(&self.values).find(|pair| pair.0 == name).map(|pair| &**pair.1)
    }
}

fn decode(encoded: &str) -> Option<String> {
    if !encoded.contains('%') {
        return Some(encoded.to_owned());
    }
    String::from_utf8(percent_decode(encoded).ok()?).ok()
}

fn not_utf8(name: &str, at: usize) -> Response {
    Response::text(format!("path, from byte {at} ({name}): expected UTF-8, percent-encoded\n"))
        .status(Status::BAD_REQUEST)
}

/// The parameter of this name, percent-decoded: never empty, except for a rest.
///
/// # Panics
/// If the request did not come by a pattern with such a parameter: a mistake in the program. In a
/// handler this becomes a 500. [`Matched::param`] gives `None` instead.
///
/// ```
/// use longhand::{Request, Response};
/// use longhand_kit::router::{self, Router};
///
/// let router = Router::new().route("GET /hello/{name}", |request: &mut Request<'_>| {
///     Response::text(format!("Hello, {}\n", router::param(request, "name")))
/// });
/// # use longhand::{Limits, serve_connection, transport::Scripted};
/// # let mut client = Scripted::new().send("GET /hello/Zo%C3%AB HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
/// # assert!(client.output_text().ends_with("Hello, Zoë\n"));
/// ```
#[must_use]
#[track_caller]
pub fn param<'r>(request: &'r Request<'_>, name: &str) -> &'r str {
    match request.get::<Matched>().and_then(|matched| matched.param(name)) {
        Some(value) => value,
        None => panic!("no parameter {{{name}}} in {}", came_by(request)),
    }
}

/// The parameter of this name as a value: a number, an address, whatever `parse` reads. It reads `+7` and `007`
/// as 7 too: where a resource is to have one path, compare the text.
///
/// # Errors
/// If it cannot be read. The answer to that is 404: there is no such place.
///
/// # Panics
/// As [`param`].
///
/// ```
/// use longhand::{Request, Response};
/// use longhand_kit::router::{self, Router};
///
/// fn page(request: &mut Request<'_>) -> Result<Response, Response> {
///     let number: u32 = router::parse_param(request, "number")?;
///     Ok(Response::text(format!("The page after is {}\n", number.saturating_add(1))))
/// }
///
/// let router = Router::new().route("GET /pages/{number}", page);
/// # use longhand::{Limits, serve_connection, transport::Scripted};
/// # let mut client = Scripted::new()
/// #     .send("GET /pages/7 HTTP/1.1\r\nHost: x\r\n\r\nGET /pages/seven HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
/// # assert!(client.output_text().contains("\r\n\r\nThe page after is 8\n"));
/// # assert!(client.output_text().contains("HTTP/1.1 404 "));
/// ```
#[track_caller]
pub fn parse_param<T: FromStr<Err: Display>>(
    request: &Request<'_>,
    name: &str,
) -> Result<T, Response> {
    let text = param(request, name);
    text.parse().map_err(|problem| {
        // `?` leaves no control character in it, `take` no megabyte.
        let found: String = text.chars().take(40).collect();
        let refusal = format!("path parameter {name}, found {found:?}: {problem}\n");
        Response::text(refusal).status(Status::NOT_FOUND)
    })
}

/// What `{*rest}` matched, still percent-encoded: it does not begin with the slash before it. It is
/// borrowed from the connection's buffer, and may be held while the body is read.
///
/// # Panics
/// If the request did not come by a pattern that ends so: a mistake in the program. In a handler this
/// becomes a 500.
///
/// ```
/// use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::router::{self, Router};
///
/// let router = Router::new().route("GET /static/{*file}", |request: &mut Request<'_>| {
///     Response::text(router::rest(request).to_owned())
/// });
/// let mut client = Scripted::new().send("GET /static/a%2Fb/c?d HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// serve_connection(&mut client, &Limits::default(), |request| router.handle(request));
/// assert!(client.output_text().ends_with("\r\n\r\na%2Fb/c"));
/// ```
#[must_use]
#[track_caller]
pub fn rest<'c>(request: &Request<'c>) -> &'c str {
    match request.get::<Matched>().and_then(|matched| matched.rest_at) {
        Some(at) => &request.path()[at..],
        None => panic!("no {{*rest}} in {}", came_by(request)),
    }
}

fn came_by<'r>(request: &'r Request<'_>) -> &'r str {
    request.get::<Matched>().map_or("a request that no router has seen", Matched::pattern)
}
