//! Four hosts on one network: the one in front with its visitors, two instances, and Redis. Then the cable
//! of an instance is pulled. Unlike one that was killed it refuses nothing: it is silent.
//!
//! The hosts are network namespaces, which takes root. They end with the test, whatever becomes of it.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::client::NEVER;
use harness::program::{Folder, Program, example};
use harness::running::run;
use longhand::{Request, Response, Server};

use crate::drill::OnDrop;
use crate::front::{Front, Kind};

/// How long a proxy may take to find out: checks each second, two of them without an answer, each given a
/// second; and as much again for a machine that is busy.
const FOUND_OUT: Duration = Duration::from_secs(6);
/// How long a request may then take: a second, and some more for the same reason.
const AT_ONCE: Duration = Duration::from_secs(5);
/// How long one may take that was under way when the cable was pulled, and may be sent again.
const AT_LAST: Duration = Duration::from_secs(15);

const VISITORS: usize = 6;

/// Set where a test runs in a namespace of its own.
const INSIDE: &str = "IN_A_NAMESPACE";

/// Runs a test of this name in a network namespace of its own: that of the host in front.
fn on_a_host_of_its_own(name: &str, test: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return test();
    }
    // Inside there is no network to fetch anything from.
    for name in ["bookmark", "balancer"] {
        let _ = example(name);
    }
    let mut inside = Command::new("unshare");
    inside.args(["--net", "--"]).arg(env::current_exe().unwrap()).env(INSIDE, "");
    inside.args(["--exact", name, "--nocapture"]);
    let output = inside.output().expect("unshare, of the package util-linux");
    let [out, errors] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    println!("{out}");
    assert!(output.status.success() && out.contains(" 1 passed; "), "unshare --net: {errors}");
}

