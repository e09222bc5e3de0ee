//! Redirects that cannot lead away from this site by accident.
//!
//! Text from anybody enters, such as the `next` of a login form; a place on this site leaves, or why
//! it is not one. A redirect to wherever a link says makes the site vouch for it, and looking for one
//! slash at the front is not enough: browsers read `//host`, `/\host`, and either with a tab
//! or a line end between, as another host. So a [`Local`] is made by parsing alone, by the grammar
//! of RFC 3986 sections 3.3 to 3.5 for what follows host and port, and not by a list of known tricks.
//!
//! ```
//! use longhand_kit::redirect::Local;
//!
//! let next = Local::parse("/notes/7?sort=new#end")?;
//! let response = next.see_other();
//! assert_eq!(response.field_value("Location").unwrap().as_bytes(), b"/notes/7?sort=new#end");
//!
//! for trick in ["//evil.example", "/\\evil.example", "/\t/evil.example", "/%2Fevil.example",
//!     "/.//evil.example", "https:evil.example", "javascript:alert(1)", "evil.example", ""]
//! {
//!     assert!(Local::parse(trick).is_err());
//! }
//! # Ok::<(), longhand_kit::redirect::NotLocal>(())
//! ```
//!
//! For a place that the program itself knows, also on another site, take `Response::redirect` of
//! `longhand`.

use std::fmt;

use longhand::wire::{percent_decode, percent_encode};
use longhand::{IntoResponse, Reply, Request, Response, Status};

use crate::refusal::refusal;

/// The bytes that a place may have: what `longhand` takes as a target, unless it is told otherwise.
///
/// ```
/// use longhand_kit::redirect::{Local, MAX_LEN};
/// assert!(Local::parse(&format!("/{}", "a".repeat(MAX_LEN - 1))).is_ok());
/// assert!(Local::parse(&format!("/{}", "a".repeat(MAX_LEN))).is_err());
/// ```
pub const MAX_LEN: usize = 8 << 10;

// What is wanted of a place.
const PATH: &str = "a path on this site, which begins with /";
const HERE: &str = "a path on this site, not another host";
const PLAIN: &str = "no control character and no \\";
const DIGITS: &str = "two hexadecimal digits after %";
const SHORT: &str = "8192 bytes at most, percent-encoded";

/// A place on this site: a path, with its query and its fragment where it has them.
///
/// The default is the front page, `/`:
///
/// ```
/// use longhand::{Request, Response};
/// use longhand_kit::{form::Form, redirect::Local};
///
/// fn logged_in(form: &Form) -> Response {
///     let next = form.first("next").unwrap_or("/");
///     Local::parse(next).unwrap_or_default().see_other()
/// }
/// assert_eq!(
///     logged_in(&Form::parse("next=//evil").unwrap()).field_value("Location").unwrap().as_bytes(),
///     b"/"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    place: String,
}

impl Local {
    // ABNF: place = path-abempty [ "?" query ] [ "#" fragment ]      (RFC 3986 sections 3.3 to 3.5)
    //       path-abempty = *( "/" segment );  query = fragment = *( pchar / "/" / "?" )
    /// Reads a place as it stands in a URI behind host and port. What no URI holds, such as blanks,
    /// quotes and what is not ASCII, is percent-encoded; but controls and `\`, which browsers drop and
    /// replace, are refused.
    ///
    /// # Errors
    /// If it does not begin with one slash, leads to another host when it is read as browsers and
    /// proxies do, contains a control, a `\` or a broken escape, or is longer than [`MAX_LEN`].
    pub fn parse(text: &str) -> Result<Self, NotLocal> {
        let refused = |wanted, at, found| Err(NotLocal { wanted, at, found });
        if !text.starts_with('/') {
            return refused(PATH, 0, text.chars().next());
        }
        // Also here, and not only below: each `#` searches what was read before it, and this keeps that
        // from being quadratic.
        if text.len() > MAX_LEN {
            return refused(SHORT, MAX_LEN, None);
        }
        let mut place = String::with_capacity(text.len());
        for (at, char) in text.char_indices() {
            match char {
                '\0'..='\x1F' | '\x7F' | '\\' => return refused(PLAIN, at, Some(char)),
                '%' if !is_escape(&text.as_bytes()[at..]) => {
                    return refused(DIGITS, at, Some(char));
                }
                '#' if place.contains('#') => place.push_str("%23"),
                '%' | '#' => place.push(char),
                _ if is_uri(char) => place.push(char),
                _ => place.push_str(&percent_encode(char.encode_utf8(&mut [0; 4]).as_bytes())),
            }
        }
        if place.len() > MAX_LEN {
            return refused(SHORT, MAX_LEN, None);
        }
        if leads_away(&place) { refused(HERE, 0, None) } else { Ok(Self { place }) }
    }

