//! Entity tags: names for the versions of a representation (RFC 9110 section 8.8.3).
//!
//! What enters is what a program knows of a version (a revision, the bytes themselves) or a field from
//! anybody; what leaves is a tag whose syntax is right, and the two ways to compare. A strong tag promises that the bytes are the same, so that ranges of two answers may
//! be put together; a weak one, that the one will do for the other.
//!
//! ```
//! use longhand_kit::etag::ETag;
//!
//! let tag = ETag::new("rev-17")?;
//! assert_eq!(tag.to_string(), "\"rev-17\"");
//! assert_eq!(tag.clone().weak().to_string(), "W/\"rev-17\"");
//! assert!(tag.matches_weakly(&tag.clone().weak()) && !tag.matches_strongly(&tag.clone().weak()));
//! # Ok::<(), longhand_kit::etag::BadETag>(())
//! ```
//!
//! A list of tags is no list of quoted strings: a backslash escapes nothing in a tag. So it has a
//! reader of its own.

use std::fmt;

use longhand::wire::grammar::trim_blanks;
use longhand::{FieldValue, IntoResponse, Reply, Status};

use crate::refusal::refusal;

/// An entity tag, strong or weak. As a field value it stands in `ETag`.
///
/// Equality is of the whole tag, with its strength; preconditions use
/// [`matches_strongly`](Self::matches_strongly) and [`matches_weakly`](Self::matches_weakly).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag {
    /// With its quotes, and `W/` before them if it is weak.
    value: FieldValue,
}

impl ETag {
    /// A strong tag of this text: a revision, a version of the program.
    ///
    /// # Errors
    /// If it has another octet than visible ASCII characters, or a quote, or a backslash, which some
    /// clients take for an escape.
    pub fn new(text: impl AsRef<str>) -> Result<Self, BadETag> {
        let text = text.as_ref();
        let is_fit = |octet: u8| octet.is_ascii_graphic() && octet != b'"' && octet != b'\\';
        match text.bytes().enumerate().find(|&(_, octet)| !is_fit(octet)) {
            Some((at, found)) => Err(BadETag { at, found }),
            None => Ok(Self::quoted(text)),
        }
    }

    /// A strong tag of the bytes themselves: a hash over all of them. For bytes that stay, such as those
    /// of `include_bytes!`, make it once.
    ///
    /// The hash is FNV-1a of 128 bits. [SHA-256](crate::mac::sha256) takes four times as long, twenty
    /// times in a debug build, and a page whose tag is made for each answer would wait for it. What it
    /// gives for that is protection from somebody who chooses the bytes of two versions so that their
    /// tags are the same; all that can come of it is that one of the two is taken for the other.
    ///
    /// ```
    /// # use longhand_kit::etag::ETag;
    /// assert_ne!(ETag::of_bytes(b"one"), ETag::of_bytes(b"two"));
    /// ```
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        // The offset basis and the prime that the hash's authors give for 128 bits.
        const BASIS: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
        let hash =
            bytes.iter().fold(BASIS, |hash, &octet| (hash ^ u128::from(octet)).wrapping_mul(PRIME));
        Self::quoted(&format!("{hash:032x}"))
    }

    /// Reads one tag, as it stands in an `ETag` field; `None` for anything else.
    ///
    /// ```
    /// # use longhand_kit::etag::ETag;
    /// assert!(ETag::parse(b"W/\"rev-17\"").unwrap().is_weak());
    /// assert_eq!(ETag::parse(b"rev-17"), None, "the quotes are a part of it");
    /// ```
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        match tag_at(value)? {
            (tag, []) => Some(Self { value: FieldValue::new(tag).ok()? }),
            _ => None,
        }
    }

    fn quoted(text: &str) -> Self {
        let value = FieldValue::new(format!("\"{text}\"")).expect("visible characters only");
        Self { value }
    }

    /// The same tag, weak.
    #[must_use]
    pub fn weak(self) -> Self {
        if self.is_weak() {
            return self;
        }
        let value = [b"W/", self.as_bytes()].concat();
        Self { value: FieldValue::new(value).expect("a tag with W/ before it") }
    }

    /// Whether it is weak.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.as_bytes().starts_with(b"W/")
    }

    /// The strong comparison: the same, and neither is weak (RFC 9110 section 8.8.3.2).
    #[must_use]
    pub fn matches_strongly(&self, other: &Self) -> bool {
        strongly(self.as_bytes(), other.as_bytes())
    }

    /// The weak comparison: the same but for their strength.
    #[must_use]
    pub fn matches_weakly(&self, other: &Self) -> bool {
        weakly(self.as_bytes(), other.as_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }
}