/// `ip`, which must succeed.
fn ip(mut command: Command, words: &str) {
    let output = command.args(words.split(' ')).output().expect("ip, of the package iproute2");
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A host on a network with this one, which has the address that ends with 1. Dropped, it is gone.
struct Host {
    /// It does nothing but be there, until its input ends.
    holder: Child,
    _lines: (ChildStdin, BufReader<ChildStdout>),
    address: Ipv4Addr,
}

impl Host {
    fn start(number: u8) -> Self {
        let mut holder = Command::new("unshare");
        holder.args(["--net", "--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = holder.spawn().expect("unshare, of the package util-linux");
        let mut lines =
            (holder.stdin.take().unwrap(), BufReader::new(holder.stdout.take().unwrap()));
        lines.0.write_all(b"is it there?\n").unwrap();
        lines.1.read_line(&mut String::new()).unwrap();
        let host = Self { holder, _lines: lines, address: Ipv4Addr::new(10, 0, 0, number) };
        let (pid, address) = (host.holder.id(), host.address);
        let here = |words: &str| ip(Command::new("ip"), words);
        here(&format!("link add cable{number} type veth peer name eth0 netns {pid}"));
        here(&format!("link set cable{number} master bridge up"));
        host.ip(&format!("address add {address}/24 dev eth0"));
        host.ip("link set lo up");
        host.ip("link set eth0 up");
        host
    }

    /// A command on this host, whose environment is this.
    fn command(&self, program: &str, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.holder.id())).args(["--", program]);
        command.env_clear().env("PATH", env::var_os("PATH").unwrap());
        command.envs(settings.iter().copied()).stdin(Stdio::null());
        command
    }

    fn ip(&self, words: &str) {
        ip(self.command("ip", &[]), words);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A Redis on a host of its own.
struct Store {
    child: Child,
    host: Host,
    _folder: Folder,
}

impl Store {
    fn start(host: Host) -> Self {
        let folder = Folder::new();
        let mut command = host.command("redis-server", &[]);
        command.args(["--bind", &host.address.to_string(), "--protected-mode", "no"]);
        command.args(["--save", ""]).current_dir(folder.path()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("redis-server, of the package of that name");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = "Ready to accept connections";
        assert!(lines.any(|line| line.unwrap().contains(ready)), "redis-server starts");
        thread::spawn(move || lines.for_each(drop));
        Self { child, host, _folder: folder }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An instance on a host of its own.
fn instance(host: &Host, store: &Store) -> (Program, SocketAddr) {
    let settings = [
        ("HOST", &*host.address.to_string()),
        ("PORT", "8000"),
        ("STORE", &format!("redis://{}", store.host.address)),
        ("CHECK_PRIVATE", "allow"),
        ("TRUSTED_PROXIES", "10.0.0.1"),
        ("ACCESS_LOG", "json"),
    ];
    let program = Program::start(host.command(example("bookmark").to_str().unwrap(), &settings));
    let address = program.address();
    (program, address)
}

/// A request of a visitor.
struct Visit {
    begun: Instant,
    took: Duration,
    what: String,
    failed: Option<String>,
}

/// Follows a short name, and with each tenth step saves one, until it is enough.
fn visit(front: &Front, uri: &str, who: usize, enough: &AtomicBool, seen: &Mutex<Vec<Visit>>) {
    let agent = front.agent();
    for step in 1.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let (begun, saves) = (Instant::now(), who == 0 && step % 10 == 0);
        let name = format!("s{step}");
        let answer = match saves {
            true => agent.post(front.url("/")).send_form([("longuri", uri), ("shortname", &name)]),
            false => agent.get(front.url("/first")).call(),
        };
        let failed = match answer {
            Ok(answer) if answer.status() == 303 => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        let what = format!("{} of {who}", if saves { "POST" } else { "GET" });
        seen.lock().unwrap().push(Visit { begun, took: begun.elapsed(), what, failed });
    }
}

/// What came of the visits that began from here on, once each visitor has begun some so much later.
fn visits_after(seen: &Mutex<Vec<Visit>>, since: Instant, later: Duration) -> Vec<Visit> {
    let is_over = || {
        let seen = seen.lock().unwrap();
        (0..VISITORS).all(|who| {
            let own = seen.iter().filter(|visit| visit.what.ends_with(&who.to_string()));
            own.filter(|visit| visit.begun > since + later).count() > 20
        })
    };
    while !is_over() {
        assert!(since.elapsed() < 2 * NEVER, "visitors go on");
        thread::yield_now();
    }
    let mut visits = std::mem::take(&mut *seen.lock().unwrap());
    visits.retain(|visit| visit.begun + visit.took > since);
    visits
}

fn cut_off(kind: Kind) {
    ip(Command::new("ip"), "link set lo up");
    ip(Command::new("ip"), "link add bridge type bridge");
    ip(Command::new("ip"), "address add 10.0.0.1/24 dev bridge");
    ip(Command::new("ip"), "link set bridge up");
    let (one, other) = (Host::start(2), Host::start(3));
    let store = Store::start(Host::start(4));
    let site = run(Server::bind("10.0.0.1:0").unwrap(), |_: &mut Request<'_>| Response::text(""));
    let uri = format!("http://{}/", site.address());
    let instances = [instance(&one, &store), instance(&other, &store)];
    let front = Front::before(kind, instances.each_ref().map(|(_, address)| *address));
    let first = front.agent().post(front.url("/"));
    let first = first.send_form([("longuri", &*uri), ("shortname", "first")]).unwrap();
    assert_eq!(first.status(), 303);
    let (seen, enough) = (Mutex::default(), AtomicBool::default());
    thread::scope(|scope| {
        for who in 0..VISITORS {
            let (front, uri, enough, seen) = (&front, &uri, &enough, &seen);
            scope.spawn(move || visit(front, uri, who, enough, seen));
        }
        let _enough = OnDrop(&enough);
        for (program, _) in &instances {
            let _ = program.said("\"target\":\"/first\"");
        }
        one.ip("link set eth0 down");
        let cut = Instant::now();
        let visits = visits_after(&seen, cut, FOUND_OUT);
        report(kind, cut, &visits);

        one.ip("link set eth0 up");
        let back = Instant::now();
        let _ = instances[0].0.said("\"target\":\"/first\"");
        for Visit { begun, took, what, failed } in visits_after(&seen, back, Duration::ZERO) {
            let after = begun.saturating_duration_since(back);
            let case = format!("{kind:?}: {what}, {after:?} after it is back, took {took:?}");
            // One that is back may not have found its store yet, and says so to who saves.
            let says_so = failed.as_deref() == Some("503 Service Unavailable");
            let is_told = says_so && what.starts_with("POST");
            assert!(failed.is_none() || is_told, "{case}: {failed:?}");
        }
    });
}

/// Who came later than it takes to find out noticed nothing, and none that may be sent again has failed.
fn report(kind: Kind, cut: Instant, visits: &[Visit]) {
    let (mut slowest, mut later, mut lost) = (Duration::ZERO, Duration::ZERO, 0);
    for Visit { begun, took, what, failed } in visits {
        let after = begun.saturating_duration_since(cut);
        let case = format!("{kind:?}: {what}, {after:?} after the cut, took {took:?}: {failed:?}");
        slowest = slowest.max(*took);
        lost += usize::from(failed.is_some());
        assert!(*took < AT_LAST || what.starts_with("POST"), "{case}");
        if after > FOUND_OUT {
            later = later.max(*took);
            assert!(*took < AT_ONCE && failed.is_none(), "{case}");
        }
        assert!(failed.is_none() || what.starts_with("POST"), "{case}");
    }
    println!(
        "{kind:?}: {} visits, {lost} lost; the slowest took {slowest:?}, after {FOUND_OUT:?} {later:?}",
        visits.len()
    );
}

#[test]
fn behind_nginx_requests_go_on_when_an_instance_is_cut_off() {
    let name = "hosts::behind_nginx_requests_go_on_when_an_instance_is_cut_off";
    on_a_host_of_its_own(name, || cut_off(Kind::Nginx));
}

#[test]
fn behind_haproxy_requests_go_on_when_an_instance_is_cut_off() {
    let name = "hosts::behind_haproxy_requests_go_on_when_an_instance_is_cut_off";
    on_a_host_of_its_own(name, || cut_off(Kind::HAProxy));
}

#[test]
fn behind_the_balancer_requests_go_on_when_an_instance_is_cut_off() {
    let name = "hosts::behind_the_balancer_requests_go_on_when_an_instance_is_cut_off";
    on_a_host_of_its_own(name, || cut_off(Kind::Balancer));
}
