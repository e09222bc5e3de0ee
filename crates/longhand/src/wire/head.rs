//! The head of a message: what its elements mean together (RFC 9112 sections 2.3, 3.2 and 4).
//!
//! `scan.rs` has found the elements by their syntax; here they become a version that is served, a
//! target of one of four forms, one host, a status. What is refused here breaks no rule at one byte
//! but by its meaning, and is called so ([`Class::Meaning`](super::Class::Meaning)).

use super::fields::{FieldLine, Fields};
use super::grammar::ascii;
use super::rules::Kind;
use super::scan::{self, Layout};
use super::start_line::{request, response};
use super::status::Status;
use super::target::{Target, check_authority};
use super::violation::Violation;
use crate::limits::Limits;

/// What became of the bytes that have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// A whole value, and the number of bytes it took.
    Complete {
        /// What was parsed.
        value: T,
        /// The bytes it took; what follows is not its own.
        consumed: usize,
    },
    /// A beginning: more bytes are needed.
    Partial,
}

/// The minor version that decides how a message is framed and whether its connection persists.
///
/// A higher minor version is served as 1.1 (RFC 9110 section 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// The head of a request, borrowed from the bytes it came in.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'b> {
    /// The method, case-sensitive.
    pub method: &'b str,
    /// The request-target.
    pub target: Target<'b>,
    /// The request-target as it was sent.
    pub target_text: &'b str,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The field lines.
    pub fields: Fields<'b>,
    /// Host and port: those of an absolute-form or an authority-form, else of the Host field; empty if none
    /// of them is there.
    pub authority: &'b str,
}

/// The head of a response, borrowed from the bytes it came in.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'b> {
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The status code.
    pub status: Status,
    /// The reason phrase as it was sent.
    pub reason: &'b [u8],
    /// The field lines.
    pub fields: Fields<'b>,
}

impl<'b> RequestHead<'b> {
    /// Parses a request head. `lines` is emptied and filled.
    ///
    /// # Errors
    /// The first rule that the bytes break, by syntax, by meaning or by a limit.
    pub fn parse(
        bytes: &'b [u8],
        limits: &Limits,
        lines: &'b mut Vec<FieldLine>,
    ) -> Result<Parsed<Self>, Violation> {
        Ok(match request(bytes, limits, lines, &mut ())? {
            Some(layout) => Parsed::Complete {
                value: Self::new(bytes, &layout, lines, None)?,
                consumed: layout.end,
            },
            None => Parsed::Partial,
        })
    }

    /// Gives the elements their meaning: version, form of the target, Host (RFC 9112 sections 2.3
    /// and 3.2). `known` is the Host that was judged last on the same connection, if any.
    pub(crate) fn new(
        bytes: &'b [u8],
        layout: &Layout,
        lines: &'b [FieldLine],
        known: Option<&'b mut String>,
    ) -> Result<Self, Violation> {
        let version = version(layout);
        let method = method(&bytes[layout.first.0..layout.first.1]);
        let (start, end) = layout.second;
        // A connection's Host is known as text; only for the target the front would be too much.
        let text = if known.is_some() { None } else { front(bytes, end, lines) };
        let target_text = text.map_or_else(|| ascii(&bytes[start..end]), |text| &text[start..end]);
        let target = Target::parse(method, target_text, start, layout.plain)?;
        let fields = Fields::scanned(bytes, lines, layout.names);
        let host = host(version, fields, layout.end, known, text)?;
        let authority = match target {
            Target::Absolute { authority, .. } | Target::Authority(authority) => authority,
            Target::Origin { .. } | Target::Asterisk => host,
        };
        Ok(Self { method, target, target_text, version, fields, authority })
    }
}

impl<'b> ResponseHead<'b> {
    /// Parses a response head, for clients and proxies. `lines` is emptied and filled.
    ///
    /// # Errors
    /// The first rule that the bytes break.
    pub fn parse(
        bytes: &'b [u8],
        limits: &Limits,
        lines: &'b mut Vec<FieldLine>,
    ) -> Result<Parsed<Self>, Violation> {
        Ok(match response(bytes, limits, lines, &mut ())? {
            Some(layout) => {
                Parsed::Complete { value: Self::new(bytes, &layout, lines)?, consumed: layout.end }
            }
            None => Parsed::Partial,
        })
    }

