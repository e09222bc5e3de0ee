//! Range fields.

use longhand_kit::range::{Selection, select};

use super::setting;

/// A length, of the byte or the word that begins the input, and the value of a Range field.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    let (first, rest) = setting(bytes);
    let (length, value) = match rest.split_first_chunk::<8>() {
        Some((word, rest)) if first >= 0xf0 => (u64::from_le_bytes(*word), rest),
        _ => (u64::from(first), rest),
    };
    let selected = select(value, length);
    if let Selection::Parts(parts) = &selected {
        assert!((1..=8).contains(&parts.len()), "{} parts", parts.len());
        for (i, part) in parts.iter().enumerate() {
            assert!(part.first() <= part.last() && part.last() < length);
            assert_eq!(u128::from(part.len()), u128::from(part.last() - part.first()) + 1);
            let overlaps = |other: &longhand_kit::range::ByteRange| {
                other.first() <= part.last() && part.first() <= other.last()
            };
            assert!(!parts[..i].iter().any(overlaps), "an overlap");
            let field = format!("bytes {}-{}/{length}", part.first(), part.last());
            assert_eq!(part.content_range(length), field);
        }
        let sent: u128 = parts.iter().map(|part| u128::from(part.len())).sum();
        assert!(sent <= u128::from(length), "more is sent than there is");
        // Written as what it selects, it selects the same.
        let written = parts.iter().map(|part| format!("{}-{}", part.first(), part.last()));
        let written = format!("bytes={}", written.collect::<Vec<_>>().join(","));
        assert_eq!(select(written.as_bytes(), length), selected);
    }
    if let Some(slow) = slowly(value, length) {
        let quick = match &selected {
            Selection::Whole => vec![(0, u128::MAX)],
            Selection::Unsatisfiable => Vec::new(),
            Selection::Parts(parts) => {
                parts.iter().map(|p| (u128::from(p.first()), u128::from(p.last()))).collect()
            }
        };
        assert_eq!(quick, slow);
    }
}

/// The obvious way, for what has no quotes: the parts, none where nothing is satisfiable, and one
/// without end for the whole. `None` where it does not say.
fn slowly(value: &[u8], length: u64) -> Option<Vec<(u128, u128)>> {
    let whole = Some(vec![(0, u128::MAX)]);
    let text = std::str::from_utf8(value).ok().filter(|text| !text.contains('"'))?;
    let Some((unit, set)) = text.split_once('=') else { return whole };
    let elements = set.split(',').map(|spec| spec.trim_matches([' ', '\t']));
    let elements: Vec<&str> = elements.filter(|spec| !spec.is_empty()).collect();
    if !unit.eq_ignore_ascii_case("bytes") || length == 0 || elements.is_empty() {
        return whole;
    }
    if elements.len() > 8 {
        return whole;
    }
    let length = u128::from(length);
    let mut parts: Vec<(u128, u128)> = Vec::new();
    for spec in elements {
        let Some((first, last)) = spec.split_once('-') else { return whole };
        let is_digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if !is_digits(first) || !is_digits(last) || (first.is_empty() && last.is_empty()) {
            return whole;
        }
        let number = |text: &str| text.parse::<u128>().unwrap_or(u128::MAX);
        let (first, last) = match (first, last) {
            ("", count) => (length.saturating_sub(number(count)), length - 1),
            (first, "") => (number(first), length - 1),
            // Larger than any file, or wrong? Not for this to say.
            (first, last) if first.len() > 18 || last.len() > 18 => return None,
            (first, last) if number(first) > number(last) => return whole,
            (first, last) => (number(first), number(last).min(length - 1)),
        };
        if first < length {
            parts.push((first, last));
        }
    }
    let overlap = (1..parts.len())
        .any(|i| parts[..i].iter().any(|other| other.0 <= parts[i].1 && parts[i].0 <= other.1));
    if overlap { whole } else { Some(parts) }
}
