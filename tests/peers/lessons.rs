//! The day-one list, in its order. Each line of it has a server that got it wrong.

use std::io::{self, Read, Write};
use std::time::Duration;

use harness::answer::Extent;
use harness::client::{Client, NEVER};
use harness::latch::{Latch, OpensAtLast};
use harness::running::{Told, run};
use harness::talk::{Talk, talk};
use longhand::transport::Scripted;
use longhand::{FieldValue, Limits, Request, Response, Server};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

fn echo(request: &mut Request<'_>) -> io::Result<Response> {
    assert_ne!(request.path(), "/smuggled", "a body was taken for a request");
    Ok(Response::bytes("text/plain", request.body().read_all()?))
}

// Sends this to a server that echoes bodies.
fn echoed(bytes: impl AsRef<[u8]>) -> Talk {
    talk(Scripted::new().send(bytes).end(), &Limits::default(), echo)
}

fn post(fields: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{body}")
}

fn bind() -> Server {
    Server::bind("127.0.0.1:0").expect("a free port")
}

#[track_caller]
fn assert_refused(talk: &Talk, status: u16, rule: &str) {
    let answer = talk.only();
    assert_eq!((answer.status, &answer.rule()[..], answer.closes()), (status, rule, true));
}

// 1. RUSTSEC-2021-0078 (hyper), mongoose#2322, WEBrick#119: `str::parse` takes a sign, and what is
// no number is no zero either.
#[test]
fn content_length_with_a_plus_sign_is_refused() {
    for value in ["+5", "-5", "5 5", "5;", "0x5", "5.0", "", "abc", "\u{665}", "5,", ",5"] {
        assert_refused(
            &echoed(post(&format!("Content-Length: {value}"), SMUGGLED)),
            400,
            "length-digits",
        );
    }
    let too_large = "Content-Length: 18446744073709551616";
    assert_refused(&echoed(post(too_large, SMUGGLED)), 400, "length-too-large");
    let differ = "Content-Length: 5\r\nContent-Length: 05, 6";
    assert_refused(&echoed(post(differ, SMUGGLED)), 400, "lengths-differ");
    assert_eq!(
        echoed(post("Content-Length: 5, 05\r\nContent-Length: 5", "hello")).texts(),
        ["hello"]
    );
}

// 2. RUSTSEC-2021-0020 (hyper), CVE-2022-1705 (Go), CVE-2024-47220 (WEBrick), RUSTSEC-2026-0034
// (pingora).
#[test]
fn a_transfer_encoding_that_is_not_exactly_chunked_once_on_http_1_1_is_refused() {
    for (fields, status, rule) in [
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 400, "length-and-coding"),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", 400, "length-and-coding"),
        ("Transfer-Encoding: xchunked", 501, "coding-unknown"),
        ("Transfer-Encoding: gzip, chunked", 501, "coding-unknown"),
        ("Transfer-Encoding: chunked, chunked", 400, "coding-malformed"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400, "coding-malformed"),
        ("Transfer-Encoding: chunked, identity", 400, "coding-malformed"),
        ("Transfer-Encoding:", 400, "coding-malformed"),
        ("Transfer-Encoding: \"chunked\"", 400, "coding-malformed"),
        ("Transfer-Encoding: \x0bchunked", 400, "value-octet"),
        ("Transfer-Encoding: \rchunked", 400, "bare-cr"),
        ("Transfer-Encoding : chunked", 400, "name-space"),
    ] {
        assert_refused(&echoed(post(fields, &format!("0\r\n\r\n{SMUGGLED}"))), status, rule);
    }
    let old = post("Transfer-Encoding: chunked", SMUGGLED).replace("/1.1", "/1.0");
    assert_refused(&echoed(old), 400, "coding-version");
    let any_case = post("Transfer-Encoding: , CHUNKED ,", "5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(echoed(any_case).texts(), ["hello"]);
}

