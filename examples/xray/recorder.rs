//! The log: all that was recorded, of which the terminal and the pages are views.
//!
//! What happens to connections enters, as the tape or the library tells it; whoever watches or looks
//! sees it in one piece, and the oldest of it is forgotten.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use longhand::{Answered, Event, Limits, Why};

use crate::exchange::Connection;

/// Exchanges that are kept, over all connections; and connections that had none.
const KEPT: usize = 50;

/// What is called for each connection to which something has happened.
pub(crate) type Watch = Box<dyn FnMut(&Connection, Duration) + Send>;

/// All that was recorded.
pub(crate) struct Log {
    pub(crate) started: Instant,
    pub(crate) limits: Limits,
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
            Event::Answered(Answered { peer, violation, head, .. }) => {
                self.change(*peer, None, |one| one.answered(*violation, head.is_some()));
            }
            Event::Closed { peer, why, .. } => {
                let (now, why) = (self.now(), words(*why));
                self.change(*peer, None, |one| one.closed = Some((now, why)));
            }
            _ => {}
        }
    }

    /// A connection begins; gives its number.
    pub(crate) fn open(&self, peer: Option<SocketAddr>, now: Duration) -> u32 {
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
    pub(crate) fn change(
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

/// Forgets the oldest exchanges, and the oldest connections that are over and have none left.
fn forget(connections: &mut Vec<Connection>) {
    let is_bare = |one: &Connection| one.closed.is_some() && one.exchanges.is_empty();
    let is_over = |one: &Connection| {
        one.exchanges.iter().filter(|e| one.closed.is_some() || e.is_answered()).count()
    };
    let mut over = connections.iter().map(is_over).sum::<usize>().saturating_sub(KEPT);
    for one in connections.iter_mut() {
        while over > 0
            && one.exchanges.first().is_some_and(|e| one.closed.is_some() || e.is_answered())
        {
            one.exchanges.remove(0);
            over -= 1;
        }
    }
    let bare = connections.iter().filter(|one| is_bare(one)).count();
    let mut over = bare.saturating_sub(KEPT);
    connections.retain(|one| {
        let goes = over > 0 && is_bare(one);
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
