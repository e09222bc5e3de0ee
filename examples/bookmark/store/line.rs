//! The lines of the log: one for each thing that happened, readable with `less`, checked by a sum.
//!
//! An [`Entry`] enters, a line leaves, and the other way round. Nothing is escaped because nothing
//! needs it: `rules.rs` admits neither tabs nor line feeds, and judges what is read as well.
//!
//! ```text
//! # bookmarks 2: what, name, and so on; CRC-32 of the line up to here; a tab between them
//! put⇥rust⇥https://www.rust-lang.org/⇥2026-11-26T09:30:00Z⇥0⇥-⇥SUM     URI, created, visits, last visit
//! visits⇥rust⇥3⇥2026-11-26T10:00:00Z⇥SUM                               so many more, last visit
//! delete⇥rust⇥SUM
//! session⇥KEY⇥2026-11-26T21:30:00Z⇥RECORD⇥SUM                          somebody is signed in, until
//! end⇥KEY⇥SUM                                                           and signed out
//! ```
//!
//! A program that does not know the first word of a line refuses the log, and does not drop it.

use longhand_kit::base64;
use longhand_kit::session::Key;

use super::{Kept, Visits};
use crate::rules::{Name, Uri};
use crate::time;

/// The first line: a file that does not begin with it is not ours and is left alone.
pub(crate) const HEADER: &str =
    "# bookmarks 2: what, name, and so on; CRC-32 of the line up to here; a tab between them\n";

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// This is what is kept under a name from now on, whatever was there.
    Put(String, Kept),
    Delete(String),
    Visits(Visits),
    Session(Key, Session),
    End(Key),
}

/// A session's record, and the second at which it may be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) record: Vec<u8>,
    pub(crate) until: u64,
}

impl Entry {
    /// The entry as a line of the log.
    pub(crate) fn line(&self) -> String {
        let text = match self {
            Self::Put(name, Kept { uri, created, visits, last }) => {
                let (created, last) = (time::text(*created), last.map(time::text));
                let last = last.as_deref().unwrap_or("-");
                format!("put\t{name}\t{uri}\t{created}\t{visits}\t{last}")
            }
            Self::Delete(name) => format!("delete\t{name}"),
            Self::Visits(Visits { name, count, last }) => {
                format!("visits\t{name}\t{count}\t{}", time::text(*last))
            }
            Self::Session(key, Session { record, until }) => {
                let (key, record) = (base64::encode_url(key), base64::encode_url(record));
                format!("session\t{key}\t{}\t{record}", time::text(*until))
            }
            Self::End(key) => format!("end\t{}", base64::encode_url(key)),
        };
        let sum = crc32(text.as_bytes());
        format!("{text}\t{sum:08x}\n")
    }

    fn read(line: &[u8]) -> Result<Self, String> {
        let line =
            str::from_utf8(line).map_err(|_| "wanted UTF-8, found other bytes".to_owned())?;
        let Some((text, sum)) = line.rsplit_once('\t') else {
            return Err(format!("wanted parts between tabs, found `{}`", start(line)));
        };
        let wanted = format!("{:08x}", crc32(text.as_bytes()));
        if sum != wanted {
            return Err(format!("wanted the checksum {wanted}, found `{}`", start(sum)));
        }
        let parts: Vec<&str> = text.split('\t').collect();
        Ok(match parts[..] {
            ["put", name, uri, created, visits, last] => {
                let uri = Uri::parse(uri).map_err(|refused| refused.to_string())?;
                let last = if last == "-" { None } else { Some(second(last)?) };
                let (created, visits) = (second(created)?, number(visits)?);
                Self::Put(named(name)?, Kept { visits, last, ..Kept::new(&uri, created) })
            }
            ["delete", name] => Self::Delete(named(name)?),
            ["visits", name, count, last] => Self::Visits(Visits {
                name: named(name)?,
                count: number(count)?,
                last: second(last)?,
            }),
            ["session", id, until, record] => {
                let record = base64::decode_url(record)
                    .map_err(|_| format!("wanted base64, found `{}`", start(record)))?;
                Self::Session(key(id)?, Session { record, until: second(until)? })
            }
            ["end", id] => Self::End(key(id)?),
            _ => return Err(format!("wanted an entry, found `{}`", start(text))),
        })
    }
}

fn named(text: &str) -> Result<String, String> {
    Name::parse(text).map(|name| name.as_str().to_owned()).map_err(|refused| refused.to_string())
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("wanted a number, found `{}`", start(text)))
}

/// As much of what was found as a message shows, on one line.
fn start(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

fn second(text: &str) -> Result<u64, String> {
    time::parse(text).ok_or_else(|| format!("wanted a time, found `{}`", start(text)))
}

fn key(text: &str) -> Result<Key, String> {
    let bytes = base64::decode_url(text).ok().and_then(|bytes| Key::try_from(bytes).ok());
    bytes.ok_or_else(|| format!("wanted the key of a session, found `{}`", start(text)))
}

/// What a piece of a log holds.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) entries: Vec<Entry>,
    /// Bytes at the end that are no whole line.
    pub(crate) torn: usize,
}

