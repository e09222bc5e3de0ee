//! Ending a server: the handle that asks for it, and the conductor that does it.
//!
//! ```text
//! Ready --drain()--> LameDuck ------------> Draining ------------> ended
//!                    accepts, health says   accepts no more,       everything has ended, or the
//!                    no, answers close      idle ones are closed   deadline came and all was cut
//! ```
//!
//! The thread that called `run` conducts; it serves nobody and sleeps until it is asked.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use crate::observe::Event;
use crate::registry::{Registry, Room, Wish};
use crate::seat::State;
use crate::transport::{Acceptor, deadline};

/// For want of a clock that never comes.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// From the cut on, how long connections have to notice before the drain is called overdue.
const NOTICE: Duration = Duration::from_secs(1);

/// Pauses between wake-up calls: another process may share the listener and take them.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Asks a running server to end, and tells what it is doing. It may be cloned and kept by handlers.
///
/// ```
/// use longhand::{Response, Server};
/// use std::time::Duration;
///
/// let server = Server::bind("127.0.0.1:0")?;
/// let handle = server.handle();
/// std::thread::spawn(move || handle.drain(Duration::ZERO, Duration::from_secs(10)));
/// let summary = server.run(|_| Response::text("hello\n"))?;
/// assert_eq!(summary.cut, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    registry: Arc<Registry>,
}

impl Handle {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }

    /// Asks for a graceful end and returns at once.
    ///
    /// For `lame_duck` the server goes on, while [`state`](Self::state) says
    /// [`LameDuck`](State::LameDuck) and every response says `Connection: close`: a health check
    /// that fails now moves the traffic away. Then it accepts no more and closes what is idle. What
    /// has not ended `deadline_after` that is cut. Asked again, the sooner of the times counts.
    pub fn drain(&self, lame_duck: Duration, deadline_after: Duration) {
        let lame_until = deadline(Instant::now(), lame_duck);
        self.registry.wish(Wish { lame_until, cut_at: deadline(lame_until, deadline_after) });
    }

    /// Asks for an end without grace and returns at once: what is under way is cut.
    pub fn stop(&self) {
        self.drain(Duration::ZERO, Duration::ZERO);
    }

    /// What the server is doing: what a health check answers.
    #[must_use]
    pub fn state(&self) -> State {
        self.registry.phase.get()
    }

    /// How many connections are open now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.registry.room().serving
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// Waits for the wish to end, and fulfils it. Returns how many connections were cut, once no thread
/// waits and no connection is served.
pub(crate) fn conduct<A: Acceptor>(
    registry: &Registry,
    acceptor: &A,
    tell: &dyn Fn(&Event<'_>),
) -> usize {
    let room = registry.room();
    let room = rest(registry, acceptor, room, |room| room.wish.is_none().then_some(FOREVER));
    registry.phase.set(State::LameDuck);
    let room = rest(registry, acceptor, room, |room| time_until(room.wish?.lame_until));
    registry.phase.set(State::Draining);
    registry.announce(&room);
    drop(room);
    tell(&Event::Draining);
    let now = Instant::now();
    let conductor = Conductor {
        registry,
        acceptor,
        tell,
        seen: None,
        look_at: now,
        wake_at: now,
        pause: FIRST_PAUSE,
        cut: None,
        overdue: false,
        closed: false,
    };
    conductor.finish()
}

/// Sleeps while there is something `left` to wait for. Connections that are refused meanwhile are
/// looked after.
fn rest<'r, A: Acceptor>(
    registry: &'r Registry,
    acceptor: &A,
    mut room: MutexGuard<'r, Room>,
    left: impl Fn(&Room) -> Option<Duration>,
) -> MutexGuard<'r, Room> {
    loop {
        let (tended, again) = tend(registry, acceptor, room);
        let Some(left) = left(&tended) else { return tended };
        room = registry.doze(tended, left.min(again));
    }
}

