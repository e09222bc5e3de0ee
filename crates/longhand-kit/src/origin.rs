//! Scheme, host and port: what an `Origin` field names (RFC 6454).
//!
//! Text enters, from a setting, a field or a URI; an [`Origin`] leaves, or what was wanted instead.
//! Two origins are equal if and only if a browser lets the pages of one read those of the other: hosts
//! are compared in lower case, and where no port is written, it is the scheme's.
//!
//! Of hosts only what a DNS name or an address can be is taken. RFC 3986 allows more in its
//! `reg-name` (percent-encoding, sub-delimiters), which clients read differently from each other.
//! Names beyond ASCII are refused and not converted: browsers send them as `xn--…`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::refusal::shown_as_text;

/// One of the two schemes of the web.
///
/// ```
/// use longhand_kit::origin::Scheme;
///
/// let scheme = Scheme::parse("HTTPS").unwrap();
/// assert_eq!((scheme.as_str(), scheme.port()), ("https", 443));
/// assert_eq!(Scheme::parse("ftp"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`, whose port is 80 (RFC 9110 section 4.2.1).
    Http,
    /// `https`, whose port is 443 (RFC 9110 section 4.2.2).
    Https,
}

impl Scheme {
    // ABNF: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )           (RFC 3986 section 3.1)
    /// Reads `http` or `https`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let schemes = [Self::Http, Self::Https];
        schemes.into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }

    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port where none is written: 80 or 443.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Scheme, host and port.
///
/// ```
/// use longhand_kit::origin::{Origin, Scheme};
///
/// let own: Origin = "https://Go.Example.org:443/".parse()?;
/// assert_eq!((own.scheme(), own.host(), own.port()), (Scheme::Https, "go.example.org", 443));
/// assert_eq!(own.to_string(), "https://go.example.org");
/// assert_ne!(own, "http://go.example.org".parse()?);
///
/// let refused = Origin::parse("go.example.org").unwrap_err();
/// assert_eq!(refused.to_string(), "expected http://… or https://…, found \"go.example.org\"");
/// # Ok::<(), longhand_kit::origin::BadOrigin>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    // ABNF: serialized-origin = scheme "://" host [ ":" port ]             (RFC 6454 section 6.2)
    /// Reads `scheme://host[:port]`, with nothing after it but perhaps one `/`.
    ///
    /// # Errors
    /// Another scheme, a malformed host or port, a user name, a path; and `null`, which is what
    /// browsers send for a page that has no origin.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        match Self::split(text)? {
            (origin, "" | "/") => Ok(origin),
            (_, rest) => Err(BadOrigin::new("nothing after the host and port", rest)),
        }
    }

    /// Takes the origin off the front of a URI. What is left begins with `/`, `?` or `#`, or is
    /// empty; it is not looked at.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), except that anything may follow.
    ///
    /// ```
    /// use longhand_kit::origin::Origin;
    ///
    /// let (origin, rest) = Origin::split("http://example.org:8080/a?b")?;
    /// assert_eq!((origin.to_string().as_str(), rest), ("http://example.org:8080", "/a?b"));
    /// # Ok::<(), longhand_kit::origin::BadOrigin>(())
    /// ```
    pub fn split(uri: &str) -> Result<(Self, &str), BadOrigin> {
        let Some((scheme, rest)) = uri.split_once("://") else {
            return Err(BadOrigin::new("http://… or https://…", uri));
        };
        let Some(scheme) = Scheme::parse(scheme) else {
            return Err(BadOrigin::new("the scheme http or https", scheme));
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            // `http://bank.example@evil.example` is a way to lie to those who read it.
            return Err(BadOrigin::new("no user name before the host", authority));
        }
        let Some((host, port)) = host_and_port(authority) else {
            let wanted = "a host of ASCII letters, digits, `-`, `.`, `_`, and a port";
            return Err(BadOrigin::new(wanted, authority));
        };
        Ok((Self { scheme, host, port: port.unwrap_or(scheme.port()) }, rest))
    }

    /// Its scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Its host in lower case, an IPv6 address in its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port: the scheme's where none was written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether `authority`, such as the value of a Host field, names the same host and port. It has
    /// no scheme, so a missing port is that of this origin's scheme: a proxy that ends TLS
    /// leaves `Origin: https://a` and `Host: a`.
    ///
    /// ```
    /// use longhand_kit::origin::Origin;
    ///
    /// let own = Origin::parse("https://a.example")?;
    /// assert!(own.is_at("A.example:443") && own.is_at("a.example"));
    /// assert!(!own.is_at("a.example:8000") && !own.is_at("a.example.evil.example"));
    /// # Ok::<(), longhand_kit::origin::BadOrigin>(())
    /// ```
    #[must_use]
    pub fn is_at(&self, authority: &str) -> bool {
        host_and_port(authority).is_some_and(|(host, port)| {
            host == self.host && port.unwrap_or(self.scheme.port()) == self.port
        })
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        Self::parse(text)
    }
}

