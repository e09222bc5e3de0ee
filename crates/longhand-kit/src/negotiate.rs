//! Which codings of a representation a client accepts, and which it likes best.
//!
//! What enters are a request and the codings that there are; what leaves are those of them that may
//! be sent, the best first (RFC 9110 sections 12.4.2 and 12.5.3). A malformed weight counts as 0: what
//! cannot be read was not asked for. Without the field nothing but `identity` is left: the RFC lets a
//! server send anything then, but clients that do not send it do not decode anything.
//!
//! Languages and media types are not negotiated here: sites that have several give each its own
//! address, which can be linked and cached.

use longhand::Request;
use longhand::wire::grammar::trim_blanks;

/// The codings of `offered` that the client accepts, from the one it likes best to the least; equals
/// stay in the order in which they are offered. `identity` stands for the bytes as they are.
///
/// `identity` is accepted without being named, behind all that are named. A client may refuse even
/// that, and then the list can be empty: answer 406, or disregard the field and send what there is,
/// as section 12.4.1 leaves open.
///
/// A response that was chosen so needs `Vary: Accept-Encoding`, whichever was chosen.
///
/// ```
/// # use longhand::{Limits, Response, serve_connection, transport::Scripted};
/// use longhand_kit::negotiate::codings;
///
/// let mut client = Scripted::new()
///     .send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br;q=0.9, zstd\r\n\r\n")
///     .end();
/// serve_connection(&mut client, &Limits::default(), |request| {
///     assert_eq!(codings(request, &["br", "gzip", "identity"]), ["gzip", "br", "identity"]);
///     assert_eq!(codings(request, &["deflate", "identity"]), ["identity"]);
///     Response::text("")
/// });
/// # assert!(client.output_text().starts_with("HTTP/1.1 200 "));
/// ```
#[must_use]
pub fn codings<'o>(request: &Request<'_>, offered: &[&'o str]) -> Vec<&'o str> {
    let accepted: Vec<Accepted<'_>> =
        request.fields().list("Accept-Encoding").map(Accepted::read).collect();
    let mut found: Vec<(Weight, &str)> = offered
        .iter()
        .map(|&coding| (weight_of(coding, &accepted), coding))
        .filter(|found| found.0 > Weight::REFUSED)
        .collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.0));
    found.into_iter().map(|(_, coding)| coding).collect()
}

/// 0 is "not acceptable", 1 "if there is nothing else", and from 2 on thousandths, each one more: so
/// that sorting puts what was named before what was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Weight(u16);

impl Weight {
    const REFUSED: Self = Self(0);
    /// Less than the least that can be named, which is 0.001.
    const UNNAMED: Self = Self(1);

    fn thousandths(n: u16) -> Self {
        Self(if n == 0 { 0 } else { n + 1 })
    }
}

struct Accepted<'r> {
    coding: &'r [u8],
    weight: Weight,
}

impl<'r> Accepted<'r> {
    // ABNF: Accept-Encoding = #( codings [ weight ] )                     (RFC 9110 section 12.5.3)
    //       codings         = content-coding / "identity" / "*"
    //       weight          = OWS ";" OWS "q=" qvalue                     (RFC 9110 section 12.4.2)
    fn read(element: &'r [u8]) -> Self {
        let Some(semicolon) = element.iter().position(|&octet| octet == b';') else {
            return Self { coding: element, weight: Weight::thousandths(1_000) };
        };
        let (coding, parameter) = element.split_at(semicolon);
        let weight = match trim_blanks(&parameter[1..]) {
            [b'q' | b'Q', b'=', value @ ..] => qvalue(value).unwrap_or(0),
            _ => 0,
        };
        Self { coding: trim_blanks(coding), weight: Weight::thousandths(weight) }
    }

    fn names(&self, coding: &str) -> bool {
        // A recipient takes `x-gzip` for `gzip` (RFC 9110 section 8.4.1.3).
        self.coding.eq_ignore_ascii_case(coding.as_bytes())
            || coding == "gzip" && self.coding.eq_ignore_ascii_case(b"x-gzip")
    }
}

