//! What may be stored: names and URIs, each a type that cannot exist unless its rule holds.
//!
//! Text enters, from a form, a log or a redirect; a [`Name`], a [`Uri`] or an [`Origin`] leaves.
//! The store takes nothing else, so neither an import nor a hand-edited log can bring in a
//! `javascript:` URI or a name that hides a page of the program. Where one accepted URI leads,
//! [`Uri::join`] takes the next one through the same rule: that is how every hop of a redirect is
//! judged.
//!
//! Turned down: repairing what was typed. A URI that two programs read differently (a space, a
//! backslash, `user@`) is refused, since the check would fetch one place and visitors would go to
//! another. Only octets beyond ASCII are rewritten, as `%C3%A4`, which every browser does as well.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

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

/// What a bookmark is called: 1 to [`NAME_BYTES`] bytes of text, no control characters.
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

/// Which of the two schemes a URI has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

impl Scheme {
    /// The port that goes without saying.
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port (RFC 6454): what a `BASE_URL` and an `Origin` field name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    /// In lower case, an IPv6 address in its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    /// Reads `scheme://host[:port]`, with nothing after it but perhaps one `/`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let (origin, rest) = Self::split(text)?;
        match rest {
            "" | "/" => Ok(origin),
            _ => Err(Refused {
                what: "origin",
                wanted: "nothing after the host and port",
                found: format!("`{rest}`"),
            }),
        }
    }

    /// Takes the origin off the front of a URI; the second part begins with `/`, `?` or `#`, if
    /// any.
    fn split(text: &str) -> Result<(Self, &str), Refused> {
        let refuse = |wanted, found: &str| {
            Err(Refused { what: "URI", wanted, found: format!("`{}`", found.escape_debug()) })
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return refuse("http://… or https://…", text);
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return refuse("the scheme http or https", scheme),
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return refuse("no user name before the host", authority);
        }
        let Some((host, port)) = host_and_port(authority) else {
            return refuse("a host of ASCII letters, digits, `-`, `.`, `_`, and a port", authority);
        };
        Ok((Self { scheme, host, port: port.unwrap_or(scheme.port()) }, rest))
    }
}

impl FromStr for Origin {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        Self::parse(text)
    }
}

// ABNF: authority = host [ ":" port ]     (RFC 3986 section 3.2, without userinfo and empty ports)
/// Splits a `Host` field or the authority of a URI; the host leaves in lower case.
///
/// Stricter than the RFC: of its `reg-name` only what a DNS name can hold, because percent-encoding
/// and sub-delimiters in a host are read differently by different clients.
pub(crate) fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let end = match authority.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
            (1..=255).contains(&host.len()) && host.bytes().all(allowed)
        }
    };
    if !is_host {
        return None;
    }
    let port = match port.strip_prefix(':') {
        // `str::parse` alone would take `+80`.
        Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|&port| port != 0)?)
        }
        None if port.is_empty() => None,
        _ => return None,
    };
    Some((host.to_ascii_lowercase(), port))
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
        let mut uri = text[..text.len() - rest.len()].to_owned();
        for octet in rest.bytes() {
            match octet {
                0x80.. => uri.push_str(&format!("%{octet:02X}")),
                _ => uri.push(char::from(octet)),
            }
        }
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

/// Removes `.` and `..` segments from a path, leaving a query alone (RFC 3986 section 5.2.4).
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            ".." => drop(kept.pop()),
            "." => {}
            _ => kept.push(segment),
        }
        // `/a/.` and `/a/b/..` are folders: both end in `/`.
        if is_last && matches!(segment, "." | "..") {
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
        for bad in ["", ".", ".all", "a\nb", "a\tb", "a\0", "\u{7f}", "\u{85}", &"x".repeat(101)] {
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
            "http://127.1/",
            "http://example.org/a@b",
        ] {
            assert_eq!(Uri::parse(good).unwrap().as_str(), good);
        }
        let uri = Uri::parse("http://example.org/käse?ö").unwrap();
        assert_eq!(uri.as_str(), "http://example.org/k%C3%A4se?%C3%B6");
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
    fn origins_know_their_default_port() {
        let origin = |text: &str| Origin::parse(text).unwrap();
        assert_eq!(origin("https://Example.org"), origin("https://example.org:443/"));
        assert_ne!(origin("https://example.org"), origin("http://example.org"));
        assert!(Origin::parse("https://example.org/path").is_err());
        assert!(Origin::parse("null").is_err());
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
