//! A kept-alive conversation with every framing in it, and a server that answers it as `probe` does.

use std::cell::RefCell;
use std::io::{self, Write};

use harness::answer::{Answer, answers};
use longhand::transport::Transport;
use longhand::{Limits, Request, Response, Why, serve_connection};

/// The messages of it, one behind the other.
pub(crate) const MESSAGES: [&[u8]; 8] = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nGET / HTTP/",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
      5;a=\"b\"\r\nhello\r\nB\r\n, in chunks\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
    b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nignored",
    b"GET /1k HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
];

/// All of it.
pub(crate) fn whole() -> Vec<u8> {
    MESSAGES.concat()
}

/// How many messages are whole in its first `length` bytes.
pub(crate) fn messages_in(length: usize) -> usize {
    let ends = MESSAGES.iter().scan(0, |end, message| {
        *end += message.len();
        Some(*end)
    });
    ends.take_while(|end| *end <= length).count()
}

/// Whether a cut behind `length` bytes is one between two messages.
pub(crate) fn is_between(length: usize) -> bool {
    length == MESSAGES[..messages_in(length)].concat().len()
}

/// What came of serving a peer.
pub(crate) struct Served {
    pub(crate) why: Why,
    /// The paths that reached the handler.
    pub(crate) calls: Vec<String>,
}

/// Serves a peer as `probe` does.
pub(crate) fn serve(peer: &mut impl Transport) -> Served {
    let calls = RefCell::new(Vec::new());
    let why = serve_connection(peer, &Limits::default(), |request: &mut Request<'_>| {
        calls.borrow_mut().push(request.path().to_owned());
        handle(request)
    });
    Served { why, calls: calls.into_inner() }
}

pub(crate) fn handle(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(match request.path() {
        "/" => Response::text("Hello, World!"),
        "/echo" => Response::bytes("application/octet-stream", request.body().read_all()?),
        "/ignore" => Response::text("ignored"),
        "/1k" => Response::bytes("application/octet-stream", b"0123456789abcdef".repeat(64)),
        "/stream" => Response::stream("text/plain; charset=utf-8", |out| {
            for part in 1..=3 {
                writeln!(out, "part-{part}")?;
                out.flush()?;
            }
            Ok(())
        }),
        other => panic!("nobody asks for {other}"),
    })
}

/// What answers say, without what depends on the time and the way the bytes came: the date, and
/// whether a client that expected a 100 was told one, which is left out where its body was there.
pub(crate) fn told(output: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let finals = answers(output, &[]).into_iter().filter(|answer| answer.status != 100);
    finals.map(|Answer { status, body, .. }| (status, body)).collect()
}

/// What the whole conversation is answered.
pub(crate) fn wanted() -> Vec<(u16, Vec<u8>)> {
    let bodies: [&[u8]; 8] = [
        b"Hello, World!",
        b"GET / HTTP/",
        b"hello, in chunks",
        b"part-1\npart-2\npart-3\n",
        b"body",
        b"ignored",
        &b"0123456789abcdef".repeat(64),
        b"Hello, World!",
    ];
    bodies.map(|body| (200, body.to_vec())).into()
}
