//! How connections end: by `close_notify` where all is said, and without where it is not.

use std::io::{Read, Write};

use harness::client::Client;

use crate::clients::OpenSsl;
use crate::road::{Fate, Record, Road, Towards};
use crate::server::Https;

/// What `openssl` says of a connection that ends without `close_notify`.
const CUT: &str = "unexpected eof while reading";

/// Everything was said when the connection ended, and `openssl` was told so.
#[track_caller]
fn expect_goodbye(mut client: Client<OpenSsl>) {
    client.expect_end();
    let told = client.stream.complaints();
    assert!(!told.contains("error"), "{told}");
}

#[test]
fn the_server_says_goodbye_however_it_ends_a_connection() {
    let server = Https::start(&[("PROBE_IDLE_MS", "300"), ("PROBE_FIRST_BYTE_MS", "900")]);
    for version in ["-tls1_2", "-tls1_3"] {
        for request in [
            "GET /close HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\nHost: x\n\n",
            // It is kept, until it was idle for too long.
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ] {
            let mut client = OpenSsl::to(&server, &[version]);
            client.send(request).answer();
            expect_goodbye(client);
        }
        // A handshake, and then no request.
        expect_goodbye(OpenSsl::to(&server, &[version]));
    }
}

#[test]
fn an_answer_that_runs_until_the_end_is_whole_only_with_a_goodbye() {
    let server = Https::start(&[]);
    let mut client = OpenSsl::to(&server, &[]);
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    let rest = client.rest().unwrap();
    assert!(rest.ends_with(b"\r\n\r\npart-1\npart-2\npart-3\n"), "{}", rest.escape_ascii());
    assert!(!client.stream.complaints().contains(CUT));

    // The server dies in the middle of one.
    let mut client = begun(&server);
    server.program.kill();
    client.expect_end();
    assert!(client.stream.complaints().contains(CUT));
}

/// A client whose upload of five octets is waited for, by a handler that has begun.
fn begun(server: &Https) -> Client<OpenSsl> {
    let mut client = OpenSsl::to(server, &[]);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    client.expect_bytes(b"HTTP/1.1 100 Continue\r\n\r\n");
    client
}

/// Ends a connection of TLS 1.2, where alerts can be told apart, before the first record of data whose
/// number is `from`.
fn road(server: &Https, towards: Towards, from: usize) -> Road {
    Road::to(server.port, move |way, number, record: &mut Record| {
        if way == towards && record.kind == 23 && number >= from {
            Fate::Ends
        } else {
            Fate::Passes
        }
    })
}

#[test]
fn the_server_never_takes_an_upload_that_was_cut_for_a_whole_one() {
    let server = Https::start(&[]);
    for request in [
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHo",
        "",
    ] {
        let road = road(&server, Towards::Server, 1);
        let mut client = OpenSsl::connect(road.port, &server.authority(), &["-tls1_2"]);
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned() + request).answer();
        client.send("the rest");
        client.expect_end();
        // No answer to what is not whole, and no goodbye either; between two requests, nothing was cut.
        let records = road.records();
        let answers = records.iter().filter(|it| it.towards == Towards::Client && it.kind == 23);
        assert_eq!(answers.count(), 1, "{request}");
        let cut = client.stream.complaints().contains(CUT);
        assert_eq!(cut, !request.is_empty(), "{request}");
    }
}

#[test]
fn a_client_that_ends_its_side_by_the_book_is_told_what_is_missing() {
    let server = Https::start(&[]);
    // Its input ends, and so `openssl` says goodbye; what comes after that it does not read.
    let road = Road::to(server.port, |_, _, _| Fate::Passes);
    let mut client = OpenSsl::connect(road.port, &server.authority(), &["-tls1_2", "-no_ign_eof"]);
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf");
    client.stream.end();
    let records = road.records();
    let kinds = |towards| {
        let of = records.iter().filter(move |record| record.towards == towards);
        of.map(|record| record.kind).filter(|kind| [21, 23].contains(kind)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(Towards::Server), [23, 21]);
    // The answer, 400, and the goodbye.
    assert_eq!(kinds(Towards::Client), [23, 21]);
}

#[test]
fn a_drain_finishes_what_has_begun_and_says_goodbye_to_the_rest() {
    let server = Https::start(&[]);
    let mut idle = OpenSsl::to(&server, &[]);
    idle.get("/").answer();
    let mut half = server.program.client();
    half.send([0x16, 3, 1]);
    let mut busy = begun(&server);
    server.program.signal("TERM");
    expect_goodbye(idle);
    busy.send("hello");
    let answer = busy.answer();
    assert_eq!((answer.status, answer.text().as_str(), answer.closes()), (200, "hello", true));
    expect_goodbye(busy);
    let (status, errors) = server.program.end();
    assert!(status.success() && errors.is_empty(), "{status} {errors:?}");
    drop(half);
}

#[test]
fn where_there_is_no_place_a_newcomer_is_closed_without_a_word() {
    let server = Https::start(&[("PROBE_CONNECTIONS", "1")]);
    let mut busy = begun(&server);
    let mut newcomer = server.program.client();
    // It is closed, or reset because of what it has said; a 503 would be noise to it.
    let _ = newcomer.stream.write_all(b"\x16\x03\x01");
    let mut answer = Vec::new();
    let _ = newcomer.stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", answer.escape_ascii());
    busy.send("hello");
    assert_eq!(busy.answer().text(), "hello");
}
