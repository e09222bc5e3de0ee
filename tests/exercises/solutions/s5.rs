//! S5, solved: a thread for each connection, and no lock held while waiting for somebody else.
//!
//! Browsers open connections before they need them (RFC 9112 section 9.4 lets them), and a server that
//! asks itself is its own second client.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

/// Serves for ever.
pub fn serve(listener: TcpListener) {
    let saved = &Mutex::default();
    thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            scope.spawn(move || answer(&stream, saved));
        }
    });
}

fn answer(mut stream: &TcpStream, saved: &Mutex<HashMap<String, String>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut form = String::new();
    reader.take(length.unwrap_or(0)).read_to_string(&mut form)?;
    form.retain(|letter| letter.is_ascii_graphic());

    let name = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let bookmark = form.trim_start_matches("longuri=").split_once("&shortname=");
    let found = bookmark.is_some_and(|(uri, _)| answers(uri).unwrap_or(false));
    let mut saved = saved.lock().expect("nobody panics while holding it");
    let (status, location) = match bookmark {
        Some((uri, name)) if found => {
            saved.insert(name.to_owned(), uri.to_owned());
            ("303 See Other", "/")
        }
        None if name.is_empty() => ("200 OK", "/"),
        _ => saved.get(name).map_or(("404 Not Found", "/"), |uri| ("303 See Other", uri)),
    };
    // Whole before it is sent: a client that takes its time must not hold the lock.
    let (location, page) = (location.to_owned(), format!("{saved:#?}\n"));
    drop(saved);
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
