//! One connection, from its first byte to its close: the state machine lives here alone.
//!
//! ```text
//!            first byte          head whole            handler returned
//! fresh/idle ----------> reading ----------> answering ----------------> answered
//!     ^                     |                    |                          |
//!     |        a rule broken, too slow      body failed              body left over:
//!     |                     v                    v                  drained, or too much
//!     |                  refused ------------> closing <--------------------|
//!     +-------------------------- persists <--------------------------------+
//! ```
//!
//! After a refusal nothing is parsed any more. A close that may leave bytes of the peer unread is a
//! lingering one: the sending side ends, and what still comes is read and dropped for a while,
//! because a reset would take the answer away from the peer (RFC 9112 section 9.6).

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::admit::{Admitted, admit, refusal};
use crate::body::{Body, BodyState, Failure, Rest, deadline};
use crate::buffer::{BEHIND, Buffer};
use crate::limits::Limits;
use crate::link::{Link, Source};
use crate::observe::{Answered, Event, Why};
use crate::request::{Persistence, Request};
use crate::respond::{Asked, DateText, Sent, respond, short_answer};
use crate::response::{Content, IntoResponse, Reply, Takeover};
use crate::seat::{Phase, Seat, State};
use crate::transport::Transport;
use crate::wire::{FieldLine, Kind, Layout, RequestHead, Status, Version, Violation, scan_request};
use crate::writer::Upgraded;

/// What a connection knows of the server around it.
pub(crate) struct Surroundings<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) seat: &'a Seat,
    pub(crate) phase: &'a Phase,
    pub(crate) observer: Option<&'a (dyn Fn(&Event<'_>) + Send + Sync)>,
}

