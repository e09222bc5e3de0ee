//! Basic credentials (RFC 7617): a user name and a password, in base64.
//!
//! What enters is the Authorization field; what leaves are name and password as text, of which nothing
//! is verified yet, or the challenge that asks for them. Refused is what two readers could read in two
//! ways: other base64 than the one padded form, other text than UTF-8, controls.

use std::fmt;

use longhand::{FieldValue, Request, Response};

use super::authorization::{BadAuthorization, bad, token68};
use super::unauthorized;
use crate::base64;

/// A user name and a password, as they were sent: nothing is verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name. It has no colon.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Without the password, which would end in a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

// ABNF: user-pass = user-id ":" password                                  (RFC 7617 section 2)
//       user-id   = *<TEXT, without ":">, both without CTL
/// The Basic credentials of a request, `None` if it has none or those of another scheme.
///
/// Letters beyond ASCII are read as UTF-8, which is what the [`challenge`] asks for. They are not
/// brought into one form: a letter that was typed as two characters is not the letter typed as one.
///
/// # Errors
/// If there are several lines, or the one is not base64 of UTF-8 text that has a colon and no control
/// character. The answer to that is 400; [`Accounts::basic`](super::Accounts::basic) asks again.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::auth::basic;
///
/// # let mut client = Scripted::new()
/// #     .send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: basic dGVzdDoxMjPCow==\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| -> Result<Response, Response> {
/// // Authorization: basic dGVzdDoxMjPCow==
/// let credentials = basic(request)?.unwrap();
/// assert_eq!((&*credentials.user, &*credentials.password), ("test", "123£"));
/// # Ok(Response::text("right"))
/// # });
/// # assert!(client.output_text().ends_with("right"));
/// ```
pub fn basic(request: &Request<'_>) -> Result<Option<Credentials>, BadAuthorization> {
    let Some(token) = token68(request, "Basic")? else { return Ok(None) };
    let at = token.at;
    let bytes = base64::decode(token.text)
        .map_err(|wrong| bad(at + wrong.at, "base64 with its padding (RFC 4648 section 4)"))?;
    let text = String::from_utf8(bytes).map_err(|_| bad(at, "base64 of UTF-8"))?;
    if text.contains(char::is_control) {
        return Err(bad(at, "base64 of text without controls"));
    }
    // The first colon: a password may have others.
    let (user, password) =
        text.split_once(':').ok_or(bad(at, "base64 of user name, colon and password"))?;
    Ok(Some(Credentials { user: user.to_owned(), password: password.to_owned() }))
}

/// 401 that asks for Basic credentials: a browser asks its user, and names the realm.
///
/// Everything under one realm on one host is taken to have the same passwords.
///
/// ```
/// use longhand_kit::auth::challenge;
/// let response = challenge("the \"back\" office");
/// assert_eq!(
///     response.field_value("WWW-Authenticate").unwrap().as_bytes(),
///     br#"Basic realm="the \"back\" office", charset="UTF-8""#
/// );
/// ```
///
/// # Panics
/// If the realm has other characters than those of printable ASCII: there is no saying how a
/// browser would show them.
#[track_caller]
pub fn challenge(realm: &str) -> Response {
    please(basic_challenge(realm))
}

/// 401 with a challenge that was made before.
pub(super) fn please(challenge: FieldValue) -> Response {
    unauthorized(challenge, "a user name and a password are needed\n".to_owned())
}

