//! The example `bookmark` on a real Redis: several instances on one, and a Redis that goes and comes.
//!
//! Needs `redis-server` and `redis-cli`; without them every test fails and says so. Each test has a
//! Redis of its own, on loopback, in a folder of its own.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]
#![cfg(unix)]

#[path = "bookmark/asked.rs"]
mod asked;
#[path = "redis/going.rs"]
mod going;
#[path = "redis/letting_in.rs"]
mod letting_in;
#[path = "redis/shared.rs"]
mod shared;

use harness::program::Program;

use asked::{get, start};

/// A bookmark server on a Redis, which may check every site.
fn on(store: &str) -> Program {
    on_with(store, &[])
}

fn on_with(store: &str, more: &[(&str, &str)]) -> Program {
    let settings =
        [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", store), ("CHECK_PRIVATE", "allow")];
    start(&[&settings[..], more].concat())
}

/// Where a name leads, or the status that says why not.
fn leads(server: &Program, name: &str) -> Result<String, u16> {
    let answer = get(&format!("{}/{name}", server.url));
    answer.field("location").map(str::to_owned).ok_or(answer.status)
}
