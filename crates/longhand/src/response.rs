//! A response: a value that a handler returns, of which nothing is sent before.
//!
//! So it can be looked at and changed on its way, nothing is forgotten and nothing is sent twice.
//! Which framing it gets follows from what its body is made of (RFC 9112 section 6.3), and is
//! written by `response_head.rs`.

use std::borrow::Cow;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};

use crate::content::Content;
use crate::value::FieldValue;
use crate::wire::grammar::{is_target, is_token};
use crate::wire::{Status, shown};
use crate::writer::{BodyWriter, Upgraded};

pub(crate) const CONTENT_TYPE: &str = "Content-Type";

const TEXT: FieldValue = FieldValue::literal("text/plain; charset=utf-8");
const HTML: FieldValue = FieldValue::literal("text/html; charset=utf-8");
const JSON: FieldValue = FieldValue::literal("application/json");

/// A response that borrows nothing.
pub type Response = Reply<'static>;

/// A response whose body may borrow what the handler borrows, for `'s`.
///
/// ```
/// use longhand::{Response, Status};
///
/// let response = Response::text("no such page\n").status(Status::NOT_FOUND).field("cache-control", "no-store");
/// assert_eq!(response.field_value("Cache-Control").unwrap().as_bytes(), b"no-store");
/// ```
#[must_use = "a response does nothing until a handler returns it"]
pub struct Reply<'s> {
    pub(crate) status: Status,
    /// The Content-Type, which nearly all have. Many have no other field, and need no list then.
    pub(crate) media_type: Option<FieldValue>,
    pub(crate) fields: Vec<(Cow<'static, str>, FieldValue)>,
    pub(crate) content: Content<'s>,
    pub(crate) close: bool,
    pub(crate) rare: Option<Box<Rare>>,
}

/// What few responses have. It lies apart, because a response is moved several times on its way.
#[derive(Default)]
pub(crate) struct Rare {
    /// The protocol that an Upgrade field names: of a 101, or of a 426.
    pub(crate) upgrade: Option<&'static str>,
    /// What is behind it, for the observer alone.
    pub(crate) cause: Option<Box<dyn Error + Send + Sync>>,
}

impl<'s> Reply<'s> {
    /// A response without a body.
    ///
    /// # Panics
    /// If `status` is an interim one (1xx): those are sent by the server itself.
    #[track_caller]
    pub fn new(status: Status) -> Self {
        Self::with(final_status(status), None, Content::default())
    }

    fn of(media_type: impl Into<FieldValue>, content: Content<'s>) -> Self {
        Self::with(Status::OK, Some(media_type.into()), content)
    }

    fn with(status: Status, media_type: Option<FieldValue>, content: Content<'s>) -> Self {
        let fields = Vec::new();
        Self { status, media_type, fields, content, close: false, rare: None }
    }

    /// 200 with text, in UTF-8.
    pub fn text(text: impl Into<Cow<'s, str>>) -> Self {
        Self::bytes(TEXT, into_bytes(text.into()))
    }

    /// 200 with an HTML page, in UTF-8. What comes from outside must be escaped in it.
    pub fn html(page: impl Into<Cow<'s, str>>) -> Self {
        Self::bytes(HTML, into_bytes(page.into()))
    }

    /// 200 with JSON that the program has made, by `serde_json` for one; it is not checked.
    pub fn json(json: impl Into<Cow<'s, str>>) -> Self {
        Self::bytes(JSON, into_bytes(json.into()))
    }

    /// 200 with bytes: owned, static, or borrowed for as long as the server runs.
    pub fn bytes(media_type: impl Into<FieldValue>, bytes: impl Into<Cow<'s, [u8]>>) -> Self {
        Self::of(media_type, Content::Bytes(bytes.into()))
    }

    /// 200 with what `source` gives. With a `length`, so many bytes are sent, and a source that ends
    /// before cuts the connection; without one, the body is chunked.
    pub fn reader(
        media_type: impl Into<FieldValue>,
        source: impl Read + 's,
        length: Option<u64>,
    ) -> Self {
        Self::of(media_type, Content::Reader(Box::new(source), length))
    }

