//! What somebody on the way can do to a connection: change a byte, cut it, record it and send it again.
//! Each is noticed; over plain http none is.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use harness::program::{Program, command};

use crate::clients::{OpenSsl, run, ureq};
use crate::road::{Fate, Record, Road, Towards};
use crate::server::Https;

/// Application data, in TLS 1.3 also what follows the hellos.
const DATA: u8 = 23;

#[test]
fn a_byte_that_was_flipped_towards_the_server_ends_the_connection_before_it_is_read() {
    let server = Https::start(&[]);
    // In TLS 1.3 the client's first record of this kind is its Finished.
    for (version, record) in [("-tls1_2", 0), ("-tls1_3", 1)] {
        for place in [5, 13, 30] {
            let road = Road::to(server.port, move |way, number, it: &mut Record| {
                if way == Towards::Server && it.kind == DATA && number == record {
                    it.bytes[place] ^= 1;
                }
                Fate::Passes
            });
            let mut client = OpenSsl::connect(road.port, &server.authority(), &[version]);
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            client.expect_end();
            let told = client.stream.complaints();
            assert!(told.contains("alert bad record mac"), "{version}, byte {place}: {told}");
        }
    }
}

#[test]
fn a_byte_that_was_flipped_towards_the_client_is_never_shown_to_anybody() {
    let server = Https::start(&[]);
    for (version, handshake) in [("--tls-max 1.2", 0), ("--tlsv1.3", 1)] {
        // Behind what the handshake takes: of TLS 1.3, four records and two tickets, at most.
        let from = handshake * 6;
        let road = Road::to(server.port, move |way, number, it: &mut Record| {
            if way == Towards::Client && it.kind == DATA && number >= from && it.bytes.len() > 9_000
            {
                it.bytes[9_000] ^= 0x20;
            }
            Fate::Passes
        });
        let url = format!("https://localhost:{}/1m", road.port);
        let authority = server.authority();
        let mut all =
            vec!["-q", "-sS", "--noproxy", "*", "--max-time", "60", "--cacert", &authority];
        all.extend(version.split(' '));
        let did = run("curl", "curl", &[&all[..], &[&url]].concat());
        // 56: receiving network data fails.
        assert_eq!(did.code, Some(56), "{version}: {}", did.errors);
        let said = ["bad record mac", "cipher operation failed"];
        assert!(said.iter().any(|said| did.errors.contains(said)), "{version}: {}", did.errors);
        let sound = b"0123456789abcdef".repeat(1 << 16);
        assert!(did.out.len() < sound.len() && sound.starts_with(&did.out), "{version}");
    }
}

#[test]
fn a_download_that_was_cut_is_told_from_a_whole_one_and_over_http_is_not() {
    // It has no length and runs until the end: nothing but the end says that it is whole.
    let server = Https::start(&[]);
    let road = || {
        Road::to(server.port, |way, number, it: &mut Record| {
            // Each part has a record of its own, the head is with the first, and the last is stopped.
            let last = way == Towards::Client && it.kind == DATA && number >= 2;
            if last { Fate::Ends } else { Fate::Passes }
        })
    };
    let mut client = OpenSsl::connect(road().port, &server.authority(), &["-tls1_2"]);
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    let rest = client.rest().unwrap();
    assert!(rest.ends_with(b"\r\n\r\npart-1\npart-2\n"), "{}", rest.escape_ascii());
    let told = client.stream.complaints();
    assert!(told.contains("unexpected eof while reading"), "{told}");

    let url = format!("https://localhost:{}/stream", road().port);
    let request = ureq::http::Request::get(url).version(ureq::http::Version::HTTP_10);
    let answer = ureq(&server.authority()).run(request.body(()).unwrap());
    let error = answer.and_then(|answer| answer.into_body().read_to_string()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("close_notify"), "{error}");

    // curl has OpenSSL overlook this. What it does not overlook is a length that is not reached.
    let (authority, url) = (server.authority(), format!("https://localhost:{}/1m", road().port));
    let fixed = ["-q", "-sS", "--noproxy", "*", "--max-time", "60", "--http1.0"];
    let more = ["--tls-max", "1.2", "--cacert", &authority, &url];
    let did = run("curl", "curl", &[&fixed[..], &more].concat());
    // 18: a partial file.
    assert!([Some(18), Some(56)].contains(&did.code), "{did:?}");

    let plain = Program::start(command("probe", &[("PORT", "0")]));
    let port = cut_after(plain.address().port(), b"part-1\n");
    let url = format!("http://localhost:{port}/stream");
    let did = run("curl", "curl", &[&fixed[..], &[&url]].concat());
    assert_eq!((did.code, did.text().as_str()), (Some(0), "part-1\n"), "curl takes it for whole");
}

#[test]
fn a_recorded_request_cannot_be_sent_again() {
    let server = Https::start(&[]);
    let road = Road::to(server.port, |_, _, _| Fate::Passes);
    let mut client = OpenSsl::connect(road.port, &server.authority(), &["-tls1_3"]);
    client.send("GET /close HTTP/1.1\r\nHost: x\r\n\r\n").answer();
    client.expect_end();
    let mut again = server.program.client();
    for record in road.records().iter().filter(|record| record.towards == Towards::Server) {
        // The server has other keys by now, and ends the connection at the first it cannot read.
        let _ = again.stream.write_all(&record.bytes);
    }
    let mut answer = Vec::new();
    let _ = again.stream.read_to_end(&mut answer);
    assert_eq!(answer[0], 22, "its own hello");
    assert!(!answer.windows(4).any(|window| window == b"HTTP"));
}

/// A road for one connection of http, which ends behind these bytes.
fn cut_after(port: u16, wanted: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let mut passed = Vec::new();
        while !passed.ends_with(wanted) {
            let mut octet = [0];
            server.read_exact(&mut octet).unwrap();
            passed.push(octet[0]);
        }
        client.write_all(&passed).unwrap();
        client.shutdown(Shutdown::Both).unwrap();
    });
    own
}
