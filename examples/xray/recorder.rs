//! The tape: every byte that is read from a connection or written to it, as it passes.
//!
//! A transport and an acceptor that wrap the library's own: the library records nothing. What they
//! see goes to the log, of which the terminal and the pages are views.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use longhand::transport::{Accepted, Acceptor, Interrupt, Transport};
use longhand::{Answered, Event, Limits, Why};

use crate::exchange::Connection;

/// Exchanges that are kept, over all connections.
const KEPT: usize = 50;

/// What is called for each connection to which something has happened.
pub(crate) type Watch = Box<dyn FnMut(&Connection, Duration) + Send>;

/// All that was recorded.
pub(crate) struct Log {
    started: Instant,
    limits: Limits,
    reveal: bool,
    state: Mutex<State>,
    /// Some exchange has been answered.
    answered: Condvar,
}

#[derive(Default)]
struct State {
    connections: Vec<Connection>,
    accepted: u32,
    /// Counts exchanges that are answered, forgotten ones too.
    answered: u64,
    watch: Option<Watch>,
}

impl Log {
    /// An empty log. With `reveal`, secrets are shown.
    pub(crate) fn new(started: Instant, limits: Limits, reveal: bool) -> Arc<Self> {
        let (state, answered) = (Mutex::default(), Condvar::new());
        Arc::new(Self { started, limits, reveal, state, answered })
    }

    /// Has somebody look at each change as it happens.
    pub(crate) fn watch(&self, watch: Watch) {
        self.lock().watch = Some(watch);
    }

    /// The time on the log's clock.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Looks at the connections, oldest first. Nothing is recorded meanwhile, so be quick.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Connection]) -> T) -> T {
        look(&self.lock().connections)
    }

    /// The connections, when all is over.
    pub(crate) fn into_connections(self) -> Vec<Connection> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).connections
    }

    /// The connection of this peer.
    pub(crate) fn number_of(&self, peer: Option<SocketAddr>) -> Option<u32> {
        self.look(|all| all.iter().rev().find(|one| one.peer == peer).map(|one| one.number))
    }

    /// Waits until more than `seen` exchanges have been answered, or a while; gives how many have.
    pub(crate) fn wait(&self, seen: u64, a_while: Duration) -> u64 {
        let waited = self.answered.wait_timeout_while(self.lock(), a_while, |s| s.answered <= seen);
        waited.unwrap_or_else(PoisonError::into_inner).0.answered
    }

    /// Has the watcher look again at what is open: time has passed.
    pub(crate) fn tick(&self) {
        let mut state = self.lock();
        let State { connections, watch: Some(watch), .. } = &mut *state else { return };
        for connection in connections.iter().filter(|one| one.closed.is_none()) {
            watch(connection, self.now());
        }
    }

    /// What the library tells: refusals that the bytes alone do not explain, and ends.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        match event {
            Event::Answered(Answered { peer, violation: Some(violation), head, .. }) => {
                self.change(*peer, None, |one| one.refused(*violation, head.is_some()));
            }
            Event::Closed { peer, why, .. } => {
                let (now, why) = (self.now(), words(*why));
                self.change(*peer, None, |one| one.closed = Some((now, why)));
            }
            _ => {}
        }
    }

    fn open(&self, peer: Option<SocketAddr>, now: Duration) -> u32 {
        let mut state = self.lock();
        state.accepted += 1;
        let number = state.accepted;
        let connection = Connection::new(number, peer, now);
        if let Some(watch) = &mut state.watch {
            watch(&connection, now);
        }
        state.connections.push(connection);
        number
    }

    /// Changes a connection, known by its number or as the latest of this peer.
    fn change(
        &self,
        peer: Option<SocketAddr>,
        number: Option<u32>,
        act: impl FnOnce(&mut Connection),
    ) {
        let mut state = self.lock();
        let State { connections, watch, answered, .. } = &mut *state;
        let is_it = |one: &&mut Connection| number.map_or(one.peer == peer, |is| one.number == is);
        let Some(connection) = connections.iter_mut().rev().find(is_it) else { return };
        let answers = |one: &Connection| one.exchanges.iter().filter(|e| e.is_answered()).count();
        let before = answers(connection);
        act(connection);
        let more = answers(connection).saturating_sub(before);
        if self.reveal {
            for exchange in &mut connection.exchanges {
                exchange.request.reveal();
                exchange.responses.iter_mut().for_each(crate::exchange::Message::reveal);
            }
        }
        if let Some(watch) = watch {
            watch(connection, self.now());
        }
        if more > 0 {
            *answered += more as u64;
            self.answered.notify_all();
        }
        forget(connections);
    }

    /// Nothing that panics leaves the state half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the oldest exchanges, and connections that are over and have none.
