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
//! Where the RFC leaves a choice:
//!
//! - A Range beyond the end of a representation that If-Range found unchanged is answered by 416, as
//!   section 14.2 says and other servers do. By section 13.2.2 it could be a 200; but the client has
//!   all of it already.
//! - A 206 to an If-Range has all the fields of the 200, against the advice of section 15.3.7:
//!   clients differ in what they kept.
//! - Where several parts are asked for of a representation that has a Content-Encoding, all of it is
//!   sent: in the head of a multipart, that field would seem to be about the multipart.

use std::borrow::Cow;
use std::io::{Cursor, Read, Seek, SeekFrom};
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

    /// The first `length` bytes of a source, from its start. It is read while it is sent: where it ends
    /// earlier, the connection is cut, because the length was said already. What has been added to its
    /// end is not sent.
    ///
    /// ```
    /// # use longhand::{Limits, Reply, Request, serve_connection, transport::Scripted};
    /// # use longhand_kit::content::Content;
    /// fn recording(request: &mut Request<'_>) -> Reply<'static> {
    ///     let recording = std::io::Cursor::new(b"OggS..."); // or anything that reads and seeks
    ///     Content::source("audio/ogg", recording, 7).modified(request.wall()).answer(request)
    /// }
    /// let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// serve_connection(&mut client, &Limits::default(), recording);
    /// assert!(client.output_text().contains("\r\nLast-Modified: "));
    /// assert!(client.output_text().ends_with("\r\n\r\nOggS..."));
    /// ```
    pub fn source(
        media_type: impl Into<FieldValue>,
        source: impl Read + Seek + 's,
        length: u64,
    ) -> Self {
        Self::new(media_type.into(), Source::Stored(Box::new(source)), length)
    }

    fn new(media_type: FieldValue, source: Source<'s>, length: u64) -> Self {
        Self { media_type, source, length, validators: Validators::new(), fields: Vec::new() }
    }

    /// The same with this tag, which names its version.
    pub fn etag(mut self, tag: ETag) -> Self {
        self.validators = self.validators.etag(tag);
        self
    }

    /// The same, last modified then; see [`Validators::modified`].
    pub fn modified(mut self, time: SystemTime) -> Self {
        self.validators = self.validators.modified(time);
        self
    }

    /// The same with this field. Which answers have it depends on what it is about:
    ///
    /// | answer | the bytes: Content-Disposition, -Encoding, -Language | storing: Cache-Control, Content-Location, Expires | any other, such as Vary |
    /// | --- | --- | --- | --- |
    /// | 200, 206 | yes | yes | yes |
    /// | 304 | no | yes | yes |
    /// | 412, 416 | no | no | yes |
    ///
    /// A name that no response can have makes [`answer`](Self::answer) panic, as
    /// [`Reply::field`] does.
    ///
    /// ```
    /// # use longhand::{Limits, Request, serve_connection, transport::Scripted};
    /// # use longhand_kit::content::Content;
    /// let page = |request: &mut Request<'_>| {
    ///     let page = Content::bytes("text/plain", &b"Hallo"[..]).field("Content-Language", "de");
    ///     page.field("Vary", "Accept-Language").answer(request)
    /// };
    /// let mut client = Scripted::new()
    ///     .send("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=9-\r\n\r\n")
    ///     .end();
    /// serve_connection(&mut client, &Limits::default(), page);
    /// let answer = client.output_text();
    /// assert!(answer.starts_with("HTTP/1.1 416 ") && answer.contains("\r\nVary: Accept-Language\r\n"));
    /// assert!(!answer.contains("Content-Language"));
    /// ```
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
    /// It is for GET and HEAD. The caller refuses the other methods.
    ///
    /// # Panics
    /// If the name of a [`field`](Self::field) is one that no response can have.
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

/// A 412 or 416 is not to be stored by the rules of the representation, nor under its name.
const STORING: [&str; 3] = ["Cache-Control", "Content-Location", "Expires"];

