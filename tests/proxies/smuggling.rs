//! Requests that could be read in two ways, through a proxy into longhand: the two must agree on how many
//! there are. Had longhand read one more, its answer would go to whoever asks next.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use harness::client::NEVER;
use harness::golden;
use harness::running::{Running, run};
use longhand::{Request, Response, Server};

use crate::corpus;
use crate::front::{Front, Kind};

/// Requests at once.
const CLIENTS: usize = 64;

/// A server behind, which tells what it was asked, and what it has read to the end.
fn server() -> (Running, Arc<Mutex<Vec<String>>>) {
    let read = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&read);
    let server = run(Server::bind("127.0.0.1:0").unwrap(), move |request: &mut Request<'_>| {
        let path = request.path().to_owned();
        request.body().read_all()?;
        let answer = Response::text(format!("This answers {path}\r\n"));
        let named = longhand::FieldValue::new(path.clone()).ok();
        told.lock().unwrap().push(path);
        Ok::<_, std::io::Error>(match named {
            Some(path) => answer.field("answers", path),
            None => answer,
        })
    });
    (server, read)
}

/// Sends these bytes as plain HTTP, and gives what comes until the proxy closes: it waits for a second,
/// or is told that this is the end.
fn exchange(kind: Kind, address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(NEVER)).unwrap();
    // It may have refused and closed before the end.
    let _ = stream.write_all(bytes);
    if kind == Kind::Balancer {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answers = Vec::new();
    match stream.read_to_end(&mut answers) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it never closes"),
        _ => answers,
    }
}

/// What was answered: each answer says it in a field and in its body, of which one to HEAD has none, and one
/// to HTTP/0.9 nothing else.
fn answered(answers: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answers);
    let after = |word: &str| -> Vec<String> {
        let lines = text.split(word).skip(1).filter_map(|line| line.split("\r\n").next());
        lines.map(str::to_owned).collect()
    };
    let fields = after("answers: ");
    if fields.is_empty() { after("This answers ") } else { fields }
}

fn nothing_is_split(kind: Kind) {
    let (server, read) = server();
    let port = server.address().port();
    let front = Front::start_plain(kind, [port, port]);
    let address = SocketAddr::from(([127, 0, 0, 1], front.http));
    let cases: Vec<Vec<u8>> = corpus::requests();
    let golden = golden::cases().into_iter().filter(|case| case.settings.response_to.is_none());
    let cases: Vec<Vec<u8>> = cases.into_iter().chain(golden.map(|case| case.bytes)).collect();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(bytes) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answers = answered(&exchange(kind, address, bytes));
                    all.lock().unwrap().extend(answers);
                    // On the proxy's connections, whatever was left there is answered now.
                    let after = format!("/after-{}", next.load(Ordering::Relaxed));
                    let request =
                        format!("GET {after} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                    let answers = answered(&exchange(kind, address, request.as_bytes()));
                    assert_eq!(answers, [after], "{}", bytes.escape_ascii());
                }
            });
        }
    });
    let mut read: Vec<String> = read.lock().unwrap().clone();
    read.retain(|path| !path.starts_with("/after-"));
    read.sort();
    let mut answered = all.into_inner().unwrap();
    answered.sort();
    println!("{kind:?}: {} cases, {} requests came through", cases.len(), read.len());
    let mut more = read.clone();
    for path in &answered {
        if let Some(place) = more.iter().position(|other| other == path) {
            more.swap_remove(place);
        }
    }
    assert!(more.is_empty(), "{kind:?}: read, and answered to nobody: {more:?}");
    assert!(read.len() > 50, "{kind:?}: hardly anything came through: {read:?}");
}

#[test]
fn no_request_is_split_between_nginx_and_longhand() {
    nothing_is_split(Kind::Nginx);
}

#[test]
fn no_request_is_split_between_haproxy_and_longhand() {
    nothing_is_split(Kind::HAProxy);
}

#[test]
fn no_request_is_split_between_the_balancer_and_longhand() {
    nothing_is_split(Kind::Balancer);
}
