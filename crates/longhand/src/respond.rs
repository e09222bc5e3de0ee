//! Writing a response: its head, the framing that follows from its body, the body.
//!
//! Here Content-Length, Transfer-Encoding, Connection and Date are written (RFC 9112 sections 6 and
//! 9.6, RFC 9110 section 6.6.1); but for the 503 of a connection that is not served at all.

use std::any::Any;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::content::Content;
use crate::failure::panic_text;
use crate::link::Link;
use crate::request::Persistence;
use crate::response::Reply;
use crate::wire::{Status, Version, format_date};
use crate::writer::{BodyWriter, write_field};

/// How much of a reader is read at once. Fewer, larger writes are what makes files fast: 256 KiB
/// here pass nginx's sendfile, 16 KiB do not (`io::copy` uses 8).
const PIECE: usize = 256 << 10;

/// What of the request decides how its response is written.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) version: Version,
    /// The request was HEAD: the head of the response, and no body.
    pub(crate) head_only: bool,
    /// What is known before the response: whether the connection may persist.
    pub(crate) persistence: Persistence,
}

/// What became of a response.
pub(crate) struct Sent {
    pub(crate) persistence: Persistence,
    /// Data bytes of the body.
    pub(crate) body: u64,
    /// Where it could not be written whole; then nothing more may be written.
    pub(crate) failure: Option<Box<Unsent>>,
}

/// Why a response was not written whole.
pub(crate) struct Unsent {
    pub(crate) error: io::Error,
    /// What the panic of a stream said.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

/// How a response's body is framed.
#[derive(Clone, Copy)]
enum Delimited {
    Length(u64),
    Chunked,
    /// By the end of the connection: an unknown length to HTTP/1.0.
    Close,
    /// 204 and 304 have no body, and say nothing of its length.
    Never,
}

/// The first two lines of most responses, made once a second.
pub(crate) struct DateText {
    lines: [u8; 52],
    until: Option<Instant>,
}

impl DateText {
    pub(crate) fn new() -> Self {
        Self { lines: *b"HTTP/1.1 200 OK\r\nDate: Day, 00 Mon 0000 00:00:00 GMT", until: None }
    }

