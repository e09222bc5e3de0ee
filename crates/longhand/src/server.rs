//! The server: what it is made of, and what running it means.
//!
//! The threads and their work are in `worker.rs`, the end of it all in `drain.rs`.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use crate::drain::{Handle, conduct};
use crate::into_response::IntoResponse;
use crate::limits::Limits;
use crate::observe::Event;
use crate::registry::Registry;
use crate::request::Request;
use crate::response::Reply;
#[cfg(unix)]
use crate::transport::UnixAcceptor;
use crate::transport::{Acceptor, TcpAcceptor};
use crate::worker::{Observer, Shop};

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
    observer: Option<Box<Observer>>,
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
    /// If the address cannot be resolved or is taken. The error names it: `127.0.0.1:8000: Address
    /// already in use`, and what else the system has to say.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
        let named = |error: io::Error| {
            let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            io::Error::new(error.kind(), format!("{}: {error}", names.join(", ")))
        };
        let listener = TcpListener::bind(&addresses[..]).map_err(named)?;
        Ok(Self::new(TcpAcceptor::own(listener)))
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

    /// The same with an observer, which is told what happens on the thread it happens on. If it
    /// panics, that is all that happens. There is one: a second call replaces the first, so a closure that
    /// is to tell several passes the event to each.
    #[must_use]
    pub fn observe(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(move |event| {
            let _ = catch_unwind(AssertUnwindSafe(|| observer(event)));
        }));
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
    /// A handler that panics is answered 500, and the server stays up. Answers to pipelined requests
    /// are gathered and leave together, so a fast answer waits for the slow handler behind it.
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

    fn run_erased<'s>(
        self,
        handler: &(dyn Fn(&mut Request<'_>) -> Reply<'s> + Sync),
    ) -> io::Result<Summary> {
        check_connections(self.limits.connections, max_map_count())?;
        self.acceptor.prepare(&self.limits)?;
        let shop = Shop {
            acceptor: &self.acceptor,
            limits: &self.limits,
            registry: &self.registry,
            observer: self.observer.as_deref(),
            stack_size: self.stack_size,
            handler,
        };
        let cut = thread::scope(|scope| {
            self.registry.room().waiting = 1;
            shop.start(scope)?;
            Ok::<_, io::Error>(conduct(&self.registry, &self.acceptor, &|event| shop.tell(event)))
        })?;
        let connections = self.registry.room().connections;
        Ok(Summary { connections, requests: self.registry.requests.load(Ordering::Relaxed), cut })
    }
}

impl<A: Acceptor> std::fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("local", &self.acceptor.local())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
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
        Some(maps) => {
            format!("vm.max_map_count is {maps}, and each connection's thread takes 4 mappings")
        }
        None => "each connection has a thread".to_owned(),
    };
    let message =
        format!("limits.connections is {connections}: expected 1 to {most}, because {limit}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
