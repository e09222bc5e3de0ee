//! What is said to Redis and what it answers: RESP2, the protocol of its documentation.
//!
//! The words of a command enter and leave as bytes; bytes of an answer enter and leave as a [`Reply`].
//!
//! ```text
//! command  *2 CRLF $3 CRLF GET CRLF $1 CRLF a CRLF      an array of bulk strings
//! replies  +OK CRLF    -ERR no CRLF    :7 CRLF           a line, an error, a number
//!          $1 CRLF a CRLF    $-1 CRLF                    a bulk string; nothing
//!          *1 CRLF :7 CRLF   *-1 CRLF                    an array; nothing
//! ```
//!
//! Whatever else arrives is refused, with what arrived: an address that leads to another kind of server
//! shows at the first byte. How much one reply may hold, counted over all that is nested in it, is
//! bounded before it is read, and no memory is taken for a length that was only declared.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

/// Bytes that one reply may take in memory. A thousand bookmarks with the longest names and URIs are
/// some 2 MiB.
const ROOM: usize = 16 << 20;

/// What each element of a reply takes beside its bytes.
const ELEMENT: usize = 64;

/// Arrays in arrays: entries of a stream are an array of pairs that hold an array.
const DEPTH: usize = 4;

/// Bytes of a line. Errors of scripts are some hundred.
const LINE: u64 = 4 << 10;

/// Bytes of an answer that an error shows.
const SHOWN: usize = 60;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    /// `$-1` and `*-1`: there is nothing.
    Null,
    Array(Vec<Self>),
}

impl Reply {
    /// The elements of an array.
    pub(super) fn array(self) -> Option<Vec<Self>> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The bytes of a bulk string.
    pub(super) fn bulk(self) -> Option<Vec<u8>> {
        if let Self::Bulk(bytes) = self { Some(bytes) } else { None }
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum NoReply {
    /// The connection ended or the time was over.
    Lost(io::Error),
    /// What came is none.
    Other(String),
}

impl From<io::Error> for NoReply {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// A command as it is sent.
pub(super) fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads one reply.
pub(super) fn read(input: &mut impl BufRead) -> Result<Reply, NoReply> {
    let mut room = ROOM;
    element(input, &mut room, DEPTH)
}

fn element(input: &mut impl BufRead, room: &mut usize, depth: usize) -> Result<Reply, NoReply> {
    spend(room, ELEMENT)?;
    let kind = kind(input)?;
    let line = line(input)?;
    let text = || String::from_utf8_lossy(&line).into_owned();
    Ok(match kind {
        b'+' => Reply::Simple(text()),
        b'-' => Reply::Error(text()),
        b':' => Reply::Integer(number(&line)?),
        b'$' => match length(&line)? {
            Some(length) => Reply::Bulk(bulk(input, length, room)?),
            None => Reply::Null,
        },
        // `kind` lets nothing else pass.
        _ => match length(&line)? {
            Some(length) => Reply::Array(array(input, length, room, depth)?),
            None => Reply::Null,
        },
    })
}

/// The byte that says of what kind a reply is. Another one shows who is there, without a wait for
/// the end of a line that may never come.
fn kind(input: &mut impl BufRead) -> Result<u8, NoReply> {
    let there = input.fill_buf()?;
    let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let kind = *there.first().ok_or_else(end)?;
    if b"+-:$*".contains(&kind) {
        input.consume(1);
        return Ok(kind);
    }
    let line = there.split(|&octet| octet == b'\n' || octet == b'\r').next().unwrap_or(there);
    Err(other("a reply of Redis", line))
}

/// A line up to its CRLF.
fn line(input: &mut impl BufRead) -> Result<Vec<u8>, NoReply> {
    let mut line = Vec::new();
    input.take(LINE).read_until(b'\n', &mut line)?;
    if let Some(whole) = line.strip_suffix(b"\r\n") {
        let length = whole.len();
        line.truncate(length);
        return Ok(line);
    }
    if line.len() as u64 == LINE || line.ends_with(b"\n") {
        return Err(other("a line that ends in CRLF", &line));
    }
    Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
}

fn bulk(input: &mut impl BufRead, length: usize, room: &mut usize) -> Result<Vec<u8>, NoReply> {
    spend(room, length)?;
    let mut bytes = Vec::new();
    input.take(length as u64).read_to_end(&mut bytes)?;
    let mut end = [0; 2];
    input.read_exact(&mut end)?;
    if end == *b"\r\n" { Ok(bytes) } else { Err(other("CRLF after a bulk string", &end)) }
}

fn array(
    input: &mut impl BufRead,
    length: usize,
    room: &mut usize,
    depth: usize,
) -> Result<Vec<Reply>, NoReply> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(other("fewer arrays in arrays", b"*"));
    };
    // So many will not fit: known before the first is read.
    if length > *room / ELEMENT {
        return Err(too_much());
    }
    let mut elements = Vec::new();
    for _ in 0..length {
        elements.push(element(input, room, depth)?);
    }
    Ok(elements)
}

/// A length, or `None` for that of nothing.
fn length(line: &[u8]) -> Result<Option<usize>, NoReply> {
    if line == b"-1" {
        return Ok(None);
    }
    let wanted = |_| other("a length", line);
    usize::try_from(number(line)?).map(Some).map_err(wanted)
}

/// Digits after an optional minus.
fn number(line: &[u8]) -> Result<i64, NoReply> {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(line).ok().filter(|_| is_number);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| other("a number", line))
}

