//! Parts of a representation: the Range field and its answer (RFC 9110 section 14).
//!
//! What enters is a Range field from anybody and the length of what is there; what leaves are the
//! parts to send, or that no part can be sent, or that all of it is to be sent. All of it is sent where
//! the RFC lets a server ignore the field: another unit than bytes, a field that cannot be read,
//! no bytes to take a part of; and what only an attacker or a broken client asks for: more than eight
//! ranges, or ranges that overlap, which would make a small request a large answer.
//!
//! ```
//! use longhand_kit::range::{Selection, select};
//!
//! let Selection::Parts(parts) = select(b"bytes=0-499, -34", 1234) else { panic!() };
//! assert_eq!(parts[0].content_range(1234), "bytes 0-499/1234");
//! assert_eq!(parts[1].content_range(1234), "bytes 1200-1233/1234");
//! assert_eq!(select(b"bytes=1234-", 1234), Selection::Unsatisfiable);
//! assert_eq!(select(b"bytes=9-1", 1234), Selection::Whole);
//! ```

use longhand::wire::elements;

/// The ranges of one request, at most: each is compared with all before it.
const MAX_RANGES: usize = 8;

/// The offsets of the first and the last byte of a part, both of which belong to it.
///
/// ```
/// use longhand_kit::range::{Selection, select};
///
/// let Selection::Parts(parts) = select(b"bytes=1000-9999", 1234) else { panic!() };
/// let part = parts[0];
/// assert_eq!((part.first(), part.last(), part.len()), (1000, 1233, 234));
/// assert_eq!(part.content_range(1234), "bytes 1000-1233/1234");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    first: u64,
    /// Not before the first.
    last: u64,
}

/// What of a representation is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: 200.
    Whole,
    /// These parts, in the order in which they were asked for, without overlap: 206.
    Parts(Vec<ByteRange>),
    /// None of the ranges begins inside of it: 416.
    Unsatisfiable,
}

// ABNF: ranges-specifier = range-unit "=" range-set; range-set = 1#range-spec
//                                                                       (RFC 9110 section 14.1.1)
/// Reads the value of a Range field for a representation of `length` bytes.
///
/// ```
/// use longhand_kit::range::{Selection, select};
/// assert!(matches!(select(b"bytes=-1", 10), Selection::Parts(_)));
/// assert_eq!(select(b"bytes=10-", 10), Selection::Unsatisfiable);
/// assert_eq!(select(b"lines=1-2", 10), Selection::Whole);
/// ```
#[must_use]
pub fn select(value: &[u8], length: u64) -> Selection {
    match (length, range_set(value)) {
        (0, _) | (_, None) => Selection::Whole,
        (_, Some(set)) => satisfy(set, length),
    }
}

/// The elements of a range set of bytes.
fn range_set(value: &[u8]) -> Option<&[u8]> {
    let equals = value.iter().position(|&octet| octet == b'=')?;
    value[..equals].eq_ignore_ascii_case(b"bytes").then(|| &value[equals + 1..])
}

fn satisfy(set: &[u8], length: u64) -> Selection {
    let mut parts: Vec<ByteRange> = Vec::new();
    let mut count = 0;
    for spec in elements(set) {
        let Some(spec) = range_spec(spec) else { return Selection::Whole };
        count += 1;
        if let Some(part) = spec.within(length) {
            parts.push(part);
        }
        if count > MAX_RANGES || overlaps(&parts) {
            return Selection::Whole;
        }
    }
    match (count, parts.is_empty()) {
        (0, _) => Selection::Whole,
        (_, true) => Selection::Unsatisfiable,
        (_, false) => Selection::Parts(parts),
    }
}

/// Whether the newest part overlaps another. Parts without overlap are together no longer than the
/// whole.
fn overlaps(parts: &[ByteRange]) -> bool {
    parts.split_last().is_some_and(|(new, others)| {
        others.iter().any(|other| new.first <= other.last && other.first <= new.last)
    })
}

/// A range as it was asked for, before the length is known.
#[derive(Clone, Copy)]
enum Spec {
    /// From an offset to another one, or to the end.
    Int(u64, Option<u64>),
    /// This many bytes at the end.
    Suffix(u64),
}

