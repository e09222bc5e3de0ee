//! A representation, answered as the request asks for it: whole, in parts, or not at all.
//!
//! What enters is a representation (bytes in memory, or a source that can be read from any place)
//! with its validators, and a request; what leaves is one of 200, 206, 304, 412 and 416, with the
//! fields that each must have (RFC 9110 sections 13 to 15). It is the same engine for a file on disk,
//! for bytes inside the program, and for what a handler makes.
//!
//! ```
//! # use longhand::{Limits, Request, serve_connection, transport::Scripted};
//! use longhand_kit::{content::Content, etag::ETag};
//!
//! const LOGO: &[u8] = b"\x89PNG, in truth include_bytes!";
//! let tag = ETag::of_bytes(LOGO); // once
//! let logo = |request: &mut Request<'_>| {
//!     Content::bytes("image/png", LOGO).etag(tag.clone()).answer(request)
//! };
//!
//! let mut client = Scripted::new()
//!     .send("GET /logo HTTP/1.1\r\nHost: x\r\nRange: bytes=1-3\r\n\r\n")
//!     .end();
//! serve_connection(&mut client, &Limits::default(), logo);
//! let answer = client.output_text();
//! assert!(answer.starts_with("HTTP/1.1 206 ") && answer.ends_with("\r\n\r\nPNG"));
//! assert!(answer.contains("\r\nContent-Range: bytes 1-3/29\r\n"));
//! ```
//!
//! Two choices that the RFC leaves open: a 206 to an If-Range has all the fields of the 200, since
//! clients differ in what they kept; and a Range that lies outside of an unchanged representation is
//! a 416 with If-Range as it is without, since a 200 would send again what the client has.
//!
//! Several parts of a representation that has a Content-Encoding are not sent, but all of it: in a
//! multipart body that field would seem to be about the multipart.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::time::SystemTime;

use longhand::{FieldValue, IntoResponse, Reply, Request, Status};

use crate::byteranges::{ByteRanges, Stored};
use crate::conditional::{
    REPRESENTATION, Validators, Verdict, precondition_failed, single, without_representation,
};
use crate::etag::ETag;
use crate::range::{ByteRange, Selection, select};

/// A representation on its way to be an answer.
#[must_use = "a representation is nothing until it answers a request"]
pub struct Content<'s> {
    media_type: FieldValue,
    source: Source<'s>,
    length: u64,
    validators: Validators,
    fields: Vec<(Cow<'static, str>, FieldValue)>,
}

