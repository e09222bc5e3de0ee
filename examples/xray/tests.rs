//! The recorder and the terminal's view over a scripted client: every read at its time, no waiting.

use std::sync::Arc;
use std::time::Duration;

use longhand::transport::{Scripted, Transport};
use longhand::wire::{Part, Verdict, explain};
use longhand::{Limits, Response, serve_connection};

use crate::exchange::{Connection, Exchange, KEPT, Message};
use crate::recorder::Log;
use crate::style::{Ink, Style};
use crate::tape::Tee;
use crate::terminal::Terminal;

const MONO: Style = Style { columns: 80, ink: Ink::Mono };

const FORTY: &[u8] = b"GET /forty HTTP/1.1\r\nHost: localhost\r\n\r\n";

const PAUSE: Duration = Duration::from_millis(50);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is recorded of a client that keeps to its script, and is answered `ok`.
fn recorded(client: Scripted) -> Connection {
    let limits = Limits { head_time: seconds(600), ..Limits::default() };
    let log = Log::new(client.now(), limits.clone(), false);
    let mut tape = Tee::new(client, &log);
    serve_connection(&mut tape, &limits, |_| Response::text("ok"));
    drop(tape);
    Arc::into_inner(log).expect("the tape is over").into_connections().remove(0)
}

fn received(pieces: &[&[u8]]) -> Connection {
    let mut connection = Connection::new(1, None, Duration::ZERO);
    for piece in pieces {
        connection.received(piece, Duration::ZERO, &Limits::default());
    }
    connection
}

#[test]
fn a_read_has_one_edge_however_small_and_the_spans_are_the_same() {
    let at_once = recorded(Scripted::new().send(FORTY).end());
    let dripped = recorded(Scripted::new().drip(FORTY, PAUSE).end());
    let (whole, pieces) = (&at_once.exchanges[0].request, &dripped.exchanges[0].request);
    assert_eq!((FORTY.len(), whole.edges.len(), pieces.edges.len()), (40, 1, 40));
    assert_eq!(whole.spans, pieces.spans);
    assert_eq!(pieces.edges[20].at, 20);
    assert_eq!(pieces.edges[39].time - pieces.edges[0].time, PAUSE * 39);
    assert!(at_once.exchanges[0].is_answered() && dripped.exchanges[0].is_answered());

    let drawn = Terminal::new(MONO).news(&dripped, seconds(60));
    let (request, _) = drawn.split_once("response 1").expect("an answer");
    assert_eq!(request.matches('▏').count(), 40, "{request}");
    assert!(
        request.contains("40 bytes, 40 reads, 2.0 s") && request.contains("+1.0 s"),
        "{request}"
    );
}

#[test]
fn a_message_is_the_same_in_any_two_pieces() {
    let stream =
        b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                   POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\n";
    let messages = |connection: Connection| {
        let all =
            connection.exchanges.into_iter().map(|one| (one.request.bytes, one.request.spans));
        all.collect::<Vec<_>>()
    };
    let whole = messages(received(&[stream]));
    assert_eq!(whole.len(), 3);
    for middle in 1..stream.len() {
        let (first, second) = stream.split_at(middle);
        assert_eq!(messages(received(&[first, second])), whole, "{middle}");
    }
}

#[test]
fn pipelined_requests_share_a_read_and_each_has_its_answer() {
    let connection = recorded(Scripted::new().send([FORTY, FORTY].concat()).end());
    let [first, second] = &connection.exchanges[..] else { panic!("{connection:?}") };
    assert_eq!((first.request.edges[0].number, second.request.edges[0].number), (1, 1));
    let is_ok =
        |one: &Exchange| one.response().is_some_and(|answer| answer.bytes.ends_with(b"\r\n\r\nok"));
    assert!(is_ok(first) && is_ok(second));
}

