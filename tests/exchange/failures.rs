//! Failures on their way through a handler: what the handler may make of them, what the peer reads.

use std::error::Error;
use std::io;
use std::time::Duration;

use harness::answer::{Answer, answers};
use harness::talk::{Clock, Road, Travel, talk, talk_of};
use longhand::transport::Scripted;
use longhand::wire::Violation;
use longhand::{
    BadValue, FieldValue, IntoResponse, Limits, Refusal, Reply, Request, Response, Status, Why,
    serve_connection,
};

use crate::{GET, post};

/// Middleware that marks every response with its status, as a log would see it.
fn marked<'s, R: IntoResponse<'s>>(
    handler: impl Fn(&mut Request<'_>) -> R,
) -> impl Fn(&mut Request<'_>) -> Reply<'s> {
    move |request| {
        let reply = handler(request).into_response();
        let status = reply.status_code().code();
        reply.field("X-Status", status)
    }
}

#[test]
fn middleware_sees_the_status_that_the_peer_gets_when_a_body_fails() {
    for (body, status) in [
        (post("Content-Length: 10\r\n", "abc"), 400),
        (post("Content-Length: 999999999\r\n", ""), 413),
        (post("Transfer-Encoding: chunked\r\n", "x"), 400),
    ] {
        let handler = marked(|request: &mut Request<'_>| {
            request.body().read_all().map(|_| Response::text("never"))
        });
        let talk = talk(Scripted::new().send(body).end(), &Limits::default(), handler);
        assert_eq!(talk.only().status, status);
        assert_eq!(talk.only().field("x-status"), Some(status.to_string().as_str()));
        assert!(talk.only().closes());
    }
}

#[test]
fn an_error_of_the_programs_own_is_a_500_and_one_of_a_body_keeps_its_status() {
    fn read(request: &mut Request<'_>) -> Result<Response, Box<dyn Error + Send + Sync>> {
        let body = request.body().read_all()?;
        let number: u8 = String::from_utf8(body)?.parse()?;
        match number {
            1 => Err(Refusal::new(Status::UNPROCESSABLE_CONTENT, "one").into()),
            2 => Err(io::Error::from(Refusal::new(Status::UNPROCESSABLE_CONTENT, "two")).into()),
            3 => Err("three".into()),
            _ => Ok(Response::text("fine")),
        }
    }
    for (length, body, status, text) in [
        (1, "4", 200, "fine"),
        (1, "x", 500, "500 Internal Server Error\n"),
        (1, "3", 500, "500 Internal Server Error\n"),
        (1, "2", 422, "two\n"),
        // Where nobody has passed it through a reader, it is one of the program's own.
        (1, "1", 500, "500 Internal Server Error\n"),
        (9, "4", 400, "ended-in-body: "),
    ] {
        let peer = Scripted::new().send(post(&format!("Content-Length: {length}\r\n"), body));
        let talk = talk(peer.end(), &Limits::default(), |request| -> Result<Response, Response> {
            read(request).map_err(Response::failed)
        });
        assert_eq!(talk.only().status, status, "{body}");
        assert!(talk.only().text().starts_with(text), "{body}");
    }
}

#[test]
fn a_handler_may_answer_a_failed_body_in_its_own_words_but_not_with_another_status() {
    let peer = Scripted::new().send(post("Content-Length: 10\r\n", "abc")).end();
    let kept = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        let error = request.body().read_all().expect_err("the body ends early");
        let broken = Violation::of(&error).expect("the peer's fault");
        Response::json("{\"error\":\"body\"}").status(broken.status())
    });
    assert_eq!((kept.only().status, kept.only().text().as_str()), (400, "{\"error\":\"body\"}"));
    assert!(kept.only().closes());
    let peer = Scripted::new().send(post("Content-Length: 10\r\n", "abc")).end();
    let other = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        let _ = request.body().read_all();
        Response::text("all is well")
    });
    assert_eq!(other.only().status, 400);
    assert!(other.only().text().starts_with("ended-in-body: "));
}

#[test]
fn a_refusal_does_not_depend_on_what_came_behind_the_byte_at_fault() {
    // A blank is no beginning of a request; what comes behind it is not one to be answered as HEAD.
    for garbage in [" HEAD / HTTP/1.1\r\n\r\n", "\nHEAD / HTTP/1.1\r\n\r\n"] {
        let whole = talk(Scripted::new().send(garbage).end(), &Limits::default(), |_| "hello");
        let drip = Scripted::new().drip(garbage, Duration::ZERO).end();
        let dripped = talk(drip, &Limits::default(), |_| "hello");
        assert_eq!(whole.peer.output_text(), dripped.peer.output_text());
        assert!(whole.only().text().contains("Help: "), "{garbage:?}");
    }
    let head = talk_of(
        Scripted::new().send("HEAD  HTTP/1.1\r\n").end(),
        &["HEAD"],
        &Limits::default(),
        |_| "hello",
    );
    assert_eq!((head.only().status, head.only().text().as_str()), (400, ""));
}

#[test]
fn a_read_that_a_signal_interrupts_has_not_failed() {
    let peer =
        Scripted::new().send(post("Content-Length: 5\r\n", "")).send("hello").send(GET).end();
    let mut reads = 0;
    let mut every_other = |travel| {
        reads += usize::from(travel == Travel::Read);
        let interrupted = travel == Travel::Read && reads % 2 == 1;
        if interrupted { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    };
    let clock = Clock::default();
    let mut road = Road::new(peer, &clock, &mut every_other);
    let why = serve_connection(&mut road, &Limits::default(), |request: &mut Request<'_>| {
        request.body().read_all().map(|body| Response::text(format!("{} bytes", body.len())))
    });
    let texts: Vec<_> = answers(&road.peer.output(), &[]).iter().map(Answer::text).collect();
    assert_eq!((why, texts), (Why::PeerClosed, vec!["5 bytes".to_owned(), "0 bytes".to_owned()]));
}

#[test]
fn a_body_that_ends_early_is_refused_at_the_byte_where_it_ended() {
    for (sent, at) in [
        (post("Content-Length: 10\r\n", "abc"), 3),
        (post("Transfer-Encoding: chunked\r\n", "5\r\nhel"), 6),
    ] {
        let peer = Scripted::new().send(sent).end();
        let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
            request.body().read_all().map(|_| Response::text("never"))
        });
        let wanted = format!("ended-in-body: byte {at} of the body: ");
        assert!(talk.only().text().starts_with(&wanted), "{}", talk.only().text());
    }
}

#[test]
fn an_error_of_the_programs_own_is_a_500_without_its_words() {
    let failing =
        |_: &mut Request<'_>| -> io::Result<Response> { Err(io::Error::other("the key is 1234")) };
    let talk = talk(Scripted::new().send(GET).end(), &Limits::default(), failing);
    assert_eq!(talk.only().status, 500);
    assert!(!talk.peer.output_text().contains("1234"));
    let value = |_: &mut Request<'_>| -> Result<Response, BadValue> {
        Ok(Response::text("").field("X", FieldValue::new("a\r\nb")?))
    };
    let talk = harness::talk::talk(Scripted::new().send(GET).end(), &Limits::default(), value);
    assert_eq!(talk.only().status, 500);
}
