//! Clients that begin a handshake and do not end it: each costs a thread for a while, and nobody else
//! anything.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::client::{Client, NEVER};

use crate::clients::{fetched, until, ureq};
use crate::server::Https;

/// A `ClientHello` in its record, as `openssl` sends it.
fn hello() -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &place]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = command.spawn().expect("this suite needs the Debian package openssl");
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(NEVER)).unwrap();
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).unwrap();
    record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
    stream.read_exact(&mut record[5..]).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    record
}

/// So many connections: a third says nothing, a third half a `ClientHello`, and a third a whole one and
/// then nothing more.
fn halves(server: &Https, count: usize) -> Vec<Client> {
    let hello = hello();
    let said = [&[][..], &hello[..hello.len() / 2], &hello];
    let begin = |number: usize| {
        let mut client = server.program.client();
        client.send(said[number % 3]);
        client
    };
    (0..count).map(begin).collect()
}

#[test]
fn two_hundred_half_handshakes_do_not_stop_others() {
    // They last as long as the test: nobody is served because others have given up.
    let server = Https::start(&[("PROBE_FIRST_BYTE_MS", "60000")]);
    let halves = halves(&server, 200);
    for _ in 0..50 {
        // Each on a connection of its own.
        let mut answer = ureq(&server.authority()).get(server.url("/")).call().unwrap();
        assert_eq!(answer.body_mut().read_to_string().unwrap(), "Hello, World!");
    }
    assert_eq!(fetched(&server, &[&server.url("/")]), "Hello, World!");
    for half in halves {
        half.stream.set_nonblocking(true).unwrap();
        let silent_or_hello = half.stream.peek(&mut [0; 1]);
        assert!(!matches!(silent_or_hello, Ok(0)), "it was closed");
    }
}

#[test]
fn half_handshakes_make_room_where_there_is_none() {
    let server = Https::start(&[("PROBE_FIRST_BYTE_MS", "60000"), ("PROBE_CONNECTIONS", "50")]);
    let _halves = halves(&server, 200);
    // Those that are there have a second to go on; then somebody else gets their place.
    until("somebody is served", || ureq(&server.authority()).get(server.url("/")).call().is_ok());
}

#[test]
fn a_handshake_has_one_deadline_however_slowly_it_goes_on() {
    let server = Https::start(&[("PROBE_FIRST_BYTE_MS", "500")]);
    let hello = hello();
    let mut client = server.program.client();
    client.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let begun = Instant::now();
    let mut sent = 0;
    // A byte each 20 ms. One that arrives after the end is answered by a reset.
    for octet in &hello {
        if std::io::Write::write_all(&mut client.stream, &[*octet]).is_err() {
            break;
        }
        sent += 1;
        match client.stream.read(&mut [0; 64]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            _ => break,
        }
    }
    assert!(sent < hello.len(), "the server waits for the whole of it");
    assert!(begun.elapsed() >= Duration::from_millis(480), "{:?}", begun.elapsed());
}
