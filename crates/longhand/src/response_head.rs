//! The head of a response, and the framing that follows from its body.
//!
//! Here Content-Length, Transfer-Encoding, Connection and Date are written (RFC 9112 sections 6 and
//! 9.6, RFC 9110 section 6.6.1); but for the 503 of a connection that is not served at all.

use std::ops::Range;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::content::Content;
use crate::link::Link;
use crate::request::Persistence;
use crate::response::{CONTENT_TYPE, Reply};
use crate::wire::{Status, Version, format_date};
use crate::writer::write_field;

/// The end of the last line, and the empty line.
const END: &[u8; 4] = b"\r\n\r\n";

/// What of the request decides how its response is written.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) version: Version,
    /// The request was HEAD: the head of the response, and no body.
    pub(crate) head_only: bool,
    /// What is known before the response: whether the connection may persist.
    pub(crate) persistence: Persistence,
}

/// How a response's body is framed.
#[derive(Clone, Copy)]
pub(crate) enum Delimited {
    Length(u64),
    Chunked,
    /// By the end of the connection: an unknown length to HTTP/1.0.
    Close,
    /// 101, 204 and 304 have no body, and say nothing of its length.
    Never,
}

/// How most responses begin, made once a second: status line, Date, and the name of the third line.
pub(crate) struct DateText {
    lines: [u8; 68],
    until: Instant,
}

/// Where the Date line is among them, and where in it the date.
const DATE_LINE: Range<usize> = 15..52;
const DATE: Range<usize> = 23..52;

impl DateText {
    pub(crate) fn new(now: Instant) -> Self {
        let lines = *b"HTTP/1.1 200 OK\r\nDate: Day, 00 Mon 0000 00:00:00 GMT\r\nContent-Type: ";
        Self { lines, until: now }
    }

    #[inline]
    fn at(&mut self, now: Instant, link: &Link<'_>) -> &[u8; 68] {
        if now >= self.until {
            let since = link.transport.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.lines[DATE].copy_from_slice(&format_date(since.as_secs()));
            self.until =
                now + Duration::from_nanos(u64::from(1_000_000_000 - since.subsec_nanos()));
        }
        &self.lines
    }
}

/// Which framing a response gets (RFC 9112 section 6.3).
pub(crate) fn delimit(asked: Asked, reply: &Reply<'_>) -> Delimited {
    match &reply.content {
        _ if reply.status.never_has_body() => Delimited::Never,
        Content::Bytes(bytes) => Delimited::Length(bytes.len() as u64),
        Content::Reader(_, Some(length)) => Delimited::Length(*length),
        Content::Reader(_, None) | Content::Stream(_) => match asked.version {
            Version::Http11 => Delimited::Chunked,
            Version::Http10 => Delimited::Close,
        },
        Content::Upgrade(_) => Delimited::Never,
    }
}

// ABNF: status-line = HTTP-version SP status-code SP [ reason-phrase ]    (RFC 9112 section 4)
/// Each line starts with the CRLF of the line before, so that CRLF, name and colon are one constant (35
/// instructions less).
#[inline(always)]
pub(crate) fn write_head(
    link: &mut Link<'_>,
    asked: Asked,
    reply: &Reply<'_>,
    delimited: Delimited,
    persistence: Persistence,
    date: &mut DateText,
    now: Instant,
) {
    // A proxy passes on the date of its origin.
    let dated = reply.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"));
    let lines = date.at(now, link);
    let out = &mut link.out;
    match &reply.media_type {
        Some(media_type) if reply.status == Status::OK && !dated => {
            out.extend_from_slice(lines);
            out.extend_from_slice(media_type.as_bytes());
        }
        media_type => {
            write_status_line(out, reply.status);
            out.extend_from_slice(if dated { &[] } else { &lines[DATE_LINE] });
            if let Some(media_type) = media_type {
                write_field(out, CONTENT_TYPE, media_type.as_bytes());
            }
        }
    }
    for (name, value) in &reply.fields {
        write_field(out, name, value.as_bytes());
    }
    let upgrade = reply.upgrade_protocol();
    let connection = connection(upgrade.is_some(), persistence, asked.version);
    match delimited {
        Delimited::Length(length) => {
            write_length(out, length);
            if connection.is_none() {
                return;
            }
            out.truncate(out.len() - END.len());
        }
        Delimited::Chunked => out.extend_from_slice(b"\r\nTransfer-Encoding: chunked"),
        Delimited::Close | Delimited::Never => {}
    }
    if let Some(protocol) = upgrade {
        write_field(out, "Upgrade", protocol.as_bytes());
    }
    if let Some(options) = connection {
        write_field(out, "Connection", options);
    }
    out.extend_from_slice(END);
}

/// The Connection field (RFC 9112 sections 9.3 and 9.6). HTTP/1.0 closes unless both sides say otherwise, and
/// an Upgrade field is always named in it (RFC 9110 section 7.8).
fn connection(upgrade: bool, persistence: Persistence, version: Version) -> Option<&'static [u8]> {
    match (upgrade, persistence, version) {
        (true, Persistence::Close, _) => Some(b"upgrade, close"),
        (true, Persistence::Persist, Version::Http10) => Some(b"upgrade, keep-alive"),
        (true, Persistence::Persist, Version::Http11) => Some(b"upgrade"),
        (false, Persistence::Close, _) => Some(b"close"),
        (false, Persistence::Persist, Version::Http10) => Some(b"keep-alive"),
        (false, Persistence::Persist, Version::Http11) => None,
    }
}

fn write_status_line(out: &mut Vec<u8>, status: Status) {
    let mut line = *b"HTTP/1.1 000 ";
    write_digits(&mut line[9..12], u64::from(status.code()));
    out.extend_from_slice(&line);
    out.extend_from_slice(status.reason().as_bytes());
}

// ABNF: Content-Length = 1*DIGIT                                          (RFC 9110 section 8.6)
/// Writes the length and the end of the head, which mostly follows. So much is copied as may be needed, and
/// cut off again: a copy of a constant size needs no call (40 instructions less).
#[inline(always)]
fn write_length(out: &mut Vec<u8>, length: u64) {
    let mut line = *b"                    \r\n\r\n                    ";
    let count = write_digits(&mut line[..20], length);
    out.extend_from_slice(b"\r\nContent-Length: ");
    if let Some(line) = line[20 - count..].first_chunk::<24>() {
        out.extend_from_slice(line);
    }
    out.truncate(out.len() - 20 + count);
}

/// Writes the decimal digits of `number` at the end of `place`, and gives how many they are.
fn write_digits(place: &mut [u8], mut number: u64) -> usize {
    let mut digits = 0;
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        digits += 1;
        if number == 0 {
            break;
        }
    }
    digits
}