    /// 200 with the rest of a file, from its cursor to the end that it has now. A Range is not looked at.
    ///
    /// # Errors
    /// If its length or place cannot be told, or it is no regular file: a directory or a pipe has no
    /// length.
    pub fn file(media_type: impl Into<FieldValue>, mut file: File) -> io::Result<Self> {
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a regular file"));
        }
        let length = facts.len().saturating_sub(io::Seek::stream_position(&mut file)?);
        Ok(Self::reader(media_type, file, Some(length)))
    }

    /// 200 with what `write` writes, as it writes it. It runs after the head is ready, on the
    /// connection's thread. `Ok` ends the body; `Err` cuts the connection, so that the peer can tell. That a
    /// client is gone shows when something is written: a stream that may be silent for long writes now and
    /// then, of events a line `:`.
    ///
    /// ```
    /// # use std::io::Write;
    /// # use longhand::Response;
    /// // Server-sent events: each flush is an event on its way.
    /// let events = Response::stream("text/event-stream", |out| {
    ///     for n in 1..=3 {
    ///         write!(out, "data: {n}\n\n")?;
    ///         out.flush()?;
    ///     }
    ///     Ok(())
    /// });
    /// ```
    pub fn stream(
        media_type: impl Into<FieldValue>,
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()> + 's,
    ) -> Self {
        Self::of(media_type, Content::Stream(Box::new(write)))
    }

    /// 303 to `location`: what answers a POST, so that a reload does not post again. Give another
    /// [`status`](Self::status) for another redirection. Bytes that no URI holds are
    /// percent-encoded; whether the place is one to send people to is the program's to know.
    pub fn redirect(location: &str) -> Self {
        let mut encoded = Vec::with_capacity(location.len());
        for octet in location.bytes() {
            match octet {
                b'#' => encoded.push(octet),
                // Servers take these in a target, but no URI has them; to browsers \ is a slash.
                _ if is_target(octet) && !b"\\^`{|}".contains(&octet) => encoded.push(octet),
                _ => encoded.extend_from_slice(format!("%{octet:02X}").as_bytes()),
            }
        }
        let mut reply = Self::new(Status::SEE_OTHER);
        if let Ok(location) = FieldValue::new(encoded) {
            reply.fields.push((Cow::Borrowed("Location"), location));
        }
        reply
    }

    /// 101, after which `takeover` has the connection to itself, on its own thread, for `protocol`.
    /// When it returns, the connection is closed; an error is one of the connection's.
    /// A request that did not ask for that protocol is answered 426 (RFC 9110 section 7.8).
    ///
    /// # Panics
    /// If `protocol` is neither one token nor two with a slash between, a name and a version.
    #[track_caller]
    pub fn upgrade(
        protocol: &'static str,
        takeover: impl FnOnce(Upgraded<'_>) -> io::Result<()> + 's,
    ) -> Self {
        let mut tokens = protocol.splitn(2, '/');
        let is_protocol = tokens.all(|token| is_token(token.as_bytes()));
        assert!(is_protocol, "protocol {protocol:?}: expected NAME or NAME/VERSION in tokens");
        let content = Content::Upgrade(Some(Box::new(takeover)));
        let mut reply = Self::with(Status::SWITCHING_PROTOCOLS, None, content);
        reply.rare().upgrade = Some(protocol);
        reply
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn upgrade_protocol(&self) -> Option<&'static str> {
        self.rare.as_ref()?.upgrade
    }

    /// Its field lines, without those that the server adds.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        let media_type = self.media_type.iter().map(|value| (CONTENT_TYPE, value));
        media_type.chain(self.fields.iter().map(|(name, value)| (&**name, value)))
    }

    /// Its body, if that is bytes already: not read, not streamed.
    #[must_use]
    pub fn body_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Its status.
    #[must_use]
    pub fn status_code(&self) -> Status {
        self.status
    }

    /// The value of its first field line of this name, in any case.
    #[must_use]
    pub fn field_value(&self, name: &str) -> Option<&FieldValue> {
        self.fields().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

#[track_caller]
pub(crate) fn final_status(status: Status) -> Status {
    assert!(!status.is_interim(), "status {status}: expected a final status, 200 to 599");
    status
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Without the values of cookies: what `Debug` shows ends in logs.
impl std::fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields = self.fields().map(|(name, value)| (name, shown(name, value.as_bytes())));
        let content = match &self.content {
            Content::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Content::Reader(_, length) => format!("reader of {length:?}"),
            Content::Stream(_) => "stream".to_owned(),
            Content::Upgrade(_) => format!("upgrade to {:?}", self.upgrade_protocol()),
        };
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("fields", &fields.collect::<Vec<_>>())
            .field("content", &content)
            .field("close", &self.close)
            .finish()
    }
}
