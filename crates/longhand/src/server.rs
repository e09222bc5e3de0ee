//! The server: threads that accept and serve, one thread a connection.
//!
//! Idle threads wait in `accept` on the one listener. The thread that gets a connection serves it for
//! its whole life, and when nobody is left waiting it starts a successor first. So there is no queue,
//! no thread that only accepts, and no hand-over: a connection costs no thread start and no wake-up
//! but its own (measured: 55 µs of CPU against 85 for a thread started for each).

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, Scope};
use std::time::Duration;

use crate::connection::{Surroundings, serve};
use crate::drain::{Handle, conduct};
use crate::limits::Limits;
use crate::observe::{Event, Why};
use crate::registry::{Place, Registry};
use crate::request::Request;
use crate::response::{IntoResponse, Reply};
use crate::seat::{Seat, State};
#[cfg(unix)]
use crate::transport::UnixAcceptor;
use crate::transport::{Accepted, Acceptor, TcpAcceptor, Transport};

/// After a failed accept or thread start: the first pause and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// What a connection reads that finds no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 24\r\nRetry-After: 1\r\nConnection: close\r\n\r\n503 Service Unavailable\n";

type Observer = Box<dyn Fn(&Event<'_>) + Send + Sync>;

/// A server, ready to [run](Self::run).
///
/// ```
/// use longhand::{Request, Response, Server};
///
/// let server = Server::bind("127.0.0.1:0")?;
/// println!("listening on http://{}", server.local_addr()?);
/// # server.handle().stop();
/// server.run(|request: &mut Request<'_>| Response::text(format!("You asked for {}\n", request.path())))?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server<A = TcpAcceptor> {
    acceptor: A,
    limits: Limits,
    observer: Option<Observer>,
    stack_size: usize,
    registry: Arc<Registry>,
}

/// What a server did, once it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Connections served.
    pub connections: u64,
    /// Requests that reached the handler.
    pub requests: u64,
    /// Connections that were cut at the deadline of the drain.
    pub cut: usize,
}

impl Server {
    /// A server on a TCP address: `"127.0.0.1:8000"`; port 0 takes a free one.
    ///
    /// # Errors
    /// If the address cannot be resolved or is taken.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::new(TcpAcceptor::own(TcpListener::bind(address)?)))
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.local().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }
}

/// A server on a listener that exists already, perhaps shared with other processes.
impl From<TcpListener> for Server {
    fn from(listener: TcpListener) -> Self {
        Self::new(TcpAcceptor::shared(listener))
    }
}

/// A server on a Unix socket.
#[cfg(unix)]
impl From<std::os::unix::net::UnixListener> for Server<UnixAcceptor> {
    fn from(listener: std::os::unix::net::UnixListener) -> Self {
        Self::new(UnixAcceptor::new(listener))
    }
}

impl<A: Acceptor> Server<A> {
    /// A server on any acceptor: how TLS comes in.
    #[must_use]
    pub fn new(acceptor: A) -> Self {
        Self {
            acceptor,
            limits: Limits::default(),
            observer: None,
            stack_size: 1 << 20,
            registry: Arc::new(Registry::new()),
        }
    }

    /// The same with these limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with an observer, which is told what happens on the thread it happens on.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// The same with stacks of so many bytes for the connections' threads. Default 1 MiB; memory is
    /// used only as far as a handler goes down.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = bytes;
        self
    }

    /// A handle that ends the server and tells what it is doing.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.registry))
    }

    /// Serves until a [handle](Self::handle) asks for the end, and returns once every connection has
    /// ended. The handler runs on the threads of the connections and may borrow what outlives this
    /// call.
    ///
    /// A handler that panics is answered 500, and the server stays up.
    ///
    /// # Errors
    /// If the limits cannot be kept on this system, or not one thread can be started.
    pub fn run<'s, F, R>(self, handler: F) -> io::Result<Summary>
    where
        F: Fn(&mut Request<'_>) -> R + Sync,
        R: IntoResponse<'s>,
    {
        let handler = |request: &mut Request<'_>| handler(request).into_response();
        self.run_erased(&handler)
    }

    fn run_erased<'s>(self, handler: &(dyn Fn(&mut Request<'_>) -> Reply<'s> + Sync)) -> io::Result<Summary> {
        check_connections(self.limits.connections, max_map_count())?;
        self.acceptor.prepare(&self.limits)?;
        let shop = Shop { server: &self, handler };
        let cut = thread::scope(|scope| {
            self.registry.room().waiting = 1;
            shop.start(scope)?;
            Ok::<_, io::Error>(conduct(&self.registry, &self.acceptor, &|event| self.tell(event)))
        })?;
        let connections = self.registry.room().connections;
        Ok(Summary { connections, requests: self.registry.requests.load(Ordering::Relaxed), cut })
    }

    fn tell(&self, event: &Event<'_>) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }
}

