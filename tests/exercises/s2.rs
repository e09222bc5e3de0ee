//! S2, the echo.
//!
//! "The first note I send comes back as it was. The second one, sent right after it, gets
//! `400 Bad Request`. If I start the client again in between, both are fine."
//!
//! See it: start `cargo run --example exercise -- s2`, then in a second terminal
//! `curl -d first http://127.0.0.1:8000/echo --next -d second http://127.0.0.1:8000/echo`

use std::io::{self, BufRead, BufReader, Write};
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

        let (status, body) = match head.lines().next() {
            Some("GET / HTTP/1.1") => ("200 OK", b"POST a note to /echo\n".to_vec()),
            Some("POST /echo HTTP/1.1") => ("200 OK", reader.fill_buf()?.to_vec()),
            _ => ("400 Bad Request", b"that is no request that I know\n".to_vec()),
        };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
}
