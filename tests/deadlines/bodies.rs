//! Bodies: how long they may take, how large they may be, and what becomes of one that fails.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use harness::talk::{Clock, Road, Travel, talk};
use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, Why, serve_connection};

use crate::{GET, TICK, assert_refused, assert_served, echo, ignore, post, seconds};

// --- its time ---

#[test]
fn a_body_may_keep_a_read_waiting_for_its_grace() {
    let limits = Limits::default();
    for (field, body) in
        [("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")]
    {
        let peer = |pause| Scripted::new().send(post(field)).wait(pause).send(body);
        let near = talk(peer(limits.body_grace - TICK).end(), &limits, echo);
        assert_eq!(near.texts(), ["hello"]);

        let over = talk(peer(limits.body_grace + TICK), &limits, echo);
        assert_refused(&over, 408, "body-time");
        assert_eq!(over.lingered_from(), Some(limits.body_grace));
    }
}

#[test]
fn a_body_that_drips_is_refused_when_its_grace_and_its_bytes_are_used_up() {
    let limits = Limits { body_grace: seconds(1), body_rate: 100, ..Limits::default() };
    let peer = Scripted::new().send(post("Content-Length: 5000")).drip([b'a'; 5000], 20 * TICK);
    let over = talk(peer, &limits, echo);
    assert_refused(&over, 408, "body-time");
    // After t seconds 50t bytes have come, for which the body had t/2 seconds and its grace.
    let refused = over.lingered_from().expect("a lingering close");
    assert!((1_980..=2_000).contains(&refused.as_millis()), "{refused:?}");
}

#[test]
fn a_body_as_fast_as_its_rate_may_take_as_long_as_it_takes() {
    let limits = Limits { body_grace: seconds(1), body_rate: 100, ..Limits::default() };
    let peer = Scripted::new().send(post("Content-Length: 5000")).drip([b'a'; 5000], 10 * TICK);
    let talk = talk(peer.end(), &limits, echo);
    assert_served(&talk, 1);
    assert_eq!(talk.peer.elapsed(), seconds(50));
}

#[test]
fn a_fast_burst_does_not_buy_a_body_hours_of_silence() {
    let limits = Limits::default();
    let burst = "a".repeat(512 << 10);
    let peer = |field: &str| Scripted::new().send(post(field)).send(&burst);
    let chunk = format!("{:x}", 1 << 20);
    for over in [
        talk(peer("Content-Length: 1048576"), &limits, echo),
        talk(
            Scripted::new()
                .send(post("Transfer-Encoding: chunked"))
                .send([&chunk, "\r\n", &burst].concat()),
            &limits,
            echo,
        ),
    ] {
        assert_refused(&over, 408, "body-time");
        assert_eq!(over.lingered_from(), Some(limits.body_grace));
    }
    // Unread, the same.
    let over = talk(peer("Content-Length: 600000"), &Limits { drain: 1 << 20, ..limits }, ignore);
    assert_eq!((over.statuses(), over.lingered_from()), (vec![200], Some(limits.body_grace)));
}

#[test]
fn an_honest_slow_upload_just_above_the_rate_may_take_an_hour() {
    let limits = Limits::default();
    let peer = Scripted::new().send(post("Content-Length: 3960000"));
    let peer = (0..3600).fold(peer, |peer, _| peer.wait(seconds(1)).send([b'a'; 1_100]));
    let talk = talk(peer.end(), &limits, echo);
    assert_eq!(talk.only().body.len(), 3_960_000);
    assert_eq!(talk.peer.elapsed(), seconds(3600));
}

#[test]
fn a_body_may_pause_for_its_grace_again_once_its_bytes_have_earned_it_back() {
    let limits = Limits::default();
    let pause = limits.body_grace - TICK;
    let earns = usize::try_from(limits.body_grace.as_secs() * limits.body_rate).unwrap_or(0);
    let paused = |times: usize, piece: usize| {
        let field = format!("Content-Length: {}", times * piece);
        let piece = "a".repeat(piece);
        (0..times).fold(Scripted::new().send(post(&field)), |peer, _| peer.wait(pause).send(&piece))
    };
    assert_served(&talk(paused(100, earns).end(), &limits, echo), 1);
    // A tenth of that earns a tenth of the grace, which is not enough for a second pause.
    let over = talk(paused(100, earns / 10), &limits, echo);
    assert_refused(&over, 408, "body-time");
    assert_eq!(over.lingered_from(), Some(limits.body_grace + limits.body_grace / 10));
}