    #[inline]
    fn at(&mut self, now: Instant, link: &Link<'_>) -> &[u8; 52] {
        if self.until.is_none_or(|until| now >= until) {
            let since = link.transport.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.lines[23..].copy_from_slice(&format_date(since.as_secs()));
            self.until =
                Some(now + Duration::from_nanos(u64::from(1_000_000_000 - since.subsec_nanos())));
        }
        &self.lines
    }
}

/// Writes `reply` to `link`, where it may stay gathered, and takes out of it what makes its body. An
/// upgrade is written by `connection.rs`.
#[inline(always)]
pub(crate) fn respond(
    link: &mut Link<'_>,
    asked: Asked,
    reply: &mut Reply<'_>,
    date: &mut DateText,
    now: Instant,
) -> Sent {
    if reply.status == Status::RESET_CONTENT {
        // It has no content, and says so by its length (RFC 9110 section 15.3.6).
        reply.content = Content::default();
    }
    let delimited = delimit(asked, reply);
    let closes = reply.close || matches!(delimited, Delimited::Close);
    let persistence = if closes { Persistence::Close } else { asked.persistence };
    write_head(link, asked, reply, delimited, persistence, date, now);
    let mut sent = Sent { persistence, body: 0, failure: None };
    let written = match &mut reply.content {
        _ if asked.head_only || matches!(delimited, Delimited::Never) => return sent,
        Content::Bytes(bytes) => {
            sent.body = bytes.len() as u64;
            link.send(bytes).map_err(|error| Unsent { error, panic: None })
        }
        content => write_body(link, std::mem::take(content), delimited, &mut sent.body),
    };
    if let Err(unsent) = written {
        sent.persistence = Persistence::Close;
        sent.failure = Some(Box::new(unsent));
    }
    sent
}

fn delimit(asked: Asked, reply: &Reply<'_>) -> Delimited {
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
/// Each line brings the CRLF of the one before it: so a constant begins it, and what varies is copied
/// once (35 instructions less).
#[inline(always)]
fn write_head(
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
    if reply.status == Status::OK && !dated {
        out.extend_from_slice(lines);
    } else {
        write_status_line(out, reply.status);
        out.extend_from_slice(if dated { &[] } else { &lines[15..] });
    }
    if let Some(media_type) = &reply.media_type {
        out.extend_from_slice(b"\r\nContent-Type: ");
        out.extend_from_slice(media_type.as_bytes());
    }
    for (name, value) in &reply.fields {
        write_field(out, name, value.as_bytes());
    }
    match delimited {
        Delimited::Length(length) => write_length(out, length),
        Delimited::Chunked => out.extend_from_slice(b"\r\nTransfer-Encoding: chunked"),
        Delimited::Close | Delimited::Never => {}
    }
    let upgrade = reply.upgrade_protocol();
    if let Some(protocol) = upgrade {
        write_field(out, "Upgrade", protocol.as_bytes());
    }
    if let Some(options) = connection(upgrade.is_some(), persistence, asked.version) {
        write_field(out, "Connection", options);
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// The Connection field (RFC 9112 section 9.6). HTTP/1.0 closes unless both sides say otherwise, and
/// an Upgrade field is always named in it (RFC 9110 section 7.8).
fn connection(upgrade: bool, persistence: Persistence, version: Version) -> Option<&'static [u8]> {
    match (upgrade, persistence, version) {
        (true, Persistence::Close, _) => Some(b"upgrade, close"),
        (true, Persistence::Persist, _) => Some(b"upgrade"),
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
#[inline(always)]
fn write_length(out: &mut Vec<u8>, length: u64) {
    let mut digits = [0; 20];
    let count = write_digits(&mut digits, length);
    out.extend_from_slice(b"\r\nContent-Length: ");
    out.extend_from_slice(&digits[digits.len() - count..]);
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

/// Writes a body that is made by the program's own code, which may panic.
#[inline(never)]
fn write_body(
    link: &mut Link<'_>,
    content: Content<'_>,
    delimited: Delimited,
    sent: &mut u64,
) -> Result<(), Unsent> {
    let written = catch_unwind(AssertUnwindSafe(|| match content {
        Content::Reader(source, _) => match delimited {
            Delimited::Length(length) => copy_known(link, source, length, sent),
            _ => write_stream(link, delimited, sent, |out| copy_unknown(source, out)),
        },
        Content::Stream(write) => write_stream(link, delimited, sent, write),
        Content::Bytes(_) | Content::Upgrade(_) => Ok(()),
    }));
    match written {
        Ok(written) => written.map_err(|error| Unsent { error, panic: None }),
        Err(panic) => {
            let told = format!("the response's stream panicked: {}", panic_text(&*panic));
            Err(Unsent { error: io::Error::other(told), panic: Some(panic) })
        }
    }
}

/// Copies exactly `length` bytes. A source that ends before cuts the connection: the peer can tell.
fn copy_known(
    link: &mut Link<'_>,
    mut source: Box<dyn Read + '_>,
    length: u64,
    sent: &mut u64,
) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(PIECE)];
    while *sent < length {
        let most = usize::try_from(length - *sent).unwrap_or(usize::MAX).min(buffer.len());
        match source.read(&mut buffer[..most]) {
            Ok(0) => {
                let why = "the source ended before its length";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
            Ok(count) => {
                link.send(&buffer[..count])?;
                *sent += count as u64;
                // A source that gives less than it may is going to wait: what there is goes out first.
                if count < most {
                    link.flush()?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Copies to the end of the source, what each read gives as it comes.
fn copy_unknown(mut source: Box<dyn Read + '_>, out: &mut BodyWriter<'_>) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                io::Write::write_all(out, &buffer[..count])?;
                io::Write::flush(out)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn write_stream(
    link: &mut Link<'_>,
    delimited: Delimited,
    sent: &mut u64,
    write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BodyWriter::new(link, matches!(delimited, Delimited::Chunked));
    let written = write(&mut out);
    *sent = out.sent();
    written?;
    *sent = out.finish()?;
    Ok(())
}