/// The strong comparison of tags as they are written.
pub(crate) fn strongly(one: &[u8], other: &[u8]) -> bool {
    one == other && !one.starts_with(b"W/")
}

/// The weak comparison of tags as they are written.
pub(crate) fn weakly(one: &[u8], other: &[u8]) -> bool {
    one.strip_prefix(b"W/").unwrap_or(one) == other.strip_prefix(b"W/").unwrap_or(other)
}

/// What a list of tags says about a current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// `*`: whatever there is.
    Any,
    Yes,
    No,
    /// It cannot be read, or only in part.
    Malformed,
}

// ABNF: If-Match = "*" / #entity-tag; If-None-Match = "*" / #entity-tag
//                                                            (RFC 9110 sections 13.1.1, 13.1.2)
/// Looks through the lines of a field for a tag that `is_match`. `*` stands alone.
pub(crate) fn listed<'v>(
    lines: impl Iterator<Item = &'v [u8]>,
    is_match: impl Fn(&[u8]) -> bool,
) -> Listed {
    let lines: Vec<&[u8]> = lines.collect();
    if lines == [b"*"] {
        return Listed::Any;
    }
    let mut verdict = Listed::No;
    for mut rest in lines {
        loop {
            while let [b',' | b' ' | b'\t', after @ ..] = rest {
                rest = after;
            }
            if rest.is_empty() {
                break;
            }
            let Some((tag, after)) = tag_at(rest) else { return Listed::Malformed };
            rest = trim_blanks(after);
            if !matches!(rest, [] | [b',', ..]) {
                return Listed::Malformed;
            }
            if is_match(tag) {
                verdict = Listed::Yes;
            }
        }
    }
    verdict
}

// ABNF: entity-tag = [ weak ] opaque-tag; weak = %s"W/"; opaque-tag = DQUOTE *etagc DQUOTE
//       etagc = %x21 / %x23-7E / obs-text                                (RFC 9110 section 8.8.3)
/// The tag at the front of `value`, and what follows it.
fn tag_at(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = if value.starts_with(b"W/") { 2 } else { 0 };
    let [b'"', opaque @ ..] = &value[start..] else { return None };
    let end = opaque.iter().position(|&octet| octet == b'"')?;
    let is_opaque = opaque[..end].iter().all(|&octet| octet > b' ' && octet != 0x7F);
    is_opaque.then(|| value.split_at(start + 1 + end + 1))
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl From<ETag> for FieldValue {
    fn from(tag: ETag) -> Self {
        tag.value
    }
}

/// An octet that [`ETag::new`] does not take. Under `?` in a handler it is a 500: the text is the
/// program's own.
///
/// ```
/// # use longhand_kit::etag::ETag;
/// let bad = ETag::new("rev 17").unwrap_err();
/// assert!(bad.to_string().starts_with("entity tag, byte 3: expected visible ASCII"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadETag {
    at: usize,
    found: u8,
}

impl fmt::Display for BadETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "entity tag, byte {}: expected visible ASCII without quote and backslash, found {:02x} hex \
             (RFC 9110 section 8.8.3)",
            self.at, self.found
        )
    }
}

impl std::error::Error for BadETag {}

/// 500: a tag is of the program's making.
impl<'s> IntoResponse<'s> for BadETag {
    fn into_response(self) -> Reply<'s> {
        Status::INTERNAL_SERVER_ERROR.into_response().because(self)
    }
}

