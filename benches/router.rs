//! How fast a request finds its handler, among 10, 100 and 1,000 routes. Standard library only.
//!
//! Routes of this file's own making enter, five for each resource, as an API has them; a table of
//! nanoseconds a request comes out. A request is made once, by `serve_connection`, and handled over
//! and over inside of its handler: what is measured is `Router::handle` with a handler that does
//! nothing, and so the search, the parameters, and the fact that is kept with the request. "empty" is
//! a router that has a fallback alone. Each figure is the median of rounds in which all subjects
//! take turns, so that a busy machine is unkind to all alike.
//!
//! `cargo bench --bench router` measures. Without `--bench`, as `cargo test --all-targets` runs it,
//! there is one quick pass over each subject, whose results are checked and not timed.

use std::cell::Cell;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use benches::{Report, measures};
use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, Status, serve_connection};
use longhand_kit::router::Router;

/// Rounds of which the median is taken. Odd, so that there is one.
const ROUNDS: usize = 31;

/// About how long one subject takes in one round.
const ROUND_NANOSECONDS: f64 = 4e6;

/// One request to one router, and the status it should get.
struct Subject<'r> {
    name: &'static str,
    routes: usize,
    router: &'r Router<'static>,
    line: String,
    wanted: Status,
}

impl Subject<'_> {
    /// Handles the request so often: the status, and the nanoseconds that each took.
    fn handle(&self, times: u32) -> (Status, f64) {
        let seen = Cell::new((Status::NOT_FOUND, 0.0));
        let head = format!("{} HTTP/1.1\r\nHost: x\r\n\r\n", self.line);
        let mut client = Scripted::new().send(head).end();
        serve_connection(&mut client, &Limits::default(), |request| {
            let start = Instant::now();
            for _ in 1..times {
                let _ = black_box(self.router.handle(black_box(request)));
            }
            let response = self.router.handle(request);
            let nanoseconds = start.elapsed().as_secs_f64() * 1e9 / f64::from(times);
            seen.set((response.status_code(), nanoseconds));
            response
        });
        seen.get()
    }
}

fn main() -> ExitCode {
    let routers = [0, 10, 100, 1_000].map(|routes| (routes, router(routes)));
    let subjects: Vec<Subject<'_>> = routers.iter().flat_map(subjects).collect();
    for subject in &subjects {
        let (found, _) = subject.handle(1);
        assert_eq!(found, subject.wanted, "{} gives another result", subject.line);
    }
    if measures() {
        return measure(&subjects);
    }
    println!("{} subjects give the results they should", subjects.len());
    ExitCode::SUCCESS
}

/// Five routes for each resource.
fn router(routes: usize) -> Router<'static> {
    fn done(_: &mut Request<'_>) -> Response {
        Response::new(Status::NO_CONTENT)
    }
    let mut router = Router::new().fallback(|_| Response::new(Status::NOT_FOUND));
    for i in 0..routes / 5 {
        router = router
            .route(&format!("GET /api/{}", resource(i)), done)
            .route(&format!("GET /api/{}/{{id}}", resource(i)), done)
            .route(&format!("PUT /api/{}/{{id}}", resource(i)), done)
            .route(&format!("GET /api/{}/{{id}}/notes/{{note}}", resource(i)), done)
            .route(&format!("GET /static/{}/{{*file}}", resource(i)), done);
    }
    router
}

/// Names that share their beginnings, as names do.
fn resource(i: usize) -> String {
    let kinds = ["account", "accounts", "book", "bookmark", "page", "person", "place", "report"];
    match i / kinds.len() {
        0 => kinds[i].to_owned(),
        more => format!("{}-{more}", kinds[i % kinds.len()]),
    }
}

fn subjects<'r>((routes, router): &'r (usize, Router<'static>)) -> Vec<Subject<'r>> {
    // The one that was registered last.
    let name = resource((routes / 5).saturating_sub(1));
    let requests = if *routes == 0 {
        vec![("empty", "GET /api/none".to_owned(), Status::NOT_FOUND)]
    } else {
        vec![
            ("literal", format!("GET /api/{name}"), Status::NO_CONTENT),
            ("two parameters", format!("GET /api/{name}/17/notes/4"), Status::NO_CONTENT),
            ("an escape", format!("GET /api/{name}/caf%C3%A9"), Status::NO_CONTENT),
            ("a rest", format!("GET /static/{name}/css/site.css"), Status::NO_CONTENT),
            ("nowhere", format!("GET /api/{name}/17/none"), Status::NOT_FOUND),
            ("method", format!("PATCH /api/{name}/17"), Status::METHOD_NOT_ALLOWED),
        ]
    };
    let subject = |(name, line, wanted)| Subject { name, routes: *routes, router, line, wanted };
    requests.into_iter().map(subject).collect()
}

fn measure(subjects: &[Subject<'_>]) -> ExitCode {
    let mut report = Report::default();
    let repeats: Vec<u32> = subjects.iter().map(repeats).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); subjects.len()];
    for round in 0..ROUNDS {
        for turn in 0..subjects.len() {
            let i = (turn + round) % subjects.len();
            times[i].push(subjects[i].handle(repeats[i]).1);
        }
    }
    println!("| request | routes | ns/request, median | best | worst |");
    println!("|---|---:|---:|---:|---:|");
    for (subject, mut times) in subjects.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let (best, median, worst) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
        let (name, routes) = (subject.name, subject.routes);
        println!("| {name} | {routes} | {median:.0} | {best:.0} | {worst:.0} |");
        report.add(format!("{name}, {routes} routes"), median);
    }
    report.finish()
}

/// How often a subject is run in a round: doubled until it takes long enough to be timed.
fn repeats(subject: &Subject<'_>) -> u32 {
    let mut repeats = 1;
    while subject.handle(repeats).1 * f64::from(repeats) < ROUND_NANOSECONDS / 2.0 {
        repeats *= 2;
    }
    repeats
}
