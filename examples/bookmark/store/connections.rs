//! The connections to Redis: kept, shared by all threads, opened again after a failure.
//!
//! The words of a command enter; its reply leaves, or a [`StoreError`] by the deadline. No thread of its
//! own: whoever asks opens what is missing.
//!
//! - **At most 16 connections**, all of which are kept. Redis works on one command at a time,
//!   so more would only wait there instead of here.
//! - **None is used again after an error.** An answer that came too late would be read as that of the
//!   next command.
//! - **A command that only reads is sent once more** where its connection broke, on a new one:
//!   it may have been closed while it was kept. One that changes something is not, since nobody knows
//!   whether it has had its effect: a `DEL` that is sent again may delete what somebody saved
//!   in between. To spare the harmless ones is not worth a second rule: a connection is looked
//!   at before it is used, so that it can only break in the middle of a command, when Redis goes.
//! - **While Redis is away nobody waits for it.** After a connection could not be opened, or an answer
//!   did not come in time, all commands fail at once for a tenth of a second, then one tries again;
//!   while that fails the pause doubles, up to a second. The first success ends it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::StoreError;
use super::connection::{Connection, Trouble};
use super::place::Place;
use super::resp::Reply;

/// How many there may be, and how long what may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Connections at once.
    pub(super) most: usize,
    /// Until a new connection has been greeted.
    pub(super) connect: Duration,
    /// Until a command is answered, with everything before.
    pub(super) command: Duration,
    /// The first pause after a failure, and the longest.
    pub(super) pause: (Duration, Duration),
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            most: 16,
            connect: Duration::from_secs(1),
            command: Duration::from_secs(2),
            pause: (Duration::from_millis(100), Duration::from_secs(1)),
        }
    }
}

/// All connections to one Redis.
pub(super) struct Connections {
    place: Place,
    bounds: Bounds,
    state: Mutex<State>,
    /// A connection was given back, or is one fewer.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    kept: Vec<Connection>,
    /// Those that are kept, lent or being opened.
    open: usize,
    away: Option<Away>,
}

