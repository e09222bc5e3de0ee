//! Which backend is asked, what is done when it fails, and what the client is told.
//!
//! A request is sent a second time only where nothing of it was sent, or where it is idempotent and its
//! body is still there (RFC 9112 section 9.3.1): a bookmark saved twice is worse than a 502. For the
//! same reason only idempotent requests go over kept connections, which may be closing already.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use longhand::transport::Transport;
use longhand::wire::{Framing, Status, encode_chunk_size};
use longhand::{FieldValue, Handle, IntoResponse, Request, Response, State};
use longhand_kit::forwarded::Proxies;

use crate::backend::{Backend, Upstream};
use crate::body::Incoming;
use crate::fields::{Outgoing, passed_through, passing};

/// Bytes of a request's body that are sent at once.
const PIECE: usize = 32 << 10;
/// How long a body waits for the 100 that its client asked for.
const EXPECTED: Duration = Duration::from_secs(1);

pub(crate) struct Balancer {
    pub(crate) backends: Vec<Backend>,
    pub(crate) least_in_flight: bool,
    pub(crate) connect: Duration,
    pub(crate) patience: Duration,
    pub(crate) proxies: Proxies,
    pub(crate) server: Handle,
    /// This program's name in Via, which no other has.
    pub(crate) via: String,
    pub(crate) next: AtomicUsize,
}

/// Why a backend gave no answer.
enum Failure {
    /// It was not reached, and nothing was sent.
    Unreached(io::Error),
    /// It ended, said nothing in time, or said what cannot be read.
    Lost(io::Error),
    /// The client's own body failed.
    Client(io::Error),
}

/// A connection, what came over it, and whether the whole request was sent before.
type Heard = (Upstream, Answer, bool);

/// The head of an answer, and the length that its body has, or would have if this were no HEAD.
struct Answer {
    status: Status,
    fields: Vec<(String, FieldValue)>,
    length: Option<u64>,
}

impl Balancer {
    pub(crate) fn answer(&'static self, request: &mut Request<'_>) -> Response {
        let (client, head) = (self.proxies.client(request), request.head());
        if head.target.path() == "/.balancer" && client.address().is_some_and(|ip| ip.is_loopback())
        {
            return self.page();
        }
        if passed_through(head.fields, &self.via) {
            return told(Status::LOOP_DETECTED, "this request has been here before, says its Via");
        }
        let mut asked = match Outgoing::new(request, &client, &self.via) {
            Ok(asked) => asked,
            Err(violation) => return violation.into_response(),
        };
        let (mut tried, mut last) = (Vec::new(), None);
        while let Some(backend) = self.choose(&tried) {
            tried.push(backend.address);
            let failure = match self.ask(backend, &mut asked) {
                Ok(response) => return response,
                Err(Failure::Client(error)) => return error.into_response(),
                Err(failure) => failure,
            };
            backend.failed();
            let again =
                matches!(failure, Failure::Unreached(_)) || failure.allows_second(&mut asked);
            last = Some(failure);
            if !again {
                break;
            }
        }
        let nobody = || told(Status::SERVICE_UNAVAILABLE, "no backend takes requests now");
        last.map_or_else(|| nobody().field("Retry-After", "1"), Failure::answer)
    }

    /// One that takes requests and was not tried, the one whose turn it is before others.
    fn choose(&self, tried: &[SocketAddr]) -> Option<&Backend> {
        let first = self.next.fetch_add(1, Relaxed) % self.backends.len();
        let turns = self.backends[first..].iter().chain(&self.backends[..first]);
        let mut open =
            turns.filter(|one| !tried.contains(&one.address) && one.health().word() == "up");
        if self.least_in_flight {
            return open.min_by_key(|backend| Arc::strong_count(&backend.flight));
        }
        open.next()
    }

    /// Asks one, over a kept connection first.
    fn ask(
        &self,
        backend: &'static Backend,
        asked: &mut Outgoing<'_, '_>,
    ) -> Result<Response, Failure> {
        let flight = Arc::clone(&backend.flight);
        let kept = asked.idempotent.then(|| backend.kept()).flatten();
        let heard = match kept.map(|kept| self.exchange(kept, asked)) {
            // It was closing while it was asked, which is nobody's fault.
            Some(Err(failure)) if failure.allows_second(asked) => None,
            heard => heard,
        };
        let (upstream, answer, whole) = heard.unwrap_or_else(|| {
            let fresh = backend.open(self.connect, self.patience).map_err(Failure::Unreached)?;
            self.exchange(fresh, asked)
        })?;
        backend.answered();
        let (upstream, patience) = (Some(upstream), self.patience);
        let keeps = whole && answer.status != Status::RESET_CONTENT;
        let incoming = Incoming { upstream, backend, _flight: flight, patience, keeps };
        Ok(self.pass(answer, incoming))
    }

