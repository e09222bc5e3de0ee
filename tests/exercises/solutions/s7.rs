//! S7, solved: a request with two lengths has none.
//!
//! The proxy believed one and this server the other (RFC 9112 section 6.1). Nothing behind such a
//! request can be trusted to be a request: answer once, then close.

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
        let head = head.to_ascii_lowercase();
        let field = |name| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let (coding, length) = (field("transfer-encoding:"), field("content-length:"));
        let mut body = Vec::new();
        if coding.is_some() && length.is_some() {
            let refusal =
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return stream.write_all(refusal.as_bytes());
        } else if coding == Some("chunked") {
            while read_chunk(&mut reader, &mut body)? > 0 {}
        } else if let Some(length) = length {
            let length = length.parse().map_err(io::Error::other)?;
            reader.by_ref().take(length).read_to_end(&mut body)?;
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
}

fn read_chunk(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<u64> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size = u64::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
    reader.take(size).read_to_end(body)?;
    reader.read_line(&mut line)?;
    Ok(size)
}
