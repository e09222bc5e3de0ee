//! What a server tells of itself: one event for each thing that happens to a connection.
//!
//! Access logs and metrics are made of these, and nothing else is ever printed by the library. An
//! observer runs on the thread that it happened on, so it should be quick and must not panic.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::facts::Facts;
use crate::wire::{RequestHead, Status, Violation};

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection begins.
    Accepted {
        /// Its peer.
        peer: Option<SocketAddr>,
    },
    /// A connection found no place: more than [`Limits::connections`](crate::Limits::connections)
    /// are busy, or no thread could be started.
    TurnedAway {
        /// Its peer.
        peer: Option<SocketAddr>,
    },
    /// A response is written, or has failed: the handler's, or the refusal of a head or a body. A
    /// request whose connection breaks while its body is read has none.
    Answered(Answered<'a>),
    /// A handler or a stream panicked. The message is for the log alone; the peer never reads it.
    Panicked {
        /// The peer that was being served.
        peer: Option<SocketAddr>,
        /// What the panic said, where that was text.
        message: &'a str,
    },
    /// A connection is over.
    Closed {
        /// Its peer.
        peer: Option<SocketAddr>,
        /// How many requests it had.
        requests: u64,
        /// Why.
        why: Why,
    },
    /// The system gave no connection: out of descriptors, or the peer was gone already. The server
    /// waits a little and goes on.
    AcceptFailed {
        /// What the system said.
        error: &'a io::Error,
    },
    /// The system gave no thread for a connection.
    SpawnFailed {
        /// What the system said.
        error: &'a io::Error,
    },
    /// A drain has begun, and takes connections no more.
    Draining,
    /// The deadline of a drain is over, all connections are cut, and so many have not ended yet: a
    /// handler waits for something else. `run` returns when they do.
    Overdue {
        /// How many.
        connections: usize,
    },
}

/// A response, and the request it answers: a line of an access log.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// The peer.
    pub peer: Option<SocketAddr>,
    /// The request's head; `None` where the head itself was refused.
    pub head: Option<&'a RequestHead<'a>>,
    /// The rule that the peer broke, if the response is a refusal.
    pub violation: Option<Violation>,
    /// The status of the response.
    pub status: Status,
    /// Bytes of the response's body that were handed to the system, framing not counted.
    pub body: u64,
    /// From the end of the request's head to the end of the response; zero where a head is refused.
    pub took: Duration,
    /// Whether the response was written whole, as far as is known: one that is gathered with others
    /// may fail later, which is told by [`Event::Closed`].
    pub whole: bool,
    /// What went wrong on this side: the error a handler returned or gave to
    /// [`Reply::because`](crate::Reply::because), or the one that ended the writing; of a panic,
    /// `the handler panicked: ` and what it said. The peer never reads it.
    pub error: Option<&'a (dyn Error + 'static)>,
    pub(crate) facts: &'a Facts,
}

impl Answered<'_> {
    /// The fact of this type that was [set](crate::Request::set) on the request: a user, an id.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.facts.get()
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The peer ended it between two requests, or before its first.
    PeerClosed,
    /// The peer asked for it, by `Connection: close` or by speaking HTTP/1.0.
    PeerAsked,
    /// The response said so: the handler's wish, an unread body, or a refusal.
    ServerAsked,
    /// It rested too long.
    Idle,
    /// It was closed to make room, or because the server drains.
    MadeRoom,
    /// Reading or writing failed, or the peer did not read.
    Failed,
    /// It went on in another protocol, which is over.
    Upgraded,
}
