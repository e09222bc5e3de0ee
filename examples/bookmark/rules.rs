//! What may be stored: names and URIs, each a type that cannot exist unless its rule holds.
//!
//! Text enters, from a form, a log or a redirect; a [`Name`] or a [`Uri`] leaves.
//! The store takes nothing else, so neither an import nor a hand-edited log can bring in a
//! `javascript:` URI or a name that hides a page of the program. Where one accepted URI leads,
//! [`Uri::join`] takes the next one through the same rule: that is how every hop of a redirect is
//! judged.
//!
//! Turned down: repairing what was typed. A URI that two programs read differently (a space, a
//! backslash, `user@`) is refused, since the check would fetch one place and visitors would go to
//! another. Only octets beyond ASCII are rewritten, as `%C3%A4`, which every browser does as well.

use std::fmt;
use std::net::Ipv4Addr;

use longhand_kit::origin::{BadOrigin, Origin};

/// Bytes of a name after decoding: enough for a title, little enough for one line of the list.
pub(crate) const NAME_BYTES: usize = 100;

/// Bytes of a URI: what browsers and servers in use all take.
pub(crate) const URI_BYTES: usize = 2048;

/// Why a text was refused: what it is, what was wanted, what arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    what: &'static str,
    wanted: &'static str,
    found: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: wanted {}, found {}", self.what, self.wanted, self.found)
    }
}

impl std::error::Error for Refused {}

