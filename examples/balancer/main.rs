//! A load balancer: one address in front of several servers, which may come and go.
//!
//! ```text
//! BACKENDS=127.0.0.1:8001,127.0.0.1:8002 cargo run --example balancer
//! curl http://127.0.0.1:8000/.balancer
//! ```
//!
//! Nothing is passed on as it came: longhand's parsers read both messages, and both are written anew, so
//! that no byte can mean one thing here and another behind. Bodies stream both ways through a few
//! buffers; a request's is sent before that of its answer is read. Upgrades (WebSocket), interim
//! responses but 100, and trailers are not carried. To a client of HTTP/1.0, which knows no chunks, a body
//! of unknown length that breaks off looks like a whole one.
//!
//! In reading order: heads on the other side (`fields`), what is known of a backend (`backend`), one
//! request with it (`exchange`), which one is asked and what happens when it fails (`balancer`).

mod fields;
mod backend;
mod exchange;
mod balancer;

use std::hash::{BuildHasher, RandomState};
use std::net::ToSocketAddrs;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use longhand::{Answered, Event, Limits, Request};

use crate::backend::{Backend, Times};
use crate::balancer::Balancer;

const HELP: &str = include_str!("help.txt");

fn main() -> ExitCode {
    if let Some(code) = setup::help(HELP) {
        return code;
    }
    let [connect, answer] = [("CONNECT_MS", 1), ("ANSWER_MS", 30)].map(|(name, default)| {
        let time = setup::millis(name, Duration::from_secs(default));
        if time.is_zero() { setup::bad_setting(name, "0", "more than no time") } else { time }
    });
    let eject = setup::millis("EJECT_MS", Duration::from_secs(5)).min(Duration::from_secs(1 << 32));
    let backends = backends(Times { connect, answer, eject });
    let every = setup::millis("HEALTH_MS", Duration::from_secs(1));
    let path: String = setup::setting("HEALTH", "/.healthz".to_owned(), "a path");
    if !path.starts_with('/') || !path.bytes().all(|octet| octet.is_ascii_graphic()) {
        setup::bad_setting("HEALTH", &path, "a path, such as /.healthz");
    }
    let least_in_flight = match &*setup::setting("POLICY", "round-robin".to_owned(), "text") {
        "round-robin" => false,
        "least-in-flight" => true,
        other => setup::bad_setting("POLICY", other, "`round-robin` or `least-in-flight`"),
    };
    // The backends judge how long a body may be; here it only passes.
    let limits = Limits { body: u64::MAX, ..Limits::default() };
    let (proxies, server) = (setup::proxies(), setup::bind().limits(limits));
    // As long as the program: the checks refer to it, and all that passes through.
    let balancer: &Balancer = Box::leak(Box::new(Balancer {
        backends,
        least_in_flight,
        proxies,
        server: server.handle(),
        via: format!("balancer-{:016x}", RandomState::new().hash_one(())),
        next: 0.into(),
    }));
    for backend in balancer.backends.iter().filter(|_| !every.is_zero()) {
        let path = path.clone();
        thread::spawn(move || backend.check_for_ever(&path, every));
    }
    setup::run_observed(server, tell, |request: &mut Request<'_>| balancer.answer(request))
}

fn backends(times: Times) -> Vec<Backend> {
    const WANTED: &str = "addresses like 127.0.0.1:8001,127.0.0.1:8002";
    let list: String = setup::setting("BACKENDS", String::new(), WANTED);
    let backend = |name: &str| {
        let found = name.trim().to_socket_addrs().ok().and_then(|mut found| found.next());
        let address = found.unwrap_or_else(|| setup::bad_setting("BACKENDS", &list, WANTED));
        Backend::new(address, times)
    };
    list.split(',').map(backend).collect()
}

/// Why a client did not get a backend's answer, or not all of it.
fn tell(event: &Event<'_>) {
    let Event::Answered(Answered { error: Some(error), head: Some(head), status, .. }) = event
    else {
        return;
    };
    setup::complain(&format!("{} {}: {status}: {error}", head.method, head.target.path()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read and not said, or said and not read, is a mistake in one of the two.
    #[test]
    fn the_help_lists_the_settings_that_are_read() {
        let source = concat!(
            include_str!("main.rs"),
            include_str!("../setup.rs"),
            include_str!("../service.rs")
        );
        for name in HELP.lines().filter_map(|line| line.strip_prefix("  ")) {
            let name = name.split(' ').next().unwrap();
            if !name.is_empty() {
                assert!(source.contains(&format!("\"{name}\"")), "{name} is not read");
            }
        }
        for part in source.split('"').filter(|part| {
            part.len() > 3 && part.bytes().all(|octet| octet.is_ascii_uppercase() || octet == b'_')
        }) {
            assert!(HELP.contains(&format!("\n  {part} ")), "{part} is not in the help");
        }
    }
}