impl<A: Acceptor> std::fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("local", &self.acceptor.local()).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What a thread of the server works with.
struct Shop<'a, 's, A> {
    server: &'a Server<A>,
    handler: &'a (dyn Fn(&mut Request<'_>) -> Reply<'s> + Sync),
}

impl<A, > Clone for Shop<'_, '_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Shop<'_, '_, A> {}

impl<'scope, 's: 'scope, A: Acceptor> Shop<'scope, 's, A> {
    /// Starts a thread that accepts. It is counted as waiting already.
    fn start<'env>(self, scope: &'scope Scope<'scope, 'env>) -> io::Result<()> {
        let thread = thread::Builder::new().name("longhand".to_owned()).stack_size(self.server.stack_size);
        thread.spawn_scoped(scope, move || self.work(scope)).map(|_| ())
    }

    /// Accepts and serves, in turn, until there is nothing more to do for this thread.
    fn work<'env>(self, scope: &'scope Scope<'scope, 'env>) {
        let registry = &self.server.registry;
        let mut pause = FIRST_PAUSE;
        loop {
            let transport = match self.server.acceptor.accept() {
                Ok(Accepted::Connection(transport)) => transport,
                // A call that comes late, from a listener shared with others, may reach no drain.
                Ok(Accepted::Wake) if registry.phase.get() != State::Draining => continue,
                Ok(Accepted::Wake) => return registry.stop_waiting(true),
                Err(error) => {
                    self.server.tell(&Event::AcceptFailed { error: &error });
                    if registry.phase.get() == State::Draining {
                        return registry.stop_waiting(false);
                    }
                    self.rest(&mut pause);
                    continue;
                }
            };
            let seat = Seat::new(registry.epoch, transport.interrupter());
            let Some(place) = registry.enter(seat, self.server.limits.connections) else {
                self.turn_away(transport);
                continue;
            };
            if place.starts_successor {
                if let Err(error) = self.start(scope) {
                    // Without a successor nobody would accept; so this thread goes on doing that.
                    self.server.tell(&Event::SpawnFailed { error: &error });
                    registry.leave_unserved(&place);
                    self.turn_away(transport);
                    self.rest(&mut pause);
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

    fn serve(&self, mut transport: A::Transport, place: &Place) -> u64 {
        let server = self.server;
        let peer = transport.peer();
        server.tell(&Event::Accepted { peer });
        let around = Surroundings {
            limits: &server.limits,
            seat: &place.seat,
            phase: &server.registry.phase,
            observer: server.observer.as_deref(),
        };
        // Handlers are caught one by one. What is caught here is an observer or a transport that
        // panics: it must not take the whole server with it.
        let served = catch_unwind(AssertUnwindSafe(|| serve(&mut transport, &around, self.handler)));
        let (why, requests) = served.unwrap_or((Why::Failed, 0));
        server.tell(&Event::Closed { peer, requests, why });
        requests
    }

    fn turn_away(&self, transport: A::Transport) {
        self.server.tell(&Event::TurnedAway { peer: transport.peer() });
        self.server.acceptor.refuse(transport, NO_PLACE);
    }

    /// Pauses after a failure, each time longer, at most until a drain begins.
    fn rest(&self, pause: &mut Duration) {
        let registry = &self.server.registry;
        let until = std::time::Instant::now() + *pause;
        let mut room = registry.room();
        while room.wish.is_none() {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            room = registry.watch(room, left);
        }
        *pause = (*pause * 2).min(LAST_PAUSE);
    }
}

/// The system's limit on mappings, where it has one that can be read.
fn max_map_count() -> Option<usize> {
    std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()
}

/// Each thread takes four mappings, and a process that runs out of them dies inside a thread's start,
/// where nothing can catch it. So a cap that could lead there is refused.
fn check_connections(connections: usize, max_map_count: Option<usize>) -> io::Result<()> {
    let most = max_map_count.map_or(15_000, |maps| maps.saturating_sub(5_000) / 4);
    if (1..=most).contains(&connections) {
        return Ok(());
    }
    let limit = match max_map_count {
        Some(maps) => format!("vm.max_map_count is {maps}, and each connection's thread takes 4 mappings"),
        None => "each connection has a thread".to_owned(),
    };
    let message = format!("limits.connections is {connections}: expected 1 to {most}, because {limit}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
