//! A system that has no more to give: no descriptors, no room in a file, nobody who reads what is
//! written. What is refused is refused with the truth, and once there is enough again all is as before.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use harness::answer::Answer;
use harness::client::{Client, NEVER};
use harness::program::{Folder, Program, command, example};
use harness::running::{Told, run_on};
use longhand::transport::{Accepted, Acceptor, TcpAcceptor, TcpTransport};
use longhand::{Limits, Server};

use crate::conversation::handle;

/// Nothing here takes as long, on however slow a machine.
const SOON: Duration = Duration::from_secs(30);

/// An acceptor that fails so many times, with one error of the system's after the other, before it
/// accepts.
struct Short {
    inner: TcpAcceptor,
    errors: Vec<i32>,
    calls: Arc<AtomicUsize>,
}

impl Acceptor for Short {
    type Transport = TcpTransport;

    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        self.inner.prepare(limits)
    }

    fn accept(&self) -> io::Result<Accepted<TcpTransport>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.errors.get(call) {
            Some(error) => Err(io::Error::from_raw_os_error(*error)),
            None => self.inner.accept(),
        }
    }

    fn wake(&self) -> io::Result<()> {
        self.inner.wake()
    }

    fn refuse(&self, transport: TcpTransport, answer: &[u8]) {
        self.inner.refuse(transport, answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.inner.tend()
    }

    fn last_call(&self) -> bool {
        self.inner.last_call()
    }

    fn close(&self) {
        self.inner.close();
    }

    fn local(&self) -> Option<SocketAddr> {
        self.inner.local()
    }
}