    /// Sends the request and reads the head of its answer. Tells too whether all of it was sent.
    fn exchange(
        &self,
        mut upstream: Upstream,
        asked: &mut Outgoing<'_, '_>,
    ) -> Result<Heard, Failure> {
        upstream.source().write_all(&asked.head).map_err(Failure::Lost)?;
        let mut answer = None;
        if asked.expects {
            answer = match next_answer(&mut upstream, asked.method, Instant::now(), EXPECTED) {
                Err(error) if error.kind() == ErrorKind::TimedOut => None,
                other => other.map_err(Failure::Lost)?,
            };
        }
        let mut whole = asked.framing == Framing::None;
        let mut piece = vec![0; if whole { 0 } else { PIECE }];
        while !whole && answer.is_none() {
            let count = asked.body.read(&mut piece).map_err(Failure::Client)?;
            whole = count == 0;
            // One that takes no more may have said why.
            if upstream.source().write_all(&framed(asked.framing, &piece[..count])).is_err() {
                whole = false;
                break;
            }
        }
        let since = Instant::now();
        while answer.is_none() {
            answer = next_answer(&mut upstream, asked.method, since, self.patience)
                .map_err(Failure::Lost)?;
        }
        let answer = answer.ok_or_else(|| Failure::Lost(ErrorKind::UnexpectedEof.into()))?;
        Ok((upstream, answer, whole))
    }

    /// The response to the client, whose body comes as the backend sends it.
    fn pass(&self, answer: Answer, mut incoming: Incoming) -> Response {
        let body: Box<dyn Read> =
            if incoming.is_over() { Box::new(io::empty()) } else { Box::new(incoming) };
        let response = Response::reader("", body, answer.length).without_field("Content-Type");
        let via = FieldValue::new(format!("1.1 {}", self.via)).map(|via| ("Via".to_owned(), via));
        let fields = answer.fields.into_iter().chain(via);
        let add = |response: Response, (name, value)| response.add_field(name, value);
        fields.fold(response.status(answer.status), add)
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

/// The next head, if it is a final one; `None` is an interim one, which goes no further.
fn next_answer(
    upstream: &mut Upstream,
    method: &str,
    since: Instant,
    patience: Duration,
) -> io::Result<Option<Answer>> {
    upstream.source().set_read_deadline(since, Some(patience));
    let head = upstream.head(method)?;
    if head.status == Status::SWITCHING_PROTOCOLS {
        return Err(io::Error::new(ErrorKind::InvalidData, "it switches protocols unasked"));
    }
    if head.status.is_interim() {
        return Ok(None);
    }
    let length = match Framing::of_response(&head, "GET")? {
        Some(Framing::Length(length)) => Some(length),
        Some(Framing::None) => Some(0),
        Some(Framing::Chunked) | None => None,
    };
    let field = |(name, value): (&str, &[u8])| Ok((name.to_owned(), FieldValue::new(value)?));
    let fields = passing(head.fields).map(field).collect::<io::Result<_>>()?;
    Ok(Some(Answer { status: head.status, fields, length }))
}

// ABNF: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF             (RFC 9112 section 7.1)
/// A piece of a body as it goes out. The empty one is the last chunk and no trailers, or nothing.
fn framed(framing: Framing, piece: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(piece.len() + 16);
    if framing == Framing::Chunked {
        encode_chunk_size(piece.len(), &mut out);
    }
    out.extend_from_slice(piece);
    if framing == Framing::Chunked {
        out.extend_from_slice(b"\r\n");
    }
    out
}

impl Failure {
    /// Whether the connection ended, and the request may be sent once more.
    fn allows_second(&self, asked: &mut Outgoing<'_, '_>) -> bool {
        matches!(self, Self::Lost(error) if is_end(error)) && asked.body.rewind()
    }

    fn answer(self) -> Response {
        let (why, error) = match self {
            Self::Client(error) => return error.into_response(),
            Self::Unreached(error) => ("could not be reached", error),
            Self::Lost(error) if error.kind() == ErrorKind::TimedOut => {
                ("did not answer in time", error)
            }
            Self::Lost(error) if is_end(&error) => ("ended before its answer", error),
            Self::Lost(error) => ("answered what cannot be read", error),
        };
        let late = error.kind() == ErrorKind::TimedOut;
        let status = if late { Status::GATEWAY_TIMEOUT } else { Status::BAD_GATEWAY };
        told(status, &format!("a backend {why}")).because(error)
    }
}

fn is_end(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind())
}

fn told(status: Status, why: &str) -> Response {
    Response::text(format!("{status}: {why}\n")).status(status)
}
