//! What comes behind a handler: writing to a peer that does not read, and closing.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use harness::talk::{Clock, Road, Travel, talk};
use longhand::transport::{Happened, Scripted};
use longhand::{IntoResponse, Limits, Reply, Request, Response, Why, serve_connection};

use crate::{GET, TICK, assert_refused, assert_served, echo, hello, ignore, post, seconds};

// --- what the server writes ---

#[test]
fn a_peer_that_does_not_read_is_cut_after_the_stall() {
    let limits = Limits::default();
    let large = |_: &mut Request<'_>| Response::bytes("text/plain", vec![b'a'; 100_000]);
    for takes in [0, 10, 50_000] {
        let peer = Scripted::new().send([GET, GET].concat()).takes_only(takes);
        let cut = serve_cut(peer, &limits, large);
        assert_eq!(cut.elapsed(), limits.write_stall, "no second try, no lingering");
        assert_eq!(cut.output().len(), takes);
    }
}

#[test]
fn a_stream_to_a_peer_that_does_not_read_is_told_so_and_cut() {
    let limits = Limits { write_stall: seconds(3), ..Limits::default() };
    let told = RefCell::new(Vec::new());
    let told = &told;
    let cut = serve_cut(Scripted::new().send([GET, GET].concat()).takes_only(300), &limits, |_| {
        Reply::stream("text/plain", move |out| {
            let mut written = Ok(());
            while written.is_ok() {
                written = out.write_all(&[b'a'; 100]).and_then(|()| out.flush());
            }
            told.borrow_mut().push(written.as_ref().map_err(io::Error::kind).copied());
            written
        })
    });
    assert_eq!(told.take(), [Err(ErrorKind::TimedOut)], "one stream ran, and was told");
    assert_eq!(cut.elapsed(), limits.write_stall);
}

#[test]
fn a_stream_that_ignores_a_failed_write_does_not_go_on_in_the_middle_of_it() {
    // The peer takes half of a chunk, stands still, and reads again. Whatever came now would stand
    // where it expects the chunk's other half.
    let clock = Clock::default();
    let mut writes = 0;
    let mut before = |travel: Travel| {
        writes += usize::from(matches!(travel, Travel::Write(_)));
        if writes == 2 { Err(ErrorKind::TimedOut.into()) } else { Ok(()) }
    };
    let mut road = Road::new(Scripted::new().send([GET, GET].concat()).end(), &clock, &mut before);
    let why = serve_connection(&mut road, &Limits::default(), |_| {
        Response::stream("text/plain", |out| {
            for part in ["one", "two", "three"] {
                let _ = out.write_all(part.as_bytes()).and_then(|()| out.flush());
            }
            Ok(())
        })
    });
    assert_eq!(why, Why::Failed);
    let output = road.peer.output_text();
    assert!(output.ends_with("\r\n\r\n3\r\none\r\n"), "{output}");
}

/// Serves a peer that cannot read its answers whole.
fn serve_cut<'s, R>(
    mut peer: Scripted,
    limits: &Limits,
    handler: impl Fn(&mut Request<'_>) -> R,
) -> Scripted
where
    R: IntoResponse<'s>,
{
    assert_eq!(serve_connection(&mut peer, limits, handler), Why::Failed);
    let happened = peer.happened();
    let stalls = happened.iter().filter(|(_, happened)| *happened == Happened::Stalled);
    assert_eq!(stalls.count(), 1, "{happened:?}");
    peer
}

// --- what is left of a body, and the end ---

#[test]
fn an_unread_body_up_to_the_drain_is_read_and_one_beyond_closes() {
    let limits = Limits { drain: 100, ..Limits::default() };
    let upload = |length: usize| post(&format!("Content-Length: {length}")) + &"a".repeat(length);
    let near = talk(Scripted::new().send(upload(100) + GET).end(), &limits, ignore);
    assert_served(&near, 2);
    assert!(!near.answers[0].closes());

    let over = talk(Scripted::new().send(upload(101) + GET).end(), &limits, ignore);
    assert_served(&over, 1);
    assert!(over.only().closes() && over.lingered_from().is_some());
    assert_eq!(over.why, Why::ServerAsked);
}

#[test]
fn what_counts_for_the_drain_is_what_the_handler_left() {
    let limits = Limits { drain: 100, ..Limits::default() };
    for (read, answers) in [(50, 2), (49, 1)] {
        let peer = Scripted::new().send(post("Content-Length: 150") + &"a".repeat(150) + GET);
        let talk = talk(peer.end(), &limits, |request: &mut Request<'_>| {
            io::copy(&mut request.body().take(read), &mut io::sink())?;
            Ok::<_, io::Error>(Response::text("enough"))
        });
        assert_served(&talk, answers);
    }
}

#[test]
fn a_lingering_close_ends_after_silence() {
    let limits = Limits::default();
    let refused = |pause| {
        let late = talk(Scripted::new().send("BAD\r\n").wait(pause).send("more"), &limits, hello);
        (late.bytes_read(), late.peer.elapsed())
    };
    assert_eq!(refused(limits.linger - TICK), (9, limits.linger - TICK + limits.linger));
    assert_eq!(refused(limits.linger + TICK), (5, limits.linger));
}

#[test]
fn a_lingering_close_ends_with_the_peer() {
    let talk = talk(Scripted::new().send("BAD\r\n").wait(TICK).end(), &Limits::default(), hello);
    assert_eq!(talk.peer.elapsed(), TICK);
}

#[test]
fn a_lingering_close_ends_in_time_however_the_peer_drips() {
    let limits = Limits::default();
    let pause = limits.linger - TICK;
    let talk = talk(Scripted::new().send("BAD\r\n").drip([b'a'; 60], pause), &limits, hello);
    assert_refused(&talk, 400, "target-missing");
    assert_eq!(talk.peer.elapsed(), limits.linger_time);
}

#[test]
fn a_lingering_close_reads_so_many_bytes_and_no_more() {
    let limits = Limits { linger_bytes: 100_000, ..Limits::default() };
    let peer = (0..1_000).fold(Scripted::new().send("BAD\r\n"), |peer, _| peer.send([b'a'; 1_000]));
    let talk = talk(peer, &limits, hello);
    assert_eq!(talk.bytes_read(), 5 + 100_000);
    assert_eq!(talk.peer.elapsed(), Duration::ZERO);
}

#[test]
fn times_without_end_are_times_too() {
    let limits = Limits {
        first_byte: Duration::MAX,
        head_time: Duration::MAX,
        body_grace: Duration::MAX,
        write_stall: Duration::MAX,
        idle: Duration::MAX,
        linger: Duration::MAX,
        linger_time: Duration::MAX,
        ..Limits::default()
    };
    let (front, back) = GET.split_at(9);
    let day = seconds(86_400);
    let peer = Scripted::new().wait(day).send(front).wait(day).send(back);
    let peer = peer.wait(day).send(post("Content-Length: 1")).wait(day).send("a").wait(day);
    let talk = talk(peer.send("BAD\r\n").wait(day).end(), &limits, echo);
    assert_eq!(talk.statuses(), [200, 200, 400]);
}
