//! One part: what its head says, and its content to read.

use std::io::{self, BufRead, Read};

use super::head::Head;
use super::label::Expected;
use super::split::Splitter;
use crate::parameters::Parameterised;

/// One part of an upload. Its content is read by [`text`](Self::text), [`save_as`](Self::save_as), or
/// [`Read`] and [`BufRead`], as it arrives. What collects it, such as `read_to_end`, is bounded by
/// [`PartLimits::file`](super::PartLimits::file) and the limit of the body alone.
///
/// ```
/// # use longhand::{Request, Response};
/// # use longhand_kit::multipart::{Multipart, PartLimits};
/// use std::io::BufRead;
///
/// /// Counts the lines of every text file, however long it is.
/// fn count(request: &mut Request<'_>) -> Result<Response, Response> {
///     let mut counts = String::new();
///     let mut parts = Multipart::of(request, &PartLimits::default())?;
///     while let Some(mut part) = parts.next()? {
///         if part.media_type() != "text/plain" {
///             continue;
///         }
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
pub struct Part<'p, 'r> {
    splitter: &'p mut Splitter<'r>,
    head: Head,
    /// Bytes of the content that were read.
    taken: u64,
}

impl<'p, 'r> Part<'p, 'r> {
    pub(super) fn new(splitter: &'p mut Splitter<'r>, head: Head) -> Self {
        Self { splitter, head, taken: 0 }
    }

    /// The name of the form's field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// The name of the file as it was sent, if the part is a file: any text, also `../../etc/passwd`.
    /// Empty where nothing was chosen. Show it, but keep files under
    /// [`safe_file_name`](Self::safe_file_name) or a name of your own.
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
    /// If there is more than [`PartLimits::text`](super::PartLimits::text), if it is not UTF-8 or says
    /// to be in another charset, or if the body fails.
    pub fn text(&mut self) -> io::Result<String> {
        let at = self.splitter.at();
        let media_type = self.media_type();
        if !Parameterised::parse(media_type).is_ok_and(|media_type| media_type.is_utf8()) {
            let expected = Expected::supported("text in the charset UTF-8");
            return Err(self.splitter.refuse(at, expected, media_type.as_bytes()));
        }
        let mut bytes = Vec::new();
        while let content @ [_, ..] = self.content(self.splitter.limits.text)? {
            let length = content.len();
            bytes.extend_from_slice(content);
            self.consume(length);
        }
        String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            self.splitter.refuse(at + good as u64, Expected::UTF8, &error.as_bytes()[good..])
        })
    }

    /// Content that can be consumed, up to a limit over all of it; nothing at its end.
    fn content(&mut self, limit: u64) -> io::Result<&[u8]> {
        let found = self.splitter.find_content()?;
        let left = usize::try_from(limit.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        if left == 0 && found > 0 {
            let expected = Expected::at_most(limit, "bytes");
            return Err(self.splitter.refuse(self.splitter.at(), expected, b""));
        }
        Ok(&self.splitter.content()[..found.min(left)])
    }
}

impl Read for Part<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let content = self.fill_buf()?;
        let count = content.len().min(into.len());
        into[..count].copy_from_slice(&content[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// What it lends lies in the buffer of the upload: reading so copies nothing.
impl BufRead for Part<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.content(self.splitter.limits.file)
    }

    fn consume(&mut self, count: usize) {
        self.splitter.consume(count);
        self.taken += count as u64;
    }
}

impl std::fmt::Debug for Part<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").field("head", &self.head).finish_non_exhaustive()
    }
}
