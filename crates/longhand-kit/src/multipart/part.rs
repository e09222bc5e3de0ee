//! One part: what its head says, and its content to read.

use std::io::{self, BufRead, Read};

use super::PartLimits;
use super::error::{BadPart, Expected, MultipartError};
use super::head::Head;
use super::split::Splitter;
use crate::content_type::Parameterised;

/// One part of an upload. Its content is read by [`text`](Self::text), [`save_as`](Self::save_as), or
/// [`Read`] and [`BufRead`], as it arrives. What collects it, such as `read_to_end`, is bounded by
/// [`PartLimits::file`] and the limit of the body alone.
///
/// ```
/// # use longhand::{Request, Response};
/// # use longhand_kit::multipart::{Multipart, PartLimits};
/// use std::io::BufRead;
///
/// /// Counts the lines of every file, however long it is.
/// fn count(request: &mut Request<'_>) -> Result<Response, Response> {
///     let mut counts = String::new();
///     let mut parts = Multipart::of(request, &PartLimits::default())?;
///     while let Some(mut part) = parts.next()? {
///         let mut lines = 0;
///         while part.skip_until(b'\n')? > 0 {
///             lines += 1;
///         }
///         counts += &format!("{}: {lines}\n", part.file_name().unwrap_or("no file"));
///     }
///     Ok(Response::text(counts))
/// }
/// # use longhand::{Limits, serve_connection, transport::Scripted};
/// # let body = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n1\n2\n3\r\n--x--";
/// # let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
/// #     Content-Type: multipart/form-data; boundary=x\r\n\r\n", body.len());
/// # let mut client = Scripted::new().send(head).send(body).end();
/// # serve_connection(&mut client, &Limits::default(), count);
/// # assert!(client.output_text().ends_with("\r\n\r\na: 3\n"), "{}", client.output_text());
/// ```
pub struct Part<'p> {
    source: &'p mut (dyn Read + 'p),
    splitter: &'p mut Splitter,
    limits: &'p PartLimits,
    head: Head,
    number: usize,
    /// Bytes of the content that were read.
    taken: u64,
}

impl<'p> Part<'p> {
    pub(super) fn new(
        source: &'p mut (dyn Read + 'p),
        splitter: &'p mut Splitter,
        limits: &'p PartLimits,
        head: Head,
        number: usize,
    ) -> Self {
        Self { source, splitter, limits, head, number, taken: 0 }
    }

    /// The name of the form's field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// The name of the file as it was sent, if the part is a file: any text, also `../../etc/passwd`.
    /// Empty where nothing was chosen. Show it, and keep files under [`safe_file_name`](Self::safe_file_name) or a
    /// name of your own.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.head.file_name.as_deref()
    }

    /// The Content-Type as it was sent, unchecked; `text/plain` where there was none (RFC 7578
    /// section 4.4). It is what the client says: what a file is, its bytes tell.
    #[must_use]
    pub fn media_type(&self) -> &str {
        self.head.media_type.as_deref().unwrap_or("text/plain")
    }

    /// Reads the rest of the content, as text.
    ///
    /// # Errors
    /// If there is more than [`PartLimits::text`], if it is not UTF-8 or says to be in another charset,
    /// or if the body fails.
    pub fn text(&mut self) -> Result<String, MultipartError> {
        let at = self.splitter.at();
        let media_type = self.media_type();
        if !Parameterised::parse(media_type).is_ok_and(|media_type| media_type.is_utf8()) {
            let expected = Expected::Supported("text in the charset UTF-8");
            return Err(self.bad(expected, at).found(media_type.as_bytes()).into());
        }
        let mut bytes = Vec::new();
        while let content @ [_, ..] = self.content(self.limits.text)? {
            let length = content.len();
            bytes.extend_from_slice(content);
            self.consume(length);
        }
        String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let bad = self.bad(Expected::UTF8, at + good as u64);
            bad.found(&error.as_bytes()[good..]).into()
        })
    }

    /// Content that can be consumed, up to a limit over all of it; nothing at its end.
    pub(super) fn content(&mut self, limit: u64) -> Result<&[u8], MultipartError> {
        let known =
            self.splitter.content(self.source, self.number).map_err(|error| match error {
                MultipartError::Part(bad) => bad.named(&self.head.name).into(),
                other => other,
            })?;
        let left = usize::try_from(limit.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        if left == 0 && known > 0 {
            return Err(self.bad(Expected::AtMost(limit, "bytes"), self.splitter.at()).into());
        }
        Ok(&self.splitter.known()[..known.min(left)])
    }

    /// The same under the limit of a file.
    pub(super) fn file_content(&mut self) -> Result<&[u8], MultipartError> {
        self.content(self.limits.file)
    }

    fn bad(&self, expected: Expected, at: u64) -> BadPart {
        BadPart::new(expected, self.number, at).named(self.name())
    }
}

impl Read for Part<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let content = self.fill_buf()?;
        let count = content.len().min(into.len());
        into[..count].copy_from_slice(&content[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// What it lends lies in the buffer of the upload: reading so copies nothing.
impl BufRead for Part<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.file_content()?)
    }

    fn consume(&mut self, count: usize) {
        self.splitter.consume(count);
        self.taken += count as u64;
    }
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("head", &self.head).finish_non_exhaustive()
    }
}
