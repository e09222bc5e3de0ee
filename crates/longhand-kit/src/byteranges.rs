//! Several parts of a representation in one body: `multipart/byteranges` (RFC 9110 section 14.6).
//!
//! What enters is a source and the parts of it; what leaves is a reader over the body, whose length
//! is known before a byte of it is read. Nothing is copied but what passes through.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom};

use longhand::FieldValue;

use crate::range::ByteRange;

/// One name for both traits: a boxed source can have only one.
pub(crate) trait Stored: Read + Seek {}

impl<T: Read + Seek> Stored for T {}

/// Reads the body, part by part.
pub(crate) struct ByteRanges<'s> {
    source: Box<dyn Stored + 's>,
    boundary: String,
    pieces: VecDeque<Piece>,
}

/// What the body consists of, in order.
enum Piece {
    /// A delimiter with the fields of a part.
    Text(Vec<u8>),
    /// So many bytes of the source, from an offset on.
    Data { at: u64, length: u64 },
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Data { length, .. } => *length,
        }
    }
}

impl<'s> ByteRanges<'s> {
    // ABNF: multipart-body = dash-boundary CRLF body-part *( CRLF dash-boundary CRLF body-part )
    //                        CRLF dash-boundary "--" CRLF              (after RFC 2046 section 5.1.1)
    pub(crate) fn new(
        source: Box<dyn Stored + 's>,
        parts: &[ByteRange],
        media_type: &FieldValue,
        whole: u64,
    ) -> Self {
        let boundary = boundary();
        let mut pieces = VecDeque::new();
        for (index, part) in parts.iter().enumerate() {
            let before = if index == 0 { "" } else { "\r\n" };
            let mut text = format!("{before}--{boundary}\r\nContent-Type: ").into_bytes();
            text.extend_from_slice(media_type.as_bytes());
            let range = part.content_range(whole);
            text.extend_from_slice(format!("\r\nContent-Range: {range}\r\n\r\n").as_bytes());
            pieces.push_back(Piece::Text(text));
            pieces.push_back(Piece::Data { at: part.first(), length: part.len() });
        }
        pieces.push_back(Piece::Text(format!("\r\n--{boundary}--\r\n").into_bytes()));
        Self { source, boundary, pieces }
    }

    pub(crate) fn media_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// The length of the body; `None` if no number holds it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.pieces.iter().try_fold(0_u64, |sum, piece| sum.checked_add(piece.length()))
    }
}

/// Made anew for each answer, from the random keys of std's hash maps: whoever chose the bytes of the
/// representation could not foresee it. If they hold it by chance, a client reads two parts where there
/// is one, and nothing that it was not to have.
fn boundary() -> String {
    let keys = RandomState::new();
    format!("{:016x}{:016x}", keys.hash_one(0), keys.hash_one(1))
}

impl Read for ByteRanges<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(piece) = self.pieces.front_mut() {
            match piece {
                Piece::Text(text) if !text.is_empty() => {
                    let count = text.len().min(into.len());
                    into[..count].copy_from_slice(&text[..count]);
                    text.drain(..count);
                    return Ok(count);
                }
                Piece::Data { at, length } if *length > 0 => {
                    let most = usize::try_from(*length).unwrap_or(usize::MAX).min(into.len());
                    // Sought before each read: one system call more, but no position to keep track of.
                    // Where the source has shrunk, the body ends before its length, and longhand cuts
                    // the connection.
                    self.source.seek(SeekFrom::Start(*at))?;
                    let count = self.source.read(&mut into[..most])?;
                    *at += count as u64;
                    *length -= count as u64;
                    return Ok(count);
                }
                _ => {
                    self.pieces.pop_front();
                }
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::range::{Selection, select};

    fn body(range: &[u8]) -> ByteRanges<'static> {
        let Selection::Parts(parts) = select(range, 26) else { panic!() };
        let source = Box::new(Cursor::new(b"abcdefghijklmnopqrstuvwxyz"));
        ByteRanges::new(source, &parts, &"text/plain".into(), 26)
    }

    #[test]
    fn the_body_is_the_same_in_pieces_of_any_size_and_as_long_as_it_says() {
        for range in [&b"bytes=0-0,-1"[..], b"bytes=20-,0-18", b"bytes=1-2,4-5,7-8,10-11"] {
            let mut whole = Vec::new();
            let mut reader = body(range);
            let (boundary, length) = (reader.boundary.clone(), reader.length());
            reader.read_to_end(&mut whole).unwrap();
            assert_eq!(length, Some(whole.len() as u64));
            for size in [1, 2, 3, 5, 17, 40, 1_000] {
                let mut reader = body(range);
                let (mut pieces, mut buffer) = (Vec::new(), vec![0; size]);
                assert_eq!(reader.read(&mut []).unwrap(), 0, "nothing is no end");
                let other = reader.boundary.clone();
                loop {
                    match reader.read(&mut buffer).unwrap() {
                        0 => break,
                        count => pieces.extend_from_slice(&buffer[..count]),
                    }
                }
                let pieces = String::from_utf8(pieces).unwrap().replace(&other, &boundary);
                assert_eq!(pieces.as_bytes(), whole, "{size}");
            }
        }
    }
}
