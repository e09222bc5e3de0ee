//! What web programs put on top of `longhand`: what a browser sends is read, what it is sent is
//! escaped.
//!
//! Every module stands alone, has no dependency but `longhand`, and uses only its public interface.
//! Take one, and copy it and change it where it does not fit.
//!
//! - [`base64`]: bytes as text, in one form only.
//! - [`mac`]: SHA-256, HMAC and PBKDF2, for what must not be forged.
//! - [`random`]: bytes that nobody can foresee.
//! - [`form`]: what a browser sends from an HTML form, in a body or a query string.
//! - [`multipart`]: files that a browser sends, streamed and bounded.
//! - [`cookie`]: cookies, read byte by byte, and set so that no browser drops them.
//! - [`signed`]: values that come back as they were made, or are refused.
//! - [`session`]: what a server remembers about a visitor.
//! - [`etag`], [`conditional`], [`range`]: versions of a representation, preconditions, parts of it.
//! - [`content`]: a representation, answered as the request asks for it: 200, 206, 304, 412, 416.
//! - [`cache`]: what caches may do with a response.
//! - [`html`]: pages into which text cannot get unescaped by mistake.
//! - [`redirect`]: places on this site, to which untrusted text may lead.
//! - [`router`]: which handler a request is for, by its method and path.
//! - [`origin`]: scheme, host and port, read and compared as browsers do.
//! - [`forwarded`]: who the client is behind proxies that one trusts.
//! - [`cross_origin`]: a guard against other sites' forms (CSRF).
//! - [`rate`]: how often one client may ask.
//! - [`auth`]: passwords and tokens, and a guard that makes guessing slow.
//! - [`health`]: what a load balancer asks.
//! - [`log`]: an access log whose lines nobody can forge.
//! - [`metrics`]: counters in the text that Prometheus reads.
//! - [`media`]: media types by the suffix of a file's name.
//! - [`negotiate`]: which codings a client accepts, and which it likes best.
//! - [`files`]: a folder, served.
//!
//! The two together, for a form that shows again what was typed into it:
//!
//! ```
//! use longhand_kit::{form::Form, html::Html};
//!
//! let form = Form::parse("shortname=me+%26+you&longuri=http%3A%2F%2Fexample.com%2F")?;
//! let mut page = Html::new();
//! page.raw("<input name=\"shortname\"")
//!     .attribute("value", form.first("shortname").unwrap_or_default())
//!     .raw(">");
//! assert_eq!(page.into_string(), r#"<input name="shortname" value="me &amp; you">"#);
//! # Ok::<(), longhand_kit::form::BadForm>(())
//! ```

#![forbid(unsafe_code)]

mod refusal;
mod expiring;
pub mod base64;
pub mod mac;
pub mod random;
mod content_type;
pub mod form;
pub mod multipart;
pub mod html;
pub mod cookie;
pub mod signed;
pub mod session;
pub mod etag;
pub mod conditional;
pub mod range;
mod byteranges;
pub mod content;
pub mod cache;
pub mod redirect;
pub mod router;
pub mod origin;
pub mod forwarded;
pub mod cross_origin;
pub mod rate;
pub mod auth;
pub mod health;
pub mod log;
pub mod metrics;
pub mod media;
pub mod negotiate;
pub mod files;
#[cfg(test)]
mod scripted_server;
