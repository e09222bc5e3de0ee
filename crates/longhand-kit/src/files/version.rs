//! A file as a representation, and which version of it: its tag and its date (RFC 9110 section 8.8).
//!
//! What enters is an open file and what the system knows of it; what leaves is content with its type,
//! its length, and validators that no later version can share, or none. A hash over the bytes would be
//! surer, but each file would be read twice; the inode, which Apache once added, differs between two
//! machines that serve the same files.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longhand::Request;

use crate::content::Content;
use crate::etag::ETag;
use crate::media;

/// The slowest clock of a file system, FAT's, ticks every two seconds: within one tick a file may
/// change and keep its date.
const TICK: Duration = Duration::from_secs(2);

/// The date in files of builds that must come out the same every time, and in archives that know no
/// date: 1970, or the second after.
const DATELESS: Duration = Duration::from_secs(1);

/// One file that the program has opened, as a representation: its type by the suffix of `name`, its
/// length, and its version, as [`Dir`](super::Dir) has them.
///
/// # Errors
/// If the system does not tell its metadata, or it is no regular file.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// # use longhand_kit::files;
/// # use std::fs::{self, File};
/// # let path = std::env::temp_dir().join(format!("longhand-report-{}", std::process::id()));
/// # fs::write(&path, "%PDF")?;
/// let report = |request: &mut Request<'_>| -> std::io::Result<Response> {
///     let file = File::open(&path)?;
///     Ok(files::content(request, "report.pdf", file)?
///         .field("Content-Disposition", "attachment; filename=\"report.pdf\"")
///         .field("Cache-Control", "private, no-cache")
///         .answer(request))
/// };
/// # let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), report);
/// assert!(client.output_text().contains("\r\nContent-Type: application/pdf\r\n"));
/// # fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn content(
    request: &Request<'_>,
    name: impl AsRef<Path>,
    file: File,
) -> io::Result<Content<'static>> {
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "expected a regular file"));
    }
    Ok(represent(request, name.as_ref(), file, &facts, None))
}

/// The same for a file whose metadata was read already, and for a compressed sibling.
pub(super) fn represent(
    request: &Request<'_>,
    name: &Path,
    file: File,
    facts: &Metadata,
    coding: Option<&'static str>,
) -> Content<'static> {
    let mut content = Content::source(media::by_suffix(name), file, facts.len())
        .field("X-Content-Type-Options", "nosniff");
    if let Some((tag, modified)) = version(facts, request.wall(), coding) {
        content = content.etag(tag).modified(modified);
    }
    match coding {
        Some(coding) => content.field("Content-Encoding", coding),
        None => content,
    }
}

/// Tag and date of a file that is sent in `coding`; `None` if another version could have the same.
///
/// A tag that is only weak would not help: a client that asks whether a weak one has changed is told
/// that it has not (RFC 9110 section 13.1.2).
fn version(facts: &Metadata, now: SystemTime, coding: Option<&str>) -> Option<(ETag, SystemTime)> {
    let modified = facts.modified().ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    let is_settled = now.duration_since(modified).is_ok_and(|age| age >= TICK);
    if since <= DATELESS || !is_settled {
        return None;
    }
    // Two codings of a file are two representations, even where length and time are the same.
    let coding = coding.map_or_else(String::new, |coding| format!("-{coding}"));
    let text = format!("{:x}-{:x}{coding}", since.as_nanos(), facts.len());
    Some((ETag::new(text).ok()?, modified))
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};
    use std::fs;

    #[test]
    fn only_a_date_that_no_later_version_can_have_makes_a_version() {
        let path = std::env::temp_dir().join(format!("longhand-version-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        let tag = |modified, now, coding| {
            file.set_modified(modified).unwrap();
            let found = version(&file.metadata().unwrap(), now, coding);
            found.map(|(tag, date)| {
                assert_eq!(date, modified);
                tag.to_string()
            })
        };
        let base = 784_111_777_000;
        assert_eq!(tag(at(base), at(base + 1_999), None), None, "one more change may follow");
        assert_eq!(tag(at(base), at(base - 1), None), None, "a date to come");
        let settled = tag(at(base), at(base + 2_000), None).unwrap();
        assert!(settled.starts_with('"'), "strong: {settled}");
        assert_ne!(
            Some(settled.clone()),
            tag(at(base + 1), at(base + 9_000), None),
            "one millisecond later"
        );
        assert_ne!(Some(settled.clone()), tag(at(base), at(base + 2_000), Some("br")));
        assert_eq!(
            Some(settled),
            tag(at(base), at(base + 100_000), None),
            "for as long as it stays"
        );
        for dateless in [0, 1_000] {
            assert_eq!(tag(at(dateless), at(base), None), None);
        }
        assert!(tag(at(2_000), at(base), None).is_some());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn one_file_is_sent_as_a_folder_sends_it() {
        let path = std::env::temp_dir().join(format!("longhand-one-{}", std::process::id()));
        fs::write(&path, "0123456789").unwrap();
        let date = UNIX_EPOCH + Duration::from_secs(784_000_000);
        File::options().append(true).open(&path).unwrap().set_modified(date).unwrap();
        let mut client =
            Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=-2\r\n\r\n").end();
        serve_connection(&mut client, &Limits::default(), |request| -> io::Result<Response> {
            Ok(content(request, "digits.txt", File::open(&path)?)?.answer(request))
        });
        let answer = client.output_text();
        assert!(answer.starts_with("HTTP/1.1 206 ") && answer.ends_with("\r\n\r\n89"), "{answer}");
        for line in [
            "ETag: \"",
            "Content-Type: text/plain; charset=utf-8",
            "X-Content-Type-Options: nosniff",
        ] {
            assert!(answer.contains(&format!("\r\n{line}")), "{answer}");
        }
        fs::remove_file(path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_no_file_to_send() {
        let mut client = Scripted::new().send("GET / HTTP/1.0\r\n\r\n").end();
        serve_connection(&mut client, &Limits::default(), |request| -> io::Result<Response> {
            let error = content(request, "x", File::open(std::env::temp_dir())?).err();
            Ok(Response::text(error.unwrap().to_string()))
        });
        assert!(client.output_text().ends_with("expected a regular file"));
    }
}