#[test]
fn whatever_the_system_says_to_an_accept_it_is_told_and_accepted_again() {
    // What accept(2) may fail with: EPERM, EINTR, EAGAIN, ENOMEM, EFAULT, EINVAL, ENFILE, EMFILE, EPROTO,
    // EOPNOTSUPP, ENETDOWN, ENETUNREACH, ECONNABORTED, ENOBUFS, EHOSTDOWN, EHOSTUNREACH.
    let errors = vec![1, 4, 11, 12, 14, 22, 23, 24, 71, 95, 100, 101, 103, 105, 112, 113];
    let (count, calls) = (errors.len(), Arc::new(AtomicUsize::new(0)));
    // In a few parts, so that the pauses, which become longer each time, stay short.
    for few in errors.chunks(4) {
        calls.store(0, Ordering::SeqCst);
        let inner = TcpAcceptor::own(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = inner.local().unwrap();
        let acceptor = Short { inner, errors: few.to_vec(), calls: Arc::clone(&calls) };
        let server = run_on(Server::new(acceptor), handle);
        let mut client = Client::to(address);
        assert_eq!(client.get("/").answer().status, 200, "after {few:?}");
        let told = server.events().iter().filter(|told| **told == Told::AcceptFailed).count();
        assert_eq!(told, few.len(), "each is told once");
        drop(client);
        let summary = server.end();
        assert_eq!((summary.connections, summary.cut), (1, 0));
        // Those that failed, those that were waited in, the wake-up calls: it does not spin.
        assert!(calls.load(Ordering::SeqCst) < few.len() + 12);
    }
    assert_eq!(count, 16);
}

/// Starts an example under `ulimit`s and the like, which are set by a line of shell.
fn start(
    line: &str,
    name: &'static str,
    settings: &[(&str, &str)],
    argument: Option<&str>,
) -> Program {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!(r#"{line} && exec "$0" "$@""#)]).arg(example(name)).args(argument);
    shell.env_clear().envs(settings.iter().copied()).stdin(Stdio::null());
    Program::start(shell)
}

/// Descriptors that a server may have.
const DESCRIPTORS: u64 = 40;

/// How many of its descriptors a server has in use. Those above its limit are inherited.
fn in_use(server: &Program) -> u64 {
    let open =
        |number: &u64| fs::symlink_metadata(format!("/proc/{}/fd/{number}", server.id())).is_ok();
    (0..DESCRIPTORS).filter(open).count() as u64
}

/// Waits until it serves nobody: of sockets it has its listener and the pair that signals come by.
fn await_rest(server: &Program) {
    let begun = Instant::now();
    loop {
        let link = |number| fs::read_link(format!("/proc/{}/fd/{number}", server.id()));
        let is_socket = |path: &PathBuf| path.to_string_lossy().starts_with("socket:");
        let sockets = (0..DESCRIPTORS).filter_map(|number| link(number).ok()).filter(is_socket);
        let count = sockets.count();
        if count == 3 {
            return;
        }
        assert!(begun.elapsed() < SOON, "{count} sockets are open");
        thread::yield_now();
    }
}

/// Clients in the middle of a request, whom nobody may close to make room, until the server has not one
/// descriptor left.
fn take_all(server: &Program) -> Vec<Client> {
    let mut busy = Vec::new();
    loop {
        let before = in_use(server);
        if before == DESCRIPTORS {
            return busy;
        }
        let mut client = server.client();
        client.send("GET / HTTP/1.1\r\nHo");
        busy.push(client);
        let begun = Instant::now();
        while in_use(server) == before {
            assert!(begun.elapsed() < SOON, "{before} of {DESCRIPTORS} are in use");
            thread::yield_now();
        }
    }
}

/// What a server answers to these requests while not one descriptor is left. All of them have begun
/// before, so that nobody may close their connections to make room.
fn answers_without(server: &Program, requests: &[&str]) -> Vec<Answer> {
    for _ in 0..5 {
        await_rest(server);
        let since = Instant::now();
        let begin = |request: &&str| {
            let mut client = server.client();
            client.send(&request[..1]);
            client
        };
        let mut clients: Vec<_> = requests.iter().map(begin).collect();
        let busy = take_all(server);
        let rests = clients.iter_mut().zip(requests);
        let answers = rests.map(|(client, request)| client.send(&request[1..]).answer()).collect();
        drop((busy, clients));
        await_rest(server);
        // On a machine so slow that heads may have had their time, it is tried again.
        if since.elapsed() < Limits::default().head_time / 2 {
            return answers;
        }
    }
    panic!("this machine is too slow for it");
}

fn limited(name: &'static str, settings: &[(&str, &str)], argument: Option<&str>) -> Program {
    start(&format!("ulimit -n {DESCRIPTORS}"), name, settings, argument)
}

fn posted(server: &Program, name: &str, uri: &str) -> String {
    let form = format!("longuri={uri}&shortname={name}");
    let (host, length) = (server.address(), form.len());
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{form}"
    )
}

#[test]
fn out_of_descriptors_a_check_that_could_not_be_made_blames_no_uri() {
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", "memory")];
    let server = limited("bookmark", &settings, None);
    let [before, short] = ["before", "short"].map(|name| posted(&server, name, &server.url));
    assert_eq!(server.client().send(before).answer().status, 303);
    let read = "GET /before HTTP/1.1\r\nHost: x\r\n\r\n";
    let answers = answers_without(&server, &[&short, read]);
    assert_eq!(answers[0].status, 503, "{}", answers[0].text());
    assert!(answers[0].field("retry-after").is_some(), "{answers:?}");
    assert_eq!(answers[1].status, 303, "what needs none is served");
    assert_eq!(server.client().send(short).answer().status, 303);
}

#[test]
fn out_of_descriptors_a_file_is_not_said_to_be_absent() {
    let folder = Folder::new();
    fs::write(folder.file("a.txt"), "text").unwrap();
    let server = limited("files", &[("PORT", "0")], Some(&folder.file("")));
    let there = "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n";
    let absent = "GET /b.txt HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(server.client().send(there).answer().text(), "text");
    let answers = answers_without(&server, &[there, absent]);
    assert_eq!([answers[0].status, answers[1].status], [500, 404]);
    assert_eq!(server.client().send(there).answer().text(), "text");
}

#[test]
fn out_of_descriptors_the_balancer_says_so_and_takes_no_backend_for_dead() {
    let probe = Program::start(command("probe", &[("PORT", "0")]));
    let backends = probe.address().to_string();
    let settings =
        [("PORT", "0"), ("BACKENDS", &*backends), ("HEALTH_MS", "0"), ("EJECT_MS", "3600000")];
    let balancer = limited("balancer", &settings, None);
    // Over a new connection each time, which is not kept.
    let request = "POST /close HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(balancer.client().send(request).answer().status, 200);
    for answer in answers_without(&balancer, &[request; 4]) {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.field("retry-after"), Some("1"));
    }
    let answer = balancer.client().send(request).answer();
    assert_eq!(answer.status, 200, "it was its own fault, not the backend's");
}

