//! Several requests at once: answered in order, gathered, and written before anything is waited
//! for.

use std::io;
use std::time::Duration;

use harness::talk::talk;
use longhand::transport::{Happened, Scripted};
use longhand::{Limits, Request, Response};

use crate::{GET, post, request};

fn path(request: &mut Request<'_>) -> Response {
    Response::text(request.path().to_owned())
}

fn get(path: &str) -> String {
    request(&format!("GET {path} HTTP/1.1"), "", "")
}

#[test]
fn a_batch_is_answered_in_order_in_one_write() {
    let batch: String = (0..50).map(|n| get(&format!("/{n}"))).collect();
    let talk = talk(Scripted::new().send(batch).end(), &Limits::default(), path);
    assert_eq!(talk.texts(), (0..50).map(|n| format!("/{n}")).collect::<Vec<_>>());
    assert_eq!(talk.writes().len(), 1);
}

#[test]
fn a_batch_that_arrives_in_any_pieces_is_answered_in_order() {
    let batch = [get("/1"), post("Content-Length: 5\r\n", "hello"), get("/2"), get("/3")].concat();
    for piece in 1..batch.len() {
        let pieces = batch.as_bytes().chunks(piece);
        let peer = pieces.fold(Scripted::new(), Scripted::send).end();
        let talk = talk(peer, &Limits::default(), path);
        assert_eq!(talk.texts(), ["/1", "/", "/2", "/3"], "pieces of {piece}");
    }
}

#[test]
fn answers_are_written_before_the_next_head_is_waited_for() {
    let (front, back) = GET.split_at(9);
    let peer = Scripted::new().send([GET, GET, front].concat()).wait(Duration::from_secs(5));
    let talk = talk(peer.send(back).end(), &Limits::default(), path);
    let [(0, first), (5, _)] = &written(talk.peer.happened())[..] else {
        panic!("{:?}", talk.peer.happened())
    };
    assert_eq!(harness::answer::answers(first, &[]).len(), 2);
}

#[test]
fn answers_are_written_before_a_slow_body_is_waited_for() {
    let read = |request: &mut Request<'_>| {
        let body = request.body().read_all()?;
        Ok::<_, io::Error>(Response::text(format!("{} bytes", body.len())))
    };
    let ignore = |_: &mut Request<'_>| Ok::<_, io::Error>(Response::text("ignored"));
    for (field, front, back) in [
        ("Content-Length: 5\r\n", "he", "llo"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhe", "llo\r\n0\r\n\r\n"),
    ] {
        let peer = || {
            let first = [GET, GET, &post(field, front)].concat();
            Scripted::new().send(first).wait(Duration::from_secs(5)).send(back).end()
        };
        let talk = talk(peer(), &Limits::default(), read);
        assert_eq!(talk.texts()[2], "5 bytes");
        let times: Vec<u64> = written(talk.peer.happened()).iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 5], "two answers at once, the third with its body");
    }
    // And before one that the server reads to drop it: then all three are there.
    let first = [GET, GET, &post("Content-Length: 5\r\n", "he")].concat();
    let peer = Scripted::new().send(first).wait(Duration::from_secs(5)).send("llo").end();
    let talk = talk(peer, &Limits::default(), ignore);
    let [(0, all)] = &written(talk.peer.happened())[..] else { panic!("{:?}", talk.writes()) };
    assert_eq!(harness::answer::answers(all, &[]).len(), 3);
}

#[test]
fn answers_are_written_when_64_kib_have_come_together() {
    let batch = GET.repeat(60);
    let talk = talk(Scripted::new().send(batch).end(), &Limits::default(), |_| {
        Response::bytes("text/plain", vec![b'a'; 10_000])
    });
    assert_eq!(talk.answers.len(), 60);
    for write in &talk.writes()[..talk.writes().len() - 1] {
        assert!((64 << 10..80 << 10).contains(&write.len()), "{}", write.len());
    }
}

#[test]
fn a_large_body_leaves_in_two_writes_its_beginning_with_the_head_and_all_before_it() {
    let peer = Scripted::new().send([GET, GET, GET].concat()).end();
    let talk =
        talk(peer, &Limits::default(), |_| Response::bytes("text/plain", vec![b'a'; 16 << 10]));
    assert_eq!(talk.answers.len(), 3);
    let writes = talk.writes();
    assert_eq!(writes.len(), 6);
    for both in writes.chunks(2) {
        assert!(both[0].starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", both[0].escape_ascii());
        assert!(both[0].ends_with(b"aaaa"), "a beginning of the body");
        assert!(both[1].iter().all(|octet| *octet == b'a'), "the rest of it");
    }
}

#[test]
fn nothing_is_parsed_behind_a_refusal() {
    for bad in [
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let peer = Scripted::new().send([GET, bad, GET, GET].concat()).end();
        let talk = talk(peer, &Limits::default(), path);
        assert_eq!(talk.answers.len(), 2, "{bad:?}: {:?}", talk.statuses());
        assert!(!talk.answers[0].closes() && talk.answers[1].closes());
        assert!(talk.answers[1].status >= 400);
    }
}

#[test]
fn one_or_two_empty_lines_before_a_request_are_skipped() {
    for lines in ["", "\r\n", "\r\n\r\n"] {
        let peer = Scripted::new().send([lines, GET, lines, GET, lines].concat()).end();
        let talk = talk(peer, &Limits::default(), path);
        assert_eq!(talk.statuses(), [200, 200], "{lines:?}");
    }
    let peer = Scripted::new().send(["\r\n\r\n\r\n", GET].concat()).end();
    assert_eq!(talk(peer, &Limits::default(), path).only().rule(), "blank-lines");
}

/// The writes, with the second of each.
fn written(happened: &[(Duration, Happened)]) -> Vec<(u64, Vec<u8>)> {
    let writes = happened.iter().filter_map(|(at, happened)| match happened {
        Happened::Wrote(bytes) => Some((at.as_secs(), bytes.clone())),
        _ => None,
    });
    writes.collect()
}
