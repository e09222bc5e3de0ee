//! Bodies that are written as they are made, and trailers both ways.

use std::io::{self, Read, Write};

use harness::answer::Extent;
use harness::talk::{Talk, talk};
use longhand::transport::Scripted;
use longhand::{BodyWriter, Limits, Request, Response, Why};

use crate::{GET, post, request};

/// Asks for a stream, and for another one behind it.
fn ask(write: fn(&mut BodyWriter<'_>) -> io::Result<()>) -> Talk {
    let peer = Scripted::new().send([GET, GET].concat()).end();
    talk(peer, &Limits::default(), |_| Response::stream("text/plain", write))
}

/// What follows the head of the first answer.
fn coded(talk: &Talk) -> String {
    let output = talk.peer.output_text();
    output.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

#[test]
fn a_flush_ends_a_chunk_and_sends_it() {
    let talk = ask(|out| {
        for part in ["one", "", "two", "three"] {
            out.write_all(part.as_bytes())?;
            out.flush()?;
        }
        out.write_all(b"the ")?;
        out.write_all(b"rest")
    });
    let chunks = "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n8\r\nthe rest\r\n0\r\n\r\n";
    assert!(coded(&talk).starts_with(chunks), "{}", coded(&talk));
    assert!(talk.writes()[0].ends_with(b"3\r\none\r\n"), "the head leaves with the first chunk");
    assert_eq!(talk.texts(), ["onetwothreethe rest", "onetwothreethe rest"]);
}

#[test]
fn a_flush_of_nothing_is_not_the_last_chunk() {
    let talk = ask(|out| out.flush());
    assert!(coded(&talk).starts_with("0\r\n\r\n"));
    assert_eq!(talk.answers.len(), 2);
}

#[test]
fn what_is_not_flushed_is_gathered_into_chunks_of_16_kib() {
    let talk = ask(|out| {
        for _ in 0..1_000 {
            out.write_all(&[b'a'; 100])?;
        }
        out.write_all(&[b'b'; 50_000])
    });
    assert_eq!(talk.answers[0].body.len(), 150_000);
    let sizes: Vec<_> = coded(&talk).split("\r\n").step_by(2).take(9).map(str::to_owned).collect();
    assert_eq!(sizes.len(), 9, "and no chunk for each write: {sizes:?}");
}

#[test]
fn an_error_cuts_the_body_without_a_last_chunk() {
    let talk = ask(|out| {
        out.write_all(b"half")?;
        out.flush()?;
        Err(io::Error::other("the key is 1234"))
    });
    assert_eq!((talk.only().text().as_str(), talk.only().extent), ("half", Extent::Cut));
    assert_eq!(coded(&talk), "4\r\nhalf\r\n");
    assert_eq!(talk.why, Why::Failed);
    assert!(!talk.peer.output_text().contains("1234"));
}

#[test]
fn an_error_before_the_first_byte_leaves_a_head_that_is_cut() {
    let talk = ask(|_| Err(io::ErrorKind::NotFound.into()));
    assert_eq!((talk.only().status, talk.only().extent), (200, Extent::Cut));
}

#[test]
fn a_panic_after_the_head_cuts_the_body_without_a_last_chunk() {
    let talk = ask(|out| {
        out.write_all(b"half")?;
        out.flush()?;
        panic!("the key is 1234")
    });
    assert_eq!((talk.only().text().as_str(), talk.only().extent), ("half", Extent::Cut));
    assert!(!talk.peer.output_text().contains("1234"));
}

#[test]
fn a_reader_that_fails_cuts_as_a_stream_does() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    for length in [None, Some(9)] {
        let peer = Scripted::new().send([GET, GET].concat()).end();
        let talk = talk(peer, &Limits::default(), |_| {
            Response::reader("text/plain", (&b"half"[..]).chain(Failing), length)
        });
        assert_eq!((talk.only().text().as_str(), talk.only().extent), ("half", Extent::Cut));
    }
}

#[test]
fn a_reader_that_is_interrupted_is_read_on() {
    struct Interrupted(bool);
    impl Read for Interrupted {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0 = !self.0;
            if self.0 { Err(io::ErrorKind::Interrupted.into()) } else { (&b"a"[..]).read(into) }
        }
    }
    for length in [None, Some(3)] {
        let peer = Scripted::new().send(GET).end();
        let talk = talk(peer, &Limits::default(), |_| {
            Response::reader("text/plain", Interrupted(false).take(3), length)
        });
        assert_eq!((talk.only().text().as_str(), talk.only().extent), ("aaa", Extent::Whole));
    }
}

