//! S3, the museum's pages.
//!
//! "The page is there at once, but the wheel in the browser's tab turns for ever, and `curl` prints
//! the page and does not come back."
//!
//! See it: start `cargo run --example exercise -- s3`, then in a second terminal
//! `curl -i http://127.0.0.1:8000/`

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

        let (status, page) = match head.split(' ').nth(1) {
            Some("/") => ("200 OK", "<h1>The museum</h1>\n<p><a href=/hours>Opening hours</a>\n"),
            Some("/hours") => ("200 OK", "<h1>Open from 10 to 18</h1>\n"),
            _ => ("404 Not Found", "<h1>No such room</h1>\n"),
        };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n\r\n{page}")?;
    }
}
