//! S1, solved: a head is read until it is whole.
//!
//! TCP carries a stream of bytes. One `read` gives what has arrived, which may end anywhere, also
//! between CR and LF; only the empty line says that the head has ended (RFC 9112 section 2.2).

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
    // Whoever reads until something comes must say how long it may get.
    let mut reader = BufReader::new(&stream).take(16 << 10);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }

    let (status, page) = if head.starts_with("GET / HTTP/1.1\r\n") {
        ("200 OK", "<h1>Welcome</h1>\n")
    } else {
        ("404 Not Found", "<h1>There is nothing here</h1>\n")
    };
    let length = page.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n")?;
    write!(stream, "Content-Length: {length}\r\nConnection: close\r\n\r\n{page}")
}