/// What a bookmark is called: 1 to [`NAME_BYTES`] bytes of text, no control characters, no blank at
/// either end: that comes along with what is pasted, and in an address nobody sees it.
///
/// Names that begin with `.` are the program's own (`/.all`, `/.static/…`), as in golink.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    /// Takes a decoded name, or says why not.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let refuse = |wanted, found| Err(Refused { what: "name", wanted, found });
        if text.is_empty() || text.len() > NAME_BYTES {
            return refuse("1 to 100 bytes", format!("{} bytes", text.len()));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return refuse("text without control characters", spelled(control));
        }
        if text.trim() != text {
            return refuse("no blank at either end", format!("`{text}`"));
        }
        if text.starts_with('.') {
            return refuse("a first character other than `.`", format!("`{text}`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is no origin is no URI.
impl From<BadOrigin> for Refused {
    fn from(bad: BadOrigin) -> Self {
        let found = format!("`{}`", bad.found().escape_debug());
        Self { what: "URI", wanted: bad.wanted(), found }
    }
}

/// Where a bookmark leads: an `http` or `https` URI in ASCII, at most [`URI_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uri {
    text: String,
    origin: Origin,
}

impl Uri {
    /// Takes a URI as it was typed, or says why not.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let refuse = |wanted, found| Err(Refused { what: "URI", wanted, found });
        if let Some(odd) = text.chars().find(|c| c.is_control() || c.is_whitespace()) {
            return refuse("no control characters and no spaces", spelled(odd));
        }
        let (origin, rest) = Origin::split(text)?;
        if let Some(host) = odd_address(origin.host()) {
            return refuse("an IPv4 address as four numbers", format!("`{host}`"));
        }
        // In a query it is one like any other.
        if rest[..rest.find(['?', '#']).unwrap_or(rest.len())].contains('\\') {
            return refuse("no backslash in the path", format!("`{}`", rest.escape_debug()));
        }
        let uri = text[..text.len() - rest.len()].to_owned() + &in_ascii(rest);
        if uri.len() > URI_BYTES {
            return refuse("at most 2048 bytes", format!("{} bytes", uri.len()));
        }
        Ok(Self { text: uri, origin })
    }

    /// The URI as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its scheme, host and port.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its path and its query, as a browser asks for them: without the `.` and `..` of the path.
    pub(crate) fn path_and_query(&self) -> (String, Option<&str>) {
        let whole = self.text.split_once('#').map_or(&*self.text, |(whole, _)| whole);
        let after = whole.split_once("://").map_or("", |(_, rest)| rest);
        let tail = after.find(['/', '?']).map_or("", |at| &after[at..]);
        match tail.split_once('?') {
            Some((path, query)) => (without_dots(path), Some(query)),
            None => (without_dots(tail), None),
        }
    }

    /// The same resource, in the words in which a browser asks for it.
    pub(crate) fn asked(&self) -> String {
        let (path, query) = self.path_and_query();
        let mark = if query.is_some() { "?" } else { "" };
        // WHATWG URL Standard, the percent-encode sets of a path and of a query; of each, what gets here.
        let path = escaped(&path, "\"<>^`{}");
        let query = escaped(query.unwrap_or_default(), "\"<>'");
        format!("{}{path}{mark}{query}", self.origin)
    }

    /// Resolves a reference, as a `Location` field holds it, against this URI (RFC 3986 section
    /// 5.2).
    pub(crate) fn join(&self, reference: &str) -> Result<Self, Refused> {
        let whole = |uri: &str| uri.find('#').unwrap_or(uri.len());
        let reference = &reference[..whole(reference)];
        let base = &self.text[..whole(&self.text)];

        let scheme_end = base.find("://").map_or(0, |at| at + 1);
        let origin_end =
            base[scheme_end + 2..].find(['/', '?']).map_or(base.len(), |at| scheme_end + 2 + at);
        let query = base.find('?').unwrap_or(base.len());
        let (origin, path) = (&base[..origin_end], &base[origin_end..query]);

        let colon = reference.find([':', '/', '?']).filter(|&at| reference[at..].starts_with(':'));
        if colon.is_some() {
            Self::parse(reference)
        } else if reference.starts_with("//") {
            Self::parse(&format!("{}{reference}", &base[..scheme_end]))
        } else if reference.is_empty() {
            Self::parse(base)
        } else if reference.starts_with('?') {
            Self::parse(&format!("{origin}{path}{reference}"))
        } else if reference.starts_with('/') {
            Self::parse(&format!("{origin}{}", without_dots(reference)))
        } else {
            let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
            Self::parse(&format!("{origin}{}", without_dots(&format!("{folder}{reference}"))))
        }
    }
}

/// A host that is read as an IPv4 address though it is not four decimal numbers: `127.1`, `0x7f000001`,
/// `0177.0.0.1`, `127.0.0.1.`. Resolvers and browsers know the address, and whoever compares text does not. One
/// whose last label is a number is read so (WHATWG URL Standard, "ends in a number checker").
fn odd_address(host: &str) -> Option<&str> {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let digits = last.bytes().all(|octet| octet.is_ascii_digit());
    let hex = last.strip_prefix("0x");
    let hex = hex.is_some_and(|hex| hex.bytes().all(|octet| octet.is_ascii_hexdigit()));
    (!last.is_empty() && (digits || hex) && host.parse::<Ipv4Addr>().is_err()).then_some(host)
}

/// A text as it stands in a URI: its octets beyond ASCII are escaped.
pub(crate) fn in_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            0x80.. => out.push_str(&format!("%{octet:02X}")),
            _ => out.push(char::from(octet)),
        }
    }
    out
}

