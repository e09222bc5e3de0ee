//! The four forms of a request-target, the grammar of a host, and percent-decoding.
//!
//! What enters is a whole target, whose octets `start_line.rs` has checked, or a whole Host value; what
//! leaves are its pieces, or the byte at which it is none of the four forms (RFC 9112 section
//! 3.2, RFC 3986 section 3.2.2).

use core::fmt;
use core::net::Ipv6Addr;

use super::grammar::{hex_value, is_reg_name};
use super::rules::Kind;
use super::run::{path_run, reg_name_run};
use super::violation::Violation;

/// A request-target in one of its four forms (RFC 9112 section 3.2), still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'b> {
    /// `/where?q=now`: what a client sends to the server it means.
    Origin {
        /// The path; begins with `/`.
        path: &'b str,
        /// What follows the first `?`.
        query: Option<&'b str>,
    },
    /// `http://host:port/where?q=now`: what a client sends to a proxy; every server takes it.
    Absolute {
        /// The scheme as sent.
        scheme: &'b str,
        /// Host and port, which replace the Host field.
        authority: &'b str,
        /// The path; `/` where none was sent.
        path: &'b str,
        /// What follows the first `?`.
        query: Option<&'b str>,
    },
    /// `host:port`: with CONNECT alone.
    Authority(&'b str),
    /// `*`: with OPTIONS alone, about the server as a whole.
    Asterisk,
}

impl<'b> Target<'b> {
    // ABNF: request-target = origin-form / absolute-form / authority-form / asterisk-form
    //       authority-form = uri-host ":" port
    //       asterisk-form = "*"                                         (RFC 9112 section 3.2)
    /// Tells the form of `target`, which begins `at` bytes into the head, and whose first `plain` octets
    /// are known to be of a path without escapes, if it is one.
    pub(crate) fn parse(
        method: &str,
        target: &'b str,
        at: usize,
        plain: usize,
    ) -> Result<Self, Violation> {
        if method == "CONNECT" {
            check_authority(target, at)?;
            return match target.rsplit_once(':') {
                Some((host, port))
                    if !host.is_empty() && !port.is_empty() && !port.ends_with(']') =>
                {
                    Ok(Self::Authority(target))
                }
                _ => Err(Violation::new(Kind::PortDigits, at + target.len(), None)),
            };
        }
        if target.starts_with('/') {
            if plain == target.len() {
                return Ok(Self::Origin { path: target, query: None });
            }
            let (path, query) = split_query(target, at, plain)?;
            return Ok(Self::Origin { path, query });
        }
        if target == "*" && method == "OPTIONS" {
            return Ok(Self::Asterisk);
        }
        Self::absolute(target, at)
    }

    // ABNF: absolute-form = absolute-URI; http-URI = "http" "://" authority path-abempty [ "?" query ]
    //                                                     (RFC 9112 section 3.2.2, RFC 9110 4.2.1)
    fn absolute(target: &'b str, at: usize) -> Result<Self, Violation> {
        let misformed = || Violation::new(Kind::TargetForm, at, target.bytes().next());
        let (scheme, rest) = target.split_once("://").ok_or_else(misformed)?;
        let mut letters = scheme.bytes();
        if !letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            || !letters.all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
        {
            return Err(misformed());
        }
        let start = at + scheme.len() + 3;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if let Some(user_end) = authority.find('@') {
            return Err(Violation::new(Kind::UserInfo, start + user_end, Some(b'@')));
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(Violation::new(Kind::HostEmpty, start, rest.bytes().next()));
        }
        check_authority(authority, start)?;
        let (path, query) = split_query(tail, start + end, 0)?;
        Ok(Self::Absolute {
            scheme,
            authority,
            path: if path.is_empty() { "/" } else { path },
            query,
        })
    }

    /// The path, still percent-encoded: `/` of an absolute-form without one, `*` of the
    /// asterisk-form, empty of the authority-form.
    #[must_use]
    pub fn path(&self) -> &'b str {
        match *self {
            Self::Origin { path, .. } | Self::Absolute { path, .. } => path,
            Self::Asterisk => "*",
            Self::Authority(_) => "",
        }
    }

    /// What follows the first `?`, still percent-encoded.
    #[must_use]
    pub fn query(&self) -> Option<&'b str> {
        match *self {
            Self::Origin { query, .. } | Self::Absolute { query, .. } => query,
            Self::Asterisk | Self::Authority(_) => None,
        }
    }
}

