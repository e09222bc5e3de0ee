//! What is known of a backend: how it is, what it has to do, which connections to it are kept.

use std::io::{self, Write};
use std::iter;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use longhand::transport::{TcpTransport, Transport};
use longhand::wire::Status;
use longhand::{Limits, Responses};

/// Requests that fail in a row before it is ejected for a while, whatever it says of itself.
const FAILURES: u64 = 3;
/// Kept connections: how many, and how long. Servers close idle ones, longhand's after 75 s.
const KEPT: usize = 64;
const KEPT_FOR: Duration = Duration::from_secs(30);

/// A connection to a backend.
pub(crate) type Upstream = Responses<TcpTransport>;

/// How long a backend may take to accept, may pause before and within its answer, and is left alone when
/// it has failed.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) connect: Duration,
    pub(crate) answer: Duration,
    pub(crate) eject: Duration,
}

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) times: Times,
    /// There is a clone for each request that is with it.
    pub(crate) flight: Arc<()>,
    health: Mutex<Health>,
    kept: Mutex<Vec<(Upstream, Instant)>>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Health {
    /// What the checks say. Before the first one, a request finds out.
    no: Option<&'static str>,
    ejected_until: Option<Instant>,
    missed_checks: u64,
    /// The last two checks were not answered at all: who can be asked elsewhere waits no longer.
    pub(crate) silent: bool,
    failed_in_a_row: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
}

impl Health {
    pub(crate) fn word(&self) -> &'static str {
        let ejected = self.ejected_until.is_some_and(|until| Instant::now() < until);
        self.no.unwrap_or(if ejected { "ejected" } else { "up" })
    }
}

impl Backend {
    pub(crate) fn new(address: SocketAddr, times: Times) -> Self {
        let (flight, health, kept) = Default::default();
        Self { address, times, flight, health, kept }
    }

    pub(crate) fn health(&self) -> Health {
        *lock(&self.health)
    }

    pub(crate) fn answered(&self) {
        let mut health = lock(&self.health);
        (health.answered, health.failed_in_a_row) = (health.answered + 1, 0);
    }

    /// A request failed by its fault. When its time is over one is let through, which may fail again.
    pub(crate) fn failed(&self) {
        let mut health = lock(&self.health);
        (health.failed, health.failed_in_a_row) = (health.failed + 1, health.failed_in_a_row + 1);
        if health.failed_in_a_row >= FAILURES {
            health.ejected_until = Some(Instant::now() + self.times.eject);
        }
    }

    pub(crate) fn connect(&self) -> io::Result<Upstream> {
        let stream = TcpStream::connect_timeout(&self.address, self.times.connect)?;
        let mut transport = TcpTransport::over(stream)?;
        transport.set_write_stall(self.times.answer)?;
        Ok(Responses::new(transport, &Limits::default()))
    }

    /// A kept connection that is still open and silent.
    pub(crate) fn kept(&self) -> Option<Upstream> {
        iter::from_fn(|| lock(&self.kept).pop()).find_map(|(mut upstream, since)| {
            let is_good = since.elapsed() < KEPT_FOR && upstream.source().is_quiet();
            is_good.then_some(upstream)
        })
    }

    pub(crate) fn keep(&self, upstream: Upstream) {
        let mut kept = lock(&self.kept);
        kept.retain(|(_, since)| since.elapsed() < KEPT_FOR);
        if kept.len() < KEPT {
            kept.push((upstream, Instant::now()));
        }
    }

    /// Asks it again and again how it is.
    pub(crate) fn check_for_ever(&self, path: &str, every: Duration) {
        loop {
            let begun = Instant::now();
            let checked = self.check(path, every.max(Duration::from_secs(1)));
            // One that could not be made says nothing of the backend.
            if !checked.as_ref().is_err_and(setup::is_out_of_descriptors)
                && let Some(state) = self.heard(checked.as_ref().ok().copied())
            {
                let (address, answer) = (self.address, checked.map(|status| status.to_string()));
                let answer = answer.as_deref().unwrap_or("no answer");
                setup::complain(&format!("backend {address} is {state}: {path} gets {answer}"));
            }
            thread::sleep(every.saturating_sub(begun.elapsed()));
        }
    }

    fn check(&self, path: &str, patience: Duration) -> io::Result<Status> {
        let (mut upstream, host) = (self.connect()?, self.address);
        upstream.source().set_read_deadline(Instant::now(), Some(patience));
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        upstream.source().write_all(request.as_bytes())?;
        loop {
            let status = upstream.head("GET")?.status;
            if !status.is_interim() {
                return Ok(status);
            }
        }
    }

    /// What a check was answered. Twice no answer, or a bad one, is down; a good one is up at once. Gives
    /// the state if it is another one.
    fn heard(&self, status: Option<Status>) -> Option<&'static str> {
        let mut health = lock(&self.health);
        health.missed_checks += 1;
        health.silent = status.is_none() && health.missed_checks > 1;
        let no = match status.map(Status::code) {
            Some(200..=399) => None,
            Some(404 | 503) => Some("leaving"),
            _ if health.missed_checks < 2 => return None,
            _ => Some("down"),
        };
        if no != Some("down") {
            health.missed_checks = 0;
        }
        (std::mem::replace(&mut health.no, no) != no).then(|| health.word())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(eject: Duration) -> Backend {
        let (connect, answer) = (Duration::ZERO, Duration::ZERO);
        Backend::new(([127, 0, 0, 1], 1).into(), Times { connect, answer, eject })
    }

    #[test]
    fn two_bad_checks_are_down_one_good_one_is_up_and_404_is_leaving() {
        let backend = backend(Duration::ZERO);
        for (code, state) in [
            (500, "up"),
            (200, "up"),
            (500, "up"),
            (0, "down"),
            (0, "down"),
            (302, "up"),
            (404, "leaving"),
            (0, "leaving"),
            (0, "down"),
            (503, "leaving"),
            (200, "up"),
        ] {
            backend.heard(Status::new(code));
            assert_eq!(backend.health().word(), state, "{code}");
        }
    }

    #[test]
    fn failures_in_a_row_eject_and_one_more_does_so_again() {
        let mut backend = backend(Duration::from_secs(3600));
        for _ in 0..2 {
            backend.failed();
            backend.failed();
            assert_eq!(backend.health().word(), "up");
            backend.answered();
        }
        backend.times.eject = Duration::ZERO;
        for _ in 0..3 {
            backend.failed();
        }
        assert_eq!(backend.health().word(), "up", "its time is over");
        backend.times.eject = Duration::from_secs(3600);
        backend.failed();
        assert_eq!(backend.health().word(), "ejected");
    }
}
