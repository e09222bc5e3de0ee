//! S1, the front page.
//!
//! "At my desk the page always loads. On the train, some visits get `404 Not Found` for the very
//! address that worked a minute ago."
//!
//! See it: start `cargo run --example exercise -- s1`, then in a second terminal
//! `cargo run --example wire -- --split 20 127.0.0.1:8000`, and type `GET / HTTP/1.1`, Enter,
//! `Host: x`, Enter, Enter. Without `--split 20` the same lines are answered well.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Serves for ever, each connection on a thread of its own.
pub fn serve(listener: TcpListener) {
    for stream in listener.incoming().flatten() {
        thread::spawn(|| answer(stream));
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer)?;
    let head = String::from_utf8_lossy(&buffer[..count]);

    let (status, page) = if head.starts_with("GET / HTTP/1.1\r\n") {
        ("200 OK", "<h1>Welcome</h1>\n")
    } else {
        ("404 Not Found", "<h1>There is nothing here</h1>\n")
    };
    let length = page.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n")?;
    write!(stream, "Content-Length: {length}\r\nConnection: close\r\n\r\n{page}")
}