#[test]
fn a_stream_may_borrow_what_the_handler_borrows() {
    let greeting = "hello".to_owned();
    let peer = Scripted::new().send(GET).end();
    let talk = talk(peer, &Limits::default(), |_: &mut Request<'_>| {
        longhand::Reply::stream("text/plain", |out| out.write_all(greeting.as_bytes()))
    });
    assert_eq!(talk.only().text(), "hello");
}

// --- trailers out ---

fn with_trailers(out: &mut BodyWriter<'_>) -> io::Result<()> {
    out.write_all(b"hello")?;
    out.trailer("Sum", "5");
    out.trailer("sum", "6");
    Ok(())
}

#[test]
fn trailers_follow_the_last_chunk_and_the_connection_goes_on() {
    let talk = ask(with_trailers);
    assert_eq!(talk.answers.len(), 2);
    let trailers = [("sum".to_owned(), "5".to_owned()), ("sum".to_owned(), "6".to_owned())];
    assert_eq!(talk.answers[0].trailers, trailers);
    assert!(coded(&talk).starts_with("5\r\nhello\r\n0\r\nSum: 5\r\nsum: 6\r\n\r\n"));
}

#[test]
fn http_1_0_has_no_trailers() {
    let peer = Scripted::new().send(request("GET / HTTP/1.0", "", "")).end();
    let talk = talk(peer, &Limits::default(), |_| Response::stream("text/plain", with_trailers));
    assert_eq!(talk.only().text(), "hello");
}

#[test]
fn a_framing_field_as_a_trailer_is_a_panic_and_so_a_cut() {
    let talk = ask(|out| {
        out.write_all(b"hello")?;
        out.trailer("Content-Length", "5");
        Ok(())
    });
    assert_eq!(talk.only().extent, Extent::Cut);
}

// --- trailers in ---

#[test]
fn trailers_are_there_once_the_body_was_read_and_not_before() {
    let body = "5\r\nhello\r\n0\r\nSum: 5\r\nX: y\r\n\r\n";
    let chunked = post("Transfer-Encoding: chunked\r\nSum: head\r\n", body);
    for piece in [1, 3, chunked.len()] {
        let pieces = chunked.as_bytes().chunks(piece);
        let peer = pieces.fold(Scripted::new(), Scripted::send).send(GET).end();
        let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
            assert!(request.trailers().is_empty());
            let body = request.body().read_all()?;
            let trailers = request.trailers();
            let sum = trailers.get("sum").unwrap_or(b"none").escape_ascii().to_string();
            let count = trailers.len();
            let head = request.field_text("sum").unwrap_or("none");
            Ok::<_, io::Error>(Response::text(format!("{} {count} {sum} {head}", body.len())))
        });
        assert_eq!(talk.texts(), ["5 2 5 head", "0 0 none none"], "pieces of {piece}");
    }
}

#[test]
fn trailers_of_a_body_that_is_not_read_to_its_end_are_none() {
    let chunked = post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nSum: 5\r\n\r\n");
    let peer = Scripted::new().send(chunked).end();
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        request.body().read_exact(&mut [0; 5])?;
        Ok::<_, io::Error>(Response::text(request.trailers().len().to_string()))
    });
    assert_eq!(talk.texts(), ["0"]);
}

#[test]
fn trailers_of_a_section_that_is_cut_are_none() {
    let chunked = post("Transfer-Encoding: chunked\r\n", "0\r\nSum: 5\r\nX: y\r\n");
    let seen = std::cell::Cell::new(None);
    let peer = Scripted::new().send(chunked).end();
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        let read = request.body().read_all();
        seen.set(Some(request.trailers().len()));
        read.map(|_| Response::text("read"))
    });
    assert_eq!((talk.only().status, seen.get()), (400, Some(0)));
}

/// What a reader of known length has given stayed here until more came, which may have been long.
#[test]
fn what_a_slow_reader_gave_goes_out_before_it_is_asked_again() {
    let peer = Scripted::new().send(GET).end();
    let talk = talk(peer, &Limits::default(), |_| {
        let parts = io::Cursor::new("one").chain(io::Cursor::new("two")).chain(&b"three"[..]);
        Response::reader("text/plain", parts, Some(11))
    });
    let writes: Vec<_> = talk.writes().into_iter().map(String::from_utf8_lossy).collect();
    assert!(writes[0].ends_with("\r\n\r\none"), "{writes:?}");
    assert_eq!(writes[1..], ["two", "three"]);
}
