//! Cookie lines, read byte by byte (RFC 6265bis section 4.2).
//!
//! Nothing is refused here, and nothing is repaired; the module's page says why.

use std::{fmt, str};

use longhand::Request;
use longhand::wire::Fields;
use longhand::wire::grammar::trim_blanks;

/// The pairs of a request that are looked at: 200. Browsers send fewer (Chromium keeps 180 for a
/// domain); it bounds what a look-up costs in a program that has raised the limit on heads.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::cookie::{Cookies, MAX_PAIRS};
/// # let head = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "a=1; ".repeat(300));
/// # let mut client = Scripted::new().send(head).end();
/// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
/// // Cookie: a=1; a=1; ... 300 times
/// assert_eq!(Cookies::of(request).iter().count(), MAX_PAIRS);
/// # Response::text("right")
/// # });
/// # assert!(client.output_text().ends_with("right"));
/// ```
pub const MAX_PAIRS: usize = 200;

/// The cookies of a request: all its Cookie lines, in order.
///
/// Nothing is copied. Where a name occurs more than once the first counts, which is the one that
/// browsers keep for the more specific path.
///
/// ```
/// # use longhand::{Limits, Response, serve_connection, transport::Scripted};
/// use longhand_kit::cookie::Cookies;
///
/// # let mut client = Scripted::new()
/// #     .send("GET / HTTP/1.1\r\nHost: x\r\nCookie: a=1; b=\"x y\"; a=2\r\nCookie: c=d=e; lone\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), |request| {
/// // Cookie: a=1; b="x y"; a=2
/// // Cookie: c=d=e; lone
/// let cookies = Cookies::of(request);
/// assert_eq!(cookies.text("a"), Some("1"));
/// assert_eq!(cookies.text("b"), Some("\"x y\""));
/// assert_eq!(cookies.get("c"), Some(&b"d=e"[..]));
/// assert_eq!(cookies.get("A"), None);
/// assert_eq!(cookies.iter().count(), 4);
/// # Response::text("")
/// # });
/// # assert!(client.output_text().contains("200 OK"));
/// ```
#[derive(Clone, Copy)]
pub struct Cookies<'c> {
    fields: Fields<'c>,
}

impl<'c> Cookies<'c> {
    /// The cookies of this request.
    #[must_use]
    pub fn of(request: &Request<'c>) -> Self {
        Self { fields: request.fields() }
    }

    /// The first value under a name, as it arrived. Names are compared byte by byte, so that
    /// `__Host-id` is not `__host-id`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'c [u8]> {
        self.iter().find(|pair| pair.0 == name.as_bytes()).map(|pair| pair.1)
    }

    /// The first value under a name, if it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'c str> {
        str::from_utf8(self.get(name)?).ok()
    }

    /// Names and values in order, up to [`MAX_PAIRS`].
    pub fn iter(&self) -> impl Iterator<Item = (&'c [u8], &'c [u8])> {
        self.fields.all("Cookie").flat_map(pairs).take(MAX_PAIRS)
    }
}

/// The names alone: values are secrets often enough.
impl fmt::Debug for Cookies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name.escape_ascii().to_string()))
            .finish()
    }
}

