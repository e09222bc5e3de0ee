//! Heads of requests and responses.

use longhand::Limits;
use longhand::wire::{
    Fields, Framing, Parsed, RequestHead, ResponseHead, Target, Version, Violation,
    grammar::is_token, percent_decode,
};

use super::random_of;
use super::wire::{check_head, check_laws};
use crate::golden::Settings;

/// Names whose look-ups have a fast path, with some that nobody sends.
const NAMES: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
    "cookie",
    "te",
    "x",
    "",
];

/// A head, of a response if it begins like one.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    let tight = Limits { target: 12, head: 80, fields: 3, ..Limits::default() };
    for limits in [Limits::default(), tight] {
        let response_to = bytes.starts_with(b"HTTP").then(|| "GET".to_owned());
        let settings = Settings { response_to, limits, ..Settings::default() };
        check_laws(bytes, &settings, "");
        check_head(bytes, &settings, "");
        if settings.response_to.is_some() {
            response(bytes, &settings.limits);
        } else {
            request(bytes, &settings.limits);
        }
    }
}

fn request(bytes: &[u8], limits: &Limits) {
    let mut lines = Vec::new();
    let parsed = RequestHead::parse(bytes, limits, &mut lines);
    let Some((head, consumed)) = complete(parsed) else { return };
    assert!(head.target_text.len() <= limits.target);
    check_size(bytes, consumed, head.fields, limits);
    check_beginnings(bytes, consumed, |beginning| {
        matches!(RequestHead::parse(beginning, limits, &mut Vec::new()), Ok(Parsed::Partial))
    });
    assert!(is_token(head.method.as_bytes()));
    check_target(&head);
    check_fields(head.fields);

    // What is written is read as the same.
    let written = [
        head.method.as_bytes(),
        b" ",
        head.target_text.as_bytes(),
        version(head.version),
        b"\r\n",
        &lines_of(head.fields),
    ]
    .concat();
    let (roomy, mut lines) = (Limits { head: 1 << 20, ..limits.clone() }, Vec::new());
    let again = RequestHead::parse(&written, &roomy, &mut lines);
    let (again, _) = complete(again).expect("what was read can be written");
    assert_eq!((again.method, again.target), (head.method, head.target));
    assert_eq!((again.version, again.authority), (head.version, head.authority));
    assert!(again.fields.iter().eq(head.fields.iter()));
    let framing = Framing::of_request(&head);
    let kind = |framing: Result<Framing, Violation>| framing.map_err(|violation| violation.kind());
    assert_eq!(kind(Framing::of_request(&again)), kind(framing));
    check_framing(&head, framing);
}

fn response(bytes: &[u8], limits: &Limits) {
    let mut lines = Vec::new();
    let parsed = ResponseHead::parse(bytes, limits, &mut lines);
    let Some((head, consumed)) = complete(parsed) else { return };
    check_size(bytes, consumed, head.fields, limits);
    check_beginnings(bytes, consumed, |beginning| {
        matches!(ResponseHead::parse(beginning, limits, &mut Vec::new()), Ok(Parsed::Partial))
    });
    check_fields(head.fields);
    let code = format!(" {} ", head.status.code());
    let written = [
        version(head.version).trim_ascii_start(),
        code.as_bytes(),
        head.reason,
        b"\r\n",
        &lines_of(head.fields),
    ]
    .concat();
    let (roomy, mut lines) = (Limits { head: 1 << 20, ..limits.clone() }, Vec::new());
    let again = ResponseHead::parse(&written, &roomy, &mut lines);
    let (again, _) = complete(again).expect("what was read can be written");
    assert_eq!((again.version, again.status), (head.version, head.status));
    assert_eq!(again.reason, head.reason);
    assert!(again.fields.iter().eq(head.fields.iter()));
    for method in ["HEAD", "CONNECT"] {
        let none = head.status.code() == 200 || method == "HEAD";
        let framing = Framing::of_response(&head, method);
        assert!(!none || framing == Ok(Some(Framing::None)), "{method}: {framing:?}");
    }
}

fn complete<T>(parsed: Result<Parsed<T>, Violation>) -> Option<(T, usize)> {
    match parsed {
        Ok(Parsed::Complete { value, consumed }) => Some((value, consumed)),
        _ => None,
    }
}

