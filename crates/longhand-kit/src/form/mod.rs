//! What a browser sends from an HTML form: `application/x-www-form-urlencoded`, in a body or in a
//! query string.
//!
//! What enters are bytes from anybody; what leaves are names and values as text, in the order of
//! the form, or the place of what is wrong. The format is the URL Standard's (section 5), but where
//! that repairs, this refuses: a `%` without two digits behind it, and octets that are not UTF-8. The forms of a
//! UTF-8 page send neither, and a repaired value is one that nobody typed.
//!
//! ```
//! use longhand_kit::form::Form;
//!
//! let form = Form::parse("name=R%C3%A9mi+B&tag=a&tag=b&agreed")?;
//! assert_eq!(form.first("name"), Some("Rémi B"));
//! assert_eq!(form.all("tag").collect::<Vec<_>>(), ["a", "b"]);
//! assert_eq!(form.first("agreed"), Some(""));
//! assert_eq!(form.first("other"), None);
//!
//! let refused = Form::parse("name=x&discount=100%").unwrap_err();
//! assert_eq!(
//!     refused.to_string(),
//!     "form field 2 (\"discount\"), byte 19: expected two hexadecimal digits after %"
//! );
//! # Ok::<(), longhand::Refusal>(())
//! ```
//!
//! [`Form::read`] and [`Form::query`] take one out of a request. The whole body is in memory: its size
//! is bounded where it is read.

use std::fmt;

use longhand::wire::percent_decode;
use longhand::{Refusal, Status};

mod read;

pub use read::MAX_BYTES;

/// The pairs that are read, at most. Python's Django and PHP draw the line in the same place. A page
/// with more inputs is hard to imagine, and every look-up walks the list.
///
/// ```
/// use longhand_kit::form::{Form, MAX_PAIRS};
/// assert_eq!(Form::parse("&a".repeat(MAX_PAIRS))?.len(), MAX_PAIRS);
/// assert!(Form::parse("&a".repeat(MAX_PAIRS + 1)).is_err());
/// # Ok::<(), longhand::Refusal>(())
/// ```
pub const MAX_PAIRS: usize = 1_000;

/// The fields of a form, decoded, in the order in which they were sent.
///
/// [`parse`](Self::parse) reads one, collecting pairs makes one, and [`encode`](Self::encode) writes
/// it. A name may occur more than once.
///
/// ```
/// use longhand_kit::form::Form;
///
/// let form: Form = [("tag", "a"), ("tag", "b")].into_iter().collect();
/// assert_eq!((form.len(), form.is_empty()), (2, false));
/// assert_eq!(form.iter().last(), Some(("tag", "b")));
/// assert_eq!(form.encode(), "tag=a&tag=b");
/// ```
///
/// Its `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

