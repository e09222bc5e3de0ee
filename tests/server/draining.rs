//! Ending a server: by drain, at its deadline, at once; idle, busy, and under load.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use harness::answer::{Answer, Extent};
use harness::client::{Client, NEVER};
use harness::latch::{Latch, OpensAtLast};
use harness::running::{Running, Told, run, run_on};
use harness::watched::Watched;
use longhand::transport::{Accepted, Acceptor, TcpAcceptor, TcpTransport};
use longhand::{Limits, Request, Response, Server, State, Why};

use crate::bind;

/// No drain that has nothing to wait for takes as long, on however slow a machine.
const SOON: Duration = Duration::from_secs(5);

/// A server that waits at a door for `/wait`, and otherwise reads what it gets.
fn serve() -> (Running, Latch, OpensAtLast) {
    let door = Latch::default();
    let inside = door.clone();
    let server = run(bind(), move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            inside.pass();
        }
        request.body().read_all().map(|body| Response::text(format!("{} bytes", body.len())))
    });
    (server, door.clone(), OpensAtLast(door))
}

fn drain(server: &Running) {
    server.handle.drain(Duration::ZERO, NEVER);
    server.expect(&Told::Draining);
}

#[test]
fn an_idle_server_ends_at_once() {
    let (server, ..) = serve();
    let begun = Instant::now();
    let summary = server.end();
    assert!(begun.elapsed() < SOON);
    assert_eq!((summary.connections, summary.requests, summary.cut), (0, 0, 0));
}

