//! Trusted proxies over real sockets: a Unix socket, whose peers have no address, and loopback.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use harness::client::Client;
use longhand::{Request, Response, Server};
use longhand_kit::cross_origin::Guard;
use longhand_kit::forwarded::Proxies;

use crate::{NEVER, run};

const REQUEST: &str = "POST / HTTP/1.1\r\nHost: backend\r\nConnection: close\r\nContent-Length: 0\r\n\
    X-Forwarded-For: 1.1.1.1, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\
    X-Forwarded-Host: go.example\r\nOrigin: https://go.example\r\n\r\n";

/// Tells who the client is, to those whom the guard lets pass.
fn handler(trusted: &str) -> impl Fn(&mut Request<'_>) -> Result<Response, Response> + use<> {
    let proxies = Proxies::x_forwarded(trusted).expect("prefixes").and_host();
    let guard = Guard::new().proxies(proxies.clone());
    move |request| {
        guard.admit(request)?;
        let client = proxies.client(request);
        let address = client.address().map_or("nobody".to_owned(), |address| address.to_string());
        Ok(Response::text(format!("{address} {} {}", client.scheme(), client.authority())))
    }
}

#[test]
fn the_peer_of_a_unix_socket_is_trusted_as_unix() {
    let name = format!("longhand-{}-observed.socket", std::process::id());
    let path = std::env::temp_dir().join(name);
    // One that a killed run has left.
    let _ = std::fs::remove_file(&path);
    for (trusted, wanted) in [
        ("unix", "203.0.113.7 https go.example"),
        ("127.0.0.0/8 ::1", "Origin names another host than the request is for\n"),
    ] {
        let server = Server::from(UnixListener::bind(&path).expect("a free path"));
        let handle = server.handle();
        let running = run(server, |_| {}, handler(trusted));
        let mut stream = UnixStream::connect(&path).expect("it listens");
        stream.set_read_timeout(Some(NEVER)).expect("a timeout");
        stream.write_all(REQUEST.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert_eq!(answer.split_once("\r\n\r\n").map(|(_, body)| body), Some(wanted), "{trusted}");
        handle.drain(Duration::ZERO, NEVER);
        running.join().expect("no panic leaves the server");
        std::fs::remove_file(&path).expect("it is there");
    }
}

#[test]
fn the_peer_of_a_tcp_socket_is_trusted_by_its_address() {
    for (trusted, status) in [("127.0.0.0/8", 200), ("10.0.0.0/8 unix", 403), ("", 403)] {
        // A listener for both families gives IPv4 peers as `::ffff:127.0.0.1`.
        for listens in ["127.0.0.1:0", "[::]:0"] {
            let Ok(server) = Server::bind(listens) else { continue };
            let port = server.local_addr().expect("an address").port();
            let handle = server.handle();
            let running = run(server, |_| {}, handler(trusted));
            let mut client = Client::to(([127, 0, 0, 1], port).into());
            client.stream.write_all(REQUEST.as_bytes()).expect("it reads");
            let answer = client.answer();
            assert_eq!(answer.status, status, "{trusted} {listens}");
            if status == 200 {
                assert_eq!(answer.text(), "203.0.113.7 https go.example");
            }
            handle.drain(Duration::ZERO, NEVER);
            running.join().expect("no panic leaves the server");
        }
    }
}
