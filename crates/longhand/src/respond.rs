//! Writing a response: its head, and its body in the framing that the head has announced.
//!
//! A reply enters, and what of the request decides with; what leaves is whether all of it was written
//! (RFC 9112 section 6).

use std::any::Any;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::content::Content;
use crate::failure::panic_text;
use crate::link::Link;
use crate::request::Persistence;
use crate::response::Reply;
use crate::response_head::{Asked, DateText, Delimited, delimit, write_head};
use crate::wire::Status;
use crate::writer::BodyWriter;

/// How much of a reader is read at once. Fewer, larger writes are what makes files fast: 256 KiB make 1.5
/// times the requests that 16 make (`io::copy` uses 8).
const PIECE: usize = 256 << 10;

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

/// Writes `reply` to `link`, where it may stay gathered, and takes out of it what makes its body. After an
/// upgrade's head `connection.rs` hands the connection over.
#[inline(always)]
pub(crate) fn respond(
    link: &mut Link<'_>,
    asked: Asked,
    reply: &mut Reply<'_>,
    date: &mut DateText,
    now: Instant,
) -> Sent {
    if reply.status == Status::RESET_CONTENT {
        // It has no content (RFC 9110 section 15.3.6), which its length says (RFC 9112 section 6.3).
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
            link.send(bytes, &mut sent.body).map_err(|error| Unsent { error, panic: None })
        }
        content => write_body(link, std::mem::take(content), delimited, &mut sent.body),
    };
    if let Err(unsent) = written {
        sent.persistence = Persistence::Close;
        sent.failure = Some(Box::new(unsent));
    }
    sent
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
                link.send(&buffer[..count], sent)?;
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