// 3. RUSTSEC-2021-0079 (hyper), CVE-2023-39326 and CVE-2025-22871 (Go), CVE-2024-22019 (Node),
// CVE-2026-45352 (cpp-httplib), golang/go#64517.
#[test]
fn a_chunk_size_is_hex_digits_and_crlf_and_its_extensions_have_an_end() {
    let chunked = |body: &str| echoed(post("Transfer-Encoding: chunked", body));
    for (body, rule) in [
        ("+5\r\nhello\r\n0\r\n\r\n", "chunk-size"),
        ("-1\r\nhello\r\n0\r\n\r\n", "chunk-size"),
        ("0x5\r\nhello\r\n0\r\n\r\n", "chunk-ext"),
        ("\r\nhello\r\n0\r\n\r\n", "chunk-size"),
        (";a\r\nhello\r\n0\r\n\r\n", "chunk-size"),
        ("5\nhello\r\n0\r\n\r\n", "bare-lf"),
        ("5;a\nhello\r\n0\r\n\r\n", "bare-lf"),
        ("5\rhello\r\n0\r\n\r\n", "bare-cr"),
        ("5\r\nhello\n0\r\n\r\n", "chunk-data-end"),
        ("5\r\nhello0\r\n\r\n", "chunk-data-end"),
        ("00000000000000005\r\nhello\r\n0\r\n\r\n", "chunk-size-too-large"),
        ("5\r\nhello\r\n\r\n", "chunk-size"),
    ] {
        assert_refused(&chunked(body), 400, rule);
    }
    let drip = format!("1;{}\r\na\r\n", "e".repeat(100)).repeat(1_000) + "0\r\n\r\n";
    assert_refused(&chunked(&drip), 400, "chunk-ext-too-long");
    let trailers = format!("0\r\nA: {}\r\n\r\n", "a".repeat(20_000));
    assert_refused(&chunked(&trailers), 431, "trailers-too-large");
    // Trailers are no fields of the head, and no next request.
    let talk = chunked("5\r\nhello\r\n0\r\nGET: /smuggled HTTP/1.1\r\nHost: y\r\n\r\n");
    assert_eq!(talk.texts(), ["hello"]);
}

// 4. tiny_http#290 and #252, python/cpython#119452, RUSTSEC-2022-0035.
#[test]
fn memory_grows_with_what_arrives_and_not_by_what_is_declared() {
    let limits = Limits { body: u64::MAX, ..Limits::default() };
    let peer = Scripted::new().send(post("Content-Length: 18446744073709551615", "hello")).end();
    let talk = talk(peer, &limits, |request: &mut Request<'_>| {
        assert_eq!(request.body().remaining(), Some(u64::MAX));
        echo(request)
    });
    assert_refused(&talk, 400, "ended-in-body");
    let peer =
        Scripted::new().send(post("Transfer-Encoding: chunked", "ffffffffffffffff\r\nhello"));
    assert_refused(&harness::talk::talk(peer.end(), &limits, echo), 400, "ended-in-body");
}

// 5. RUSTSEC-2020-0031 (tiny_http), CVE-2022-32213 to 32215 (Node).
#[test]
fn a_head_that_two_servers_could_read_differently_is_refused() {
    for (head, rule) in [
        ("GET / HTTP/1.1\r\n\r\n", "host-missing"),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "host-repeated"),
        ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", "name-space"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "obs-fold"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n", "value-octet"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", "bare-cr"),
        ("GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", "bare-lf"),
        ("GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", "colon-missing"),
        ("GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", "name-empty"),
        ("GET / HTTP/1.1\r\nHost: x\r\n", "ended-in-head"),
        ("GET /\r\nHost: x\r\n\r\n", "version-missing"),
        ("GET / / HTTP/1.1\r\nHost: x\r\n\r\n", "version-syntax"),
        ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "target-missing"),
        ("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", "method-octet"),
    ] {
        let talk = echoed(head);
        assert_eq!((talk.only().status, talk.only().rule().as_str()), (400, rule), "{head:?}");
    }
}

// 6. cpp-httplib#2427 and #2533: an answer twice, or lost to a reset.
#[test]
fn after_a_framing_error_there_is_one_answer_and_a_close_that_hears_the_peer_out() {
    for bad in [post("Content-Length: +5", ""), "junk\r\n\r\n".to_owned(), "A".repeat(40_000)] {
        let rest = "b".repeat(100_000);
        let peer = Scripted::new().send([&bad, GET, GET].concat()).send(&rest).end();
        let talk = talk(peer, &Limits::default(), echo);
        assert_eq!(talk.answers.len(), 1);
        assert!(talk.only().closes() && talk.lingered_from().is_some());
        assert_eq!(talk.bytes_read(), bad.len() + 2 * GET.len() + rest.len());
    }
}