// ABNF: challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]     (RFC 9110 section 11.3)
//       "Basic" realm = quoted-string, charset = "UTF-8"          (RFC 7617 sections 2 and 2.1)
#[track_caller]
pub(super) fn basic_challenge(realm: &str) -> FieldValue {
    let printable = realm.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    assert!(printable, "realm {realm:?}: expected printable ASCII");
    let quoted = realm.replace('\\', r"\\").replace('"', "\\\"");
    FieldValue::new(format!(r#"Basic realm="{quoted}", charset="UTF-8""#)).expect("printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ask;
    use longhand::{IntoResponse, Status};

    /// What `basic` makes of the lines, as text.
    fn read(lines: &str) -> String {
        ask(lines.as_bytes(), |request| {
            Response::text(match basic(request) {
                Ok(None) => "none".to_owned(),
                Ok(Some(it)) => format!("{}|{}", it.user, it.password),
                Err(bad) => format!("{}: {}", bad.at, bad.expected),
            })
        })
    }

    fn sent(text: &[u8]) -> String {
        format!("Authorization: Basic {}\r\n", base64::encode(text))
    }

    #[test]
    fn user_and_password_are_parted_at_the_first_colon() {
        for (text, expected) in [
            ("Aladdin:open sesame", "Aladdin|open sesame"),
            ("a:b:c:", "a|b:c:"),
            (":", "|"),
            (":b", "|b"),
            ("a:", "a|"),
            ("Ådne:naïve:€", "Ådne|naïve:€"),
        ] {
            assert_eq!(read(&sent(text.as_bytes())), expected);
        }
    }

    #[test]
    fn the_scheme_is_one_word_in_any_case() {
        for (line, expected) in [
            ("Authorization: BASIC YTpi\r\n", "a|b"),
            ("authorization:  basic    YTpi \r\n", "a|b"),
            ("Authorization: Bearer YTpi\r\n", "none"),
            ("Authorization: BasicYTpi\r\n", "none"),
            ("Authorization: Basics YTpi\r\n", "none"),
            ("Authorization: Digest username=\"\u{e9}\", uri=\"/\"\r\n", "none"),
            ("Authorization:\r\n", "none"),
            ("", "none"),
        ] {
            assert_eq!(read(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused_with_its_place() {
        let twice = sent(b"a:b").repeat(2);
        for (lines, expected) in [
            (twice.as_str(), "0: one such line"),
            ("Authorization: Bearer x\r\nAuthorization: Basic YTpi\r\n", "0: one such line"),
            ("Authorization: Basic\r\n", "5: letters"),
            ("Authorization: Basic\tYTpi\r\n", ""),
            ("Authorization: Basic YTpi,\r\n", "10: letters"),
            ("Authorization: Basic YTpi, Basic YTpi\r\n", "10: letters"),
            ("Authorization: Basic a:b\r\n", "7: letters"),
            ("Authorization: Basic =YTpi\r\n", "7: letters"),
            ("Authorization: Basic YT=i\r\n", "9: letters"),
            ("Authorization: Basic YTpi=\r\n", "10: base64"),
            ("Authorization: Basic YTo\r\n", "9: base64"),
            ("Authorization: Basic YTp=\r\n", "8: base64"),
            ("Authorization: Basic YTp-\r\n", "9: base64"),
            (&sent(b"no colon"), "6: base64 of user name"),
            (&sent(b"a:\xe9"), "6: base64 of UTF-8"),
            (&sent(b"a:b\n"), "6: base64 of text"),
            (&sent(b"a\0:b"), "6: base64 of text"),
            (&sent("a:\u{85}".as_bytes()), "6: base64 of text"),
        ] {
            let found = read(lines);
            if expected.is_empty() {
                assert_eq!(found, "none", "{lines:?}");
            } else {
                assert!(found.starts_with(expected), "{lines:?}: {found}");
            }
        }
    }

    #[test]
    fn no_octet_in_any_place_makes_it_panic_or_be_taken_for_another() {
        let value = b"Basic QWRhOnBhc3M6d29yZA==";
        let mut read = [0; 2];
        for at in 0..value.len() {
            for octet in (0..=255_u8).filter(|octet| !b"\0\r\n".contains(octet)) {
                let mut line = [b"Authorization: ", &value[..], b"\r\n"].concat();
                line["Authorization: ".len() + at] = octet;
                let found = ask(&line, |request| match basic(request) {
                    Ok(Some(it)) => {
                        // Read back, it is what was sent: nothing was repaired.
                        let again = base64::encode(format!("{}:{}", it.user, it.password));
                        let token = request.field("Authorization").unwrap();
                        assert!(token.ends_with(again.as_bytes()));
                        "read".into_response()
                    }
                    Ok(None) => "none".into_response(),
                    Err(bad) => bad.into_response(),
                });
                read[usize::from(found == "read")] += 1;
            }
        }
        assert!(read[0] > 1_000 && read[1] > 100, "{read:?}");
    }

    #[test]
    fn a_challenge_is_kept_by_nobody() {
        let response = challenge("bookmarks");
        assert_eq!(response.status_code(), Status::UNAUTHORIZED);
        assert_eq!(response.field_value("Cache-Control").unwrap().as_bytes(), b"no-store");
    }

    #[test]
    #[should_panic(expected = "realm \"a\\r\\nSet-Cookie: b\": expected printable ASCII")]
    fn a_realm_cannot_end_its_line() {
        let _ = challenge("a\r\nSet-Cookie: b");
    }
}