/// The names alone: in a value there may be a password.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl Form {
    // There is no grammar in ABNF; the algorithm is the URL Standard's, section 5.1:
    //   sequences are separated by &, empty ones skipped; the first = separates name and value.
    /// Reads a body, or a query string without its `?`.
    ///
    /// `+` is a space; escapes are decoded once. Empty pairs, as in `a=1&&b=2&`, are skipped. A pair
    /// without `=` is a name with an empty value.
    ///
    /// # Errors
    /// A `%` without two hexadecimal digits behind it, a name or value that is not UTF-8, or more
    /// than [`MAX_PAIRS`] pairs: 400. The text tells the field, its name where that could be read, and
    /// the offset of the first byte that is wrong. It may be shown to the one who sent the form, as
    /// text: it contains the start of a name that came from there. Where the program itself keeps data in this
    /// form, bad data is not the client's fault: `.map_err(Response::failed)?` makes it a 500.
    pub fn parse(encoded: impl AsRef<[u8]>) -> Result<Self, Refusal> {
        let mut pairs = Vec::new();
        let mut at = 0;
        for pair in encoded.as_ref().split(|&octet| octet == b'&') {
            if !pair.is_empty() {
                pairs.push(decode_pair(pair, pairs.len() + 1, at)?);
            }
            at += pair.len() + 1;
        }
        Ok(Self { pairs })
    }

    /// The first value under a name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value under a name, in order: what check boxes and `<select multiple>` send.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |pair| pair.0 == name).map(|pair| pair.1)
    }

    /// Every name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The form as a browser would send it, for a query string or a request of one's own.
    ///
    /// ```
    /// # use longhand_kit::form::Form;
    /// let form = Form::from_iter([("error", "no such name: a&b"), ("café", "")]);
    /// assert_eq!(form.encode(), "error=no+such+name%3A+a%26b&caf%C3%A9=");
    /// assert_eq!(Form::parse(form.encode()), Ok(form));
    /// ```
    #[must_use]
    pub fn encode(&self) -> String {
        let mut encoded = String::new();
        for (name, value) in &self.pairs {
            if !encoded.is_empty() {
                encoded.push('&');
            }
            encode_text(&mut encoded, name);
            encoded.push('=');
            encode_text(&mut encoded, value);
        }
        encoded
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Form {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// Decodes the pair that is number `field`, counted from 1, and begins `at` bytes into the form.
fn decode_pair(pair: &[u8], field: usize, at: usize) -> Result<(String, String), Refusal> {
    if field > MAX_PAIRS {
        return Err(refuse(field, None, at, &format!("at most {MAX_PAIRS} fields")));
    }
    let name_end = pair.iter().position(|&octet| octet == b'=').unwrap_or(pair.len());
    let name =
        decode(&pair[..name_end]).map_err(|(expected, i)| refuse(field, None, at + i, expected))?;
    let value = decode(pair.get(name_end + 1..).unwrap_or_default())
        .map_err(|(expected, i)| refuse(field, Some(&name), at + name_end + 1 + i, expected))?;
    Ok((name, value))
}

fn refuse(field: usize, name: Option<&str>, at: usize, expected: &str) -> Refusal {
    // `?` leaves no control character in a log, `take` no megabyte.
    let start = |name: &str| format!(" ({:?})", name.chars().take(40).collect::<String>());
    let name = name.map(start).unwrap_or_default();
    let text = format!("form field {field}{name}, byte {at}: expected {expected}");
    Refusal::new(Status::BAD_REQUEST, text)
}

/// Decodes a name or a value; or says what was expected, and how many bytes into it.
fn decode(encoded: &[u8]) -> Result<String, (&'static str, usize)> {
    // Before escapes are undone: `%2B` is a plus, and no space.
    let spaced: Vec<u8> =
        encoded.iter().map(|&octet| if octet == b'+' { b' ' } else { octet }).collect();
    let decoded =
        percent_decode(spaced).map_err(|bad| ("two hexadecimal digits after %", bad.at))?;
    String::from_utf8(decoded).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        ("UTF-8", source_of(encoded, good))
    })
}

/// Where in `encoded` its decoded octet number `n` comes from. Every escape was found to be whole.
fn source_of(encoded: &[u8], n: usize) -> usize {
    (0..n).fold(0, |i, _| if encoded[i] == b'%' { i + 3 } else { i + 1 })
}