fn text(value: String) -> FieldValue {
    FieldValue::new(value).expect("visible characters and blanks")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::{Duration, UNIX_EPOCH};

    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};

    use super::*;

    /// What a scripted peer's clock says.
    const NOW: u64 = 784_111_777;

    const TEXT: &[u8] = b"0123456789abcdefghij";

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// An answer: its status, its field lines, its body.
    struct Answer {
        status: u16,
        fields: Vec<(String, String)>,
        body: Vec<u8>,
    }

    impl Answer {
        fn field(&self, name: &str) -> Option<&str> {
            let mut values = self.fields.iter().filter(|(other, _)| other == name);
            let value = values.next().map(|(_, value)| value.as_str());
            assert!(values.next().is_none(), "{name} stands twice");
            value
        }

        fn names(&self) -> Vec<&str> {
            self.fields.iter().map(|(name, _)| name.as_str()).collect()
        }
    }

    fn ask<'s>(request: &str, content: impl Fn() -> Content<'s>) -> Answer {
        let mut client = Scripted::new().send(request).end();
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            content().answer(request)
        });
        let bytes = client.output();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let (status_line, fields) = head.split_once("\r\n").unwrap();
        let field = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_owned(), v.to_owned()));
        Answer {
            status: status_line[9..12].parse().unwrap(),
            fields: fields.split("\r\n").map(|line| field(line).unwrap()).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    fn get(fields: &str) -> String {
        format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")
    }

    fn known(content: Content<'_>) -> Content<'_> {
        content
            .etag(ETag::new("v").unwrap())
            .modified(at(NOW - 9))
            .field("Cache-Control", "no-cache")
    }

    /// The same twenty bytes out of memory and out of a source that gives few at a time.
    fn both() -> [fn() -> Content<'static>; 2] {
        [
            || known(Content::bytes("text/plain", TEXT)),
            || known(Content::source("text/plain", Few(Cursor::new(TEXT)), 20)),
        ]
    }

    /// A source whose reads give at most three bytes.
    struct Few(Cursor<&'static [u8]>);

    impl Read for Few {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(3);
            self.0.read(&mut into[..most])
        }
    }

    impl Seek for Few {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn the_whole_is_a_200_with_all_that_is_known() {
        for content in both() {
            let answer = ask(&get("Accept: */*"), content);
            assert_eq!((answer.status, &answer.body[..]), (200, TEXT));
            assert_eq!(
                answer.names(),
                [
                    "Date",
                    "Content-Type",
                    "ETag",
                    "Last-Modified",
                    "Accept-Ranges",
                    "Cache-Control",
                    "Content-Length",
                ]
            );
            assert_eq!(answer.field("Last-Modified"), Some("Sun, 06 Nov 1994 08:49:28 GMT"));
        }
    }

    #[test]
    fn one_part_is_a_206_with_its_place() {
        for content in both() {
            for (range, place, body) in [
                ("bytes=0-0", "bytes 0-0/20", "0"),
                ("bytes=2-11", "bytes 2-11/20", "23456789ab"),
                ("bytes=15-", "bytes 15-19/20", "fghij"),
                ("bytes=-3", "bytes 17-19/20", "hij"),
                ("bytes=0-99", "bytes 0-19/20", "0123456789abcdefghij"),
                ("bytes=50-60,4-5", "bytes 4-5/20", "45"),
            ] {
                let answer = ask(&get(&format!("Range: {range}")), content);
                assert_eq!(answer.status, 206, "{range}");
                assert_eq!(answer.field("Content-Range"), Some(place));
                assert_eq!(answer.field("Content-Type"), Some("text/plain"));
                assert_eq!(answer.field("ETag"), Some("\"v\""));
                assert_eq!(answer.field("Cache-Control"), Some("no-cache"));
                assert_eq!(answer.field("Content-Length"), Some(&*body.len().to_string()));
                assert_eq!(answer.body, body.as_bytes());
            }
        }
    }

    #[test]
    fn several_parts_are_a_multipart_whose_length_is_known() {
        for content in both() {
            let answer = ask(&get("Range: bytes=5-8, 0-0, -2"), content);
            assert_eq!((answer.status, answer.field("Content-Range")), (206, None));
            let media_type = answer.field("Content-Type").unwrap();
            let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
            assert_eq!(boundary.len(), 32);
            assert!(boundary.bytes().all(|octet| octet.is_ascii_hexdigit()));
            let part = |place, bytes| {
                format!(
                    "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {place}/20\r\n\r\n{bytes}\r\n"
                )
            };
            let expected =
                [part("5-8", "5678"), part("0-0", "0"), part("18-19", "ij")].concat() + "--";
            let body = String::from_utf8(answer.body.clone()).unwrap();
            assert_eq!(body, format!("{expected}{boundary}--\r\n"));
            assert_eq!(answer.field("Content-Length"), Some(&*body.len().to_string()));
            let other = ask(&get("Range: bytes=5-8, 0-0, -2"), content);
            assert_ne!(other.field("Content-Type"), Some(media_type), "nobody can guess it");
        }
    }

    #[test]
    fn a_multipart_goes_on_behind_pieces_larger_than_a_buffer() {
        let large: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let content = || Content::source("video/webm", Cursor::new(&large), 700_000);
        let answer = ask(&get("Range: bytes=1-300000,400000-699999"), content);
        let (first, second) = (&large[1..=300_000], &large[400_000..]);
        let found = |part: &[u8]| answer.body.windows(part.len()).any(|window| window == part);
        assert!(found(first) && found(second));
        assert_eq!(answer.field("Content-Length"), Some(&*answer.body.len().to_string()));
    }

    #[test]
    fn ranges_that_no_byte_is_in_are_a_416_that_says_how_long_it_is() {
        for content in both() {
            let answer = ask(&get("Range: bytes=20-"), content);
            assert_eq!((answer.status, answer.field("Content-Range")), (416, Some("bytes */20")));
            assert_eq!(
                answer.names(),
                ["Date", "Content-Type", "Content-Range", "Content-Length"],
                "nothing of the representation, and nothing that lets it be stored"
            );
        }
    }

    #[test]
    fn a_range_is_ignored_where_it_does_not_count() {
        for content in both() {
            for fields in [
                "Range: bytes=2-1",
                "Range: lines=1-2",
                "Range: bytes=0-1\r\nRange: bytes=2-3",
                "Range: bytes=0-5,3-9",
                "Range: bytes=0-5\r\nIf-Range: \"other\"",
                "Range: bytes=0-5\r\nIf-Range: W/\"v\"",
                "Range: bytes=90-\r\nIf-Range: \"other\"",
                "Range: bytes=0-5\r\nIf-Range: Sun, 06 Nov 1994 08:49:29 GMT",
                "If-Range: \"v\"",
            ] {
                let answer = ask(&get(fields), content);
                assert_eq!((answer.status, &answer.body[..]), (200, TEXT), "{fields}");
            }
            for fields in ["If-Range: \"v\"", "If-Range: Sun, 06 Nov 1994 08:49:28 GMT"] {
                let answer = ask(&get(&format!("Range: bytes=0-5\r\n{fields}")), content);
                assert_eq!((answer.status, &answer.body[..]), (206, &b"012345"[..]), "{fields}");
            }
        }
        let empty = || Content::bytes("text/plain", &b""[..]);
        let answer = ask(&get("Range: bytes=0-"), empty);
        assert_eq!((answer.status, answer.field("Content-Length")), (200, Some("0")));
    }

    #[test]
    fn preconditions_come_before_ranges() {
        for content in both() {
            for (fields, status) in [
                ("If-None-Match: \"v\"", 304),
                ("If-None-Match: \"w\"", 206),
                ("If-Modified-Since: Sun, 06 Nov 1994 08:49:28 GMT", 304),
                ("If-Match: \"w\"", 412),
                ("If-Match: \"v\"", 206),
                ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:27 GMT", 412),
            ] {
                let answer = ask(&get(&format!("Range: bytes=1-2\r\n{fields}")), content);
                assert_eq!(answer.status, status, "{fields}");
                let answer = ask(&get(&format!("Range: bytes=99-\r\n{fields}")), content);
                let expected = if status == 206 { 416 } else { status };
                assert_eq!(answer.status, expected, "{fields}");
            }
        }
    }

    #[test]
    fn answers_that_do_not_have_it_keep_the_fields_that_are_not_about_it() {
        let content = || {
            known(Content::bytes("text/css", TEXT))
                .field("Vary", "Accept-Encoding")
                .field("Content-Encoding", "gzip")
                .field("X-Content-Type-Options", "nosniff")
                .field("content-disposition", "attachment")
        };
        let names = |fields: &str| {
            let answer = ask(&get(fields), content);
            answer.names().into_iter().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            names("If-None-Match: *"),
            "Date ETag Cache-Control Vary X-Content-Type-Options"
        );
        assert_eq!(
            names("If-Match: \"w\""),
            "Date Content-Type Vary X-Content-Type-Options Content-Length"
        );
        assert_eq!(
            names("Range: bytes=20-"),
            "Date Content-Type Content-Range Vary X-Content-Type-Options Content-Length"
        );
    }

    #[test]
    fn of_an_encoded_representation_one_part_is_sent_and_never_several() {
        let content = || Content::bytes("text/css", TEXT).field("content-encoding", "gzip");
        let one = ask(&get("Range: bytes=0-1"), content);
        assert_eq!((one.status, one.field("content-encoding")), (206, Some("gzip")));
        assert_eq!(ask(&get("Range: bytes=0-1,3-4"), content).status, 200);
    }

    /// A source that nobody may touch.
    struct Untouched;

    impl Read for Untouched {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("read"))
        }
    }

    impl Seek for Untouched {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Err(io::Error::other("sought"))
        }
    }

    #[test]
    fn a_source_is_not_touched_for_an_answer_without_it() {
        let content = || known(Content::source("text/plain", Untouched, 20));
        assert_eq!(ask(&get("If-None-Match: *"), content).status, 304);
        assert_eq!(ask(&get("If-Match: \"w\""), content).status, 412);
        assert_eq!(ask(&get("Range: bytes=20-"), content).status, 416);
    }

    #[test]
    fn a_source_that_fails_at_its_start_is_a_500() {
        let content = || known(Content::source("text/plain", Untouched, 20));
        for range in ["Accept: */*", "Range: bytes=1-2"] {
            let answer = ask(&get(range), content);
            assert_eq!(answer.status, 500);
            assert!(!String::from_utf8(answer.body).unwrap().contains("sought"));
        }
    }

    #[test]
    fn head_has_the_fields_of_get_and_ignores_ranges() {
        for content in both() {
            let of = |method: &str, fields: &str| {
                ask(&format!("{method} / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n"), content)
            };
            let (got, head) = (of("GET", "A: b"), of("HEAD", "Range: bytes=0-1"));
            assert_eq!((head.status, &head.body[..]), (200, &b""[..]));
            assert_eq!(got.fields, head.fields);
            assert_eq!(of("HEAD", "Range: bytes=99-").status, 200);
            assert_eq!(of("HEAD", "If-None-Match: \"v\"").status, 304);
            assert_eq!(of("HEAD", "If-Match: \"w\"").status, 412);
        }
    }

    /// The announced length is kept or the connection is cut: never filled up, never overrun.
    #[test]
    fn a_source_that_shrinks_cuts_the_connection_and_one_that_grows_is_not_followed() {
        for range in ["Accept: */*", "Range: bytes=2-15", "Range: bytes=0-1,5-15,17-19"] {
            let request = get(range) + &get("Accept: */*");
            let announced = |answer: &Answer| -> usize {
                answer.field("Content-Length").unwrap().parse().unwrap()
            };
            let shrunk = ask(&request, || Content::source("a/b", Cursor::new(&TEXT[..10]), 20));
            assert!(shrunk.body.len() < announced(&shrunk), "{range}: nothing follows");
            assert!(String::from_utf8(shrunk.body).unwrap().ends_with('9'), "{range}");
            let grown = ask(&get(range), || Content::source("a/b", Cursor::new(TEXT), 18));
            assert_eq!(grown.body.len(), announced(&grown), "{range}");
        }
    }

    #[test]
    fn a_date_to_come_is_sent_as_now() {
        let content = || Content::bytes("text/plain", TEXT).modified(at(NOW + 1_000));
        let answer = ask(&get("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"), content);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.field("Last-Modified"), answer.field("Date"));
        let before =
            || Content::bytes("text/plain", TEXT).modified(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(ask(&get("A: b"), before).field("Last-Modified"), None);
    }

    /// The bytes that an answer has, each at its place; `None` where it is not there.
    fn places(answer: &Answer) -> Vec<Option<u8>> {
        let mut places = vec![None; TEXT.len()];
        let mut put = |place: &str, bytes: &[u8]| {
            let (first, rest) = place.strip_prefix("bytes ").unwrap().split_once('-').unwrap();
            let (last, whole) = rest.split_once('/').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!((last - first + 1, whole), (bytes.len(), "20"));
            for (place, byte) in places[first..=last].iter_mut().zip(bytes) {
                assert_eq!(place.replace(*byte), None, "no byte is sent twice");
            }
        };
        match answer.field("Content-Range") {
            Some(place) => put(place, &answer.body),
            None => {
                let media_type = answer.field("Content-Type").unwrap();
                let (_, boundary) = media_type.split_once("boundary=").unwrap();
                let body = std::str::from_utf8(&answer.body).unwrap();
                let body = body.strip_prefix(&format!("--{boundary}\r\n")).unwrap();
                let body = body.strip_suffix(&format!("\r\n--{boundary}--\r\n")).unwrap();
                for part in body.split(&format!("\r\n--{boundary}\r\n")) {
                    let (head, bytes) = part.split_once("\r\n\r\n").unwrap();
                    put(head.split_once("Content-Range: ").unwrap().1, bytes.as_bytes());
                }
            }
        }
        places
    }

    /// Whatever is asked, what is sent are the bytes that are there, each at its place and once.
    #[test]
    fn no_request_gets_bytes_that_are_not_there() {
        let mut state = 0x636F_6E74_656E_7421_u64;
        let mut below = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % end
        };
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..8_000 {
            let mut fields = String::from("Range: bytes=");
            for _ in 0..=below(12) {
                fields.push_str(["0", "1", "7", "19", "20", "-", "-", "-", ",", ","][below(10)]);
            }
            let name = ["Accept", "If-Range", "If-None-Match", "If-Match"][below(4)];
            let value =
                ["\"v\"", "W/\"v\"", "\"w\"", "*", "Sun, 06 Nov 1994 08:49:28 GMT"][below(5)];
            fields.push_str(&format!("\r\n{name}: {value}"));
            let answer = ask(&get(&fields), both()[below(2)]);
            *seen.entry(answer.status).or_insert(0) += 1;
            match answer.status {
                200 => assert_eq!(answer.body, TEXT),
                206 => {
                    let places = places(&answer);
                    assert!(places.iter().any(Option::is_some), "{fields}");
                    let is_own = |(found, own): (&Option<u8>, &u8)| found.is_none_or(|b| b == *own);
                    assert!(places.iter().zip(TEXT).all(is_own), "{fields}");
                }
                304 => assert!(answer.body.is_empty() && answer.field("Content-Length").is_none()),
                status => assert!(matches!(status, 412 | 416), "{status} to {fields}"),
            }
            if let Some(length) = answer.field("Content-Length") {
                assert_eq!(length, answer.body.len().to_string());
            }
        }
        assert!(seen.len() == 5 && seen.values().all(|&count| count > 100), "{seen:?}");
    }

    #[test]
    fn it_may_borrow_what_outlives_the_handler() {
        let page = String::from("borrowed");
        let answer =
            ask(&get("Range: bytes=0-2,4-5"), || Content::bytes("text/plain", page.as_bytes()));
        assert_eq!(answer.status, 206);
        let _: fn(&Request<'_>) -> Response = |request| Content::bytes("a/b", TEXT).answer(request);
    }
}
