//! S5, the bookmark server: it saves a URI that answers under a short name.
//!
//! "It hangs when somebody saves the address of the bookmark server itself. And now and then it hangs
//! for all of us, while the one browser that has it open does nothing."
//!
//! See it: start `cargo run --example exercise -- s5`, then in a second terminal
//! `curl -i -d 'longuri=http://127.0.0.1:8000/&shortname=me' http://127.0.0.1:8000/`

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Serves for ever.
pub fn serve(listener: TcpListener) {
    let mut saved = HashMap::new();
    for stream in listener.incoming().flatten() {
        let _ = answer(&stream, &mut saved);
    }
}

fn answer(mut stream: &TcpStream, saved: &mut HashMap<String, String>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut form = String::new();
    reader.take(length.unwrap_or(0)).read_to_string(&mut form)?;
    form.retain(|letter| letter.is_ascii_graphic());
    let name = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let (status, location) = match form.trim_start_matches("longuri=").split_once("&shortname=") {
        Some((uri, name)) if answers(uri).is_ok_and(|answers| answers) => {
            saved.insert(name.to_owned(), uri.to_owned());
            ("303 See Other", "/")
        }
        None if name.is_empty() => ("200 OK", "/"),
        _ => saved.get(name).map_or(("404 Not Found", "/"), |uri| ("303 See Other", uri)),
    };
    let page = format!("{saved:#?}\n");
    write!(stream, "HTTP/1.1 {status}\r\nLocation: {location}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Length: {}\r\n\r\n{page}", page.len())
}

fn answers(uri: &str) -> io::Result<bool> {
    let host = uri.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let mut stream = TcpStream::connect(host)?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let start = BufReader::new(stream).lines().next();
    Ok(start.is_some_and(|line| line.is_ok_and(|line| line.contains(" 200 "))))
}
