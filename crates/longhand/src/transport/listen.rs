//! TCP and Unix listeners as acceptors: accepting, being woken, and turning away.

use std::io;
#[cfg(unix)]
use std::net::Shutdown;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
#[cfg(unix)]
use std::thread;
use std::time::Duration;

use super::refused::Refused;
use super::socket::Socket;
use super::stream::Stream;
use super::{Accepted, Acceptor, TcpTransport};
use crate::limits::Limits;

/// How long a wake-up call to this very machine may take. One that finds the queue full would be
/// tried again by the system after a second, and meanwhile nobody takes from the queue.
const WAKE: Duration = Duration::from_millis(50);

/// How many connections are taken out of the queue in a drain, so that those who come all the time do
/// not keep it from its end. std asks for a queue of 128.
const LAST: usize = 512;

/// How long a wake-up call may take from its beginning to its end.
#[cfg(unix)]
const A_MOMENT: Duration = Duration::from_millis(10);

/// Accepts TCP connections.
#[derive(Debug)]
pub struct TcpAcceptor {
    door: Door<TcpListener>,
    address: Option<SocketAddr>,
    /// Whether the listener is this process's own, so that options set on it harm nobody else.
    own: bool,
    /// What connections inherit from the listener, once it is set: no delay, and this write stall.
    inherited: OnceLock<Duration>,
    /// Connections that were in the queue before that, and inherited nothing.
    early: Mutex<Vec<(TcpStream, SocketAddr)>>,
    /// The addresses of this acceptor's own wake-up calls that have not come out of `accept` yet.
    wakes: Mutex<Vec<SocketAddr>>,
    waking: AtomicBool,
    /// From [`Acceptor::last_call`] on: how many are taken still, and one more. Before it: 0.
    last: AtomicUsize,
    refused: Refused<TcpStream>,
}

impl TcpAcceptor {
    /// An acceptor over a listener that this process made and shares with nobody.
    #[must_use]
    pub fn own(listener: TcpListener) -> Self {
        Self { own: true, ..Self::shared(listener) }
    }

    /// An acceptor over a listener that other processes may hold too, such as one inherited from a
    /// supervisor. No option of the listener is changed.
    #[must_use]
    pub fn shared(listener: TcpListener) -> Self {
        Self {
            address: listener.local_addr().ok(),
            door: Door::new(listener),
            own: false,
            inherited: OnceLock::new(),
            early: Mutex::default(),
            wakes: Mutex::default(),
            waking: AtomicBool::new(false),
            last: AtomicUsize::new(0),
            refused: Refused::default(),
        }
    }

    /// Takes a connection that inherited nothing, if one is left.
    fn take_early(&self) -> Option<(TcpStream, SocketAddr)> {
        lock(&self.early).pop()
    }

    /// Takes a connection that has come already. Where there is none, or enough were taken, the listener
    /// is let go.
    fn take_last(&self, left: usize) -> io::Result<(TcpStream, SocketAddr)> {
        let taken = if left > 1 {
            self.door.through(TcpListener::accept)
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        };
        if taken.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.door.close();
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.last.store(left - 1, Ordering::Release);
        let (stream, peer) = taken?;
        // Some systems hand on that nobody waits.
        stream.set_nonblocking(false)?;
        Ok((stream, peer))
    }
}

impl Acceptor for TcpAcceptor {
    type Transport = TcpTransport;

