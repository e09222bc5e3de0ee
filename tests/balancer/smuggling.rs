//! No request is read as two, nor two as one: the golden cases of the parser, sent through.
//!
//! Each request goes straight to a server and, on another connection, through the balancer to a second
//! one. Both have to hear the same requests in the same order, and the clients the same answers. Each
//! answer comes from a backend that says nothing else.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::answer::{Extent, answers, first};
use harness::client::{Client, NEVER};
use harness::golden::cases;
use harness::relay::Relay;
use harness::running::{Running, run};
use longhand::wire::{Part, Verdict, explain_response};
use longhand::{Limits, Request, Response, Server};

use crate::{head, script, unchecked};

type Heard = Arc<Mutex<Vec<String>>>;

/// A server that keeps what it heard: each request whose body came whole.
fn listener(limits: Limits) -> (Running, Heard) {
    let heard = Heard::default();
    let keep = Arc::clone(&heard);
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
    let server = run(server, move |request: &mut Request<'_>| {
        let body = request.body().read_all()?;
        let query = request.query().map_or(String::new(), |query| format!("?{query}"));
        let path = if request.path().is_empty() { "*" } else { request.path() };
        let line = format!("{} {path}{query} {}", request.method(), request.authority());
        keep.lock().unwrap().push(format!("{line} {}", body.escape_ascii()));
        std::io::Result::Ok(Response::text("heard"))
    });
    (server, heard)
}

/// The statuses of what is answered to these bytes, up to the end.
fn say(client: &mut Client, bytes: &[u8]) -> Vec<u16> {
    // A server that has heard enough takes no more.
    let _ = client.stream.write_all(bytes);
    let _ = client.stream.shutdown(std::net::Shutdown::Write);
    let methods: Vec<&str> = if bytes.starts_with(b"HEAD") { vec!["HEAD"] } else { vec![] };
    let answers = answers(&client.rest().unwrap_or_default(), &methods);
    answers.iter().map(|answer| answer.status).collect()
}

#[test]
fn the_golden_cases_mean_the_same_behind_the_balancer() {
    // Any length passes through the balancer.
    let limits = Limits { body: u64::MAX, ..Limits::default() };
    let (straight, heard_straight) = listener(limits.clone());
    // The head grows on its way.
    let roomy = Limits { head: 32 << 10, fields: 120, ..limits };
    let (behind, heard_behind) = listener(roomy);
    let relay = Relay::to(behind.address());
    let balancer = unchecked(&[&relay.address.to_string()], &[]);
    let mut sent = 0;
    for case in cases().iter().filter(|case| case.settings.response_to.is_none()) {
        let expected = say(&mut Client::to(straight.address()), &case.bytes);
        let found = say(&mut balancer.client(), &case.bytes);
        assert_eq!(found, expected, "{}", case.place());
        sent += 1;
    }
    assert!(sent > 150, "only {sent} cases were sent");
    // A connection that broke off may still be on its way to its end.
    straight.handle.drain(Duration::ZERO, NEVER);
    behind.handle.drain(Duration::ZERO, NEVER);
    let (straight, behind) = (straight.ended(), behind.ended());
    let heard = heard_straight.lock().unwrap();
    assert_eq!(*heard_behind.lock().unwrap(), *heard);
    assert!(heard.len() > 50, "{straight:?} {behind:?}");
    // What passed was read by the strict parser once more, as one request after the other.
    assert!(relay.requests().len() >= heard.len());
}

/// What a client should get of these bytes: its status, its body, and whether the end is there.
fn expected(bytes: &[u8], method: &str) -> (u16, Vec<u8>, Extent) {
    let nothing = (502, Vec::new(), Extent::Whole);
    let explained = explain_response(bytes, method, &Limits::default());
    let is_head = |(part, _): &(Part, _)| *part == Part::EndOfHead;
    let Some((_, end)) = explained.spans.iter().find(|span| is_head(span)) else { return nothing };
    // Of a body that breaks a rule, what was read before.
    let (mut answer, length) = match explained.verdict {
        Verdict::Refused(violation) if violation.at() < end.end => return nothing,
        Verdict::Refused(violation) => first(&bytes[..violation.at()], method),
        _ => first(bytes, method),
    };
    match answer.status {
        101 => return nothing,
        ..200 => return expected(&bytes[length..], method),
        // Whose end is that of the connection is whole.
        _ if answer.extent == Extent::UntilClose => answer.extent = Extent::Whole,
        _ => {}
    }
    (answer.status, answer.body, answer.extent)
}

#[test]
fn the_golden_answers_mean_the_same_in_front_of_the_balancer() {
    let (mut heard, mut cut) = (0, 0);
    for case in cases() {
        let Some(method) = &case.settings.response_to else { continue };
        // Tunnels are not for servers, and limits are the balancer's own.
        if method == "CONNECT" || case.settings.limits != Limits::default() {
            continue;
        }
        let bytes = case.bytes.clone();
        let backend = script(move |_, stream| {
            head(stream);
            stream.write_all(&bytes).unwrap();
        });
        let balancer = unchecked(&[&backend.address], &[]);
        let mut client = balancer.client();
        client.send(format!("{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        let (answer, length) = first(&client.rest().unwrap(), method);
        let own = answer.text().starts_with("502 Bad Gateway: a backend ");
        let body = if own { Vec::new() } else { answer.body };
        let found = (answer.status, body, answer.extent);
        assert_eq!(found, expected(&case.bytes, method), "{} {length}", case.place());
        heard += 1;
        cut += usize::from(found.2 == Extent::Cut);
    }
    assert!(heard > 30 && cut > 1, "{heard} {cut}");
}

#[test]
fn what_is_behind_a_request_is_never_part_of_the_next_ones_answer() {
    // A second answer, at once: it is not that of whoever asks next.
    let twice = script(|_, stream| {
        let mut number = 0;
        while !head(stream).is_empty() {
            number += 1;
            let one = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
            let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
            if stream.write_all(format!("{one}{evil}").as_bytes()).is_err() {
                return;
            }
        }
    });
    let balancer = unchecked(&[&twice.address], &[]);
    let mut client = balancer.client();
    for _ in 0..10 {
        assert_eq!(client.get("/").answer().text(), "1");
    }
    assert_eq!(twice.connections.load(std::sync::atomic::Ordering::SeqCst), 10);
}
