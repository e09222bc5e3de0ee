//! What a response becomes on the wire: which ones have a body, how it is framed, what is written
//! by the server alone, and what a program cannot say.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use harness::answer::Extent;
use harness::talk::{Talk, talk, talk_of};
use longhand::transport::Scripted;
use longhand::{FieldValue, IntoResponse, Limits, Reply, Request, Response, Status};

use crate::{GET, post, request};

/// A name, and what makes a response.
type Body = (&'static str, fn() -> Response);

/// Every way to make a body of `hello`.
fn bodies() -> [Body; 5] {
    [
        ("bytes", || Response::text("hello")),
        ("owned", || Response::text("hello".to_owned())),
        ("known", || Response::reader("text/plain", &b"hello"[..], Some(5))),
        ("unknown", || Response::reader("text/plain", &b"hello"[..], None)),
        ("stream", || Response::stream("text/plain", |out| io::Write::write_all(out, b"hello"))),
    ]
}

fn ask(line: &str, handler: impl Fn(&mut Request<'_>) -> Response) -> Talk {
    let method = line.split(' ').next().unwrap_or_default();
    let peer = Scripted::new().send(request(line, "", "")).send(GET).end();
    talk_of(peer, &[method, "GET"], &Limits::default(), handler)
}

#[test]
fn every_kind_of_body_arrives_whole_and_the_connection_goes_on() {
    for (kind, body) in bodies() {
        let talk = ask("GET / HTTP/1.1", |_| body());
        assert_eq!(talk.texts(), ["hello", "hello"], "{kind}");
        assert_eq!(talk.answers[0].extent, Extent::Whole, "{kind}");
        let known = talk.answers[0].field("content-length") == Some("5");
        let chunked = talk.answers[0].field("transfer-encoding") == Some("chunked");
        assert!(known != chunked, "{kind}: one framing, not two");
        assert_eq!(chunked, ["unknown", "stream"].contains(&kind), "{kind}");
    }
}

#[test]
fn http_1_0_is_never_sent_chunks() {
    for (kind, body) in bodies() {
        for fields in ["", "Connection: keep-alive\r\n"] {
            let peer = Scripted::new().send(request("GET / HTTP/1.0", fields, "")).end();
            let talk = talk(peer, &Limits::default(), |_| body());
            let answer = talk.only();
            assert_eq!(answer.text(), "hello", "{kind}");
            assert_eq!(answer.field("transfer-encoding"), None, "{kind}");
            let until_close = answer.extent == Extent::UntilClose;
            assert_eq!(until_close, ["unknown", "stream"].contains(&kind), "{kind}");
            assert_eq!(answer.closes(), until_close || fields.is_empty(), "{kind}");
        }
    }
}

#[test]
fn head_204_and_304_never_carry_a_body() {
    for (kind, body) in bodies() {
        let head = ask("HEAD / HTTP/1.1", |_| body());
        let get = ask("GET / HTTP/1.1", |_| body());
        assert_eq!(head.texts(), ["", "hello"], "{kind}: the connection goes on");
        assert_eq!(head.answers[0].fields, get.answers[0].fields, "{kind}: as GET, without a body");
        for status in [Status::NO_CONTENT, Status::NOT_MODIFIED] {
            for line in ["GET / HTTP/1.1", "HEAD / HTTP/1.1"] {
                let talk = ask(line, |_| body().status(status));
                assert_eq!(talk.texts(), ["", ""], "{kind}, {status}");
                let answer = &talk.answers[0];
                assert_eq!(answer.field("content-length"), None, "{kind}, {status}");
                assert_eq!(answer.field("transfer-encoding"), None, "{kind}, {status}");
            }
        }
    }
}

#[test]
fn a_205_has_no_content_and_says_so_by_its_length() {
    for (kind, body) in bodies() {
        let talk = ask("GET / HTTP/1.1", |_| body().status(Status::RESET_CONTENT));
        assert_eq!(talk.texts(), ["", ""], "{kind}: the connection goes on");
        assert_eq!(talk.answers[0].field("content-length"), Some("0"), "{kind}");
        assert_eq!(talk.answers[0].field("transfer-encoding"), None, "{kind}");
    }
}

#[test]
fn a_body_that_is_not_sent_is_not_made() {
    for line in ["HEAD / HTTP/1.1", "HEAD / HTTP/1.0"] {
        let talk = ask(line, |request| {
            if request.method() == "HEAD" {
                Response::stream("text/plain", |_| unreachable!("nobody reads it"))
            } else {
                Response::text("hello")
            }
        });
        assert_eq!(talk.answers[0].text(), "");
    }
}

#[test]
fn a_refused_head_gets_no_body_either() {
    for (request, status) in [
        ("HEAD / HTTP/1.1\r\n\r\n", 400),
        ("HEAD / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
        ("HEAD / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        ("\r\nHEAD / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        ("HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n", 413),
    ] {
        let peer = Scripted::new().send(request).end();
        let talk = talk_of(peer, &["HEAD"], &Limits::default(), |request| {
            request.body().read_all().map(|_| Response::text("read"))
        });
        assert_eq!((talk.only().status, talk.only().text().as_str()), (status, ""), "{request:?}");
        assert!(talk.only().field("content-length").is_some_and(|length| length != "0"));
    }
}

#[test]
fn an_empty_body_says_so_and_a_reader_of_no_bytes_is_one() {
    for body in [
        || Response::new(Status::OK),
        || Response::text(""),
        || Response::reader("text/plain", io::empty(), Some(0)),
    ] {
        let talk = ask("GET / HTTP/1.1", |_| body());
        assert_eq!(talk.texts(), ["", ""]);
        assert_eq!(talk.answers[0].field("content-length"), Some("0"));
    }
}

#[test]
fn a_reader_that_ends_before_its_length_cuts_the_connection() {
    let peer = Scripted::new().send([GET, GET].concat()).end();
    let talk =
        talk(peer, &Limits::default(), |_| Response::reader("text/plain", &b"hello"[..], Some(9)));
    assert_eq!((talk.only().text().as_str(), talk.only().extent), ("hello", Extent::Cut));
}

#[test]
fn of_a_reader_that_goes_on_no_more_is_read_than_its_length() {
    let talk = ask("GET / HTTP/1.1", |_| Response::reader("text/plain", io::repeat(b'a'), Some(5)));
    assert_eq!(talk.texts(), ["aaaaa", "aaaaa"]);
}

// --- what the server writes ---

#[test]
fn the_date_is_there_once_and_right_across_seconds() {
    let pause = Duration::from_millis(999);
    let peer = (0..4).fold(Scripted::new(), |peer, _| peer.send(GET).wait(pause));
    let talk = talk(peer.send("BAD\r\n").end(), &Limits::default(), |_| Response::text("hello"));
    let dates = talk.answers.iter().map(|answer| {
        let dates = answer.fields.iter().filter(|(name, _)| name == "date");
        dates.map(|(_, date)| date.as_str()).collect::<String>()
    });
    // At 0, 0.999, 1.998, 2.997 and 3.996 seconds.
    let seconds = ["37", "37", "38", "39", "40"];
    let wanted = seconds.map(|second| format!("Sun, 06 Nov 1994 08:49:{second} GMT"));
    assert_eq!(dates.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_date_of_the_programs_own_is_passed_on() {
    let talk = ask("GET / HTTP/1.1", |_| Response::text("old").field("date", "yesterday"));
    let dates: Vec<_> = talk.answers[0].fields.iter().filter(|(name, _)| name == "date").collect();
    assert_eq!(dates, [&("date".to_owned(), "yesterday".to_owned())]);
}

#[test]
fn a_field_replaces_and_add_field_adds() {
    let talk = ask("GET / HTTP/1.1", |_| {
        Response::text("hello")
            .field("content-type", "text/x")
            .add_field("Set-Cookie", "a=1")
            .add_field("set-cookie", "b=2")
    });
    let fields = &talk.answers[0].fields;
    let values = |wanted: &str| -> Vec<&str> {
        fields.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(values("content-type"), ["text/x"]);
    assert_eq!(values("set-cookie"), ["a=1", "b=2"]);
}

#[test]
fn a_redirect_leads_where_it_says_and_holds_no_byte_that_ends_a_line() {
    let talk =
        ask("GET / HTTP/1.1", |_| Response::redirect("/caf\u{e9}?q=a b%20c#d\r\nSet-Cookie: e"));
    let answer = &talk.answers[0];
    assert_eq!(answer.status, 303);
    let location = "/caf%C3%A9?q=a%20b%20c#d%0D%0ASet-Cookie:%20e";
    assert_eq!(answer.field("location"), Some(location));
    assert_eq!(answer.field("set-cookie"), None);

    // Browsers read a backslash as a slash; brackets stand around an IPv6 address.
    let talk = ask("GET / HTTP/1.1", |_| Response::redirect("/\\e.example/^`{|}[::1]"));
    let location = "/%5Ce.example/%5E%60%7B%7C%7D[::1]";
    assert_eq!(talk.answers[0].field("location"), Some(location));
}

#[test]
fn results_texts_and_statuses_are_responses() {
    fn answer(response: impl for<'s> IntoResponse<'s>) -> (u16, String) {
        let response: Response = response.into_response();
        let status = response.status_code().code();
        (status, format!("{response:?}"))
    }
    assert_eq!(answer("hello").0, 200);
    assert_eq!(answer("hello".to_owned()).0, 200);
    assert_eq!(answer(Status::NOT_FOUND).0, 404);
    assert_eq!(answer(Status::NO_CONTENT).0, 204);
    assert_eq!(answer(Ok::<_, io::Error>("hello")).0, 200);
    let (status, text) = answer(Err::<&'static str, _>(io::Error::other("a secret")));
    assert_eq!(status, 500);
    assert!(!text.contains("secret"));
}

// --- what a program cannot say ---

#[test]
fn framing_fields_set_by_hand_are_a_500() {
    for name in ["Connection", "content-length", "Keep-Alive", "TRANSFER-ENCODING", "Upgrade"] {
        for add in [false, true] {
            let peer = Scripted::new().send([GET, GET].concat()).end();
            let talk = talk(peer, &Limits::default(), |_| {
                let response = Response::text("hello");
                if add { response.add_field(name, "5") } else { response.field(name, "5") }
            });
            assert_eq!(talk.only().status, 500, "{name}");
            assert!(talk.only().closes());
        }
    }
}

#[test]
fn misuse_of_a_response_panics_where_it_happens() {
    fn switch() -> Response {
        Response::upgrade("echo", |_| Ok(()))
    }
    let misuses: [Body; 11] = [
        ("a body for an upgrade", || switch().with_body_of(Response::text("hello"))),
        ("the body of an upgrade", || Response::text("hello").with_body_of(switch())),
        ("an interim status", || Response::new(Status::CONTINUE)),
        ("a 101 without a takeover", || Response::new(Status::SWITCHING_PROTOCOLS)),
        ("an interim status, later", || Response::text("hello").status(Status::CONTINUE)),
        ("an upgrade that is no 101", || Response::upgrade("echo", |_| Ok(())).status(Status::OK)),
        ("a protocol that is no token", || Response::upgrade("two words", |_| Ok(()))),
        ("a name that is no token", || Response::text("hello").field("two words", "a")),
        ("an empty name", || Response::text("hello").field("", "a")),
        ("a name with a line end", || Response::text("hello").field("A: b\r\nC", "d")),
        ("a value with a line end", || Response::text("hello").field("a", "b\r\nC: d")),
    ];
    for (misuse, make) in misuses {
        let made = catch_unwind(AssertUnwindSafe(make));
        assert!(made.is_err(), "{misuse} is taken: {:?}", made.ok());
    }
}

#[test]
fn a_body_is_replaced_with_its_type_and_nothing_else_is() {
    let worded = |body: fn() -> Response| {
        ask("POST / HTTP/1.1", move |_| {
            let refused = Status::METHOD_NOT_ALLOWED.into_response().field("Allow", "GET").close();
            refused.with_body_of(body().status(Status::ACCEPTED).field("ETag", "\"a\""))
        })
    };
    for (kind, body) in bodies() {
        let talk = worded(body);
        let answer = talk.only();
        assert_eq!((answer.status, answer.text().as_str()), (405, "hello"), "{kind}");
        assert!(answer.closes() && answer.field("etag").is_none(), "{kind}");
        assert_eq!(answer.field("allow"), Some("GET"), "{kind}");
        assert!(answer.field("content-type").is_some_and(|it| it.starts_with("text/plain")));
    }
    let bare = worded(|| Response::new(Status::OK));
    assert_eq!((bare.only().text().as_str(), bare.only().field("content-type")), ("", None));
}

#[test]
fn no_field_value_holds_a_byte_that_ends_a_line() {
    for octet in 0..=255 {
        let value = FieldValue::new([b"a", &[octet][..], b"b"].concat());
        let control = (octet < 0x20 && octet != b'\t') || octet == 0x7f;
        match value {
            Ok(value) => assert!(!control && value.as_bytes().len() == 3, "{octet:02x}"),
            Err(bad) => assert!(control && (bad.at, bad.found) == (1, octet), "{octet:02x}"),
        }
    }
    for outside in ["x\r\nSet-Cookie: a=b", "x\nA: b", "x\rA: b", "\0"] {
        assert!(FieldValue::new(outside).is_err(), "{outside:?}");
    }
}

// --- panics ---

#[test]
fn a_panic_is_a_500_that_says_nothing_of_it_and_closes() {
    for body in ["", "hello"] {
        let length = format!("Content-Length: {}\r\n", body.len());
        let peer = Scripted::new().send(post(&length, body)).send(GET).end();
        let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| -> Response {
            panic!("the key is 1234 and {} was asked for", request.path())
        });
        assert_eq!(talk.only().text(), "500 Internal Server Error\n");
        assert!(talk.only().closes() && talk.lingered_from().is_some());
        assert!(!talk.peer.output_text().contains("1234"));
    }
}

#[test]
fn a_panic_with_a_value_that_is_no_text_is_a_500_too() {
    let peer = Scripted::new().send(GET).end();
    let talk = talk(peer, &Limits::default(), |_: &mut Request<'_>| -> Response {
        std::panic::panic_any(5)
    });
    assert_eq!(talk.only().status, 500);
}

#[test]
fn answers_before_a_panic_are_not_lost_to_it() {
    let peer = Scripted::new().send([GET, &request("GET /panic HTTP/1.1", "", ""), GET].concat());
    let talk = talk(peer.end(), &Limits::default(), |request: &mut Request<'_>| {
        assert_ne!(request.path(), "/panic");
        Reply::text("hello")
    });
    assert_eq!(talk.statuses(), [200, 500]);
}
