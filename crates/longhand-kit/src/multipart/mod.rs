//! Uploads: `multipart/form-data`, what a browser sends from a form with files in it.
//!
//! What enters is the body of a request, as it arrives; what leaves is one part after another, each
//! with its name and its content to read (RFC 7578, and RFC 2046 section 5.1 for the delimiters).
//! Nothing is held but one small buffer, however large the upload is.
//!
//! ```
//! use longhand::{IntoResponse, Request, Response, Status};
//! use longhand_kit::multipart::{Multipart, PartLimits};
//! use std::path::Path;
//!
//! /// Keeps every file of a form under the name it was sent with, and says what it is.
//! fn upload(folder: &Path, request: &mut Request<'_>) -> Result<Response, Response> {
//!     request.body().limit(1 << 30); // in place of the server's limit for bodies
//!     let mut parts = Multipart::of(request, &PartLimits::default())?;
//!     let (mut title, mut log) = (String::new(), String::new());
//!     while let Some(mut part) = parts.next()? {
//!         match (part.name(), part.file_name()) {
//!             ("title", _) => title = part.text()?,
//!             // Nothing was chosen: a browser sends a nameless file then.
//!             ("photo", None | Some("")) => {}
//!             ("photo", Some(_)) => {
//!                 let Some(name) = part.safe_file_name().map(str::to_owned) else {
//!                     return Err(Response::text("choose another name\n").status(Status::BAD_REQUEST));
//!                 };
//!                 let bytes = part.save_as(folder.join(&name))?;
//!                 log += &format!("{name}: {bytes} bytes\n");
//!             }
//!             _ => {} // what is left of a part is skipped
//!         }
//!     }
//!     Ok(Response::text(format!("{title}\n{log}")))
//! }
//! # use longhand::{Limits, serve_connection, transport::Scripted};
//! # let folder = std::env::temp_dir().join(format!("longhand-kit-upload-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let body = "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMe\r\n\
//! #     --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"me.png\"\r\n\
//! #     Content-Type: image/png\r\n\r\n\x7fPNG\r\n--x--\r\n";
//! # let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
//! #     Content-Type: multipart/form-data; boundary=x\r\n\r\n", body.len());
//! # let mut client = Scripted::new().send(head).send(body).end();
//! # serve_connection(&mut client, &Limits::default(), |request| upload(&folder, request));
//! # assert!(client.output_text().ends_with("\r\n\r\nMe\nme.png: 4 bytes\n"), "{}", client.output_text());
//! # assert_eq!(std::fs::read(folder.join("me.png")).unwrap(), b"\x7fPNG");
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```
//!
//! # What is refused, and what is ignored
//!
//! - A part without `Content-Disposition: form-data` and a name, with a parameter twice, or with a
//!   name that is not UTF-8: names are never repaired. `%22`, `%0D` and `%0A` in them are undone, as
//!   browsers send quotes and line ends (WHATWG HTML, multipart form data). `filename*` is ignored, as
//!   RFC 7578 section 4.2 forbids it.
//! - A part in base64 or quoted-printable. RFC 7578 section 4.7 deprecates Content-Transfer-Encoding:
//!   nobody sends it, and content that is still encoded would be taken for what was meant.
//! - A boundary with anything but blanks and a line end behind it. RFC 2046 section 5.1.1 calls that a
//!   delimiter still, other programs call it content; a client that chose its boundary well sends none.
//! - A boundary directly behind the empty line of a head, where RFC 2046 allows none: for some programs
//!   the part ends there, for others it is content.
//! - A body that ends before its closing delimiter. What stands before the first delimiter and
//!   behind the last is read and dropped.
//! - Text that is not UTF-8. The field `_charset_` of RFC 7578 section 4.6 has no effect.
//!
//! Line ends are CR LF, and heads of parts obey the grammar of a request's fields.

use std::io::{self, Read};

use longhand::{Refusal, Request, Status};

use crate::content_type::{content_type, start, unpacked, unsupported};

mod label;
mod head;
mod split;
mod part;
mod file;

pub use part::Part;

use label::MEDIA_TYPE;
use split::Splitter;

/// What the parts of one body may take.
///
/// ```
/// use longhand_kit::multipart::PartLimits;
///
/// let limits = PartLimits { file: 5 << 20, ..PartLimits::default() };
/// assert_eq!(limits.parts, 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// Parts. Default 100. Over it: 413.
    pub parts: usize,
    /// Bytes of the head of a part. Default 8 KiB: the longest name of a file takes less than 1 KiB.
    /// Over it: 413.
    pub head: usize,
    /// Field lines of the head of a part. Default 16; browsers send two. Over it: 413.
    pub fields: usize,
    /// Bytes that [`Part::text`] reads. Default 64 KiB. Over it: 413.
    pub text: u64,
    /// Bytes of a part that is read in any other way. Default: as many as the body may have, which
    /// are 16 MiB where neither [`Limits::body`](longhand::Limits::body) nor
    /// [`Body::limit`](longhand::Body::limit) says otherwise. Over it: 413.
    pub file: u64,
}

