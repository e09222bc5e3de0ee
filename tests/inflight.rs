//! The example `inflight` from outside: what its page holds, and that its frames are served at once.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::collections::BTreeSet;
use std::time::Instant;

use harness::client::{Client, NEVER};
use harness::program::{Program, command};

fn start() -> Program {
    Program::start(command("inflight", &[("PORT", "0")]))
}

/// What a frame that was asked for on this connection counted.
fn count(client: &mut Client) -> u32 {
    let answer = client.answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let text = answer.text();
    let (before, _) = text.split_once(" in flight</strong>").expect("a count");
    before.rsplit('>').next().unwrap().parse().expect("a number")
}

#[test]
fn the_page_holds_sixteen_frames_that_are_there() {
    let program = start();
    let mut client = program.client();
    let page = client.get("/").answer();
    assert_eq!((page.status, page.field("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = page.text();
    assert!(text.contains("<title>In flight</title>"), "{text}");
    let frames: BTreeSet<&str> = text
        .split("<iframe src=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').expect("the end of the address").0)
        .collect();
    assert_eq!(frames.len(), 16, "{text}");
    // Asked for alone, a frame is alone.
    assert_eq!(count(client.get(frames.first().unwrap())), 1);
    let mut clients: Vec<Client> = frames.iter().map(|_| program.client()).collect();
    for (client, frame) in clients.iter_mut().zip(&frames) {
        client.get(frame);
    }
    assert!(clients.iter_mut().map(count).all(|count| (1..=16).contains(&count)));
}

#[test]
fn sixteen_requests_are_in_flight_together() {
    let program = start();
    let mut clients: Vec<Client> = (0..16).map(|_| program.client()).collect();
    let began = Instant::now();
    // How long a frame takes varies, and all sixteen might take no time once; never always.
    loop {
        for (client, number) in clients.iter_mut().zip(1..) {
            client.get(&format!("/frames/{number}"));
        }
        let counts: Vec<u32> = clients.iter_mut().map(count).collect();
        assert!(counts.iter().all(|count| (1..=16).contains(count)), "{counts:?}");
        if counts.iter().any(|&count| count > 1) {
            return;
        }
        assert!(began.elapsed() < NEVER, "each was always alone: {counts:?}");
    }
}

#[test]
fn a_client_that_goes_away_is_counted_no_longer_than_its_frame_takes() {
    let program = start();
    for number in 1..=8 {
        program.client().get(&format!("/frames/{number}"));
    }
    let mut client = program.client();
    let began = Instant::now();
    while count(client.get("/frames/9")) > 1 {
        assert!(began.elapsed() < NEVER, "those who left are still counted");
    }
}

#[test]
fn a_frame_that_is_no_number_is_not_there() {
    let program = start();
    let mut client = program.client();
    assert_eq!(client.get("/frames/x").answer().status, 404);
    assert_eq!(client.get("/frames/").answer().status, 404);
    let answer = client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").answer();
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, OPTIONS")));
}
