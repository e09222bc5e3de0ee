//! Requests over TCP and Unix sockets: at once, one after the other, from a real client.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use harness::client::{Client, NEVER};
use harness::running::{Running, Told, run, run_on};
use longhand::{Limits, Request, Response, Server, Upgraded, Why};

use crate::bind;

/// More than the sockets of both sides hold.
const LARGE: usize = 32 << 20;

fn answer(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(match request.path() {
        "/echo" => Response::bytes("text/plain", request.body().read_all()?),
        "/panic" => panic!("asked to"),
        "/large" => Response::bytes("text/plain", vec![b'a'; LARGE]),
        path => Response::text(path.to_owned()),
    })
}

fn answered(target: &str, status: u16, body: u64) -> Told {
    Told::Answered { target: target.to_owned(), status, body, whole: true }
}

fn closed(requests: u64, why: Why) -> Told {
    Told::Closed { requests, why }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let first = bind();
    let address = first.local_addr().expect("an address");
    let error = Server::bind(address).expect_err("it is taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("{address}: ")), "{error}");
}

#[test]
fn connections_are_served_at_the_same_time() {
    const MANY: usize = 40;
    let together = Arc::new(Barrier::new(MANY));
    let meet = Arc::clone(&together);
    let server = run(bind(), move |_: &mut Request<'_>| {
        meet.wait();
        Response::text("met")
    });
    let mut clients: Vec<_> = (0..MANY).map(|_| Client::to(server.address())).collect();
    for client in &mut clients {
        client.get("/");
    }
    for client in &mut clients {
        assert_eq!(client.answer().text(), "met");
    }
    drop(clients);
    let summary = server.end();
    assert_eq!((summary.connections, summary.requests, summary.cut), (40, 40, 0));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = run(bind(), answer);
    let mut client = Client::to(server.address());
    let batch: String = (0..100).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    client.send(batch);
    for n in 0..100 {
        assert_eq!(client.answer().text(), format!("/{n}"));
    }
    drop(client);
    assert_eq!(server.end().requests, 100);
}

#[test]
fn events_of_a_connection_come_in_order() {
    let server = run(bind(), answer);
    let mut client = Client::to(server.address());
    client.get("/a").answer();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").answer();
    client.send("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").answer();
    client.expect_end();
    let mut other = Client::to(server.address());
    other.send("GET / HTTP/1.1\r\n\r\n").answer();
    other.expect_end();
    drop(other);
    let summary = server_events(
        server,
        &[
            Told::Accepted,
            answered("/a", 200, 2),
            answered("/echo", 200, 5),
            answered("/b", 200, 2),
            closed(3, Why::PeerAsked),
            Told::Accepted,
            Told::Refused("host-missing"),
            closed(0, Why::ServerAsked),
            Told::Draining,
        ],
    );
    assert_eq!((summary.connections, summary.requests), (2, 3));
}

/// Ends a server, and compares all that it told.
fn server_events(server: Running, wanted: &[Told]) -> longhand::Summary {
    // The last connection's end is told before the drain may begin.
    let told: Vec<_> = (1..wanted.len()).map(|_| server.next()).collect();
    server.handle.drain(Duration::ZERO, NEVER);
    let told: Vec<_> = told.into_iter().chain([server.next()]).collect();
    assert_eq!(told, wanted);
    server.ended()
}

#[test]
fn a_handler_that_panics_leaves_the_server_up() {
    let server = run(bind(), answer);
    for _ in 0..20 {
        let mut client = Client::to(server.address());
        assert_eq!(client.get("/panic").answer().status, 500);
        client.expect_end();
        drop(client);
        server.expect(&Told::Panicked("asked to".to_owned()));
        server.expect(&answered("/panic", 500, 26));
        server.expect(&closed(1, Why::ServerAsked));
    }
    assert_eq!(Client::to(server.address()).get("/up").answer().text(), "/up");
    assert_eq!(server.end().requests, 21);
}

