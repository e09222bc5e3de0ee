//! The parts of a message in words: short ones to write under bytes, and where the RFC tells of them.

use longhand::wire::Part;

use crate::exchange::Message;

/// What to call a part under its bytes.
pub(crate) fn name(part: Part) -> &'static str {
    match part {
        Part::Blank => "blank",
        Part::Method => "method",
        Part::Sp => "sp",
        Part::Target => "target",
        Part::Version => "version",
        Part::Crlf => "crlf",
        Part::Name => "name",
        Part::Colon => ":",
        Part::Ows => "ws",
        Part::Value => "value",
        Part::EndOfHead => "end",
        Part::Status => "status",
        Part::Reason => "reason",
        Part::Body => "body",
        Part::ChunkSize => "size",
        Part::ChunkExt => "extension",
        Part::ChunkData => "data",
        Part::LastChunk => "last",
        Part::Pending => "not whole yet",
        Part::Refused => "not read",
        Part::Next => "next message",
        _ => "?",
    }
}

/// What a line is behind the last chunk, and where it is told of.
pub(crate) const TRAILERS: (&str, &str) = ("trailers", "RFC 9112 section 7.1.2");

/// What a line is that begins with this part, and where it is told of, if anywhere.
pub(crate) fn line(first: Part) -> (&'static str, &'static str) {
    match first {
        Part::Blank => ("empty line before a request", "RFC 9112 section 2.2"),
        Part::Method => ("request line", "RFC 9112 section 3"),
        Part::Version => ("status line", "RFC 9112 section 4"),
        Part::Name => ("field line", "RFC 9112 section 5"),
        Part::EndOfHead => ("empty line: the end of the head", "RFC 9112 section 2.1"),
        Part::Body => ("body", "RFC 9112 section 6"),
        Part::ChunkSize => ("size of a chunk", "RFC 9112 section 7.1"),
        Part::ChunkData => ("data of a chunk", "RFC 9112 section 7.1"),
        Part::LastChunk => ("the last chunk has no data", "RFC 9112 section 7.1"),
        Part::Pending => ("a beginning", ""),
        Part::Refused => ("from the byte that broke a rule on", ""),
        _ => ("more", ""),
    }
}

/// What the bytes of a part say, where that is not what they seem to.
pub(crate) fn note(part: Part, bytes: &[u8]) -> Option<String> {
    let digits = std::str::from_utf8(bytes).ok().filter(|_| part == Part::ChunkSize)?;
    let size = u64::from_str_radix(digits, 16).ok()?;
    Some(format!("{digits} hexadecimal is {size}"))
}

/// A byte as one character that does nothing but be seen; a secret is a dot of its own.
pub(crate) fn glyph(shown: Option<u8>) -> char {
    match shown {
        None => '•',
        Some(b' ') => '␠',
        Some(0x7f) => '␡',
        Some(byte @ b'!'..=b'~') => char::from(byte),
        // The pictures of control codes stand in their order.
        Some(byte @ ..0x20) => char::from_u32(0x2400 + u32::from(byte)).unwrap_or('·'),
        Some(_) => '·',
    }
}

/// What an unfinished message waits for.
pub(crate) fn waiting(message: &Message) -> String {
    let known = message.spans.iter().rev().map(|span| span.0).find(|part| *part != Part::Pending);
    match known {
        None if message.bytes.is_empty() => "the first byte",
        None => "the rest of the first word, and a space",
        Some(Part::Blank) => "a request line",
        Some(Part::Method) => "one space",
        Some(Part::Sp) => "the rest of the first line",
        Some(Part::Target | Part::Version | Part::Status | Part::Reason | Part::Value) => {
            "the end of the line: CR LF"
        }
        Some(Part::Name) => "a colon",
        Some(Part::Colon | Part::Ows) => "the rest of the field line",
        Some(Part::Crlf) if message.head_end().is_none() => match message.spans.last() {
            Some((Part::Pending, _)) => "the rest of the line",
            _ => "a field line, or an empty line",
        },
        Some(Part::ChunkData) => "the rest of the chunk's data, and CR LF",
        Some(Part::ChunkSize | Part::ChunkExt | Part::LastChunk) => {
            "the end of the size line: CR LF"
        }
        Some(_) => match message.declared() {
            Some(length) => {
                let left = message.left().unwrap_or_default();
                let came = length - left;
                return format!(
                    "{left} more bytes of body: Content-Length promised {length}, {came} came"
                );
            }
            None if message.field("transfer-encoding").is_some() => {
                "a chunk's size, or trailers and an empty line"
            }
            None => "more, until the connection ends",
        },
    }
    .to_owned()
}
