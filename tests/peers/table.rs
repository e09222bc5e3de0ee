//! The table: bytes in, answers out.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};

use harness::answer::{Answer, answers};
use harness::client::Client;
use harness::running::run;
use longhand::{IntoResponse, Request, Response, Server, Status};

/// What `examples/probe.rs` answers, as far as the table asks for it.
fn probe(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(match request.path() {
        "/echo" => Response::bytes("application/octet-stream", request.body().read_all()?),
        "/ignore" => Response::text("ignored"),
        "*" => Response::text("asterisk"),
        "/" => Response::text("Hello, World!"),
        path if path.starts_with("/aaa") => Response::text("Hello, World!"),
        _ => Status::NOT_FOUND.into_response(),
    })
}

/// Whether the connection ends behind the last answer before the client ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Open,
    Closed,
}
use Then::{Closed, Open};

/// One row: its name, the bytes, the statuses, the connection.
struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    statuses: &'static [u16],
    then: Then,
}

fn row(name: &'static str, bytes: impl AsRef<[u8]>, statuses: &'static [u16], then: Then) -> Row {
    Row { name, bytes: bytes.as_ref().to_vec(), statuses, then }
}

/// A request with these field lines and this body.
fn post(fields: &str, body: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}")
}

/// A request that stands where a body should: if it is answered, it was smuggled.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

fn head_of(size: usize) -> String {
    format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(size))
}

fn lines() -> Vec<Row> {
    let three = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3);
    vec![
        row("a plain request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Open),
        row("1.1 without Host", "GET / HTTP/1.1\r\n\r\n", &[400], Closed),
        row("two Host fields", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", &[400], Closed),
        row("HTTP/1.0 plain", "GET / HTTP/1.0\r\n\r\n", &[200], Closed),
        row("HTTP/2.0 in the line", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", &[505], Closed),
        row("a junk first line", "junk\r\n\r\n", &[400], Closed),
        row("lines that end in LF", "GET / HTTP/1.1\nHost: x\n\n", &[400], Closed),
        row("a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", &[400], Closed),
        row("obs-fold", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", &[400], Closed),
        row("NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", &[400], Closed),
        row("a line without colon", "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", &[400], Closed),
        row("a leading CR LF", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Open),
        row("absolute-form", "GET http://y/echo HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Open),
        row("asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Open),
        row("an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Open),
        row("three pipelined", three, &[200, 200, 200], Open),
        row(
            "a target of 8 KiB",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8191)),
            &[200],
            Open,
        ),
        row(
            "a target of 9 KB",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(9000)),
            &[414],
            Closed,
        ),
        row("a head of 40 KB", head_of(40_000), &[431], Closed),
        row("a head of 2 MB", head_of(2_000_000), &[431], Closed),
        row(
            "500 fields",
            format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(500)),
            &[431],
            Closed,
        ),
        row("the end in mid-head", "GET / HTTP/1.1\r\nHost: x\r\nA: b", &[400], Closed),
    ]
}

fn bodies() -> Vec<Row> {
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let old = "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let ignored =
        format!("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", SMUGGLED.len());
    vec![
        row("chunked", chunked("5\r\nhello\r\n0\r\n\r\n"), &[200], Open),
        row("chunked with a trailer", chunked("5\r\nhello\r\n0\r\nA: b\r\n\r\n"), &[200], Open),
        row("length and coding", post(both, &format!("0\r\n\r\n{SMUGGLED}")), &[400], Closed),
        row("an unknown coding", post("Transfer-Encoding: xchunked\r\n", SMUGGLED), &[501], Closed),
        row("a coding in HTTP/1.0", old, &[400], Closed),
        row(
            "two lengths that differ",
            post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
            &[400],
            Closed,
        ),
        row(
            "two lengths that agree",
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            &[200],
            Open,
        ),
        row("a length of +5", post("Content-Length: +5\r\n", "hello"), &[400], Closed),
        row("a length of abc", post("Content-Length: abc\r\n", SMUGGLED), &[400], Closed),
        row(
            "a length of 10^18",
            post("Content-Length: 1000000000000000000\r\n", "hello"),
            &[413],
            Closed,
        ),
        row("a chunk size of +5", chunked("+5\r\nhello\r\n0\r\n\r\n"), &[400], Closed),
        row("a chunk size that ends in LF", chunked("5\nhello\r\n0\r\n\r\n"), &[400], Closed),
        row(
            "Expect: 100-continue",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
            &[100, 200],
            Open,
        ),
        row("Expect: tea", post("Expect: tea\r\nContent-Length: 5\r\n", "hello"), &[417], Closed),
        row("a body that is never read", format!("{ignored}{SMUGGLED}"), &[200], Open),
        row(
            "a body that is never read, and a request",
            format!("{ignored}{SMUGGLED}GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            &[200, 200],
            Open,
        ),
    ]
}

/// Sends a row and ends the sending side; gives all that was answered, and whether the server had
/// ended the connection before the client did.
fn send(address: SocketAddr, row: &Row) -> (Vec<Answer>, Then) {
    let mut client = Client::to(address);
    // A refusal may come before all is sent; a server that is heard out closes no sooner.
    client.stream.write_all(&row.bytes).expect("the server hears it all");
    client.stream.shutdown(Shutdown::Write).expect("the connection is there");
    let answers = answers(&client.rest().expect("an end that is no reset"), &["POST"]);
    let then = if answers.last().is_some_and(Answer::closes) { Closed } else { Open };
    (answers, then)
}

#[test]
fn every_row_of_the_table_is_answered_as_it_says() {
    let server = run(Server::bind("127.0.0.1:0").expect("a free port"), probe);
    let mut differ = Vec::new();
    for row in lines().iter().chain(&bodies()) {
        let (answers, then) = send(server.address(), row);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        if statuses != row.statuses || then != row.then {
            differ.push(format!("{}: {statuses:?}, {then:?}", row.name));
        }
        assert!(answers.iter().all(|answer| answer.status != 404), "{}: smuggled", row.name);
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(server.end().cut, 0);
}

#[test]
fn a_head_request_is_answered_by_a_handler_for_get_without_a_body() {
    let server = run(Server::bind("127.0.0.1:0").expect("a free port"), probe);
    let mut client = Client::to(server.address());
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n").end();
    let answers = answers(&client.rest().expect("an end"), &["HEAD", "HEAD"]);
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert_eq!((answer.status, answer.field("content-length")), (200, Some("13")));
    }
}

#[test]
fn a_connection_that_the_table_calls_open_serves_another_request() {
    let server = run(Server::bind("127.0.0.1:0").expect("a free port"), probe);
    for row in lines().iter().chain(&bodies()).filter(|row| row.then == Open) {
        let mut client = Client::to(server.address());
        client.send(&row.bytes);
        for status in row.statuses {
            assert_eq!(client.answer().status, *status, "{}", row.name);
        }
        assert_eq!(client.get("/").answer().text(), "Hello, World!", "{}", row.name);
    }
}
