//! The lines of the log: one for each save, readable with `less`, checked by a sum.
//!
//! A name and a URI enter, a line leaves, and the other way round. Nothing is escaped because
//! nothing needs it: `rules.rs` admits neither tabs nor line feeds, and judges what is read as
//! well.
//!
//! ```text
//! # bookmarks 1: put, name, URI, CRC-32 of the line up to here; a tab between them
//! put⇥rust⇥https://www.rust-lang.org/⇥SUM
//! ```
//!
//! The first word leaves room for other kinds of lines: a program that does not know one refuses
//! the log, and does not drop it.

use crate::rules::{Name, Uri};

/// The first line: a file that does not begin with it is not ours and is left alone.
pub(crate) const HEADER: &str =
    "# bookmarks 1: put, name, URI, CRC-32 of the line up to here; a tab between them\n";

/// One save as a line of the log.
pub(crate) fn encode(name: &str, uri: &str) -> String {
    let save = format!("put\t{name}\t{uri}");
    let sum = crc32(save.as_bytes());
    format!("{save}\t{sum:08x}\n")
}

/// What a piece of a log holds.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) saves: Vec<(Name, Uri)>,
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
    let mut saves = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let (line, next) = (&rest[..end], &rest[end + 1..]);
        // After a power cut, zeros stand for the blocks of the last line that did not reach the
        // disk.
        if next.is_empty() && line.contains(&0) {
            break;
        }
        let number = saves.len() + 1;
        saves.push(decode_line(line).map_err(|why| BadLine { number, why })?);
        rest = next;
    }
    Ok(Lines { saves, torn: rest.len() })
}

fn decode_line(line: &[u8]) -> Result<(Name, Uri), String> {
    let line = str::from_utf8(line).map_err(|_| "wanted UTF-8, found other bytes".to_owned())?;
    let Some((save, sum)) = line.rsplit_once('\t') else {
        return Err(format!("wanted four parts between tabs, found `{}`", line.escape_debug()));
    };
    let wanted = format!("{:08x}", crc32(save.as_bytes()));
    if sum != wanted {
        return Err(format!("wanted the checksum {wanted}, found `{}`", sum.escape_debug()));
    }
    let parts: Vec<&str> = save.split('\t').collect();
    let ["put", name, uri] = parts[..] else {
        return Err(format!("wanted `put`, a name and a URI, found `{}`", save.escape_debug()));
    };
    let name = Name::parse(name).map_err(|refused| refused.to_string())?;
    let uri = Uri::parse(uri).map_err(|refused| refused.to_string())?;
    Ok((name, uri))
}

/// CRC-32 as in zip and PNG, so that a line mended by hand can get its sum from any tool.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc, &octet| {
        crc ^= u32::from(octet);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_zip() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_line_is_readable_and_reads_back() {
        let line = encode("käse/1 2", "http://example.org/?a=b");
        assert!(line.starts_with("put\tkäse/1 2\thttp://example.org/?a=b\t"), "{line}");
        let Lines { saves, torn } = decode(line.as_bytes()).unwrap();
        assert_eq!((saves[0].0.as_str(), torn), ("käse/1 2", 0));
        assert_eq!(saves[0].1.as_str(), "http://example.org/?a=b");
    }

    #[test]
    fn a_torn_end_is_told_from_a_bad_line() {
        let (first, second) = (encode("a", "http://a/"), encode("b", "http://b/"));
        for cut in 0..second.len() {
            let text = format!("{first}{}", &second[..cut]);
            let Lines { saves, torn } = decode(text.as_bytes()).unwrap();
            assert_eq!((saves.len(), torn), (1, cut));
        }
        let zeros = format!("{first}\0\0\0\0{}", &second[4..]);
        assert_eq!(decode(zeros.as_bytes()).unwrap().torn, second.len());

        for bad in ["", "put", &first[..first.len() - 2], "put\ta\thttp://a/\t00000000", "\0"] {
            let error = decode(format!("{first}{bad}\n{second}").as_bytes()).unwrap_err();
            assert_eq!(error.number, 2, "{bad:?}: {}", error.why);
        }
    }

    #[test]
    fn what_the_rules_refuse_is_refused_in_a_log_too() {
        for (name, uri) in [(".all", "http://a/"), ("a", "javascript:alert(1)"), ("", "http://a/")]
        {
            assert!(decode(encode(name, uri).as_bytes()).is_err(), "{name} {uri}");
        }
        assert!(decode(encode("a\tb", "http://a/").as_bytes()).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let line = encode("name", "http://example.org/");
        for at in 0..line.len() - 1 {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1;
            bytes.extend_from_slice(line.as_bytes());
            assert!(decode(&bytes).is_err(), "byte {at}");
        }
    }
}
