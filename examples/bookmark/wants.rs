//! In which form a client wants its answer (RFC 9110 section 12.5.1).
//!
//! A request enters; out comes the form. A page and JSON are for those who name them; everybody else,
//! `*/*` too, gets what the course's exercise asked for: pages as HTML, and what went wrong as a line
//! of text.

use longhand::Request;
use longhand::wire::elements;
use longhand::wire::grammar::trim_blanks;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A browser: `text/html` is named.
    Page,
    /// A program: `application/json` is named, and liked no less.
    Json,
    /// Anybody else.
    Text,
}

impl Wants {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let (mut page, mut json) = (0, 0);
        for range in request.fields().all("Accept").flat_map(elements) {
            match read(range) {
                (name, weight) if name.eq_ignore_ascii_case(b"text/html") => page = weight,
                (name, weight) if name.eq_ignore_ascii_case(b"application/json") => json = weight,
                _ => {}
            }
        }
        match (page, json) {
            (0, 0) => Self::Text,
            _ if json >= page => Self::Json,
            _ => Self::Page,
        }
    }
}

// ABNF: media-range = ( "*/*" / ( type "/*" ) / ( type "/" subtype ) ) parameters
//       weight = OWS ";" OWS "q=" qvalue                   (RFC 9110 sections 12.5.1 and 12.4.2)
/// A media range and its weight in thousandths. One that cannot be read is 0: it was not asked for.
fn read(range: &[u8]) -> (&[u8], u16) {
    let mut parts = range.split(|&octet| octet == b';').map(trim_blanks);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| match part {
        [b'q' | b'Q', b'=', value @ ..] => Some(thousandths(value).unwrap_or(0)),
        _ => None,
    });
    (name, weight.unwrap_or(1_000))
}

// ABNF: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )      (RFC 9110 section 12.4.2)
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, fraction) = match value {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut weight = u16::from(whole - b'0');
    for place in 0..3 {
        let digit = fraction.get(place).copied().unwrap_or(b'0');
        weight = weight * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    (weight <= 1_000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};
    use std::cell::Cell;

    fn wants(accept: &str) -> Wants {
        let mut client =
            Scripted::new().send(format!("GET / HTTP/1.1\r\nHost: x\r\n{accept}\r\n")).end();
        let found = Cell::new(None);
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            found.set(Some(Wants::of(request)));
            Response::text("")
        });
        found.get().unwrap()
    }

    #[test]
    fn pages_and_json_are_for_those_who_name_them() {
        for (accept, expected) in [
            ("", Wants::Text),
            ("Accept: */*\r\n", Wants::Text),
            ("Accept: text/*, image/png\r\n", Wants::Text),
            (
                "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n",
                Wants::Page,
            ),
            ("Accept: application/json\r\n", Wants::Json),
            ("Accept: Application/JSON; q=1.0\r\n", Wants::Json),
            ("Accept: application/json, text/plain, */*\r\n", Wants::Json),
            ("Accept: text/html, application/json;q=0.9\r\n", Wants::Page),
            ("Accept: text/html;q=0.5\r\nAccept: application/json ; q=0.501\r\n", Wants::Json),
            ("Accept: application/json;q=0\r\n", Wants::Text),
            ("Accept: application/json;q=2, text/html;q=0.0000\r\n", Wants::Text),
            ("Accept: application/json;v=1;q=0.3, text/html;q=0.2\r\n", Wants::Json),
        ] {
            assert_eq!(wants(accept), expected, "{accept}");
        }
    }
}
