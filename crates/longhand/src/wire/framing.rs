//! Where a body ends: RFC 9112 section 6.3 as one function each way.
//!
//! A parsed head enters; out comes how its body is delimited. No other file reads Content-Length or
//! Transfer-Encoding, so there is no second opinion about where a message ends.

use super::fields::Fields;
use super::head::{RequestHead, ResponseHead, Version};
use super::rules::Kind;
use super::violation::Violation;

/// How a body is delimited. "Both at once" has no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, the last of size zero, and trailers.
    Chunked,
}

impl Framing {
    /// How the body of a request is delimited.
    ///
    /// # Errors
    /// Lengths that are no number or differ, a length beside a transfer coding, a transfer coding
    /// other than `chunked`, or on HTTP/1.0. Each points at the field line at fault.
    pub fn of_request(head: &RequestHead<'_>) -> Result<Self, Violation> {
        Ok(declared(head.version, head.fields)?.unwrap_or(Self::None))
    }

    /// How the body of a response to a request of this `method` is delimited; `None` where it runs
    /// until the connection closes.
    ///
    /// # Errors
    /// As for a request.
    pub fn of_response(head: &ResponseHead<'_>, method: &str) -> Result<Option<Self>, Violation> {
        let tunnel = method == "CONNECT" && (200..300).contains(&head.status.code());
        if method == "HEAD" || head.status.never_has_body() || tunnel {
            return Ok(Some(Self::None));
        }
        declared(head.version, head.fields)
    }
}

/// What the fields say; `None` where they say nothing.
fn declared(version: Version, fields: Fields<'_>) -> Result<Option<Framing>, Violation> {
    if !fields.may_have(&["content-length", "transfer-encoding"]) {
        return Ok(None);
    }
    let length = content_length(fields)?;
    let Some((line, _)) = fields.named("transfer-encoding").next() else {
        return Ok(length.map(Framing::Length));
    };
    if length.is_some() {
        return Err(Violation::new(Kind::LengthAndCoding, line, None));
    }
    if version == Version::Http10 {
        return Err(Violation::new(Kind::CodingVersion, line, None));
    }
    only_chunked(fields, line).map(Some)
}

// ABNF: Content-Length = 1*DIGIT                                          (RFC 9110 section 8.6)
/// The one length. The same number sent several times counts once, as the section allows.
fn content_length(fields: Fields<'_>) -> Result<Option<u64>, Violation> {
    let mut agreed = None;
    for (line, value) in fields.named("content-length") {
        for element in value.split(|&octet| octet == b',') {
            let length = number(super::grammar::trim_blanks(element))
                .map_err(|kind| Violation::new(kind, line, None))?;
            if agreed.is_some_and(|agreed| agreed != length) {
                return Err(Violation::new(Kind::LengthsDiffer, line, None));
            }
            agreed = Some(length);
        }
    }
    Ok(agreed)
}

/// Digits alone: `str::parse` would take a plus sign.
fn number(digits: &[u8]) -> Result<u64, Kind> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Kind::LengthDigits);
    }
    digits
        .iter()
        .try_fold(0u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .ok_or(Kind::LengthTooLarge)
}

// ABNF: Transfer-Encoding = #transfer-coding                              (RFC 9112 section 6.1)
/// `chunked`, once and alone. Another coding would have to be undone, which nobody asks of a server.
fn only_chunked(fields: Fields<'_>, line: usize) -> Result<Framing, Violation> {
    let mut codings = fields.list("transfer-encoding");
    let first = codings.next().unwrap_or_default();
    let mut kind = Kind::CodingMalformed;
    if first.eq_ignore_ascii_case(b"chunked") {
        if codings.next().is_none() {
            return Ok(Framing::Chunked);
        }
    } else if super::grammar::is_token(first) {
        kind = Kind::CodingUnknown;
    }
    Err(Violation::new(kind, line, None))
}
