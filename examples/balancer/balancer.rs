//! Which backend is asked, what is done when it fails, and what the client is told.
//!
//! A request is sent a second time only where nothing of it was sent, or where it is idempotent and its
//! body is still there (RFC 9110 section 9.2.2): a bookmark saved twice is worse than a 502. For the same
//! reason no other requests go over kept connections, which may be closing already.

use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use longhand::wire::Status;
use longhand::{Handle, Request, Response, State};
use longhand_kit::forwarded::Proxies;

use crate::backend::{Backend, Health};
use crate::exchange::is_end;
use crate::fields::{Outgoing, forwards, passed_through};

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
        if forwards(&head) == Some(0) {
            let can = if head.method == "TRACE" { Status::NOT_IMPLEMENTED } else { Status::OK };
            return Ok(told(can, "this balancer, which was to pass it on no more"));
        }
        let mut asked = Outgoing::new(request, &client, &self.via)?;
        let (mut tried, mut last, mut cannot) = (Vec::new(), None, None);
        while let Some(backend) = self.choose(&tried) {
            let error = match asked.ask(backend) {
                // It is there, and cannot: it does not reach its store, say, which another one does.
                Ok(response)
                    if response.status_code() == Status::SERVICE_UNAVAILABLE
                        && mem::take(&mut asked.again) =>
                {
                    cannot = Some(response);
                    tried.push(backend.address);
                    continue;
                }
                Ok(response) => return Ok(response),
                Err(error) if setup::is_out_of_descriptors(&error) => {
                    return Err(unavailable("no connection to spare").because(error));
                }
                Err(error) => last.insert(error),
            };
            backend.failed();
            tried.push(backend.address);
            if asked.sent && !(is_end(error) && mem::take(&mut asked.again)) {
                break;
            }
        }
        cannot.ok_or_else(|| match last {
            None => unavailable("no backend takes requests now"),
            Some(error) => failed(error, asked.sent),
        })
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
            let (address, state) = (backend.address.to_string(), backend.health().word());
            let Health { answered, failed, .. } = backend.health();
            let flying = Arc::strong_count(&backend.flight) - 1;
            text += &format!("{address:<21} {state:<7} {flying:>10} {answered:>10} {failed:>10}\n");
        }
        let mut states = self.backends.iter().map(|backend| backend.health().word());
        let ready = self.server.state() == State::Ready && states.any(|state| state == "up");
        let status = if ready { Status::OK } else { Status::SERVICE_UNAVAILABLE };
        Response::text(text).status(status).field("Cache-Control", "no-store")
    }
}

fn failed(error: io::Error, sent: bool) -> Response {
    let why = match error.kind() {
        _ if !sent => "could not be reached",
        ErrorKind::TimedOut => "did not answer in time",
        _ if is_end(&error) => "ended before its answer",
        _ => "answered what cannot be read",
    };
    let late = error.kind() == ErrorKind::TimedOut;
    let status = if late { Status::GATEWAY_TIMEOUT } else { Status::BAD_GATEWAY };
    told(status, &format!("a backend {why}")).because(error)
}

fn unavailable(why: &str) -> Response {
    told(Status::SERVICE_UNAVAILABLE, why).field("Retry-After", "1")
}

fn told(status: Status, why: &str) -> Response {
    Response::text(format!("{status}: {why}\n")).status(status)
}
