//! `Expect: 100-continue` (RFC 9110 section 10.1.1): asked for by the first read of a body, and by
//! nothing else.

use std::io::{self, Read};
use std::time::Duration;

use harness::talk::talk;
use longhand::transport::{Happened, Scripted};
use longhand::{Limits, Request, Response};

use crate::{GET, post, request};

const EXPECTS: &str = "Expect: 100-continue\r\nContent-Length: 5\r\n";
const EXPECTS_CHUNKED: &str = "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";

fn echo(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::bytes("text/plain", request.body().read_all()?))
}

#[test]
fn the_first_read_of_a_body_asks_for_it_and_the_connection_goes_on() {
    for (fields, body) in [(EXPECTS, "hello"), (EXPECTS_CHUNKED, "5\r\nhello\r\n0\r\n\r\n")] {
        let peer = Scripted::new().send(post(fields, "")).wait(Duration::from_secs(1));
        let talk = talk(peer.send(body).send(GET).end(), &Limits::default(), echo);
        assert_eq!(talk.statuses(), [100, 200, 200]);
        assert_eq!(talk.answers[1].text(), "hello");
        let Happened::Wrote(first) = &talk.peer.happened()[1].1 else { panic!("no write") };
        assert_eq!(first, b"HTTP/1.1 100 Continue\r\n\r\n", "before the body is waited for");
    }
}

#[test]
fn it_is_asked_for_once() {
    let peer = Scripted::new().send(post(EXPECTS, "")).send("he").send("llo").end();
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        while request.body().read(&mut [0])? > 0 {}
        Ok::<_, io::Error>(Response::text("read"))
    });
    assert_eq!(talk.statuses(), [100, 200]);
}

#[test]
fn answers_before_it_are_written_with_it() {
    let peer =
        Scripted::new().send([GET, &post(EXPECTS, "")].concat()).wait(Duration::from_secs(1));
    let talk = talk(peer.send("hello").end(), &Limits::default(), echo);
    assert_eq!(talk.statuses(), [200, 100, 200]);
    assert!(talk.writes()[0].ends_with(b"HTTP/1.1 100 Continue\r\n\r\n"));
}

#[test]
fn a_final_answer_without_it_closes_and_none_follows_it() {
    for fields in [EXPECTS, EXPECTS_CHUNKED] {
        // The client may send its body all the same, and it may wait.
        for more in ["hello", "5\r\nhello\r\n0\r\n\r\n", ""] {
            let peer = Scripted::new().send(post(fields, more)).send(GET).end();
            let talk = talk(peer, &Limits::default(), |_| Response::text("no"));
            assert_eq!(talk.statuses(), [200]);
            assert!(talk.only().closes() && talk.lingered_from().is_some());
        }
    }
}

#[test]
fn a_declared_length_over_the_limit_is_refused_instead() {
    let limits = Limits { body: 4, ..Limits::default() };
    let refused = talk(Scripted::new().send(post(EXPECTS, "")), &limits, echo);
    assert_eq!(refused.statuses(), [413]);
    let peer = Scripted::new().send(post(EXPECTS, ""));
    let refused = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        request.body().limit(4).read_all().map(|_| Response::text("read"))
    });
    assert_eq!(refused.statuses(), [413]);
}

#[test]
fn a_read_of_no_bytes_asks_for_nothing() {
    let peer = Scripted::new().send(post(EXPECTS, ""));
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        let _ = request.body().read(&mut [])?;
        let _ = request.body().remaining();
        Ok::<_, io::Error>(Response::text("no"))
    });
    assert_eq!(talk.statuses(), [200]);
}

#[test]
fn a_request_without_a_body_has_nothing_to_continue_with() {
    for fields in ["Expect: 100-continue\r\n", "Expect: 100-continue\r\nContent-Length: 0\r\n"] {
        let peer = Scripted::new().send(post(fields, "")).send(GET).end();
        assert_eq!(talk(peer, &Limits::default(), echo).statuses(), [200, 200]);
    }
}

#[test]
fn it_is_ignored_on_http_1_0() {
    for expects in ["Expect: 100-continue\r\n", "Expect: tea\r\n"] {
        let fields = format!("{expects}Content-Length: 5\r\n");
        let peer = Scripted::new().send(request("POST / HTTP/1.0", &fields, "hello")).end();
        let talk = talk(peer, &Limits::default(), echo);
        assert_eq!(talk.statuses(), [200]);
        assert_eq!(talk.only().text(), "hello");
    }
}

#[test]
fn any_case_of_it_will_do_and_nothing_else() {
    let asked = |value: &str| {
        let fields = format!("Expect: {value}\r\nContent-Length: 5\r\n");
        let peer = Scripted::new().send(post(&fields, "hello")).send(GET).end();
        talk(peer, &Limits::default(), echo).statuses()
    };
    for value in ["100-continue", "100-Continue", "100-continue, 100-continue", " ,100-continue"] {
        assert_eq!(asked(value), [100, 200, 200], "{value:?}");
    }
    for value in ["tea", "100-continue, tea", "100-continue;q=1", "100", "\"100-continue\""] {
        assert_eq!(asked(value), [417], "{value:?}");
    }
    assert_eq!(asked(""), [200, 200], "an empty list expects nothing");
}

#[test]
fn a_handler_that_panics_after_it_is_still_answered_for() {
    let peer = Scripted::new().send(post(EXPECTS, "hello")).send(GET).end();
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| -> Response {
        let body = request.body().read_all();
        panic!("{body:?}")
    });
    assert_eq!(talk.statuses(), [100, 500]);
    assert!(talk.answers[1].closes());
}