fn forget(connections: &mut Vec<Connection>) {
    let weight = |one: &Connection| one.exchanges.len().max(1);
    let mut over = connections.iter().map(weight).sum::<usize>().saturating_sub(KEPT);
    connections.retain_mut(|one| {
        let is_over = one.closed.is_some();
        while over > 0 && one.exchanges.first().is_some_and(|e| is_over || e.is_answered()) {
            one.exchanges.remove(0);
            over -= 1;
        }
        let goes = over > 0 && is_over;
        over -= usize::from(goes);
        !goes
    });
}

fn words(why: Why) -> &'static str {
    match why {
        Why::PeerClosed => "the client closed it between two requests",
        Why::PeerAsked => "the client had asked for it",
        Why::ServerAsked => "the answer had said so",
        Why::Idle => "it had rested too long",
        Why::MadeRoom => "the server is ending, or made room",
        Why::Failed => "reading or writing failed",
        _ => "it went on in another protocol",
    }
}

/// A transport on whose way every byte is recorded.
pub(crate) struct Tee<T> {
    inner: T,
    log: Arc<Log>,
    number: u32,
}

impl<T: Transport> Tee<T> {
    pub(crate) fn new(inner: T, log: &Arc<Log>) -> Self {
        let number = log.open(inner.peer(), inner.now().saturating_duration_since(log.started));
        Self { inner, log: Arc::clone(log), number }
    }

    fn record(&self, act: impl FnOnce(&mut Connection, Duration, &Limits)) {
        let time = self.inner.now().saturating_duration_since(self.log.started);
        self.log.change(None, Some(self.number), |one| act(one, time, &self.log.limits));
    }
}

impl<T: Transport> Read for Tee<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if count > 0 {
            self.record(|one, time, limits| one.received(&into[..count], time, limits));
        }
        Ok(count)
    }
}

impl<T: Transport> Write for Tee<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = self.inner.write_vectored(slices)?;
        let bytes: Vec<u8> =
            slices.iter().flat_map(|slice| slice.iter().copied()).take(count).collect();
        self.record(|one, time, limits| one.sent(&bytes, time, limits));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Transport> Transport for Tee<T> {
    fn set_read_deadline(&mut self, now: Instant, deadline: Option<Instant>) {
        self.inner.set_read_deadline(now, deadline);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.inner.set_write_stall(limit)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.inner.close_write()
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.inner.peer()
    }

    fn local(&self) -> Option<SocketAddr> {
        self.inner.local()
    }

    fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        self.inner.interrupter()
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wall(&self) -> SystemTime {
        self.inner.wall()
    }
}

/// Accepts what another accepts, with the tape running.
pub(crate) struct Recording<A> {
    pub(crate) inner: A,
    pub(crate) log: Arc<Log>,
}

impl<A: Acceptor> Acceptor for Recording<A> {
    type Transport = Tee<A::Transport>;

    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        self.inner.prepare(limits)
    }

    fn accept(&self) -> io::Result<Accepted<Self::Transport>> {
        Ok(self.inner.accept()?.map(|transport| Tee::new(transport, &self.log)))
    }

    fn wake(&self) -> io::Result<()> {
        self.inner.wake()
    }

    fn refuse(&self, transport: Self::Transport, answer: &[u8]) {
        transport.record(|one, time, _| one.closed = Some((time, "there was no place for it")));
        self.inner.refuse(transport.inner, answer);
    }

    fn tend(&self) -> Option<Duration> {
        self.inner.tend()
    }

    fn close(&self) {
        self.inner.close();
    }

    fn local(&self) -> Option<SocketAddr> {
        self.inner.local()
    }
}
