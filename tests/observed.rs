//! The kit's log, metrics, health check and trusted proxies, over a real server.
//!
//! Requests enter through sockets, from several threads and from hostile hands; lines and counters
//! come out, and are read back strictly. Nothing waits a while: a server that has ended has told
//! everything.

#[path = "observed/counted.rs"]
mod counted;
#[path = "observed/logged.rs"]
mod logged;
#[cfg(unix)]
#[path = "observed/proxied.rs"]
mod proxied;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use longhand::transport::Acceptor;
use longhand::{Event, IntoResponse, Request, Server};

/// Nothing here takes as long, on however slow a machine.
const NEVER: Duration = Duration::from_secs(60);

/// A place for lines that a test looks at.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).expect("lines are text")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a server beside the test, until somebody ends it.
fn run<A, F, R>(
    server: Server<A>,
    observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    handler: F,
) -> JoinHandle<()>
where
    A: Acceptor + 'static,
    F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    R: IntoResponse<'static>,
{
    let server = server.observe(observer);
    thread::spawn(move || {
        server.run(handler).expect("the server ran");
    })
}