// 7. RUSTSEC-2026-0033 (pingora): bytes behind a request belong to what follows it.
#[test]
fn no_byte_is_lost_between_two_requests_or_before_an_upgrade() {
    let upgrade = "GET /up HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let bytes = [&post("Content-Length: 5", "hello"), GET, upgrade, "early"].concat();
    for piece in 1..=bytes.len() {
        let pieces = bytes.as_bytes().chunks(piece);
        let peer = pieces.fold(Scripted::new(), Scripted::send).end();
        let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
            if request.path() == "/up" {
                return Ok(Response::upgrade("echo", |mut stream| {
                    let mut all = Vec::new();
                    stream.read_to_end(&mut all)?;
                    stream.write_all(&all)
                }));
            }
            echo(request)
        });
        assert_eq!(talk.texts(), ["hello", "", "early"], "pieces of {piece}");
    }
}

// 8. RUSTSEC-2020-0093 (async-h1), RUSTSEC-2025-0037 (pingora), python/cpython#150499,
// cpp-httplib#2504.
#[test]
fn a_body_that_nobody_read_is_never_the_next_request() {
    let ignore = |request: &mut Request<'_>| {
        assert_ne!(request.path(), "/smuggled");
        Response::text("ignored")
    };
    let length = format!("Content-Length: {}", SMUGGLED.len());
    let peer = Scripted::new().send(post(&length, SMUGGLED) + GET).end();
    assert_eq!(talk(peer, &Limits::default(), ignore).statuses(), [200, 200]);
    let large = post("Content-Length: 300000", &SMUGGLED.repeat(300_000 / SMUGGLED.len() + 1));
    let chunked = post("Transfer-Encoding: chunked", &format!("22\r\n{SMUGGLED}\r\n0\r\n\r\n"));
    for upload in [large, chunked] {
        let talk = talk(Scripted::new().send(upload + GET).end(), &Limits::default(), ignore);
        assert_eq!(talk.statuses(), [200]);
        assert!(talk.only().closes());
    }
}

// 9. CVE-2018-12122 and nodejs/node#58140 (Node), tiny_http#15 and #143, gosec's G112 for Go.
#[test]
fn no_wait_is_without_an_end_and_none_begins_anew_with_each_byte() {
    let limits = Limits::default();
    let minute = Duration::from_secs(60);
    let slow = Duration::from_millis(900);
    let head = |size: usize| "a".repeat(size);
    let endings = [
        (Scripted::new(), limits.first_byte),
        (Scripted::new().send(GET), limits.idle),
        (Scripted::new().send("GET / HTTP/1.1\r\nA: ").drip(head(100), slow), limits.head_time),
        (
            Scripted::new().send(GET).wait(minute).send("G").drip(head(100), slow),
            minute + limits.head_time,
        ),
        (
            Scripted::new().send(post("Content-Length: 500", "")).drip(head(500), slow),
            limits.body_grace,
        ),
    ];
    for (peer, most) in endings {
        let talk = talk(peer, &limits, echo);
        let most = most + limits.linger_time + Duration::from_secs(1);
        assert!(talk.peer.elapsed() <= most, "{:?} of {most:?}", talk.peer.elapsed());
    }
    let peer = Scripted::new().send(GET).takes_only(10);
    let large = |_: &mut Request<'_>| Response::bytes("text/plain", vec![0; 1 << 20]);
    let mut peer = peer;
    longhand::serve_connection(&mut peer, &limits, large);
    assert_eq!(peer.elapsed(), limits.write_stall);
}

// 10. tiny_http#56 and #21, CVE-2025-46728, CVE-2025-53628 and CVE-2025-52887 (cpp-httplib),
// RUSTSEC-2022-0055 (axum).
#[test]
fn everything_that_a_peer_may_send_has_a_cap() {
    let limits = Limits::default();
    let target = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(limits.target));
    assert_refused(&echoed(target), 414, "target-too-long");
    let head = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(limits.head));
    assert_refused(&echoed(head), 431, "head-too-large");
    let fields = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(limits.fields + 1));
    assert_refused(&echoed(fields), 431, "too-many-fields");
    let length = format!("Content-Length: {}", limits.body + 1);
    assert_refused(&echoed(post(&length, "")), 413, "body-too-large");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20));
    let chunks = post("Transfer-Encoding: chunked", &chunk.repeat(17));
    assert_refused(&echoed(chunks), 413, "body-too-large");
}

