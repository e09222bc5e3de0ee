//! S4, solved: the writing side is closed first, the reading side when the client has finished.
//!
//! A system that closes a connection with bytes unread resets it, and a reset may destroy an answer
//! that is still on its way (RFC 9112 section 9.6).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

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
        respond(&mut stream, "413 Content Too Large", b"at most a million bytes\n")?;
        stream.shutdown(Shutdown::Write)?;
        // Until the client ends or falls silent; and not for ever, for it may go on for ever.
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        return io::copy(&mut reader.take(64 << 20), &mut io::sink()).map(|_| ());
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
