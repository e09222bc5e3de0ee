//! What happens when the system has no more to give: no descriptors, no threads.
//!
//! Each case is a child process, this binary once more in the role that an environment variable
//! names, started by a shell that takes the resource away. Parent and child wait for each other by
//! lines.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use harness::client::{Client, NEVER};
use longhand::{Event, Limits, Request, Response, Why};

use crate::bind;

const ROLE: &str = "LONGHAND_SHORTAGE";

#[test]
fn out_of_descriptors_it_reports_waits_and_serves_again() {
    let server = Server::start("plain", "-n 40");
    let mut held = Vec::new();
    // Each is accepted until no descriptor is left.
    loop {
        held.push(Client::to(server.address));
        match &server.next()[..] {
            "accepted" => {}
            "accept failed" => break,
            other => panic!("{other}"),
        }
        assert!(held.len() < 40, "there is no limit");
    }
    // This one stays in the queue, and the one before it perhaps. Two go, and make room for them.
    held.push(Client::to(server.address));
    server.expect("accept failed");
    for mut served in held.drain(..2) {
        assert_eq!(served.get("/").answer().status, 200, "who has a place is served all the while");
    }
    for queued in &mut held {
        assert_eq!(queued.get("/").answer().status, 200);
    }
    drop(held);
    for _ in 0..10 {
        assert_eq!(Client::to(server.address).get("/").answer().status, 200);
    }
    server.drain();
}

#[test]
fn out_of_threads_it_says_503_and_serves_again() {
    // Address space for two or three threads with stacks of 1 GiB.
    let server = Server::start("large stacks", "-v 4000000");
    let mut busy = Vec::new();
    loop {
        let mut client = Client::to(server.address);
        client.get("/");
        let answer = client.answer();
        if answer.status == 503 {
            assert_eq!(answer.field("retry-after"), Some("1"));
            client.expect_end();
            break;
        }
        assert_eq!(answer.status, 200);
        busy.push(client);
        assert!(busy.len() < 8, "there is no limit");
    }
    server.expect("spawn failed");
    server.expect("turned away");
    assert!(!busy.is_empty());
    for client in &mut busy {
        assert_eq!(client.get("/").answer().status, 200, "those who have one are served");
    }
    // One ends. Its thread goes back to accepting, so that no new one is needed.
    drop(busy.pop());
    server.expect("peer closed");
    assert_eq!(Client::to(server.address).get("/").answer().status, 200);
    drop(busy);
    server.drain();
}

/// The child's side: a test that does nothing unless it was given a role.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let stack = if role == "large stacks" { 1 << 30 } else { 1 << 20 };
    let server = bind().stack_size(stack).limits(Limits::default()).observe(|event| {
        match event {
            Event::Accepted { .. } => say("accepted"),
            Event::AcceptFailed { .. } => say("accept failed"),
            Event::SpawnFailed { .. } => say("spawn failed"),
            Event::TurnedAway { .. } => say("turned away"),
            Event::Closed { why: Why::PeerClosed, .. } => say("peer closed"),
            _ => {}
        };
    });
    say(&server.local_addr().expect("an address").to_string());
    let handle = server.handle();
    thread::spawn(move || {
        // Drains when the parent says so, by closing this pipe.
        let _ = io::stdin().read_line(&mut String::new());
        handle.drain(std::time::Duration::ZERO, NEVER);
    });
    let summary = server.run(|_: &mut Request<'_>| Response::text("served")).expect("it runs");
    say(&format!("cut {}", summary.cut));
    // Not by returning: the status shall be this line's, not the test runner's.
    std::process::exit(0);
}

/// One line that the parent waits for, past the test runner's capture.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    // The runner may have begun a line of its own.
    write!(out, "\n> {line}\n").and_then(|()| out.flush()).expect("the parent listens");
}

/// A child with a shortage.
struct Server {
    child: Child,
    said: Receiver<String>,
    address: SocketAddr,
}

impl Server {
    /// Starts a child in this role under `ulimit` with these arguments.
    fn start(role: &str, limit: &str) -> Self {
        let this = std::env::current_exe().expect("a test knows its own file");
        let mut child = Command::new("sh")
            .args(["-c", &format!(r#"ulimit {limit} && exec "$0" "$@""#)])
            .arg(this)
            .args(["--exact", "shortages::child", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (say, said) = channel();
        thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            let mut lines = lines.filter_map(|line| Some(line.strip_prefix("> ")?.to_owned()));
            lines.try_for_each(|line| say.send(line))
        });
        let address = said.recv_timeout(NEVER).expect("the child listens");
        let address = address.parse().expect("an address");
        Self { child, said, address }
    }

    fn next(&self) -> String {
        self.said.recv_timeout(NEVER).expect("the child says something")
    }

    /// Waits for a line, past others.
    fn expect(&self, wanted: &str) {
        while self.next() != wanted {}
    }

    /// Drains the child, which ends well.
    fn drain(mut self) {
        drop(self.child.stdin.take());
        self.expect("cut 0");
        assert!(self.child.wait().expect("a child").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where the child has ended and was waited for, which is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
