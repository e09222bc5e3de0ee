//! Forms in a body, and the same in a query string.

use std::cell::RefCell;

use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, serve_connection};
use longhand_kit::form::{Form, MAX_PAIRS};

use super::{pieces, random_of};

/// An encoded form.
///
/// # Panics
/// If a law is broken.
pub fn check(encoded: &[u8]) {
    let form = Form::parse(encoded);
    assert_eq!(through_a_connection(encoded), form.as_ref().ok().cloned(), "the same in pieces");
    let slow = slowly(encoded);
    assert_eq!(form.is_ok(), slow.is_some());
    let (Ok(form), Some(slow)) = (form, slow) else { return };
    assert!(form.iter().eq(slow.iter().map(|(name, value)| (&name[..], &value[..]))));
    assert!(form.len() <= MAX_PAIRS && form.is_empty() == slow.is_empty());
    let decoded: usize = form.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(decoded <= encoded.len(), "more was decoded than encoded");
    for (name, _) in form.iter().take(5) {
        let first = slow.iter().find(|pair| pair.0 == name).map(|pair| &pair.1[..]);
        assert_eq!(form.first(name), first);
    }
    if form.iter().any(|(name, value)| !name.is_empty() || !value.is_empty()) || form.is_empty() {
        assert_eq!(Form::parse(form.encode()), Ok(form), "what was read and written is the same");
    }
}

/// The obvious way.
fn slowly(encoded: &[u8]) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for pair in encoded.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |octet| *octet == b'=');
        let mut half = || decode(halves.next().unwrap_or_default());
        pairs.push((half()?, half()?));
    }
    (pairs.len() <= MAX_PAIRS).then_some(pairs)
}

fn decode(mut encoded: &[u8]) -> Option<String> {
    let mut decoded = Vec::new();
    while let Some((first, rest)) = encoded.split_first() {
        encoded = rest;
        decoded.push(match first {
            b'+' => b' ',
            b'%' => {
                let digit = |at| rest.get(at).and_then(|octet| char::from(*octet).to_digit(16));
                encoded = rest.get(2..)?;
                u8::try_from(digit(0)? * 16 + digit(1)?).ok()?
            }
            other => *other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The form as a handler reads it, from a body that comes in pieces.
fn through_a_connection(encoded: &[u8]) -> Option<Form> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        encoded.len()
    );
    let mut peer = Scripted::new().send(head);
    let mut rest = encoded;
    for piece in pieces(encoded.len(), 1 + encoded.len() / 3, &mut random_of(encoded)) {
        let (now, later) = rest.split_at(piece);
        (peer, rest) = (peer.send(now), later);
    }
    let found = RefCell::new(None);
    serve_connection(&mut peer.end(), &Limits::default(), |request: &mut Request<'_>| {
        let form = Form::read(request)?;
        found.replace(Some(form));
        Ok::<_, Response>(Response::text(""))
    });
    found.into_inner()
}
