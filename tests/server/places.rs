//! The cap on connections: who gets a place, who makes room, who is turned away.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use harness::client::{Client, NEVER};
use harness::latch::{Latch, OpensAtLast};
use harness::running::{Running, Told, run, run_on};
use harness::watched::Watched;
use longhand::{Limits, Request, Response, Server, Why};

use crate::bind;

fn limits(connections: usize) -> Limits {
    Limits { connections, ..Limits::default() }
}

/// A server whose handler waits at a door for `/wait`.
fn waiting(connections: usize) -> (Running, Latch, OpensAtLast) {
    let door = Latch::default();
    let inside = door.clone();
    let server = run(bind().limits(limits(connections)), move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            inside.pass();
        }
        Response::text("served")
    });
    (server, door.clone(), OpensAtLast(door))
}

#[track_caller]
fn assert_turned_away(client: &mut Client) {
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("retry-after")), (503, Some("1")));
    assert!(answer.closes());
    client.expect_end();
}

#[test]
fn a_connection_over_the_cap_is_told_503_and_when_to_come_again() {
    let (server, door, _opens) = waiting(4);
    let mut busy: Vec<_> = (0..4).map(|_| Client::to(server.address())).collect();
    for client in &mut busy {
        client.get("/wait");
    }
    door.wait_for(4);
    for _ in 0..3 {
        let mut over = Client::to(server.address());
        assert_turned_away(over.get("/"));
        server.expect(&Told::TurnedAway);
    }
    door.open();
    for client in &mut busy {
        assert_eq!(client.answer().status, 200);
        client.get("/").answer();
    }
    drop(busy.pop());
    server.expect(&Told::Closed { requests: 2, why: Why::PeerClosed });
    assert_eq!(Client::to(server.address()).get("/").answer().status, 200, "there is room again");
    drop(busy);
    let summary = server.end();
    assert_eq!((summary.connections, summary.requests), (5, 9), "those turned away do not count");
}

#[test]
fn a_flood_over_the_cap_is_turned_away_one_by_one_and_never_queued() {
    let (server, door, _opens) = waiting(1);
    let mut busy = Client::to(server.address());
    busy.get("/wait");
    door.wait_for(1);
    // More than the ring of the refused holds. They send much, and read late.
    let mut flood: Vec<_> = (0..400).map(|_| Client::to(server.address())).collect();
    for client in &mut flood {
        let _ = client.stream.write_all(&[b'a'; 1_000]);
    }
    for _ in 0..400 {
        server.expect(&Told::TurnedAway);
    }
    // The newest 256 are held for a second, or until others come: their answer is there.
    for client in flood.iter_mut().rev().take(200) {
        assert_eq!(client.answer().status, 503);
    }
    door.open();
    assert_eq!(busy.answer().status, 200);
}

#[test]
fn a_refusal_is_not_lost_where_the_request_has_come_already() {
    let (doors, hang) = (Latch::default(), Latch::default());
    let _opens = (OpensAtLast(doors.clone()), OpensAtLast(hang.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (outside, inside) = (doors.clone(), hang.clone());
    let mut acceptor = Watched::over(listener);
    acceptor.before_accept = Arc::new(move |()| outside.pass());
    let server = Server::new(acceptor).limits(limits(1));
    let server = run_on(server, move |_: &mut Request<'_>| {
        inside.pass();
        Response::text("served")
    });
    doors.admit(1);
    let mut busy = Client::to(address);
    busy.get("/");
    hang.wait_for(1);
    // Its bytes lie in the server's socket when it is turned away: a plain close would be a reset.
    let mut over = Client::to(address);
    over.get("/");
    doors.admit(1);
    server.expect(&Told::TurnedAway);
    assert_turned_away(&mut over);
}

#[test]
fn an_upload_that_is_refused_is_read_to_its_end_without_other_traffic() {
    let (server, door, _opens) = waiting(1);
    let mut busy = Client::to(server.address());
    busy.get("/wait");
    door.wait_for(1);
    // More than the sockets hold: it is all sent only if somebody reads it.
    let body = vec![b'a'; 8 << 20];
    let mut over = Client::to(server.address());
    over.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()));
    over.send(body);
    assert_turned_away(&mut over);
    door.open();
    assert_eq!(busy.answer().status, 200);
}

/// A server whose connections say when they rest, and what they say.
fn resting(connections: usize) -> (Running, std::net::SocketAddr, Receiver<std::net::SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (tell, reads) = channel();
    let mut acceptor = Watched::over(listener);
    acceptor.before_read = Arc::new(move |peer| {
        let _ = tell.send(peer);
    });
    let server = Server::new(acceptor).limits(limits(connections));
    let handler = |request: &mut Request<'_>| match request.path() {
        "/large" => Response::bytes("text/plain", vec![b'a'; 32 << 20]),
        _ => Response::text("served"),
    };
    (run_on(server, handler), address, reads)
}

/// Waits until the server reads from this client again.
fn await_read(client: &Client, reads: &Receiver<std::net::SocketAddr>) {
    let own = client.stream.local_addr().expect("an address");
    // A connection that made room reads once more, to its peer's end.
    while reads.recv_timeout(NEVER).expect("it reads") != own {}
}

/// A client that was served and rests: the server waits for its next request.
fn rested(address: std::net::SocketAddr, reads: &Receiver<std::net::SocketAddr>) -> Client {
    let mut client = Client::to(address);
    await_read(&client, reads);
    client.get("/").answer();
    await_read(&client, reads);
    client
}

