//! S2, solved: a request ends where its body ends, not at the empty line.
//!
//! `fill_buf` looks at bytes without taking them, and at as many as happen to be there. The length of
//! the body stands in the head (RFC 9112 section 6.3); so many are taken, and the next request begins
//! behind them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Serves for ever, each connection on a thread of its own.
pub fn serve(listener: TcpListener) {
    for stream in listener.incoming().flatten() {
        thread::spawn(|| answer(stream));
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        // Taken whatever the request is, also one that is answered with 400.
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = length.map_or(Ok(0), |(_, value)| value.trim().parse());
        let mut body = Vec::new();
        reader.by_ref().take(length.map_err(io::Error::other)?).read_to_end(&mut body)?;

        let (status, body) = match head.lines().next() {
            Some("GET / HTTP/1.1") => ("200 OK", b"POST a note to /echo\n".to_vec()),
            Some("POST /echo HTTP/1.1") => ("200 OK", body),
            _ => ("400 Bad Request", b"that is no request that I know\n".to_vec()),
        };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
}