// ABNF: int-range = first-pos "-" [ last-pos ]; suffix-range = "-" suffix-length
//                                                                       (RFC 9110 section 14.1.1)
fn range_spec(spec: &[u8]) -> Option<Spec> {
    let dash = spec.iter().position(|&octet| octet == b'-')?;
    match (&spec[..dash], &spec[dash + 1..]) {
        (b"", suffix) => Some(Spec::Suffix(number(suffix)?)),
        (first, b"") => Some(Spec::Int(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::Int(first, Some(last)))
        }
    }
}

/// 1*DIGIT. A number that does not fit is larger than any representation, and counts as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        digits.iter().fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
    })
}

impl Spec {
    /// The part that it means, if it is satisfiable; `length` is not zero.
    fn within(self, length: u64) -> Option<ByteRange> {
        let end = length - 1;
        match self {
            Self::Int(first, last) => (first <= end)
                .then(|| ByteRange { first, last: last.map_or(end, |last| last.min(end)) }),
            Self::Suffix(0) => None,
            Self::Suffix(count) => {
                Some(ByteRange { first: length.saturating_sub(count), last: end })
            }
        }
    }
}

impl ByteRange {
    /// The offset of its first byte.
    #[must_use]
    pub fn first(self) -> u64 {
        self.first
    }

    /// The offset of its last byte.
    #[must_use]
    pub fn last(self) -> u64 {
        self.last
    }

    /// How many bytes it holds: at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a range of bytes is never empty")]
    pub fn len(self) -> u64 {
        self.last - self.first + 1
    }