/// Redis is not there, as far as is known.
struct Away {
    why: StoreError,
    pause: Duration,
    /// When one may try.
    again: Instant,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Connections {
    pub(super) fn new(place: Place, bounds: Bounds) -> Self {
        Self { place, bounds, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Opens a connection, to know whether that can be done.
    pub(super) fn try_open(&self) -> Result<(), StoreError> {
        let deadline = Instant::now() + self.bounds.command;
        self.take(deadline).map(|connection| self.give_back(connection))
    }

    /// Asks with a command that changes nothing.
    pub(super) fn read(&self, words: &[&[u8]]) -> Result<Reply, StoreError> {
        self.ask(words, 2)
    }

    /// Asks with a command that may change something. After an error nobody knows whether it did.
    pub(super) fn write(&self, words: &[&[u8]]) -> Result<Reply, StoreError> {
        self.ask(words, 1)
    }

    /// What is wrong, by the name of the place.
    pub(super) fn told(&self, trouble: &Trouble) -> StoreError {
        let text = format!("{}: {trouble}", self.place);
        match trouble {
            Trouble::Lost(_) | Trouble::Away(_) => StoreError::Away(text),
            Trouble::Failed(_) => StoreError::Failed(text),
        }
    }

    /// A reply of another kind than its command has.
    pub(super) fn odd(&self, wanted: &str) -> StoreError {
        self.told(&Trouble::Failed(format!("wanted {wanted}, found another reply")))
    }

    fn ask(&self, words: &[&[u8]], mut tries: usize) -> Result<Reply, StoreError> {
        let deadline = Instant::now() + self.bounds.command;
        loop {
            let mut connection = self.take(deadline)?;
            let trouble = match connection.ask(words, deadline) {
                Ok(reply) => {
                    self.give_back(connection);
                    return Ok(reply);
                }
                Err(trouble) => trouble,
            };
            tries -= 1;
            let why = self.told(&trouble);
            let Trouble::Lost(error) = trouble else {
                self.close_one();
                return Err(why);
            };
            let late = error.kind() == io::ErrorKind::TimedOut;
            self.close_all(late.then(|| why.clone()));
            if late || tries == 0 {
                return Err(why);
            }
        }
    }

    /// A kept connection or a new one.
    fn take(&self, deadline: Instant) -> Result<Connection, StoreError> {
        let mut state = self.state();
        let last_pause = loop {
            let now = Instant::now();
            if let Some(away) = &mut state.away {
                if now < away.again {
                    return Err(away.why.clone());
                }
                // Until it is known what comes of this, the others fail at once.
                away.again = now + self.bounds.connect + away.pause;
                break Some(away.pause);
            }
            if let Some(connection) = state.kept.pop() {
                if connection.is_quiet() {
                    return Ok(connection);
                }
                state.open -= 1;
            } else if state.open < self.bounds.most {
                break None;
            } else if now < deadline {
                let wait = self.changed.wait_timeout(state, deadline - now);
                state = wait.unwrap_or_else(PoisonError::into_inner).0;
            } else {
                let why = format!("{}: all connections are busy", self.place);
                return Err(StoreError::Away(why));
            }
        };
        state.open += 1;
        drop(state);
        self.open(last_pause, deadline)
    }

    /// Opens a connection that is counted already.
    fn open(
        &self,
        last_pause: Option<Duration>,
        deadline: Instant,
    ) -> Result<Connection, StoreError> {
        let until = deadline.min(Instant::now() + self.bounds.connect);
        match Connection::open(&self.place, until) {
            Ok(connection) => {
                self.state().away = None;
                Ok(connection)
            }
            Err(trouble) => {
                let why = self.told(&trouble);
                self.leave(why.clone(), last_pause);
                self.close_one();
                Err(why)
            }
        }
    }

    fn give_back(&self, connection: Connection) {
        self.state().kept.push(connection);
        self.changed.notify_one();
    }

    /// One that was taken is no more.
    fn close_one(&self) {
        self.state().open -= 1;
        self.changed.notify_one();
    }

    /// The same, and those that are kept are no better. With a reason, Redis is away.
    fn close_all(&self, why: Option<StoreError>) {
        let closed = {
            let mut state = self.state();
            let closed = std::mem::take(&mut state.kept);
            state.open -= closed.len() + 1;
            closed
        };
        drop(closed);
        if let Some(why) = why {
            self.leave(why, None);
        }
        self.changed.notify_all();
    }

    /// From now on Redis is away. Those who found that out at the same time count as one.
    fn leave(&self, why: StoreError, last_pause: Option<Duration>) {
        let (first, longest) = self.bounds.pause;
        let mut state = self.state();
        if state.away.is_none() || last_pause.is_some() {
            let pause = last_pause.map_or(first, |last| longest.min(last * 2));
            state.away = Some(Away { why, pause, again: Instant::now() + pause });
        }
        drop(state);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::{Peer, Script, script};
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread;

    const HOUR: Duration = Duration::from_secs(3600);

    /// One connection, which waits for nothing that a test does not want it to wait for.
    const ONE: Bounds = Bounds { most: 1, connect: HOUR, command: HOUR, pause: (HOUR, HOUR) };

    fn to(peer: &Peer, bounds: Bounds) -> Connections {
        Connections::new(peer.place.clone(), bounds)
    }

    fn get(connections: &Connections) -> Result<Option<Vec<u8>>, StoreError> {
        connections.read(&[b"GET", b"a"]).map(Reply::bulk)
    }

    fn set(connections: &Connections) -> Result<Reply, StoreError> {
        connections.write(&[b"SET", b"a", b"b"])
    }

    /// Greets, and answers some commands.
    fn answers(answers: &'static [&'static str]) -> Script {
        script(|talk| {
            talk.greet();
            answers.iter().for_each(|answer| {
                talk.expect(&[]).say(answer);
            });
        })
    }

    #[test]
    fn a_connection_is_kept_for_the_next_command() {
        let peer = Peer::new([answers(&["$1\r\n1\r\n", "+OK\r\n", "$1\r\n2\r\n"])]);
        let connections = to(&peer, ONE);
        assert_eq!(get(&connections).unwrap(), Some(b"1".to_vec()));
        assert_eq!(set(&connections).unwrap(), Reply::Simple("OK".to_owned()));
        assert_eq!(get(&connections).unwrap(), Some(b"2".to_vec()));
        peer.end();
    }

    #[test]
    fn whoever_finds_all_connections_busy_gets_the_next_that_is_free() {
        let (came, comes) = channel();
        let (tell, told) = channel();
        let peer = Peer::new([script(move |talk| {
            talk.greet().expect(&["GET"]);
            came.send(()).unwrap();
            told.recv().unwrap();
            talk.say("$1\r\n1\r\n").expect(&["GET"]).say("$1\r\n2\r\n");
        })]);
        let connections = to(&peer, ONE);
        thread::scope(|scope| {
            let first = scope.spawn(|| get(&connections).unwrap());
            comes.recv().unwrap();
            let second = scope.spawn(|| get(&connections).unwrap());
            tell.send(()).unwrap();
            assert_eq!(first.join().unwrap(), Some(b"1".to_vec()));
            assert_eq!(second.join().unwrap(), Some(b"2".to_vec()));
        });
    }

    #[test]
    fn what_reads_is_asked_again_on_a_new_connection_and_what_writes_is_not() {
        let cut = || script(|talk| talk.greet().expect(&[]).say("$1\r\n").cut());
        let peer = Peer::new([cut(), answers(&["$1\r\n1\r\n"])]);
        assert_eq!(get(&to(&peer, ONE)).unwrap(), Some(b"1".to_vec()));
        peer.end();
        let peer = Peer::new([cut(), answers(&["+OK\r\n"])]);
        let connections = to(&peer, ONE);
        let error = set(&connections).unwrap_err();
        assert!(matches!(error, StoreError::Away(_)), "{error:?}");
        assert!(error.to_string().ends_with("closed the connection before it answered"), "{error}");
        assert!(set(&connections).is_ok());
        peer.end();
    }

    #[test]
    fn what_was_closed_while_it_was_kept_is_noticed_before_it_is_used() {
        let peer = Peer::new([answers(&["+OK\r\n"]), answers(&["+OK\r\n"])]);
        let connections = to(&peer, ONE);
        assert!(set(&connections).is_ok());
        // The peer serves one after the other: it takes the second once it has closed the first.
        let second = Connection::open(&peer.place, Instant::now() + HOUR).unwrap();
        connections.state().kept.iter().for_each(|kept| assert!(!kept.is_quiet()));
        assert!(second.is_quiet());
        drop(second);
        peer.end();
    }

    #[test]
    fn an_answer_that_came_unasked_is_never_that_of_the_next_command() {
        let (came, comes) = channel();
        let peer = Peer::new([
            script(move |talk| {
                talk.greet().expect(&["GET"]).say("$1\r\n1\r\n").say("$1\r\n9\r\n");
                came.send(()).unwrap();
                assert!(talk.command().is_empty(), "it is used no more");
            }),
            answers(&["+OK\r\n"]),
        ]);
        let connections = to(&peer, ONE);
        // Whether the second answer has come with the first is up to the system.
        let _ = get(&connections);
        comes.recv().unwrap();
        assert!(set(&connections).is_ok());
        peer.end();
    }

    #[test]
    fn an_answer_that_does_not_come_in_time_is_not_waited_for_again() {
        let (tell, told) = channel::<()>();
        let peer = Peer::new([script(move |talk| {
            talk.greet().expect(&["GET"]);
            // Until the test is over.
            let _ = told.recv();
        })]);
        let bounds = Bounds { command: Duration::from_millis(20), ..ONE };
        let connections = to(&peer, bounds);
        // The first may be late already when it connects; then the second is not even tried.
        for _ in 0..2 {
            let error = get(&connections).unwrap_err();
            assert!(matches!(error, StoreError::Away(_)), "{error:?}");
            assert!(error.to_string().ends_with("no answer in time"), "{error}");
        }
        assert_eq!(connections.state().open, 0);
        drop(tell);
    }

    #[test]
    fn after_a_failure_nobody_tries_until_the_pause_is_over() {
        let loading = "-LOADING Redis is loading the dataset in memory\r\n";
        let peer = Peer::new([script(|talk| {
            talk.expect(&["PING"]).say(loading);
        })]);
        let connections = to(&peer, ONE);
        for _ in 0..3 {
            // A second attempt would find that nobody listens.
            let error = get(&connections).unwrap_err();
            assert!(matches!(error, StoreError::Away(_)), "{error:?}");
            assert!(error.to_string().contains(": LOADING "), "{error}");
        }
        peer.end();
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_a_success() {
        let refuse = || {
            script(|talk| {
                talk.expect(&["PING"]).say("-LOADING\r\n");
            })
        };
        let peer = Peer::new([refuse(), refuse(), refuse(), answers(&["+OK\r\n"])]);
        let pause = (Duration::from_secs(100), Duration::from_secs(300));
        let connections = to(&peer, Bounds { pause, ..ONE });
        for seconds in [100, 200, 300] {
            assert!(set(&connections).is_err());
            let mut state = connections.state();
            let away = state.away.as_mut().unwrap();
            assert_eq!(away.pause, Duration::from_secs(seconds));
            away.again = Instant::now();
        }
        assert!(set(&connections).is_ok());
        assert!(connections.state().away.is_none());
        peer.end();
    }

    #[test]
    fn while_one_tries_the_others_fail_at_once() {
        let (came, comes) = channel();
        let (tell, told) = channel();
        let peer = Peer::new([
            script(|talk| {
                talk.expect(&["PING"]).say("-LOADING\r\n");
            }),
            script(move |talk| {
                talk.expect(&["PING"]);
                came.send(()).unwrap();
                told.recv().unwrap();
                talk.say("+PONG\r\n").expect(&["GET"]).say("$1\r\n1\r\n");
            }),
        ]);
        let pause = (Duration::ZERO, Duration::ZERO);
        let connections = to(&peer, Bounds { most: 2, pause, ..ONE });
        assert!(get(&connections).is_err());
        thread::scope(|scope| {
            let trying = scope.spawn(|| get(&connections));
            comes.recv().unwrap();
            assert!(get(&connections).unwrap_err().to_string().contains("LOADING"));
            tell.send(()).unwrap();
            assert_eq!(trying.join().unwrap().unwrap(), Some(b"1".to_vec()));
        });
        peer.end();
    }

    #[test]
    fn a_place_without_anybody_is_away() {
        let peer = Peer::new([]);
        let place = peer.place.clone();
        peer.end();
        let error = Connections::new(place, ONE).try_open().unwrap_err();
        assert!(matches!(error, StoreError::Away(_)), "{error:?}");
    }
}
