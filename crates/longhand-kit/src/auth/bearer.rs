//! Bearer tokens (RFC 6750): whoever has one is let in.
//!
//! What enters is the Authorization field; what leaves is the token as it was sent, or the name under
//! which a program knows it.

use std::fmt;

use longhand::{IntoResponse, Request, Response};

use super::authorization::{BadAuthorization, token68};
use super::unauthorized;
use crate::mac;

// ABNF: b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//       credentials = "Bearer" 1*SP b64token                            (RFC 6750 section 2.1)
/// The bearer token of a request, `None` if it has none or credentials of another scheme.
///
/// Only the Authorization field is looked at. The RFC also knows tokens in forms and in queries,
/// which end in logs and histories (section 5.3).
///
/// # Errors
/// If there are several lines, or one that is no token. The answer to that is 400.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::auth::bearer;
/// # let mut client = Scripted::new()
/// #     .send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer zC3oXn8S\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| -> Result<Response, Response> {
/// // Authorization: Bearer zC3oXn8S
/// assert_eq!(bearer(request)?, Some("zC3oXn8S"));
/// # Ok(Response::text("right"))
/// # });
/// # assert!(client.output_text().ends_with("right"));
/// ```
pub fn bearer<'c>(request: &Request<'c>) -> Result<Option<&'c str>, BadAuthorization> {
    Ok(token68(request, "Bearer")?.map(|token| token.text))
}

/// The tokens that let in, each by a name: only their hashes are kept, so that a copy of the
/// settings lets nobody in.
///
/// A token must be random: `base64::encode_url(random::bytes::<32>()?)` is one. Then one SHA-256 is
/// enough, and nobody has to be kept from guessing.
///
/// ```
/// use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::{auth::{self, Tokens}, mac};
///
/// let tokens = Tokens::new().token("backup", mac::sha256(b"zC3oXn8SkA7tqzLYUNgN0g"));
/// let handler = |request: &mut Request<'_>| -> Result<Response, Response> {
///     let name = tokens.admit(request)?;
///     Ok(auth::no_store(format!("Hello, {name}\n")))
/// };
///
/// let mut client = Scripted::new()
///     .send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer zC3oXn8SkA7tqzLYUNgN0g\r\n\r\n")
///     .send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
///     .end();
/// serve_connection(&mut client, &Limits::default(), handler);
/// assert!(client.output_text().contains("Hello, backup\n"));
/// assert!(client.output_text().contains("\r\nWWW-Authenticate: Bearer\r\n"));
/// ```
#[derive(Clone, Default)]
pub struct Tokens {
    hashes: Vec<(String, [u8; 32])>,
}

impl Tokens {
    /// No tokens: nobody is let in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, of which `hash` is the SHA-256.
    #[must_use]
    pub fn token(mut self, name: impl Into<String>, hash: [u8; 32]) -> Self {
        self.hashes.push((name.into(), hash));
        self
    }

    /// The name of the token that a request carries.
    ///
    /// # Errors
    /// The answer that RFC 6750 section 3 has for it, with a challenge: 401 if there is no token or
    /// an unknown one, 400 if it cannot be read.
    pub fn admit(&self, request: &Request<'_>) -> Result<&str, Response> {
        let token = match bearer(request) {
            Ok(Some(token)) => token,
            // Without an error code: the client may not have known that it needs one.
            Ok(None) => return Err(unauthorized("Bearer", "a bearer token is needed\n".into())),
            Err(bad) => {
                let challenge = r#"Bearer error="invalid_request""#;
                return Err(bad.into_response().field("WWW-Authenticate", challenge));
            }
        };
        let hash = mac::sha256(token.as_bytes());
        // All are compared, also those after the right one: the time must not tell which one it was.
        let found = self.hashes.iter().fold(None, |found, (name, known)| {
            if mac::equal(known, &hash) { Some(name.as_str()) } else { found }
        });
        let unknown = || {
            unauthorized(
                r#"Bearer error="invalid_token""#,
                "this bearer token is not known\n".into(),
            )
        };
        found.ok_or_else(unknown)
    }
}

/// With the names alone.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.hashes.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ask;

    #[test]
    fn a_token_is_known_by_its_hash_and_every_other_answer_has_its_challenge() {
        let tokens = Tokens::new()
            .token("first", mac::sha256(b"aaaa"))
            .token("second", mac::sha256(b"-._~+/=="))
            .token("third", mac::sha256(b"cccc"));
        for (lines, expected) in [
            ("Authorization: Bearer aaaa\r\n", "first"),
            ("Authorization: bEARER  -._~+/==\r\n", "second"),
            ("Authorization: Bearer cccc\r\n", "third"),
            ("Authorization: Bearer aaab\r\n", "401 Bearer error=\"invalid_token\""),
            ("Authorization: Bearer aaa\r\n", "401 Bearer error=\"invalid_token\""),
            ("Authorization: Bearer aaaaa\r\n", "401 Bearer error=\"invalid_token\""),
            ("Authorization: Basic aaaa\r\n", "401 Bearer"),
            ("Authorization: Bear aaaa\r\n", "401 Bearer"),
            ("", "401 Bearer"),
            ("Authorization: Bearer\r\n", "400 Bearer error=\"invalid_request\""),
            ("Authorization: Bearer aa aa\r\n", "400 Bearer error=\"invalid_request\""),
            ("Authorization: Bearer \"aaaa\"\r\n", "400 Bearer error=\"invalid_request\""),
            ("Authorization: Bearer a\u{e9}\r\n", "400 Bearer error=\"invalid_request\""),
            (
                "Authorization: Bearer aaaa\r\nAuthorization: Bearer aaaa\r\n",
                "400 Bearer error=\"invalid_request\"",
            ),
        ] {
            let found = ask(lines.as_bytes(), |request| {
                Response::text(match tokens.admit(request) {
                    Ok(name) => name.to_owned(),
                    Err(refusal) => {
                        let challenge = refusal.field_value("WWW-Authenticate").unwrap();
                        let challenge = String::from_utf8_lossy(challenge.as_bytes()).into_owned();
                        format!("{} {challenge}", refusal.status_code().code())
                    }
                })
            });
            assert_eq!(found, expected, "{lines:?}");
        }
    }

    #[test]
    fn without_tokens_nobody_is_let_in() {
        let admitted = |request: &mut Request<'_>| match Tokens::new().admit(request) {
            Ok(_) => Response::text("in"),
            Err(_) => Response::text("out"),
        };
        assert_eq!(ask(b"Authorization: Bearer a\r\n", admitted), "out");
    }
}