#[test]
fn an_observer_that_panics_leaves_the_server_up() {
    let server = bind();
    let address = server.local_addr().expect("an address");
    let handle = server.handle();
    let server = server.observe(|event| panic!("{event:?}"));
    let thread = thread::spawn(move || server.run(answer));
    for path in ["/a", "/panic", "/b"] {
        let mut client = Client::to(address);
        assert_eq!(client.get(path).answer().status, if path == "/panic" { 500 } else { 200 });
    }
    handle.drain(Duration::ZERO, NEVER);
    let summary = thread.join().expect("no panic leaves the server").expect("it ran");
    assert_eq!((summary.requests, summary.cut), (3, 0));
}

#[test]
fn peers_that_reset_disturb_no_others() {
    let server = run(bind(), answer);
    let mut steady = Client::to(server.address());
    for round in 0..20 {
        let mut rude = Client::to(server.address());
        rude.get("/large");
        // What has arrived and was not read makes the close a reset.
        rude.stream.read_exact(&mut [0]).expect("an answer begins");
        drop(rude);
        assert_eq!(steady.get(&format!("/{round}")).answer().text(), format!("/{round}"));
    }
    drop(steady);
    assert_eq!(server.end().cut, 0);
}

#[test]
fn a_silent_connection_is_closed_by_the_sockets_own_clock() {
    let limits = Limits { first_byte: Duration::from_millis(20), ..Limits::default() };
    let server = run(bind().limits(limits), answer);
    Client::to(server.address()).expect_end();
    server.expect(&closed(0, Why::Idle));
    assert_eq!(server.end().requests, 0);
}

#[test]
fn a_head_that_stops_is_answered_by_the_sockets_own_clock() {
    let limits = Limits { head_time: Duration::from_millis(20), ..Limits::default() };
    let server = run(bind().limits(limits), answer);
    let mut client = Client::to(server.address());
    assert_eq!(client.send("GET / HT").answer().status, 408);
    client.expect_end();
}

#[test]
fn a_peer_that_does_not_read_is_cut_by_the_sockets_own_clock() {
    let limits = Limits { write_stall: Duration::from_millis(50), ..Limits::default() };
    let server = bind().limits(limits);
    // Sockets inherit the time from their listener, but not one that came before it had that time.
    let mut early = Client::to(server.local_addr().expect("an address"));
    let server = run(server, answer);
    early.get("/large");
    expect_cut(&server);
    // Behind all that could have come early.
    for _ in 0..300 {
        drop(Client::to(server.address()));
        server.expect(&closed(0, Why::PeerClosed));
    }
    let mut late = Client::to(server.address());
    late.get("/large");
    expect_cut(&server);
}

fn expect_cut(server: &Running) {
    server.expect(&Told::Accepted);
    let Told::Answered { whole: false, status: 200, body, .. } = server.next() else {
        panic!("answered whole to a client that does not read")
    };
    assert!(0 < body && body < LARGE as u64, "what the system took: {body}");
    server.expect(&closed(1, Why::Failed));
}

#[test]
fn both_ends_of_a_connection_are_known_to_the_handler() {
    let server = run(bind(), |request: &mut Request<'_>| {
        let (peer, local) = (request.peer().expect("a peer"), request.local().expect("an end"));
        Response::text(format!("{peer} {local} {}", request.is_secure()))
    });
    let mut client = Client::to(server.address());
    let own = client.stream.local_addr().expect("an address");
    assert_eq!(client.get("/").answer().text(), format!("{own} {} false", server.address()));
}

// --- upgrades ---

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

#[test]
fn an_upgraded_connection_is_split_for_two_threads() {
    fn talk(mut stream: Upgraded<'_>) -> io::Result<()> {
        let (mut reader, mut writer) = stream.split().expect("TCP can be divided");
        let (heard, hear) = channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut line = [0; 5];
                while reader.read_exact(&mut line).is_ok() {
                    heard.send(line).expect("the writer lives");
                }
            });
            writer.write_all(b"first").expect("the peer reads");
            for line in hear {
                writer.write_all(&line).expect("the peer reads");
            }
        });
        Ok(())
    }
    let server = run(bind(), |_: &mut Request<'_>| Response::upgrade("echo", talk));
    let mut client = Client::to(server.address());
    client.send([UPGRADE, "early"].concat());
    client.expect_bytes(b"\r\n\r\nfirst");
    client.expect_bytes(b"early");
    client.send("later").expect_bytes(b"later");
    client.end();
    client.expect_end();
    server.expect(&closed(1, Why::Upgraded));
}