    // ABNF: Content-Range = range-unit SP ( incl-range "/" complete-length / "*" … )
    //                                                                     (RFC 9110 section 14.4)
    /// The value of a Content-Range field, where the whole representation has `length` bytes.
    #[must_use]
    pub fn content_range(self, length: u64) -> String {
        format!("bytes {}-{}/{length}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is selected, in the words of the table below.
    fn selected(value: &str, length: u64) -> String {
        match select(value.as_bytes(), length) {
            Selection::Whole => "whole".into(),
            Selection::Unsatisfiable => "none".into(),
            Selection::Parts(parts) => {
                let part = |part: &ByteRange| format!("{}-{}", part.first, part.last);
                parts.iter().map(part).collect::<Vec<_>>().join(",")
            }
        }
    }

    #[test]
    fn the_examples_of_the_rfc() {
        for (value, expected) in [
            ("bytes=0-499", "0-499"),
            ("bytes=500-999", "500-999"),
            ("bytes=-500", "9500-9999"),
            ("bytes=9500-", "9500-9999"),
            ("bytes=0-0,-1", "0-0,9999-9999"),
            ("bytes= 0-999, 4500-5499, -1000", "0-999,4500-5499,9000-9999"),
            ("bytes=500-600,601-999", "500-600,601-999"),
            // Valid, and an overlap.
            ("bytes=500-700,601-999", "whole"),
        ] {
            assert_eq!(selected(value, 10_000), expected, "{value}");
        }
    }

    #[test]
    fn what_a_range_selects_of_ten_bytes() {
        for (value, expected) in [
            ("bytes=0-", "0-9"),
            ("bytes=9-", "9-9"),
            ("bytes=10-", "none"),
            ("bytes=3-100", "3-9"),
            ("bytes=-0", "none"),
            ("bytes=-10", "0-9"),
            ("bytes=-11", "0-9"),
            ("BYTES=0-1", "0-1"),
            ("bytes=007-008", "7-8"),
            ("bytes=,, 1-2 ,\t,", "1-2"),
            // One of several is left: the answer has one part.
            ("bytes=20-30,1-2,-0", "1-2"),
            ("bytes=20-,30-40", "none"),
            ("bytes=5-6,0-1", "5-6,0-1"),
            // Numbers beyond every integer.
            ("bytes=99999999999999999999-", "none"),
            ("bytes=0-99999999999999999999", "0-9"),
            ("bytes=-99999999999999999999", "0-9"),
            ("bytes=18446744073709551616-18446744073709551617", "none"),
            // Ten times 2 to the 64th, which is 0 to arithmetic that wraps.
            ("bytes=184467440737095516160-", "none"),
            // Other units, and what is no range.
            ("", "whole"),
            ("bytes", "whole"),
            ("bytes=", "whole"),
            ("bytes=,", "whole"),
            ("bytes=-", "whole"),
            ("bytes=--1", "whole"),
            ("bytes=1", "whole"),
            ("bytes=2-1", "whole"),
            ("bytes=a-b", "whole"),
            ("bytes=+1-2", "whole"),
            ("bytes=1-+2", "whole"),
            ("bytes=1 - 2", "whole"),
            ("bytes=1- 2", "whole"),
            ("bytes=1-2-3", "whole"),
            ("bytes=0x1-2", "whole"),
            ("bytes=1-2;3-4", "whole"),
            ("bytes=1-2,x", "whole"),
            ("bytes=\"1-2\"", "whole"),
            ("bytes =1-2", "whole"),
            ("bytes:1-2", "whole"),
            ("items=1-2", "whole"),
            ("bytes=1-2,bytes=3-4", "whole"),
            // What is larger than it is worth.
            ("bytes=0-,0-", "whole"),
            ("bytes=1-3,3-5", "whole"),
            ("bytes=3-5,1-3", "whole"),
            ("bytes=0-9,-1", "whole"),
            ("bytes=1-8,2-3", "whole"),
        ] {
            assert_eq!(selected(value, 10), expected, "{value}");
        }
    }

    #[test]
    fn of_nothing_no_part_can_be_taken() {
        for value in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=x"] {
            assert_eq!(selected(value, 0), "whole", "{value}");
        }
    }

    #[test]
    fn of_the_longest_there_is_every_part_can_be_taken() {
        assert_eq!(selected("bytes=0-", u64::MAX), "0-18446744073709551614");
        assert_eq!(selected("bytes=-1", u64::MAX), "18446744073709551614-18446744073709551614");
        let Selection::Parts(parts) = select(b"bytes=0-", u64::MAX) else { panic!() };
        assert_eq!(parts[0].len(), u64::MAX);
    }

    #[test]
    fn eight_ranges_are_parts_and_nine_are_the_whole() {
        let set = |count: u64| (0..count).map(|n| format!("{}-{0}", 2 * n)).collect::<Vec<_>>();
        let value = |count| format!("bytes={}", set(count).join(","));
        assert_eq!(selected(&value(8), 100), set(8).join(","));
        assert_eq!(selected(&value(9), 100), "whole");
        assert_eq!(selected(&format!("bytes={}", "200-,".repeat(9)), 100), "whole");
        assert_eq!(selected(&format!("bytes={}", "0-0,".repeat(1_000_000)), 100), "whole");
    }

    /// All pairs of short ranges, by what they mean: a set of the bytes' places.
    #[test]
    fn pairs_of_ranges_select_the_bytes_they_name() {
        let mut specs = Vec::new();
        for first in 0..6 {
            specs.push((format!("{first}-"), first..=99));
            specs.extend((first..6).map(|last| (format!("{first}-{last}"), first..=last)));
        }
        for length in 1..5 {
            let suffixes = (1..6).map(|n: u64| (format!("-{n}"), length.max(n) - n..=99));
            let specs: Vec<_> = specs.iter().cloned().chain(suffixes).collect();
            for ((one, a), (other, b)) in
                specs.iter().flat_map(|a| specs.iter().map(move |b| (a, b)))
            {
                let places = |range: &std::ops::RangeInclusive<u64>| -> Vec<u64> {
                    (0..length).filter(|place| range.contains(place)).collect()
                };
                let (a, b) = (places(a), places(b));
                let text = |places: &[u64]| {
                    let (first, last) = (places.first()?, places.last()?);
                    Some(format!("{first}-{last}"))
                };
                let expected = match (text(&a), text(&b)) {
                    (None, None) => "none".to_owned(),
                    (Some(one), None) | (None, Some(one)) => one,
                    _ if a.iter().any(|place| b.contains(place)) => "whole".to_owned(),
                    (Some(one), Some(other)) => format!("{one},{other}"),
                };
                let value = format!("bytes={one},{other}");
                assert_eq!(selected(&value, length), expected, "{value} of {length}");
            }
        }
    }
}
