//! One exchange: a request that was admitted, its handler, its response.
//!
//! The handler runs here and nowhere else, and so what it may do wrong is settled here: it panics, it
//! leaves a broken body behind, it switches to a protocol that nobody asked for.

use std::any::Any;
use std::error::Error;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::admit::Admitted;
use crate::body::Body;
use crate::body_state::{BodyState, Unread};
use crate::content::{Content, Takeover};
use crate::facts::Facts;
use crate::failure::{Failure, panic_text};
use crate::into_response::{IntoResponse, short_answer};
use crate::limits::Limits;
use crate::link::Link;
use crate::observe::{Answered, Event, Why};
use crate::request::{Persistence, Request};
use crate::respond::{Asked, DateText, Sent, respond};
use crate::response::Reply;
use crate::seat::{Phase, Seat, State};
use crate::wire::{RequestHead, Status};

/// What a connection knows of the server around it.
pub(crate) struct Surroundings<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) seat: &'a Seat,
    pub(crate) phase: &'a Phase,
    pub(crate) observer: Option<&'a (dyn Fn(&Event<'_>) + Send + Sync)>,
}

/// A handler whose type is forgotten: the state machine is compiled once.
pub(crate) type Handler<'h, 's> = dyn Fn(&mut Request<'_>) -> Reply<'s> + 'h;

/// How a connection ends.
pub(crate) enum End {
    /// Nothing is owed to the peer.
    Now(Why),
    /// What is gathered is owed, and the peer has nothing more to send.
    Flushed(Why),
    /// What is gathered is owed, and the peer may still be sending.
    Lingering(Why),
}

/// What an exchange works with.
pub(crate) struct Exchange<'x, 't> {
    pub(crate) link: &'x mut Link<'t>,
    pub(crate) date: &'x mut DateText,
    pub(crate) around: &'x Surroundings<'x>,
}

/// What an exchange leaves to the connection.
pub(crate) struct Done<'s> {
    pub(crate) sent: Sent,
    /// What the connection goes on with, after a 101.
    pub(crate) takeover: Option<Takeover<'s>>,
    /// The time when the response was written.
    pub(crate) now: Instant,
}

