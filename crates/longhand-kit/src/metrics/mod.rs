//! Counters of what a server does, in the text that Prometheus reads.
//!
//! What a server tells of itself enters and is counted; a page of counters leaves when somebody
//! asks. The page is Prometheus' text exposition format, version 0.0.4. Counting is an addition to
//! an atomic: no lock, nothing allocated. Labels are from fixed lists, so that no client can make
//! the page grow: a method that is not on the list counts as `other`.
//!
//! | name | labels | |
//! | --- | --- | --- |
//! | `longhand_connections_accepted_total` | | served, or being served |
//! | `longhand_connections_turned_away_total` | | found no place |
//! | `longhand_connections_closed_total` | `why` | |
//! | `longhand_requests_total` | `method`, `code` | answered; `none` where the head was refused |
//! | `longhand_request_duration_seconds` | | histogram: from the head's end to the response's |
//! | `longhand_response_body_bytes_total` | | |
//! | `longhand_responses_cut_total` | | not written whole |
//! | `longhand_violations_total` | `rule` | of the wire, by their names |
//! | `longhand_panics_total` | | |
//! | `longhand_accept_failures_total`, `longhand_spawn_failures_total` | | for want of descriptors, threads |
//! | `longhand_connections`, `longhand_state` | `state` | what is now |
//!
//! Log, metrics, health check and router together; one closure tells all of everything:
//!
//! ```
//! use longhand::{Event, Request, Response, Server};
//! use longhand_kit::{forwarded::Proxies, health, log::Log, metrics::Metrics, router::Router};
//!
//! static METRICS: Metrics = Metrics::new();
//!
//! let log = Log::json(std::io::stdout()).proxies(Proxies::x_forwarded("10.0.0.0/8")?);
//! let server = Server::bind("127.0.0.1:0")?.observe(move |event| {
//!     METRICS.observe(event);
//!     log.observe(event);
//!     if let Event::Panicked { message, .. } = event {
//!         eprintln!("a handler panicked: {message}");
//!     }
//! });
//! let handle = server.handle();
//! # let address = server.local_addr()?;
//! let router = Router::new()
//!     .route("GET /", |_| Response::text("hello\n"))
//!     .route("GET /.healthz", |_| health::answer(handle.state(), health::Leaving::Unavailable))
//!     .route("GET /.metrics", |_| METRICS.answer(&handle));
//! # let client = std::thread::spawn({
//! #     use std::io::{Read, Write};
//! #     let (address, handle) = (address, handle.clone());
//! #     move || {
//! #         let mut client = std::net::TcpStream::connect(address).unwrap();
//! #         client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
//! #         client.read_to_end(&mut Vec::new()).unwrap();
//! #         handle.stop();
//! #     }
//! # });
//! server.run(|request: &mut Request<'_>| router.handle(request))?; // one GET
//! let page = METRICS.answer(&handle);
//! let text = std::str::from_utf8(page.body_bytes().unwrap_or_default())?;
//! assert!(text.contains("\nlonghand_requests_total{method=\"GET\",code=\"200\"} 1\n"), "{text}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The page tells strangers how busy a site is and what goes wrong: put a guard before it, or block
//! its path in the proxy.

use std::time::Duration;

use longhand::wire::Kind;
use longhand::{Answered, Event, Handle, Response, State, Why};

mod counter;
mod page;

use counter::Counter;
use page::Page;

/// The methods that are told apart. The last two stand for all others, and for none.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other", "none"];

const REASONS: [(Why, &str); 7] = [
    (Why::PeerClosed, "peer_closed"),
    (Why::PeerAsked, "peer_asked"),
    (Why::ServerAsked, "server_asked"),
    (Why::Idle, "idle"),
    (Why::MadeRoom, "made_room"),
    (Why::Failed, "failed"),
    (Why::Upgraded, "upgraded"),
];

const STATES: [(State, &str); 3] =
    [(State::Ready, "ready"), (State::LameDuck, "lame_duck"), (State::Draining, "draining")];

/// The upper bounds of the histogram's buckets, in microseconds and as they are written.
const BOUNDS: [(u64, &str); 12] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// Status codes are 100 to 599.
const CODES: usize = 500;