impl Default for PartLimits {
    fn default() -> Self {
        Self { parts: 100, head: 8 << 10, fields: 16, text: 64 << 10, file: u64::MAX }
    }
}

/// The parts of a request's body, one at a time.
///
/// While one is alive the next cannot be asked for:
///
/// ```compile_fail,E0499
/// # use longhand_kit::multipart::Multipart;
/// fn two(parts: &mut Multipart<'_>) -> std::io::Result<()> {
///     let first = parts.next()?;
///     let second = parts.next()?;
///     drop(first);
///     Ok(())
/// }
/// ```
pub struct Multipart<'r> {
    splitter: Splitter<'r>,
    /// Once no part can follow: `Ok` behind the last one, or the refusal to repeat.
    ended: Option<Result<(), Refusal>>,
}

impl<'r> Multipart<'r> {
    /// Begins to read the body of a request. Nothing is read before the first part is asked for.
    ///
    /// # Errors
    /// If the Content-Type is another or there is a Content-Encoding (415), or no boundary that RFC 2046
    /// allows (400).
    pub fn of(request: &'r mut Request<'_>, limits: &PartLimits) -> Result<Self, Refusal> {
        let media_type = content_type(request)
            .filter(|media_type| media_type.is(MEDIA_TYPE))
            .ok_or_else(|| unsupported(request, MEDIA_TYPE, MEDIA_TYPE))?;
        unpacked(request)?;
        let boundary = checked(media_type.get("boundary"))?;
        Ok(Self::new(boundary, request.body(), limits))
    }

