//! Crowds before the example `probe`, seen from outside: how many threads stay, and who is served when
//! descriptors run out.
//!
//! Threads and descriptors are a process's own, so each case is a process of its own; the system
//! tells how many threads it has.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{fs, thread};

use harness::client::Client;
use harness::program::{Program, command, example};

/// Nothing here takes as long, on however slow a machine.
const SOON: Duration = Duration::from_secs(10);

/// What an idle server may have: the thread that conducts, the one for signals, and spare ones.
const HANDFUL: usize = 20;

fn threads(program: &Program) -> usize {
    let path = format!("/proc/{}/status", program.id());
    let status = fs::read_to_string(path).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    line.expect("the system counts them").trim().parse().expect("a number")
}

fn assert_ends_well(program: Program) {
    program.signal("TERM");
    let (status, errors) = program.end();
    assert!(status.success() && errors.is_empty(), "{status}: {errors:?}");
}

#[test]
fn after_a_burst_of_newcomers_no_surplus_threads_wait_for_more() {
    let settings = [("PORT", "0"), ("PROBE_CONNECTIONS", "100")];
    let probe = Program::start(command("probe", &settings));
    let mut idle: Vec<_> = (0..100).map(|_| probe.client()).collect();
    for client in &mut idle {
        client.get("/").answer();
    }
    let (start, address) = (Barrier::new(8), probe.address());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let mut came: Vec<_> = (0..50).map(|_| Client::to(address)).collect();
                for client in &mut came {
                    // Those who were turned away may have been closed since.
                    let _ = client.stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                }
                for client in &mut came {
                    let _ = client.try_answer();
                }
            });
        }
    });
    drop(idle);
    // Nobody connects meanwhile: that would let a surplus thread go.
    let gone = Instant::now();
    while threads(&probe) > HANDFUL {
        assert!(gone.elapsed() < SOON, "{} threads", threads(&probe));
        thread::yield_now();
    }
    assert_eq!(probe.client().get("/").answer().status, 200);
    assert_ends_well(probe);
}

#[test]
fn out_of_descriptors_those_who_idle_make_room_for_newcomers() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -n 64 && exec "$0""#]).arg(example("probe"));
    shell.env_clear().env("PORT", "0").stdin(Stdio::null());
    let probe = Program::start(shell);
    let mut clients: Vec<Client> = Vec::new();
    let begun = Instant::now();
    for _ in 0..150 {
        let mut client = probe.client();
        assert_eq!(client.get("/").answer().status, 200);
        clients.push(client);
    }
    // It does not back off longer and longer while there is room to be made.
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    // Who came first has idled longest.
    clients[..64].iter_mut().for_each(Client::expect_end);
    drop(clients);
    assert_ends_well(probe);
}
