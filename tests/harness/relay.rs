//! A relay that listens in: what passes it reaches the server byte for byte, and is remembered.
//!
//! The address of a server enters; out come an address of its own and, at any time, the requests
//! that were sent to it and their answers: what a browser really asks, of a server that runs as a
//! program of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use longhand::Limits;
use longhand::wire::{Part, Verdict, explain};

use crate::answer::{Answer, Extent, first};

/// The head of a request that came by, and its answer.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its target, as it was sent.
    pub target: String,
    /// Its field lines, the names in lower case.
    pub fields: Vec<(String, String)>,
    /// The answer, as much of it as came by; none before its head.
    pub answer: Option<Answer>,
}

impl Asked {
    /// The value of the first field line of this name, which is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What was said on a connection.
#[derive(Debug, Default)]
struct Said {
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// Where each run of bytes to the server begins, and its number among those of all connections.
    runs: Vec<(usize, usize)>,
}

/// What was said on all connections.
#[derive(Debug, Default)]
struct Heard {
    connections: Vec<Said>,
    /// How many runs of bytes came to the server.
    runs: usize,
}

impl Heard {
    fn said_to_server(&mut self, connection: usize, bytes: &[u8]) {
        let said = &mut self.connections[connection];
        said.runs.push((said.to_server.len(), self.runs));
        said.to_server.extend_from_slice(bytes);
        self.runs += 1;
    }

    fn said_to_client(&mut self, connection: usize, bytes: &[u8]) {
        self.connections[connection].to_client.extend_from_slice(bytes);
    }
}

/// A relay in front of one server. Dropped, it accepts nobody any more; a connection that it
/// relays ends with either of its ends.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Relays to a server.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let heard = Arc::<Mutex<Heard>>::default();
        let ending = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (heard, ending) = (heard.clone(), ending.clone());
            move || {
                while let Ok((client, _)) = listener.accept() {
                    if ending.load(Ordering::SeqCst) {
                        return;
                    }
                    // A server that is gone: the client sees its connection end.
                    if let Ok(server) = TcpStream::connect(server) {
                        relay(client, server, &heard);
                    }
                }
            }
        });
        Self { address, heard, ending, thread: Some(thread) }
    }

    /// The requests that have come by whole, in the order in which they began.
    ///
    /// # Panics
    /// If something came by that is no request or no answer.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut exchanges: Vec<_> = heard.connections.iter().flat_map(exchanges).collect();
        exchanges.sort_by_key(|(run, _)| *run);
        exchanges.into_iter().map(|(_, asked)| asked).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // The listener waits for somebody.
        if TcpStream::connect(self.address).is_ok() {
            let _ = self.thread.take().map(JoinHandle::join);
        }
    }
}

/// Carries bytes both ways, each on a thread of its own, until either side has no more.
fn relay(client: TcpStream, server: TcpStream, heard: &Arc<Mutex<Heard>>) {
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let number = {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.connections.push(Said::default());
        heard.connections.len() - 1
    };
    let keep = |side: fn(&mut Heard, usize, &[u8])| {
        let heard = heard.clone();
        move |bytes: &[u8]| {
            side(&mut heard.lock().unwrap_or_else(PoisonError::into_inner), number, bytes);
        }
    };
    let (asked, answered) = (keep(Heard::said_to_server), keep(Heard::said_to_client));
    thread::spawn(move || carry(from_client, server, asked));
    thread::spawn(move || carry(from_server, client, answered));
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8])) {
    let mut piece = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        // Before it is passed on: a test that has seen the answer finds the request.
        look(&piece[..count]);
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The whole requests of a connection, each with its answer, and with the run that it began in.
fn exchanges(said: &Said) -> Vec<(usize, Asked)> {
    let mut exchanges = requests(said);
    let mut rest = &said.to_client[..];
    for (_, asked) in &mut exchanges {
        let (answer, length) = first(rest, &asked.method);
        let ended = answer.extent == Extent::Whole;
        if answer.status > 0 {
            asked.answer = Some(answer);
        }
        if !ended {
            break;
        }
        rest = &rest[length..];
    }
    exchanges
}

/// The whole requests of a connection.
fn requests(said: &Said) -> Vec<(usize, Asked)> {
    let mut bytes = &said.to_server[..];
    // A proxy adds to heads, and they still pass.
    let limits = Limits { head: 64 << 10, fields: 200, ..Limits::default() };
    let mut found = Vec::new();
    loop {
        let explained = explain(bytes, &limits);
        match explained.verdict {
            Verdict::Accepted => {}
            Verdict::Refused(violation) => panic!("{violation}\n{}", bytes.escape_ascii()),
            _ => return found,
        }
        let begin = said.to_server.len() - bytes.len();
        let run = said.runs.iter().rev().find(|(start, _)| *start <= begin);
        let mut asked = Asked::default();
        let mut rest = &[][..];
        for (part, at) in explained.spans {
            let run = &bytes[at];
            let text = String::from_utf8_lossy(run).into_owned();
            match part {
                Part::Method => asked.method = text,
                Part::Target => asked.target = text,
                Part::Name => asked.fields.push((text.to_ascii_lowercase(), String::new())),
                Part::Value => {
                    if let Some((_, value)) = asked.fields.last_mut() {
                        *value = text;
                    }
                }
                Part::Next => rest = run,
                _ => {}
            }
        }
        found.push((run.map_or(0, |(_, number)| *number), asked));
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use longhand::{Response, Server};

    use super::*;
    use crate::client::Client;
    use crate::running::run;

    #[test]
    fn requests_reach_the_server_and_are_remembered() {
        let server = run(Server::bind("127.0.0.1:0").unwrap(), |request| {
            let body = request.body().read_all()?;
            std::io::Result::Ok(Response::bytes("text/plain", body))
        });
        let relay = Relay::to(server.address());
        let mut first = Client::to(relay.address);
        first.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(first.answer().text(), "hi");
        let mut second = Client::to(relay.address);
        assert_eq!(second.get("/b").answer().status, 200);
        assert_eq!(first.get("/c?d").answer().status, 200);
        let requests = relay.requests();
        let lines = requests.iter().map(|asked| format!("{} {}", asked.method, asked.target));
        assert_eq!(lines.collect::<Vec<_>>(), ["POST /a", "GET /b", "GET /c?d"]);
        assert_eq!(requests[0].field("content-length"), Some("2"));
        assert_eq!(requests[0].field("origin"), None);
        let answers = requests.iter().map(|asked| asked.answer.as_ref().unwrap().text());
        assert_eq!(answers.collect::<Vec<_>>(), ["hi", "", ""]);
        drop(relay);
        // What has begun goes on.
        assert_eq!(first.get("/").answer().status, 200);
    }
}