refusal!(BadETag);

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> ETag {
        ETag::parse(text.as_bytes()).unwrap()
    }

    /// The table of RFC 9110 section 8.8.3.2.
    #[test]
    fn tags_compare_strongly_and_weakly() {
        for (one, other, is_strong, is_weak) in [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
        ] {
            for (one, other) in [(tag(one), tag(other)), (tag(other), tag(one))] {
                assert_eq!(one.matches_strongly(&other), is_strong, "{one} {other}");
                assert_eq!(one.matches_weakly(&other), is_weak, "{one} {other}");
            }
        }
    }

    #[test]
    fn only_one_whole_tag_is_a_tag() {
        for good in ["\"\"", "W/\"\"", "\"a\\\"", "\"a,b\"", "\"!#~\"", "\"\u{e9}\"", "\"W/\""] {
            assert_eq!(ETag::parse(good.as_bytes()).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "*",
            "a",
            "\"",
            "\"a",
            "a\"",
            "w/\"a\"",
            "W/a",
            "W/",
            "W/ \"a\"",
            " \"a\"",
            "\"a\" ",
            "\"a b\"",
            "\"a\tb\"",
            "\"a\x7f\"",
            "\"a\" \"b\"",
            "\"a\"\"b\"",
            "\"a\",\"b\"",
            "'a'",
        ] {
            assert_eq!(ETag::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_list_is_read_over_all_its_lines_and_whole_or_not_at_all() {
        let cases: &[(&[&str], Listed)] = &[
            (&["*"], Listed::Any),
            (&["\"a\""], Listed::Yes),
            (&["\"b\""], Listed::No),
            (&["\"b\", \"a\""], Listed::Yes),
            (&["\"b\"", "\"a\""], Listed::Yes),
            (&[",, \"b\" ,\t,\"a\","], Listed::Yes),
            (&["\"b\",\"a\",\"c\""], Listed::Yes),
            // A backslash escapes nothing, and a comma inside of a tag parts nothing.
            (&["\"b\\\", \"a\""], Listed::Yes),
            (&["\"b,\", \"a\""], Listed::Yes),
            (&["\"b, \"a\""], Listed::Malformed),
            (&[""], Listed::No),
            (&[", ,"], Listed::No),
            (&["a"], Listed::Malformed),
            (&["\"a\" \"b\""], Listed::Malformed),
            (&["\"a\", b"], Listed::Malformed),
            (&["\"a\"", "b"], Listed::Malformed),
            (&["\"a\", *"], Listed::Malformed),
            (&["*, *"], Listed::Malformed),
            (&["*", "*"], Listed::Malformed),
            (&["*", "\"a\""], Listed::Malformed),
            (&["\"a\", w/\"b\""], Listed::Malformed),
        ];
        for (lines, expected) in cases {
            let found = listed(lines.iter().map(|line| line.as_bytes()), |tag| tag == b"\"a\"");
            assert_eq!(found, *expected, "{lines:?}");
        }
    }

    #[test]
    fn no_list_panics_and_every_tag_found_is_one() {
        let mut state = 0x6574_6167_u64;
        let mut tags = 0;
        for _ in 0..50_000 {
            let line: Vec<u8> = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    b"\"\"\"W/ab,, \t*\\\xE9\x00"[usize::try_from(state >> 33).unwrap() % 15]
                })
                .collect();
            let seen = std::cell::Cell::new(0);
            listed([&line[..]].into_iter(), |tag| {
                assert!(ETag::parse(tag).is_some(), "{}", tag.escape_ascii());
                seen.set(seen.get() + 1);
                false
            });
            tags += seen.get();
        }
        assert!(tags > 500, "{tags} tags: too few to mean anything");
    }

    /// The figures were computed apart, with integers of any size.
    #[test]
    fn the_hash_is_the_one_it_says_it_is() {
        for (bytes, hash) in [
            (&b""[..], "6c62272e07bb014262b821756295c58d"),
            (b"a", "d228cb696f1a8caf78912b704e4a8964"),
            (b"foobar", "343e1662793c64bf6f0d3597ba446f18"),
        ] {
            assert_eq!(ETag::of_bytes(bytes).to_string(), format!("\"{hash}\""));
        }
    }

    #[test]
    fn weakening_twice_is_weakening_once() {
        let weak = ETag::new("a").unwrap().weak();
        assert!(weak.is_weak() && !ETag::new("W/a").unwrap().is_weak());
        assert_eq!(weak.clone().weak(), weak);
    }

    #[test]
    fn a_text_that_is_no_tag_is_refused_with_its_place() {
        for (text, at) in [("a b", 1), ("ab\"", 2), ("\\", 0), ("ab\u{e9}", 2), ("\n", 0)] {
            assert_eq!(ETag::new(text).unwrap_err().at, at, "{text:?}");
        }
        assert_eq!(
            ETag::new("v 1").unwrap_err().to_string(),
            "entity tag, byte 1: expected visible ASCII without quote and backslash, found 20 hex \
             (RFC 9110 section 8.8.3)"
        );
    }
}