    /// Connections inherit `TCP_NODELAY` and the write timeout from their listener on Linux: two
    /// system calls less for each. std sets them on streams only, and a listener's descriptor is as
    /// good a socket as theirs. Those that had come before are taken out of the queue, to be told
    /// apart from those that inherit.
    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.own {
            self.door.through(|listener| {
                let socket = TcpStream::from(std::os::fd::OwnedFd::from(listener.try_clone()?));
                socket.set_nodelay(true)?;
                socket.set_write_timeout(Some(limits.write_stall.max(Duration::from_millis(1))))?;
                listener.set_nonblocking(true)?;
                lock(&self.early).extend(std::iter::from_fn(|| listener.accept().ok()));
                listener.set_nonblocking(false)
            })?;
            let _ = self.inherited.set(limits.write_stall);
        }
        let _ = limits;
        Ok(())
    }

    fn accept(&self) -> io::Result<Accepted<TcpTransport>> {
        let (stream, peer, inherited) = match self.take_early() {
            Some((stream, peer)) => (stream, peer, None),
            None => {
                let (stream, peer) = match self.last.load(Ordering::Acquire) {
                    0 => self.door.through(TcpListener::accept)?,
                    left => self.take_last(left)?,
                };
                (stream, peer, self.inherited.get().copied())
            }
        };
        if self.waking.load(Ordering::Acquire) {
            let mut wakes = lock(&self.wakes);
            if let Some(place) = wakes.iter().position(|wake| *wake == peer) {
                wakes.swap_remove(place);
                return Ok(Accepted::Wake);
            }
        }
        if inherited.is_none() {
            // A peer that is gone already is found out by the first read.
            let _ = stream.set_nodelay(true);
        }
        Ok(Accepted::Connection(Socket::new(stream, Some(peer), inherited, None)))
    }

    /// Connects to the listener. Shutting the listener down would wake too, but would end it for
    /// every process that holds it.
    fn wake(&self) -> io::Result<()> {
        let mut target = self.address.ok_or(io::ErrorKind::AddrNotAvailable)?;
        match target.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => target.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => target.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        // Whoever accepts meanwhile waits for this lock, and so for the address.
        let mut wakes = lock(&self.wakes);
        self.waking.store(true, Ordering::Release);
        let call = TcpStream::connect_timeout(&target, WAKE)?;
        wakes.push(call.local_addr()?);
        Ok(())
    }

    fn refuse(&self, transport: TcpTransport, answer: &[u8]) {
        self.refused.turn_away(Arc::clone(transport.stream()), answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.refused.tend()
    }

    /// What comes between the last look and the close, two system calls apart, is reset. Where nothing
    /// at all may be lost, a supervisor holds the socket: it is the queue that must live on.
    fn last_call(&self) -> bool {
        if self.last.load(Ordering::Acquire) > 0 {
            return true;
        }
        let set = || self.door.through(|listener| listener.set_nonblocking(true)).is_ok();
        let never_waits = self.own && set();
        if never_waits {
            self.last.store(LAST, Ordering::Release);
        }
        never_waits
    }

    fn close(&self) {
        self.door.close();
    }

    fn local(&self) -> Option<SocketAddr> {
        self.address
    }
}

/// Accepts connections over a Unix socket.
#[cfg(unix)]
#[derive(Debug)]
pub struct UnixAcceptor {
    door: Door<UnixListener>,
    waking: AtomicBool,
    refused: Refused<UnixStream>,
}

#[cfg(unix)]
impl UnixAcceptor {
    /// An acceptor over a listener.
    #[must_use]
    pub fn new(listener: UnixListener) -> Self {
        Self {
            door: Door::new(listener),
            waking: AtomicBool::new(false),
            refused: Refused::default(),
        }
    }
}

#[cfg(unix)]
impl Acceptor for UnixAcceptor {
    type Transport = super::UnixTransport;

    /// A Unix peer has no address to know a wake-up call by. It is known by having ended already:
    /// so has a client that hung up, and nothing is lost by taking it for one. A call that takes more
    /// than a moment to end is served as the connection it is.
    fn accept(&self) -> io::Result<Accepted<Self::Transport>> {
        let (stream, _) = self.door.through(UnixListener::accept)?;
        if !self.waking.load(Ordering::Acquire) {
            return Ok(Accepted::Connection(Socket::new(stream, None, None, None)));
        }
        let mut first = [0];
        stream.set_read_timeout(Some(A_MOMENT))?;
        let read = stream.receive(&mut first);
        stream.set_read_timeout(None)?;
        let early = match read {
            Ok(0) => return Ok(Accepted::Wake),
            Ok(_) => Some(first[0]),
            Err(_) => None,
        };
        Ok(Accepted::Connection(Socket::new(stream, None, None, early)))
    }

    /// From a thread of its own: where the queue is full, connecting waits for those who accept, and
    /// nobody may wait for that.
    fn wake(&self) -> io::Result<()> {
        self.waking.store(true, Ordering::Release);
        let address = self.door.through(UnixListener::local_addr)?;
        let call = move || UnixStream::connect_addr(&address)?.shutdown(Shutdown::Both);
        thread::Builder::new().name("longhand-wake".to_owned()).spawn(call).map(drop)
    }

    fn refuse(&self, transport: Self::Transport, answer: &[u8]) {
        self.refused.turn_away(Arc::clone(transport.stream()), answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.refused.tend()
    }

    fn close(&self) {
        self.door.close();
    }

    fn local(&self) -> Option<SocketAddr> {
        None
    }
}

/// None of these locks is held while anything can panic, so a poisoned one guards sound data.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A listener that can be let go while others may still ask for it. Letting go is not shutting down:
/// a process that shares the socket goes on with it.
#[derive(Debug)]
struct Door<L>(RwLock<Option<L>>);

impl<L> Door<L> {
    fn new(listener: L) -> Self {
        Self(RwLock::new(Some(listener)))
    }

    /// Does something with the listener; fails once the door is closed.
    fn through<T>(&self, act: impl FnOnce(&L) -> io::Result<T>) -> io::Result<T> {
        let listener = self.0.read().unwrap_or_else(PoisonError::into_inner);
        listener.as_ref().map_or(Err(io::ErrorKind::NotConnected.into()), act)
    }

    /// Waits for those who are in `through`.
    fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