/// `https://host`, and `:port` where it is not the scheme's (RFC 6454 section 6.2).
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            port if port == self.scheme.port() => Ok(()),
            port => write!(f, ":{port}"),
        }
    }
}

// ABNF: authority = host [ ":" port ]     (RFC 3986 section 3.2, without userinfo and empty ports)
/// Splits a Host field's value or the authority of a URI; the host leaves in lower case.
///
/// ```
/// use longhand_kit::origin::host_and_port;
///
/// assert_eq!(host_and_port("Example.org"), Some(("example.org".to_owned(), None)));
/// assert_eq!(host_and_port("[::1]:8000"), Some(("[::1]".to_owned(), Some(8000))));
/// assert_eq!(host_and_port("example.org:+80"), None);
/// ```
#[must_use]
pub fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
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

/// Why a text is no origin.
///
/// ```
/// use longhand_kit::origin::Origin;
///
/// let bad = Origin::parse("ftp://a.example").unwrap_err();
/// assert_eq!((bad.wanted(), bad.found()), ("the scheme http or https", "ftp"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BadOrigin {
    wanted: &'static str,
    found: String,
}

impl BadOrigin {
    fn new(wanted: &'static str, found: &str) -> Self {
        // A field may be as long as a whole head.
        Self { wanted, found: found.chars().take(80).collect() }
    }

    /// What was wanted.
    #[must_use]
    pub fn wanted(&self) -> &'static str {
        self.wanted
    }

    /// What stood in its place, or the start of it. It is not escaped.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {:?}", self.wanted, self.found)
    }
}

impl std::error::Error for BadOrigin {}

shown_as_text!(BadOrigin);

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn origins_know_their_default_port() {
        assert_eq!(origin("https://Example.org"), origin("https://example.org:443/"));
        assert_eq!(origin("HTTP://example.org"), origin("http://example.org:80"));
        assert_ne!(origin("https://example.org"), origin("http://example.org"));
        assert_ne!(origin("https://example.org:80"), origin("http://example.org"));
    }

    #[test]
    fn what_is_no_origin_is_refused_and_named() {
        for (text, wanted) in [
            ("", "expected http://… or https://…, found \"\""),
            ("null", "expected http://… or https://…, found \"null\""),
            ("ftp://a", "expected the scheme http or https, found \"ftp\""),
            ("http://a/b", "expected nothing after the host and port, found \"/b\""),
            ("http://a?", "expected nothing after the host and port, found \"?\""),
            ("http://a@b", "expected no user name before the host, found \"a@b\""),
        ] {
            let refused = Origin::parse(text).unwrap_err();
            assert_eq!(refused.to_string(), wanted, "{text}");
            assert_eq!(format!("{refused:?}"), wanted, "what `main` ends with");
        }
        for host in [
            "",
            ":80",
            "a b",
            "a:",
            "a:+80",
            "a:0",
            "a:65536",
            "a:80:80",
            "%61",
            "ä",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[fe80::1%25eth0]",
            "[1.2.3.4]",
            "::1",
            "a,b",
            "a\0",
            "a\\b",
            &"a".repeat(256),
        ] {
            let refused = Origin::parse(&format!("http://{host}")).unwrap_err();
            assert!(refused.wanted().starts_with("a host"), "{host:?}: {refused}");
        }
    }

    #[test]
    fn a_refusal_is_one_short_line_whatever_was_sent() {
        let text = Origin::parse(&"\n\u{1b}x".repeat(100_000)).unwrap_err().to_string();
        assert!(text.len() < 1_000 && !text.contains(char::is_control), "{text}");
    }

    #[test]
    fn an_origin_that_is_written_is_the_one_that_is_read() {
        for text in
            ["http://a", "https://a", "http://a:443", "https://[::1]:8000", "http://a_b.c-d"]
        {
            assert_eq!(origin(text).to_string(), text);
            assert_eq!(origin(&origin(text).to_string()), origin(text));
        }
    }
}
