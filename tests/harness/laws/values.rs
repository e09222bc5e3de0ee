//! Small values that stand in fields, queries and cookies: lists, quoted strings, dates, entity-tags,
//! base64, origins, places on this site.

use longhand::wire::{elements, format_date, parse_date, percent_decode, percent_encode, unquote};
use longhand_kit::base64;
use longhand_kit::etag::ETag;
use longhand_kit::origin::{Origin, host_and_port};
use longhand_kit::redirect::Local;

/// What was read and written is read as the same, whichever of them the bytes are.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    list(bytes);
    if let Some(text) = unquote(bytes) {
        assert!(text.len() + 2 <= bytes.len());
        let quoted = text.iter().flat_map(|octet| [b'\\', *octet]).collect::<Vec<_>>();
        assert_eq!(unquote(&[b"\"", &quoted[..], b"\""].concat()), Some(text));
    }
    if let Some(seconds) = parse_date(bytes, 1_795_000_000) {
        assert_eq!(parse_date(&format_date(seconds), 0), Some(seconds));
    }
    if let Ok(decoded) = percent_decode(bytes) {
        assert!(decoded.len() <= bytes.len());
        assert_eq!(percent_decode(percent_encode(&decoded)), Ok(decoded));
    }
    if let Some(tag) = ETag::parse(bytes) {
        assert_eq!(tag.to_string().as_bytes(), String::from_utf8_lossy(bytes).as_bytes());
        assert!(tag.matches_weakly(&tag) && tag.matches_strongly(&tag) != tag.is_weak());
        assert!(
            tag.clone().weak().matches_weakly(&tag) && !tag.clone().weak().matches_strongly(&tag)
        );
    }
    in_base64(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        origin(text);
        place(text);
    }
}

fn list(value: &[u8]) {
    let found: Vec<&[u8]> = elements(value).collect();
    assert!(found.iter().map(|element| element.len()).sum::<usize>() <= value.len());
    for element in &found {
        let edges = [element.first(), element.last()];
        assert!(!element.is_empty() && !edges.into_iter().flatten().any(|o| b" \t".contains(o)));
    }
    // A quote that is left open runs to the end, which is not where it ran when more is behind it.
    assert!(elements(&found.join(&b", "[..])).eq(found.iter().copied()));
}

/// Each alphabet has one form of a text and no other.
fn in_base64(bytes: &[u8]) {
    assert_eq!(base64::decode(base64::encode(bytes)).as_deref(), Ok(bytes));
    assert_eq!(base64::decode_url(base64::encode_url(bytes)).as_deref(), Ok(bytes));
    if let Ok(decoded) = base64::decode(bytes) {
        assert_eq!(base64::encode(decoded).as_bytes(), bytes);
    }
    if let Ok(decoded) = base64::decode_url(bytes) {
        assert_eq!(base64::encode_url(decoded).as_bytes(), bytes);
    }
}

fn origin(text: &str) {
    if let Some((host, port)) = host_and_port(text) {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let again = host_and_port(&format!("{host}{port}"));
        assert_eq!(again.map(|(host, _)| host), Some(host));
    }
    if let Ok((origin, rest)) = Origin::split(text) {
        assert!(text.ends_with(rest) && (rest.is_empty() || rest.starts_with(['/', '?', '#'])));
        assert_eq!(Origin::parse(&origin.to_string()), Ok(origin.clone()));
        assert!(!origin.host().contains(['@', '/', '\\']));
        assert!(origin.is_at(&format!("{}:{}", origin.host(), origin.port())));
    }
}

fn place(text: &str) {
    let Ok(place) = Local::parse(text) else { return };
    let there = place.as_str();
    assert!(there.starts_with('/') && !there.starts_with("//"), "{there}");
    assert!(there.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\'), "{there}");
    assert_eq!(Local::parse(there).as_ref(), Ok(&place), "{there}");
}