// 10, the connections: 503 from the thread that accepts, never silence and never a queue.
#[test]
fn a_connection_over_the_cap_is_answered() {
    let door = Latch::default();
    let (inside, _opens) = (door.clone(), OpensAtLast(door.clone()));
    let limits = Limits { connections: 1, ..Limits::default() };
    let server = run(bind().limits(limits), move |_: &mut Request<'_>| {
        inside.pass();
        Response::text("served")
    });
    let mut busy = Client::to(server.address());
    busy.get("/");
    door.wait_for(1);
    let mut over = Client::to(server.address());
    assert_eq!(over.get("/").answer().status, 503);
    over.expect_end();
    door.open();
    assert_eq!(busy.answer().status, 200);
}

// 11. The end of a peer, at whatever moment, ends no thread that accepts. Descriptors and threads
// that run out are in `server/shortages.rs` (oxigraph/oxigraph#923).
#[test]
fn peers_that_are_gone_at_once_do_not_end_the_server() {
    let server = run(bind(), echo);
    for _ in 0..50 {
        drop(Client::to(server.address()));
        let mut rude = Client::to(server.address());
        rude.get("/").get("/");
        drop(rude);
    }
    assert_eq!(Client::to(server.address()).get("/").answer().status, 200);
    assert_eq!(server.end().cut, 0);
}

// 12. CVE-2026-28434 (cpp-httplib): the text of an exception was sent to the client.
#[test]
fn a_panic_is_a_500_or_a_cut_and_its_text_stays_here() {
    let before = talk(
        Scripted::new().send([GET, GET].concat()).end(),
        &Limits::default(),
        |_| -> Response { panic!("the key is 1234") },
    );
    assert_eq!((before.only().status, before.only().closes()), (500, true));
    let after = talk(Scripted::new().send([GET, GET].concat()).end(), &Limits::default(), |_| {
        Response::stream("text/plain", |out| {
            out.write_all(b"half").and_then(|()| out.flush())?;
            panic!("the key is 1234")
        })
    });
    assert_eq!(after.only().extent, Extent::Cut);
    for talk in [before, after] {
        assert!(!talk.peer.output_text().contains("1234"));
    }
}

// 13. RUSTSEC-2024-0009 (trillium), CVE-2026-21428 (cpp-httplib), there again in trailers.
#[test]
fn no_response_can_be_split() {
    for outside in ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b"] {
        assert!(FieldValue::new(outside).is_err());
    }
    let literal = echoed_by(|_| Response::text("hello").field("A", "b\r\nC: d"));
    let trailer = echoed_by(|_| {
        Response::stream("text/plain", |out| {
            out.trailer("A", "b\r\nC: d");
            Ok(())
        })
    });
    assert_eq!(literal.only().status, 500);
    assert_eq!(trailer.only().extent, Extent::Cut);
    let short = echoed_by(|_| Response::reader("text/plain", io::empty(), Some(5)));
    assert_eq!(short.only().extent, Extent::Cut, "a length that is not kept is noticed");
}

fn echoed_by(handler: fn(&mut Request<'_>) -> Response) -> Talk {
    talk(Scripted::new().send(GET).end(), &Limits::default(), handler)
}

// 14. CVE-2025-66570 (cpp-httplib): a client's field shadowed what the server knew.
#[test]
fn what_the_server_knows_is_nothing_that_a_client_can_send() {
    struct User(&'static str);
    let names = ["REMOTE_ADDR", "Remote-Addr", "Peer", "X-Forwarded-For", "Forwarded", "User"];
    let forged: String = names.iter().map(|name| format!("{name}: 10.0.0.1\r\n")).collect();
    let server = run(bind(), |request: &mut Request<'_>| {
        let before = request.get::<User>().is_some();
        request.set(User("admin"));
        let User(user) = request.get().expect("it was set");
        let peer = request.peer().expect("a peer");
        Response::text(format!("{before} {user} {peer} {}", request.is_secure()))
    });
    let mut client = Client::to(server.address());
    let own = client.stream.local_addr().expect("an address");
    for _ in 0..2 {
        client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{forged}\r\n"));
        assert_eq!(client.answer().text(), format!("false admin {own} false"));
    }
}

// 15. Everyone's: sent before it was wanted, sent after the answer, or not at all.
#[test]
fn a_100_is_sent_when_the_body_is_wanted_and_never_after_the_answer() {
    let expects = post("Expect: 100-continue\r\nContent-Length: 5", "");
    let read = talk(Scripted::new().send(&expects).send("hello").end(), &Limits::default(), echo);
    assert_eq!(read.statuses(), [100, 200]);
    let ignored =
        talk(Scripted::new().send(&expects).send("hello").end(), &Limits::default(), |_| "no");
    assert_eq!(ignored.statuses(), [200]);
    assert!(ignored.only().closes());
    let old = expects.replace("/1.1", "/1.0") + "hello";
    assert_eq!(echoed(old).statuses(), [200]);
    assert_eq!(echoed(post("Expect: tea", "")).statuses(), [417]);
}

// 16. HTTP/1.0 left open, or sent chunks; a 505 that was written and never flushed.
#[test]
fn http_1_0_is_closed_and_http_2_is_told_505() {
    let server = run(bind(), |_: &mut Request<'_>| {
        Response::stream("text/plain", |out| out.write_all(b"hello"))
    });
    let mut old = Client::to(server.address());
    old.send("GET / HTTP/1.0\r\n\r\n");
    let answer = old.rest().expect("the server ends the connection");
    assert!(answer.ends_with(b"\r\n\r\nhello"), "{}", answer.escape_ascii());
    let mut new = Client::to(server.address());
    new.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(new.answer().status, 505);
    new.expect_end();
}

