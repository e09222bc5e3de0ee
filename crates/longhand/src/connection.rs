//! One connection, from its first byte to its close: the state machine lives here alone.
//!
//! ```text
//!          first byte               head whole             response written
//! wait() ------------> read_head() -----------> exchange() ----------------> conclude()
//!   ^                       |                       |                            |
//!   |            a rule broken, too slow      a rule broken           body left over: too much
//!   |                       v                       v                            v
//!   |                   refuse() ---------------> linger() <---------------------+
//!   +------------------------ it persists: body left over is dropped ------------+
//! ```
//!
//! After a refusal nothing is parsed any more. A close that may leave bytes of the peer unread is a
//! lingering one: the sending side ends, and what still comes is read and dropped for a while,
//! because a reset would take the answer away from the peer (RFC 9112 section 9.6).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::admit::admit;
use crate::body::Body;
use crate::body_state::{BodyState, Unread};
use crate::buffer::{BEHIND, Buffer};
use crate::content::Takeover;
use crate::exchange::{Done, End, Exchange, Handler, Surroundings};
use crate::facts::Facts;
use crate::failure::Broken;
use crate::into_response::IntoResponse;
use crate::limits::Limits;
use crate::linger::close;
use crate::link::{Link, Source};
use crate::observe::{Answered, Event, Why};
use crate::request::{Persistence, Request};
use crate::respond::respond;
use crate::response_head::{Asked, DateText};
use crate::seat::{Phase, Seat, State};
use crate::transport::Transport;
use crate::wire::{
    FieldLine, Framing, Kind, Layout, RequestHead, Version, Violation, scan_request,
};
use crate::writer::Upgraded;

/// Serves one connection to its end: no threads, no listener. Tests, fuzzing, lessons and servers of
/// another make use this door; behind it is the state machine that [`Server`](crate::Server) uses.
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
    let now = transport.now();
    let seat = Seat::new(now, now, None);
    let (phase, crowd) = (&Phase::ready(), &std::sync::atomic::AtomicUsize::new(1));
    let around = Surroundings { limits, seat: &seat, phase, crowd, observer: None };
    serve(transport, &around, &|request| handler(request).into_response()).0
}

/// Serves one connection; gives why it ended and how many requests it had.
pub(crate) fn serve<'s>(
    transport: &mut dyn Transport,
    around: &Surroundings<'_>,
    handler: &Handler<'_, 's>,
) -> (Why, u64) {
    let now = transport.now();
    let mut connection = Connection {
        now,
        link: Link::new(transport),
        buffer: Buffer::new(),
        lines: Vec::new(),
        host: String::new(),
        date: DateText::new(now),
        around,
        requests: 0,
        framing: None,
    };
    let end = match connection.link.transport.set_write_stall(around.limits.write_stall) {
        Ok(()) => connection.run(handler),
        Err(_) => End::Now(Why::Failed),
    };
    (close(&mut connection.link, end, around.limits), connection.requests)
}

struct Connection<'a, 't> {
    link: Link<'t>,
    buffer: Buffer,
    lines: Vec<FieldLine>,
    /// The Host that was judged last.
    host: String,
    date: DateText,
    around: &'a Surroundings<'a>,
    /// The time when the last request was done with, or the connection began.
    now: Instant,
    requests: u64,
    /// How the body of the last request was delimited.
    framing: Option<Framing>,
}