// ABNF: cookie-string = cookie-pair *( ";" SP cookie-pair )     (RFC 6265bis section 4.2.1)
/// The names and values of one Cookie line.
///
/// Parted at each `;`; in each part the first `=` ends the name; blanks around both are dropped. A
/// part without a name is skipped: browsers send a cookie that was set without one as a lone value.
///
/// ```
/// use longhand_kit::cookie::pairs;
/// let found: Vec<_> = pairs(b"$Version=1; a=\"b;c\"; =d; \xE9=\xFF").collect();
/// assert_eq!(found, [(&b"$Version"[..], &b"1"[..]), (b"a", b"\"b"), (b"\xE9", b"\xFF")]);
/// ```
pub fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    line.split(|&octet| octet == b';').filter_map(|part| {
        let equals = part.iter().position(|&octet| octet == b'=')?;
        let (name, value) = (trim_blanks(&part[..equals]), trim_blanks(&part[equals + 1..]));
        (!name.is_empty()).then_some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};

    fn shown(line: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        pairs(line).map(|(name, value)| (text(name), text(value))).collect()
    }

    /// What `look` makes of the cookies of a request with these lines.
    fn with<T: Default>(lines: &[&[u8]], look: impl Fn(Cookies<'_>) -> T) -> T {
        let mut request = b"GET / HTTP/1.1\r\nHost: x\r\n".to_vec();
        for line in lines {
            request.extend([b"Cookie: ", *line, b"\r\n"].concat());
        }
        let mut client = Scripted::new().send([&request, &b"\r\n"[..]].concat()).end();
        let found = std::cell::RefCell::new(T::default());
        serve_connection(&mut client, &Limits::default(), |request| {
            found.replace(look(Cookies::of(request)));
            Response::text("")
        });
        assert!(client.output_text().starts_with("HTTP/1.1 200 "), "{}", client.output_text());
        found.into_inner()
    }

    #[test]
    fn pairs_are_parted_by_semicolons_and_the_first_equals_sign() {
        for (line, expected) in [
            (&b""[..], &[][..]),
            (b";;; ;", &[]),
            (b"a", &[]),
            (b"=a", &[]),
            (b" \t= a", &[]),
            (b"a=", &[("a", "")]),
            (b"a=b", &[("a", "b")]),
            (b"a=b=c==", &[("a", "b=c==")]),
            (b"a=1;b=2", &[("a", "1"), ("b", "2")]),
            (b"a=1; lone; b=2", &[("a", "1"), ("b", "2")]),
            (b"\ta \t=\t b c \t;", &[("a", "b c")]),
            (b"a b=c", &[("a b", "c")]),
            (b"a=1,b=2", &[("a", "1,b=2")]),
            (b"a=%41+%zz", &[("a", "%41+%zz")]),
            // Neither of them is more than a name like another.
            (b"$Version=1; $Path=/; a=b", &[("$Version", "1"), ("$Path", "/"), ("a", "b")]),
            // The "sandwich": in a quoted string, the cookie between would be part of the value.
            (
                b"a=\"b; __Host-id=secret; c=d\"",
                &[("a", "\\\"b"), ("__Host-id", "secret"), ("c", "d\\\"")],
            ),
            (b"a=\"b\\\"c\\073\"", &[("a", "\\\"b\\\\\\\"c\\\\073\\\"")]),
            // Bytes that are no ASCII, and no UTF-8.
            (b"\xE9=\xFF\x80", &[("\\xe9", "\\xff\\x80")]),
            // U+2000 and U+00A0 are blanks to `str::trim`, and to nobody else.
            ("\u{2000}__Host-id=evil".as_bytes(), &[("\\xe2\\x80\\x80__Host-id", "evil")]),
            ("a=\u{A0}b\u{2000}".as_bytes(), &[("a", "\\xc2\\xa0b\\xe2\\x80\\x80")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert_eq!(shown(line), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn the_first_of_a_name_counts_over_all_lines() {
        let lines: [&[u8]; 3] = [b"x=0; a=1; A=9", b"b=2; a=3", b"\xFF; c=\xFF; d=4"];
        let found = with(&lines, |cookies| {
            ["a", "A", "b", "c", "d", "e"].map(|name| cookies.get(name).map(<[u8]>::to_vec))
        });
        let expected = [Some("1"), Some("9"), Some("2"), None, Some("4"), None];
        for (found, expected) in found.iter().zip(expected) {
            if let Some(expected) = expected {
                assert_eq!(found.as_deref(), Some(expected.as_bytes()));
            }
        }
        assert_eq!((&found[3], &found[5]), (&Some(b"\xFF".to_vec()), &None));
        assert!(with(&lines, |cookies| cookies.text("c").is_none()));
        assert!(with(&[], |cookies| cookies.iter().next().is_none()));
    }

    #[test]
    fn a_prefixed_name_is_found_by_its_exact_bytes_alone() {
        for (line, found) in [
            ("__Host-id=1", true),
            ("__host-id=1", false),
            ("__HOST-id=1", false),
            ("__Host-ID=1", false),
            ("\u{2000}__Host-id=1", false),
            ("\u{FEFF}__Host-id=1", false),
            ("__Host-id\u{A0}=1", false),
            ("\t __Host-id =1", true),
        ] {
            assert_eq!(with(&[line.as_bytes()], |c| c.get("__Host-id").is_some()), found, "{line}");
        }
    }

    #[test]
    fn many_pairs_and_long_ones_are_read_and_the_number_has_an_end() {
        let many: Vec<String> = (0..MAX_PAIRS + 1).map(|n| format!("n{n}={n}")).collect();
        let line = many.join("; ");
        assert!(with(&[line.as_bytes()], |c| c.text("n199") == Some("199")));
        assert!(with(&[line.as_bytes()], |c| c.get("n200").is_none()));
        // What has no name is not counted.
        let line = format!("{}a=1", ";x".repeat(3_000) + ";");
        assert!(with(&[line.as_bytes()], |c| c.text("a") == Some("1")));
        let long = format!("long={}; a=1", "v".repeat(8 << 10));
        assert!(with(&[long.as_bytes()], |c| c.get("long").unwrap().len() == 8 << 10));
        assert!(with(&[long.as_bytes()], |c| c.text("a") == Some("1")));
    }

    #[test]
    fn no_line_panics_and_what_is_found_reads_the_same_again() {
        let mut state = 0x636F_6F6B_6965_u64;
        let mut next = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % end
        };
        for _ in 0..20_000 {
            let length = next(24);
            let line: Vec<u8> = (0..length).map(|_| b";;==  \t\"a\\\xC3\xA9"[next(12)]).collect();
            let found: Vec<_> = pairs(&line).collect();
            let again: Vec<u8> =
                found.iter().flat_map(|(n, v)| [n, &b"="[..], v, b"; "].concat()).collect();
            assert!(pairs(&again).eq(found.iter().copied()), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn values_stay_out_of_debug_output() {
        let shown = with(&[b"__Host-id=secret; a=b"], |cookies| format!("{cookies:?}"));
        assert_eq!(shown, r#"["__Host-id", "a"]"#);
    }
}