#[test]
fn a_drain_that_is_asked_for_before_the_server_runs_ends_it_at_once() {
    let server = bind();
    server.handle().drain(Duration::ZERO, NEVER);
    assert_eq!(run(server, |_: &mut Request<'_>| "never").ended().connections, 0);
}

#[test]
fn idle_connections_are_closed_at_once() {
    let (server, ..) = serve();
    let mut clients: Vec<_> = (0..10).map(|_| Client::to(server.address())).collect();
    for client in &mut clients {
        client.get("/").answer();
    }
    let begun = Instant::now();
    let summary = server.end();
    assert!(begun.elapsed() < SOON);
    assert_eq!((summary.connections, summary.requests, summary.cut), (10, 10, 0));
    clients.iter_mut().for_each(Client::expect_end);
}

#[test]
fn a_connection_that_never_asks_holds_a_drain_up_for_a_second_at_most() {
    let (server, ..) = serve();
    let mut silent = Client::to(server.address());
    server.expect(&Told::Accepted);
    let begun = Instant::now();
    drain(&server);
    server.expect(&Told::Closed { requests: 0, why: Why::MadeRoom });
    assert_eq!(server.ended().cut, 0);
    assert!(begun.elapsed() < SOON);
    silent.expect_end();
}

#[test]
fn a_request_under_way_is_finished_and_its_answer_says_close() {
    let (server, door, _opens) = serve();
    let mut busy = Client::to(server.address());
    busy.get("/wait");
    door.wait_for(1);
    drain(&server);
    door.open();
    let answer = busy.answer();
    assert!(answer.status == 200 && answer.closes());
    busy.expect_end();
    drop(busy);
    let summary = server.ended();
    assert_eq!((summary.requests, summary.cut), (1, 0));
}

#[test]
fn an_upload_under_way_is_finished() {
    let (server, ..) = serve();
    let mut busy = Client::to(server.address());
    busy.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(busy.answer().status, 100);
    drain(&server);
    busy.send("01234").send("56789");
    assert_eq!(busy.answer().text(), "10 bytes");
    drop(busy);
    assert_eq!(server.ended().cut, 0);
}

#[test]
fn pipelined_requests_that_arrived_before_are_not_answered_after_the_close() {
    let (server, door, _opens) = serve();
    let mut busy = Client::to(server.address());
    busy.get("/wait").get("/second");
    door.wait_for(1);
    drain(&server);
    door.open();
    assert!(busy.answer().closes());
    busy.expect_end();
    drop(busy);
    assert_eq!(server.ended().requests, 1, "the client sends the second one again");
}

#[test]
fn a_new_connection_is_not_accepted_once_the_drain_is_over() {
    let (server, ..) = serve();
    let address = server.address();
    assert_eq!(server.end().connections, 0);
    assert!(Client::try_to(address).is_err());
}

#[test]
fn a_lame_duck_serves_on_and_says_close() {
    let (server, ..) = serve();
    let mut kept = Client::to(server.address());
    assert!(!kept.get("/").answer().closes());
    assert_eq!(server.handle.state(), State::Ready);
    server.handle.drain(NEVER, NEVER);
    while server.handle.state() == State::Ready {
        thread::yield_now();
    }
    assert_eq!(server.handle.state(), State::LameDuck);
    assert!(kept.get("/").answer().closes(), "on connections that are there");
    kept.expect_end();
    let mut newcomer = Client::to(server.address());
    let answer = newcomer.get("/").answer();
    assert!(answer.status == 200 && answer.closes(), "and on new ones");
    newcomer.expect_end();
    drop((kept, newcomer));
    assert_eq!(server.handle.state(), State::LameDuck);
    assert_eq!(server.end().requests, 3, "a second drain makes the time shorter");
}

// --- the deadline ---

/// A client in the middle of an upload, whose rest never comes.
fn stuck(server: &Running) -> Client {
    let mut stuck = Client::to(server.address());
    stuck.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(stuck.answer().status, 100);
    stuck
}

#[track_caller]
fn assert_cut(mut client: Client) {
    // By its end or by a reset, and not with a refusal: it was not the client who broke off.
    if let Ok(rest) = client.rest() {
        assert_eq!(rest.escape_ascii().to_string(), "");
    }
}

#[test]
fn what_has_not_ended_at_the_deadline_is_cut_and_counted() {
    let (server, ..) = serve();
    let clients = [stuck(&server), stuck(&server)];
    server.handle.drain(Duration::ZERO, Duration::from_millis(50));
    let summary = server.ended();
    assert_eq!((summary.requests, summary.cut), (2, 2));
    clients.into_iter().for_each(assert_cut);
}

#[test]
fn stop_cuts_at_once() {
    let (server, ..) = serve();
    let client = stuck(&server);
    server.handle.stop();
    assert_eq!(server.ended().cut, 1);
    assert_cut(client);
}

#[test]
fn a_second_drain_shortens_the_first_and_never_lengthens_it() {
    let (server, ..) = serve();
    let client = stuck(&server);
    let begun = Instant::now();
    drain(&server);
    server.handle.drain(Duration::ZERO, Duration::from_millis(10));
    server.handle.drain(NEVER, NEVER);
    assert_eq!(server.ended().cut, 1);
    assert!(begun.elapsed() < NEVER / 2);
    assert_cut(client);
}

#[test]
fn a_handler_that_does_not_end_is_told_of_and_waited_for() {
    let (server, door, _opens) = serve();
    let mut busy = Client::to(server.address());
    busy.get("/wait");
    door.wait_for(1);
    server.handle.stop();
    server.expect(&Told::Overdue(1));
    door.open();
    let summary = server.ended();
    assert_eq!((summary.requests, summary.cut), (1, 1));
    assert_cut(busy);
}

#[test]
fn a_connection_that_comes_out_of_the_queue_after_the_cut_is_cut_too() {
    let limits = Limits { body_grace: NEVER, ..Limits::default() };
    let (server, address, door, hang) = behind_a_door(limits);
    let _opens = (OpensAtLast(door.clone()), OpensAtLast(hang.clone()));
    door.admit(1);
    let mut busy = Client::to(address);
    busy.get("/wait");
    hang.wait_for(1);
    let mut queued = Client::to(address);
    queued.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    server.handle.stop();
    server.expect(&Told::Overdue(1));
    let begun = Instant::now();
    door.open();
    server.expect(&Told::Accepted);
    assert_cut(queued);
    hang.open();
    assert_eq!(server.ended().cut, 1);
    assert!(begun.elapsed() < NEVER / 2, "it was waited for");
}

#[test]
fn a_drain_that_waits_for_nothing_but_its_own_threads_is_not_overdue() {
    let (server, _, door, _) = behind_a_door(Limits::default());
    let _opens = OpensAtLast(door.clone());
    door.wait_for(1);
    server.handle.stop();
    // Another one is asked later, and is overdue.
    let (late, hang, _opens) = serve();
    let mut busy = Client::to(late.address());
    busy.get("/wait");
    hang.wait_for(1);
    late.handle.stop();
    late.expect(&Told::Overdue(1));
    door.open();
    assert_eq!(server.next(), Told::Draining);
    assert_eq!(server.events(), []);
    assert_eq!(server.ended().cut, 0);
}

#[test]
fn a_handler_may_end_its_own_server() {
    let server = bind();
    let handle = server.handle();
    let server = run(server, move |_: &mut Request<'_>| {
        handle.drain(Duration::ZERO, NEVER);
        Response::text("good night")
    });
    let mut client = Client::to(server.address());
    assert_eq!(client.get("/").answer().text(), "good night");
    drop(client);
    assert_eq!(server.ended().requests, 1);
}

// --- the queue of the listener ---

/// A server that accepts only when the first door is open, and until then holds those who come in
/// the listener's queue. The second door is the handler's, for `/wait`.
fn behind_a_door(limits: Limits) -> (Running, SocketAddr, Latch, Latch) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (door, hang) = (Latch::default(), Latch::default());
    let (outside, inside) = (door.clone(), hang.clone());
    let mut acceptor = Watched::over(listener);
    acceptor.before_accept = Arc::new(move |()| outside.pass());
    let server = Server::new(acceptor).limits(limits);
    let server = run_on(server, move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            inside.pass();
        }
        request.body().read_all().map(|_| Response::text("served"))
    });
    (server, address, door, hang)
}

