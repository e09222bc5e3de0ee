//! Heads on their way through: what a proxy removes, adds and replaces (RFC 9110 section 7.6).

use std::io::{self, Write};

use longhand::Request;
use longhand::wire::{Fields, Framing, RequestHead, Version};
use longhand_kit::forwarded::Client;

/// The longest body that is read before anything is sent, and may be sent again.
const SHORT: u64 = 64 << 10;

/// A request as a backend gets it. Framing never passes: whoever writes a body writes how it ends.
pub(crate) struct Outgoing<'r, 'c> {
    pub(crate) method: &'c str,
    /// This program's name in Via.
    pub(crate) via: &'r str,
    /// Its head, and a short body.
    pub(crate) begin: Vec<u8>,
    /// Its body follows as it comes, by this framing.
    pub(crate) streams: bool,
    pub(crate) framing: Framing,
    pub(crate) request: &'r mut Request<'c>,
    /// The client waits for a 100, which is the backend's to give (RFC 9110 section 10.1.1).
    pub(crate) expects: bool,
    /// All of it is there, and it may be sent again when nobody knows what became of it: it is
    /// idempotent (RFC 9110 section 9.2.2), and was not sent again before.
    pub(crate) again: bool,
    /// The last one that was asked may have some of it.
    pub(crate) sent: bool,
}

impl<'r, 'c> Outgoing<'r, 'c> {
    pub(crate) fn new(
        request: &'r mut Request<'c>,
        client: &Client,
        via: &'r str,
    ) -> io::Result<Self> {
        let RequestHead { method, target, fields, version, authority, .. } = request.head();
        let (framing, left) = (Framing::of_request(&request.head())?, forwards(&request.head()));
        let expects = version == Version::Http11 && fields.get("expect").is_some();
        let (framed, streams) = match framing {
            Framing::None => (String::new(), false),
            Framing::Length(length) => {
                (format!("Content-Length: {length}\r\n"), length > SHORT || expects && length > 0)
            }
            Framing::Chunked => ("Transfer-Encoding: chunked\r\n".to_owned(), true),
        };
        let expects = expects && streams;
        let path = target.path();
        let query = target.query().map_or(String::new(), |query| format!("?{query}"));
        let line = format!("{method} {path}{query} HTTP/1.1\r\nHost: {authority}\r\n");
        let mut begin = line.into_bytes();
        if let Some(left) = left {
            write!(begin, "Max-Forwards: {}\r\n", left.saturating_sub(1))?;
        }
        let ours = |name: &str| tells_of_client(name) || left.is_some() && name == "max-forwards";
        for (name, value) in passing(fields).filter(|(name, _)| !ours(&as_read(name))) {
            begin.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        let address = client.address().map_or("unknown".to_owned(), |address| address.to_string());
        let (scheme, host) = (client.scheme(), client.authority());
        let number = if version == Version::Http10 { "1.0" } else { "1.1" };
        let expect = if expects { "Expect: 100-continue\r\n" } else { "" };
        write!(
            begin,
            "X-Forwarded-For: {address}\r\nX-Forwarded-Proto: {scheme}\r\n\
             X-Forwarded-Host: {host}\r\nVia: {number} {via}\r\n{framed}{expect}\r\n"
        )?;
        if !streams {
            begin.extend(request.body().read_all()?);
        }
        let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"].contains(&method);
        let again = idempotent && !streams;
        Ok(Self { method, via, begin, streams, framing, request, expects, again, sent: false })
    }
}

/// The lines of either message that go on as they are. Trailers are dropped, so nobody announces
/// them; `Proxy-…` is for this hop, and `Proxy` misleads CGI programs.
pub(crate) fn passing<'b>(fields: Fields<'b>) -> impl Iterator<Item = (&'b str, &'b [u8])> {
    const OURS: [&str; 5] = ["content-length", "expect", "host", "trailer", "transfer-encoding"];
    let ours = |name: &str| OURS.contains(&name) || name.starts_with("proxy");
    fields.end_to_end().filter(move |(name, _)| !ours(&as_read(name)))
}

