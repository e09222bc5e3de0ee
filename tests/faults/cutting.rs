//! Clients that cut their connections at each byte, of what they send and of what they are sent, by a
//! close, a half-close and a reset: before `probe`, before the balancer, before the bookmarks.
//!
//! A socket that is closed while something in it is unread sends a reset; so a client resets by not
//! reading an answer.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use harness::figures::Figures;
use harness::program::{Folder, Program, command};

use crate::conversation::{MESSAGES, messages_in, told, wanted, whole};

/// Nothing here takes as long, on however slow a machine.
const SOON: Duration = Duration::from_secs(30);

/// Threads that an idle server may have more than one that has not served yet: spare ones.
const SPARE: u64 = 18;

/// How a client cuts its connection behind so many bytes.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// It closes; with an answer unread this is a reset.
    Close,
    /// It has seen that an answer came, and closes without reading it: a reset.
    Reset,
    /// It ends its sending side, and reads what there is.
    HalfClose,
    /// It sends all, reads so many bytes, and closes.
    ReadsSome,
}

const CUTS: [Cut; 4] = [Cut::Close, Cut::Reset, Cut::HalfClose, Cut::ReadsSome];

fn cut(server: &Program, how: Cut, bytes: &[u8], length: usize) {
    let mut client = server.client();
    let place = || format!("{how:?} behind {length} bytes");
    match how {
        Cut::Close => drop(client.send(&bytes[..length])),
        Cut::Reset => {
            let first = MESSAGES[0].len().min(length);
            client.send(&bytes[..first]);
            if messages_in(length) > 0 {
                client.stream.peek(&mut [0]).unwrap();
            }
            client.send(&bytes[first..length]);
        }
        Cut::HalfClose => {
            client.send(&bytes[..length]).end();
            let told = told(&client.rest().unwrap());
            let messages = messages_in(length);
            assert!((messages..=messages + 1).contains(&told.len()), "{}: {told:?}", place());
            assert_eq!(told[..messages], wanted()[..messages], "{}", place());
        }
        Cut::ReadsSome => {
            client.send(bytes);
            client.stream.read_exact(&mut vec![0; length]).unwrap();
        }
    }
}

fn assert_conversation(server: &Program) {
    let mut client = server.client();
    client.send(whole()).end();
    assert_eq!(told(&client.rest().unwrap()), wanted());
}

/// Waits until it has what it had before, and at most so many descriptors that it keeps.
fn settled(server: &Program, before: Figures, kept: u64) -> Figures {
    let begun = Instant::now();
    loop {
        let now = Figures::of(server.id());
        let descriptors = now.descriptors <= before.descriptors + kept;
        if descriptors && now.threads <= before.threads + SPARE {
            return now;
        }
        assert!(begun.elapsed() < SOON, "{before:?} became {now:?}");
        thread::yield_now();
    }
}

/// Cuts behind each byte, in each way, or behind every `step`th. The server may keep so many
/// descriptors.
fn cut_everywhere(server: &Program, step: usize, kept: u64) {
    let (bytes, idle) = (whole(), Figures::of(server.id()));
    let mut client = server.client();
    client.send(&bytes).end();
    // All are of the same length, whatever the date.
    let answered = client.rest().unwrap().len();
    drop(client);
    let before = settled(server, idle, kept);
    for how in CUTS {
        let most = if matches!(how, Cut::ReadsSome) { answered } else { bytes.len() };
        for length in (0..=most).step_by(step) {
            cut(server, how, &bytes, length);
        }
        assert_conversation(server);
    }
    let after = settled(server, idle, kept);
    let more = after.resident.saturating_sub(before.resident);
    assert!(more < 8 << 10, "{more} KiB of memory are not given back");
}

#[test]
fn connections_that_are_cut_behind_any_byte_leave_nothing_behind() {
    let probe = Program::start(command("probe", &[("PORT", "0")]));
    cut_everywhere(&probe, 1, 0);
    probe.signal("TERM");
    let (status, errors) = probe.end();
    assert!(status.success() && errors.is_empty(), "{status}: {errors:?}");
}

#[test]
fn before_the_balancer_they_leave_nothing_behind_there_and_further_on() {
    let probe = Program::start(command("probe", &[("PORT", "0")]));
    let backends = probe.address().to_string();
    let settings = [("PORT", "0"), ("BACKENDS", &*backends), ("HEALTH", "/")];
    let balancer = Program::start(command("balancer", &settings));
    // It keeps connections to a backend.
    cut_everywhere(&balancer, 5, 64);
    balancer.signal("TERM");
    let (status, errors) = balancer.end();
    // Each answer that did not get through is a line of its log.
    let others: Vec<_> = errors.iter().filter(|line| !line.contains("(os error ")).collect();
    assert!(status.success() && others.is_empty(), "{status}: {others:?}");
    assert_conversation(&probe);
    probe.signal("TERM");
    let (status, errors) = probe.end();
    assert!(status.success() && errors.is_empty(), "{status}: {errors:?}");
}

#[test]
fn what_was_acknowledged_before_a_cut_is_kept_and_what_came_by_half_is_not() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &*log)];
    let server = Program::start(command("bookmark", &settings));
    let request = |name: &str| {
        let form = format!("longuri={}/&shortname={name}", server.url);
        format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            server.address(),
            form.len()
        )
    };
    let leads = |name: &str| server.client().get(&format!("/{name}")).answer().status == 303;
    let whole = request("half000").len();
    for length in 0..whole {
        let mut client = server.client();
        client.send(&request(&format!("half{length:03}"))[..length]);
        if length % 2 == 0 {
            client.end();
            let rest = client.rest().unwrap();
            assert!(!rest.starts_with(b"HTTP/1.1 303 "), "{length}: {}", rest.escape_ascii());
        }
    }
    assert_eq!(server.client().send(request("whole")).answer().status, 303);
    // Whoever reads the first bytes of the answer, and no more, can rely on it.
    for length in ["HTTP/1.1 303".len(), 40, 100] {
        let mut client = server.client();
        client.send(request(&format!("read{length}")));
        client.stream.read_exact(&mut vec![0; length]).unwrap();
        drop(client);
        assert!(leads(&format!("read{length}")));
    }
    let halves = (0..whole).filter(|length| leads(&format!("half{length:03}"))).count();
    assert_eq!(halves, 0, "what came by half was saved");
    server.kill();
    let server = Program::start(command("bookmark", &settings));
    for name in ["whole", "read12", "read40", "read100"] {
        assert_eq!(server.client().get(&format!("/{name}")).answer().status, 303, "{name}");
    }
}