/// What has been counted since the program began. It takes 36 KiB, most of it for methods times
/// codes; a `static` holds it best.
///
/// ```
/// use longhand::Server;
/// use longhand_kit::metrics::Metrics;
///
/// static METRICS: Metrics = Metrics::new();
/// let server = Server::bind("127.0.0.1:0")?;
/// let page = METRICS.answer(&server.handle());
/// let text = std::str::from_utf8(page.body_bytes().unwrap_or_default())?;
/// assert!(text.contains("\nlonghand_state{state=\"ready\"} 1\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Metrics {
    accepted: Counter,
    turned_away: Counter,
    /// By [`REASONS`], and one for those that are not among them.
    closed: [Counter; REASONS.len() + 1],
    accept_failures: Counter,
    spawn_failures: Counter,
    panics: Counter,
    requests: [[Counter; CODES]; METHODS.len()],
    violations: [Counter; Kind::ALL.len()],
    body_bytes: Counter,
    cut: Counter,
    /// By [`BOUNDS`], and one for what took longer.
    took: [Counter; BOUNDS.len() + 1],
    took_nanos: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Every counter at zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            accepted: Counter::new(),
            turned_away: Counter::new(),
            closed: [const { Counter::new() }; REASONS.len() + 1],
            accept_failures: Counter::new(),
            spawn_failures: Counter::new(),
            panics: Counter::new(),
            requests: [const { [const { Counter::new() }; CODES] }; METHODS.len()],
            violations: [const { Counter::new() }; Kind::ALL.len()],
            body_bytes: Counter::new(),
            cut: Counter::new(),
            took: [const { Counter::new() }; BOUNDS.len() + 1],
            took_nanos: Counter::new(),
        }
    }

    /// Counts an event; see the [module's](self) example.
    pub fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Accepted { .. } => self.accepted.add(1),
            Event::TurnedAway { .. } => self.turned_away.add(1),
            Event::Answered(answered) => self.count(answered),
            Event::Panicked { .. } => self.panics.add(1),
            Event::Closed { why, .. } => {
                let place = REASONS.iter().position(|(reason, _)| reason == why);
                self.closed[place.unwrap_or(REASONS.len())].add(1);
            }
            Event::AcceptFailed { .. } => self.accept_failures.add(1),
            Event::SpawnFailed { .. } => self.spawn_failures.add(1),
            _ => {}
        }
    }

    fn count(&self, answered: &Answered<'_>) {
        let method = answered.head.map_or("none", |head| head.method);
        let known = METHODS.iter().position(|known| *known == method);
        // A client may call its method `other`, and `none`: both are others.
        let method = match (known, answered.head) {
            (None, _) => METHODS.len() - 2,
            (Some(place), Some(_)) => place.min(METHODS.len() - 2),
            (Some(place), None) => place,
        };
        self.requests[method][usize::from(answered.status.code() - 100) % CODES].add(1);
        if let Some(violation) = answered.violation {
            let mut kinds = Kind::ALL.iter().zip(&self.violations);
            let counted = kinds.find(|(kind, _)| **kind == violation.kind());
            if let Some((_, counter)) = counted {
                counter.add(1);
            }
        }
        self.body_bytes.add(answered.body);
        self.cut.add(u64::from(!answered.whole));
        // A refused head took no time to answer; counted, it would make a site look fast.
        if answered.head.is_some() {
            self.measure(answered.took);
        }
    }

    fn measure(&self, took: Duration) {
        let is_within = |(micros, _): &(u64, &str)| took <= Duration::from_micros(*micros);
        let bucket = BOUNDS.iter().position(is_within).unwrap_or(BOUNDS.len());
        self.took[bucket].add(1);
        self.took_nanos.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The page of counters, never cached; and what the server of this handle is doing now.
    #[must_use = "a response does nothing until a handler returns it"]
    pub fn answer(&self, handle: &Handle) -> Response {
        let page = self.page(handle.state(), handle.connections());
        Response::bytes("text/plain; version=0.0.4; charset=utf-8", page.into_text().into_bytes())
            .field("Cache-Control", "no-store")
    }

    fn page(&self, state: State, connections: usize) -> Page {
        let mut page = Page::default();
        for (name, help, counter) in [
            ("connections_accepted", "Connections that were served.", &self.accepted),
            ("connections_turned_away", "Connections that found no place.", &self.turned_away),
            ("accept_failures", "Connections that the system did not give.", &self.accept_failures),
            ("spawn_failures", "Threads that the system did not give.", &self.spawn_failures),
            ("panics", "Handlers and streams that panicked.", &self.panics),
            ("response_body_bytes", "Bytes of bodies, framing not counted.", &self.body_bytes),
            ("responses_cut", "Responses that were not written whole.", &self.cut),
        ] {
            let name = format!("{name}_total");
            page.family(&name, "counter", help);
            page.sample(&name, "", counter.get());
        }
        let name = "connections_closed_total";
        page.family(name, "counter", "Connections that are over, by the reason.");
        let reasons = REASONS.iter().map(|(_, name)| *name).chain(["other"]);
        for (reason, counter) in reasons.zip(&self.closed) {
            page.sample(name, format_args!("{{why=\"{reason}\"}}"), counter.get());
        }
        let name = "violations_total";
        page.family(name, "counter", "Refusals, by the rule of the wire that was broken.");
        for (kind, counter) in Kind::ALL.iter().zip(&self.violations) {
            page.sample(name, format_args!("{{rule=\"{}\"}}", kind.name()), counter.get());
        }
        self.put_requests(&mut page);
        self.put_durations(&mut page);
        page.family("connections", "gauge", "Connections that are open now.");
        page.sample("connections", "", connections);
        page.family("state", "gauge", "1 for what the server is doing now.");
        for (other, name) in STATES {
            page.sample("state", format_args!("{{state=\"{name}\"}}"), u8::from(other == state));
        }
        page
    }

    fn put_requests(&self, page: &mut Page) {
        let name = "requests_total";
        page.family(name, "counter", "Requests that were answered, by method and status code.");
        for (method, codes) in METHODS.iter().zip(&self.requests) {
            for (code, counter) in (100..).zip(codes).filter(|(_, counter)| counter.get() > 0) {
                let labels = format!("{{method=\"{method}\",code=\"{code}\"}}");
                page.sample(name, labels, counter.get());
            }
        }
    }

    fn put_durations(&self, page: &mut Page) {
        let name = "request_duration_seconds";
        page.family(name, "histogram", "From the end of a request's head to that of its response.");
        let mut count = 0;
        let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        for (bound, counter) in bounds.zip(&self.took) {
            count += counter.get();
            page.sample(name, format_args!("_bucket{{le=\"{bound}\"}}"), count);
        }
        let sum = Duration::from_nanos(self.took_nanos.get());
        page.sample(name, "_sum", format_args!("{}.{:09}", sum.as_secs(), sum.subsec_nanos()));
        // The last bucket and the count are one number, also while others are counting.
        page.sample(name, "_count", count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted_server::serve;
    use longhand::transport::Scripted;
    use std::collections::{BTreeMap, BTreeSet};
    use std::io;
    use std::sync::Arc;

    /// A strict reader of the format: every family has HELP, TYPE and then its samples, all
    /// together, none twice; the samples by name and labels.
    fn parse(page: &str) -> BTreeMap<String, f64> {
        let mut samples = BTreeMap::new();
        let (mut families, mut family, mut kind) = (BTreeSet::new(), String::new(), "");
        assert!(page.ends_with('\n') && page.is_ascii());
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(!help.contains('\\') && families.insert(name.to_owned()), "{line}");
                (family, kind) = (name.to_owned(), "");
            } else if let Some(of) = line.strip_prefix("# TYPE ") {
                let (name, of) = of.split_once(' ').unwrap();
                assert!(name == family && kind.is_empty(), "{line}");
                kind = of;
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let name = &series[..series.find('{').unwrap_or(series.len())];
                let labels = &series[name.len()..];
                let suffix = name.strip_prefix(&family).unwrap_or_else(|| panic!("{line}"));
                match kind {
                    "counter" => assert!(suffix.is_empty() && name.ends_with("_total"), "{line}"),
                    "gauge" => assert!(suffix.is_empty() && !name.ends_with("_total"), "{line}"),
                    "histogram" => {
                        assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}");
                    }
                    _ => panic!("{line}"),
                }
                let is_name =
                    |name: &str| name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
                assert!(is_name(name), "{line}");
                if !labels.is_empty() {
                    let inner = labels.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
                    for pair in inner.split(',') {
                        let (name, value) = pair.split_once('=').unwrap();
                        let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
                        assert!(is_name(name) && !value.contains(['"', '\\', '\n']), "{line}");
                    }
                }
                let before = samples.insert(series.to_owned(), value.parse::<f64>().unwrap());
                assert_eq!(before, None, "{line}");
            }
        }
        samples
    }

    /// What stands on the page after these conversations.
    fn counted(peers: Vec<Scripted>) -> BTreeMap<String, f64> {
        let metrics = Arc::new(Metrics::new());
        let counting = Arc::clone(&metrics);
        serve(
            peers,
            move |event| counting.observe(event),
            |request| -> io::Result<Response> {
                match request.path() {
                    "/panic" => panic!("no"),
                    "/body" => Ok(Response::bytes("a/b", request.body().read_all()?)),
                    _ => Ok(Response::text("hello")),
                }
            },
        );
        parse(&metrics.page(State::Ready, 3).into_text())
    }

    fn peer(sent: &str) -> Scripted {
        Scripted::new().send(sent.replace('\n', "\r\n")).end()
    }

    #[test]
    fn an_empty_page_is_well_formed_and_knows_all_fixed_labels() {
        let page = parse(&Metrics::new().page(State::LameDuck, 0).into_text());
        assert_eq!(page["longhand_violations_total{rule=\"bare-lf\"}"], 0.0);
        assert_eq!(page["longhand_connections_closed_total{why=\"idle\"}"], 0.0);
        assert_eq!(page["longhand_request_duration_seconds_count"], 0.0);
        assert_eq!(page["longhand_state{state=\"ready\"}"], 0.0);
        assert_eq!(page["longhand_state{state=\"lame_duck\"}"], 1.0);
        assert!(!page.keys().any(|series| series.starts_with("longhand_requests_total")));
    }

    #[test]
    fn every_event_is_counted_where_it_belongs() {
        let page = counted(vec![
            peer("GET / HTTP/1.1\nHost: a\n\nHEAD / HTTP/1.1\nHost: a\n\n"),
            peer(
                "BREW / HTTP/1.1\nHost: a\n\nother / HTTP/1.1\nHost: a\n\nnone / HTTP/1.1\nHost: a\n\n",
            ),
            peer("GET /panic HTTP/1.1\nHost: a\nConnection: close\n\n"),
            peer("POST /body HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\nx\n"),
            peer("GET / HTTP/1.1\n\n"),
            Scripted::new().send("\u{16}\u{3}\u{1}").end(),
            Scripted::new().takes_only(0).send("GET / HTTP/1.0\r\n\r\n").end(),
        ]);
        for (series, wanted) in [
            ("connections_accepted_total", 7.0),
            ("connections_turned_away_total", 0.0),
            ("requests_total{method=\"GET\",code=\"200\"}", 2.0),
            ("requests_total{method=\"HEAD\",code=\"200\"}", 1.0),
            ("requests_total{method=\"other\",code=\"200\"}", 3.0),
            ("requests_total{method=\"GET\",code=\"500\"}", 1.0),
            ("requests_total{method=\"POST\",code=\"400\"}", 1.0),
            ("requests_total{method=\"none\",code=\"400\"}", 2.0),
            ("request_duration_seconds_count", 8.0),
            ("request_duration_seconds_bucket{le=\"+Inf\"}", 8.0),
            ("violations_total{rule=\"chunk-size\"}", 1.0),
            ("violations_total{rule=\"host-missing\"}", 1.0),
            ("violations_total{rule=\"tls-hello\"}", 1.0),
            ("panics_total", 1.0),
            ("connections_closed_total{why=\"peer_closed\"}", 2.0),
            ("connections_closed_total{why=\"peer_asked\"}", 1.0),
            ("connections_closed_total{why=\"server_asked\"}", 3.0),
            ("connections_closed_total{why=\"failed\"}", 1.0),
            ("connections", 3.0),
        ] {
            let found = page.get(&format!("longhand_{series}"));
            assert_eq!(found, Some(&wanted), "{series}: {page:#?}");
        }
    }

    #[test]
    fn times_fall_into_the_first_bucket_that_holds_them() {
        let metrics = Metrics::new();
        for micros in [0, 500, 501, 9_999_999, 10_000_000, 10_000_001, 90_000_000] {
            metrics.measure(Duration::from_micros(micros));
        }
        let page = parse(&metrics.page(State::Ready, 0).into_text());
        let of = |series: &str| page[&format!("longhand_request_duration_seconds_{series}")];
        assert_eq!(of("bucket{le=\"0.0005\"}"), 2.0);
        assert_eq!(of("bucket{le=\"0.001\"}"), 3.0);
        assert_eq!(of("bucket{le=\"2.5\"}"), 3.0);
        assert_eq!(of("bucket{le=\"10\"}"), 5.0);
        assert_eq!((of("bucket{le=\"+Inf\"}"), of("count")), (7.0, 7.0));
        assert!((of("sum") - 120.001_001).abs() < 1e-6, "{}", of("sum"));
    }

    #[test]
    fn bounds_grow_and_are_written_as_they_are() {
        assert!(BOUNDS.is_sorted());
        for (micros, written) in BOUNDS {
            let bound = Duration::try_from_secs_f64(written.parse().unwrap()).unwrap();
            assert_eq!(bound, Duration::from_micros(micros), "{written}");
        }
    }
}
