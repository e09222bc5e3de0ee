//! Ending a server: the handle that asks for it, and the conductor that does it.
//!
//! ```text
//! Ready --drain()--> LameDuck ------------> Draining ------------> ended
//!                    accepts, health says   accepts no more,       everything has ended, or the
//!                    no, answers close      idle ones are closed   deadline came and all was cut
//! ```
//!
//! The thread that called `run` conducts; it serves nobody and sleeps until it is asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::link::deadline;
use crate::observe::Event;
use crate::registry::{Registry, Room, Wish};
use crate::seat::State;
use crate::transport::Acceptor;

/// How long a connection that has sent nothing yet may keep a drain waiting for its first request.
const FRESH: Duration = Duration::from_secs(1);

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
    /// has not ended `deadline` later is cut. Asked again, the sooner of the times counts.
    pub fn drain(&self, lame_duck: Duration, deadline_after: Duration) {
        let lame_until = deadline(Instant::now(), lame_duck);
        let wish = Wish { lame_until, cut_at: deadline(lame_until, deadline_after) };
        let mut room = self.registry.room();
        room.wish = Some(match room.wish {
            None => wish,
            Some(earlier) => Wish {
                lame_until: earlier.lame_until.min(wish.lame_until),
                cut_at: earlier.cut_at.min(wish.cut_at),
            },
        });
        self.registry.announce(&room);
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
    const FOREVER: Duration = Duration::from_secs(365 * 86_400);
    let mut room = registry.room();
    while room.wish.is_none() {
        room = registry.watch(room, FOREVER);
    }
    registry.phase.set(State::LameDuck);
    while let Some(left) = room.wish.and_then(|wish| time_until(wish.lame_until)) {
        room = registry.watch(room, left);
    }
    registry.phase.set(State::Draining);
    registry.announce(&room);
    drop(room);
    tell(&Event::Draining);

    let mut cut = None;
    let mut told = false;
    let mut wake_at = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut room = registry.room();
    loop {
        if room.waiting + room.entering + room.serving == 0 {
            return cut.unwrap_or(0);
        }
        let now = Instant::now();
        let mut next = now + FOREVER;
        if let Some(again) = close_quiet_ones(&room, now) {
            next = next.min(again);
        }
        if room.waiting > 0 {
            if wake_at <= now {
                let waiting = room.waiting;
                drop(room);
                for _ in 0..waiting {
                    // A call that fails, for want of descriptors perhaps, is made again.
                    let _ = acceptor.wake();
                }
                (wake_at, pause) = (Instant::now() + pause, (pause * 2).min(LAST_PAUSE));
                room = registry.room();
                continue;
            }
            next = next.min(wake_at);
        }
        let cut_at = room.wish.map_or(now, |wish| wish.cut_at);
        match cut {
            None if cut_at <= now => {
                room.seats().for_each(|seat| seat.cut());
                cut = Some(room.serving);
                continue;
            }
            None => next = next.min(cut_at),
            // Connections that were accepted since are cut too.
            Some(_) => room.seats().for_each(|seat| seat.cut()),
        }
        if cut.is_some() && !told && room.serving > 0 {
            if cut_at + NOTICE <= now {
                told = true;
                let connections = room.serving;
                drop(room);
                tell(&Event::Overdue { connections });
                room = registry.room();
                continue;
            }
            next = next.min(cut_at + NOTICE);
        }
        room = registry.watch(room, next.saturating_duration_since(Instant::now()));
    }
}

fn time_until(then: Instant) -> Option<Duration> {
    then.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

/// Closes idle connections, and fresh ones whose time is over. Gives when to look again.
fn close_quiet_ones(room: &Room, now: Instant) -> Option<Instant> {
    let mut again = None;
    for seat in room.seats() {
        seat.take_idle();
        if let Some(silent) = seat.fresh_for(now) {
            if silent >= FRESH {
                seat.take_fresh();
            } else {
                let then = now + (FRESH - silent);
                again = Some(again.map_or(then, |again: Instant| again.min(then)));
            }
        }
    }
    again
}
