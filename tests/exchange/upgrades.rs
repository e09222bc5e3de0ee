//! Switching protocols (RFC 9110 section 7.8): who is asked, who is told no, and whose bytes are
//! whose.

use std::io::{self, Read, Write};

use harness::talk::{Talk, talk};
use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, Upgraded, Why};

use crate::{GET, post, request};

const ASKS: &str = "Connection: upgrade\r\nUpgrade: echo\r\n";

fn echo(mut stream: Upgraded<'_>) -> io::Result<()> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    stream.write_all(&all)
}

fn upgrade(peer: Scripted) -> Talk {
    talk(peer, &Limits::default(), |_| Response::upgrade("echo", echo))
}

#[test]
fn bytes_behind_the_request_go_to_the_new_protocol_first() {
    let asks = request("GET / HTTP/1.1", ASKS, "GET / HTTP/1.1\r\n");
    for piece in [1, 7, asks.len()] {
        let pieces = asks.as_bytes().chunks(piece);
        let peer = pieces.fold(Scripted::new(), Scripted::send);
        let talk = upgrade(peer.send("and more").end());
        assert_eq!(talk.only().status, 101);
        assert_eq!(talk.only().text(), "GET / HTTP/1.1\r\nand more", "pieces of {piece}");
        assert_eq!(talk.only().field("upgrade"), Some("echo"));
        assert_eq!(talk.only().field("connection"), Some("upgrade"));
        assert_eq!(talk.why, Why::Upgraded);
        assert!(talk.lingered_from().is_some());
    }
}

#[test]
fn answers_before_it_arrive_before_it() {
    let peer = Scripted::new().send([GET, &request("GET /up HTTP/1.1", ASKS, "hi")].concat()).end();
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| match request.path() {
        "/up" => Response::upgrade("echo", echo),
        _ => Response::text("first"),
    });
    assert_eq!(talk.texts(), ["first", "hi"]);
}

#[test]
fn a_client_that_does_not_ask_for_it_is_told_which_protocol_to_ask_for() {
    for (line, fields) in [
        ("GET / HTTP/1.1", ""),
        ("GET / HTTP/1.1", "Upgrade: echo\r\n"),
        ("GET / HTTP/1.1", "Connection: upgrade\r\n"),
        ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: other\r\n"),
        ("GET / HTTP/1.1", "Connection: keep-alive\r\nUpgrade: echo\r\n"),
        ("GET / HTTP/1.0", ASKS),
    ] {
        let talk = upgrade(Scripted::new().send(request(line, fields, "")).send(GET).end());
        let answer = &talk.answers[0];
        assert_eq!(
            (answer.status, answer.field("upgrade")),
            (426, Some("echo")),
            "{line} {fields}"
        );
        assert!(answer.field("connection").is_some_and(|value| value.starts_with("upgrade")));
        assert_eq!(talk.answers.len(), if line.ends_with('1') { 2 } else { 1 });
    }
}

#[test]
fn an_old_client_whose_connection_stays_is_told_so_with_the_protocol_too() {
    let fields = "Connection: keep-alive\r\n";
    let talk = upgrade(Scripted::new().send(request("GET / HTTP/1.0", fields, "")).send(GET).end());
    assert_eq!(talk.answers[0].field("connection"), Some("upgrade, keep-alive"));
    assert_eq!(talk.answers.len(), 2);
}

#[test]
fn any_case_and_any_place_in_a_list_is_asking() {
    for fields in [
        "Connection: Upgrade\r\nUpgrade: ECHO\r\n",
        "Connection: keep-alive, upgrade\r\nUpgrade: other, echo\r\n",
        "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: other\r\nUpgrade: echo\r\n",
    ] {
        let talk = upgrade(Scripted::new().send(request("GET / HTTP/1.1", fields, "hi")).end());
        assert_eq!((talk.only().status, talk.only().text().as_str()), (101, "hi"), "{fields:?}");
    }
}

#[test]
fn a_request_that_asks_is_served_as_ever_where_the_handler_does_not_switch() {
    let peer = Scripted::new().send(request("GET / HTTP/1.1", ASKS, "")).send(GET).end();
    let talk = talk(peer, &Limits::default(), |_| Response::text("no"));
    assert_eq!(talk.texts(), ["no", "no"]);
    assert_eq!(talk.answers[0].field("upgrade"), None);
}

#[test]
fn a_body_is_read_whole_before_the_protocol_changes() {
    let fields = format!("{ASKS}Content-Length: 4\r\n");
    let unread = upgrade(Scripted::new().send(post(&fields, "bodyhi")).end());
    assert_eq!(unread.only().status, 400);
    assert!(unread.only().closes());
    let peer = Scripted::new().send(post(&fields, "bodyhi")).end();
    let read = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        request.body().read_all().map(|_| Response::upgrade("echo", echo))
    });
    assert_eq!((read.only().status, read.only().text().as_str()), (101, "hi"));
}

#[test]
fn a_protocol_that_panics_cuts_its_connection() {
    let peer = Scripted::new().send(request("GET / HTTP/1.1", ASKS, "hi")).end();
    let talk = talk(peer, &Limits::default(), |_| {
        Response::upgrade("echo", |_| panic!("the key is 1234"))
    });
    assert_eq!((talk.only().status, talk.only().text().as_str(), talk.why), (101, "", Why::Failed));
}

#[test]
fn a_protocol_that_fails_cuts_its_connection() {
    let peer = Scripted::new().send(request("GET / HTTP/1.1", ASKS, "hi")).end();
    let talk = talk(peer, &Limits::default(), |_| {
        Response::upgrade("echo", |_| Err(io::ErrorKind::InvalidData.into()))
    });
    assert_eq!((talk.only().status, talk.why), (101, Why::Failed));
}

#[test]
fn a_transport_that_cannot_be_divided_says_so() {
    let peer = Scripted::new().send(request("GET / HTTP/1.1", ASKS, "hi")).end();
    let talk = talk(peer, &Limits::default(), |_| {
        Response::upgrade("echo", |mut stream| {
            assert!(stream.split().is_none());
            echo(stream)
        })
    });
    assert_eq!(talk.only().text(), "hi", "and what came early is still there");
}

#[test]
fn a_deadline_of_the_protocols_own_is_kept() {
    let limit = std::time::Duration::from_secs(3);
    let peer = Scripted::new().send(request("GET / HTTP/1.1", ASKS, "")).wait(limit * 2);
    let talk = talk(peer.send("late"), &Limits::default(), |_| {
        Response::upgrade("echo", move |mut stream| {
            stream.set_read_deadline(Some(std::time::Instant::now() + limit));
            let error = stream.read(&mut [0]).expect_err("nothing comes in time");
            stream.write_all(format!("{:?}", error.kind()).as_bytes())
        })
    });
    assert_eq!(talk.only().text(), "TimedOut");
}
