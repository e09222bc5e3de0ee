//! What a server costs over what its sockets cost: longhand beside a loop that only reads and writes.
//!
//! Both servers run in this process on free ports, a blocking thread a connection. The same client
//! drives them in turn, round by round; the median of the ratios inside a round is what counts, since
//! a busy machine is unkind to both alike.
//!
//! `cargo bench --bench server` measures. Without `--bench` there is one quick pass, whose answers
//! are checked and not timed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use benches::{Report, measures};
use longhand::{Request, Response, Server};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n";

/// What the loop sends for each request, as long as longhand's answer.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!";

/// Rounds of which the median is taken. Odd, so that there is one.
const ROUNDS: usize = 15;

/// A way to drive a server: connections, one after the other; requests on each; how many of them in
/// one write.
struct Scenario {
    name: &'static str,
    connections: usize,
    batches: usize,
    batch: usize,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "kept alive", connections: 1, batches: 4_000, batch: 1 },
    Scenario { name: "pipelined 16 deep", connections: 1, batches: 1_500, batch: 16 },
    Scenario { name: "a connection a request", connections: 800, batches: 1, batch: 1 },
];

fn main() -> ExitCode {
    let mut report = Report::default();
    let raw = raw_loop();
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let longhand = server.local_addr().expect("an address");
    let handle = server.handle();
    thread::scope(|scope| {
        scope.spawn(|| server.run(|_: &mut Request<'_>| Response::text("Hello, World!")));
        if measures() {
            println!(
                "{:<24} {:>12} {:>12} {:>8} {:>15}",
                "", "raw loop", "longhand", "ratio", "lowest..highest"
            );
            for scenario in &SCENARIOS {
                measure(scenario, raw, longhand, &mut report);
            }
        } else {
            for scenario in &SCENARIOS {
                let quick = Scenario { connections: 2, batches: 2, ..*scenario };
                drive(&quick, raw);
                drive(&quick, longhand);
            }
            println!("{} scenarios are answered as they should be", SCENARIOS.len());
        }
        handle.stop();
    });
    report.finish()
}

/// Prints requests a second of both, and the ratio of the times they took.
fn measure(scenario: &Scenario, raw: SocketAddr, longhand: SocketAddr, report: &mut Report) {
    drive(scenario, raw);
    drive(scenario, longhand);
    let mut rounds: Vec<(f64, Duration, Duration)> = (0..ROUNDS)
        .map(|_| {
            let (raw, longhand) = (drive(scenario, raw), drive(scenario, longhand));
            (raw.as_secs_f64() / longhand.as_secs_f64(), raw, longhand)
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let requests = (scenario.connections * scenario.batches * scenario.batch) as f64;
    let (ratio, raw, longhand) = rounds[ROUNDS / 2];
    report.add(scenario.name, longhand.as_secs_f64() * 1e9 / requests);
    println!(
        "{:<24} {:>10.0}/s {:>10.0}/s {ratio:>8.2} {:>7.2}..{:.2}",
        scenario.name,
        requests / raw.as_secs_f64(),
        requests / longhand.as_secs_f64(),
        rounds[0].0,
        rounds[ROUNDS - 1].0,
    );
}

/// Sends a scenario's requests and reads all answers; gives how long it took.
fn drive(scenario: &Scenario, address: SocketAddr) -> Duration {
    let batch = REQUEST.repeat(scenario.batch);
    let mut answers = vec![0; ANSWER.len() * scenario.batch];
    let started = Instant::now();
    for _ in 0..scenario.connections {
        let mut stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("a socket option");
        for _ in 0..scenario.batches {
            stream.write_all(&batch).expect("the server reads");
            stream.read_exact(&mut answers).expect("answers as long as they should be");
            assert!(
                answers.starts_with(b"HTTP/1.1 200 OK\r\n")
                    && answers.ends_with(b"\r\n\r\nHello, World!")
            );
        }
    }
    started.elapsed()
}

/// A server that answers each empty line it reads: no parsing, no limits, no deadlines. It serves
/// until the process ends.
fn raw_loop() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            thread::spawn(move || answer_all(stream));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut buffer = [0; 4096];
    let mut out = Vec::new();
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        let requests = buffer[..count].windows(4).filter(|window| window == b"\r\n\r\n").count();
        out.clear();
        (0..requests).for_each(|_| out.extend_from_slice(ANSWER));
        if stream.write_all(&out).is_err() {
            return;
        }
    }
}
