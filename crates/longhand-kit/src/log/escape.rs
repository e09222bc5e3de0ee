//! Values of a peer's, and times, as they stand in a line of a log.
//!
//! Bytes enter, printable ASCII leaves. A log is read by tools and on terminals: a line feed would
//! begin a line of the peer's own making, a quote a field, an escape sequence could rewrite what the
//! screen shows, and letters that run from right to left reorder it.

use std::fmt::Write;
use std::time::Duration;

use longhand::wire::format_date;

/// A value between quotes, as Apache writes it: `\"`, `\\`, and `\xhh` for all that is not printable
/// ASCII.
pub(super) fn quoted(value: &[u8]) -> String {
    marked(value, b"")
}

/// A value without quotes: also no blank, which would end it, and no bracket, with which a time
/// begins; and a lone `-` is marked, since that says that there is no value.
pub(super) fn bare(value: &[u8]) -> String {
    marked(value, if value == b"-" { b"-" } else { b" []" })
}

fn marked(value: &[u8], others: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for &octet in value {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            _ if others.contains(&octet) => write!(text, "\\x{octet:02x}").unwrap_or_default(),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => write!(text, "\\x{octet:02x}").unwrap_or_default(),
        }
    }
    text
}

// ABNF: string = quotation-mark *char quotation-mark                     (RFC 8259 section 7)
/// A JSON string with its quotes. Octets that are no UTF-8 become U+FFFD: JSON has no bytes.
pub(super) fn json(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in String::from_utf8_lossy(value).chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            ' '..='~' => text.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").unwrap_or_default();
                }
            }
        }
    }
    text.push('"');
    text
}

/// `06/Nov/1994:08:49:37 +0000`
pub(super) fn clf_time(since: Duration) -> String {
    let [day, month, year, time] = parts(since);
    format!("{day}/{month}/{year}:{time} +0000")
}

/// `1994-11-06T08:49:37.000Z` (RFC 3339 section 5.6)
pub(super) fn rfc3339_time(since: Duration) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let [day, month, year, time] = parts(since);
    let month = MONTHS.find(&month).map_or(1, |at| at / 3 + 1);
    format!("{year}-{month:02}-{day}T{time}.{:03}Z", since.subsec_millis())
}

/// Day, month, year and time of day, `since` after 1970 began.
fn parts(since: Duration) -> [String; 4] {
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    let date = format_date(since.as_secs());
    [5..7, 8..11, 12..16, 17..25].map(|part| String::from_utf8_lossy(&date[part]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_escaped_is_printable_and_comes_back() {
        let octets: Vec<u8> = (0..=255).collect();
        for text in [quoted(&octets), bare(&octets), json(&octets)] {
            assert!(text.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{text}");
        }
        assert_eq!(quoted(b"a\"b\\c\n\x1b\x7f\xff"), r#"a\"b\\c\x0a\x1b\x7f\xff"#);
        assert_eq!(bare(b"[a b] \"-\""), r#"\x5ba\x20b\x5d\x20\"-\""#);
        assert_eq!(bare(b"-"), r"\x2d");
        assert_eq!(json(b"a\"b\\c\n\x1b\x7f\xff"), r#""a\"b\\c\u000a\u001b\u007f\ufffd""#);
        assert_eq!(json("é\u{202e}😀".as_bytes()), r#""\u00e9\u202e\ud83d\ude00""#);
    }

    #[test]
    fn times_are_those_of_the_examples_in_their_documents() {
        let since = Duration::from_millis(784_111_777_045);
        assert_eq!(clf_time(since), "06/Nov/1994:08:49:37 +0000");
        assert_eq!(rfc3339_time(since), "1994-11-06T08:49:37.045Z");
        assert_eq!(
            rfc3339_time(Duration::from_millis(482_196_050_520)),
            "1985-04-12T23:20:50.520Z"
        );
        assert_eq!(rfc3339_time(Duration::ZERO), "1970-01-01T00:00:00.000Z");
    }
}