/// A line that is not one of ours; the first has the number 1.
#[derive(Debug)]
pub(crate) struct BadLine {
    pub(crate) number: usize,
    pub(crate) why: String,
}

/// Reads the lines after the header, or after any other line.
pub(crate) fn decode(bytes: &[u8]) -> Result<Lines, BadLine> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let (line, next) = (&rest[..end], &rest[end + 1..]);
        // After a power cut, zeros stand for the blocks of the last line that did not reach the
        // disk.
        if next.is_empty() && line.contains(&0) {
            break;
        }
        let number = entries.len() + 1;
        entries.push(Entry::read(line).map_err(|why| BadLine { number, why })?);
        rest = next;
    }
    Ok(Lines { entries, torn: rest.len() })
}

/// CRC-32 as in zip and PNG (polynomial 0xEDB88320, reflected), so that a line mended by hand can get its
/// sum from any tool.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut octet: u32 = 0;
        while octet < 256 {
            let mut crc = octet;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
                bit += 1;
            }
            table[octet as usize] = crc;
            octet += 1;
        }
        table
    };
    !bytes
        .iter()
        .fold(!0, |crc: u32, &octet| (crc >> 8) ^ TABLE[(crc.to_le_bytes()[0] ^ octet) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(name: &str, uri: &str) -> Entry {
        let kept = Kept { uri: uri.to_owned(), created: 1, visits: 2, last: None };
        Entry::Put(name.to_owned(), kept)
    }

    fn some() -> Vec<Entry> {
        let visits = Visits { name: "käse/1 2".to_owned(), count: 3, last: 1_000_000_000 };
        let session = Session { record: vec![0, 255, b'\n', b'\t'], until: 2_000_000_000 };
        let mut visited = put("b", "http://b/");
        if let Entry::Put(_, kept) = &mut visited {
            kept.last = Some(7);
        }
        vec![
            put("käse/1 2", "http://example.org/?a=b"),
            visited,
            Entry::Visits(visits),
            Entry::Delete("b".to_owned()),
            Entry::Session([7; 32], session),
            Entry::End([255; 32]),
        ]
    }

    #[test]
    fn the_checksum_is_the_one_of_zip() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn lines_are_readable_and_read_back() {
        let text: String = some().iter().map(Entry::line).collect();
        let Lines { entries, torn } = decode(text.as_bytes()).unwrap();
        assert_eq!((entries, torn), (some(), 0));
        let line = put("a b", "http://a/").line();
        assert!(line.starts_with("put\ta b\thttp://a/\t1970-01-01T00:00:01Z\t2\t-\t"), "{line}");
    }

    #[test]
    fn a_torn_end_is_told_from_a_bad_line() {
        let (first, second) = (put("a", "http://a/").line(), put("b", "http://b/").line());
        for cut in 0..second.len() {
            let text = format!("{first}{}", &second[..cut]);
            let Lines { entries, torn } = decode(text.as_bytes()).unwrap();
            assert_eq!((entries.len(), torn), (1, cut));
        }
        let zeros = format!("{first}\0\0\0\0{}", &second[4..]);
        assert_eq!(decode(zeros.as_bytes()).unwrap().torn, second.len());

        for bad in ["", "put", &first[..first.len() - 2], "put\ta\thttp://a/\t00000000", "\0"] {
            let error = decode(format!("{first}{bad}\n{second}").as_bytes()).unwrap_err();
            assert_eq!(error.number, 2, "{bad:?}: {}", error.why);
        }
    }

    /// A line whose sum is right.
    fn line(text: &str) -> String {
        format!("{text}\t{:08x}\n", crc32(text.as_bytes()))
    }

    #[test]
    fn what_the_rules_refuse_is_refused_in_a_log_too() {
        for (name, uri) in [(".all", "http://a/"), ("a", "javascript:alert(1)"), ("", "http://a/")]
        {
            assert!(decode(put(name, uri).line().as_bytes()).is_err(), "{name} {uri}");
        }
        let now = "2026-11-26T09:30:00Z";
        for bad in [
            &format!("put\ta\tb\thttp://a/\t{now}\t0\t-"),
            &format!("put\ta\thttp://a/\t{now}\t-1\t-"),
            &format!("put\ta\thttp://a/\t{now}\t0\tnever"),
            "put\ta\thttp://a/\tnow\t0\t-",
            "put\ta\thttp://a/",
            "delete\t.all",
            "delete",
            "rename\ta\tb",
            &format!("visits\ta\tmany\t{now}"),
            &format!("session\tshort\t{now}\tAAAA"),
            "end\tshort",
        ] {
            let error = decode(line(bad).as_bytes()).unwrap_err();
            assert!(error.why.contains("wanted"), "{bad}: {}", error.why);
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        for line in some().iter().map(Entry::line) {
            for at in 0..line.len() - 1 {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1;
                bytes.extend_from_slice(line.as_bytes());
                assert!(decode(&bytes).is_err(), "byte {at}");
            }
        }
    }
}
