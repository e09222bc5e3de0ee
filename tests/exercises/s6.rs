//! S6, the report office: four clerks, one queue.
//!
//! "There are four workers, but two reports take twice as long as one. And after a morning of port
//! scans, or of browsers that connect and go away, nobody gets an answer any more."
//!
//! See it: start `cargo run --example exercise -- s6`, then in a second terminal
//! `curl -Z -w '%{time_total}\n' http://127.0.0.1:8000/slow http://127.0.0.1:8000/slow`

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
            while let Ok(stream) = queue.lock().expect("the queue").recv() {
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
    let (status, page) = match &*head[0] {
        "GET / HTTP/1.1" => ("200 OK", "Reports are at /slow\n"),
        "GET /slow HTTP/1.1" => {
            thread::sleep(Duration::from_secs(1));
            ("200 OK", "All is well\n")
        }
        _ => ("404 Not Found", "No such report\n"),
    };
    let length = page.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(page.as_bytes())
}