#[test]
fn chunk_framing_that_drips_counts_as_the_body_does() {
    let limits = Limits { body_grace: seconds(1), body_rate: 100, ..Limits::default() };
    let peer = Scripted::new().send(post("Transfer-Encoding: chunked"));
    let over = talk(peer.drip("1\r\na\r\n".repeat(500), 20 * TICK), &limits, echo);
    assert_refused(&over, 408, "body-time");
}

#[test]
fn the_clock_of_a_body_runs_only_while_a_read_waits() {
    let limits = Limits::default();
    let peer = Scripted::new().send(post("Content-Length: 3"));
    let peer = (0..3).fold(peer, |peer, _| peer.wait(seconds(3)).send("a"));
    let clock = Clock::default();
    let mut nothing = |_: Travel| Ok(());
    let mut road = Road::new(peer.end(), &clock, &mut nothing);
    let why = serve_connection(&mut road, &limits, |request: &mut Request<'_>| {
        let mut octet = [0];
        while request.body().read(&mut octet)? > 0 {
            clock.pass(seconds(3600));
        }
        Ok::<_, io::Error>(Response::text("patient"))
    });
    assert_eq!(why, Why::PeerClosed);
    assert!(road.peer.output_text().ends_with("patient"));
}

#[test]
fn an_unread_body_is_read_and_dropped_under_the_same_clock() {
    let limits = Limits::default();
    let late = |pause| {
        Scripted::new().send(post("Content-Length: 5")).wait(pause).send(["hello", GET].concat())
    };
    assert_served(&talk(late(limits.body_grace - TICK).end(), &limits, ignore), 2);

    let over = talk(late(limits.body_grace + TICK), &limits, ignore);
    assert_served(&over, 1);
    assert_eq!(over.why, Why::Failed, "one request has one answer, so there is no 408");
    assert_eq!(over.lingered_from(), Some(limits.body_grace));
}

// --- its size ---

#[test]
fn a_body_may_be_as_large_as_its_limit_and_no_larger() {
    let limits = Limits { body: 10, ..Limits::default() };
    let chunks = |sizes: &[usize]| {
        let chunk = |&size: &usize| format!("{size:x}\r\n{}\r\n", "a".repeat(size));
        let body = sizes.iter().map(chunk).collect::<String>();
        format!("{}{body}0\r\n\r\n", post("Transfer-Encoding: chunked"))
    };
    let length = |length: usize| {
        format!("{}{}", post(&format!("Content-Length: {length}")), "a".repeat(length))
    };
    for near in [length(10), chunks(&[10]), chunks(&[1; 10])] {
        assert_eq!(talk(Scripted::new().send(near).end(), &limits, echo).texts(), ["aaaaaaaaaa"]);
    }
    for over in [length(11), chunks(&[11]), chunks(&[1; 11]), chunks(&[9, 2])] {
        let talk = talk(Scripted::new().send([&over, GET].concat()).end(), &limits, echo);
        assert_refused(&talk, 413, "body-too-large");
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_any_of_the_body_is_waited_for() {
    for head in [
        post("Content-Length: 1000000000000000000"),
        format!("{}{}", post("Transfer-Encoding: chunked"), "fffffffffffffff\r\n"),
    ] {
        let talk = talk(Scripted::new().send(head), &Limits::default(), echo);
        assert_refused(&talk, 413, "body-too-large");
        assert_eq!(talk.lingered_from(), Some(Duration::ZERO));
    }
}

#[test]
fn a_handler_may_set_a_larger_or_a_smaller_limit_of_its_own() {
    let limits = Limits { body: 10, ..Limits::default() };
    let upload = |length: usize| {
        let field = format!("Content-Length: {length}");
        Scripted::new().send(post(&field) + &"a".repeat(length)).end()
    };
    let read_up_to = |bytes: u64| {
        move |request: &mut Request<'_>| {
            Ok::<_, io::Error>(Response::bytes(
                "text/plain",
                request.body().limit(bytes).read_all()?,
            ))
        }
    };
    assert_eq!(talk(upload(100), &limits, read_up_to(100)).only().body.len(), 100);
    assert_refused(&talk(upload(101), &limits, read_up_to(100)), 413, "body-too-large");
    assert_eq!(talk(upload(5), &limits, read_up_to(5)).only().body.len(), 5);
    assert_refused(&talk(upload(6), &limits, read_up_to(5)), 413, "body-too-large");
}

#[test]
fn a_limit_of_a_handler_is_for_one_request() {
    let limits = Limits { body: 3, ..Limits::default() };
    let upload = post("Content-Length: 5") + "hello";
    let peer = Scripted::new().send(upload.replace("POST /", "POST /large") + &upload).end();
    let talk = talk(peer, &limits, |request: &mut Request<'_>| {
        if request.path() == "/large" {
            request.body().limit(5);
        }
        echo(request)
    });
    assert_eq!(talk.statuses(), [200, 413]);
}