#[test]
fn a_log_that_may_not_grow_loses_nothing_and_says_that_nothing_was_saved() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &*log), ("ACCESS_LOG", "off")];
    // In units of 512 bytes; without the signal that comes with it, a write fails.
    let server = start("trap '' XFSZ && ulimit -f 4", "bookmark", &settings, None);
    let mut client = server.client();
    let mut saved = Vec::new();
    let mut refused = 0;
    for number in 0..200 {
        let name = format!("n{number}");
        let answer = client.send(posted(&server, &name, &server.url)).answer();
        match answer.status {
            303 => saved.push(name),
            500 => {
                assert!(answer.text().contains("Nothing was changed"), "{}", answer.text());
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text()),
        }
        if refused == 3 {
            break;
        }
    }
    assert!(saved.len() > 3 && refused == 3, "{} saved, {refused} refused", saved.len());
    let size = fs::metadata(&log).unwrap().len();
    for name in &saved {
        assert_eq!(client.get(&format!("/{name}")).answer().status, 303, "{name}");
    }
    assert_eq!(client.get("/.healthz").answer().status, 200);
    assert_eq!(fs::metadata(&log).unwrap().len(), size, "no half of a line is left");
    server.signal("TERM");
    let (status, errors) = server.end();
    assert!(status.success(), "{status}: {errors:?}");
    assert!(errors.iter().any(|line| line.contains("cannot write the log")), "{errors:?}");

    let server = Program::start(command("bookmark", &settings));
    let mut client = server.client();
    for name in &saved {
        assert_eq!(client.get(&format!("/{name}")).answer().status, 303, "{name}");
    }
    assert_eq!(client.send(posted(&server, "room", &server.url)).answer().status, 303);
}

#[test]
fn where_nobody_reads_its_output_a_server_serves_and_ends_all_the_same() {
    let probe = Program::start(command("probe", &[("PORT", "0")]));
    let backends = probe.address().to_string();
    let folder = Folder::new();
    let own = folder.file("");
    for (name, settings, argument) in [
        ("hello", vec![], None),
        ("probe", vec![], None),
        ("bookmark", vec![("STORE", "memory")], None),
        ("cookies", vec![], None),
        ("inflight", vec![], None),
        ("files", vec![("LISTING", "1")], Some(&*own)),
        ("balancer", vec![("BACKENDS", &*backends), ("HEALTH", "/")], None),
        ("xray", vec![], None),
    ] {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let port = address.port().to_string();
        let mut command = command(name, &settings);
        command.env("PORT", &port).env("HOST", "127.0.0.1").args(argument);
        // A full disk behind both.
        for full in ["stdout", "stderr"] {
            let file = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            match full {
                "stdout" => command.stdout(file),
                _ => command.stderr(file),
            };
        }
        let mut child = Killed(command.spawn().unwrap());
        let begun = Instant::now();
        let mut client = loop {
            if let Ok(client) = Client::try_to(address) {
                break client;
            }
            let ended = child.0.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < NEVER, "{name}: {ended:?}");
            thread::yield_now();
        };
        for path in ["/", "/nobody", "/panic"] {
            let asked = client.get(path).try_answer();
            if path == "/panic" && name == "probe" {
                assert_eq!(asked.unwrap().status, 500);
                client = Client::to(address);
            }
        }
        assert!(client.get("/").answer().status < 500, "{name}");
        let ended = Command::new("sh").args(["-c", "kill $0", &child.0.id().to_string()]).status();
        assert!(ended.unwrap().success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.0.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < NEVER, "{name} does not end");
            thread::yield_now();
        };
        assert!(status.success(), "{name}: {status}");
    }
}

/// Ended with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail where it has ended and was waited for, which is as it should be.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