/// A handler whose type is forgotten: the state machine is compiled once.
pub(crate) type Handler<'h, 's> = dyn Fn(&mut Request<'_>) -> Reply<'s> + 'h;

/// Serves one connection to its end: no threads, no listener. Tests, fuzzing, lessons and servers of
/// another make use this door; it is the one that [`Server`](crate::Server) uses.
///
/// The transport is left open for the caller to drop, its sending side perhaps ended.
///
/// ```
/// use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
///
/// let mut peer = Scripted::new().send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
///     Response::text(request.path().to_owned())
/// });
/// assert!(peer.output_text().ends_with("\r\n\r\n/a"));
/// ```
pub fn serve_connection<'s, T, F, R>(transport: &mut T, limits: &Limits, handler: F) -> Why
where
    T: Transport,
    F: Fn(&mut Request<'_>) -> R,
    R: IntoResponse<'s>,
{
    let seat = Seat::new(transport.now(), None);
    let around = Surroundings { limits, seat: &seat, phase: &Phase::READY, observer: None };
    serve(transport, &around, &|request| handler(request).into_response()).0
}

/// Serves one connection; gives why it ended and how many requests it had.
pub(crate) fn serve<'s>(
    transport: &mut dyn Transport,
    around: &Surroundings<'_>,
    handler: &Handler<'_, 's>,
) -> (Why, u64) {
    let mut connection = Connection {
        now: transport.now(),
        link: Link::new(transport),
        buffer: Buffer::new(),
        lines: Vec::new(),
        date: DateText::new(),
        around,
        requests: 0,
    };
    let end = match connection.link.transport.set_write_stall(around.limits.write_stall) {
        Ok(()) => connection.run(handler),
        Err(_) => End::Now(Why::Failed),
    };
    let why = match end {
        End::Now(why) => why,
        End::Flushed(why) => connection.link.flush().map_or(Why::Failed, |()| why),
        End::Lingering(why) => connection.linger(why),
    };
    (why, connection.requests)
}

/// How a connection ends.
enum End {
    /// Nothing is owed to the peer.
    Now(Why),
    /// What is gathered is owed, and the peer has nothing more to send.
    Flushed(Why),
    /// What is gathered is owed, and the peer may still be sending.
    Lingering(Why),
}

struct Connection<'a, 't> {
    link: Link<'t>,
    buffer: Buffer,
    lines: Vec<FieldLine>,
    date: DateText,
    around: &'a Surroundings<'a>,
    /// The time at the last event that made a difference; the clock is asked once a request.
    now: Instant,
    requests: u64,
}

impl Connection<'_, '_> {
    fn run<'s>(&mut self, handler: &Handler<'_, 's>) -> End {
        self.around.seat.arrive(self.now);
        loop {
            let head = match self.read_head() {
                Ok(head) => head,
                Err(end) => return end,
            };
            if let Err(end) = self.exchange(&head, handler) {
                return end;
            }
        }
    }

    /// Waits for a request and reads its head. Waiting is where the connection may be taken away;
    /// from the first byte on it is not.
    fn read_head(&mut self) -> Result<Layout, End> {
        let limits = self.around.limits;
        let mut begun = None;
        if self.buffer.filled().is_empty() {
            self.wait()?;
        }
        loop {
            match scan_request(self.buffer.filled(), limits, &mut self.lines, &mut ()) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(violation) => return Err(self.refuse(violation)),
            }
            let now = self.link.now();
            let begun = *begun.get_or_insert(now);
            match self.buffer.fill(&mut self.link, now, deadline(begun, limits.head_time)) {
                Ok(0) if self.buffer.filled().iter().all(|octet| b"\r\n".contains(octet)) => {
                    return Err(End::Flushed(Why::PeerClosed));
                }
                Ok(0) => return Err(self.refuse_here(Kind::EndedInHead)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(self.refuse_here(Kind::HeadTime));
                }
                Err(_) => return Err(End::Now(Why::Failed)),
            }
        }
    }

    /// Waits for the first byte of a request.
    fn wait(&mut self) -> Result<(), End> {
        let limits = self.around.limits;
        let patience = if self.requests == 0 { limits.first_byte } else { limits.idle };
        // What was gathered is written before the connection counts as idle: whoever takes an idle
        // connection may be sure that the peer has its answer.
        if self.link.flush().is_err() {
            return Err(End::Now(Why::Failed));
        }
        if self.requests > 0 {
            self.around.seat.rest(self.now);
            // The drain looks for idle connections after it has begun; one that goes idle later looks
            // for the drain.
            if self.around.phase.get() == State::Draining {
                return Err(End::Now(Why::MadeRoom));
            }
        }
        self.buffer.shrink();
        match self.buffer.fill(&mut self.link, self.now, deadline(self.now, patience)) {
            Ok(_) if self.around.seat.is_taken() => Err(End::Now(Why::MadeRoom)),
            Ok(0) => Err(End::Now(Why::PeerClosed)),
            Ok(_) if self.around.seat.begin() => Ok(()),
            Ok(_) => Err(End::Now(Why::MadeRoom)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(End::Now(Why::Idle)),
            Err(_) => Err(End::Now(Why::Failed)),
        }
    }

    /// One request with its response.
    fn exchange<'s>(&mut self, layout: &Layout, handler: &Handler<'_, 's>) -> Result<(), End> {
        let limits = self.around.limits;
        let (secure, peer) = (self.link.transport.is_secure(), self.link.transport.peer());
        // Where the body is still to come, it needs room behind the head; moving the buffer for it
        // means taking the head apart again.
        let (head, behind, admitted, arrived) = loop {
            let arrived = self.buffer.behind(layout.end);
            let (front, behind) = self.buffer.split(layout.end);
            let judged = RequestHead::new(front, layout, &self.lines)
                .and_then(|head| Ok((head, admit(&head, layout.second.0, secure)?)));
            match judged {
                Ok((_, admitted)) if admitted.wants_more(arrived) && behind.len() < BEHIND => {}
                Ok((head, admitted)) => break (head, behind, admitted, arrived),
                Err(violation) => return Err(self.refuse(violation)),
            }
            self.buffer.make_room(layout.end, BEHIND);
        };
        self.requests += 1;
        let started = self.around.observer.map(|_| self.link.now());

        let mut state = BodyState::new(admitted.framing, admitted.expects, arrived, limits);
        let body = Body::new(&mut self.link, behind, &mut state, limits);
        let mut request = Request::new(head, body, peer, secure, admitted.persistence);
        let reply = match catch_unwind(AssertUnwindSafe(|| handler(&mut request))) {
            Ok(reply) => reply,
            Err(panic) => {
                self.around.tell_panic(peer, &*panic);
                short_answer(Status::INTERNAL_SERVER_ERROR, "500 Internal Server Error\n")
            }
        };
        drop(request);

        let reply = match state.failure() {
            None => reply,
            Some(Failure::Violation(violation)) => {
                self.around.tell(&Event::Refused { peer, violation });
                refusal(violation)
            }
            Some(Failure::Transport(_)) => return Err(End::Now(Why::Failed)),
        };
        let mut reply = permit_upgrade(reply, &head, &admitted, state.rest());
        let takeover = match &mut reply.content {
            Content::Upgrade(takeover) => takeover.take(),
            _ => None,
        };
        let instant = matches!(reply.content, Content::Bytes(_));

        self.now = self.link.now();
        let asked = Asked {
            version: head.version,
            head_only: head.method == "HEAD",
            persistence: self.around.persistence(&admitted, state.rest()),
        };
        let status = reply.status;
        let sent = respond(&mut self.link, asked, reply, &mut self.date, self.now);
        if !instant {
            self.now = self.link.now();
        }
        if let Some(panic) = &sent.panic {
            self.around.tell_panic(peer, &**panic);
        }
        if let Some(started) = started {
            let took = self.now.saturating_duration_since(started);
            let whole = sent.outcome.is_ok();
            self.around.tell(&Event::Answered(Answered { peer, head: &head, status, body: sent.body, took, whole }));
        }
        if let Some(takeover) = takeover {
            self.buffer.leave(layout.end, state.from, state.to);
            return Err(self.hand_over(takeover));
        }
        self.conclude(layout.end, state, &sent, admitted.persistence)
    }

    /// After the response: what the handler left of the body is read and dropped, or the connection
    /// closes.
    fn conclude(&mut self, head: usize, mut state: BodyState, sent: &Sent, client: Persistence) -> Result<(), End> {
        if sent.outcome.is_err() {
            // What was sent so far goes out; that it ends without its end is how the peer can tell.
            let _ = self.link.flush();
            return Err(End::Now(Why::Failed));
        }
        if sent.persistence == Persistence::Persist {
            if let Rest::Known(left) = state.rest() {
                let (_, behind) = self.buffer.split(head);
                let mut body = Body::new(&mut self.link, behind, &mut state, self.around.limits);
                body.limit(left);
                if io::copy(&mut body, &mut io::sink()).is_err() {
                    return Err(End::Lingering(Why::Failed));
                }
                self.now = self.link.now();
            }
        }
        self.buffer.leave(head, state.from, state.to);
        match (sent.persistence, client) {
            (Persistence::Persist, _) => Ok(()),
            (Persistence::Close, Persistence::Close)
                if state.rest() == Rest::Nothing && self.buffer.filled().is_empty() =>
            {
                Err(End::Flushed(Why::PeerAsked))
            }
            (Persistence::Close, Persistence::Close) => Err(End::Lingering(Why::PeerAsked)),
            (Persistence::Close, Persistence::Persist) => Err(End::Lingering(Why::ServerAsked)),
        }
    }

    /// Gives the connection to another protocol, what was read of it first.
    fn hand_over(&mut self, takeover: Takeover<'_>) -> End {
        if self.link.flush().is_err() {
            return End::Now(Why::Failed);
        }
        let peer = self.link.transport.peer();
        let upgraded = Upgraded::new(self.buffer.filled(), self.link.transport);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| takeover(upgraded))) {
            self.around.tell_panic(peer, &*panic);
            return End::Now(Why::Failed);
        }
        End::Lingering(Why::Upgraded)
    }

    /// Answers a broken rule. Nothing is parsed after it.
    fn refuse(&mut self, violation: Violation) -> End {
        self.around.tell(&Event::Refused { peer: self.link.transport.peer(), violation });
        let asked = Asked { version: Version::Http11, head_only: false, persistence: Persistence::Close };
        self.now = self.link.now();
        respond(&mut self.link, asked, refusal(violation), &mut self.date, self.now);
        End::Lingering(Why::ServerAsked)
    }

    /// Refuses a head for what did not come: noticed behind the last byte that did.
    fn refuse_here(&mut self, kind: Kind) -> End {
        self.refuse(Violation::new(kind, self.buffer.filled().len(), None))
    }

    /// Writes what is owed, ends the sending side, and hears the peer out: until it ends, falls
    /// silent, or has had its time and its bytes.
    fn linger(&mut self, why: Why) -> Why {
        if self.link.flush().is_err() || self.link.transport.close_write().is_err() {
            return Why::Failed;
        }
        let limits = self.around.limits;
        let end = deadline(self.link.now(), limits.linger_time);
        let mut scrap = vec![0; 16 << 10];
        let mut left = limits.linger_bytes;
        loop {
            let now = self.link.now();
            match self.link.receive(&mut scrap, now, end.min(deadline(now, limits.linger))) {
                Ok(0) | Err(_) => return why,
                Ok(count) => left = left.saturating_sub(count as u64),
            }
            if left == 0 {
                return why;
            }
        }
    }
}