#[test]
fn a_limit_set_after_the_first_read_counts_from_there() {
    let chunked =
        format!("{}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", post("Transfer-Encoding: chunked"));
    let length = post("Content-Length: 11") + "hello world";
    for upload in [length, chunked] {
        for (more, status) in [(6, 200), (5, 413), (0, 413)] {
            let peer = Scripted::new().send(&upload).end();
            let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
                let mut first = [0; 5];
                request.body().read_exact(&mut first)?;
                let rest = request.body().limit(more).read_all()?;
                Ok::<_, io::Error>(Response::bytes("text/plain", [&first[..], &rest].concat()))
            });
            assert_eq!(talk.statuses(), [status], "{more} more of {upload:?}");
            assert!(status != 200 || talk.texts() == ["hello world"], "{:?}", talk.texts());
        }
    }
}

#[test]
fn extensions_and_trailers_share_one_limit_over_the_whole_body() {
    let limits = Limits { body_overhead: 20, ..Limits::default() };
    let body = |body: &str| Scripted::new().send(post("Transfer-Encoding: chunked") + body).end();
    // Of an extension everything between the size and the CR LF counts; of the trailers everything
    // but the empty line.
    for near in [
        "5;aaaaaaaaaaaaaaaaaaa\r\nhello\r\n0\r\n\r\n",
        "2;aaaaaaaaa\r\nhe\r\n3;aaaaaaaaa\r\nllo\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nA: bbbbbbbbbbbbbbb\r\n\r\n",
        "5;aaaaaaaaa\r\nhello\r\n0\r\nA: bbbbb\r\n\r\n",
    ] {
        assert_eq!(talk(body(near), &limits, echo).texts(), ["hello"], "{near:?}");
    }
    for (over, status, rule) in [
        ("5;aaaaaaaaaaaaaaaaaaaa\r\nhello\r\n0\r\n\r\n", 400, "chunk-ext-too-long"),
        ("2;aaaaaaaaa\r\nhe\r\n3;aaaaaaaaaa\r\nllo\r\n0\r\n\r\n", 400, "chunk-ext-too-long"),
        ("5\r\nhello\r\n0\r\nA: bbbbbbbbbbbbbbbb\r\n\r\n", 431, "trailers-too-large"),
        ("5;aaaaaaaaa\r\nhello\r\n0\r\nA: bbbbbb\r\n\r\n", 431, "trailers-too-large"),
    ] {
        assert_refused(&talk(body(over), &limits, echo), status, rule);
    }
}

#[test]
fn trailers_have_the_limit_of_field_lines() {
    let limits = Limits::default();
    let body = |lines: usize| {
        let lines = "A: b\r\n".repeat(lines);
        let head = post("Transfer-Encoding: chunked");
        Scripted::new().send(format!("{head}0\r\n{lines}\r\n")).end()
    };
    assert_served(&talk(body(limits.fields), &limits, echo), 1);
    assert_refused(&talk(body(limits.fields + 1), &limits, echo), 431, "too-many-fields");
}

// --- a body that fails ---

