//! S4, the drop box: files of a million bytes at most.
//!
//! "Whoever sends a file that is too large should read that it is too large. What they see is: the
//! connection was reset."
//!
//! See it: start `cargo run --example exercise -- s4`, then in a second terminal
//! `cargo run --example check -- 127.0.0.1:8000 S4`

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

const LARGEST: u64 = 1_000_000;

/// Serves for ever, each connection on a thread of its own.
pub fn serve(listener: TcpListener) {
    for stream in listener.incoming().flatten() {
        thread::spawn(|| answer(stream));
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: u64 = length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);

    if length > LARGEST {
        return respond(&mut stream, "413 Content Too Large", b"at most a million bytes\n");
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    respond(&mut stream, "200 OK", &body)
}

fn respond(stream: &mut TcpStream, status: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)
}
