//! Metrics and health: every request of several threads is counted once, and a drain is told.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use harness::client::Client;
use longhand::{Event, IntoResponse, Request, Response, Server, State, Status};
use longhand_kit::health::{self, Leaving};
use longhand_kit::log::Log;
use longhand_kit::metrics::Metrics;

use crate::{Lines, NEVER, run};

const THREADS: usize = 8;
const EACH: usize = 125;

#[test]
fn a_thousand_requests_from_several_threads_are_counted_and_logged_exactly() {
    static METRICS: Metrics = Metrics::new();
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("an address");
    let handle = server.handle();
    let lines = Lines::default();
    let log = Log::json(lines.clone());
    let observer = move |event: &Event<'_>| {
        METRICS.observe(event);
        log.observe(event);
    };
    let running = run(server, observer, |request: &mut Request<'_>| match request.path() {
        "/" => Response::text("hello"),
        _ => Status::NOT_FOUND.into_response(),
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut client = Client::to(address);
                for round in 0..EACH {
                    let (path, status) = [("/", 200), ("/none", 404)][round % 2];
                    assert_eq!(client.get(path).answer().status, status);
                }
            });
        }
    });
    handle.drain(Duration::ZERO, NEVER);
    running.join().expect("no panic leaves the server");

    let page = METRICS.answer(&handle);
    assert_eq!(
        page.field_value("Content-Type").map(longhand::FieldValue::as_bytes),
        Some(&b"text/plain; version=0.0.4; charset=utf-8"[..])
    );
    let page = String::from_utf8(page.body_bytes().expect("bytes").to_vec()).expect("text");
    // 63 and 62 of each thread's 125.
    for wanted in [
        "longhand_requests_total{method=\"GET\",code=\"200\"} 504",
        "longhand_requests_total{method=\"GET\",code=\"404\"} 496",
        "longhand_request_duration_seconds_bucket{le=\"+Inf\"} 1000",
        "longhand_request_duration_seconds_count 1000",
        "longhand_connections_accepted_total 8",
        "longhand_connections 0",
        "longhand_state{state=\"draining\"} 1",
        // "hello", and "404 Not Found\n".
        "longhand_response_body_bytes_total 9464",
    ] {
        assert!(page.lines().any(|line| line == wanted), "{wanted}: {page}");
    }
    let closed = page.lines().filter_map(|line| line.strip_prefix("longhand_connections_closed"));
    let closed = closed.filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok());
    assert_eq!(closed.sum::<usize>(), THREADS, "{page}");

    let text = lines.text();
    assert_eq!(text.lines().count(), THREADS * EACH);
    for line in text.lines() {
        assert!(line.starts_with("{\"time\":\"20") && line.ends_with("\"}"), "{line}");
    }
}

#[test]
fn a_health_check_says_no_in_the_lame_duck_and_the_page_tells_why() {
    static METRICS: Metrics = Metrics::new();
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("an address");
    let handle = server.handle();
    let (tell, told) = channel();
    let observer = move |event: &Event<'_>| {
        METRICS.observe(event);
        if let Event::Draining = event {
            // Nobody listens any more where the test is over.
            let _ = tell.send(());
        }
    };
    let asked = handle.clone();
    let running = run(server, observer, move |request: &mut Request<'_>| match request.path() {
        "/.healthz" => health::answer(asked.state(), Leaving::NotFound),
        _ => METRICS.answer(&asked),
    });
    let ask = |path: &str| Client::to(address).get(path).answer();
    assert_eq!((ask("/.healthz").status, ask("/.healthz").text()), (200, "ok".to_owned()));
    assert!(ask("/.metrics").text().contains("\nlonghand_state{state=\"ready\"} 1\n"));
    handle.drain(NEVER, NEVER);
    while handle.state() == State::Ready {
        thread::yield_now();
    }
    assert_eq!(ask("/.healthz").status, 404);
    // The connections before are over for their clients, and a moment later for the server too.
    let begun = Instant::now();
    let page = loop {
        let page = ask("/.metrics").text();
        if page.contains("\nlonghand_connections 1\n") {
            break page;
        }
        assert!(begun.elapsed() < NEVER, "{page}");
    };
    assert!(page.contains("\nlonghand_state{state=\"lame_duck\"} 1\n"), "{page}");
    handle.drain(Duration::ZERO, NEVER);
    told.recv_timeout(NEVER).expect("the drain begins");
    running.join().expect("no panic leaves the server");
}