/// A switch of protocols is made only for a client that asked for it and has sent its whole request
/// (RFC 9110 section 7.8).
fn permit_upgrade<'s>(mut reply: Reply<'s>, head: &RequestHead<'_>, admitted: &Admitted, rest: Rest) -> Reply<'s> {
    let (Content::Upgrade(_), Some(protocol)) = (&reply.content, reply.upgrade) else { return reply };
    if !admitted.asks_for(head, protocol) {
        reply = Reply::text(format!("This resource is spoken to in {protocol}.\n")).status(Status::UPGRADE_REQUIRED);
        reply.upgrade = Some(protocol);
    } else if rest != Rest::Nothing {
        reply = short_answer(Status::BAD_REQUEST, "A request for another protocol must be read whole first.\n");
    }
    reply
}

impl Surroundings<'_> {
    fn tell(&self, event: &Event<'_>) {
        if let Some(observer) = self.observer {
            observer(event);
        }
    }

    fn tell_panic(&self, peer: Option<SocketAddr>, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&str>().copied();
        let message = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
        self.tell(&Event::Panicked { peer, message });
    }

    /// Whether the connection may go on after the response. What is left of the body decides with:
    /// what cannot be read and dropped within its limit, or might never come, closes.
    fn persistence(&self, admitted: &Admitted, rest: Rest) -> Persistence {
        let readable = match rest {
            Rest::Nothing => true,
            Rest::Known(left) => left <= self.limits.drain,
            Rest::Unknown => false,
        };
        if readable && self.phase.get() == State::Ready { admitted.persistence } else { Persistence::Close }
    }
}
