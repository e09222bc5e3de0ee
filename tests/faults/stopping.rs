//! A process that is stopped for longer than its deadlines, and goes on: SIGSTOP and SIGCONT, as a
//! debugger, a freezer of containers or a moved virtual machine does it.
//!
//! Whose bytes came in time, by the clock of who sent them, is served; who has sent nothing meanwhile
//! has had its time.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};
use std::{fs, thread};

use harness::answer::answers;
use harness::client::{Client, NEVER};
use harness::program::{Program, command};

/// Every deadline of the server, in milliseconds.
const TIME: &str = "2000";

/// How long it is stopped: longer than that.
const STOP: Duration = Duration::from_millis(2_600);

fn start() -> Program {
    let settings = [
        ("PORT", "0"),
        ("PROBE_FIRST_BYTE_MS", TIME),
        ("PROBE_HEAD_TIME_MS", TIME),
        ("PROBE_BODY_GRACE_MS", TIME),
        ("PROBE_WRITE_STALL_MS", TIME),
        ("PROBE_IDLE_MS", TIME),
    ];
    Program::start(command("probe", &settings))
}

/// Stops it, lets clients do something meanwhile, and lets it go on when all deadlines are over.
fn stopped(server: &Program, meanwhile: impl FnOnce()) {
    server.signal("STOP");
    let begun = Instant::now();
    while state(server) != "T" {
        assert!(begun.elapsed() < NEVER, "it is not stopped but {}", state(server));
        thread::yield_now();
    }
    let mut witness = server.client();
    witness.get("/");
    meanwhile();
    witness.stream.set_read_timeout(Some(STOP)).unwrap();
    let error = witness.stream.read(&mut [0]).expect_err("who is stopped says nothing");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    server.signal("CONT");
    witness.stream.set_read_timeout(Some(NEVER)).unwrap();
    assert_eq!(witness.answer().status, 200, "who waited in the queue is served");
}

fn state(server: &Program) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields[..1].to_owned()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// What a client sends before the stop, and what it sends meanwhile or not at all.
const HALVES: [(&str, &str); 5] = [
    ("", GET),
    (GET, GET),
    ("GET / HTTP/1.1\r\nHo", "st: x\r\n\r\n"),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc", "def"),
    (
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na",
        "bc\r\n0\r\n\r\n",
    ),
];

/// Clients that have sent the first halves. Where that is a request, it is answered.
fn clients(server: &Program) -> [Client; HALVES.len()] {
    HALVES.map(|(first, _)| {
        let mut client = server.client();
        client.send(first);
        if first == GET {
            assert_eq!(client.answer().status, 200);
        }
        client
    })
}

#[test]
fn what_came_while_it_was_stopped_is_served() {
    let server = start();
    let mut clients = clients(&server);
    stopped(&server, || {
        for (client, (_, second)) in clients.iter_mut().zip(HALVES) {
            client.send(second);
        }
    });
    for (client, half) in clients.iter_mut().zip(HALVES) {
        let answer = client.try_answer().map(|answer| answer.status);
        assert_eq!(answer.ok(), Some(200), "{half:?}");
    }
}

#[test]
fn who_sent_nothing_while_it_was_stopped_has_had_its_time() {
    let server = start();
    let mut clients = clients(&server);
    stopped(&server, || ());
    for (client, half) in clients.iter_mut().zip(HALVES) {
        let rests = ["", GET].contains(&half.0);
        if !rests {
            assert_eq!(client.answer().status, 408, "{half:?}");
        }
        client.expect_end();
    }
}

#[test]
fn a_download_goes_on_after_it_was_stopped() {
    // More than the system takes off its hands.
    const MEGABYTES: usize = 32;
    let server = start();
    let mut client = server.client();
    client.send("GET /1m HTTP/1.1\r\nHost: x\r\n\r\n".repeat(MEGABYTES)).end();
    let mut read = vec![0; 1 << 16];
    client.stream.read_exact(&mut read).unwrap();
    stopped(&server, || {
        // What is on the way is read, so that there is room for more when it goes on.
        client.stream.set_read_timeout(Some(STOP)).unwrap();
        let error = client.stream.read_to_end(&mut read).expect_err("it is stopped");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        client.stream.set_read_timeout(Some(NEVER)).unwrap();
    });
    client.stream.read_to_end(&mut read).unwrap();
    let answers = answers(&read, &[]);
    assert_eq!(answers.len(), MEGABYTES);
    assert!(answers.iter().all(|answer| answer.body.len() == 1 << 20));
}

#[test]
fn one_that_is_asked_to_end_while_it_is_stopped_ends_when_it_goes_on() {
    let server = start();
    let mut client = server.client();
    assert_eq!(client.get("/").answer().status, 200);
    stopped(&server, || server.signal("TERM"));
    let (status, errors) = server.end();
    assert!(status.success() && errors.is_empty(), "{status}: {errors:?}");
}
