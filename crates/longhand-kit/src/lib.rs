//! What web programs put on top of `longhand`: routes, forms, cookies, files, guards, logs.
//!
//! The kit depends on `longhand` alone, and uses only its public interface. Take a module, copy it, and
//! change it where it does not fit. Most stand alone, but for small files that are
//! not public; these need other modules:
//!
//! ```text
//! files ---> content ---> conditional, etag, range        session ---> cookie, base64, mac, random
//!       `--> cache, html, media, negotiate                signed ----> base64, mac, random
//! auth ----> rate, base64, mac, random                    log -------> forwarded, router
//! cross_origin ---> forwarded ---> origin
//! ```
//!
//! **Requests and pages**
//!
//! - [`router`]: which handler a request is for, by its method and path.
//! - [`form`]: what a browser sends from an HTML form, in a body or a query string.
//! - [`multipart`]: a form with files, part by part, none of it held.
//! - [`html`]: pages into which text cannot get unescaped by mistake.
//! - [`redirect`]: places on this site, to which untrusted text may lead.
//!
//! **Visitors**
//!
//! - [`cookie`]: cookies, read byte by byte, and set so that no browser drops them.
//! - [`signed`]: values that come back as they were made, or are refused.
//! - [`session`]: what a server remembers about a visitor.
//! - [`auth`]: passwords and tokens, and a guard that makes guessing slow.
//! - [`cross_origin`]: a guard against the forms of other origins (CSRF), by [`origin`].
//! - [`rate`]: how often one client may ask.
//! - [`forwarded`]: who the client is behind proxies that one trusts.
//!
//! **Representations**
//!
//! - [`content`]: a representation, answered as the request asks for it: 200, 206, 304, 412, 416.
//! - [`etag`], [`conditional`], [`range`]: versions of a representation, preconditions, parts of it.
//! - [`cache`]: what caches may do with a response.
//! - [`files`]: a folder, served; with [`media`] types and [`negotiate`]d codings.
//!
//! **Running it**
//!
//! - [`log`]: an access log whose lines nobody can forge.
//! - [`metrics`]: counters in the text that Prometheus reads.
//! - [`health`]: what a load balancer asks.
//!
//! **Underneath**
//!
//! - [`mac`], [`base64`], [`random`]: SHA-256, HMAC and PBKDF2; bytes as text in one form only; bytes
//!   that nobody can foresee.
//!
//! # Together
//!
//! A handler or a guard may fail with a response, and each error that a request can cause becomes one,
//! so `?` is all it takes. A mistake in the program itself, such as a route that contradicts another,
//! panics while the program is set up, and its method says so under `# Panics`; a setting that cannot
//! be read, such as a password hash, is an `Err` without a response. What is found out about a request
//! is kept beside it, never among its fields.
//!
//! ```
//! # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
//! use longhand_kit::{cross_origin::Guard, form::Form, html::Html, redirect::Local, router::{self, Router}};
//!
//! fn greet(request: &mut Request<'_>) -> Html {
//!     let mut page = Html::new();
//!     page.raw("<!doctype html><title>Hello</title><h1>Hello, ");
//!     page.text(router::param(request, "name")).raw("</h1>");
//!     page
//! }
//!
//! fn save(request: &mut Request<'_>) -> Result<Response, Response> {
//!     Guard::new().admit(request)?;         // 403: the form is another origin's
//!     let form = Form::read(request)?;      // 400, 413, 415: it is no form
//!     let next = Local::parse(form.first("next").unwrap_or("/"))?; // 400: it leads elsewhere
//!     Ok(next.see_other())
//! }
//!
//! let router = Router::new().route("GET /hello/{name}", greet).route("POST /save", save);
//!
//! let mut client = Scripted::new()
//!     .send("GET /hello/%3Cb%3E HTTP/1.1\r\nHost: x\r\n\r\n")
//!     .send("POST /save HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n")
//!     .send("Content-Length: 11\r\n\r\nnext=//evil")
//!     .end();
//! serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| router.handle(request));
//! let answers = client.output_text();
//! assert!(answers.contains("<h1>Hello, &lt;b&gt;</h1>"));
//! assert!(answers.contains("HTTP/1.1 400 "), "{answers}");
//! ```

#![forbid(unsafe_code)]

mod refusal;
mod seconds;
pub mod html;
pub mod redirect;
pub mod router;
mod parameters;
mod content_type;
mod device;
pub mod form;
pub mod multipart;
pub mod base64;
pub mod mac;
pub mod random;
pub mod cookie;
pub mod signed;
pub mod session;
pub mod etag;
pub mod conditional;
pub mod range;
mod byteranges;
pub mod content;
pub mod cache;
pub mod media;
pub mod negotiate;
pub mod files;
pub mod origin;
pub mod forwarded;
pub mod cross_origin;
mod expiring;
pub mod rate;
pub mod auth;
pub mod health;
pub mod log;
pub mod metrics;
#[cfg(test)]
mod scripted_server;