    /// The place that a request is for, to come back to it after a login. Browsers come back by GET: so
    /// for a request that is neither GET nor HEAD it is the front page, `/`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse): requests for `//host` do arrive.
    ///
    /// ```
    /// use longhand::{IntoResponse, Request, Response};
    /// use longhand_kit::{form::Form, redirect::Local};
    ///
    /// fn login_first(request: &Request<'_>) -> Result<Response, Response> {
    ///     let here = Local::of(request)?;
    ///     let query = Form::from_iter([("next", here.as_str())]).encode();
    ///     Ok(Response::redirect(&format!("/login?{query}")))
    /// }
    /// # use longhand::{Limits, serve_connection, transport::Scripted};
    /// # let mut client = Scripted::new().send("GET /notes?a=1 HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| login_first(request));
    /// # assert!(client.output_text().contains("\r\nLocation: /login?next=%2Fnotes%3Fa%3D1\r\n"));
    /// ```
    pub fn of(request: &Request<'_>) -> Result<Self, NotLocal> {
        match (request.method(), request.query()) {
            ("GET" | "HEAD", Some(query)) => Self::parse(&format!("{}?{query}", request.path())),
            ("GET" | "HEAD", None) => Self::parse(request.path()),
            _ => Ok(Self::default()),
        }
    }

    /// The place, percent-encoded.
    ///
    /// ```
    /// # use longhand_kit::redirect::Local;
    /// assert_eq!(Local::parse("/a b/é")?.as_str(), "/a%20b/%C3%A9");
    /// # Ok::<(), longhand_kit::redirect::NotLocal>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.place
    }

    /// 303: look there, by GET. It is what answers a POST (RFC 9110 section 15.4.4).
    pub fn see_other(&self) -> Response {
        Response::redirect(&self.place)
    }

    /// 307: ask there, this time, with the same method (RFC 9110 section 15.4.8).
    ///
    /// ```
    /// # use longhand_kit::redirect::Local;
    /// let moved = Local::parse("/new")?;
    /// assert_eq!(moved.temporary().status_code().code(), 307);
    /// assert_eq!(moved.permanent().status_code().code(), 308);
    /// # Ok::<(), longhand_kit::redirect::NotLocal>(())
    /// ```
    pub fn temporary(&self) -> Response {
        self.see_other().status(Status::TEMPORARY_REDIRECT)
    }

    /// 308: ask there from now on, with the same method. Browsers remember it (RFC 9110 section
    /// 15.4.9).
    pub fn permanent(&self) -> Response {
        self.see_other().status(Status::PERMANENT_REDIRECT)
    }
}

/// The front page, `/`.
impl Default for Local {
    fn default() -> Self {
        Self { place: "/".to_owned() }
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// Whether the path, read as laxly as anybody does, begins with an empty segment: behind that stands
/// a host. Read so, escapes are undone, `\` is a slash, dot segments are gone (RFC 3986 section
/// 5.2.4), and so are controls, some of which browsers drop.
fn leads_away(place: &str) -> bool {
    let path = place.split(['?', '#']).next().unwrap_or_default();
    let Ok(decoded) = percent_decode(path) else { return true };
    let read: Vec<u8> = decoded.into_iter().filter(|octet| !octet.is_ascii_control()).collect();
    let mut segments = read.split(|octet| b"/\\".contains(octet)).skip(1).peekable();
    let mut depth = 0_usize;
    while let Some(segment) = segments.next() {
        match segment {
            b"." => {}
            b".." => depth = depth.saturating_sub(1),
            b"" if depth == 0 => return segments.peek().is_some(),
            _ => depth += 1,
        }
    }
    false
}

// ABNF: pct-encoded = "%" HEXDIG HEXDIG                                   (RFC 3986 section 2.1)
fn is_escape(text: &[u8]) -> bool {
    matches!(text, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

// ABNF: pchar = unreserved / pct-encoded / sub-delims / ":" / "@"         (RFC 3986 section 3.3)
fn is_uri(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?".contains(char)
}

/// Why a text is no place on this site. Its own text may be shown to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLocal {
    wanted: &'static str,
    at: usize,
    found: Option<char>,
}

impl fmt::Display for NotLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "place to go to, byte {}: expected {}", self.at, self.wanted)?;
        self.found.map_or(Ok(()), |found| write!(f, ", found {found:?}"))
    }
}