    fn new(boundary: &str, source: &'r mut (dyn Read + 'r), limits: &PartLimits) -> Self {
        Self { splitter: Splitter::new(boundary, source, limits), ended: None }
    }

    /// The next part. What is left of the one before is skipped. `None` at the end, and then the body
    /// has been read whole.
    ///
    /// # Errors
    /// A [`Refusal`] that tells what is wrong with the upload, in which part, at which byte of the body
    /// (400, 413, 415), or the failure of the body. Whoever asks on gets the same again.
    #[expect(
        clippy::should_implement_trait,
        reason = "a part borrows what an iterator cannot lend"
    )]
    pub fn next(&mut self) -> io::Result<Option<Part<'_, 'r>>> {
        if let Some(ended) = &self.ended {
            return Ok(ended.clone().map(|()| None)?);
        }
        match self.splitter.next_head() {
            Ok(Some(head)) => Ok(Some(Part::new(&mut self.splitter, head))),
            Ok(None) => {
                self.ended = Some(Ok(()));
                Ok(None)
            }
            Err(error) => {
                // A body that has failed says so again by itself.
                self.ended = Refusal::of(&error).cloned().map(Err);
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Multipart<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Multipart").field("ended", &self.ended).finish_non_exhaustive()
    }
}

// ABNF: boundary = 0*69<bchars> bcharsnospace                             (RFC 2046 section 5.1.1)
//       bchars   = bcharsnospace / " "
fn checked(boundary: Option<&str>) -> Result<&str, Refusal> {
    let is_bchar = |octet: u8| octet.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&octet);
    let expected = match boundary {
        Some(boundary)
            if (1..=70).contains(&boundary.len())
                && boundary.bytes().all(is_bchar)
                && !boundary.ends_with(' ') =>
        {
            return Ok(boundary);
        }
        Some(other) => format!(
            "a boundary of 1 to 70 of the characters that RFC 2046 section 5.1.1 allows, found {:?}",
            start(other)
        ),
        None => "a boundary, found none".to_owned(),
    };
    Err(Refusal::new(Status::BAD_REQUEST, format_args!("Content-Type: expected {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};

    /// Gives bytes in reads of the lengths that `cut` says.
    struct Cut<'b, F> {
        bytes: &'b [u8],
        cut: F,
        /// The most that was asked for at once.
        most: usize,
    }

    impl<F: FnMut() -> usize> Read for Cut<'_, F> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.most = self.most.max(into.len());
            let count = (self.cut)().clamp(1, into.len()).min(self.bytes.len());
            let (read, rest) = self.bytes.split_at(count);
            into[..count].copy_from_slice(read);
            self.bytes = rest;
            Ok(count)
        }
    }

    /// Numbers that look random and are the same in every run (xorshift64).
    struct Seeded(u64);

    impl Seeded {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap() % end
        }
    }

    /// Name, name of the file, type and content of each part; or what is wrong.
    type Outcome = Result<Vec<(String, Option<String>, String, Vec<u8>)>, String>;

    fn read_from(source: &mut dyn Read, limits: &PartLimits) -> Outcome {
        let mut parts = Multipart::new("bound", source, limits);
        let mut found = Vec::new();
        let read = read_all(&mut parts, &mut found);
        let Err(error) = read else { return Ok(found) };
        match parts.next() {
            // The same again, but that the part is not named whose content was being read.
            Err(again) => {
                let again = again.to_string();
                assert_eq!(
                    again.split_once(", byte"),
                    error
                        .split_once(", byte")
                        .map(|(part, rest)| { (part.split(" (").next().unwrap(), rest) })
                );
            }
            // A content that is too long for its reader can be skipped.
            Ok(_) => assert!(error.contains("at most"), "{error}"),
        }
        Err(error)
    }

    fn read_all(
        parts: &mut Multipart<'_>,
        found: &mut Vec<(String, Option<String>, String, Vec<u8>)>,
    ) -> Result<(), String> {
        while let Some(mut part) = parts.next().map_err(|error| error.to_string())? {
            let mut content = Vec::new();
            part.read_to_end(&mut content).map_err(|error| error.to_string())?;
            let file_name = part.file_name().map(str::to_owned);
            found.push((part.name().to_owned(), file_name, part.media_type().to_owned(), content));
        }
        Ok(())
    }

    fn read_cut(body: &[u8], cut: impl FnMut() -> usize) -> Outcome {
        read_from(&mut Cut { bytes: body, cut, most: 0 }, &PartLimits::default())
    }

    fn read(body: impl AsRef<[u8]>) -> Outcome {
        read_cut(body.as_ref(), || usize::MAX)
    }

    /// A body of parts, each a head without its line ends, and a content.
    fn body(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (head, content) in parts {
            body.extend_from_slice(format!("--bound\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--bound--\r\n");
        body
    }

    const FIELD: &str = "Content-Disposition: form-data; name=\"a\"";

    /// Contents that look like delimiters, or nearly.
    const CONTENTS: [&[u8]; 14] = [
        b"",
        b"x",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n--boun",
        b"\r\n--Bound--",
        b"\r\r\n--boun",
        b"\r\n--bou\r\n--boun",
        b"\n--bound",
        b"\r\n-\r\n-",
        b"\r\n--\r\n--",
        b"\0\xFF\r--bound\r",
    ];

    #[test]
    fn content_comes_out_as_it_went_in_however_it_is_cut() {
        let parts: Vec<_> = CONTENTS.iter().map(|content| (FIELD, *content)).collect();
        let whole = body(&parts);
        let expected = read(&whole).unwrap();
        let contents: Vec<_> = expected.iter().map(|part| part.3.as_slice()).collect();
        assert_eq!(contents, CONTENTS);
        for first in 1..whole.len() {
            let mut cuts = [first, usize::MAX].into_iter();
            assert_eq!(
                read_cut(&whole, || cuts.next().unwrap_or(usize::MAX)).as_ref(),
                Ok(&expected)
            );
            assert_eq!(read_cut(&whole, || first).as_ref(), Ok(&expected), "reads of {first}");
        }
        let mut seeded = Seeded(0x6D75_6C74_6970_6172);
        for _ in 0..500 {
            assert_eq!(read_cut(&whole, || seeded.below(9)).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn a_delimiter_may_stand_anywhere_at_the_edge_of_the_buffer() {
        let mut source = Cut { bytes: b"", cut: || 1, most: 0 };
        read_from(&mut source, &PartLimits::default()).unwrap_err();
        let buffer = source.most;
        for length in buffer - 200..buffer + 20 {
            let content = vec![b'x'; length];
            let found = read(body(&[(FIELD, &content), (FIELD, b"\r\n--boun")])).unwrap();
            assert!(found[0].3 == content && found[1].3 == b"\r\n--boun", "{length}");
        }
    }

    #[test]
    fn content_that_begins_with_the_boundary_is_not_taken_for_content() {
        for content in ["--bound", "--bound--", "--bound\r\n", "--boundary"] {
            let whole = body(&[(FIELD, content.as_bytes())]);
            for cut in [1, 3, usize::MAX] {
                let refusal = read_cut(&whole, || cut).unwrap_err();
                assert!(
                    refusal.starts_with(
                        "part 1, byte 53: expected content or a line end, and no boundary behind \
                         the empty line, found \"--bound"
                    ),
                    "{refusal}"
                );
            }
        }
        assert_eq!(read(body(&[(FIELD, b"--boun")])).map(|parts| parts.len()), Ok(1));
        assert!(
            read(format!("--bound\r\n{FIELD}\r\n\r\n--bou")).unwrap_err().contains("found the end")
        );
    }

    #[test]
    fn a_refusal_in_a_long_head_shows_the_same_however_much_has_come() {
        let limits = PartLimits { head: 20, ..PartLimits::default() };
        let whole = body(&[("A: b\r\nbad \x01 line that goes on behind the limit", b"")]);
        let shown = |cut: usize| {
            read_from(&mut Cut { bytes: &whole, cut: || cut, most: 0 }, &limits).unwrap_err()
        };
        assert!(shown(1).ends_with("found \" \\x01 line that\""), "{}", shown(1));
        assert_eq!(shown(1), shown(usize::MAX));
    }

    #[test]
    fn what_stands_around_the_parts_is_dropped() {
        for (before, between, after) in [
            ("", "\r\n", ""),
            ("", " \t \r\n", " \t"),
            ("", "\r\n", "\r\n"),
            ("\r\n", "\r\n", "\r\nepilogue\r\n--bound\r\n"),
            ("preamble\r\n", "\r\n", "  \r\n--bound--"),
            ("--boun\r\n", "\r\n", "\r\n--bound\r\n\r\n"),
        ] {
            let whole = format!(
                "{before}--bound{between}{FIELD}\r\n\r\n1\r\n--bound{between}{FIELD}\r\n\r\n2\r\n--bound--{after}"
            );
            let found = read_cut(whole.as_bytes(), || 3).unwrap();
            let contents: Vec<_> = found.iter().map(|part| part.3.as_slice()).collect();
            assert_eq!(contents, [b"1", b"2"], "{whole:?}");
        }
        // What a browser makes of an empty `FormData`.
        assert_eq!(read("--bound--\r\n"), Ok(vec![]));
    }

    #[test]
    fn heads_say_name_file_and_type() {
        const D: &str = "Content-Disposition: form-data; ";
        for (head, name, file_name, media_type) in [
            (format!("{D}name=\"a\""), "a", None, "text/plain"),
            (format!("{D}name=a"), "a", None, "text/plain"),
            (
                "content-disposition:FORM-DATA;NAME=\"\"\r\nX-Other: y".to_owned(),
                "",
                None,
                "text/plain",
            ),
            (
                format!("{D}name=\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream"),
                "f",
                Some(""),
                "application/octet-stream",
            ),
            // Chromium and curl for a file called `a "b" c.txt`; Go for the same.
            (
                format!("{D}name=\"f\"; filename=\"a %22b%22 c.txt\""),
                "f",
                Some("a \"b\" c.txt"),
                "text/plain",
            ),
            (
                format!("{D}name=\"f\"; filename=\"a \\\"b\\\" c.txt\""),
                "f",
                Some("a \"b\" c.txt"),
                "text/plain",
            ),
            (
                format!(
                    "{D}name=\"é%0D%0A%0d%41\"; filename*=UTF-8''x; filename=\"日本.png\"\r\nContent-Type: image/png"
                ),
                "é\r\n%0d%41",
                Some("日本.png"),
                "image/png",
            ),
            (
                format!("{D}name=\"f\"; filename=\"C:\\dir\\f\""),
                "f",
                Some("C:\\dir\\f"),
                "text/plain",
            ),
            (
                format!("{D}name=a; filename*=UTF-8''x\r\nContent-Transfer-Encoding: BINARY"),
                "a",
                None,
                "text/plain",
            ),
        ] {
            let expected = (
                name.to_owned(),
                file_name.map(str::to_owned),
                media_type.to_owned(),
                b"x".to_vec(),
            );
            assert_eq!(read(body(&[(&head, b"x")])), Ok(vec![expected]), "{head}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_part_and_its_byte() {
        let with = |head: &str| body(&[(FIELD, b"1"), (head, b"2")]);
        const D: &str = "Content-Disposition: form-data; name=\"b\"";
        for (body, expected) in [
            (
                b"".to_vec(),
                "before the first part, byte 0: expected the closing delimiter, found the end of the body",
            ),
            (
                b"a=b".to_vec(),
                "before the first part, byte 3: expected the closing delimiter, found the end of the body",
            ),
            (
                b"--bound".to_vec(),
                "before the first part, byte 7: expected the closing delimiter, found the end of the body",
            ),
            (
                b"--bound\r\n".to_vec(),
                "part 1, byte 9: expected the closing delimiter, found the end of the body",
            ),
            (
                format!("--bound\r\n{FIELD}\r\n\r\nabc\r\n--bound").into_bytes(),
                "part 1, byte 65: expected the closing delimiter, found the end of the body",
            ),
            (
                format!("--bound\r\n{FIELD}\r\n\r\nabc\r\n--bound-").into_bytes(),
                "part 1, byte 66: expected the closing delimiter, found the end of the body",
            ),
            (
                b"--boundary\r\n".to_vec(),
                "before the first part, byte 7: expected -- or CR LF behind the boundary, found \"ar\"",
            ),
            (
                b"--bound\n\n".to_vec(),
                "before the first part, byte 7: expected -- or CR LF behind the boundary, found \"\\n\\n\"",
            ),
            (
                b"--bound --\r\n".to_vec(),
                "before the first part, byte 8: expected -- or CR LF behind the boundary, found \"--\"",
            ),
            (
                b"--bound--x\r\n".to_vec(),
                "before the first part, byte 9: expected -- or CR LF behind the boundary, found \"x\"",
            ),
            (
                with(""),
                "part 2, byte 65: expected Content-Disposition: form-data with a name, found \"\\r\\n\"",
            ),
        ] {
            assert_eq!(read(&body), Err(expected.to_owned()), "{}", body.escape_ascii());
        }
        for (head, at, expected, found) in [
            (
                "Content-Type: text/plain",
                0,
                "Content-Disposition: form-data with a name",
                "Content-Type: text/plain",
            ),
            (
                "Content-Disposition: attachment; name=\"b\"",
                21,
                "Content-Disposition: form-data with a name",
                "attachment; name=\\\"b\\\"",
            ),
            (
                "Content-Disposition: form-data",
                21,
                "Content-Disposition: form-data with a name",
                "form-data",
            ),
            (&format!("{D}; name=c"), 42, "each parameter once", "name=c"),
            (&format!("{D}; filename=\"x"), 53, "a closing quote", "\\r\\n"),
            (&format!("{D}\r\n{FIELD}"), 63, "this field once", "form-data; name=\\\"a\\\""),
            (&format!("{D}\nX: y"), 40, "CR LF (RFC 9112 section 2.2)", "\\nX: y"),
            (&format!("{D}\r\n folded"), 42, "", " folded"),
            (
                &format!("{D}\r\nContent-Transfer-Encoding: base64"),
                69,
                "content that is not encoded",
                "base64",
            ),
        ] {
            let error = read(with(head)).unwrap_err();
            let place = format!("part 2, byte {}: expected {expected}", 65 + at);
            assert!(
                error.starts_with(&place) && error.ends_with(&format!(", found \"{found}\"")),
                "{head}: {error}"
            );
        }
        let mut latin = with(&format!("{D}; filename=\"caf#\""));
        let at = latin.iter().position(|octet| *octet == b'#').unwrap();
        latin[at] = 0xE9;
        let error = read(&latin).unwrap_err();
        assert!(
            error.ends_with(&format!("part 2, byte {at}: expected UTF-8, found \"\\xe9\\\"\"")),
            "{error}"
        );
    }
    #[test]
    fn limits_hold_to_the_byte() {
        let default = PartLimits::default();
        let two = body(&[(FIELD, b"12345"), (&format!("{FIELD}\r\nX: y"), b"")]);
        for (limits, expected) in [
            (PartLimits { parts: 2, ..default.clone() }, None),
            (
                PartLimits { parts: 1, ..default.clone() },
                Some("part 2, byte 69: expected at most 1 parts"),
            ),
            (PartLimits { fields: 2, ..default.clone() }, None),
            (
                PartLimits { fields: 1, ..default.clone() },
                Some("part 2, byte 111: expected at most 1 field lines in its head"),
            ),
            (PartLimits { head: 50, ..default.clone() }, None),
            (
                PartLimits { head: 49, ..default.clone() },
                Some("part 2, byte 118: expected at most 49 bytes in its head"),
            ),
            (
                PartLimits { head: 0, ..default.clone() },
                Some("part 1, byte 11: expected at most 2 bytes in its head"),
            ),
            (PartLimits { file: 5, ..default.clone() }, None),
            (
                PartLimits { file: 4, ..default.clone() },
                Some("part 1 (\"a\"), byte 57: expected at most 4 bytes"),
            ),
        ] {
            for most in [1, 7, usize::MAX] {
                let mut source = Cut { bytes: &two, cut: || most, most: 0 };
                let error = read_from(&mut source, &limits).err();
                assert_eq!(error.as_deref(), expected, "{limits:?}, reads of {most}");
            }
        }
        // A head without an end is not collected, and a broken one is told from a long one.
        let endless = format!("--bound\r\nX: {}", "y".repeat(1 << 20));
        assert_eq!(
            read(endless),
            Err("part 1, byte 8201: expected at most 8192 bytes in its head".into())
        );
        let unix = format!("--bound\r\n{FIELD}\n\n{}", "y".repeat(1 << 20));
        assert!(read(unix).unwrap_err().starts_with("part 1, byte 49: expected CR LF"));
    }

    #[test]
    fn who_asks_on_gets_the_same_again() {
        const END: &str = "0\r\n\r\n";
        for (behind, end, last) in [
            ("--", END, "the end"),
            ("??", END, "part 1, byte 63: expected -- or CR LF behind the boundary"),
            ("\r\n\r\n\r\n--bound--", END, "part 2, byte 65: expected Content-Disposition"),
            ("\r\nA: b", END, "part 2, byte 69: expected the closing delimiter"),
            // The body fails in a head, and behind the last delimiter.
            ("\r\nA\r\n--bound\r\n", "x", "chunk-size"),
            ("--", "x", "chunk-size"),
        ] {
            let body = format!("--bound\r\n{FIELD}\r\n\r\n1\r\n--bound{behind}");
            let request = format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=bound\r\n\
                 Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n{end}",
                body.len()
            );
            let mut client = Scripted::new().send(request).end();
            serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
                let mut parts = Multipart::of(request, &PartLimits::default())?;
                assert_eq!(parts.next()?.unwrap().name(), "a");
                let mut next = || match parts.next() {
                    Ok(part) => format!("the end: {part:?}"),
                    Err(error) => error.to_string(),
                };
                let first = next();
                assert_eq!([next(), next()], [&*first; 2]);
                Ok::<_, Response>(Response::text(first))
            });
            let output = client.output_text();
            assert!(output.contains(last), "{last}: {output}");
        }
    }

    #[test]
    fn text_is_utf8_and_bounded() {
        let limits = PartLimits { text: 5, file: 2, ..PartLimits::default() };
        for (head, content, expected) in [
            ("", &b""[..], Ok("")),
            ("", "12é4".as_bytes(), Ok("12é4")),
            ("\r\nContent-Type: text/plain; charset=UTF-8", b"x", Ok("x")),
            ("", b"123456", Err("part 1 (\"a\"), byte 58: expected at most 5 bytes")),
            ("", b"12\xFF\r\n", Err("part 1 (\"a\"), byte 55: expected UTF-8, found \"\\xff\"")),
            (
                "\r\nContent-Type: a; charset=latin1",
                b"x",
                Err(
                    "part 1 (\"a\"), byte 86: expected text in the charset UTF-8, found \"a; charset=latin1\"",
                ),
            ),
        ] {
            let body = body(&[(&format!("{FIELD}{head}"), content)]);
            let mut source = &body[..];
            let mut parts = Multipart::new("bound", &mut source, &limits);
            let text = parts.next().unwrap().unwrap().text().map_err(|error| error.to_string());
            assert_eq!(text.as_deref(), expected.map_err(str::to_owned).as_deref(), "{head:?}");
            assert!(parts.next().unwrap().is_none());
        }
    }

    #[test]
    fn what_is_left_of_a_part_is_skipped() {
        let long = vec![b'x'; 100_000];
        let body = body(&[(FIELD, &long), (FIELD, b"12"), (FIELD, b""), (FIELD, &long)]);
        let mut source = &body[..];
        let mut parts = Multipart::new("bound", &mut source, &PartLimits::default());
        let mut first = parts.next().unwrap().unwrap();
        first.read_exact(&mut [0; 70_000]).unwrap();
        let mut second = parts.next().unwrap().unwrap();
        second.read_exact(&mut [0; 1]).unwrap();
        assert_eq!(parts.next().unwrap().unwrap().text().unwrap(), "");
        assert!(parts.next().unwrap().is_some());
        assert!(parts.next().unwrap().is_none() && parts.next().unwrap().is_none());
        assert_eq!(source.len(), 0);
    }

    /// A gibibyte where that is quick. What it asks of its source at once is what it holds.
    #[test]
    fn an_upload_takes_its_buffer_and_no_more() {
        let length = if cfg!(debug_assertions) { 2 << 20 } else { 1 << 30 };
        let head = format!("--bound\r\n{FIELD}\r\n\r\n");
        let mut source = Cut { bytes: b"", cut: || usize::MAX, most: 0 };
        let mut whole =
            head.as_bytes().chain(io::repeat(b'\r').take(length)).chain(&b"\r\n--bound--"[..]);
        let mut watched = Watched { source: &mut whole, most: &mut source.most };
        let mut parts = Multipart::new("bound", &mut watched, &PartLimits::default());
        let held = parts.splitter.held();
        let mut part = parts.next().unwrap().unwrap();
        assert_eq!(io::copy(&mut part, &mut io::sink()).unwrap(), length);
        assert!(parts.next().unwrap().is_none());
        assert_eq!(parts.splitter.held(), held);
        assert!(source.most <= held && held < 64 << 10, "{} and {held}", source.most);
    }

    struct Watched<'s> {
        source: &'s mut dyn Read,
        most: &'s mut usize,
    }

    impl Read for Watched<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            *self.most = into.len().max(*self.most);
            self.source.read(into)
        }
    }

    #[test]
    fn no_mutation_panics_or_runs_for_ever() {
        let seeds: Vec<Vec<u8>> = vec![
            body(&[
                (FIELD, b"1"),
                (&format!("{FIELD}; filename=\"x.png\"\r\nContent-Type: image/png"), b"\r\n--boun"),
            ]),
            body(&[(FIELD, CONTENTS[8]), (FIELD, CONTENTS[11]), (FIELD, b"")]),
            b"preamble\r\n--bound \r\n\r\n\r\n--bound-- \r\nepilogue".to_vec(),
        ];
        const FREQUENT: &[u8] = b"\r\n-\"\\;=% :b\0\xC3\xFF";
        let mut seeded = Seeded(0x6D75_7461_7465_6421);
        let (mut good, mut bad) = (0, 0);
        for round in 0..20_000 {
            let mut bytes = seeds[round % seeds.len()].clone();
            for _ in 0..=seeded.below(3) {
                let (at, octet) =
                    (seeded.below(bytes.len()), FREQUENT[seeded.below(FREQUENT.len())]);
                match seeded.below(4) {
                    0 => bytes[at] = octet,
                    1 => bytes.insert(at, octet),
                    2 if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at + 1),
                }
            }
            let whole = read(&bytes);
            assert_eq!(
                read_cut(&bytes, || 1 + seeded.below(20)),
                whole,
                "{}",
                bytes.escape_ascii()
            );
            if whole.is_ok() { good += 1 } else { bad += 1 }
        }
        assert!(good > 1_000 && bad > 1_000, "{good} good, {bad} bad: too one-sided");
    }

    /// What the client gets, of a handler that reads every part by `io::copy`.
    fn post(fields: &str, body: &[u8], limits: &Limits) -> String {
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        let next = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let mut client =
            Scripted::new().send([head.as_bytes(), body, next.as_bytes()].concat()).end();
        serve_connection(&mut client, limits, |request: &mut Request<'_>| {
            if request.method() == "GET" {
                return Ok(Response::text("and the next"));
            }
            let mut parts =
                Multipart::of(request, &PartLimits { file: 5, ..PartLimits::default() })?;
            let mut lengths = Vec::new();
            while let Some(mut part) = parts.next()? {
                lengths.push(io::copy(&mut part, &mut io::sink())?);
            }
            Ok::<_, Response>(Response::text(format!("{lengths:?}\n")))
        });
        client.output_text()
    }

    #[test]
    fn every_failure_has_its_status() {
        const TYPE: &str = "Content-Type: multipart/form-data; boundary=bound\r\n";
        let good = body(&[(FIELD, b"12345"), (FIELD, b"")]);
        let long = body(&[(FIELD, b"123456")]);
        let cut = &good[..good.len() - 20];
        let small = Limits { body: 100, ..Limits::default() };
        let default = Limits::default();
        let too_long =
            format!("Content-Type: multipart/form-data; boundary={}\r\n", "b".repeat(71));
        for (fields, body, limits, status, text) in [
            (TYPE, &good[..], &default, "200 ", "\r\n\r\n[5, 0]\n"),
            (
                "Content-Type: Multipart/Form-Data;Boundary=\"bound\"\r\n",
                &good,
                &default,
                "200 ",
                "[5, 0]\n",
            ),
            (TYPE, &long, &default, "413 ", "part 1 (\"a\"), byte 58: expected at most 5 bytes\n"),
            (TYPE, cut, &default, "400 ", "found the end of the body\n"),
            (TYPE, &good, &small, "413 ", "body-too-large"),
            (
                "",
                &good,
                &default,
                "415 ",
                "Content-Type: expected multipart/form-data, found none\n",
            ),
            (
                "Content-Type: multipart/mixed; boundary=bound\r\n",
                &good,
                &default,
                "415 ",
                "\r\nAccept: multipart/form-data\r\n",
            ),
            (
                "Content-Type: multipart/form-data\r\n",
                &good,
                &default,
                "400 ",
                "expected a boundary, found none\n",
            ),
            (
                "Content-Type: multipart/form-data; boundary=\"\"\r\n",
                &good,
                &default,
                "400 ",
                "found \"\"\n",
            ),
            (
                "Content-Type: multipart/form-data; boundary=\"a \"\r\n",
                &good,
                &default,
                "400 ",
                "found \"a \"\n",
            ),
            (
                "Content-Type: multipart/form-data; boundary=a*b\r\n",
                &good,
                &default,
                "400 ",
                "found \"a*b\"\n",
            ),
            (&too_long, &good, &default, "400 ", "bbb\"\n"),
        ] {
            let fields = format!("{fields}Content-Length: {}\r\n", body.len());
            let output = post(&fields, body, limits);
            assert!(
                output.starts_with(&format!("HTTP/1.1 {status}")) && output.contains(text),
                "{fields}{output}"
            );
            assert_eq!(
                output.ends_with("and the next"),
                !text.contains("body-too"),
                "{fields}{output}"
            );
        }
        // Read to its end, a chunked body leaves the connection to the next request.
        let chunked = [b"7e\r\n", &good[..], b"\r\n0\r\n\r\n"].concat();
        assert_eq!(good.len(), 0x7e, "the size of the chunk");
        let output = post(&format!("{TYPE}Transfer-Encoding: chunked\r\n"), &chunked, &default);
        assert!(output.contains("[5, 0]\n") && output.ends_with("and the next"), "{output}");
    }
}
