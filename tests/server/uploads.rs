//! Uploads that are refused in the middle: the client, which sends all before it reads, finds the
//! answer and no error.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::thread;

use harness::answer::Answer;
use harness::client::Client;
use harness::running::{Running, run};
use longhand::{Limits, Request, Response};

use crate::bind;

const SIZE: usize = 40 << 20;
const PIECE: usize = 64 << 10;
const TIMES: usize = 50;
const AT_ONCE: usize = 5;

fn serve() -> Running {
    let limits = Limits { body: 1 << 20, ..Limits::default() };
    run(bind().limits(limits), |request: &mut Request<'_>| {
        Ok::<_, io::Error>(match request.path() {
            "/read" => Response::text(request.body().read_all()?.len().to_string()),
            "/ignore" => Response::text("ignored"),
            _ => panic!("asked to"),
        })
    })
}

/// Sends a whole upload, and only then reads the answer.
fn upload(address: SocketAddr, path: &str, chunked: bool) -> io::Result<Answer> {
    let mut client = Client::try_to(address)?;
    let framing = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 41943040" };
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n");
    client.stream.write_all(head.as_bytes())?;
    let piece = if chunked {
        [format!("{PIECE:x}\r\n").as_bytes(), &[b'a'; PIECE], b"\r\n"].concat()
    } else {
        vec![b'a'; PIECE]
    };
    for _ in 0..SIZE / PIECE {
        client.stream.write_all(&piece)?;
    }
    if chunked {
        client.stream.write_all(b"0\r\n\r\n")?;
    }
    let answer = client.try_answer()?;
    let rest = client.rest()?;
    assert!(rest.is_empty(), "more than one answer: {}", rest.escape_ascii());
    Ok(answer)
}

/// Uploads many times, several at once; every one must find its answer.
fn assert_answered(path: &str, chunked: bool, status: u16) {
    let server = serve();
    let address = server.address();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(move || {
                for round in 0..TIMES / AT_ONCE {
                    let answer = upload(address, path, chunked);
                    let answer = answer.unwrap_or_else(|error| panic!("round {round}: {error}"));
                    assert_eq!(answer.status, status, "{}", answer.text());
                    assert!(answer.closes());
                }
            });
        }
    });
    assert_eq!(server.end().requests, TIMES as u64);
}

#[test]
fn a_declared_length_over_the_limit_is_told_413_every_time() {
    assert_answered("/read", false, 413);
}

#[test]
fn a_chunked_body_that_grows_over_the_limit_is_told_413_every_time() {
    assert_answered("/read", true, 413);
}

#[test]
fn an_upload_that_nobody_reads_finds_the_handlers_answer_every_time() {
    assert_answered("/ignore", false, 200);
}

#[test]
fn a_chunked_upload_that_nobody_reads_finds_the_handlers_answer_every_time() {
    assert_answered("/ignore", true, 200);
}

#[test]
fn an_upload_to_a_handler_that_panics_finds_the_500_every_time() {
    assert_answered("/panic", false, 500);
}
