//! The port of http: whoever comes there is sent to https, and gets nothing else.

use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use longhand::{Handle, Reply, Request, Response, Server, Status};

/// The server of http, on a thread of its own.
pub(crate) struct Redirect {
    pub(crate) url: String,
    handle: Handle,
    thread: JoinHandle<()>,
}

/// Starts it where `HTTP_PORT` says so.
pub(crate) fn start(https: u16) -> Option<Redirect> {
    let port: u16 = setup::optional("HTTP_PORT", "a port from 0 to 65535")?;
    let host: String = setup::setting("HOST", "127.0.0.1".to_owned(), "a host name or address");
    let server = TcpListener::bind((host.trim_matches(['[', ']']), port)).map(Server::from);
    let server = server.unwrap_or_else(|error| {
        setup::bad_setting("HTTP_PORT", &port.to_string(), &format!("a free port: {error}"))
    });
    let address = server.local_addr().expect("a listener has an address");
    let handle = server.handle();
    let thread = thread::spawn(move || {
        if let Err(error) = server.run(|request: &mut Request<'_>| to_https(request, https)) {
            setup::complain(&format!("HTTP_PORT={port}: {error}"));
        }
    });
    Some(Redirect { url: setup::url(address), handle, thread })
}

impl Redirect {
    /// Finishes what it has begun.
    pub(crate) fn end(self) {
        self.handle.drain(Duration::ZERO, Duration::from_secs(1));
        let _ = self.thread.join();
    }
}

/// The same target at the port of https. 308 keeps method and body; but what came with them has been
/// there for all to read.
fn to_https(request: &Request<'_>, port: u16) -> Reply<'static> {
    let authority = request.authority();
    // An address of IPv6 has colons too, and stands in brackets.
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        _ => authority,
    };
    if host.is_empty() {
        return Response::text("expected a Host\n").status(Status::BAD_REQUEST);
    }
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let path = if request.path() == "*" { "/" } else { request.path() };
    let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
    Response::redirect(&format!("https://{host}{port}{path}{query}"))
        .status(Status::PERMANENT_REDIRECT)
}

#[cfg(test)]
mod tests {
    use longhand::transport::Scripted;
    use longhand::{Limits, serve_connection};

    use super::*;

    fn place(request: &str, port: u16) -> String {
        let mut peer = Scripted::new().send(request).end();
        serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
            to_https(request, port)
        });
        let answer = peer.output_text();
        let line = answer.lines().find_map(|line| line.strip_prefix("Location: "));
        line.unwrap_or(&answer).to_owned()
    }

    #[test]
    fn the_same_target_is_asked_for_at_the_port_of_https() {
        for (target, host, port, wanted) in [
            ("/a?b=c", "example.test:8080", 443, "https://example.test/a?b=c"),
            ("/", "example.test", 8443, "https://example.test:8443/"),
            ("/%0d%0a", "[::1]:8080", 8443, "https://[::1]:8443/%0d%0a"),
            ("//evil.test", "[::1]", 443, "https://[::1]//evil.test"),
            ("http://b.test:81/c", "a.test", 8443, "https://b.test:8443/c"),
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(place(&request, port), wanted);
        }
        let all = "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n";
        assert_eq!(place(all, 443), "https://a.test/");
        assert!(place("GET / HTTP/1.0\r\n\r\n", 443).starts_with("HTTP/1.1 400 "));
    }
}
