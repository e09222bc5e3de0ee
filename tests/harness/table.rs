//! One row for each way in which servers of this kind were seen to differ: the bytes, the section of the
//! RFC that they are about, the statuses of the answers, and whether the connection is kept.
//!
//! `tests/peers/table.rs` sends them over a socket, and `tests/conformance.rs` prints them.

use std::io;

use longhand::{IntoResponse, Request, Response, Status};

/// What `examples/probe.rs` answers, as far as the table asks for it.
/// # Errors
/// Those of the body.
pub fn probe(request: &mut Request<'_>) -> io::Result<Response> {
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
pub enum Then {
    /// It is kept.
    Open,
    /// The last answer says that it closes.
    Closed,
}
use Then::{Closed, Open};

/// One row.
pub struct Row {
    /// What is sent, in words.
    pub name: &'static str,
    /// The section that says what to make of it.
    pub section: &'static str,
    /// What is sent.
    pub bytes: Vec<u8>,
    /// The statuses of the answers, interim ones among them.
    pub statuses: &'static [u16],
    /// What becomes of the connection.
    pub then: Then,
}

fn row(
    name: &'static str,
    section: &'static str,
    bytes: impl AsRef<[u8]>,
    statuses: &'static [u16],
    then: Then,
) -> Row {
    Row { name, section, bytes: bytes.as_ref().to_vec(), statuses, then }
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

/// The rows about heads.
#[must_use]
pub fn lines() -> Vec<Row> {
    let three = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3);
    vec![
        row(
            "a plain request",
            "RFC 9112 section 3",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            &[200],
            Open,
        ),
        row("1.1 without Host", "RFC 9112 section 3.2", "GET / HTTP/1.1\r\n\r\n", &[400], Closed),
        row(
            "two Host fields",
            "RFC 9112 section 3.2",
            "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
            &[400],
            Closed,
        ),
        row("HTTP/1.0 plain", "RFC 9112 section 9.3", "GET / HTTP/1.0\r\n\r\n", &[200], Closed),
        row(
            "HTTP/2.0 in the line",
            "RFC 9110 section 15.6.6",
            "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
            &[505],
            Closed,
        ),
        row("a junk first line", "RFC 9112 section 3", "junk\r\n\r\n", &[400], Closed),
        row(
            "lines that end in LF",
            "RFC 9112 section 2.2",
            "GET / HTTP/1.1\nHost: x\n\n",
            &[400],
            Closed,
        ),
        row(
            "a space before the colon",
            "RFC 9112 section 5.1",
            "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            &[400],
            Closed,
        ),
        row(
            "a folded field line (obs-fold)",
            "RFC 9112 section 5.2",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
            &[400],
            Closed,
        ),
        row(
            "NUL in a value",
            "RFC 9110 section 5.5",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
            &[400],
            Closed,
        ),
        row(
            "a line without colon",
            "RFC 9112 section 5",
            "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n",
            &[400],
            Closed,
        ),
        row(
            "a leading CR LF",
            "RFC 9112 section 2.2",
            "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            &[200],
            Open,
        ),
        row(
            "absolute-form",
            "RFC 9112 section 3.2.2",
            "GET http://y/echo HTTP/1.1\r\nHost: x\r\n\r\n",
            &[200],
            Open,
        ),
        row(
            "asterisk-form",
            "RFC 9112 section 3.2.4",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            &[200],
            Open,
        ),
        row(
            "an unknown method",
            "RFC 9110 section 9.1",
            "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
            &[200],
            Open,
        ),
        row("three pipelined requests", "RFC 9112 section 9.3.2", three, &[200, 200, 200], Open),
        row(
            "a target of 8 KiB",
            "RFC 9112 section 3",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8191)),
            &[200],
            Open,
        ),
        row(
            "a target of 9 KB",
            "RFC 9110 section 15.5.15",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(9000)),
            &[414],
            Closed,
        ),
        row("a head of 40 KB", "RFC 6585 section 5", head_of(40_000), &[431], Closed),
        row("a head of 2 MB", "RFC 6585 section 5", head_of(2_000_000), &[431], Closed),
        row(
            "500 fields",
            "RFC 6585 section 5",
            format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(500)),
            &[431],
            Closed,
        ),
        row(
            "the end in mid-head",
            "RFC 9112 section 8",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b",
            &[400],
            Closed,
        ),
    ]
}

/// The rows about bodies.
#[must_use]
pub fn bodies() -> Vec<Row> {
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let old = "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let ignored =
        format!("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", SMUGGLED.len());
    vec![
        row(
            "a chunked body",
            "RFC 9112 section 7.1",
            chunked("5\r\nhello\r\n0\r\n\r\n"),
            &[200],
            Open,
        ),
        row(
            "a chunked body with a trailer",
            "RFC 9112 section 7.1.2",
            chunked("5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
            &[200],
            Open,
        ),
        row(
            "Content-Length and Transfer-Encoding",
            "RFC 9112 section 6.1",
            post(both, &format!("0\r\n\r\n{SMUGGLED}")),
            &[400],
            Closed,
        ),
        row(
            "Transfer-Encoding: xchunked",
            "RFC 9112 section 6.1",
            post("Transfer-Encoding: xchunked\r\n", SMUGGLED),
            &[501],
            Closed,
        ),
        row("Transfer-Encoding in HTTP/1.0", "RFC 9112 section 6.1", old, &[400], Closed),
        row(
            "two Content-Length that differ",
            "RFC 9112 section 6.3",
            post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
            &[400],
            Closed,
        ),
        row(
            "two Content-Length that agree",
            "RFC 9110 section 8.6",
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            &[200],
            Open,
        ),
        row(
            "Content-Length: +5",
            "RFC 9110 section 8.6",
            post("Content-Length: +5\r\n", "hello"),
            &[400],
            Closed,
        ),
        row(
            "Content-Length: abc",
            "RFC 9110 section 8.6",
            post("Content-Length: abc\r\n", SMUGGLED),
            &[400],
            Closed,
        ),
        row(
            "Content-Length: 10^18",
            "RFC 9110 section 15.5.14",
            post("Content-Length: 1000000000000000000\r\n", "hello"),
            &[413],
            Closed,
        ),
        row(
            "a chunk size of +5",
            "RFC 9112 section 7.1",
            chunked("+5\r\nhello\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        row(
            "a chunk size that ends in LF",
            "RFC 9112 section 2.2",
            chunked("5\nhello\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        row(
            "Expect: 100-continue",
            "RFC 9110 section 10.1.1",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
            &[100, 200],
            Open,
        ),
        row(
            "Expect: tea",
            "RFC 9110 section 10.1.1",
            post("Expect: tea\r\nContent-Length: 5\r\n", "hello"),
            &[417],
            Closed,
        ),
        row(
            "a body that is never read",
            "RFC 9112 section 9.3",
            format!("{ignored}{SMUGGLED}"),
            &[200],
            Open,
        ),
        row(
            "a body that is never read, and a request",
            "RFC 9112 section 9.3",
            format!("{ignored}{SMUGGLED}GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            &[200, 200],
            Open,
        ),
    ]
}