/// The weight of a coding: its own, else that of `*`, else what it has unasked.
fn weight_of(coding: &str, accepted: &[Accepted<'_>]) -> Weight {
    let own = accepted.iter().find(|accepted| accepted.names(coding));
    let any = || accepted.iter().find(|accepted| accepted.coding == b"*");
    match own.or_else(any) {
        Some(accepted) => accepted.weight,
        None if coding == "identity" => Weight::UNNAMED,
        None => Weight::REFUSED,
    }
}

// ABNF: qvalue = ( "0" [ "." 0*3( DIGIT ) ] ) / ( "1" [ "." 0*3( "0" ) ] )  (RFC 9110 section 12.4.2)
/// In thousandths.
fn qvalue(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let digit = |octet: &u8| octet.is_ascii_digit().then(|| u16::from(octet - b'0'));
    let mut number = digit(whole)?;
    for at in 0..3 {
        number = number * 10 + decimals.get(at).map_or(Some(0), digit)?;
    }
    (number <= 1_000).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};
    use std::cell::RefCell;

    /// What is chosen under these Accept-Encoding lines.
    fn chosen(lines: &[&str]) -> Vec<&'static str> {
        let lines: String =
            lines.iter().map(|line| format!("accept-encoding: {line}\r\n")).collect();
        let mut client = Scripted::new().send(format!("GET / HTTP/1.0\r\n{lines}\r\n")).end();
        let found = RefCell::new(Vec::new());
        serve_connection(&mut client, &Limits::default(), |request| {
            *found.borrow_mut() = codings(request, &["br", "gzip", "identity"]);
            Response::text("")
        });
        assert!(client.output_text().contains("200 OK"), "{}", client.output_text());
        found.into_inner()
    }

    #[test]
    fn weights_decide_and_then_the_servers_order() {
        for (line, wanted) in [
            ("", &["identity"][..]),
            ("gzip", &["gzip", "identity"]),
            ("gzip, br", &["br", "gzip", "identity"]),
            ("gzip, deflate, br, zstd", &["br", "gzip", "identity"]),
            ("GZip;Q=1, BR;q=1.000", &["br", "gzip", "identity"]),
            ("x-gzip", &["gzip", "identity"]),
            ("gzip;q=0.5", &["gzip", "identity"]),
            ("gzip;q=0.001", &["gzip", "identity"]),
            ("br;q=0.3, gzip;q=0.31", &["gzip", "br", "identity"]),
            ("identity, gzip;q=0.9", &["identity", "gzip"]),
            ("identity;q=0.2, gzip;q=0.2", &["gzip", "identity"]),
            ("identity;q=0", &[]),
            ("identity;q=0, gzip", &["gzip"]),
            ("gzip;q=0", &["identity"]),
            ("gzip;q=0.000, br", &["br", "identity"]),
            ("*", &["br", "gzip", "identity"]),
            ("*;q=0", &[]),
            ("*;q=0, gzip", &["gzip"]),
            ("*;q=0, identity;q=0.1", &["identity"]),
            ("gzip, *;q=0.5", &["gzip", "br", "identity"]),
            ("gzip;q=0, *", &["br", "identity"]),
            ("br;q=0.1, *;q=0.2", &["gzip", "identity", "br"]),
            ("compress, gzip2", &["identity"]),
            ("gzip \t; \tq=0.5 ,\tbr ;q=0.4", &["gzip", "br", "identity"]),
            (",, gzip ,,", &["gzip", "identity"]),
            ("gzip;q=0, gzip", &["identity"]),
        ] {
            assert_eq!(chosen(&[line]), wanted, "{line:?}");
        }
    }

    #[test]
    fn a_weight_that_is_none_counts_as_0() {
        for weight in [
            "q=", "q", "", "q=2", "q=1.001", "q=1.0000", "q=0.1234", "q=-1", "q=+1", "q=.5",
            "q=0x1", "q =1", "q= 1", "q=1;q=1", "level=9", "q=\"1\"", "q=1e0", "q=1.0é",
        ] {
            let line = format!("gzip;{weight}, br;q=0.1");
            let found = chosen(&[&line]);
            assert!(!found.contains(&"gzip"), "{line:?}: {found:?}");
            assert!(found.contains(&"br"), "{line:?}: {found:?}");
        }
    }

    #[test]
    fn several_lines_are_one_list_and_none_leaves_identity() {
        assert_eq!(chosen(&["gzip;q=0.5", "br;q=0.6"]), ["br", "gzip", "identity"]);
        assert_eq!(chosen(&[]), ["identity"]);
    }

    #[test]
    fn every_qvalue_of_the_grammar_is_read_and_nothing_else() {
        for n in 0..=1_000u16 {
            let text = format!("{}.{:03}", n / 1_000, n % 1_000);
            assert_eq!(qvalue(text.as_bytes()), Some(n), "{text}");
            let short = text.trim_end_matches('0');
            assert_eq!(qvalue(short.as_bytes()), Some(n), "{short}");
        }
        assert_eq!((qvalue(b"0"), qvalue(b"1")), (Some(0), Some(1_000)));
    }
}