// 17. CVE-2021-28861 (Python), RUSTSEC-2022-0069 and RUSTSEC-2022-0072 (hyper-staticfile). Files
// themselves are longhand-kit's; here is what the library does with a target.
#[test]
fn a_target_reaches_the_handler_as_it_was_sent_and_a_bad_escape_does_not() {
    for target in ["//evil", "/a/../b", "/%2e%2e/", "/c:/", "/a%00b", "/%5c", "/a\\b"] {
        let talk = talk(
            Scripted::new().send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).end(),
            &Limits::default(),
            |request: &mut Request<'_>| Response::text(request.path().to_owned()),
        );
        assert_eq!(talk.texts(), [target], "decoded by nobody but who knows for what");
    }
    for target in ["/%", "/%4", "/%zz"] {
        let talk = echoed(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_refused(&talk, 400, "target-escape");
    }
    assert_refused(&echoed("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"), 400, "target-octet");
}

// 18. cpp-httplib#1891, tiny_http's and others' pools: streams ate all workers.
#[test]
fn streams_that_stay_open_keep_no_other_request_waiting() {
    const STREAMS: usize = 30;
    let door = Latch::default();
    let (inside, _opens) = (door.clone(), OpensAtLast(door.clone()));
    let server = run(bind(), move |request: &mut Request<'_>| {
        let inside = inside.clone();
        match request.path() {
            "/events" => Response::stream("text/event-stream", move |out| {
                out.write_all(b"data: 1\n\n").and_then(|()| out.flush())?;
                inside.pass();
                Ok(())
            }),
            _ => Response::text("served"),
        }
    });
    let mut streams: Vec<_> = (0..STREAMS).map(|_| Client::to(server.address())).collect();
    for stream in &mut streams {
        stream.get("/events").expect_bytes(b"data: 1\n\n");
    }
    for _ in 0..10 {
        assert_eq!(Client::to(server.address()).get("/").answer().text(), "served");
    }
    door.open();
    for stream in &mut streams {
        stream.expect_bytes(b"0\r\n\r\n");
    }
}

// 19. rouille#190, #207 and #247: no stop, or none under load.
#[test]
fn a_server_ends_when_it_is_asked_to_and_finishes_what_it_has_begun() {
    let door = Latch::default();
    let (inside, _opens) = (door.clone(), OpensAtLast(door.clone()));
    let server = run(bind(), move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            inside.pass();
        }
        Response::text("served")
    });
    let mut busy = Client::to(server.address());
    busy.get("/wait");
    door.wait_for(1);
    let mut idle = Client::to(server.address());
    idle.get("/").answer();
    server.handle.drain(Duration::ZERO, NEVER);
    server.expect(&Told::Draining);
    idle.expect_end();
    door.open();
    assert_eq!(busy.answer().text(), "served");
    drop(busy);
    let summary = server.ended();
    assert_eq!((summary.requests, summary.cut), (2, 0));
}

// 20. tiny_http#244: there was no way to say it.
#[test]
fn a_program_can_close_a_connection_behind_its_response() {
    let server = run(bind(), |_: &mut Request<'_>| Response::text("bye").close());
    let mut client = Client::to(server.address());
    assert!(client.get("/").answer().closes());
    client.expect_end();
}
