//! What more work costs: fields of a head, bytes of a body, connections that wait beside the busy one.
//!
//! Each line of the table is some work and what a unit of it costs. A cost that grows as the work does
//! stays the same from line to line; where a unit becomes dearer, something grows faster than the work.
//! What grows with routes is in `router.rs`.
//!
//! `cargo bench --bench growth` measures. Without `--bench` there is one quick pass over the smaller
//! amounts, whose results are checked and not timed.

use std::cell::Cell;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use benches::{Report, measures};
use longhand::transport::{Interrupt, Transport};
use longhand::wire::{Parsed, RequestHead};
use longhand::{Limits, Request, Response, Server, serve_connection};

/// Rounds of which the median is taken. Odd, so that there is one.
const ROUNDS: usize = 9;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn main() -> ExitCode {
    let mut report = Report::default();
    if !measures() {
        heads(&[1, 100], 1, &mut report);
        bodies(&[1, 100_000], &mut report);
        connections(&[1, 10], 10, &mut report);
        println!("heads, bodies and connections give the results they should");
        return ExitCode::SUCCESS;
    }
    println!("| work | amount | ns altogether, median | ns a unit |\n|---|---:|---:|---:|");
    heads(&[1, 3, 10, 30, 100], 2_000, &mut report);
    bodies(&[1, 1_000, 100_000, 10_000_000, 100_000_000], &mut report);
    // The last is what fits a limit of 20,000 descriptors.
    connections(&[1, 10, 100, 1_000, 9_900], 2_000, &mut report);
    report.finish()
}

/// Prints and keeps the median of the rounds; each gives the nanoseconds of the whole amount.
fn row(work: &str, amount: u64, unit: u64, report: &mut Report, mut round: impl FnMut() -> f64) {
    let rounds = if measures() { ROUNDS } else { 1 };
    let mut times: Vec<f64> = (0..rounds).map(|_| round()).collect();
    times.sort_by(f64::total_cmp);
    let median = times[rounds / 2];
    if measures() {
        println!("| {work} | {amount} | {median:.1} | {:.3} |", median / unit as f64);
    }
    report.add(format!("{work}, {amount}"), median);
}

/// Heads of so many field lines.
fn heads(amounts: &[u64], repeats: u32, report: &mut Report) {
    for &amount in amounts {
        let mut head = b"GET /a/path HTTP/1.1\r\nHost: api.example.com\r\n".to_vec();
        (1..amount).for_each(|i| head.extend(format!("X-Field-{i:02}: value {i:02}\r\n").bytes()));
        head.extend_from_slice(b"\r\n");
        let (limits, mut lines) = (Limits::default(), Vec::new());
        row("fields of a head", amount, amount, report, || {
            let start = Instant::now();
            for _ in 0..repeats {
                let parsed = RequestHead::parse(black_box(&head), &limits, &mut lines);
                let Ok(Parsed::Complete { value, .. }) = parsed else { panic!("a whole head") };
                assert_eq!(value.fields.len() as u64, amount);
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(repeats)
        });
    }
}

/// Bodies of so many bytes, read by a handler through a connection: of known length, and in chunks.
fn bodies(amounts: &[u64], report: &mut Report) {
    for chunked in [false, true] {
        let work = if chunked { "bytes of a body in chunks" } else { "bytes of a body" };
        for &amount in amounts {
            row(work, amount, amount, report, || upload(amount, chunked));
        }
    }
}

/// Nanoseconds from the first byte of the body to its last.
fn upload(amount: u64, chunked: bool) -> f64 {
    let mut peer = Uploader::new(amount, chunked);
    let limits = Limits { body: u64::MAX, ..Limits::default() };
    let taken = Cell::new(0.0);
    serve_connection(&mut peer, &limits, |request: &mut Request<'_>| -> io::Result<Response> {
        let (mut buffer, mut sum) = (vec![0; 64 << 10], 0);
        let start = Instant::now();
        loop {
            match request.body().read(&mut buffer)? {
                0 => break,
                count => sum += count as u64,
            }
        }
        taken.set(start.elapsed().as_secs_f64() * 1e9);
        assert_eq!(sum, amount, "bytes of the body");
        Ok(Response::text("ok"))
    });
    assert!(peer.answer.starts_with(b"HTTP/1.1 200 "), "{}", peer.answer.escape_ascii());
    taken.get()
}

