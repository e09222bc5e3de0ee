//! The server over real sockets: threads, places, drains and shortages.
//!
//! Each test runs a server of its own on port 0, or in a child process where it takes limits of the
//! system away. Nothing waits a while: what has happened is told by the server's events, by
//! answers, and by doors that the test opens.

#[path = "server/observing.rs"]
mod observing;
#[path = "server/draining.rs"]
mod draining;
#[path = "server/places.rs"]
mod places;
#[path = "server/serving.rs"]
mod serving;
#[cfg(target_os = "linux")]
#[path = "server/shortages.rs"]
mod shortages;
#[path = "server/uploads.rs"]
mod uploads;

use longhand::Server;

/// A server on a free port of the loopback address.
fn bind() -> Server {
    Server::bind("127.0.0.1:0").expect("a free port")
}