/// Bodies that fail, with what is answered and what the reader is told.
fn failures() -> Vec<(Scripted, u16, &'static str, ErrorKind)> {
    let chunked = post("Transfer-Encoding: chunked");
    let peer = |bytes: String| Scripted::new().send(bytes);
    let ending = |bytes: String| Scripted::new().send(bytes).end();
    vec![
        (peer(post("Content-Length: 9") + "hello"), 408, "body-time", ErrorKind::TimedOut),
        (
            ending(post("Content-Length: 9") + "hello"),
            400,
            "ended-in-body",
            ErrorKind::UnexpectedEof,
        ),
        (ending(chunked.clone() + "5\r\nhel"), 400, "ended-in-body", ErrorKind::UnexpectedEof),
        (ending(chunked.clone() + "0\r\nA: b"), 400, "ended-in-body", ErrorKind::UnexpectedEof),
        (peer(post("Content-Length: 21")), 413, "body-too-large", ErrorKind::InvalidData),
        (peer(chunked.clone() + "15\r\n"), 413, "body-too-large", ErrorKind::InvalidData),
        (peer(chunked.clone() + "5\r\nhello!"), 400, "chunk-data-end", ErrorKind::InvalidData),
        (peer(chunked.clone() + "0\r\nA : b\r\n\r\n"), 400, "name-space", ErrorKind::InvalidData),
        (
            peer(chunked + "0\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n"),
            431,
            "trailers-too-large",
            ErrorKind::InvalidData,
        ),
    ]
}

fn narrow() -> Limits {
    Limits { body: 20, body_overhead: 20, ..Limits::default() }
}

#[test]
fn a_body_that_fails_tells_its_reader_how() {
    for (peer, status, rule, kind) in failures() {
        let told = RefCell::new(None);
        let talk = talk(peer, &narrow(), |request: &mut Request<'_>| {
            let error = request.body().read_all().expect_err("the body fails");
            let again = request.body().read_all().expect_err("and stays so");
            assert_eq!(error.kind(), again.kind());
            *told.borrow_mut() = Some((error.kind(), error.to_string()));
            Err::<Response, _>(error)
        });
        assert_refused(&talk, status, rule);
        let (told, text) = told.take().expect("the handler ran");
        assert_eq!(told, kind, "{rule}: {text}");
        let refusal = talk.only().text();
        assert!(text.split(". ").all(|part| refusal.contains(part)), "{text}\n{refusal}");
    }
}

#[test]
fn a_body_that_fails_is_answered_with_its_own_status_whatever_the_handler_returns() {
    type Handler = fn(&mut Request<'_>) -> Response;
    let handlers: [Handler; 5] = [
        |request| {
            let _ = request.body().read_all();
            Response::text("all is well")
        },
        |request| {
            let _ = request.body().read_to_end(&mut Vec::new());
            Response::stream("text/plain", |out| out.write_all(b"all is well"))
        },
        |request| {
            let _ = io::copy(request.body(), &mut io::sink());
            Response::upgrade("echo", |_| unreachable!("nobody asked for it"))
        },
        |request| Response::bytes("text/plain", request.body().read_all().expect("a panic")),
        |request| match request.body().read_all() {
            Ok(_) => unreachable!("the body fails"),
            Err(_) => Response::redirect("/elsewhere"),
        },
    ];
    for handler in handlers {
        for (peer, status, rule, _) in failures() {
            assert_refused(&talk(peer, &narrow(), handler), status, rule);
        }
    }
}

#[test]
fn a_reset_inside_a_body_is_answered_nothing() {
    let peer = Scripted::new().send(post("Content-Length: 9") + "hello").reset();
    let kind = RefCell::new(None);
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        *kind.borrow_mut() = request.body().read_all().err().map(|error| error.kind());
        Response::text("too late")
    });
    assert_eq!(*kind.borrow(), Some(ErrorKind::ConnectionReset));
    assert_eq!((talk.answers.len(), talk.why), (0, Why::Failed));
}

#[test]
fn an_unread_body_that_fails_gets_no_second_answer() {
    let limits = Limits::default();
    let peer = Scripted::new().send(post("Content-Length: 9") + "hello").end();
    let talk = talk(peer, &limits, ignore);
    assert_served(&talk, 1);
    assert_eq!(talk.why, Why::Failed);
}
