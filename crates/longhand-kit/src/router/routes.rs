//! The router: routes by their patterns, and the answer to a request.
//!
//! Handlers enter under the text of their patterns, and are refused where two patterns leave open
//! which is meant; then requests enter, and the reply of a handler leaves, or the router's own.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use longhand::wire::Target;
use longhand::{FieldValue, IntoResponse, Reply, Request, Status};

use super::matched::Matched;
use super::pattern::{Pattern, Relation};
use super::tree::Node;

type Handler<'s> = Box<dyn Fn(&mut Request<'_>) -> Reply<'s> + Sync + 's>;

/// Handlers under patterns; see the [module](super). Handlers may borrow for `'s`.
#[derive(Default)]
#[must_use = "a router does nothing until it handles a request"]
pub struct Router<'s> {
    routes: Vec<(Arc<Pattern>, Handler<'s>)>,
    tree: Node,
    fallback: Option<Handler<'s>>,
}

impl<'s> Router<'s> {
    /// A router without routes, which answers 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more route.
    ///
    /// # Panics
    /// If the pattern is malformed, matches the same requests as another, or crosses another: both
    /// match some request, and neither is the more specific. The message names both and such a request.
    ///
    /// ```should_panic
    /// # use longhand_kit::router::Router;
    /// // routes "/{user}/edit" and "/new/{page}": both match GET /new/edit
    /// let _ = Router::new().route("/new/{page}", |_| "").route("/{user}/edit", |_| "");
    /// ```
    #[track_caller]
    pub fn route<F, R>(self, pattern: &str, handler: F) -> Self
    where
        F: Fn(&mut Request<'_>) -> R + Sync + 's,
        R: IntoResponse<'s>,
    {
        self.add(checked(pattern, Pattern::parse(pattern)), boxed(handler))
    }

    /// The same with the routes of another router, whose paths get `prefix` before them: as if each
    /// had been registered so. Its `/` becomes `/prefix/`; the prefix may have parameters.
    ///
    /// # Panics
    /// If the prefix does not begin with a slash or ends with one, if the other router has a
    /// [`fallback`](Self::fallback), which can only be that of the whole, and as
    /// [`route`](Self::route).
    ///
    /// ```
    /// # use longhand_kit::router::{self, Router};
    /// let notes = Router::new()
    ///     .route("GET /notes", |_| "all\n")
    ///     .route("GET /notes/{id}", |request| router::param(request, "user").to_owned());
    /// let router = Router::new().nest("/users/{user}", notes);
    /// # use longhand::{Limits, Request, serve_connection, transport::Scripted};
    /// let mut client = Scripted::new().send("GET /users/ada/notes/7 HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
    /// assert!(client.output_text().ends_with("\r\n\r\nada"));
    /// ```
    #[track_caller]
    pub fn nest(mut self, prefix: &str, other: Self) -> Self {
        let is_prefix = prefix.starts_with('/') && !prefix.ends_with('/') && !prefix.contains(' ');
        assert!(is_prefix, "prefix {prefix:?}: expected /segments without a slash at the end");
        assert!(
            other.fallback.is_none(),
            "prefix {prefix:?}: the fallback belongs to the outermost router"
        );
        for (pattern, handler) in other.routes {
            let text = &pattern.text;
            let under = checked(format_args!("{text} under {prefix}"), pattern.under(prefix));
            self = self.add(under, handler);
        }
        self
    }

    /// The same with a handler for every path that no pattern matches, in place of a bare 404. A path
    /// that a pattern matches under another method is answered 405 nevertheless, and a 404 of a handler's own
    /// stays as it is. For one page in place of all of them, look at the reply of
    /// [`handle`](Self::handle), and replace it where its status is 404.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, Status, serve_connection, transport::Scripted};
    /// # use longhand_kit::router::Router;
    /// let router = Router::new()
    ///     .fallback(|_| Response::html("<h1>Nothing here</h1>\n").status(Status::NOT_FOUND));
    /// let mut client = Scripted::new().send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
    /// assert!(client.output_text().ends_with("<h1>Nothing here</h1>\n"));
    /// ```
    pub fn fallback<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(&mut Request<'_>) -> R + Sync + 's,
        R: IntoResponse<'s>,
    {
        self.fallback = Some(boxed(handler));
        self
    }

    #[track_caller]
    fn add(mut self, pattern: Pattern, handler: Handler<'s>) -> Self {
        for (other, _) in &self.routes {
            let both = format!("routes {:?} and {:?}", other.text, pattern.text);
            match pattern.relation(other) {
                Relation::Same => panic!("{both}: the same requests are registered twice"),
                Relation::Crossing => panic!(
                    "{both}: both match {}, and neither is the more specific",
                    other.common_request(&pattern)
                ),
                Relation::Narrower | Relation::Wider | Relation::Apart => {}
            }
        }
        self.tree.insert(&pattern, self.routes.len());
        self.routes.push((Arc::new(pattern), handler));
        self
    }

    /// Answers a request: by the handler of the most specific pattern, which finds the parameters
    /// by [`param`](super::param), or by itself.
    ///
    /// ```
    /// # use longhand::{Limits, Request, serve_connection, transport::Scripted};
    /// # use longhand_kit::router::Router;
    /// let router = Router::new().route("GET /", |_| "welcome\n");
    /// let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// // In a program: server.run(|request: &mut Request<'_>| router.handle(request))
    /// serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
    /// assert!(client.output_text().ends_with("welcome\n"));
    /// ```
    pub fn handle(&self, request: &mut Request<'_>) -> Reply<'s> {
        let (method, path) = (request.method(), request.path());
        if request.target() == Target::Asterisk {
            // About the server as a whole (RFC 9110 section 9.3.7): what it has anywhere.
            let methods = self.routes.iter().filter_map(|route| route.0.method.as_deref());
            return Reply::new(Status::NO_CONTENT).field("Allow", allow(methods));
        }
        match self.tree.find(method, path) {
            Ok(found) => {
                let (pattern, handler) = &self.routes[found.route];
                match Matched::new(pattern, path, &found.spans) {
                    Ok(matched) => request.set(matched),
                    Err(refusal) => return refusal,
                };
                handler(request)
            }
            Err(methods) if methods.is_empty() => match &self.fallback {
                Some(fallback) => fallback(request),
                None => Status::NOT_FOUND.into_response(),
            },
            Err(methods) => {
                let reply = match method {
                    "OPTIONS" => Reply::new(Status::NO_CONTENT),
                    _ => Status::METHOD_NOT_ALLOWED.into_response(),
                };
                reply.field("Allow", allow(methods))
            }
        }
    }
}

/// Its patterns.
impl fmt::Debug for Router<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.routes.iter().map(|route| &route.0.text)).finish()
    }
}