impl Exchange<'_, '_> {
    /// Calls the handler and writes what it returns, or what its failure calls for. `behind` is the
    /// buffer behind the head, `state` what is known of the body.
    pub(crate) fn run<'s>(
        mut self,
        head: &RequestHead<'_>,
        admitted: &Admitted,
        behind: &mut [u8],
        state: &mut BodyState,
        handler: &Handler<'_, 's>,
    ) -> Result<Done<'s>, End> {
        let started = self.around.observer.map(|_| self.link.transport.now());
        let mut reply = Reply::new(Status::INTERNAL_SERVER_ERROR);
        let facts = self.call(head, admitted, behind, state, handler, &mut reply)?;
        if let (Content::Upgrade(_), Some(protocol)) = (&reply.content, reply.upgrade) {
            permit_upgrade(&mut reply, protocol, head, admitted, state.unread());
        }
        let takeover = match &mut reply.content {
            Content::Upgrade(takeover) => takeover.take(),
            _ => None,
        };
        let takes_time = !matches!(reply.content, Content::Bytes(_));
        let asked = Asked {
            version: head.version,
            head_only: head.method == "HEAD",
            persistence: self.around.persistence(admitted, state.unread()),
        };
        let mut now = self.link.transport.now();
        let sent = respond(self.link, asked, &mut reply, self.date, now);
        if takes_time {
            now = self.link.transport.now();
        }
        if let Some(panic) = &sent.panic {
            self.around.tell_panic(self.link.transport.peer(), &**panic);
        }
        if let Some(started) = started {
            let took = now.saturating_duration_since(started);
            self.tell_answered(head, state, &reply, &sent, took, &facts);
        }
        Ok(Done { sent, takeover, now })
    }

    /// Puts the handler's reply, or the one that takes its place, into `reply`, and gives the facts that
    /// it left. By reference, because a reply is large and moved often otherwise.
    fn call<'s>(
        &mut self,
        head: &RequestHead<'_>,
        admitted: &Admitted,
        behind: &mut [u8],
        state: &mut BodyState,
        handler: &Handler<'_, 's>,
        reply: &mut Reply<'s>,
    ) -> Result<Facts, End> {
        let peer = self.link.transport.peer();
        let secure = self.link.transport.is_secure();
        let body = Body::new(&mut *self.link, behind, state, self.around.limits);
        let mut request = Request::new(head, body, peer, secure, admitted.persistence);
        let called = catch_unwind(AssertUnwindSafe(|| *reply = handler(&mut request)));
        let facts = request.facts;
        if let Err(panic) = &called {
            self.around.tell_panic(peer, &**panic);
        }
        match state.failure {
            Some(Failure::Transport(_)) => return Err(End::Now(Why::Failed)),
            // A failed body is answered with its own status, and closes. The handler may have made
            // that answer itself, in its own words.
            Some(failure @ Failure::Violation(violation)) => {
                if called.is_ok() && reply.status == violation.status() {
                    reply.close = true;
                } else {
                    *reply = state.error(failure).into_response();
                }
            }
            None if called.is_err() => {
                *reply = short_answer(Status::INTERNAL_SERVER_ERROR, "500 Internal Server Error\n");
            }
            None => {}
        }
        if let Err(panic) = &called {
            reply.cause = Some(format!("the handler panicked: {}", panic_text(&**panic)).into());
        }
        Ok(facts)
    }

    #[inline(never)]
    fn tell_answered(
        &self,
        head: &RequestHead<'_>,
        state: &BodyState,
        reply: &Reply<'_>,
        sent: &Sent,
        took: Duration,
        facts: &Facts,
    ) {
        let writing = sent.outcome.as_ref().err().map(|error| error as &(dyn Error + 'static));
        let cause = reply.cause.as_deref().map(|cause| cause as &(dyn Error + 'static));
        self.around.tell(&Event::Answered(Answered {
            peer: self.link.transport.peer(),
            head: Some(head),
            violation: state.violation(),
            status: reply.status,
            body: sent.body,
            took,
            whole: sent.outcome.is_ok(),
            error: writing.or(cause),
            facts,
        }));
    }
}

/// A switch of protocols is made only for a client that asked for it and has sent its whole request
/// (RFC 9110 section 7.8).
fn permit_upgrade(
    reply: &mut Reply<'_>,
    protocol: &'static str,
    head: &RequestHead<'_>,
    admitted: &Admitted,
    unread: Unread,
) {
    if !admitted.asks_for(head, protocol) {
        *reply = Reply::text(format!("This resource is spoken to in {protocol}.\n"))
            .status(Status::UPGRADE_REQUIRED);
        reply.upgrade = Some(protocol);
    } else if unread != Unread::Nothing {
        *reply = short_answer(
            Status::BAD_REQUEST,
            "A request for another protocol must be read whole first.\n",
        );
    }
}

impl Surroundings<'_> {
    pub(crate) fn tell(&self, event: &Event<'_>) {
        if let Some(observer) = self.observer {
            observer(event);
        }
    }

    pub(crate) fn tell_panic(&self, peer: Option<SocketAddr>, panic: &(dyn Any + Send)) {
        self.tell(&Event::Panicked { peer, message: panic_text(panic) });
    }

    /// Whether the connection may go on after the response. What is left of the body decides with:
    /// what cannot be read and dropped within its limit, or might never come, closes.
    fn persistence(&self, admitted: &Admitted, unread: Unread) -> Persistence {
        let readable = match unread {
            Unread::Nothing => true,
            Unread::Known(left) => left <= self.limits.drain,
            Unread::Unknown => false,
        };
        if readable && self.phase.get() == State::Ready {
            admitted.persistence
        } else {
            Persistence::Close
        }
    }
}