/// A text in which some characters are escaped.
fn escaped(text: &str, set: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match set.contains(c) {
            true => out.push_str(&format!("%{:02X}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// Removes `.` and `..` segments from a path, leaving a query alone (RFC 3986 section 5.2.4). The dots may be
/// escaped: browsers take them for dots then too.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let dots = segment.replace("%2e", ".").replace("%2E", ".");
        match &*dots {
            ".." => drop(kept.pop()),
            "." => {}
            _ => kept.push(segment),
        }
        // `/a/.` and `/a/b/..` are folders: both end in `/`.
        if is_last && matches!(&*dots, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// A character that cannot be shown as itself.
fn spelled(odd: char) -> String {
    format!("U+{:04X}", u32::from(odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<Uri, Refused>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_are_any_text_of_1_to_100_bytes() {
        for good in ["a", "a/b c", "/", "ü", "<script>", "a.b", "name?x#y", &"x".repeat(100)] {
            assert_eq!(Name::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            " a",
            "a ",
            "\u{a0}a",
            " ",
            "",
            ".",
            ".all",
            "a\nb",
            "a\tb",
            "a\0",
            "\u{7f}",
            "\u{85}",
            &"x".repeat(101),
        ] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        let message = Name::parse("a\tb").unwrap_err().to_string();
        assert_eq!(message, "name: wanted text without control characters, found U+0009");
    }

    #[test]
    fn uris_of_other_schemes_and_double_meanings_are_refused() {
        for bad in [
            "",
            "this is a bad uri",
            "example.org",
            "javascript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "data:text/html,x",
            "ftp://example.org/",
            "http:/example.org",
            "http://",
            "http:///path",
            "http://user@example.org/",
            "http://user:secret@example.org/",
            "http://example.org\\@evil.example/",
            "http://ex ample.org/",
            "http://example.org/a b",
            "http://example.org/\r\nSet-Cookie: x",
            "http://example.org/\u{a0}",
            "http://exämple.org/",
            "http://%65xample.org/",
            "http://example.org:/",
            "http://example.org:+80/",
            "http://example.org:0/",
            "http://example.org:65536/",
            "http://[::1/",
            "http://[::1]x/",
            "http://[fe80::1%25eth0]/",
        ] {
            assert!(Uri::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn uris_are_kept_byte_for_byte_except_beyond_ascii() {
        for good in [
            "http://example.org",
            "HTTP://Example.org:8080/a?b|c#d",
            "https://[::1]:8000/",
            "http://127.0.0.1/",
            "http://1.example/",
            "http://0x7g/",
            "http://example.org./",
            "http://example.org/a@b",
            "http://example.org/a/../b?c\\d#e\\f",
        ] {
            assert_eq!(Uri::parse(good).unwrap().as_str(), good);
        }
        let uri = Uri::parse("http://example.org/käse?ö").unwrap();
        assert_eq!(uri.as_str(), "http://example.org/k%C3%A4se?%C3%B6");
    }

    /// The check would ask one place, and visitors come to another.
    #[test]
    fn what_others_read_differently_is_refused() {
        let odd =
            ["127.1", "0177.0.0.1", "0x7f.1", "0x", "2130706433", "127.0.0.1.", "1.2.3.4.5", "a.1"];
        for host in odd {
            let found = refusal(Uri::parse(&format!("http://{host}:8000/")));
            let wanted = format!("URI: wanted an IPv4 address as four numbers, found `{host}`");
            assert_eq!(found, wanted);
        }
        let found = refusal(Uri::parse("http://a/b\\..\\c?d"));
        assert_eq!(found, "URI: wanted no backslash in the path, found `/b\\\\..\\\\c?d`");
    }

    #[test]
    fn a_refusal_names_what_arrived_and_what_was_wanted() {
        assert_eq!(
            refusal(Uri::parse("ftp://example.org/")),
            "URI: wanted the scheme http or https, found `ftp`"
        );
        let long = format!("http://example.org/{}", "x".repeat(URI_BYTES));
        assert_eq!(refusal(Uri::parse(&long)), "URI: wanted at most 2048 bytes, found 2067 bytes");
    }

    #[test]
    fn references_resolve_as_in_rfc_3986_section_5_4() {
        let base = Uri::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, whole) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            ("#s", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("https://h/x", "https://h/x"),
        ] {
            assert_eq!(base.join(reference).unwrap().as_str(), whole, "{reference:?}");
        }
        let bare = Uri::parse("http://a").unwrap();
        assert_eq!(bare.join("g").unwrap().as_str(), "http://a/g");
        let query = Uri::parse("http://a?x/y").unwrap();
        assert_eq!(query.join("g").unwrap().as_str(), "http://a/g");
        for bad in ["javascript:alert(1)", "//user@h/", "file:///etc/passwd", "/a b", "ftp://h/"] {
            assert!(base.join(bad).is_err(), "{bad:?}");
        }
    }
}
