//! System calls that fail one by one, under `strace`: what the system would say when it is short of
//! memory, of buffers, of processes, or its disk is bad.

use std::io::Write;
use std::net::Shutdown;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fs, thread};

use harness::answer::{Answer, Extent, answers};
use harness::client::{Client, NEVER};
use harness::program::{Folder, Program, command, example};

use crate::conversation::{wanted, whole};
use crate::{look_up, save};

/// Starts an example whose system calls of this name fail as `strace` is told: `ENOMEM:when=1..9+2`. It
/// writes what it did to `report`.
fn start(
    name: &'static str,
    (call, fails): (&str, &str),
    settings: &[(&str, &str)],
    report: &str,
) -> Program {
    let mut strace = Command::new("strace");
    // With `-D` it is the program whose id and pipes these are, and not strace.
    strace.args(["-D", "-f", "-qqq", "-o", report]);
    strace.arg(format!("--trace={call}")).arg(format!("--inject={call}:error={fails}"));
    strace.arg(example(name)).env_clear().envs(settings.iter().copied()).stdin(Stdio::null());
    Program::start(strace)
}

/// Waits until strace, which ends after the program, has said that it did something.
fn assert_injected(report: &str, place: &str) {
    let begun = Instant::now();
    while !fs::read_to_string(report).unwrap_or_default().contains("(INJECTED)") {
        assert!(begun.elapsed() < NEVER, "{place}: no call failed");
        thread::yield_now();
    }
}

/// How often the conversation is tried, and how often it must come through whole by then: `strace` counts
/// the calls of each thread by themselves, and some connections have a new one.
const TRIES: usize = 300;
const ENOUGH: usize = 20;

/// Has the conversation, and gives how many of its answers came whole. What comes behind them is one that
/// is visibly cut, or a refusal of the server's own: where there was no thread, or a body did not come.
fn talk(server: &Program, place: &str) -> usize {
    let Ok(mut client) = Client::try_to(server.address()) else { return 0 };
    // Where the connection breaks, what had come is there still.
    let _ = client.stream.write_all(&whole());
    let _ = client.stream.shutdown(Shutdown::Write);
    let output = client.rest().or_else(|_| client.rest()).unwrap_or_default();
    let answers = answers(&output, &[]);
    let finals: Vec<_> = answers.iter().filter(|answer| answer.status != 100).collect();
    let is_whole = |answer: &&&Answer| answer.status == 200 && answer.extent == Extent::Whole;
    let kept = finals.iter().take_while(is_whole).count();
    for (answer, (_, body)) in finals.iter().zip(wanted()).take(kept) {
        assert!(answer.body == body, "{place}: {answer:?}");
    }
    match &finals[kept..] {
        [] => {}
        [last] if last.extent == Extent::Cut => {
            let wanted = wanted();
            assert!(wanted[kept].1.starts_with(&last.body), "{place}: {last:?}");
        }
        [last] if [400, 503].contains(&last.status) => {}
        more => panic!("{place}: {more:?}"),
    }
    kept
}

#[test]
fn whichever_call_fails_the_server_says_nothing_untrue_and_goes_on() {
    let folder = Folder::new();
    let report = folder.file("report");
    // Each thread's first calls but some: at the start, in the middle and at the end of what it does.
    for (call, fails) in [
        ("accept4", "ENOBUFS:when=1..9+2"),
        ("accept4", "ENOMEM:when=1..4"),
        ("accept4", "EPERM:when=1..9+2"),
        ("recvfrom", "ENOMEM:when=1..19+3"),
        ("recvfrom", "ENOBUFS:when=2..19+3"),
        ("recvfrom", "EINTR:when=1..19+2"),
        ("sendto", "ENOBUFS:when=1..19+3"),
        ("sendto", "ENOMEM:when=2..19+3"),
        ("sendto", "EINTR:when=1..19+2"),
        ("setsockopt", "ENOMEM:when=4..19+3"),
        ("clone3", "EAGAIN:when=1"),
    ] {
        let place = format!("{call} fails with {fails}");
        let server = start("probe", (call, fails), &[("PORT", "0")], &report);
        let mut whole = 0;
        for _ in 0..TRIES {
            whole += usize::from(talk(&server, &place) == wanted().len());
            if whole == ENOUGH {
                break;
            }
        }
        assert_eq!(whole, ENOUGH, "{place}: it does not recover");
        // The thread that waits for signals is started and receives, too: no signal comes where that
        // failed.
        if ["recvfrom", "clone3"].contains(&call) {
            let complaints: Vec<_> = std::iter::from_fn(|| server.complaint()).collect();
            assert!(!complaints.iter().any(|line| line.contains("panicked")), "{complaints:?}");
            server.kill();
        } else {
            server.signal("TERM");
            let (status, errors) = server.end();
            assert!(status.success() && errors.is_empty(), "{place}: {status}: {errors:?}");
        }
        assert_injected(&report, &place);
        fs::remove_file(&report).unwrap();
    }
}

#[test]
fn a_save_whose_sync_fails_is_a_500_and_is_not_there() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &*log), ("ACCESS_LOG", "off")];
    // So that the first sync is that of a save, and not of a log that is begun.
    Program::start(command("bookmark", &settings)).kill();
    let report = folder.file("report");
    for error in ["EIO", "ENOSPC", "EDQUOT"] {
        let server =
            start("bookmark", ("fdatasync", &format!("{error}:when=2..3")), &settings, &report);
        let mut client = server.client();
        let names = ["a", "b", "c", "d"].map(|name| format!("{error}-{name}"));
        let statuses = names.each_ref().map(|name| save(&server, &mut client, name));
        assert_eq!(statuses, [303, 500, 500, 303], "{error}");
        for round in ["at once", "after a kill"] {
            let other = Program::start(command("bookmark", &settings));
            let there = names.each_ref().map(|name| look_up(&other, name));
            assert_eq!(there, [303, 404, 404, 303], "{error}, {round}");
        }
        server.kill();
        assert_injected(&report, error);
        fs::remove_file(&report).unwrap();
    }
}

#[test]
fn an_import_without_threads_is_cut_and_nothing_else_is() {
    let settings =
        [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", "memory"), ("ACCESS_LOG", "off")];
    let folder = Folder::new();
    let report = folder.file("report");
    // A thread that serves a connection starts three more at most.
    let server = start("bookmark", ("clone3", "EAGAIN:when=4+"), &settings, &report);
    let mut client = server.client();
    let file = format!("{{\"name\":\"a\",\"uri\":\"{}\"}}\n", server.url);
    let request = format!(
        "POST /.import HTTP/1.1\r\nHost: {}\r\nContent-Type: application/jsonl\r\n\
         Accept: application/json\r\nContent-Length: {}\r\n\r\n{file}",
        server.address(),
        file.len()
    );
    let first = client.send(&request).answer();
    assert!(first.status == 200 && first.text().contains("saved"), "{}", first.text());
    let cut = (0..5).any(|_| client.send(&request).try_answer().is_err());
    assert!(cut, "there were threads for all of them");
    assert_eq!(server.client().get("/").answer().status, 200, "the server goes on");
    let complaints: Vec<_> = std::iter::from_fn(|| server.complaint()).collect();
    assert!(!complaints.iter().any(|line| line.contains("panicked")), "{complaints:?}");
    server.kill();
    assert_injected(&report, "an import");
}
