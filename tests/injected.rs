//! Faults that only root, strace or faketime can bring about: full and read-only disks, system calls that
//! fail one by one, a time of day that jumps under a running program.
//!
//! Needs root, for disks of its own, and Debian's packages `strace` and `faketime`; without them the
//! tests fail and say so: cargo test -p tests --test injected
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]
#![cfg(target_os = "linux")]

#[path = "faults/conversation.rs"]
#[allow(dead_code, reason = "what is not sent over sockets is for another suite")]
mod conversation;
#[path = "injected/calls.rs"]
mod calls;
#[path = "injected/disks.rs"]
mod disks;
#[path = "injected/times.rs"]
mod times;

use harness::client::Client;
use harness::program::Program;

/// A form that saves this server under a name.
fn posted(server: &Program, name: &str) -> String {
    let form = format!("longuri={}&shortname={name}", server.url);
    let (host, length) = (server.address(), form.len());
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{form}"
    )
}

/// The status that saving a name is answered.
fn save(server: &Program, client: &mut Client, name: &str) -> u16 {
    client.send(posted(server, name)).answer().status
}

/// The status that a name is answered: 303 where it is saved.
fn look_up(server: &Program, name: &str) -> u16 {
    server.client().get(&format!("/{name}")).answer().status
}