// ABNF: origin-form = absolute-path [ "?" query ]                       (RFC 9112 section 3.2.1)
/// Path and query. The escapes of a path are checked here, because two servers that read `%zz`
/// differently disagree about which path was asked for. A query is the handler's own to decode:
/// browsers send a lone `%` in it.
fn split_query(target: &str, at: usize, plain: usize) -> Result<(&str, Option<&str>), Violation> {
    let bytes = target.as_bytes();
    let mut i = plain;
    loop {
        i += path_run(&bytes[i..]);
        match bytes.get(i) {
            None => return Ok((target, None)),
            Some(b'?') => return Ok((&target[..i], Some(&target[i + 1..]))),
            Some(b'%') if escape_follows(bytes, i) => i += 3,
            other => return Err(Violation::new(Kind::TargetEscape, at + i, other.copied())),
        }
    }
}

// ABNF: pct-encoded = "%" HEXDIG HEXDIG                                   (RFC 3986 section 2.1)
fn escape_follows(bytes: &[u8], percent: usize) -> bool {
    matches!(bytes.get(percent + 1..percent + 3),
        Some([high, low]) if hex_value(*high).is_some() && hex_value(*low).is_some())
}

// ABNF: Host = uri-host [ ":" port ]                                      (RFC 9110 section 7.2)
//       host = IP-literal / IPv4address / reg-name                      (RFC 3986 section 3.2.2)
/// Checks a host and its port. `at` is where `authority` stands in the head.
///
/// An IPv4 address needs no rule of its own: it is a registered name too.
pub(crate) fn check_authority(authority: &str, at: usize) -> Result<(), Violation> {
    let bytes = authority.as_bytes();
    let host_end = if bytes.first() == Some(&b'[') {
        let close = authority.find(']');
        let inside = close.map(|close| &authority[1..close]);
        match (close, inside) {
            (Some(close), Some(inside)) if is_address(inside) => close + 1,
            _ => return Err(Violation::new(Kind::HostLiteral, at, Some(b'['))),
        }
    } else {
        let mut i = 0;
        loop {
            i += reg_name_run(&bytes[i..]);
            match bytes.get(i) {
                None | Some(b':') => break i,
                Some(b'%') if escape_follows(bytes, i) => i += 3,
                other => return Err(Violation::new(Kind::HostOctet, at + i, other.copied())),
            }
        }
    };
    check_port(&bytes[host_end..], at + host_end)
}

// ABNF: port = *DIGIT                                                   (RFC 3986 section 3.2.3)
fn check_port(bytes: &[u8], at: usize) -> Result<(), Violation> {
    let digits = match bytes {
        [] => return Ok(()),
        [b':', digits @ ..] => digits,
        [other, ..] => return Err(Violation::new(Kind::HostOctet, at, Some(*other))),
    };
    if let Some(i) = digits.iter().position(|octet| !octet.is_ascii_digit()) {
        return Err(Violation::new(Kind::PortDigits, at + 1 + i, Some(digits[i])));
    }
    // Four digits are a port; of more, however many there are, too much stays too much.
    let add = |port: u32, digit: &u8| (port * 10 + u32::from(digit - b'0')).min(65_536);
    if digits.len() > 4 && digits.iter().fold(0, add) > 65_535 {
        return Err(Violation::new(Kind::PortDigits, at + 1, digits.first().copied()));
    }
    Ok(())
}

// ABNF: IP-literal = "[" ( IPv6address / IPvFuture ) "]"                (RFC 3986 section 3.2.2)
//       IPvFuture  = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
fn is_address(inside: &str) -> bool {
    if let Some(future) = inside.strip_prefix(['v', 'V']) {
        return future.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty()
                && version.bytes().all(|octet| hex_value(octet).is_some())
                && !address.is_empty()
                && address.bytes().all(|octet| octet == b':' || is_reg_name(octet))
        });
    }
    inside.parse::<Ipv6Addr>().is_ok()
}

/// A `%` that two hexadecimal digits do not follow, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadEscape {
    /// The offset of the `%`.
    pub at: usize,
}

impl fmt::Display for BadEscape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "byte {}: expected two hexadecimal digits after % (RFC 3986 section 2.1)",
            self.at
        )
    }
}

impl core::error::Error for BadEscape {}

/// Undoes percent-encoding, once (RFC 3986 section 2.1). What comes out may be any bytes.
///
/// # Errors
/// Where two hexadecimal digits do not follow a `%`.
///
/// ```
/// use longhand::wire::percent_decode;
/// assert_eq!(percent_decode("/caf%C3%A9").unwrap(), "/café".as_bytes());
/// assert_eq!(percent_decode("%2525").unwrap(), b"%25");
/// assert_eq!(percent_decode("100%").unwrap_err().at, 3);
/// ```
pub fn percent_decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, BadEscape> {
    let bytes = text.as_ref();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&octet) = bytes.get(i) {
        if octet != b'%' {
            decoded.push(octet);
            i += 1;
            continue;
        }
        match bytes.get(i + 1..i + 3) {
            Some(&[high, low]) => match (hex_value(high), hex_value(low)) {
                (Some(high), Some(low)) => decoded.push(high << 4 | low),
                _ => return Err(BadEscape { at: i }),
            },
            _ => return Err(BadEscape { at: i }),
        }
        i += 3;
    }
    Ok(decoded)
}