    pub(crate) fn new(
        bytes: &'b [u8],
        layout: &Layout,
        lines: &'b [FieldLine],
    ) -> Result<Self, Violation> {
        let version = version(layout);
        let code = &bytes[layout.first.0..layout.first.1];
        let number = code.iter().fold(0u16, |number, digit| number * 10 + u16::from(digit - b'0'));
        let status = Status::new(number).ok_or_else(|| {
            Violation::new(Kind::StatusDigits, layout.first.0, code.first().copied())
        })?;
        let reason = &bytes[layout.second.0..layout.second.1];
        Ok(Self { version, status, reason, fields: Fields::scanned(bytes, lines, layout.names) })
    }
}

impl<'b> Fields<'b> {
    /// Parses a section of field lines up to its empty line, as it stands where no start-line does:
    /// in front of a part of a multipart body. `lines` is emptied and filled. Of `limits`, `head` and
    /// `fields` count.
    ///
    /// ```
    /// use longhand::{Limits, wire::{Fields, Parsed}};
    ///
    /// let (bytes, mut lines) = (b"Content-Type: image/png\r\n\r\n\x89PNG", Vec::new());
    /// let Ok(Parsed::Complete { value: fields, consumed }) =
    ///     Fields::parse(bytes, &Limits::default(), &mut lines) else { panic!() };
    /// assert_eq!(fields.text("content-type"), Some("image/png"));
    /// assert_eq!(&bytes[consumed..], b"\x89PNG");
    /// ```
    ///
    /// # Errors
    /// The first rule that the bytes break, as for the fields of a request.
    pub fn parse(
        bytes: &'b [u8],
        limits: &Limits,
        lines: &'b mut Vec<FieldLine>,
    ) -> Result<Parsed<Self>, Violation> {
        let section =
            scan::section(bytes, limits.head, Kind::HeadTooLarge, limits, lines, &mut ())?;
        Ok(match section {
            Some(consumed) => Parsed::Complete { value: Self::new(bytes, lines), consumed },
            None => Parsed::Partial,
        })
    }
}

/// The methods that nearly all requests have are text already; of others, whose octets are those of a
/// token, that is found out again.
fn method(token: &[u8]) -> &str {
    match token {
        b"GET" => "GET",
        b"HEAD" => "HEAD",
        b"POST" => "POST",
        b"PUT" => "PUT",
        other => ascii(other),
    }
}

/// Only versions with a major number of 1 get here.
fn version(layout: &Layout) -> Version {
    if layout.version == [b'1', b'0'] { Version::Http10 } else { Version::Http11 }
}

/// The front of a head as text, if it is: to the end of the first field, which mostly is Host. One look at
/// the target, which ends at `target_end`, and at Host costs half of two (220 instructions less for a
/// browser's head), unless that field is long and is none.
fn front<'b>(bytes: &'b [u8], target_end: usize, lines: &[FieldLine]) -> Option<&'b str> {
    const NEAR: usize = 80;
    let end = lines.first()?.value.1 as usize;
    if end > target_end + NEAR { None } else { core::str::from_utf8(&bytes[..end]).ok() }
}

/// The value of the one Host field, empty where HTTP/1.0 sent none (RFC 9112 section 3.2). What is
/// missing is noticed at the empty line.
///
/// The requests of one connection name the same host most often: the same bytes as the `known` ones
/// are not judged again (255 instructions less).
fn host<'b>(
    version: Version,
    fields: Fields<'b>,
    end: usize,
    known: Option<&'b mut String>,
    text: Option<&'b str>,
) -> Result<&'b str, Violation> {
    let mut host = None;
    for (line, value, at) in fields.placed("host") {
        if host.replace((value, at)).is_some() {
            return Err(Violation::new(Kind::HostRepeated, line, None));
        }
    }
    let Some((value, at)) = host else {
        return match version {
            Version::Http10 => Ok(""),
            Version::Http11 => Err(Violation::new(Kind::HostMissing, end - 2, None)),
        };
    };
    let Some(known) = known else {
        let text = text.and_then(|text| text.get(at..at + value.len()));
        return judge_host(value, text, at);
    };
    if known.as_bytes() != value {
        judge_host(value, None, at)?.clone_into(known);
    }
    Ok(known)
}

