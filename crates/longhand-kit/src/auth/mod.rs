//! Who asks: Basic and bearer credentials (RFC 7617, RFC 6750), password hashes, and a guard that
//! makes guessing slow.
//!
//! What enters is the Authorization field (RFC 9110 section 11.6.2) or what was typed into a form;
//! what leaves is a name, or the answer that says what is missing: 401 with a challenge, 429 to
//! whoever guesses, 503 while too many passwords are being verified. Refused are credentials that
//! could be read in two ways: two field lines, base64 in another form, text that is not UTF-8,
//! controls.
//!
//! ```
//! use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
//! use longhand_kit::auth::{self, Accounts, PasswordHash};
//!
//! // Made once, by `PasswordHash::make`, and kept in the settings.
//! # let hash = PasswordHash::make("open: sesame", 1_000)?.to_string();
//! let hash: PasswordHash = hash.parse().unwrap();
//! let accounts = Accounts::new(move |user| (user == "ada").then(|| hash.clone()))?;
//!
//! let handler = |request: &mut Request<'_>| -> Result<Response, Response> {
//!     let client = request.peer().map(|peer| peer.ip());
//!     let user = accounts.basic(request, client)?;
//!     Ok(auth::no_store(format!("Hello, {user}\n")))
//! };
//!
//! let mut client = Scripted::new()
//!     .send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
//!     // What `curl -u 'ada:open: sesame'` sends.
//!     .send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRhOm9wZW46IHNlc2FtZQ==\r\n\r\n")
//!     .end();
//! serve_connection(&mut client, &Limits::default(), handler);
//! let output = client.output_text();
//! assert!(output.starts_with("HTTP/1.1 401 "));
//! assert!(output.contains("\r\nWWW-Authenticate: Basic realm=\"restricted\", charset=\"UTF-8\"\r\n"));
//! assert!(output.contains("HTTP/1.1 200 ") && output.ends_with("Hello, ada\n"));
//! assert!(output.contains("\r\nCache-Control: no-store\r\n"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What to choose
//!
//! - **A page for people**: a form for signing in, [`Accounts::check`], and then a session. Its
//!   cookie is what later requests carry; the password travels once.
//! - **A small tool**: [`Accounts::basic`]. Every browser and every client can do it, there is no
//!   page to write, and no way to sign out. Browsers send it by themselves, also from a form on
//!   somebody else's page: [`cross_origin`](crate::cross_origin) is the guard against that.
//! - **A program as the client**: [`Tokens`]. A token of 32 random bytes cannot be guessed, so its
//!   hash need not be slow, and it can be taken back without changing a password.
//!
//! All of them show the secret to whoever can read the connection: outside of one machine they are
//! for TLS only.
//!
//! Call the guard before everything else in a handler: its answer must not tell whether what is asked
//! for exists.
//!
//! # What a password costs
//!
//! To verify one takes half a second of a core on purpose, and some five seconds in a build that is
//! not optimised. These lines in a program's `Cargo.toml` optimise this crate in debug builds too:
//!
//! ```toml
//! [profile.dev.package.longhand-kit]
//! opt-level = 3
//! ```

use longhand::wire::elements;
use longhand::{FieldValue, IntoResponse, Reply, Response, Status};

mod authorization;
mod basic;
mod bearer;
mod password;
mod gate;
mod attempts;
mod refused;
mod accounts;

pub use accounts::Accounts;
pub use authorization::BadAuthorization;
pub use basic::{Credentials, basic, challenge};
pub use bearer::{Tokens, bearer};
pub use password::{BadPasswordHash, DEFAULT_ROUNDS, PasswordHash};
pub use refused::Refused;

/// The same response, stored nowhere: `Cache-Control: no-store`, unless its own says so already.
///
/// Everything behind a guard should pass through it. A shared cache may not store the answer to a
/// request with Authorization (RFC 9111 section 3.5), but may store that to a request with a cookie,
/// and give it to the next visitor.
///
/// ```
/// use longhand_kit::auth::no_store;
/// let response = no_store("for your eyes only\n");
/// assert_eq!(response.field_value("Cache-Control").unwrap().as_bytes(), b"no-store");
/// ```
///
/// A page that its reader's own browser may keep says so with
/// [`CacheControl::private`](crate::cache::CacheControl::private) instead.
pub fn no_store<'s>(response: impl IntoResponse<'s>) -> Reply<'s> {
    let response = response.into_response();
    let is_said = response
        .fields()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Cache-Control"))
        .flat_map(|(_, value)| elements(value.as_bytes()))
        .any(|directive| directive.eq_ignore_ascii_case(b"no-store"));
    if is_said { response } else { response.field("Cache-Control", "no-store") }
}

/// 401 with a challenge (RFC 9110 section 15.5.2), which no cache keeps.
fn unauthorized(challenge: impl Into<FieldValue>, text: String) -> Response {
    Response::text(text)
        .status(Status::UNAUTHORIZED)
        .field("WWW-Authenticate", challenge)
        .field("Cache-Control", "no-store")
}

/// What a handler answers to a request with these field lines: the body of the response.
#[cfg(test)]
fn ask<R: IntoResponse<'static>>(
    lines: &[u8],
    handler: impl Fn(&mut longhand::Request<'_>) -> R,
) -> String {
    let request = [b"GET / HTTP/1.1\r\nHost: x\r\n", lines, b"\r\n"].concat();
    let mut client = longhand::transport::Scripted::new().send(request).end();
    longhand::serve_connection(&mut client, &longhand::Limits::default(), handler);
    let output = client.output_text();
    let (_, body) = output.split_once("\r\n\r\n").expect("a response");
    body.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_stored_and_what_is_stricter_stays() {
        for (before, after) in [
            (&[][..], &["no-store"][..]),
            (&["public, max-age=60"], &["no-store"]),
            (&["private, no-cache"], &["no-store"]),
            (&["no-store-at-all"], &["no-store"]),
            (&["no-store, no-transform"], &["no-store, no-transform"]),
            (&["private", "No-Store"], &["private", "No-Store"]),
        ] {
            let reply = before
                .iter()
                .fold(Response::text(""), |reply, value| reply.add_field("cache-control", *value));
            let reply = no_store(reply);
            let found: Vec<_> = reply.fields().skip(1).map(|(_, value)| value.as_bytes()).collect();
            assert_eq!(found, after.iter().map(|it| it.as_bytes()).collect::<Vec<_>>());
        }
    }
}