#[test]
fn a_half_of_an_upgraded_connection_says_that_it_timed_out() {
    let (told, tell) = channel();
    let limits = Limits { write_stall: Duration::from_millis(20), ..Limits::default() };
    let server = run(bind().limits(limits), move |_: &mut Request<'_>| {
        let told = told.clone();
        Response::upgrade("echo", move |mut stream| {
            let (_, mut writer) = stream.split().expect("TCP can be divided");
            let error = loop {
                if let Err(error) = writer.write(&[0; 64 << 10]) {
                    break error;
                }
            };
            told.send(error.kind()).expect("the test listens");
            Err(error)
        })
    });
    let mut client = Client::to(server.address());
    client.send(UPGRADE);
    assert_eq!(tell.recv_timeout(NEVER), Ok(ErrorKind::TimedOut), "not WouldBlock");
}

// --- Unix sockets ---

#[cfg(unix)]
mod unix {
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A place for a socket, gone when dropped.
    pub(crate) struct Place(pub(crate) PathBuf);

    impl Place {
        pub(crate) fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("longhand-{}-{count}.sock", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        pub(crate) fn listen(&self) -> UnixListener {
            UnixListener::bind(&self.0).expect("a place for a socket")
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_unix_socket_is_served_as_tcp_is() {
        let place = Place::new();
        let server = run_on(Server::from(place.listen()), |request: &mut Request<'_>| {
            assert_eq!((request.peer(), request.local()), (None, None));
            answer(request)
        });
        let mut client = Client::at(&place.0);
        assert_eq!(client.get("/a").answer().text(), "/a");
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!(client.answer().text(), "hello");
        let mut other = Client::at(&place.0);
        assert_eq!(other.get("/b").get("/c").answer().text(), "/b");
        assert_eq!(other.answer().text(), "/c");
        drop((client, other));
        let summary = server.end();
        assert_eq!((summary.connections, summary.requests, summary.cut), (2, 4, 0));
    }
}
#[cfg(unix)]
pub(crate) use unix::Place;

// --- a real client ---

#[test]
fn a_real_client_gets_and_posts_over_one_connection() {
    let server = run(bind(), answer);
    let base = format!("http://{}", server.address());
    let agent = ureq::Agent::new_with_defaults();
    for round in 0..10 {
        let mut got = agent.get(format!("{base}/{round}")).call().expect("an answer");
        assert_eq!(got.body_mut().read_to_string().expect("text"), format!("/{round}"));
        let sent = "a".repeat(round * 10_000);
        let mut got = agent.post(format!("{base}/echo")).send(&sent).expect("an answer");
        assert_eq!(got.body_mut().read_to_string().expect("text"), sent);
    }
    drop(agent);
    let summary = server.end();
    assert_eq!((summary.connections, summary.requests), (1, 20));
}

#[test]
fn a_real_client_uploads_in_chunks_and_is_told_of_errors() {
    let server = run(bind(), answer);
    let base = format!("http://{}", server.address());
    let mut body = io::repeat(b'a').take(1_000_000);
    let reader = ureq::SendBody::from_reader(&mut body);
    let mut got = ureq::post(format!("{base}/echo")).send(reader).expect("an answer");
    assert_eq!(got.body_mut().read_to_vec().expect("bytes").len(), 1_000_000);
    let refused = ureq::get(format!("{base}/panic")).call();
    assert!(matches!(refused, Err(ureq::Error::StatusCode(500))), "{refused:?}");
}

#[test]
fn a_real_client_that_expects_is_told_to_continue() {
    let server = run(bind(), answer);
    let request = ureq::post(format!("http://{}/echo", server.address()));
    let mut got = request.header("Expect", "100-continue").send("hello").expect("an answer");
    assert_eq!(got.body_mut().read_to_string().expect("text"), "hello");
}
