//! One exchange: a request that was admitted, its handler, its response.
//!
//! The handler runs here and nowhere else, and so what it may do wrong is settled here: it panics, it
//! leaves a broken body behind, it switches to a protocol that nobody asked for.

use std::any::Any;
use std::error::Error;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::admit::Admitted;
use crate::body::Body;
use crate::body_state::{BodyState, Unread};
use crate::content::{Content, Takeover};
use crate::facts::Facts;
use crate::failure::{Failure, panic_text};
use crate::into_response::{IntoResponse, short_answer};
use crate::limits::Limits;
use crate::link::{LARGE, Link};
use crate::observe::{Answered, Event, Why};
use crate::request::{Persistence, Request};
use crate::respond::{Sent, respond};
use crate::response::Reply;
use crate::response_head::{Asked, DateText};
use crate::seat::{Phase, Seat, State};
use crate::wire::{RequestHead, Status};

/// Among more connections than these, threads make way for each other.
const CROWD: usize = 8;

/// What a connection knows of the server around it.
pub(crate) struct Surroundings<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) seat: &'a Seat,
    pub(crate) phase: &'a Phase,
    /// How many connections there are.
    pub(crate) crowd: &'a AtomicUsize,
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
    pub(crate) persistence: Persistence,
    /// Whether the client would have let the connection go on.
    pub(crate) client: Persistence,
    /// Whether the response was written as it should be; if not, nothing more may be written.
    pub(crate) whole: bool,
    /// What the connection goes on with, after a 101.
    pub(crate) takeover: Option<Takeover<'s>>,
    /// The time when the response was written.
    pub(crate) now: Instant,
}

impl Exchange<'_, '_> {
    /// Calls the handler and writes what it returns, or what its failure calls for. `behind` is the
    /// buffer behind the head, `state` what is known of the body.
    pub(crate) fn run<'s>(
        self,
        head: &RequestHead<'_>,
        admitted: &Admitted,
        behind: &mut [u8],
        state: &mut BodyState,
        handler: &Handler<'_, 's>,
    ) -> Result<Done<'s>, End> {
        let started = self.around.observer.map(|_| self.link.transport.now());
        let body = Body::new(&mut *self.link, behind, state, self.around.limits);
        let mut request = Request::new(head, body, admitted.persistence);
        let mut reply = None;
        let called = catch_unwind(AssertUnwindSafe(|| reply = Some(handler(&mut request))));
        let facts = request.facts;
        let reply = match &mut reply {
            Some(reply) if state.failure.is_none() => reply,
            reply => {
                let instead = self.instead(reply.take(), called.err(), state)?;
                reply.insert(instead)
            }
        };
        if let (Content::Upgrade(_), Some(protocol)) = (&reply.content, reply.upgrade_protocol()) {
            permit_upgrade(reply, protocol, head, admitted, state.unread());
        }
        let takeover = match &mut reply.content {
            Content::Upgrade(takeover) => takeover.take(),
            _ => None,
        };
        let takes_time = !matches!(&reply.content, Content::Bytes(bytes) if bytes.len() < LARGE);
        let asked = Asked {
            version: head.version,
            head_only: head.method == "HEAD",
            persistence: self.around.persistence(admitted, state.unread()),
        };
        let mut now = self.link.transport.now();
        let sent = respond(self.link, asked, reply, self.date, now);
        if takes_time {
            now = self.link.transport.now();
        }
        if let Some(panic) = sent.failure.as_ref().and_then(|failure| failure.panic.as_deref()) {
            self.around.tell_panic(self.link.transport.peer(), panic);
        }
        if let Some(started) = started {
            let took = now.saturating_duration_since(started);
            self.tell_answered(head, state, reply, &sent, took, &facts);
        }
        let client = admitted.persistence;
        Ok(Done {
            persistence: sent.persistence,
            client,
            whole: sent.failure.is_none(),
            takeover,
            now,
        })
    }

    /// The reply where not all went well: the handler panicked, or the body failed, which is answered
    /// with its own status, and closes.
    #[cold]
    fn instead<'s>(
        &self,
        reply: Option<Reply<'s>>,
        panic: Option<Box<dyn Any + Send>>,
        state: &BodyState,
    ) -> Result<Reply<'s>, End> {
        if let Some(panic) = &panic {
            self.around.tell_panic(self.link.transport.peer(), &**panic);
        }
        let mut reply = match (state.failure, reply) {
            (Some(Failure::Transport(_)), _) => return Err(End::Now(Why::Failed)),
            // This side has ended it, and nobody reads an answer.
            (Some(_), _) if self.around.seat.is_cut() => return Err(End::Now(Why::Failed)),
            // The handler may have made that answer itself, in its own words.
            (Some(Failure::Violation(violation)), Some(reply))
                if reply.status == violation.status() =>
            {
                reply.close()
            }
            (Some(failure), _) => state.error(failure).into_response(),
            (None, _) => short_answer(Status::INTERNAL_SERVER_ERROR, "500 Internal Server Error\n"),
        };
        if let Some(panic) = &panic {
            let cause = format!("the handler panicked: {}", panic_text(&**panic));
            reply = reply.because(cause);
        }
        Ok(reply)
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
        let writing = sent.failure.as_ref();
        let writing = writing.map(|failure| &failure.error as &(dyn Error + 'static));
        let cause = reply.rare.as_ref().and_then(|rare| rare.cause.as_deref());
        let cause = cause.map(|cause| cause as &(dyn Error + 'static));
        self.around.tell(&Event::Answered(Answered {
            peer: self.link.transport.peer(),
            head: Some(head),
            violation: state.violation(),
            status: reply.status,
            body: sent.body,
            took,
            whole: sent.failure.is_none(),
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
        reply.rare().upgrade = Some(protocol);
    } else if unread != Unread::Nothing {
        *reply = short_answer(
            Status::BAD_REQUEST,
            "A request for another protocol must be read whole first.\n",
        );
    }
}

impl Surroundings<'_> {
    /// Lets other threads run before a read that would wait. Among many connections the next request
    /// comes meanwhile, and the thread need neither sleep nor be woken: 1.2 to 1.3 times the requests at
    /// 0.8 of the CPU, measured with 16 to 256 connections and the load on another core, and 0.9 to 1.0
    /// times with it on the same ones. Among few it would be a system call for nothing.
    #[inline]
    pub(crate) fn make_way(&self) {
        if self.crowd.load(Ordering::Relaxed) > CROWD {
            thread::yield_now();
        }
    }

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
