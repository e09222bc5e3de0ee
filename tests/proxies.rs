//! The bookmark server behind the configurations that come with it: real nginx and real HAProxy, TLS,
//! restarts without an outage, and requests that try to be read in two ways. And the same behind the
//! balancer of the examples, which speaks no TLS.
//!
//! ```text
//! cargo test -p tests --test proxies
//! DRILL=whole cargo test -p tests --test proxies drill     the outage drill in full: some minutes
//! ```
//!
//! Needs `nginx`, `haproxy`, `openssl` and `redis-server`; the drill on four hosts also `ip` (the package
//! iproute2) and root, for network namespaces. Without them the tests fail and say so.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]
#![cfg(unix)]

#[path = "proxies/corpus.rs"]
mod corpus;
#[path = "proxies/drill.rs"]
mod drill;
#[path = "proxies/forwarded.rs"]
mod forwarded;
#[path = "proxies/front.rs"]
mod front;
#[path = "proxies/hosts.rs"]
mod hosts;
#[path = "proxies/smuggling.rs"]
mod smuggling;

use std::net::TcpListener;

use harness::program::{Program, command};

/// A port that is free at this moment, and may be listened on again and again.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A bookmark server on this port, behind a proxy that it trusts.
fn instance(port: u16, store: &str, lame_duck: &str) -> Program {
    let port = port.to_string();
    let mut command = command(
        "bookmark",
        &[
            ("HOST", "127.0.0.1"),
            ("PORT", &port),
            ("STORE", store),
            ("CHECK_PRIVATE", "allow"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
            ("LAME_DUCK_MS", lame_duck),
        ],
    );
    command.env("ACCESS_LOG", "json");
    Program::start(command)
}
