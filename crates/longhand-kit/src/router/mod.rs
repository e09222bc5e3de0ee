//! Which handler a request is for, by its method and path.
//!
//! Patterns and handlers enter when a router is built, requests afterwards; what leaves is the
//! response of a handler, or the router's own: 404, 405, the answer to OPTIONS (RFC 9110 sections
//! 15.5.5, 15.5.6, 9.3.7), and 400 where a parameter is not UTF-8.
//!
//! ```
//! use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
//! use longhand_kit::router::{self, Router};
//!
//! fn show(request: &mut Request<'_>) -> Result<Response, Response> {
//!     let id: u32 = router::parse_param(request, "id")?;
//!     Ok(Response::text(format!("bookmark {id}\n")))
//! }
//!
//! let router = Router::new()
//!     .route("GET /bookmarks/{id}", show)
//!     .route("GET /bookmarks/new", |_| Response::text("a form\n"))
//!     .route("GET /static/{*file}", |request| Response::text(router::rest(request).to_owned()));
//!
//! // In a program: server.run(|request: &mut Request<'_>| router.handle(request))
//! let ask = |line: &str| {
//!     let mut client = Scripted::new().send(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n")).end();
//!     serve_connection(&mut client, &Limits::default(), |request| router.handle(request));
//!     client.output_text()
//! };
//! assert!(ask("GET /bookmarks/7").ends_with("\r\n\r\nbookmark 7\n"));
//! assert!(ask("GET /bookmarks/new").ends_with("\r\n\r\na form\n"));
//! assert!(ask("GET /bookmarks/seven").starts_with("HTTP/1.1 404 "));
//! assert!(ask("GET /static/css/site.css").ends_with("\r\n\r\ncss/site.css"));
//! assert!(ask("DELETE /bookmarks/7").contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
//! ```
//!
//! # Patterns
//!
//! `[METHOD ]/literal/{param}/{*rest}`. Without a method, a pattern matches any.
//!
//! - A **literal** is compared with the segment's decoded octets, in their case. It may be written
//!   with escapes itself, which are undone: `%7B` is a brace.
//! - **`{param}`** takes one segment that is not empty; `{*rest}`, at the end, what remains behind its
//!   slash, be it empty.
//! - Slashes separate, `%2F` does not. `/a` and `/a/` are two places, and an empty segment is one.
//!   Nothing is cleaned up: a parameter can be `..`, or hold a slash, and is no name of a file.
//!
//! Where several patterns match, **the most specific wins**, whatever the order: the one whose requests
//! the other matches too. A literal wins over a parameter, a parameter over a rest, a method over
//! none, HEAD over GET. Two patterns that share requests cannot stand in one router if neither is the
//! more specific: `/{user}/edit` and `/new/{page}` both match `/new/edit`. So do `/about` and
//! `GET /{page}`, of which one has more methods, the other more paths; write `GET /about`.
//!
//! HEAD is answered by the handler of GET, without the body, which the server leaves away. Where the
//! most specific pattern does not have the method, a wider one that has it answers.
//!
//! # Handlers in variables
//!
//! A closure in the call of [`route`](Router::route) needs no types. One that stands in a variable
//! before names its parameter's, and one that uses `?` its result's:
//!
//! ```
//! # use longhand::{Request, Response};
//! # use longhand_kit::{form::Form, router::Router};
//! let save = |request: &mut Request<'_>| -> Result<Response, Response> {
//!     let form = Form::read(request)?;
//!     Ok(Response::text(format!("{} fields\n", form.iter().count())))
//! };
//! let router = Router::new().route("POST /", save);
//! # use longhand::{Limits, serve_connection, transport::Scripted};
//! # let mut client = Scripted::new().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\
//! #     Content-Type: application/x-www-form-urlencoded\r\n\r\na&b").end();
//! # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
//! # assert!(client.output_text().ends_with("2 fields\n"));
//! ```
//!
//! # Middleware
//!
//! Middleware is a function from handler to handler, around one route or around the router:
//!
//! ```
//! use longhand::{IntoResponse, Reply, Request, Response, Status};
//! use longhand_kit::router::{Matched, Router};
//!
//! /// Refuses a request that does not bring the key.
//! fn guarded<'s, R: IntoResponse<'s>>(
//!     handler: impl Fn(&mut Request<'_>) -> R + Sync,
//! ) -> impl Fn(&mut Request<'_>) -> Reply<'s> + Sync {
//!     move |request| match request.field("X-Key") {
//!         Some(b"open sesame") => handler(request).into_response(),
//!         _ => Status::FORBIDDEN.into_response(),
//!     }
//! }
//!
//! /// Prints which route was taken, once the handler has answered.
//! fn traced<'s, R: IntoResponse<'s>>(
//!     handler: impl Fn(&mut Request<'_>) -> R + Sync,
//! ) -> impl Fn(&mut Request<'_>) -> Reply<'s> + Sync {
//!     move |request| {
//!         let reply = handler(request).into_response();
//!         println!("{:?} {}", request.get::<Matched>().map(Matched::pattern), reply.status_code());
//!         reply
//!     }
//! }
//!
//! let admin = Router::new().route("GET /admin/users", |_| "Ada\n");
//! let router = Router::new()
//!     .route("GET /", |_| Response::text("welcome\n"))
//!     .route("POST /purge", guarded(|_| Status::NO_CONTENT)) // around one route
//!     .route("/admin/{*page}", guarded(|request| admin.handle(request))); // around a group
//! let whole = traced(|request| router.handle(request)); // around all: server.run(whole)
//! # let mut client = longhand::transport::Scripted::new()
//! #     .send("GET /admin/users HTTP/1.1\r\nHost: x\r\n\r\n")
//! #     .send("GET /admin/users HTTP/1.1\r\nHost: x\r\nX-Key: open sesame\r\n\r\n").end();
//! # longhand::serve_connection(&mut client, &longhand::Limits::default(), whole);
//! # let text = client.output_text();
//! # assert!(text.starts_with("HTTP/1.1 403 ") && text.ends_with("\r\n\r\nAda\n"), "{text}");
//! ```

mod pattern;
mod tree;
mod matched;
mod routes;

pub use matched::{Matched, param, parse_param, rest};
pub use routes::Router;
