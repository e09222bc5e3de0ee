//! What comes before a handler: the first byte, the rest between requests, the head.

use std::time::Duration;

use harness::talk::talk;
use longhand::transport::{Happened, Scripted};
use longhand::{Limits, Why};

use crate::{GET, TICK, assert_refused, assert_served, hello, seconds};

/// A request whose target has this length.
fn get_of_target(length: usize) -> String {
    format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(length - 1))
}

/// A request whose head has this length.
fn get_of_head(length: usize) -> String {
    let rest = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n".len();
    format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(length - rest))
}

/// A request with so many field lines.
fn get_of_fields(count: usize) -> String {
    format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(count - 1))
}

// --- a new connection, and one that rests ---

#[test]
fn a_new_connection_may_be_silent_for_the_time_of_its_first_byte() {
    let first_byte = Limits::default().first_byte;
    let limits = Limits::default();
    assert_served(
        &talk(Scripted::new().wait(first_byte - TICK).send(GET).end(), &limits, hello),
        1,
    );

    let late = talk(Scripted::new().wait(first_byte + TICK).send(GET).end(), &limits, hello);
    assert_eq!((late.answers.len(), late.why), (0, Why::Idle));
    assert_eq!(late.peer.elapsed(), first_byte);
    assert_eq!(late.peer.happened(), [(first_byte, Happened::TimedOut)], "closed without a word");
}

#[test]
fn a_connection_may_rest_for_the_idle_time_and_no_longer() {
    let limits = Limits::default();
    let rested = |pause| Scripted::new().send(GET).wait(pause).send(GET).wait(pause).send(GET);
    let near = limits.idle - TICK;
    assert_served(&talk(rested(near).end(), &limits, hello), 3);

    let over = talk(rested(limits.idle + TICK), &limits, hello);
    assert_served(&over, 1);
    assert_eq!(over.why, Why::Idle, "an idle connection is closed without a 408");
    assert_eq!(over.peer.elapsed(), limits.idle);
    assert_eq!(over.lingered_from(), None);
}

#[test]
fn the_idle_time_has_its_own_length_after_the_first_request() {
    let limits = Limits { first_byte: seconds(1), idle: seconds(5), ..Limits::default() };
    let peer = Scripted::new().send(GET).wait(seconds(4)).send(GET).end();
    assert_served(&talk(peer, &limits, hello), 2);
}

// --- the head ---

#[test]
fn a_head_has_its_time_from_its_first_byte_however_it_drips() {
    let limits = Limits::default();
    let pause = |total: Duration| total / u32::try_from(GET.len() - 1).expect("short");
    let dripping = |total| {
        let (first, rest) = GET.split_at(1);
        Scripted::new().wait(limits.first_byte - TICK).send(first).drip(rest, pause(total))
    };
    let near = dripping(limits.head_time - TICK).end();
    assert_served(&talk(near, &limits, hello), 1);

    let over = talk(dripping(limits.head_time + TICK), &limits, hello);
    assert_refused(&over, 408, "head-time");
    let answered = limits.first_byte - TICK + limits.head_time;
    assert_eq!(over.lingered_from(), Some(answered), "to the millisecond");
}

#[test]
fn the_time_of_a_head_begins_anew_with_each_head() {
    let limits = Limits::default();
    let slow = limits.head_time - TICK;
    let (front, back) = GET.split_at(9);
    let peer = (0..3)
        .fold(Scripted::new(), |peer, _| peer.wait(seconds(9)).send(front).wait(slow).send(back));
    assert_served(&talk(peer.end(), &limits, hello), 3);
}

#[test]
fn a_head_that_came_with_the_request_before_it_has_its_time_too() {
    let limits = Limits::default();
    let (front, back) = GET.split_at(9);
    let peer = |pause| Scripted::new().send([GET, front].concat()).wait(pause).send(back);
    assert_served(&talk(peer(limits.head_time - TICK).end(), &limits, hello), 2);

    let over = talk(peer(limits.head_time + TICK), &limits, hello);
    assert_eq!(over.statuses(), [200, 408]);
    assert!(!over.answers[0].closes() && over.answers[1].closes());
    assert_eq!(over.lingered_from(), Some(limits.head_time));
}

#[test]
fn an_empty_line_begins_no_head_and_draws_no_408() {
    let limits = Limits::default();
    let peer = Scripted::new().send("\r\n").wait(limits.first_byte + TICK).send(GET);
    let silent = talk(peer, &limits, hello);
    assert_eq!((silent.answers.len(), silent.why), (0, Why::Idle));
    // Behind a body it is some clients' habit; a 408 would be taken for the next answer.
    let peer = Scripted::new().send([GET, "\r\n"].concat()).wait(limits.head_time + TICK).send(GET);
    assert_eq!(talk(peer.end(), &limits, hello).texts(), ["hello", "hello"]);
}

#[test]
fn a_version_that_is_not_served_is_refused_at_the_end_of_its_line() {
    let limits = Limits::default();
    // A client of HTTP/2 that waits for an answer to its preface sends no more.
    for line in ["GET / HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n"] {
        let talk = talk(Scripted::new().send(line), &limits, hello);
        assert_refused(&talk, 505, "version-unsupported");
        assert_eq!(talk.lingered_from(), Some(Duration::ZERO));
    }
}

#[test]
fn a_target_a_head_and_field_lines_may_be_as_large_as_their_limits() {
    let limits = Limits::default();
    let near =
        [get_of_target(limits.target), get_of_head(limits.head), get_of_fields(limits.fields)];
    for request in near {
        assert_served(&talk(Scripted::new().send(request).end(), &limits, hello), 1);
    }
}

#[test]
fn a_target_a_head_and_field_lines_over_their_limits_are_refused() {
    let limits = Limits::default();
    let over = [
        (get_of_target(limits.target + 1), 414, "target-too-long"),
        (get_of_head(limits.head + 1), 431, "head-too-large"),
        (get_of_fields(limits.fields + 1), 431, "too-many-fields"),
    ];
    for (request, status, rule) in over {
        let talk = talk(Scripted::new().send([&request, GET].concat()).end(), &limits, hello);
        assert_refused(&talk, status, rule);
    }
}

#[test]
fn the_limits_of_a_head_are_those_that_were_set() {
    let limits = Limits { target: 10, head: 60, fields: 2, ..Limits::default() };
    for (near, over, status) in [
        (get_of_target(10), get_of_target(11), 414),
        (get_of_head(60), get_of_head(61), 431),
        (get_of_fields(2), get_of_fields(3), 431),
    ] {
        assert_served(&talk(Scripted::new().send(near).end(), &limits, hello), 1);
        assert_eq!(talk(Scripted::new().send(over).end(), &limits, hello).only().status, status);
    }
}

#[test]
fn a_head_that_never_ends_is_refused_at_its_limit() {
    let limits = Limits::default();
    let endless = [b"GET / HTTP/1.1\r\nHost: x\r\nA: ".to_vec(), vec![b'a'; 2 << 20]].concat();
    let talk = talk(Scripted::new().send(endless).end(), &limits, hello);
    assert_refused(&talk, 431, "head-too-large");
}