#[test]
fn connections_in_the_queue_when_the_drain_begins_are_served() {
    let (server, address, door, _) = behind_a_door(Limits::default());
    door.wait_for(1);
    let mut queued: Vec<_> = (0..20).map(|_| Client::to(address)).collect();
    for client in &mut queued {
        client.get("/");
    }
    drain(&server);
    door.open();
    for client in &mut queued {
        let answer = client.answer();
        assert!(answer.status == 200 && answer.closes());
        client.expect_end();
    }
    drop(queued);
    let summary = server.ended();
    assert_eq!((summary.connections, summary.requests, summary.cut), (20, 20, 0));
}

#[test]
fn connections_that_come_behind_the_last_wake_up_call_are_not_thrown_out() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let late = Arc::new(Mutex::new(Vec::new()));
    let come = Arc::clone(&late);
    let mut acceptor = Watched::over(listener);
    acceptor.before_last_call = Arc::new(move |()| {
        let mut come = come.lock().expect("no panic");
        if come.is_empty() {
            come.extend((0..20).map(|_| Client::to(address)));
            for client in come.iter_mut() {
                client.get("/");
            }
        }
    });
    let server = run_on(Server::new(acceptor), |_: &mut Request<'_>| Response::text("served"));
    drain(&server);
    let summary = server.ended();
    let mut late = late.lock().expect("no panic");
    assert_eq!((late.len(), summary.requests, summary.cut), (20, 20, 0));
    for client in late.iter_mut() {
        let answer = client.answer();
        assert!(answer.status == 200 && answer.closes());
        client.expect_end();
    }
}

#[test]
fn a_full_queue_does_not_keep_a_drain_from_ending() {
    let (server, address, door, _) = behind_a_door(Limits::default());
    door.wait_for(1);
    let mut queued = Vec::new();
    // A queue that is full answers no more calls, as the server's own wake-up call will find.
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100))
    {
        queued.push(stream);
        assert!(queued.len() < 10_000, "the queue is not full");
    }
    drain(&server);
    door.open();
    // They hang up, unheard: nobody waits for the second that a silent connection has.
    drop(queued);
    let begun = Instant::now();
    assert_eq!(server.ended().cut, 0);
    assert!(begun.elapsed() < 4 * SOON, "{:?}", begun.elapsed());
}

#[test]
fn an_upload_that_is_refused_in_a_drain_is_read_to_its_end() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let (server, address, door, hang) = behind_a_door(limits);
    let _opens = (OpensAtLast(door.clone()), OpensAtLast(hang.clone()));
    door.admit(1);
    let mut busy = Client::to(address);
    busy.get("/wait");
    hang.wait_for(1);
    let mut queued = Client::to(address);
    drain(&server);
    door.open();
    let body = vec![b'a'; 8 << 20];
    queued.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()));
    queued.send(body);
    assert_eq!(queued.answer().status, 503);
    hang.open();
    assert_eq!(busy.answer().status, 200);
    drop((busy, queued));
    assert_eq!(server.ended().cut, 0);
}

// --- the door is closed ---