#[test]
fn what_the_server_refuses_by_itself_is_told_of_the_right_request() {
    let mut connection =
        received(&[&[FORTY, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"].concat()]);
    let refused = explain(b"\x16", &Limits::default()).violation();
    // Both are told before a byte of an answer is written: pipelined answers are gathered.
    connection.answered(None, false);
    connection.answered(refused, false);
    let told: Vec<_> = connection.exchanges.iter().map(|one| one.refusal().is_some()).collect();
    assert_eq!(told, [false, true]);
}

#[test]
fn a_body_that_is_not_kept_is_counted_and_the_next_request_is_found() {
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 2 * KEPT);
    let body = vec![b'x'; 2 * KEPT];
    let next = [&body[KEPT..], FORTY].concat();
    let connection = received(&[head.as_bytes(), &body[..KEPT], &next]);
    let [first, second] = &connection.exchanges[..] else { panic!("not two requests") };
    assert_eq!((first.request.bytes.len(), first.request.verdict), (KEPT, Verdict::Accepted));
    assert_eq!(first.request.missed, (KEPT + head.len()) as u64);
    assert_eq!((&second.request.bytes[..], second.request.edges.len()), (FORTY, 1));
}

#[test]
fn no_byte_of_a_secret_is_shown_in_any_prefix_whatever_else_is_wrong() {
    let secrets = [
        "GET / HTTP/1.1\r\nHost: x\r\ncookie: ZZZZ\r\nAccept: */*\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\nCookie:ZZZZ\n\n",
        "GET / HTTP/1.1\r\nCookie : ZZZZ\r\n\r\n",
        "GET  / HTTP/1.1\r\nauthorization:\tZZ ZZ\r\n ZZZZ\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ZZZZ\x01ZZZZ\r\n\r\n",
        "HTTP/1.1 200 OK\r\nSet-Cookie: ZZZZ\r\nContent-Length: 20\r\n\r\nSet-Cookie: ZZZZ\r\n",
    ];
    for text in secrets {
        for end in 1..=text.len() {
            let connection = received(&[&text.as_bytes()[..end]]);
            let message = &connection.exchanges[0].request;
            let shown = |at: usize| message.shown(at);
            assert!((0..end).all(|at| shown(at) != Some(b'Z')), "{text:?} up to {end}");
            let drawn = Terminal::new(MONO).news(&connection, seconds(60));
            assert!(!drawn.contains("Z  Z") && !drawn.contains("5a 5a"), "{drawn}");
        }
        let whole = &received(&[text.as_bytes()]).exchanges[0].request;
        let secret = (0..text.len()).filter(|at| whole.shown(*at).is_none()).count();
        assert!(secret >= text.matches('Z').count(), "{text:?}: all of it, in its length");
    }
}

#[test]
fn only_what_is_printable_comes_to_the_terminal() {
    let every: Vec<u8> = (0..=255).collect();
    for bytes in [&every[..], b"GET / HTTP/1.1\r\nHost: x\r\nA: \x1b[31m\xff\xc2\x9b1m\r\n\r\n"] {
        for ink in [Ink::Mono, Ink::Ascii] {
            let mut connection = received(&[bytes]);
            connection.closed = Some((seconds(1), "over"));
            let drawn = Terminal::new(Style { columns: 80, ink }).news(&connection, seconds(1));
            assert!(drawn.chars().all(|glyph| glyph == '\n' || !glyph.is_control()), "{drawn:?}");
            assert!(ink == Ink::Mono || drawn.is_ascii(), "{drawn}");
            assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
        }
    }
}

#[test]
fn a_line_is_drawn_once_it_is_whole_or_nothing_has_come_for_a_while() {
    let mut terminal = Terminal::new(MONO);
    let mut connection = Connection::new(7, None, Duration::ZERO);
    assert_eq!(terminal.news(&connection, seconds(0)), "conn 7 open\n\n");
    assert_eq!(terminal.news(&connection, seconds(9)), "");
    let idle = "conn 7 open 10 s, no byte yet: browsers do this, to have one ready\n\n";
    assert_eq!(terminal.news(&connection, seconds(10)), idle);
    assert_eq!(terminal.news(&connection, seconds(40)), "");

    let limits = Limits::default();
    connection.received(b"GET / HTTP/1.1\r\nHo", seconds(50), &limits);
    let drawn = terminal.news(&connection, seconds(50));
    assert!(drawn.contains("request line") && !drawn.contains("a beginning"), "{drawn}");
    let drawn = terminal.news(&connection, seconds(51));
    assert!(
        drawn.contains("a beginning") && drawn.contains("waits for the rest of the line"),
        "{drawn}"
    );
    assert_eq!(terminal.news(&connection, seconds(60)), "");
    connection.received(b"st: x\r\n", seconds(61), &limits);
    let drawn = terminal.news(&connection, seconds(61));
    assert!(drawn.contains(" H  o ▏s  t  :  ␠  x"), "{drawn}");
    assert!(drawn.contains("waits for a field line, or an empty line"), "{drawn}");
    connection.closed = Some((seconds(62), "over"));
    assert_eq!(terminal.news(&connection, seconds(62)), "conn 7 closed after 62.0 s: over\n\n");
}

#[test]
fn a_refusal_waits_for_its_answer_and_a_silent_end_is_told() {
    let mut terminal = Terminal::new(MONO);
    let mut connection = Connection::new(1, None, Duration::ZERO);
    let limits = Limits::default();
    connection.received(b"GET / HTTP/1.1\n\n", seconds(1), &limits);
    assert!(!terminal.news(&connection, seconds(1)).contains("error["));
    connection.sent(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", seconds(1), &limits);
    let drawn = terminal.news(&connection, seconds(1));
    let error = drawn.find("answered 400 Bad Request, then closed").expect("a refusal");
    // Last, where it is in sight: the answer before it may be long.
    assert!(error > drawn.find("response 1").expect("a response"), "{drawn}");

    let mut silent = Connection::new(2, None, Duration::ZERO);
    silent.closed = Some((seconds(40), "it had rested too long"));
    let drawn = terminal.news(&silent, seconds(40));
    assert!(
        drawn.ends_with("conn 2 closed after 40.0 s without a byte: it had rested too long\n\n")
    );
}

#[test]
fn fifty_exchanges_are_kept_the_newest() {
    let log = Log::new(std::time::Instant::now(), Limits::default(), false);
    for _ in 0..3 {
        let client = Scripted::new().send(FORTY.repeat(30)).end();
        serve_connection(&mut Tee::new(client, &log), &Limits::default(), |_| Response::text("ok"));
    }
    // Connections that rest do not push out what was recorded.
    let resting: Vec<_> = (0..60).map(|_| Tee::new(Scripted::new(), &log)).collect();
    log.change(None, Some(3), |_| {});
    assert_eq!(log.look(<[Connection]>::len), 3 + resting.len());
    log.look(|all| {
        let numbers: Vec<Vec<u32>> =
            all.iter().map(|one| one.exchanges.iter().map(|e| e.number).collect()).collect();
        assert_eq!((numbers[0].len(), numbers[1].len()), (0, 20), "{numbers:?}");
        assert_eq!(numbers[2], (1..=30).collect::<Vec<_>>());
    });
    assert_eq!(log.wait(89, seconds(60)), 90);
}

#[test]
fn trailers_are_called_so() {
    let mut message = Message::new();
    let bytes =
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSum: 1\r\n\r\n";
    let explain = |bytes: &[u8]| explain(bytes, &Limits::default());
    assert!(message.take(bytes, 1, Duration::ZERO, KEPT, explain).is_empty());
    let titles: Vec<_> = message.lines().iter().map(|line| line.title).collect();
    let chunked = ["the last chunk has no data", "trailers", "trailers"];
    assert_eq!(titles[4..], chunked, "{titles:?}");
    assert_eq!(message.spans.last().map(|span| span.0), Some(Part::EndOfHead));
}