/// The value of a Host field, which stands at `at`, as text of its grammar; `text` if that is known.
fn judge_host<'b>(value: &'b [u8], text: Option<&'b str>, at: usize) -> Result<&'b str, Violation> {
    // What is not UTF-8 is no host: it is refused at the first octet that is not, or before.
    let text = text.unwrap_or_else(|| match core::str::from_utf8(value) {
        Ok(text) => text,
        Err(error) => ascii(&value[..error.valid_up_to()]),
    });
    // An empty value says that the URI has no authority (RFC 9112 section 3.2); a port without a host says
    // nothing (RFC 9110 section 4.2.1).
    if text.starts_with(':') {
        return Err(Violation::new(Kind::HostEmpty, at, Some(b':')));
    }
    check_authority(text, at)?;
    match value.get(text.len()) {
        None => Ok(text),
        octet => Err(Violation::new(Kind::HostOctet, at + text.len(), octet.copied())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_of_fields_is_whole_unfinished_or_refused_at_its_byte() {
        let limits = Limits { head: 20, fields: 2, ..Limits::default() };
        for (bytes, expected) in [
            (&b"\r\nrest"[..], Ok(Some((0, 2)))),
            (b"A: b\r\nC:\r\n\r\n", Ok(Some((2, 12)))),
            (b"A: 3456789 123456\r\n\r\n", Err((Kind::HeadTooLarge, 20))),
            (b"A: 3456789 12345\r\n\r\n", Ok(Some((1, 20)))),
            (b"A:\r\nB:\r\nC:", Err((Kind::TooManyFields, 8))),
            (b"A: b\r\n c", Err((Kind::ObsFold, 6))),
            (b"A: b\n\n", Err((Kind::BareLf, 4))),
            (b"", Ok(None)),
        ] {
            let read = |bytes: &[u8]| match Fields::parse(bytes, &limits, &mut Vec::new()) {
                Ok(Parsed::Complete { value, consumed }) => Ok(Some((value.len(), consumed))),
                Ok(Parsed::Partial) => Ok(None),
                Err(violation) => Err((violation.kind(), violation.at())),
            };
            assert_eq!(read(bytes), expected, "{}", bytes.escape_ascii());
            let end = match expected {
                Ok(whole) => whole.map_or(0, |(_, consumed)| consumed),
                Err((_, at)) => at + 1,
            };
            for length in 0..end {
                assert_eq!(read(&bytes[..length]), Ok(None), "{}", bytes[..length].escape_ascii());
            }
        }
    }

    #[test]
    fn a_malformed_host_is_refused_at_the_byte_that_is_named() {
        for (host, kind, at) in [
            (&b"a/b"[..], Kind::HostOctet, 1),
            (b"[::g]", Kind::HostLiteral, 0),
            (b"a:8x", Kind::PortDigits, 3),
            (b"caf\xc3\xa9", Kind::HostOctet, 3),
            (b"a\xff", Kind::HostOctet, 1),
            (b"a b\xff", Kind::HostOctet, 1),
        ] {
            let bytes = [b"GET / HTTP/1.1\r\nHost:  ", host, b"\r\n\r\n"].concat();
            let mut lines = Vec::new();
            let refused =
                RequestHead::parse(&bytes, &Limits::default(), &mut lines).expect_err("malformed");
            assert_eq!((refused.kind(), refused.at()), (kind, 23 + at));
            assert_eq!(refused.found(), Some(bytes[23 + at]));
        }
    }
}