fn spend(room: &mut usize, cost: usize) -> Result<(), NoReply> {
    *room = room.checked_sub(cost).ok_or_else(too_much)?;
    Ok(())
}

fn too_much() -> NoReply {
    NoReply::Other(format!("wanted a reply of at most {ROOM} bytes, found a longer one"))
}

fn other(wanted: &str, found: &[u8]) -> NoReply {
    let mut text = format!("wanted {wanted}, found `");
    let shown = &found[..found.len().min(SHOWN)];
    // Writing to a string does not fail.
    let _ = write!(text, "{}", shown.escape_ascii());
    text.push_str(if shown.len() < found.len() { "…`" } else { "`" });
    NoReply::Other(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Gives one byte at a time.
    struct Drops<'b>(&'b [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    fn of(bytes: &[u8]) -> Result<Reply, NoReply> {
        let mut rest = bytes;
        let reply = read(&mut rest)?;
        assert!(rest.is_empty(), "{} is left", rest.escape_ascii());
        let drops = read(&mut BufReader::with_capacity(1, Drops(bytes))).unwrap();
        assert_eq!(reply, drops, "in pieces as at once");
        Ok(reply)
    }

    fn refused(bytes: &[u8]) -> String {
        match read(&mut &*bytes).unwrap_err() {
            NoReply::Other(why) => why,
            NoReply::Lost(error) => panic!("{}: {error}", bytes.escape_ascii()),
        }
    }

    #[test]
    fn a_command_is_an_array_of_bulk_strings() {
        assert_eq!(command(&[b"PING"]), b"*1\r\n$4\r\nPING\r\n");
        assert_eq!(
            command(&[b"a", b"", b"\r\n\xff"]),
            b"*3\r\n$1\r\na\r\n$0\r\n\r\n$3\r\n\r\n\xff\r\n"
        );
    }

    #[test]
    fn every_kind_of_reply_is_read_whole_or_in_pieces() {
        let bulk = |text: &str| Reply::Bulk(text.as_bytes().to_vec());
        for (bytes, reply) in [
            (&b"+OK\r\n"[..], Reply::Simple("OK".to_owned())),
            (b"+\r\n", Reply::Simple(String::new())),
            (b"-ERR no\r\n", Reply::Error("ERR no".to_owned())),
            (b":0\r\n", Reply::Integer(0)),
            (b":-9223372036854775808\r\n", Reply::Integer(i64::MIN)),
            (b"$3\r\na\r\n\r\n", bulk("a\r\n")),
            (b"$0\r\n\r\n", bulk("")),
            (b"$-1\r\n", Reply::Null),
            (b"*-1\r\n", Reply::Null),
            (b"*0\r\n", Reply::Array(Vec::new())),
            (
                b"*3\r\n*1\r\n$1\r\na\r\n$-1\r\n:1\r\n",
                Reply::Array(vec![Reply::Array(vec![bulk("a")]), Reply::Null, Reply::Integer(1)]),
            ),
        ] {
            assert_eq!(of(bytes).unwrap(), reply, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_reply_that_ends_early_is_lost() {
        let whole = b"*3\r\n*1\r\n$1\r\na\r\n$-1\r\n:1\r\n";
        for cut in 0..whole.len() {
            let error = read(&mut &whole[..cut]).unwrap_err();
            let NoReply::Lost(error) = error else { panic!("{cut}: {error:?}") };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
    }

    #[test]
    fn what_is_no_reply_is_named() {
        for (bytes, why) in [
            (&b"HTTP/1.1 400 Bad Request\r\nDate"[..], "found `HTTP/1.1 400 Bad Request`"),
            (b"\x15\x03\x01\0\x02", "found `\\x15\\x03\\x01\\x00\\x02`"),
            (b"%1\r\n", "a reply of Redis"),
            (b"+OK\n", "a line that ends in CRLF"),
            (b":\r\n", "a number"),
            (b":+1\r\n", "a number"),
            (b":1a\r\n", "a number"),
            (b":9223372036854775808\r\n", "a number"),
            (b"$-2\r\n", "a length"),
            (b"*-2\r\n", "a length"),
            (b"$1\r\nabc", "CRLF after a bulk string"),
        ] {
            let found = refused(bytes);
            assert!(found.contains(why), "{}: {found}", bytes.escape_ascii());
        }
        let long = format!("+{}", "x".repeat(1 << 20));
        assert!(refused(long.as_bytes()).ends_with("x…`"));
    }

    #[test]
    fn a_reply_without_bounds_is_refused_before_it_is_read() {
        for bytes in [
            &b"$17000000\r\n"[..],
            b"*300000\r\n",
            b"*2\r\n$9000000\r\n",
            b"$9223372036854775807\r\n",
            b"*9223372036854775807\r\n",
        ] {
            let mut bytes = bytes.to_vec();
            if bytes.starts_with(b"*2") {
                bytes.resize(bytes.len() + 9_000_000, b'a');
                bytes.extend_from_slice(b"\r\n$9000000\r\n");
            }
            assert!(refused(&bytes).contains("at most"), "{}", bytes[..9].escape_ascii());
        }
        let nested = b"*1\r\n".repeat(1_000);
        assert!(refused(&nested).contains("fewer arrays"));
        let mut many = b"*100000\r\n".to_vec();
        many.extend_from_slice(&b"*0\r\n".repeat(100_000));
        assert!(matches!(read(&mut &*many).unwrap(), Reply::Array(all) if all.len() == 100_000));
    }
}