fn boxed<'s, F, R>(handler: F) -> Handler<'s>
where
    F: Fn(&mut Request<'_>) -> R + Sync + 's,
    R: IntoResponse<'s>,
{
    Box::new(move |request| handler(request).into_response())
}

#[track_caller]
fn checked(text: impl fmt::Display, parsed: Result<Pattern, String>) -> Pattern {
    match parsed {
        Ok(pattern) => pattern,
        Err(problem) => panic!("route {text}: {problem}"),
    }
}

// ABNF: Allow = [ method *( OWS "," OWS method ) ]                     (RFC 9110 section 10.2.1)
fn allow<'m>(methods: impl IntoIterator<Item = &'m str>) -> FieldValue {
    let mut all: BTreeSet<&str> = methods.into_iter().collect();
    if all.contains("GET") {
        all.insert("HEAD");
    }
    all.insert("OPTIONS");
    let list = all.into_iter().collect::<Vec<_>>().join(", ");
    // Methods are tokens, which any field can hold.
    FieldValue::new(list).unwrap_or_else(|_| "OPTIONS".into())
}

#[cfg(test)]
mod tests {
    use super::super::{param, parse_param, rest};
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// What a client gets that asks so: the whole output.
    fn ask(router: &Router<'_>, line: &str) -> String {
        let mut client = Scripted::new().send(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n")).end();
        serve_connection(&mut client, &Limits::default(), |request| router.handle(request));
        client.output_text()
    }

    /// Status, value of Allow, and body.
    fn answer(router: &Router<'_>, line: &str) -> (u16, String, String) {
        let text = ask(router, line);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let allow = head.split("\r\nAllow: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        (head[9..12].parse().unwrap(), allow.unwrap_or_default().to_owned(), body.to_owned())
    }

    /// A router each of whose handlers answers with its pattern and parameters.
    fn telling(patterns: &[&str]) -> Router<'static> {
        fn tell(request: &mut Request<'_>) -> Response {
            let matched = request.get::<Matched>().unwrap();
            let names = ["a", "b", "rest"]
                .iter()
                .filter_map(|name| matched.param(name).map(|value| format!(" {name}={value}")));
            Response::text(format!("{}:{}", matched.pattern(), names.collect::<String>()))
        }
        patterns.iter().fold(Router::new(), |router, pattern| router.route(pattern, tell))
    }

    /// The message of the panic with which it is refused.
    fn refusal(build: impl FnOnce() -> Router<'static>) -> String {
        let panic = catch_unwind(AssertUnwindSafe(build)).expect_err("it is refused");
        panic.downcast::<String>().map_or_else(|_| "no text".to_owned(), |text| *text)
    }

    #[test]
    fn requests_go_to_the_most_specific_pattern_with_their_parameters() {
        let router = telling(&[
            "/",
            "GET /{a}",
            "GET /new",
            "HEAD /new",
            "POST /{a}",
            "GET /new/{*rest}",
            "GET /y/{a}/{b}/",
            "/a%2Fb/caf\u{E9}",
            "GET /x//y",
        ]);
        for (line, wanted) in [
            ("GET /", "/:"),
            ("BREW /", "/:"),
            ("OPTIONS /", "/:"),
            ("GET /7", "GET /{a}: a=7"),
            ("GET /7?new", "GET /{a}: a=7"),
            ("GET http://y/7", "GET /{a}: a=7"),
            ("GET /new", "GET /new:"),
            ("GET /%6E%65w", "GET /new:"),
            ("GET /New", "GET /{a}: a=New"),
            // The narrower pattern does not have the method.
            ("POST /new", "POST /{a}: a=new"),
            ("GET /new/", "GET /new/{*rest}: rest="),
            ("GET /new//a%2Fb/", "GET /new/{*rest}: rest=/a/b/"),
            ("GET /a%2Fb", "GET /{a}: a=a/b"),
            ("GET /y/%E2%82%AC/+%25/", "GET /y/{a}/{b}/: a=€ b=+%"),
            ("GET /y/../%2e/", "GET /y/{a}/{b}/: a=.. b=."),
            ("GET /a%2fb/caf%c3%a9", "/a%2Fb/café:"),
            ("GET /x//y", "GET /x//y:"),
        ] {
            assert_eq!(answer(&router, line), (200, String::new(), wanted.to_owned()), "{line}");
        }
        for line in [
            "GET /y/b",
            "GET /y/b/c",
            "GET /y/b//",
            "GET /y///",
            "GET //",
            "GET /x/y/z/",
            "GET /x/y",
            "GET /a/b/caf%C3%A9",
        ] {
            assert_eq!(answer(&router, line).0, 404, "{line}");
        }
    }

    #[test]
    fn head_is_answered_from_get_unless_it_has_a_route() {
        let router = telling(&["GET /a", "HEAD /b", "GET /b", "POST /c"]);
        let length = |line| {
            let text = ask(&router, line);
            assert!(text.ends_with("\r\n\r\n"), "{text}");
            text.split("Content-Length: ")
                .nth(1)
                .and_then(|rest| rest.split('\r').next())
                .map(str::to_owned)
        };
        assert_eq!(length("HEAD /a"), Some("GET /a:".len().to_string()));
        assert_eq!(length("HEAD /b"), Some("HEAD /b:".len().to_string()));
        assert!(ask(&router, "HEAD /c").starts_with("HTTP/1.1 405 "));
    }

    #[test]
    fn a_method_that_a_place_does_not_have_is_answered_with_those_it_has() {
        let router =
            telling(&["GET /{a}", "POST /new", "PUT /new", "DELETE /{*rest}", "LINK /b/c"]);
        for (line, allowed) in [
            ("PUT /7", "DELETE, GET, HEAD, OPTIONS"),
            ("PATCH /new", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
            ("get /new", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
            ("HEAD /b/c", "DELETE, LINK, OPTIONS"),
            ("GET /", "DELETE, OPTIONS"),
        ] {
            let body = "405 Method Not Allowed\n".to_owned();
            let (code, allow, text) = answer(&router, line);
            assert_eq!((code, &*allow), (405, allowed), "{line}");
            assert!(line.starts_with("HEAD") || text == body, "{line}");
        }
    }

    #[test]
    fn options_are_answered_with_what_there_is() {
        let router = telling(&["GET /{a}", "POST /new", "OPTIONS /own", "/any/{*rest}"]);
        for (line, code, allowed, body) in [
            ("OPTIONS /7", 204, "GET, HEAD, OPTIONS", ""),
            ("OPTIONS /new", 204, "GET, HEAD, OPTIONS, POST", ""),
            ("OPTIONS *", 204, "GET, HEAD, OPTIONS, POST", ""),
            ("OPTIONS /own", 200, "", "OPTIONS /own:"),
            ("OPTIONS /any/", 200, "", "/any/{*rest}: rest="),
            ("OPTIONS /a/b", 404, "", "404 Not Found\n"),
        ] {
            assert_eq!(
                answer(&router, line),
                (code, allowed.to_owned(), body.to_owned()),
                "{line}"
            );
        }
        assert_eq!(answer(&Router::new(), "OPTIONS *"), (204, "OPTIONS".into(), String::new()));
    }

    #[test]
    fn the_fallback_answers_where_nothing_matches_and_only_there() {
        let router = telling(&["GET /a"]).fallback(|request| {
            assert!(request.get::<Matched>().is_none());
            Response::text(format!("no {}", request.path())).status(Status::NOT_FOUND)
        });
        assert_eq!(answer(&router, "GET /b"), (404, String::new(), "no /b".into()));
        assert_eq!(answer(&router, "OPTIONS /b"), (404, String::new(), "no /b".into()));
        assert_eq!(answer(&router, "POST /a").0, 405);
        assert_eq!(answer(&router, "OPTIONS *").0, 204);
    }

    #[test]
    fn a_parameter_that_is_no_text_is_refused_and_told_where() {
        let router = telling(&["/{a}/{b}", "/files/{a}/{*rest}"]);
        for (line, wanted) in [
            ("GET /%FF/b", "path, from byte 1 (a): expected UTF-8, percent-encoded\n"),
            ("GET /%61/%C3", "path, from byte 5 (b): expected UTF-8, percent-encoded\n"),
            (
                "GET /files/a/b/%C3%28",
                "path, from byte 9 (rest): expected UTF-8, percent-encoded\n",
            ),
        ] {
            assert_eq!(answer(&router, line), (400, String::new(), wanted.to_owned()), "{line}");
        }
        assert_eq!(answer(&router, "GET /%FF/b/c").0, 404);
    }

    #[test]
    fn nested_routes_are_as_if_registered_with_the_prefix() {
        let notes = || telling(&["GET /", "GET /{b}", "/{b}/{*rest}"]);
        let router = telling(&["GET /users/{a}", "GET /users/ada/notes/{b}"])
            .nest("/users/{a}/notes", notes())
            .nest("/v1", Router::new().nest("/deep", telling(&["POST /{a}"])));
        for (line, wanted) in [
            ("GET /users/ada", "GET /users/{a}: a=ada"),
            ("GET /users/bob/notes/", "GET /users/{a}/notes/: a=bob"),
            ("GET /users/bob/notes/7", "GET /users/{a}/notes/{b}: a=bob b=7"),
            ("GET /users/ada/notes/7", "GET /users/ada/notes/{b}: b=7"),
            ("PUT /users/ada/notes/7/x", "/users/{a}/notes/{b}/{*rest}: a=ada b=7 rest=x"),
            ("POST /v1/deep/z", "POST /v1/deep/{a}: a=z"),
        ] {
            assert_eq!(answer(&router, line), (200, String::new(), wanted.to_owned()), "{line}");
        }
        assert_eq!(answer(&router, "GET /users/bob/notes").0, 404);
        assert_eq!(answer(&router, "PUT /users/ada/notes/7").1, "GET, HEAD, OPTIONS");
    }

    #[test]
    fn mistakes_in_a_program_are_named_when_the_router_is_built() {
        for (build, wanted) in [
            (
                Box::new(|| telling(&["GET /{a}/edit", "GET /new/{b}"])) as Box<dyn FnOnce() -> _>,
                "routes \"GET /{a}/edit\" and \"GET /new/{b}\": both match GET /new/edit, \
                 and neither is the more specific",
            ),
            (
                Box::new(|| telling(&["/a", "GET /{a}"])),
                "routes \"/a\" and \"GET /{a}\": both match GET /a, and neither is the more specific",
            ),
            (
                Box::new(|| telling(&["HEAD /{a}", "GET /a"])),
                "routes \"HEAD /{a}\" and \"GET /a\": both match HEAD /a, and neither is the more specific",
            ),
            (
                Box::new(|| telling(&["POST /{a}"]).route("POST /{b}", |_| "")),
                "routes \"POST /{a}\" and \"POST /{b}\": the same requests are registered twice",
            ),
            (
                Box::new(|| telling(&["/a/{b}"]).nest("/a", telling(&["/{rest}"]))),
                "routes \"/a/{b}\" and \"/a/{rest}\": the same requests are registered twice",
            ),
            (
                Box::new(|| telling(&["GET a"])),
                "route GET a: expected a path that begins with /, behind a method and one space",
            ),
            (
                Box::new(|| Router::new().nest("/{a}", telling(&["GET /{a}"]))),
                "route GET /{a} under /{a}: {a} stands there twice",
            ),
            (
                Box::new(|| Router::new().nest("/a/", telling(&["/"]))),
                "prefix \"/a/\": expected /segments without a slash at the end",
            ),
            (
                Box::new(|| Router::new().nest("GET /a", telling(&["/"]))),
                "prefix \"GET /a\": expected /segments without a slash at the end",
            ),
            (
                Box::new(|| Router::new().nest("/a", Router::new().fallback(|_| ""))),
                "prefix \"/a\": the fallback belongs to the outermost router",
            ),
        ] {
            assert_eq!(refusal(build), wanted);
        }
    }

    #[test]
    fn handlers_borrow_what_the_router_does_not_own_and_infer_their_types() {
        let (count, page) = (AtomicU32::new(0), String::from("a page"));
        let inner = Router::new().route("/in/{a}", |request| param(request, "a").to_owned());
        let router = Router::new()
            .route("GET /count", |_| count.fetch_add(1, Ordering::Relaxed).to_string())
            .route("GET /page", |_| Reply::text(&page))
            .route("GET /status", |_| Status::NO_CONTENT)
            .route("POST /body", |request| {
                request.body().read_all().map(|body| body.len().to_string())
            })
            .route("/in/{*rest}", |request| inner.handle(request));
        for (line, wanted) in [
            ("GET /count", "0"),
            ("GET /count", "1"),
            ("GET /page", "a page"),
            ("GET /status", ""),
            ("POST /body", "0"),
            ("GET /in/x%2Fy", "x/y"),
        ] {
            assert_eq!(answer(&router, line).2, wanted, "{line}");
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
        assert_eq!(format!("{inner:?}"), "{\"/in/{a}\"}");
    }

    #[test]
    fn parameters_become_values_or_no_such_place() {
        fn page(request: &mut Request<'_>) -> Result<Response, Response> {
            let (number, name): (u8, String) =
                (parse_param(request, "n")?, parse_param(request, "s")?);
            let body = request.body().read_all()?;
            Ok(Response::text(format!("{number} {name} {}", body.len())))
        }
        let router = Router::new()
            .route("/{n}/{s}", page)
            .route("/{rest}", |request| param(request, "a").to_owned());
        assert_eq!(answer(&router, "GET /%37/a%20b").2, "7 a b 0");
        let (code, _, text) = answer(&router, "GET /256/x");
        assert_eq!(
            (code, &*text),
            (404, "path parameter n, found \"256\": number too large to fit in target type\n")
        );
        let long = answer(&router, &format!("GET /%1B{}/x", "9".repeat(4_000))).2;
        assert!(long.len() < 200 && !long.contains('\u{1B}'), "{long}");
        // A name that the pattern does not have is the program's mistake, not the client's.
        assert_eq!(answer(&router, "GET /x").0, 500);
    }

    #[test]
    fn the_rest_is_kept_as_it_was_sent() {
        let router = Router::new().route("/f/{a}/{*file}", |request: &mut Request<'_>| {
            let file = rest(request);
            let body = request.body().read_all().unwrap_or_default();
            Response::text(format!("{file} {}", body.len()))
        });
        for (line, wanted) in [
            ("GET /f/%61/a%2Fb//%2e%2e?q=/", "a%2Fb//%2e%2e 0"),
            ("GET /f/a/", " 0"),
            ("GET http://y/f/a/b", "b 0"),
        ] {
            assert_eq!(answer(&router, line).2, wanted, "{line}");
        }
        // A parameter at the end is no rest: the program's mistake, not the client's.
        let router = Router::new().route("/{a}", |request| rest(request).to_owned());
        assert_eq!(answer(&router, "GET /x").0, 500);
    }
}