fn check_size(bytes: &[u8], consumed: usize, fields: Fields<'_>, limits: &Limits) {
    assert!(consumed <= bytes.len(), "more was consumed than given");
    // Empty lines in front are not of the head.
    let empty = bytes.iter().take_while(|octet| b"\r\n".contains(octet)).count();
    assert!(consumed - empty <= limits.head, "{consumed} bytes of a head");
    assert!(fields.len() <= limits.fields, "{} field lines", fields.len());
    assert!(bytes[..consumed].ends_with(b"\r\n\r\n"), "a head ends with its empty line");
}

/// That no beginning of a whole head is whole, or refused.
fn check_beginnings(bytes: &[u8], consumed: usize, is_partial: impl Fn(&[u8]) -> bool) {
    let mut random = random_of(bytes);
    let some = [0, consumed - 1, consumed / 2, random.below(consumed), random.below(consumed)];
    for end in some {
        assert!(is_partial(&bytes[..end]), "the first {end} bytes of {consumed} are no beginning");
    }
}

fn check_target(head: &RequestHead<'_>) {
    match head.target {
        Target::Origin { path, query } => {
            assert!(path.starts_with('/') && !path.contains('?'));
            assert!(percent_decode(path).is_ok_and(|decoded| decoded.len() <= path.len()));
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            assert_eq!(format!("{path}{query}"), head.target_text);
        }
        Target::Absolute { scheme, authority, path, query } => {
            assert!(!scheme.is_empty() && !authority.is_empty() && path.starts_with('/'));
            assert!(!authority.contains(['@', '/', '?']) && percent_decode(path).is_ok());
            assert_eq!(head.authority, authority);
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let text = format!("{scheme}://{authority}{path}{query}");
            let short = format!("{scheme}://{authority}{}{query}", &path[1..]);
            assert!([text, short].iter().any(|text| text == head.target_text));
        }
        Target::Authority(authority) => {
            assert_eq!((head.method, authority), ("CONNECT", head.target_text));
        }
        Target::Asterisk => assert_eq!((head.method, head.target_text), ("OPTIONS", "*")),
    }
}

fn check_fields(fields: Fields<'_>) {
    for (name, value) in fields.iter() {
        assert!(is_token(name.as_bytes()), "{name:?}");
        let is_blank = |octet: Option<&u8>| octet.is_some_and(|octet| b" \t".contains(octet));
        assert!(!is_blank(value.first()) && !is_blank(value.last()), "blanks around a value");
        assert!(!value.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t'));
    }
    // A look-up finds what a walk finds.
    let named: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
    for name in named.iter().chain(NAMES) {
        let walked = fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        assert!(fields.all(name).eq(walked.map(|(_, value)| value)), "{name}");
    }
    let options: Vec<&[u8]> = fields.list("connection").collect();
    for (name, _) in fields.end_to_end() {
        let is_named = options.iter().any(|option| option.eq_ignore_ascii_case(name.as_bytes()));
        assert!(!is_named, "{name} is this connection's alone");
    }
}

/// That there is one opinion about where the body ends.
fn check_framing(head: &RequestHead<'_>, framing: Result<Framing, Violation>) {
    let (length, coding) =
        (head.fields.get("content-length"), head.fields.get("transfer-encoding"));
    match framing {
        Ok(Framing::None) => assert!(length.is_none() && coding.is_none()),
        Ok(Framing::Chunked) => assert!(length.is_none() && head.version == Version::Http11),
        Ok(Framing::Length(length)) => {
            assert!(coding.is_none());
            for value in head.fields.all("content-length") {
                for element in value.split(|octet| *octet == b',') {
                    let text = std::str::from_utf8(element).expect("digits").trim();
                    assert!(text.bytes().all(|octet| octet.is_ascii_digit()));
                    assert_eq!(text.parse(), Ok(length));
                }
            }
        }
        Err(violation) => assert!(length.is_some() || coding.is_some(), "{violation}"),
    }
}

fn version(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b" HTTP/1.0",
        Version::Http11 => b" HTTP/1.1",
    }
}

fn lines_of(fields: Fields<'_>) -> Vec<u8> {
    let line = |(name, value): (&str, &[u8])| [name.as_bytes(), b": ", value, b"\r\n"].concat();
    let mut lines = fields.iter().map(line).collect::<Vec<_>>().concat();
    lines.extend_from_slice(b"\r\n");
    lines
}