/// Percent-encodes everything that is not unreserved (RFC 3986 section 2.3), so that `text` can
/// stand as one segment of a path or one value of a query.
///
/// ```
/// use longhand::wire::percent_encode;
/// assert_eq!(percent_encode(b"a/b c~"), "a%2Fb%20c~");
/// ```
#[must_use]
pub fn percent_encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(bytes.len());
    for &octet in bytes {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(octet >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(octet & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(method: &str, target: &str) -> Result<(), (Kind, usize)> {
        Target::parse(method, target, 0, 0).map(|_| ()).map_err(|v| (v.kind(), v.at()))
    }

    #[test]
    fn the_four_forms_and_what_is_none_of_them() {
        assert_eq!(
            Target::parse("GET", "/a?b?c", 0, 0),
            Ok(Target::Origin { path: "/a", query: Some("b?c") })
        );
        assert_eq!(
            Target::parse("GET", "HTTP://h:1?q", 0, 0),
            Ok(Target::Absolute { scheme: "HTTP", authority: "h:1", path: "/", query: Some("q") })
        );
        assert_eq!(Target::parse("OPTIONS", "*", 0, 0), Ok(Target::Asterisk));
        assert_eq!(Target::parse("CONNECT", "h:443", 0, 0), Ok(Target::Authority("h:443")));
        assert_eq!(Target::parse("CONNECT", "[::1]:443", 0, 0), Ok(Target::Authority("[::1]:443")));
        for (method, target, wanted, at) in [
            ("GET", "*", Kind::TargetForm, 0),
            ("GET", "index.html", Kind::TargetForm, 0),
            ("GET", "h:80", Kind::TargetForm, 0),
            ("GET", "1x://h/", Kind::TargetForm, 0),
            ("GET", "http:///x", Kind::HostEmpty, 7),
            ("GET", "http://:80/", Kind::HostEmpty, 7),
            ("GET", "http://u@h/", Kind::UserInfo, 8),
            ("GET", "http://h:8x/", Kind::PortDigits, 10),
            ("GET", "http://h:65536/", Kind::PortDigits, 9),
            ("GET", "http://h[/", Kind::HostOctet, 8),
            ("GET", "/a%zz", Kind::TargetEscape, 2),
            ("GET", "/a%2", Kind::TargetEscape, 2),
            ("CONNECT", "h", Kind::PortDigits, 1),
            ("CONNECT", "h:", Kind::PortDigits, 2),
            ("CONNECT", "[::1]", Kind::PortDigits, 5),
            ("CONNECT", "/x", Kind::HostOctet, 0),
        ] {
            assert_eq!(kind(method, target), Err((wanted, at)), "{method} {target}");
        }
        assert_eq!(kind("GET", "/a?100%"), Ok(()), "a query is the handler's to decode");
    }

    #[test]
    fn hosts_and_ports_keep_to_their_grammar() {
        for good in [
            "",
            "h",
            "h:",
            "h:0",
            "h:65535",
            "a-b_c.d~",
            "1.2.3.4",
            "[::1]",
            "[::ffff:1.2.3.4]:80",
            "[v1.x:y]",
            "%41bc",
            "a,b",
            "xn--bcher-kva.example",
        ] {
            assert!(check_authority(good, 0).is_ok(), "{good}");
        }
        for (bad, at) in [
            ("a:b:c", 2),
            ("[::1", 0),
            ("a%zz", 1),
            ("a b", 1),
            ("a/b", 1),
            ("a@b", 1),
            ("h:-1", 2),
            ("h:+1", 2),
            ("h:99999", 2),
            ("[::1]x", 5),
            ("[::g]", 0),
            ("[]", 0),
            ("::1", 1),
            ("[fe80::1%25lo]", 0),
            ("[v.x]", 0),
            ("a\"b", 1),
            ("h:80 ", 4),
        ] {
            assert_eq!(check_authority(bad, 0).unwrap_err().at(), at, "{bad}");
        }
    }

    #[test]
    fn percent_decoding_undoes_encoding_for_every_octet() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(percent_decode(percent_encode(&all)).unwrap(), all);
        assert_eq!(percent_decode("%4").unwrap_err().at, 0);
        assert_eq!(percent_decode("a%+1").unwrap_err().at, 1);
        assert_eq!(percent_decode(b"\xC3%A9").unwrap(), "é".as_bytes());
    }
}
