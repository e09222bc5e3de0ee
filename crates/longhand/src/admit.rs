//! What a request's head asks of its connection: its framing, its expectation, its Connection field.
//!
//! A parsed head enters; out comes what the exchange needs to know, or the rule that the head breaks
//! by asking for it. No other file reads the Connection, Expect or Upgrade of a
//! request that is served.

use crate::request::Persistence;
use crate::transport::Transport;
use crate::wire::{Framing, Kind, RequestHead, Target, Version, Violation, elements};

/// What the head of a request says about its exchange.
pub(crate) struct Admitted {
    pub(crate) framing: Framing,
    /// The client waits for a 100 before it sends the body.
    pub(crate) expects: bool,
    /// Whether the client lets the connection go on.
    pub(crate) persistence: Persistence,
    /// The client asks for another protocol.
    upgrade: bool,
}

/// Judges a head. `target` is where its request-target stands.
pub(crate) fn admit(
    head: &RequestHead<'_>,
    target: usize,
    transport: &dyn Transport,
) -> Result<Admitted, Violation> {
    let framing = Framing::of_request(head)?;
    match head.target {
        Target::Authority(_) => return Err(Violation::new(Kind::ConnectRefused, 0, None)),
        Target::Absolute { scheme, .. } if !is_served(scheme, transport) => {
            return Err(Violation::new(Kind::SchemeNotServed, target, None));
        }
        _ => {}
    }
    if !head.fields.may_have(&["connection", "expect"]) {
        return Ok(Admitted::plain(framing, head.version));
    }
    let (mut close, mut keep_alive, mut upgrade) = (false, false, false);
    for value in head.fields.all("connection") {
        for option in elements(value) {
            close |= option.eq_ignore_ascii_case(b"close");
            keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }
    let newer = head.version == Version::Http11;
    let persists = !close && (newer || keep_alive);
    Ok(Admitted {
        framing,
        expects: newer && expectation(head)?,
        persistence: if persists { Persistence::Persist } else { Persistence::Close },
        upgrade: newer && upgrade,
    })
}

/// RFC 9110 section 7.4: a request for https that comes in the clear was not meant for here.
fn is_served(scheme: &str, transport: &dyn Transport) -> bool {
    scheme.eq_ignore_ascii_case("http")
        || (scheme.eq_ignore_ascii_case("https") && transport.is_secure())
}

// ABNF: Expect = #expectation; the one expectation is "100-continue"    (RFC 9110 section 10.1.1)
fn expectation(head: &RequestHead<'_>) -> Result<bool, Violation> {
    let mut expects = false;
    for (line, value) in head.fields.named("expect") {
        for expectation in elements(value) {
            if !expectation.eq_ignore_ascii_case(b"100-continue") {
                return Err(Violation::new(Kind::Expectation, line, None));
            }
            expects = true;
        }
    }
    Ok(expects)
}

impl Admitted {
    /// Of a head that asks for nothing but what its version gives.
    fn plain(framing: Framing, version: Version) -> Self {
        let persistence = match version {
            Version::Http11 => Persistence::Persist,
            Version::Http10 => Persistence::Close,
        };
        Self { framing, expects: false, persistence, upgrade: false }
    }

    /// Whether the client asked to go on to `protocol` (RFC 9110 section 7.8).
    pub(crate) fn asks_for(&self, head: &RequestHead<'_>, protocol: &str) -> bool {
        self.upgrade
            && head
                .fields
                .list("upgrade")
                .any(|asked| asked.eq_ignore_ascii_case(protocol.as_bytes()))
    }

    /// Whether more of the body is to come than the `arrived` bytes behind the head.
    pub(crate) fn wants_more(&self, arrived: usize) -> bool {
        match self.framing {
            Framing::None => false,
            Framing::Length(length) => length > arrived as u64,
            Framing::Chunked => true,
        }
    }
}