impl Connection<'_, '_> {
    fn run<'s>(&mut self, handler: &Handler<'_, 's>) -> End {
        loop {
            let head = match self.read_head() {
                Ok(head) => head,
                Err(end) => return end,
            };
            match self.exchange(&head, handler) {
                Ok(true) => {}
                Ok(false) => self.buffer.reserve(head.end, BEHIND),
                Err(end) => return end,
            }
        }
    }

    /// Waits for a request and reads its head, from whose first byte on nobody takes the connection.
    fn read_head(&mut self) -> Result<Layout, End> {
        let limits = self.around.limits;
        let patience = if self.requests == 0 { limits.first_byte } else { limits.idle };
        let (mut now, mut left) = (self.now, patience);
        let mut begun = None;
        let mut nothing_yet = self.buffer.is_empty();
        loop {
            if nothing_yet {
                self.wait(now, left)?;
            }
            match scan_request(self.buffer.filled(), limits, &mut self.lines, &mut ()) {
                Ok(Some(head)) => return Ok(head),
                // Empty lines, some clients' habit after a body, are no beginning: the wait goes on.
                Ok(None) if self.buffer.is_blank() => {
                    now = self.link.now();
                    left = patience.saturating_sub(now.saturating_duration_since(self.now));
                    nothing_yet = true;
                    continue;
                }
                Ok(None) => nothing_yet = false,
                Err(violation) => return Err(self.refuse(violation)),
            }
            let now = self.link.now();
            let begun = *begun.get_or_insert(now);
            let left = limits.head_time.saturating_sub(now.saturating_duration_since(begun));
            self.link.flush().map_err(|_| End::Now(Why::Failed))?;
            match self.buffer.fill(&mut self.link, now, left) {
                Ok(0) => return Err(self.refuse_here(Kind::EndedInHead)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(self.refuse_here(Kind::HeadTime));
                }
                Err(_) => return Err(End::Now(Why::Failed)),
            }
        }
    }

    /// Waits for the first byte of a request for as long as is `left`; an empty line is no beginning.
    fn wait(&mut self, now: Instant, left: Duration) -> Result<(), End> {
        // What was gathered is written first: a connection that counts as idle owes nothing.
        self.link.flush().map_err(|_| End::Now(Why::Failed))?;
        if self.requests > 0 {
            self.around.seat.go_idle(self.now);
            // The drain looks for idle connections as it begins; those of later look for the drain.
            if self.around.phase.get() == State::Draining {
                return Err(End::Lingering(Why::MadeRoom));
            }
            self.around.make_way();
        }
        self.buffer.shrink();
        self.link.shrink();
        let read = self.buffer.fill(&mut self.link, now, left);
        // Where the place was taken, what came before is read too: the close is no reset. What comes later
        // is answered with one on Linux, which can cost an answer only to a client that pipelines.
        match read {
            _ if self.around.seat.is_taken() => Err(End::Lingering(Why::MadeRoom)),
            Ok(0) => Err(End::Now(Why::PeerClosed)),
            Ok(_) if self.buffer.is_blank() || self.around.seat.begin() => Ok(()),
            Ok(_) => Err(End::Lingering(Why::MadeRoom)),
            Err(error) => Err(End::Now(match error.kind() {
                io::ErrorKind::TimedOut => Why::Idle,
                // Over TLS, an end that was not said: between two requests it cuts nothing (RFC 9112
                // section 9.8).
                io::ErrorKind::UnexpectedEof => Why::PeerClosed,
                _ => Why::Failed,
            })),
        }
    }

    /// One request with its response. False, and nothing done, where its body needs more room in the
    /// buffer: making it moves the head.
    fn exchange<'s>(&mut self, layout: &Layout, handler: &Handler<'_, 's>) -> Result<bool, End> {
        let arrived = self.buffer.behind(layout.end);
        let (front, behind) = self.buffer.split(layout.end);
        let head = RequestHead::new(front, layout, &self.lines, Some(&mut self.host));
        let head = match &head {
            Ok(head) => head,
            Err(violation) => return Err(self.refuse(*violation)),
        };
        let admitted = match admit(head, layout.second.0, &*self.link.transport) {
            Ok(admitted) => admitted,
            Err(violation) => return Err(self.refuse(violation)),
        };
        if behind.len() < BEHIND && admitted.wants_more(arrived) {
            return Ok(false);
        }
        self.requests += 1;
        self.framing = Some(admitted.framing);
        let mut state =
            BodyState::new(admitted.framing, admitted.expects, arrived, self.around.limits);
        let exchange = Exchange { link: &mut self.link, date: &mut self.date, around: self.around };
        let mut done = exchange.run(head, &admitted, behind, &mut state, handler)?;
        self.now = done.now;
        if let Some(takeover) = done.takeover.take() {
            self.buffer.leave(layout.end, state.from, state.to);
            return Err(self.hand_over(takeover));
        }
        self.conclude(layout.end, &mut state, &done).map(|()| true)
    }

    /// After the response: what is left of the body is read and dropped, or the connection closes.
    fn conclude(&mut self, head: usize, state: &mut BodyState, done: &Done<'_>) -> Result<(), End> {
        if !done.whole {
            // What was sent so far goes out; that it ends without its end is how the peer can tell.
            let _ = self.link.flush();
            return Err(End::Now(Why::Failed));
        }
        if done.persistence == Persistence::Persist {
            if let Unread::Known(left) = state.unread() {
                let (_, behind) = self.buffer.split(head);
                let mut body = Body::new(&mut self.link, behind, state, self.around.limits);
                body.discard(left).map_err(|_| End::Lingering(Why::Failed))?;
                self.now = self.link.now();
            }
        }
        self.buffer.leave(head, state.from, state.to);
        match (done.persistence, done.client) {
            (Persistence::Persist, _) => Ok(()),
            (Persistence::Close, Persistence::Close)
                if state.unread() == Unread::Nothing && self.buffer.filled().is_empty() =>
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
        match catch_unwind(AssertUnwindSafe(|| takeover(upgraded))) {
            Ok(Ok(())) => End::Lingering(Why::Upgraded),
            Ok(Err(_)) => End::Now(Why::Failed),
            Err(panic) => {
                self.around.tell_panic(peer, &*panic);
                End::Now(Why::Failed)
            }
        }
    }

    /// Answers a broken rule. Nothing is parsed after it.
    fn refuse(&mut self, violation: Violation) -> End {
        // If the method is HEAD, it stands before the byte at fault; bytes behind it must not count.
        let received = self.buffer.filled();
        let before = &received[..violation.at().min(received.len())];
        let head_only = before.trim_ascii_start().starts_with(b"HEAD ");
        let asked = Asked { version: Version::Http11, head_only, persistence: Persistence::Close };
        self.now = self.link.now();
        let mut reply = Broken::behind(self.framing, self.buffer.filled(), violation).answer();
        let sent = respond(&mut self.link, asked, &mut reply, &mut self.date, self.now);
        self.around.tell(&Event::Answered(Answered {
            peer: self.link.transport.peer(),
            head: None,
            violation: Some(violation),
            status: violation.status(),
            body: sent.body,
            took: Duration::ZERO,
            whole: sent.failure.is_none(),
            error: None,
            facts: &Facts::default(),
        }));
        End::Lingering(Why::ServerAsked)
    }

    /// Refuses a head for what did not come: noticed behind the last byte that did.
    fn refuse_here(&mut self, kind: Kind) -> End {
        self.refuse(Violation::new(kind, self.buffer.filled().len(), None))
    }
}