/// Where the bytes are.
enum Source<'s> {
    Bytes(Cow<'s, [u8]>),
    Stored(Box<dyn Stored + 's>),
}

impl<'s> Content<'s> {
    /// Bytes in memory: owned, static, or borrowed for as long as the server runs.
    pub fn bytes(media_type: impl Into<FieldValue>, bytes: impl Into<Cow<'s, [u8]>>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        Self::new(media_type.into(), Source::Bytes(bytes), length)
    }

    /// The first `length` bytes of a source, from its start. It is read while it is sent: one that
    /// ends before cuts the connection, and what has grown behind is not sent.
    ///
    /// ```
    /// # use longhand::{Reply, Request};
    /// # use longhand_kit::content::Content;
    /// fn recording(request: &mut Request<'_>) -> Reply<'static> {
    ///     let recording = std::io::Cursor::new([7; 1000]); // or anything that reads and seeks
    ///     Content::source("audio/ogg", recording, 1000).modified(request.wall()).answer(request)
    /// }
    /// ```
    pub fn source(
        media_type: impl Into<FieldValue>,
        source: impl Read + Seek + 's,
        length: u64,
    ) -> Self {
        Self::new(media_type.into(), Source::Stored(Box::new(source)), length)
    }

    /// A file, with its length, its time of modification, and a tag made of the two, which is
    /// [weak](ETag::of_file) while the file is younger than a second. `now` is
    /// [`Request::wall`](longhand::Request::wall).
    ///
    /// # Errors
    /// If the system tells nothing about it, or it is no regular file.
    pub fn file(
        media_type: impl Into<FieldValue>,
        file: File,
        now: SystemTime,
    ) -> io::Result<Self> {
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a regular file"));
        }
        let mut content = Self::source(media_type, file, facts.len());
        if let Some(tag) = ETag::of_file(&facts, now) {
            content = content.etag(tag);
        }
        if let Ok(modified) = facts.modified() {
            content = content.modified(modified);
        }
        Ok(content)
    }

    fn new(media_type: FieldValue, source: Source<'s>, length: u64) -> Self {
        Self { media_type, source, length, validators: Validators::new(), fields: Vec::new() }
    }

    /// The same with this tag.
    pub fn etag(mut self, tag: ETag) -> Self {
        self.validators = self.validators.etag(tag);
        self
    }

    /// The same, last modified then.
    pub fn modified(mut self, time: SystemTime) -> Self {
        self.validators = self.validators.modified(time);
        self
    }

    /// The same with this field in its 200 and 206: Cache-Control, Vary, Content-Encoding. A 304 has
    /// it too, but for those that describe the bytes, and so have 412 and 416, but for those and for
    /// what would let them be stored.
    ///
    /// A name that no response can have makes [`answer`](Self::answer) panic, as
    /// [`Reply::field`] does.
    pub fn field(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<FieldValue>,
    ) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The answer to a request: 200, 206, 304, 412 or 416, and 500 where the source fails.
    ///
    /// It is for GET and HEAD; that other methods are refused is for the caller to see to.
    ///
    /// # Panics
    /// At a [`field`](Self::field) whose name no response can have.
    pub fn answer(self, request: &Request<'_>) -> Reply<'s> {
        match self.validators.evaluate(request) {
            Verdict::Failed => self.refuse(precondition_failed()),
            Verdict::NotModified => {
                without_representation(self.finish(Reply::new(Status::NOT_MODIFIED), request))
            }
            Verdict::Proceed => match self.selection(request) {
                Selection::Whole => self.whole(request),
                Selection::Unsatisfiable => self.unsatisfiable(),
                Selection::Parts(parts) => match parts[..] {
                    [part] => self.part(part, request),
                    _ => self.parts(parts, request),
                },
            },
        }
    }

    /// GET is the one method that ranges are defined for (RFC 9110 section 14.2).
    fn selection(&self, request: &Request<'_>) -> Selection {
        let Some(range) = single(request, "Range").filter(|_| request.method() == "GET") else {
            return Selection::Whole;
        };
        if !self.validators.range_counts(request) {
            return Selection::Whole;
        }
        match select(range, self.length) {
            Selection::Parts(parts) if parts.len() > 1 && self.is_encoded() => Selection::Whole,
            selection => selection,
        }
    }

    fn is_encoded(&self) -> bool {
        self.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Encoding"))
    }

    fn whole(mut self, request: &Request<'_>) -> Reply<'s> {
        let source = std::mem::replace(&mut self.source, Source::Bytes(Cow::Borrowed(&[])));
        let reply = match source {
            Source::Bytes(bytes) => Reply::bytes(self.media_type.clone(), bytes),
            Source::Stored(mut stored) => match stored.seek(SeekFrom::Start(0)) {
                Ok(_) => Reply::reader(self.media_type.clone(), stored, Some(self.length)),
                Err(error) => return error.into_response(),
            },
        };
        self.finish(reply, request)
    }

    fn part(mut self, part: ByteRange, request: &Request<'_>) -> Reply<'s> {
        let length = self.length;
        let mut stored = self.take_stored();
        if let Err(error) = stored.seek(SeekFrom::Start(part.first())) {
            return error.into_response();
        }
        let reply = Reply::reader(self.media_type.clone(), stored, Some(part.len()))
            .status(Status::PARTIAL_CONTENT)
            .field("Content-Range", text(part.content_range(length)));
        self.finish(reply, request)
    }

    fn parts(mut self, parts: Vec<ByteRange>, request: &Request<'_>) -> Reply<'s> {
        let stored = self.take_stored();
        let body = ByteRanges::new(stored, &parts, &self.media_type, self.length);
        let (media_type, length) = (text(body.media_type()), body.length());
        let reply = Reply::reader(media_type, body, length).status(Status::PARTIAL_CONTENT);
        self.finish(reply, request)
    }

    fn take_stored(&mut self) -> Box<dyn Stored + 's> {
        match std::mem::replace(&mut self.source, Source::Bytes(Cow::Borrowed(&[]))) {
            Source::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Source::Stored(stored) => stored,
        }
    }

    fn unsatisfiable(self) -> Reply<'s> {
        let reply = Status::RANGE_NOT_SATISFIABLE.into_response();
        let unsatisfied = text(format!("bytes */{}", self.length));
        self.refuse(reply.field("Content-Range", unsatisfied))
    }

    /// The fields of an answer that has the representation, or stands for it.
    fn finish(self, reply: Reply<'s>, request: &Request<'_>) -> Reply<'s> {
        let reply = self.validators.describe(reply, request).field("Accept-Ranges", "bytes");
        self.fields.into_iter().fold(reply, |reply, (name, value)| reply.field(name, value))
    }

    /// The fields of an answer that is not about the representation.
    fn refuse(self, reply: Reply<'s>) -> Reply<'s> {
        let is_about_it = |name: &str| {
            let mut names = REPRESENTATION.iter().chain(&STORING);
            names.any(|other| other.eq_ignore_ascii_case(name))
        };
        let fields = self.fields.into_iter().filter(|(name, _)| !is_about_it(name));
        fields.fold(reply, |reply, (name, value)| reply.field(name, value))
    }
}

/// The fields that let an answer be stored, or name what is stored.
const STORING: [&str; 3] = ["Cache-Control", "Content-Location", "Expires"];

fn text(value: String) -> FieldValue {
    FieldValue::new(value).expect("visible characters and blanks")
}