#[test]
fn the_longest_idle_connection_makes_room() {
    let (server, address, reads) = resting(3);
    let mut clients: Vec<_> = (0..3).map(|_| rested(address, &reads)).collect();
    // The first one is used again, so that it is the last in the line.
    clients[0].get("/").answer();
    let own = clients[0].stream.local_addr().expect("an address");
    assert_eq!(reads.recv_timeout(NEVER), Ok(own));
    for longest in [1, 2, 0] {
        let newcomer = rested(address, &reads);
        clients[longest].expect_end();
        server.expect(&Told::Closed {
            requests: if longest == 0 { 2 } else { 1 },
            why: Why::MadeRoom,
        });
        clients.push(newcomer);
    }
    for client in &mut clients[3..] {
        assert_eq!(client.get("/").answer().status, 200, "the newcomers keep their places");
    }
    drop(clients);
    assert_eq!(server.end().connections, 6);
}

#[test]
fn a_connection_rests_from_the_end_of_a_large_answer_on() {
    let (server, address, reads) = resting(2);
    let mut slow = Client::to(address);
    await_read(&slow, &reads);
    slow.get("/large");
    slow.stream.peek(&mut [0]).expect("its answer has begun");
    let mut longest = rested(address, &reads);
    slow.answer();
    await_read(&slow, &reads);
    let newcomer = rested(address, &reads);
    longest.expect_end();
    server.expect(&Told::Closed { requests: 1, why: Why::MadeRoom });
    assert_eq!(slow.get("/").answer().status, 200);
    drop((slow, newcomer));
    assert_eq!(server.end().connections, 3);
}

#[test]
fn an_empty_line_begins_no_request_that_would_keep_a_place() {
    let (server, address, reads) = resting(1);
    let mut client = rested(address, &reads);
    for part in ["\r", "\n", "\r\n"] {
        client.send(part);
        await_read(&client, &reads);
    }
    let newcomer = rested(address, &reads);
    client.expect_end();
    server.expect(&Told::Closed { requests: 1, why: Why::MadeRoom });
    drop(newcomer);
    assert_eq!(server.end().requests, 2);
}

#[test]
fn an_empty_line_on_a_new_connection_holds_no_drain() {
    let (server, address, reads) = resting(1);
    let mut client = Client::to(address);
    await_read(&client, &reads);
    client.send("\r\n");
    await_read(&client, &reads);
    server.handle.drain(Duration::ZERO, NEVER);
    server.expect(&Told::Closed { requests: 0, why: Why::MadeRoom });
    client.expect_end();
    assert_eq!(server.ended().connections, 1);
}

#[test]
fn newcomers_at_the_same_moment_do_not_rob_each_other_of_places() {
    const CAP: usize = 50;
    const NEWCOMERS: usize = 40;
    let (server, address, reads) = resting(CAP);
    let mut clients: Vec<_> = (0..CAP).map(|_| rested(address, &reads)).collect();
    for round in 0..5 {
        let start = Barrier::new(NEWCOMERS);
        let newcomer = || {
            start.wait();
            let mut client = Client::to(address);
            let status = client.get("/").answer().status;
            (client, status)
        };
        let came: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..NEWCOMERS).map(|_| scope.spawn(newcomer)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let turned_away = came.iter().filter(|(_, status)| *status != 200).count();
        assert_eq!(turned_away, 0, "round {round}: there were {CAP} that idled");
        clients.extend(came.into_iter().map(|(client, _)| client));
        // Each waited for its first request, and rests now: they make room for the next ones.
        for _ in 0..2 * NEWCOMERS {
            reads.recv_timeout(NEVER).expect("it rests");
        }
    }
    assert!(!server.events().contains(&Told::TurnedAway));
}

#[test]
fn connections_that_stay_silent_do_not_hold_every_place() {
    const GRACE: Duration = Duration::from_secs(1);
    let limits = Limits { first_byte: NEVER, ..limits(10) };
    let server = run(bind().limits(limits), |_: &mut Request<'_>| Response::text("served"));
    let begun = Instant::now();
    let mut silent: Vec<_> = (0..10).map(|_| Client::to(server.address())).collect();
    for _ in &silent {
        server.expect(&Told::Accepted);
    }
    let status = Client::to(server.address()).get("/").answer().status;
    // On a machine so slow that the second is over already, it may have been served.
    assert!(status == 503 || begun.elapsed() >= GRACE, "{status}");
    // The youngest is not closed for its silence alone; meanwhile they all grow old.
    let youngest = &mut silent[9].stream;
    youngest.set_read_timeout(Some(GRACE + GRACE / 10)).expect("an open socket");
    assert!(youngest.read(&mut [0]).is_err(), "it was closed");
    for _ in 0..5 {
        assert_eq!(Client::to(server.address()).get("/").answer().status, 200);
    }
    server.expect(&Told::Closed { requests: 0, why: Why::MadeRoom });
}

#[test]
fn a_connection_that_has_not_yet_asked_makes_no_room() {
    let (server, address, reads) = resting(1);
    let mut fresh = Client::to(address);
    let own = fresh.stream.local_addr().expect("an address");
    assert_eq!(reads.recv_timeout(NEVER), Ok(own));
    assert_turned_away(&mut Client::to(address));
    assert_eq!(fresh.get("/").answer().status, 200);
    drop(fresh);
    assert_eq!(server.end().connections, 1);
}

#[test]
fn more_connections_than_the_system_has_room_for_are_refused_with_a_reason() {
    for connections in [0, 10_000_000, usize::MAX] {
        let mut server = run(bind().limits(limits(connections)), |_: &mut Request<'_>| "served");
        let error = server.outcome().expect_err("a cap that cannot be kept");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains("limits.connections") && text.contains("expected 1 to "), "{text}");
    }
}

#[test]
fn a_server_that_cannot_start_one_thread_says_so() {
    let mut server = run(bind().stack_size(1 << 60), |_: &mut Request<'_>| "served");
    assert!(server.outcome().is_err());
}
