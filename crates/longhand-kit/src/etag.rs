//! Entity tags: names for the versions of a representation (RFC 9110 section 8.8.3).
//!
//! What enters is what a program knows of a version (a revision, a file's time and length, the bytes
//! themselves) or a field from anybody; what leaves is a tag whose syntax is right, and the two ways
//! to compare. A strong tag promises that the bytes are the same, so that ranges of two answers may
//! be put together; a weak one, that the one will do for the other.
//!
//! ```
//! use longhand_kit::etag::ETag;
//!
//! let tag = ETag::new("rev-17");
//! assert_eq!(tag.to_string(), "\"rev-17\"");
//! assert_eq!(tag.clone().weak().to_string(), "W/\"rev-17\"");
//! assert!(tag.matches_weakly(&tag.clone().weak()) && !tag.matches_strongly(&tag.clone().weak()));
//! ```
//!
//! A list of tags is no list of quoted strings: a backslash escapes nothing in a tag. So it has a
//! reader of its own.

use std::fmt;
use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longhand::FieldValue;
use longhand::wire::grammar::trim_blanks;

/// An entity tag, strong or weak. As a field value it stands in `ETag`.
///
/// Equality is of the whole tag, with its strength; preconditions use
/// [`matches_strongly`](Self::matches_strongly) and [`matches_weakly`](Self::matches_weakly).
#[derive(Clone, PartialEq, Eq)]
pub struct ETag {
    /// With its quotes, and `W/` before them if it is weak.
    value: FieldValue,
}

impl ETag {
    /// A strong tag of this text: a version that the program knows of itself. What is made at run time
    /// goes through [`of_numbers`](Self::of_numbers) or [`of_bytes`](Self::of_bytes).
    ///
    /// # Panics
    /// If an octet of it is no visible ASCII character, or a quote, or a backslash, which some
    /// clients take for an escape: a mistake in the program.
    #[must_use]
    #[track_caller]
    pub fn new(literal: &'static str) -> Self {
        let is_fit = |octet: u8| octet.is_ascii_graphic() && octet != b'"' && octet != b'\\';
        assert!(
            literal.bytes().all(is_fit),
            "entity tag {literal:?}: expected visible ASCII without quote and backslash"
        );
        Self::quoted(literal)
    }

    /// A strong tag of numbers that together name a version: a row's revision, a file's time and
    /// length.
    ///
    /// ```
    /// # use longhand_kit::etag::ETag;
    /// assert_eq!(ETag::of_numbers([17, 0xC0FFEE]).to_string(), "\"11-c0ffee\"");
    /// ```
    #[must_use]
    pub fn of_numbers(numbers: impl IntoIterator<Item = u64>) -> Self {
        let texts: Vec<String> = numbers.into_iter().map(|number| format!("{number:x}")).collect();
        Self::quoted(&texts.join("-"))
    }

    /// A strong tag of the bytes themselves: a hash over all of them, so it is made once for bytes
    /// that stay, such as those of `include_bytes!`.
    ///
    /// The hash is FNV-1a of 128 bits. Versions that happen to differ get tags that differ; somebody
    /// who may choose the bytes of two versions can make them collide, and gains that one of them is
    /// taken for the other.
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

    /// A tag of a file's time of modification, to the nanosecond, and its length; `None` where the
    /// platform tells no time.
    ///
    /// It is strong once the file has been left alone for a second before `now`: until then another
    /// change may leave time and length as they are, and the tag is weak.
    #[must_use]
    pub fn of_file(facts: &Metadata, now: SystemTime) -> Option<Self> {
        const SETTLED: Duration = Duration::from_secs(1);
        let modified = facts.modified().ok()?;
        let nanoseconds = modified.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        let tag = Self::of_numbers([u64::try_from(nanoseconds).ok()?, facts.len()]);
        let is_settled = now.duration_since(modified).is_ok_and(|age| age >= SETTLED);
        Some(if is_settled { tag } else { tag.weak() })
    }

    /// Reads one tag, as it stands in an `ETag` field; `None` for anything else.
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

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({self})")
    }
}

impl From<ETag> for FieldValue {
    fn from(tag: ETag) -> Self {
        tag.value
    }
}

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
        let weak = ETag::new("a").weak();
        assert!(weak.is_weak() && !ETag::new("W/a").is_weak());
        assert_eq!(weak.clone().weak(), weak);
    }

    #[test]
    fn literals_that_are_no_tags_are_refused_where_they_stand() {
        for literal in ["a b", "a\"b", "a\\b", "\u{e9}", "\n"] {
            assert!(std::panic::catch_unwind(|| ETag::new(literal)).is_err(), "{literal:?}");
        }
    }

    #[test]
    fn a_file_has_a_strong_tag_once_it_was_left_alone_for_a_second() {
        let path = std::env::temp_dir().join(format!("longhand-etag-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        let at = UNIX_EPOCH + Duration::new(1_700_000_000, 500);
        file.set_modified(at).unwrap();
        let facts = file.metadata().unwrap();
        std::fs::remove_file(path).unwrap();
        let tag = |milliseconds| {
            let age = Duration::from_millis(milliseconds);
            ETag::of_file(&facts, at + age).unwrap().to_string()
        };
        assert_eq!(tag(0), "W/\"17979cfe362a01f4-0\"");
        assert_eq!(tag(999), "W/\"17979cfe362a01f4-0\"");
        assert_eq!(tag(1_000), "\"17979cfe362a01f4-0\"");
        let before = ETag::of_file(&facts, at - Duration::from_secs(60)).unwrap();
        assert!(before.is_weak(), "a time to come is no time to rely on");
    }
}