/// Who the client is, this program tells, having judged what others told.
fn tells_of_client(name: &str) -> bool {
    name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip"].contains(&name)
}

/// A name as many programs read it, for whom `X_Forwarded_For` is `X-Forwarded-For`.
fn as_read(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

// ABNF: Max-Forwards = 1*DIGIT                                            (RFC 9110 section 7.6.2)
/// How many may still pass this request on, if it counts them.
pub(crate) fn forwards(head: &RequestHead<'_>) -> Option<u64> {
    let counts = ["OPTIONS", "TRACE"].contains(&head.method);
    let left = head.fields.get("max-forwards").filter(|_| counts)?;
    str::from_utf8(left).ok()?.parse().ok()
}

// ABNF: Via = #( received-protocol RWS received-by [ RWS comment ] )      (RFC 9110 section 7.6.3)
/// Whether the message has been here.
pub(crate) fn passed_through(fields: Fields<'_>, via: &str) -> bool {
    fields.list("via").any(|hop| {
        let mut words = hop.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.nth(1).is_some_and(|by| by.eq_ignore_ascii_case(via.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use longhand::transport::Scripted;
    use longhand::{Limits, Request, Response, serve_connection};
    use longhand_kit::forwarded::Proxies;

    use super::*;

    /// What a backend gets of a request; the peer 10.0.0.9 is a trusted proxy.
    fn sent(peer: &str, request: &str) -> (String, bool, bool) {
        let mut client = Scripted::new().address(peer.parse().unwrap()).send(request).end();
        let sent = std::cell::RefCell::default();
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            let proxies = Proxies::x_forwarded("10.0.0.9").unwrap().and_host();
            let looped = passed_through(request.fields(), "me");
            let client = proxies.client(request);
            let out = Outgoing::new(request, &client, "me").unwrap();
            let text = String::from_utf8_lossy(&out.begin).into_owned();
            *sent.borrow_mut() = (text, out.again, looped);
            Response::text("")
        });
        sent.into_inner()
    }

    #[test]
    fn what_is_for_one_hop_is_removed_and_the_rest_goes_on_in_order() {
        let (sent, again, looped) = sent(
            "192.0.2.1:4000",
            "POST http://a.example?b=%20 HTTP/1.1\r\nHost: other\r\nB: 2\r\nConnection: close, X-One\r\n\
             X-One: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: secret\r\nPROXY: x\r\nTE: trailers\r\n\
             Trailer: X\r\nTransfer-Encoding: Chunked\r\nUpgrade: h2c\r\nA: 1\r\nA: caf\u{e9}\r\n\
             X_Forwarded_For: 1.1.1.1\r\nx-forwarded-port: 1\r\nForwarded: for=1.1.1.1\r\n\
             Via: 1.0 you (me), 1.1 you\r\n\r\n0\r\n\r\n",
        );
        assert_eq!(
            sent,
            "POST /?b=%20 HTTP/1.1\r\nHost: a.example\r\nB: 2\r\nA: 1\r\nA: caf\u{e9}\r\n\
             Via: 1.0 you (me), 1.1 you\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n\
             X-Forwarded-Host: a.example\r\nVia: 1.1 me\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        assert!(!again && !looped);
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_a_loop_is_seen() {
        let (sent, again, looped) = sent(
            "10.0.0.9:4000",
            "PUT / HTTP/1.0\r\nContent-Length: 2\r\nX-Forwarded-For: 9.9.9.9, 192.0.2.7\r\n\
             X-Forwarded-Proto: https\r\nX-Forwarded-Host: go.example\r\nVia: 1.1 x, 1.0\tME (here)\r\n\
             Expect: 100-continue\r\n\r\nhi",
        );
        assert_eq!(
            sent,
            "PUT / HTTP/1.1\r\nHost: \r\nVia: 1.1 x, 1.0\tME (here)\r\nX-Forwarded-For: 192.0.2.7\r\n\
             X-Forwarded-Proto: https\r\nX-Forwarded-Host: go.example\r\nVia: 1.0 me\r\n\
             Content-Length: 2\r\n\r\nhi"
        );
        assert!(again && looped);
    }
}
