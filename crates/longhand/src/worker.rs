//! The threads of a server: each accepts, and serves what it accepted.
//!
//! Idle threads wait in `accept` on the one listener. The thread that gets a connection serves it for
//! its whole life, and when nobody is left waiting it starts a successor first. So there is no queue,
//! no thread that only accepts, and no hand-over: a connection costs no thread start and no wake-up
//! but its own (measured: 55 µs of CPU against 85 for a thread started for each).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::connection::serve;
use crate::exchange::Surroundings;
use crate::limits::Limits;
use crate::observe::{Event, Why};
use crate::registry::{Place, Registry};
use crate::request::Request;
use crate::response::Reply;
use crate::seat::{Seat, State};
use crate::transport::{Accepted, Acceptor, Transport};

/// After a failed accept or thread start: the first pause and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// What a connection reads that finds no place.
const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 24\r\nRetry-After: 1\r\nConnection: close\r\n\r\n503 Service Unavailable\n";

/// Whoever wants to know what happens.
pub(crate) type Observer = dyn Fn(&Event<'_>) + Send + Sync;

/// What a thread of the server works with.
pub(crate) struct Shop<'a, 's, A> {
    pub(crate) acceptor: &'a A,
    pub(crate) limits: &'a Limits,
    pub(crate) registry: &'a Registry,
    pub(crate) observer: Option<&'a Observer>,
    pub(crate) stack_size: usize,
    pub(crate) handler: &'a (dyn Fn(&mut Request<'_>) -> Reply<'s> + Sync),
}

impl<A> Clone for Shop<'_, '_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Shop<'_, '_, A> {}

impl<'scope, 's: 'scope, A: Acceptor> Shop<'scope, 's, A> {
    /// Starts a thread that accepts. It is counted as waiting already.
    pub(crate) fn start<'env>(self, scope: &'scope Scope<'scope, 'env>) -> io::Result<()> {
        let thread = thread::Builder::new().name("longhand".to_owned()).stack_size(self.stack_size);
        thread.spawn_scoped(scope, move || self.work(scope)).map(|_| ())
    }

    /// Accepts and serves, in turn, until there is nothing more to do for this thread.
    fn work<'env>(self, scope: &'scope Scope<'scope, 'env>) {
        let registry = self.registry;
        let mut pause = FIRST_PAUSE;
        loop {
            let transport = match self.acceptor.accept() {
                Ok(Accepted::Connection(transport)) => transport,
                // A call that comes late, from a listener shared with others, may reach no drain.
                Ok(Accepted::Wake) if registry.phase.get() != State::Draining => continue,
                Ok(Accepted::Wake) if registry.may_end() => return,
                // The last one: whoever came behind the call is served as well.
                Ok(Accepted::Wake) if self.acceptor.last_call() => continue,
                Ok(Accepted::Wake) => return registry.stop_waiting(true),
                Err(error) => {
                    // In a drain the listener may have been let go.
                    let is_gone = error.kind() == io::ErrorKind::NotConnected;
                    if !is_gone {
                        self.tell(&Event::AcceptFailed { error: &error });
                    }
                    // A peer that hung up while it waited says nothing of those behind it.
                    let hung_up = error.kind() == io::ErrorKind::ConnectionAborted;
                    if registry.phase.get() == State::Draining && !hung_up {
                        return registry.stop_waiting(is_gone);
                    }
                    if !hung_up {
                        // Out of descriptors, most often, and each connection has one. While some
                        // are given back, those who wait for one do not wait longer and longer.
                        if registry.shed() {
                            pause = FIRST_PAUSE;
                        }
                        self.back_off(&mut pause);
                    }
                    continue;
                }
            };
            let seat = Seat::new(registry.epoch, transport.now(), transport.interrupter());
            let Some(place) = registry.enter(seat, self.limits.connections) else {
                self.turn_away(transport);
                if registry.refused() {
                    continue;
                }
                return;
            };
            if place.starts_successor {
                if let Err(error) = self.start(scope) {
                    // Without a successor nobody would accept; so this thread goes on doing that.
                    self.tell(&Event::SpawnFailed { error: &error });
                    registry.leave_unserved(&place);
                    self.turn_away(transport);
                    if !registry.refused() {
                        return;
                    }
                    self.back_off(&mut pause);
                    continue;
                }
            }
            pause = FIRST_PAUSE;
            let requests = self.serve(transport, &place);
            if !registry.leave(&place, requests) {
                return;
            }
        }
    }

    fn serve(&self, transport: A::Transport, place: &Place) -> u64 {
        let peer = transport.peer();
        self.tell(&Event::Accepted { peer });
        let around = Surroundings {
            limits: self.limits,
            seat: &place.seat,
            phase: &self.registry.phase,
            crowd: &self.registry.crowd,
            observer: self.observer,
        };
        // Handlers are caught one by one. What is caught here is a transport that panics, in use or
        // when dropped: it must not take the whole server with it.
        let served = catch_unwind(AssertUnwindSafe(move || {
            let mut transport = transport;
            serve(&mut transport, &around, self.handler)
        }));
        let (why, requests) = served.unwrap_or((Why::Failed, 0));
        self.tell(&Event::Closed { peer, requests, why });
        requests
    }

    fn turn_away(&self, transport: A::Transport) {
        self.tell(&Event::TurnedAway { peer: transport.peer() });
        self.acceptor.refuse(transport, NO_PLACE);
    }

    /// Pauses after a failure, each time longer, at most until a drain begins.
    fn back_off(&self, pause: &mut Duration) {
        let registry = self.registry;
        let until = Instant::now() + *pause;
        let mut room = registry.room();
        while registry.phase.get() != State::Draining {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            room = registry.watch(room, left);
        }
        *pause = (*pause * 2).min(LAST_PAUSE);
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        if let Some(observer) = self.observer {
            observer(event);
        }
    }
}