/// The URL Standard's application/x-www-form-urlencoded percent-encode set: everything else.
fn encode_text(out: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for octet in text.bytes() {
        match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => {
                out.push(char::from(octet));
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(DIGITS[usize::from(octet >> 4)]));
                out.push(char::from(DIGITS[usize::from(octet & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(encoded: &str) -> Vec<(String, String)> {
        Form::parse(encoded).unwrap().pairs
    }

    fn wrong(encoded: &[u8]) -> String {
        Form::parse(encoded).unwrap_err().to_string()
    }

    /// Numbers that look random and are the same in every run (xorshift64).
    struct Seeded(u64);

    impl Seeded {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        /// Octets among which separators, escapes and halves of characters are frequent.
        fn octets(&mut self, most: usize) -> Vec<u8> {
            const FREQUENT: &[u8] = b"&&==%%++aF09 \0\xC3\xA9\xFF";
            (0..self.below(most))
                .map(|_| match self.below(4) {
                    0 => u8::try_from(self.below(256)).unwrap(),
                    _ => FREQUENT[self.below(FREQUENT.len())],
                })
                .collect()
        }
    }

    #[test]
    fn pairs_names_and_values_are_told_apart() {
        for (encoded, expected) in [
            ("", &[][..]),
            ("&&&", &[]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("=", &[("", "")]),
            ("=b", &[("", "b")]),
            ("a=b=c", &[("a", "b=c")]),
            ("&a=1&&b=2&", &[("a", "1"), ("b", "2")]),
            ("b=2&a=1&b=3", &[("b", "2"), ("a", "1"), ("b", "3")]),
            ("a;b=1", &[("a;b", "1")]),
            ("a%26b%3Dc=%2526", &[("a&b=c", "%26")]),
            ("+a+=%2B+%20", &[(" a ", "+  ")]),
            ("q=%e2%82%AC", &[("q", "€")]),
            ("q=€", &[("q", "€")]),
            ("q=%00%0D%0A", &[("q", "\0\r\n")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert_eq!(pairs(encoded), expected, "{encoded:?}");
        }
    }

    #[test]
    fn look_ups_keep_the_order_and_the_case() {
        let form = Form::parse("a=1&A=2&a=3").unwrap();
        assert_eq!(form.first("a"), Some("1"));
        assert_eq!(form.first("A"), Some("2"));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(form.all("b").count(), 0);
        assert_eq!(form.iter().collect::<Vec<_>>(), [("a", "1"), ("A", "2"), ("a", "3")]);
        assert_eq!((form.len(), form.is_empty()), (3, false));
    }

    #[test]
    fn what_is_wrong_is_named_and_not_repaired() {
        const ESCAPE: &str = "two hexadecimal digits after %";
        const UTF8: &str = "UTF-8";
        for (encoded, (expected, field, at)) in [
            (&b"%"[..], (ESCAPE, "1", 0)),
            (b"a%4", (ESCAPE, "1", 1)),
            (b"title=%", (ESCAPE, "1 (\"title\")", 6)),
            (b"&&a=1&title=ab%zz", (ESCAPE, "2 (\"title\")", 14)),
            (b"title=%+1", (ESCAPE, "1 (\"title\")", 6)),
            (b"title=%%41", (ESCAPE, "1 (\"title\")", 6)),
            (b"title=%4&1=", (ESCAPE, "1 (\"title\")", 6)),
            (b"title=%\xC3\xA9", (ESCAPE, "1 (\"title\")", 6)),
            (b"title=%u0041", (ESCAPE, "1 (\"title\")", 6)),
            (b"title=\xFF", (UTF8, "1 (\"title\")", 6)),
            (b"title=%41%FF", (UTF8, "1 (\"title\")", 9)),
            // A character cut in two, an overlong one, half of a surrogate pair.
            (b"title=%C3&a=%A9", (UTF8, "1 (\"title\")", 6)),
            (b"title=+%C0%80", (UTF8, "1 (\"title\")", 7)),
            (b"title=%E2%82%AC%ED%A0%80", (UTF8, "1 (\"title\")", 15)),
            (b"\xC3=1", (UTF8, "1", 0)),
        ] {
            let text = format!("form field {field}, byte {at}: expected {expected}");
            assert_eq!(wrong(encoded), text, "{}", encoded.escape_ascii());
            assert_eq!(Form::parse(encoded).unwrap_err().status(), Status::BAD_REQUEST);
        }
    }

    #[test]
    fn raw_octets_and_escaped_ones_make_one_character() {
        assert_eq!(Form::parse(b"q=\xC3%A9").unwrap().first("q"), Some("é"));
    }

    #[test]
    fn pairs_are_counted_and_empty_ones_are_not() {
        let full = "&a=".repeat(MAX_PAIRS);
        assert_eq!(Form::parse(&full).unwrap().len(), MAX_PAIRS);
        assert_eq!(Form::parse("&".repeat(1_000_000)).unwrap().len(), 0);
        assert_eq!(
            wrong(format!("{full}&&a=").as_bytes()),
            format!("form field 1001, byte {}: expected at most 1000 fields", full.len() + 2)
        );
    }

    #[test]
    fn a_refusal_is_one_short_line_whatever_was_sent() {
        let encoded = format!("%0A%1B%5B31m{}=%", "x".repeat(1_000_000));
        let text = Form::parse(encoded).unwrap_err().to_string();
        assert!(text.len() < 200, "{} bytes", text.len());
        assert!(!text.contains(char::is_control), "{text}");
    }

    #[test]
    fn encoding_then_parsing_is_identity() {
        let every_character: String = (0..=0x2FFF).filter_map(char::from_u32).collect();
        let mut seeded = Seeded(0x6C6F_6E67_6861_6E64);
        let mut forms = vec![Form::from_iter([(every_character.clone(), every_character)])];
        for _ in 0..2_000 {
            let mut text = || String::from_utf8_lossy(&seeded.octets(12)).into_owned();
            forms.push((0..4).map(|_| (text(), text())).collect());
        }
        for form in forms {
            let encoded = form.encode();
            assert!(encoded.bytes().all(|octet| octet.is_ascii_graphic()), "{encoded}");
            assert_eq!(Form::parse(&encoded), Ok(form), "{encoded}");
        }
    }

    #[test]
    fn no_input_panics_and_every_verdict_is_consistent() {
        let mut seeded = Seeded(0x7061_6E69_6373_2121);
        let (mut read, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let encoded = seeded.octets(16);
            match Form::parse(&encoded) {
                Ok(form) => {
                    assert_eq!(Form::parse(form.encode()), Ok(form));
                    read += 1;
                }
                Err(bad) => {
                    let text = bad.to_string();
                    let at = text.split_once("byte ").unwrap().1.split_once(':').unwrap().0;
                    let at: usize = at.parse().unwrap();
                    assert!(at < encoded.len(), "{}", encoded.escape_ascii());
                    refused += 1;
                }
            }
        }
        assert!(read > 1_000 && refused > 1_000, "{read} read, {refused} refused: too one-sided");
    }
}