/// A server whose first latch opens when it has let its listener go. The second is the handler's.
fn letting_go(acceptor: TcpAcceptor) -> (Running, Latch, Latch) {
    let (gone, hang) = (Latch::default(), Latch::default());
    let (closed, inside) = (gone.clone(), hang.clone());
    let mut acceptor = Watched::around(acceptor);
    acceptor.after_close = Arc::new(move |()| closed.open());
    let server = run_on(Server::new(acceptor), move |_: &mut Request<'_>| {
        inside.pass();
        Response::text("served")
    });
    (server, gone, hang)
}

#[test]
fn newcomers_in_a_drain_are_refused_at_once_and_do_not_wait_for_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (server, gone, hang) = letting_go(TcpAcceptor::own(listener));
    let _opens = OpensAtLast(hang.clone());
    let mut busy = Client::to(address);
    busy.get("/");
    hang.wait_for(1);
    drain(&server);
    gone.pass();
    let refused = Client::try_to(address).expect_err("nobody is there");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    hang.open();
    let answer = busy.answer();
    assert!(answer.status == 200 && answer.closes(), "what is under way is finished");
    busy.expect_end();
    drop(busy);
    let summary = server.ended();
    assert_eq!((summary.requests, summary.cut), (1, 0));
}

#[test]
fn a_shared_listener_goes_on_while_a_drain_waits_for_a_request() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let other = listener.try_clone().expect("a second hold of it");
    // What `Server::from` makes of a listener, but watched.
    let (server, gone, hang) = letting_go(TcpAcceptor::shared(listener));
    let _opens = OpensAtLast(hang.clone());
    let mut busy = Client::to(address);
    busy.get("/");
    hang.wait_for(1);
    drain(&server);
    gone.pass();
    let newcomer = Client::to(address);
    let own = newcomer.stream.local_addr().expect("an address");
    // Wake-up calls that nobody needed any more may be in front of it.
    while other.accept().expect("it still listens").1 != own {}
    hang.open();
    assert!(busy.answer().closes());
    drop(busy);
    assert_eq!(server.ended().requests, 1);
}

// --- under load ---

/// What became of a request, as its client saw it.
fn ask(client: &mut Client) -> io::Result<Option<Answer>> {
    if client.stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_err() {
        return Ok(None);
    }
    match client.try_answer() {
        Ok(answer) => Ok(Some(answer)),
        // Without a byte of an answer the request was not taken; with some it was cut.
        Err(error) => match client.rest() {
            Ok(rest) if rest.is_empty() => Ok(None),
            Err(_) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            other => panic!("an answer broke off: {error}, {other:?}"),
        },
    }
}

#[test]
fn under_load_every_request_that_is_taken_is_answered_whole() {
    for round in 0..5 {
        let (server, ..) = serve();
        let address = server.address();
        let (answered, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let summary = thread::scope(|scope| {
            for number in 0..8 {
                let (answered, over) = (&answered, &over);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let Ok(mut client) = Client::try_to(address) else { continue };
                        // Half of them keep their connections, half come anew each time.
                        let most = if number % 2 == 0 { 1_000 } else { 1 };
                        for _ in 0..most {
                            let Some(answer) = ask(&mut client).expect("an answer, or none") else {
                                break;
                            };
                            assert_eq!((answer.status, answer.extent), (200, Extent::Whole));
                            answered.fetch_add(1, Ordering::Relaxed);
                            if answer.closes() {
                                break;
                            }
                        }
                    }
                });
            }
            while answered.load(Ordering::Relaxed) < 400 {
                thread::yield_now();
            }
            let summary = server.end();
            over.store(true, Ordering::Relaxed);
            summary
        });
        assert_eq!(summary.cut, 0);
        assert_eq!(summary.requests, answered.into_inner(), "round {round}: taken and answered");
    }
}

// --- listeners of other kinds ---

#[test]
fn a_shared_listener_is_left_to_the_others() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let other = listener.try_clone().expect("a second hold of it");
    let server = run(Server::from(listener), |_: &mut Request<'_>| "served");
    Client::to(server.address()).get("/").answer();
    let address = server.address();
    // The other holder takes wake-up calls away; the server calls again.
    thread::scope(|scope| {
        let thief = scope.spawn(|| (0..3).map(|_| other.accept().is_ok()).collect::<Vec<_>>());
        let summary = server.end();
        assert_eq!(summary.requests, 1);
        for _ in 0..3 {
            let _ = std::net::TcpStream::connect(address);
        }
        assert_eq!(thief.join().expect("no panic"), [true; 3]);
    });
    other.set_nonblocking(true).expect("an open listener");
    while other.accept().is_ok() {}
    let _ours = Client::to(address);
    other.set_nonblocking(false).expect("an open listener");
    assert!(other.accept().is_ok(), "it still listens");
}

