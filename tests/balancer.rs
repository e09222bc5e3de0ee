//! The balancer as a program, in front of servers of this test: longhand's own, and scripts that answer
//! byte for byte what no server should.
//!
//! Which backend gets a request (`choosing`), what becomes of its head and body on the way (`passing`),
//! what the client is told when a backend fails (`failing`), and that no request is ever read as two
//! (`smuggling`). Nothing waits a while: each test asks until what it waits for has come.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "balancer/choosing.rs"]
mod choosing;
#[path = "balancer/failing.rs"]
mod failing;
#[path = "balancer/passing.rs"]
mod passing;
#[path = "balancer/settings.rs"]
mod settings;
#[path = "balancer/smuggling.rs"]
mod smuggling;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use harness::answer::Answer;
use harness::client::NEVER;
use harness::program::{Program, command};
use harness::running::{Running, run};
use longhand::{IntoResponse, Limits, Request, Response, Server};

/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";

/// A balancer in front of these, with these settings besides.
fn start(backends: &[&str], settings: &[(&str, &str)]) -> Program {
    let backends = backends.join(",");
    let own = [("PORT", "0"), ("BACKENDS", &*backends)];
    Program::start(command("balancer", &[&own[..], settings].concat()))
}

/// The same without checks, for backends that count or misunderstand them.
fn unchecked(backends: &[&str], settings: &[(&str, &str)]) -> Program {
    start(backends, &[&[("HEALTH_MS", "0")], settings].concat())
}

/// A server of longhand's.
fn serve<F, R>(handler: F) -> Running
where
    F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    R: IntoResponse<'static> + 'static,
{
    let limits = Limits { body: u64::MAX, ..Limits::default() };
    run(Server::bind("127.0.0.1:0").unwrap().limits(limits), handler)
}

/// A server that answers everything with its name.
fn named(name: &'static str) -> Running {
    serve(move |_: &mut Request<'_>| Response::text(name))
}

/// A server that does what `script` does with each connection, of which it is told the number.
struct Script {
    address: String,
    connections: Arc<AtomicUsize>,
}

fn script(script: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (connections, script) = (Arc::<AtomicUsize>::default(), Arc::new(script));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, script) = (stream.unwrap(), Arc::clone(&script));
            stream.set_read_timeout(Some(NEVER)).unwrap();
            let number = count.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || script(number, &mut stream));
        }
    });
    Script { address, connections }
}

/// Everything up to the end of a head; nothing where the connection ends before.
fn head(stream: &mut TcpStream) -> String {
    let head = up_to(stream, "\r\n\r\n");
    if head.ends_with("\r\n\r\n") { head } else { String::new() }
}

/// Everything up to these bytes, or to the end.
fn up_to(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with(end) && matches!(stream.read(&mut byte), Ok(1)) {
        text.push(char::from(byte[0]));
    }
    text
}

/// A server that answers each request with these bytes, and closes.
fn says(bytes: &'static str) -> Script {
    script(move |_, stream| {
        if !head(stream).is_empty() {
            stream.write_all(bytes.as_bytes()).unwrap();
        }
    })
}

/// The answer to a request without a body, on a connection of its own.
fn ask(balancer: &Program, method: &str, target: &str, fields: &str) -> Answer {
    let mut client = balancer.client();
    client.send(format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n"
    ));
    let bytes = client.rest().unwrap();
    harness::answer::first(&bytes, method).0
}

fn get(balancer: &Program, target: &str) -> Answer {
    ask(balancer, "GET", target, "")
}

fn post(balancer: &Program, target: &str, body: &str) -> Answer {
    let mut client = balancer.client();
    let length = body.len();
    client.send(format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"
    ));
    client.answer()
}

/// Asks again until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < NEVER, "{what}: it does not come");
        thread::yield_now();
    }
}

/// What the page says of this backend: its state, and the numbers in flight, answered and failed.
fn state(balancer: &Program, backend: impl ToString) -> (String, [u64; 3]) {
    let page = get(balancer, "/.balancer").text();
    let backend = backend.to_string();
    let line = page.lines().find(|line| line.split(' ').next() == Some(&*backend));
    let mut words = line.unwrap_or_else(|| panic!("{page}")).split_whitespace().skip(1);
    let state = words.next().unwrap().to_owned();
    (state, [(); 3].map(|()| words.next().unwrap().parse().unwrap()))
}

fn address(server: &Running) -> String {
    SocketAddr::to_string(&server.address())
}
