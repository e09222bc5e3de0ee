//! Media types by the suffix of a file's name.
//!
//! What enters is a file name, what leaves a value for Content-Type (RFC 9110 section 8.3). The bytes
//! of the file are never looked at: a type that is guessed from content is one that whoever uploads
//! can choose, which is why `nosniff` exists. What has no known suffix is
//! `application/octet-stream`, which browsers save and do not show.
//!
//! Types are those of the IANA registry; sources, settings and logs are plain text, to be read. Text
//! is called UTF-8, as it is by now. XML is not: it names its own encoding inside, and
//! `application/xml` leaves that word to it (RFC 7303 section 3.2).

use std::path::Path;

/// For a name without a known suffix: bytes, and nothing more is said.
const UNKNOWN: &str = "application/octet-stream";

/// Suffixes in lower case, in order: a look-up halves the list.
const TYPES: [(&str, &str); 54] = [
    ("7z", "application/x-7z-compressed"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("br", UNKNOWN),
    ("bz2", "application/x-bzip2"),
    ("c", "text/plain; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("h", "text/plain; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("ics", "text/calendar; charset=utf-8"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("log", "text/plain; charset=utf-8"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("py", "text/plain; charset=utf-8"),
    ("rs", "text/plain; charset=utf-8"),
    ("sh", "text/plain; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("toml", "text/plain; charset=utf-8"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// The media type of a file by its suffix, in any case; `application/octet-stream` for others.
///
/// ```
/// use longhand_kit::media::by_suffix;
/// assert_eq!(by_suffix("notes/index.HTML"), "text/html; charset=utf-8");
/// assert_eq!(by_suffix("photo.jpeg"), "image/jpeg");
/// assert_eq!(by_suffix("Makefile"), "application/octet-stream");
/// ```
#[must_use]
pub fn by_suffix(name: impl AsRef<Path>) -> &'static str {
    // A name such as `.html` has no suffix: all of it is the name.
    let Some(suffix) = name.as_ref().extension().and_then(|suffix| suffix.to_str()) else {
        return UNKNOWN;
    };
    let suffix = suffix.to_ascii_lowercase();
    TYPES.binary_search_by_key(&&*suffix, |known| known.0).map_or(UNKNOWN, |at| TYPES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::FieldValue;

    #[test]
    fn the_table_is_in_order_so_that_halving_finds_each() {
        assert!(TYPES.is_sorted_by(|one, next| one.0 < next.0));
        for (suffix, media_type) in TYPES {
            assert_eq!(suffix, suffix.to_ascii_lowercase());
            assert_eq!(by_suffix(format!("a.{suffix}")), media_type);
            assert_eq!(by_suffix(format!("a.b.{}", suffix.to_ascii_uppercase())), media_type);
            let _ = FieldValue::from(media_type);
        }
    }

    #[test]
    fn all_text_says_its_charset_and_nothing_else_does() {
        for (suffix, media_type) in TYPES {
            let is_text = media_type.starts_with("text/");
            assert_eq!(media_type.ends_with("; charset=utf-8"), is_text, "{suffix}");
        }
    }

    #[test]
    fn sources_are_text_to_be_read() {
        for name in ["lib.rs", "Cargo.toml", "run.sh", "a.py", "a.c", "a.h", "server.log"] {
            assert_eq!(by_suffix(name), "text/plain; charset=utf-8", "{name}");
        }
        assert_eq!(by_suffix("README.md"), "text/markdown; charset=utf-8");
    }

    #[test]
    fn what_has_no_known_suffix_is_bytes() {
        for name in [
            "",
            "html",
            ".html",
            "a.",
            "a.html.",
            "a.unknown",
            "html/a",
            "a.html/b",
            "a.hTmLx",
            "a.é",
        ] {
            assert_eq!(by_suffix(name), UNKNOWN, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_may_have_a_suffix() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(by_suffix(OsStr::from_bytes(b"\xFF.png")), "image/png");
        assert_eq!(by_suffix(OsStr::from_bytes(b"a.\xFF")), UNKNOWN);
    }
}