/// An acceptor that has nothing to accept, because the system has no descriptors left.
struct Exhausted(TcpAcceptor);

impl Acceptor for Exhausted {
    type Transport = TcpTransport;

    fn accept(&self) -> io::Result<Accepted<TcpTransport>> {
        Err(io::Error::other("too many open files"))
    }

    fn wake(&self) -> io::Result<()> {
        Err(io::Error::other("too many open files"))
    }

    fn refuse(&self, transport: TcpTransport, answer: &[u8]) {
        self.0.refuse(transport, answer);
    }

    fn local(&self) -> Option<SocketAddr> {
        self.0.local()
    }
}

#[test]
fn a_lame_duck_that_cannot_accept_does_not_spin() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = Server::new(Exhausted(TcpAcceptor::own(listener)));
    let server = run_on(server, |_: &mut Request<'_>| "never");
    server.expect(&Told::AcceptFailed);
    server.handle.drain(Duration::from_millis(300), NEVER);
    let mut failed = 0;
    while server.next() == Told::AcceptFailed {
        failed += 1;
    }
    // 5, 10, 20, 40, 80, 160 and 320 ms apart.
    assert!(failed < 10, "{failed} times in 300 ms");
    assert_eq!(server.ended().connections, 0);
}

/// An acceptor that counts how often what it refused is looked after.
struct Tended(TcpAcceptor, Arc<AtomicUsize>);

impl Acceptor for Tended {
    type Transport = TcpTransport;

    fn accept(&self) -> io::Result<Accepted<TcpTransport>> {
        self.0.accept()
    }

    fn wake(&self) -> io::Result<()> {
        self.0.wake()
    }

    fn refuse(&self, transport: TcpTransport, answer: &[u8]) {
        self.0.refuse(transport, answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.tend()
    }

    fn local(&self) -> Option<SocketAddr> {
        self.0.local()
    }
}

#[test]
fn a_lame_duck_that_has_refused_somebody_does_not_spin() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (tended, hang) = (Arc::new(AtomicUsize::new(0)), Latch::default());
    let inside = hang.clone();
    let acceptor = Tended(TcpAcceptor::own(listener), Arc::clone(&tended));
    let server = Server::new(acceptor).limits(Limits { connections: 1, ..Limits::default() });
    let server = run_on(server, move |_: &mut Request<'_>| {
        inside.pass();
        Response::text("served")
    });
    let _opens = OpensAtLast(hang.clone());
    let mut busy = Client::to(address);
    busy.get("/");
    hang.wait_for(1);
    let mut refused = Client::to(address);
    assert_eq!(refused.answer().status, 503);
    server.handle.drain(Duration::from_millis(300), NEVER);
    server.expect(&Told::Draining);
    // Every 20 ms, for the second that it may be silent.
    let tended = tended.load(Ordering::Relaxed);
    eprintln!("TENDED {tended}");
    assert!(tended < 100, "{tended} times");
}

#[cfg(unix)]
#[test]
fn a_unix_socket_drains_as_tcp_does() {
    let place = crate::serving::Place::new();
    let door = Latch::default();
    let (inside, _opens) = (door.clone(), OpensAtLast(door.clone()));
    let server = run_on(Server::from(place.listen()), move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            inside.pass();
        }
        Response::text("served")
    });
    let mut idle = Client::at(&place.0);
    idle.get("/").answer();
    let mut busy = Client::at(&place.0);
    busy.get("/wait");
    door.wait_for(1);
    let mut silent = Client::at(&place.0);
    drain(&server);
    idle.expect_end();
    silent.expect_end();
    door.open();
    assert!(busy.answer().closes());
    busy.expect_end();
    drop(busy);
    let summary = server.ended();
    assert_eq!((summary.requests, summary.cut), (2, 0));
}

#[test]
fn a_server_that_is_dropped_unrun_lets_go_of_its_port() {
    let server = bind().limits(Limits::default());
    let address = server.local_addr().expect("an address");
    drop(server);
    assert!(Client::try_to(address).is_err());
}