/// A peer that sends a body as fast as it is read, and needs no memory for it.
struct Uploader {
    /// What goes out before the next piece of the body is made: the head, the frame of a chunk.
    pending: Vec<u8>,
    /// Of the piece that is under way, and of the body behind it.
    piece: u64,
    left: u64,
    chunked: bool,
    answer: Vec<u8>,
}

impl Uploader {
    fn new(amount: u64, chunked: bool) -> Self {
        let mut pending = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_vec();
        if chunked {
            pending.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            Self { pending, piece: 0, left: amount, chunked, answer: Vec::new() }
        } else {
            pending.extend(format!("Content-Length: {amount}\r\n\r\n").bytes());
            Self { pending, piece: amount, left: 0, chunked, answer: Vec::new() }
        }
    }

    /// Frames the next chunk, or ends the body.
    fn next_chunk(&mut self) {
        const CHUNK: u64 = 8 << 10;
        self.piece = self.left.min(CHUNK);
        self.left -= self.piece;
        let end = if self.piece == 0 { "\r\n" } else { "" };
        self.pending = format!("{:x}\r\n{end}", self.piece).into_bytes();
        self.chunked = self.piece > 0;
    }
}

impl Read for Uploader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() && self.piece == 0 && self.chunked {
            self.next_chunk();
        }
        if !self.pending.is_empty() {
            let count = self.pending.len().min(into.len());
            into[..count].copy_from_slice(&self.pending[..count]);
            self.pending.drain(..count);
            return Ok(count);
        }
        let count = into.len().min(usize::try_from(self.piece).unwrap_or(usize::MAX));
        into[..count].fill(b'x');
        self.piece -= count as u64;
        if count > 0 && self.piece == 0 && self.chunked {
            self.pending.extend_from_slice(b"\r\n");
        }
        Ok(count)
    }
}

impl Write for Uploader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Uploader {
    fn set_read_deadline(&mut self, _: Instant, _: Option<Duration>) {}

    fn set_write_stall(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn close_write(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }

    fn local(&self) -> Option<SocketAddr> {
        None
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }
}

/// A request on each of so many kept-alive connections in turn. Amounts for which there are too few
/// descriptors, two a connection here, are named and left out.
fn connections(amounts: &[u64], requests: usize, report: &mut Report) {
    let server = Server::bind("127.0.0.1:0")
        .expect("a free port")
        .limits(Limits { connections: 12_000, ..Limits::default() })
        .stack_size(256 << 10);
    let (address, handle) = (server.local_addr().expect("an address"), server.handle());
    thread::scope(|scope| {
        scope.spawn(|| server.run(|_: &mut Request<'_>| Response::text("ok")));
        for &amount in amounts {
            match (0..amount).map(|_| connect(address)).collect::<io::Result<Vec<_>>>() {
                Ok(mut streams) => {
                    let requests = requests.max(streams.len());
                    row("connections, a request on one", amount, 1, report, || {
                        let start = Instant::now();
                        for place in 0..requests {
                            let place = place % streams.len();
                            ask(&mut streams[place]).expect("an answer");
                        }
                        start.elapsed().as_secs_f64() * 1e9 / requests as f64
                    });
                }
                Err(error) => println!("| connections, a request on one | {amount} | {error} | |"),
            }
        }
        handle.stop();
    });
}

/// A connection that has been served once, and so has a thread.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    ask(&mut stream)?;
    Ok(stream)
}

fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(REQUEST)?;
    let (mut answer, mut filled) = ([0; 512], 0);
    while !answer[..filled].ends_with(b"\r\n\r\nok") {
        match stream.read(&mut answer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", answer[..filled].escape_ascii());
    Ok(())
}
