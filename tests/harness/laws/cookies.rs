//! Cookie lines, and cookies that are set.

use longhand::wire::percent_decode;
use longhand_kit::cookie::{SetCookie, encode, pairs};

use super::setting;

/// A Cookie line; and a cookie to be set, whose name is as long as the first byte says.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    line(bytes);
    value(bytes);
    let (length, rest) = setting(bytes);
    let (name, value) = rest.split_at(rest.len().min(usize::from(length % 24)));
    if let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) {
        set(name, value);
    }
}

fn line(line: &[u8]) {
    let found: Vec<_> = pairs(line).collect();
    let mut behind = line.as_ptr() as usize;
    for (name, value) in &found {
        let edges = [name.first(), name.last(), value.first(), value.last()];
        assert!(!edges.into_iter().flatten().any(|octet| b" \t".contains(octet)));
        assert!(!name.is_empty() && !name.contains(&b'=') && !name.contains(&b';'));
        assert!(!value.contains(&b';'));
        // Each lies in the line, behind the one before: nothing is copied or made up.
        let (at, end) = (name.as_ptr() as usize, value.as_ptr() as usize + value.len());
        assert!(at >= behind && end <= line.as_ptr() as usize + line.len());
        behind = end;
    }
    let written = found.iter().map(|(name, value)| [name, &b"="[..], value].concat());
    let written = written.collect::<Vec<_>>().join(&b"; "[..]);
    assert!(pairs(&written).eq(found.iter().copied()), "what was read and written is the same");

    // The obvious way.
    let text = line.iter().map(|octet| char::from(*octet)).collect::<String>();
    let slow = text.split(';').filter_map(|part| part.split_once('='));
    let slow = slow.map(|(name, value)| {
        (name.trim_matches([' ', '\t']).to_owned(), value.trim_matches([' ', '\t']).to_owned())
    });
    let latin = |bytes: &[u8]| bytes.iter().map(|octet| char::from(*octet)).collect::<String>();
    let quick = found.iter().map(|(name, value)| (latin(name), latin(value)));
    assert!(quick.eq(slow.filter(|(name, _)| !name.is_empty())));
}

/// That any value fits into a cookie once it is encoded, and comes back.
fn value(bytes: &[u8]) {
    let encoded = encode(bytes);
    assert!(encoded.len() <= 3 * bytes.len());
    assert_eq!(percent_decode(&encoded).as_deref(), Ok(bytes));
    if encoded.len() < 4_000 {
        set("n", &encoded).expect("what was encoded fits");
    }
}

/// That a cookie that may be set comes back as it was set. `None` where it is refused.
fn set(name: &str, value: &str) -> Option<()> {
    let field = SetCookie::new(name, value).field_value().ok()?;
    let pair = field.as_bytes().split(|octet| *octet == b';').next().unwrap_or_default();
    let found: Vec<_> = pairs(pair).collect();
    assert_eq!(found, [(name.as_bytes(), value.as_bytes())]);
    assert!(!field.as_bytes().iter().any(u8::is_ascii_control));
    Some(())
}