/// Looks after the connections that were refused; gives how long that can wait from here on. What
/// happened while the lock was let go is seen in the room.
fn tend<'r, A: Acceptor>(
    registry: &'r Registry,
    acceptor: &A,
    mut room: MutexGuard<'r, Room>,
) -> (MutexGuard<'r, Room>, Duration) {
    if !std::mem::take(&mut room.refused) {
        return (room, FOREVER);
    }
    drop(room);
    let again = acceptor.tend();
    let mut room = registry.room();
    room.refused |= again.is_some();
    let again = if room.refused { again.unwrap_or(FIRST_PAUSE) } else { FOREVER };
    (room, again)
}

/// A drain under way.
struct Conductor<'a, A> {
    registry: &'a Registry,
    acceptor: &'a A,
    tell: &'a dyn Fn(&Event<'_>),
    /// How many connections there had been when the seats were last gone through.
    seen: Option<u64>,
    /// When they are to be gone through again, for fresh ones whose grace ends.
    look_at: Instant,
    /// When the threads in `accept` are to be woken again, and how long after that.
    wake_at: Instant,
    pause: Duration,
    /// How many were cut, once the deadline has come.
    cut: Option<usize>,
    overdue: bool,
    closed: bool,
}

impl<A: Acceptor> Conductor<'_, A> {
    /// Sees to it that everything ends; gives how many were cut.
    fn finish(mut self) -> usize {
        let registry = self.registry;
        let mut room = registry.room();
        while room.waiting + room.entering + room.serving > 0 {
            let again;
            (room, again) = tend(registry, self.acceptor, room);
            let now = Instant::now();
            let cut_at = room.wish.map_or(now, |wish| wish.cut_at);
            if self.seen != Some(room.connections) || self.look_at <= now {
                self.go_through_seats(&room, now);
            }
            if self.cut.is_none() && cut_at <= now {
                self.cut = Some(room.serving);
                room.seats().for_each(|seat| seat.cut());
            }
            let is_overdue = self.cut.is_some() && !self.overdue && cut_at + NOTICE <= now;
            if room.waiting > 0 && self.wake_at <= now {
                let waiting = room.waiting;
                drop(room);
                self.wake(waiting);
            } else if room.waiting == 0 && !self.closed {
                // Nobody may go back to `accept` now: closing waits for those who are in it.
                room.queue_is_empty = true;
                drop(room);
                self.acceptor.close();
                self.closed = true;
            } else if is_overdue && room.serving > 0 {
                let connections = room.serving;
                drop(room);
                (self.tell)(&Event::Overdue { connections });
                self.overdue = true;
            } else {
                let mut next = self.look_at.min(now + again);
                if room.waiting > 0 {
                    next = next.min(self.wake_at);
                }
                if self.cut.is_none() {
                    next = next.min(cut_at);
                } else if !self.overdue {
                    next = next.min((cut_at + NOTICE).max(now + FIRST_PAUSE));
                }
                drop(registry.watch(room, next.saturating_duration_since(Instant::now())));
            }
            room = registry.room();
        }
        self.cut.unwrap_or(0)
    }

    /// Closes quiet connections; after the deadline, cuts those that have come since.
    fn go_through_seats(&mut self, room: &Room, now: Instant) {
        let mut left = FOREVER;
        for seat in room.seats() {
            seat.take_quiet(now);
            left = left.min(seat.grace_left(now).unwrap_or(FOREVER));
            if self.cut.is_some() {
                seat.cut();
            }
        }
        self.seen = Some(room.connections);
        self.look_at = now + left;
    }

    /// Wakes the threads in `accept`. A call that fails, for want of descriptors perhaps, or is taken
    /// by another process, is made again.
    fn wake(&mut self, waiting: usize) {
        for _ in 0..waiting {
            let _ = self.acceptor.wake();
        }
        self.wake_at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }
}

fn time_until(then: Instant) -> Option<Duration> {
    then.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}
