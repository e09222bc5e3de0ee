//! The Authorization field (RFC 9110 section 11.6.2): the one token behind a scheme.
//!
//! What enters is the field's lines and the scheme that is wanted; what leaves is the token behind that
//! scheme. Refused are several lines, and a token with any octet that the RFC does not have in one.

use std::fmt;

use longhand::{IntoResponse, Reply, Request, Status};

use crate::refusal::refusal;

/// The credentials of one scheme, and their offset in the field's value.
pub(super) struct Token<'c> {
    pub(super) text: &'c str,
    pub(super) at: usize,
}

// ABNF: Authorization = credentials                                  (RFC 9110 section 11.6.2)
//       credentials   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]             (section 11.4)
//       token68       = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="      (11.2)
/// The token68 behind `scheme`, in any case; `None` if there is none, or another scheme.
pub(super) fn token68<'c>(
    request: &Request<'c>,
    scheme: &str,
) -> Result<Option<Token<'c>>, BadAuthorization> {
    let fields = request.fields();
    let mut lines = fields.all("Authorization");
    let Some(value) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        // A proxy in front may have judged the request by the other one.
        return Err(bad(0, "one such line, not several"));
    }
    let scheme_end = value.iter().position(|&octet| octet == b' ').unwrap_or(value.len());
    if !value[..scheme_end].eq_ignore_ascii_case(scheme.as_bytes()) {
        return Ok(None);
    }
    let spaces = value[scheme_end..].iter().take_while(|&&octet| octet == b' ').count();
    let at = scheme_end + spaces;
    let token = &value[at..];
    let is_text = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(octet);
    let text = token.iter().take_while(|octet| is_text(octet)).count();
    let padding = token[text..].iter().take_while(|&&octet| octet == b'=').count();
    if text == 0 || text + padding < token.len() {
        return Err(bad(at + text + padding, "letters, digits, -._~+/ and = at their end"));
    }
    let text = std::str::from_utf8(token).map_err(|_| bad(at, "letters and digits"))?;
    Ok(Some(Token { text, at }))
}

/// Credentials that cannot be read, and where.
///
/// It repeats nothing of them: what is broken may still be most of a password. Under `?` in a handler
/// it is a 400.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::auth::bearer;
/// # let mut client = Scripted::new()
/// #     .send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a,b\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
/// // Authorization: Bearer a,b
/// let bad = bearer(request).unwrap_err();
/// assert_eq!(bad.at, 8);
/// assert!(bad.to_string().starts_with("field Authorization, byte 8: expected letters, digits"));
/// # Response::text("right")
/// # });
/// # assert!(client.output_text().ends_with("right"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAuthorization {
    /// The offset in the field's value.
    pub at: usize,
    pub(super) expected: &'static str,
}

pub(super) fn bad(at: usize, expected: &'static str) -> BadAuthorization {
    BadAuthorization { at, expected }
}

impl fmt::Display for BadAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field Authorization, byte {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for BadAuthorization {}

/// 400 with what is wrong and where.
impl<'s> IntoResponse<'s> for BadAuthorization {
    fn into_response(self) -> Reply<'s> {
        Reply::text(format!("{self}\n")).status(Status::BAD_REQUEST)
    }
}

refusal!(BadAuthorization);
