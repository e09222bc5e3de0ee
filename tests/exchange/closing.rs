//! How connections end: announced or not, at once or lingering (RFC 9112 section 9.6).

use std::io::{ErrorKind, Write};
use std::time::Duration;

use harness::talk::{Clock, Road, Talk, Travel, talk};
use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, Why, serve_connection};

use crate::{GET, post, request};

const TICK: Duration = Duration::from_millis(1);

fn handle(request: &mut Request<'_>) -> Response {
    match request.path() {
        "/close" => Response::text("bye").close(),
        "/panic" => panic!("asked to"),
        "/cut" => Response::stream("text/plain", |out| {
            out.write_all(b"half")?;
            Err(ErrorKind::Other.into())
        }),
        _ => Response::text("hello"),
    }
}

fn served(peer: Scripted) -> Talk {
    talk(peer, &Limits::default(), handle)
}

fn get(path: &str, fields: &str) -> String {
    request(&format!("GET {path} HTTP/1.1"), fields, "")
}

#[test]
fn every_close_is_announced_but_those_that_nobody_could_announce() {
    let idle = Limits::default().idle;
    let large = post("Content-Length: 9999999\r\n", "");
    let announced = [
        get("/close", ""),
        get("/panic", ""),
        get("/", "Connection: close\r\n"),
        request("GET / HTTP/1.0", "", ""),
        post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        large,
        "BAD\r\n".to_owned(),
        get("/", "Expect: tea\r\n"),
        "GET / HTTP/1.1\r\nHost: x\r\n".to_owned(),
    ];
    for bytes in announced {
        let talk = served(Scripted::new().send(&bytes).end());
        assert!(talk.only().closes(), "{bytes:?}: {:?}", talk.only());
        assert!(matches!(talk.why, Why::ServerAsked | Why::PeerAsked), "{bytes:?}: {:?}", talk.why);
    }
    // The peer's own end, a rest that grew too long, a body that was to be dropped and did not
    // come, a response that broke off.
    let unannounced = [
        (Scripted::new().send(GET).end(), Why::PeerClosed),
        (Scripted::new().send(GET).wait(idle), Why::Idle),
        (Scripted::new().send(post("Content-Length: 5\r\n", "")), Why::Failed),
        (Scripted::new().send(get("/cut", "")), Why::Failed),
        (Scripted::new().send(GET).wait(TICK).send("\r\n").wait(TICK).reset(), Why::Failed),
    ];
    for (peer, why) in unannounced {
        let talk = served(peer);
        assert!(!talk.only().closes(), "{:?}", talk.only());
        assert_eq!(talk.why, why);
    }
}

#[test]
fn a_close_is_plain_where_the_peer_asked_for_it_and_all_was_read() {
    for bytes in [
        get("/", "Connection: close\r\n"),
        request("GET / HTTP/1.0", "", ""),
        get("/close", "Connection: close\r\n"),
    ] {
        let talk = served(Scripted::new().send(&bytes).wait(Duration::from_secs(9)).end());
        assert_eq!(talk.lingered_from(), None, "{bytes:?}");
        assert_eq!(talk.peer.elapsed(), Duration::ZERO, "{bytes:?}");
    }
}

#[test]
fn a_secure_connection_says_its_end_unless_it_was_cut() {
    let idle = Limits::default().idle;
    let secure = || Scripted::new().secure();
    let closing = get("/", "Connection: close\r\n");
    for (peer, why, said) in [
        (secure().send(GET).wait(idle), Why::Idle, Some(idle)),
        (secure().send(GET).end(), Why::PeerClosed, Some(Duration::ZERO)),
        (secure().send(&closing).end(), Why::PeerAsked, Some(Duration::ZERO)),
        (secure().send(request("GET / HTTP/1.0", "", "")), Why::PeerAsked, Some(Duration::ZERO)),
        (secure().send(request("GET /cut HTTP/1.0", "", "")), Why::Failed, None),
        (secure().send(get("/cut", "")), Why::Failed, None),
        (secure().send(GET).reset(), Why::Failed, None),
    ] {
        let shown = format!("{peer:?}");
        let talk = served(peer);
        assert_eq!((talk.why, talk.lingered_from()), (why, said), "{shown}");
    }
}

#[test]
fn an_end_that_tls_does_not_say_is_no_failure_between_two_requests_and_one_inside() {
    let half = post("Content-Length: 5\r\n", "he");
    for (bytes, why, answers) in
        [("", Why::PeerClosed, 0), (GET, Why::PeerClosed, 1), (&half, Why::Failed, 0)]
    {
        let mut whole = !bytes.is_empty();
        let mut cut = |travel| match travel {
            Travel::Read if !std::mem::take(&mut whole) => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        };
        let mut road = Road::new(Scripted::new().send(bytes), &Clock::default(), &mut cut);
        let found = serve_connection(&mut road, &Limits::default(), |request: &mut Request<'_>| {
            request.body().read_all().map(|_| Response::text("whole"))
        });
        let answered = road.peer.output_text().matches("HTTP/1.1 200 OK").count();
        assert_eq!((found, answered), (why, answers), "{bytes:?}");
    }
}

#[test]
fn a_close_that_may_leave_bytes_unread_lingers() {
    for bytes in [
        get("/close", ""),
        get("/panic", ""),
        get("/", "Connection: close\r\n") + "GET /",
        post("Connection: close\r\nContent-Length: 5\r\n", "he"),
        post("Content-Length: 9999999\r\n", "he"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhe"),
        "GET / HTTP/1.1\nHost: x\n\n".to_owned(),
    ] {
        let peer = Scripted::new().send(&bytes).wait(Duration::from_millis(900)).send("more").end();
        let talk = served(peer);
        assert_eq!(talk.lingered_from(), Some(Duration::ZERO), "{bytes:?}");
        assert_eq!(talk.bytes_read(), bytes.len() + 4, "{bytes:?}: what follows is read");
        assert_eq!(talk.answers.len(), 1, "{bytes:?}: and dropped");
    }
}

#[test]
fn a_peer_that_ends_in_mid_head_is_told_what_is_missing() {
    for cut in 1..GET.len() {
        let talk = served(Scripted::new().send(GET).send(&GET[..cut]).end());
        assert_eq!(talk.statuses(), [200, 400], "{cut}");
        assert_eq!(talk.answers[1].rule(), "ended-in-head");
    }
}

#[test]
fn a_peer_that_ends_between_two_requests_is_told_nothing() {
    for between in ["", "\r\n", "\r\n\r\n", "\r"] {
        let talk = served(Scripted::new().send([GET, between].concat()).end());
        assert_eq!((talk.statuses(), talk.why), (vec![200], Why::PeerClosed), "{between:?}");
    }
}

#[test]
fn a_peer_that_ends_its_side_still_gets_its_answers() {
    let talk = served(Scripted::new().send([GET, GET, GET].concat()).end());
    assert_eq!(talk.statuses(), [200, 200, 200]);
}

#[test]
fn a_refusal_names_the_rule_the_byte_and_the_cure_and_repeats_nothing() {
    let talk =
        served(Scripted::new().send("GET /secret HTTP/1.1\r\nHost: x\r\nKey : 1234\r\n\r\n"));
    let text = talk.only().text();
    assert!(text.starts_with("name-space: byte 34: "), "{text}");
    assert!(text.contains("RFC 9112") && text.contains("\nHelp: "), "{text}");
    assert!(!text.contains("1234") && !text.contains("secret"), "{text}");
    assert_eq!(talk.only().field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(talk.only().field("x-content-type-options"), Some("nosniff"));
}
