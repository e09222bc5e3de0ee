//! Which backend is asked, what is done when it fails, and what the client is told.
//!
//! A request is sent a second time only where nothing of it was sent, or where it is idempotent and its
//! body is still there (RFC 9110 section 9.2.2): a bookmark saved twice is worse than a 502. For the same
//! reason no other requests go over kept connections, which may be closing already.

use std::io::ErrorKind;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use longhand::wire::Status;
use longhand::{Handle, Request, Response, State};
use longhand_kit::forwarded::Proxies;

use crate::backend::{Backend, is_own};
use crate::exchange::{Failure, ask, is_end};
use crate::fields::{Outgoing, passed_through};

pub(crate) struct Balancer {
    pub(crate) backends: Vec<Backend>,
    pub(crate) least_in_flight: bool,
    pub(crate) proxies: Proxies,
    pub(crate) server: Handle,
    /// This program's name in Via, which no other has.
    pub(crate) via: String,
    pub(crate) next: AtomicUsize,
}

impl Balancer {
    pub(crate) fn answer(&'static self, request: &mut Request<'_>) -> Result<Response, Response> {
        let (client, head) = (self.proxies.client(request), request.head());
        let is_here = client.address().is_some_and(|address| address.is_loopback());
        if head.target.path() == "/.balancer" && is_here {
            return Ok(self.page());
        }
        if passed_through(head.fields, &self.via) {
            return Err(told(Status::LOOP_DETECTED, "it has been here before, says its Via"));
        }
        let mut asked = Outgoing::new(request, &client, &self.via)?;
        let (mut tried, mut last) = (Vec::new(), None);
        while let Some(backend) = self.choose(&tried) {
            let failure = match ask(backend, &mut asked) {
                Ok(response) => return Ok(response),
                Err(Failure::Unreached(error)) if is_own(&error) => {
                    let none = told(Status::SERVICE_UNAVAILABLE, "no connection to spare");
                    return Err(none.field("Retry-After", "1").because(error));
                }
                Err(failure) => last.insert(failure),
            };
            backend.failed();
            tried.push(backend.address);
            if let Failure::Lost(error) = failure
                && !(is_end(error) && mem::take(&mut asked.again))
            {
                break;
            }
        }
        let nobody = || told(Status::SERVICE_UNAVAILABLE, "no backend takes requests now");
        Err(last.map_or_else(|| nobody().field("Retry-After", "1"), Failure::answer))
    }

    /// One that was not tried, the one whose turn it is before others. Those that are ejected come last:
    /// where nobody else is left, they may have got better.
    fn choose(&self, tried: &[SocketAddr]) -> Option<&Backend> {
        let first = self.next.fetch_add(1, Relaxed) % self.backends.len();
        ["up", "ejected"].iter().find_map(|state| {
            let turns = self.backends[first..].iter().chain(&self.backends[..first]);
            let mut open =
                turns.filter(|one| one.health().word() == *state && !tried.contains(&one.address));
            match self.least_in_flight {
                true => open.min_by_key(|backend| Arc::strong_count(&backend.flight)),
                false => open.next(),
            }
        })
    }

    /// How the backends are. 200 while new requests find one.
    fn page(&self) -> Response {
        let mut text = format!("{} is {:?}\n\n", self.via, self.server.state());
        text += "backend               state    in flight   answered     failed\n";
        for backend in &self.backends {
            let (address, health) = (backend.address.to_string(), backend.health());
            let (state, flying) = (health.word(), Arc::strong_count(&backend.flight) - 1);
            let (answered, failed) = (health.answered, health.failed);
            text += &format!("{address:<21} {state:<7} {flying:>10} {answered:>10} {failed:>10}\n");
        }
        let mut states = self.backends.iter().map(|backend| backend.health().word());
        let ready = self.server.state() == State::Ready && states.any(|state| state == "up");
        let status = if ready { Status::OK } else { Status::SERVICE_UNAVAILABLE };
        Response::text(text).status(status).field("Cache-Control", "no-store")
    }
}

impl Failure {
    fn answer(self) -> Response {
        let (reached, error) = match self {
            Self::Unreached(error) => (false, error),
            Self::Lost(error) => (true, error),
        };
        let late = error.kind() == ErrorKind::TimedOut;
        let why = match reached {
            false => "could not be reached",
            true if late => "did not answer in time",
            true if is_end(&error) => "ended before its answer",
            true => "answered what cannot be read",
        };
        let status = if late { Status::GATEWAY_TIMEOUT } else { Status::BAD_GATEWAY };
        told(status, &format!("a backend {why}")).because(error)
    }
}

fn told(status: Status, why: &str) -> Response {
    Response::text(format!("{status}: {why}\n")).status(status)
}