impl std::error::Error for NotLocal {}

/// 400 with what is wrong.
impl<'s> IntoResponse<'s> for NotLocal {
    fn into_response(self) -> Reply<'s> {
        Reply::text(format!("{self}\n")).status(Status::BAD_REQUEST)
    }
}

refusal!(NotLocal);

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::{Limits, serve_connection, transport::Scripted};

    fn wanted(text: &str) -> &'static str {
        Local::parse(text).expect_err(text).wanted
    }

    #[test]
    fn places_on_this_site_stay_what_they_are() {
        for place in [
            "/",
            "/a",
            "/a/",
            "/a//b",
            "/a//",
            "/./",
            "/a/../b",
            "/.well-known/x",
            "/a:b@c",
            "/http://other.example/",
            "/?next=//evil.example",
            "/?next=%2F%2Fevil.example%0D%0A",
            "/#//evil.example",
            "/a?b=c&d='e'#f/g?h",
            "/caf%C3%A9",
            "/a%2Fb",
            "/a%5Cb",
            "/a%2F%2Fb",
            "/100%25",
        ] {
            let local = Local::parse(place).unwrap_or_else(|bad| panic!("{place}: {bad}"));
            assert_eq!(local.as_str(), place);
            let response = local.see_other();
            assert_eq!(response.field_value("Location").unwrap().as_bytes(), place.as_bytes());
        }
    }

    #[test]
    fn what_no_uri_holds_is_encoded() {
        for (text, place) in [
            ("/café ?q=\"ü\"", "/caf%C3%A9%20?q=%22%C3%BC%22"),
            ("/a#b#c", "/a#b%23c"),
            ("/{a}|[b]", "/%7Ba%7D%7C%5Bb%5D"),
            // Characters that look like slashes and dots are none.
            ("/\u{FF0F}evil.example", "/%EF%BC%8Fevil.example"),
            ("/\u{2024}\u{2024}/", "/%E2%80%A4%E2%80%A4/"),
        ] {
            assert_eq!(Local::parse(text).unwrap().as_str(), place);
        }
    }

    #[test]
    fn ways_to_another_host_are_refused_with_what_is_wrong() {
        for (texts, expected) in [
            (
                &[
                    "",
                    "a",
                    "?a",
                    "#a",
                    ".",
                    "../a",
                    "https:evil.example",
                    "https://evil.example/",
                    "http:/\\evil",
                    "javascript:alert(1)",
                    "data:text/html,x",
                    " //evil",
                    "\t//evil",
                    "\\\\evil",
                    "\\/evil",
                    "%2F%2Fevil",
                    "evil.example",
                    "@evil",
                    ":80/",
                    "\u{FEFF}/a",
                ][..],
                PATH,
            ),
            (
                &[
                    "//",
                    "//evil",
                    "///evil",
                    "////evil",
                    "//evil@host/",
                    "//:80",
                    "/%2Fevil",
                    "/%2f%2fevil",
                    "/%5Cevil",
                    "/%5c/evil",
                    "/%09/evil",
                    "/%0D%0A/evil",
                    "/%00/evil",
                    "/.//evil",
                    "/..//evil",
                    "/%2e//evil",
                    "/%2E%2e/%2Fevil",
                    "/a/..//evil",
                    "/a/../.%2f/evil",
                    "/a/b/../..//evil",
                    "//../a",
                    "/.//../a",
                    "//?a",
                    "//#a",
                ],
                HERE,
            ),
            (
                &[
                    "/\\evil",
                    "/\\/evil",
                    "/a\\b",
                    "/\t/evil",
                    "/\n/evil",
                    "/\r/evil",
                    "/\r\nSet-Cookie: a=b",
                    "/\0",
                    "/\x7F",
                    "/a?b=\\",
                    "/a#\t",
                ],
                PLAIN,
            ),
            (&["/%", "/%2", "/a%zz", "/a?100%", "/%%41", "/%2\u{FF26}"], DIGITS),
        ] {
            for text in texts {
                assert_eq!(wanted(text), expected, "{text:?}");
            }
        }
        assert_eq!(
            Local::parse(&format!("/{}", "a".repeat(MAX_LEN - 1))).unwrap().as_str().len(),
            MAX_LEN
        );
        // Counted as it is sent.
        for (piece, most) in [("a", MAX_LEN - 1), ("\u{E9}", MAX_LEN / 6), ("#", MAX_LEN)] {
            assert_eq!(wanted(&format!("/{}", piece.repeat(most + 1))), SHORT);
        }
        assert!(SHORT.starts_with(&MAX_LEN.to_string()));
    }

    #[test]
    fn a_refusal_is_one_short_line_whatever_was_sent() {
        let bad = Local::parse("/ab\u{7F}").unwrap_err();
        assert_eq!(
            bad.to_string(),
            "place to go to, byte 3: expected no control character and no \\, found '\\u{7f}'"
        );
        let long = Local::parse(&"\u{1B}[31m".repeat(100_000)).unwrap_err().to_string();
        assert!(long.len() < 200 && !long.contains(char::is_control), "{long}");
        let reply = bad.into_response();
        assert_eq!(
            (reply.status_code(), reply.field_value("Location")),
            (Status::BAD_REQUEST, None)
        );
    }

    /// How a browser finds the host of a Location (URL Standard section 4.4, for http): blanks around
    /// it are dropped, tabs and line ends everywhere, and `\` is a slash.
    fn leaves_the_site(location: &str) -> bool {
        let around = |c: char| c <= ' ';
        let read: String =
            location.trim_matches(around).replace(['\t', '\n', '\r'], "").replace('\\', "/");
        read.starts_with("//") || !read.starts_with('/')
    }

    #[test]
    fn whatever_is_accepted_stays_here_in_a_browser_and_after_decoding() {
        const PIECES: &[&str] = &[
            "/", "/", "\\", ".", "..", "%2F", "%5c", "%2e", "%09", "\t", "\n", "a", "%", ":", "@",
            "?", "#", " ", "é",
        ];
        let mut state = 0x6C6F_6361_6C21_u64;
        let mut next = |end: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % end
        };
        let mut accepted = 0;
        for _ in 0..50_000 {
            let text: String = (0..next(8)).map(|_| PIECES[next(PIECES.len())]).collect();
            let text = if next(2) == 0 { format!("/{text}") } else { text };
            let Ok(local) = Local::parse(&text) else { continue };
            accepted += 1;
            let place = local.as_str();
            assert!(place.bytes().all(|octet| octet.is_ascii_graphic()), "{text:?}");
            let decoded = percent_decode(place).unwrap();
            for read in [place, &String::from_utf8_lossy(&decoded)] {
                assert!(!leaves_the_site(read), "{text:?} leads to {read:?}");
            }
            assert_eq!(Local::parse(place), Ok(local.clone()), "{text:?}");
        }
        assert!(accepted > 2_000, "{accepted} accepted: too few");
    }

    #[test]
    fn each_redirect_has_its_status() {
        let place = Local::parse("/a").unwrap();
        for (response, code) in
            [(place.see_other(), 303), (place.temporary(), 307), (place.permanent(), 308)]
        {
            assert_eq!(response.status_code().code(), code);
            assert_eq!(response.field_value("Location").unwrap().as_bytes(), b"/a");
        }
    }

    #[test]
    fn a_request_is_a_place_unless_it_is_for_another_host() {
        let here = |line: &str| {
            let request = format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n");
            let mut client = Scripted::new().send(request).end();
            serve_connection(
                &mut client,
                &Limits::default(),
                |request| -> Result<Response, Response> {
                    Ok(Response::text(Local::of(request)?.as_str().to_owned()))
                },
            );
            client.output_text()
        };
        assert!(here("GET /a%20b?c=/d?").ends_with("\r\n\r\n/a%20b?c=/d?"));
        assert!(here("GET http://y/a").ends_with("\r\n\r\n/a"));
        assert!(here("GET //evil.example/..").starts_with("HTTP/1.1 400 "));
        // Nobody comes back to these by a GET.
        for line in ["POST /a?b", "DELETE /a", "PUT //evil.example/..", "OPTIONS *"] {
            assert!(here(line).ends_with("\r\n\r\n/"), "{line}");
        }
    }
}
