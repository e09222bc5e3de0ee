//! S6, solved: the lock is held while a job is taken, not while it is done.
//!
//! What `while let` matches on lives to the end of its body, and so did the guard. And a client that
//! connects and says nothing is no reason to panic: it may end at any byte (RFC 9112 section 9.5).

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Serves for ever, on four threads.
pub fn serve(listener: TcpListener) {
    let (jobs, queue) = mpsc::channel();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..4 {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            loop {
                let job = queue.lock().expect("nobody panics while holding it").recv();
                let Ok(stream) = job else { return };
                let _ = answer(stream);
            }
        });
    }
    for stream in listener.incoming().flatten() {
        jobs.send(stream).expect("somebody works");
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let (status, page) = match head.first().map(String::as_str) {
        None => return Ok(()),
        Some("GET / HTTP/1.1") => ("200 OK", "Reports are at /slow\n"),
        Some("GET /slow HTTP/1.1") => {
            thread::sleep(Duration::from_secs(1));
            ("200 OK", "All is well\n")
        }
        _ => ("404 Not Found", "No such report\n"),
    };
    let length = page.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(page.as_bytes())
}
