//! A server that runs beside a test, and what it tells of itself.
//!
//! A server and a handler enter; out come its address, a handle, its events in order, and what
//! `run` returns. Its events are how a test knows that something has happened without waiting a
//! while.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, mem};

use longhand::transport::Acceptor;
use longhand::{Event, Handle, IntoResponse, Request, Server, Summary, Why};

use crate::client::NEVER;

/// An event, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the event of the same name")]
pub enum Told {
    Accepted,
    TurnedAway,
    Answered { target: String, status: u16, body: u64, whole: bool },
    Refused(&'static str),
    Panicked(String),
    Closed { requests: u64, why: Why },
    AcceptFailed,
    SpawnFailed,
    Draining,
    Overdue(usize),
    Other,
}

impl Told {
    fn of(event: &Event<'_>) -> Self {
        match event {
            Event::Accepted { .. } => Self::Accepted,
            Event::TurnedAway { .. } => Self::TurnedAway,
            Event::Answered(answered) => match (answered.violation, answered.head) {
                (Some(violation), _) => Self::Refused(violation.name()),
                (None, Some(head)) => Self::Answered {
                    target: head.target_text.to_owned(),
                    status: answered.status.code(),
                    body: answered.body,
                    whole: answered.whole,
                },
                (None, None) => Self::Other,
            },
            Event::Panicked { message, .. } => Self::Panicked((*message).to_owned()),
            Event::Closed { requests, why, .. } => Self::Closed { requests: *requests, why: *why },
            Event::AcceptFailed { .. } => Self::AcceptFailed,
            Event::SpawnFailed { .. } => Self::SpawnFailed,
            Event::Draining => Self::Draining,
            Event::Overdue { connections } => Self::Overdue(*connections),
            _ => Self::Other,
        }
    }
}

/// A server that runs on a thread of its own. Dropped, it is stopped.
pub struct Running {
    /// Asks it to end.
    pub handle: Handle,
    address: Option<SocketAddr>,
    events: Receiver<Told>,
    thread: Option<JoinHandle<io::Result<Summary>>>,
}

/// Runs a server over TCP.
///
/// # Panics
/// If it has no address.
pub fn run<F, R>(server: Server, handler: F) -> Running
where
    F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    R: IntoResponse<'static> + 'static,
{
    let address = server.local_addr().expect("the server listens");
    let mut running = run_on(server, handler);
    running.address = Some(address);
    running
}

/// Runs a server over anything.
pub fn run_on<A, F, R>(server: Server<A>, handler: F) -> Running
where
    A: Acceptor + 'static,
    F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    R: IntoResponse<'static> + 'static,
{
    let (tell, events): (Sender<Told>, _) = channel();
    let handle = server.handle();
    let server = server.observe(move |event| {
        // Nobody listens any more where the test is over.
        let _ = tell.send(Told::of(event));
    });
    let thread = thread::spawn(move || server.run(handler));
    Running { handle, address: None, events, thread: Some(thread) }
}

impl Running {
    /// Where it listens.
    ///
    /// # Panics
    /// If that is no address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.expect("the server has an address")
    }

    /// The next event.
    ///
    /// # Panics
    /// If none comes.
    pub fn next(&self) -> Told {
        self.events.recv_timeout(NEVER).expect("the server tells of something")
    }

    /// Waits for an event, past others.
    ///
    /// # Panics
    /// If it does not come.
    pub fn expect(&self, wanted: &Told) {
        let mut others = Vec::new();
        loop {
            match self.events.recv_timeout(NEVER) {
                Ok(told) if told == *wanted => return,
                Ok(told) => others.push(told),
                Err(error) => panic!("{error}: not {wanted:?} but {others:?}"),
            }
        }
    }

    /// The events that were told and not yet looked at.
    #[must_use]
    pub fn events(&self) -> Vec<Told> {
        self.events.try_iter().collect()
    }

    /// Drains it, and gives what `run` returned.
    ///
    /// # Panics
    /// If it does not end in time, or `run` fails.
    #[must_use]
    pub fn end(self) -> Summary {
        self.handle.drain(Duration::ZERO, NEVER);
        self.ended()
    }

    /// Waits for it to end, which somebody has asked for, and gives what `run` returned.
    ///
    /// # Panics
    /// If `run` fails.
    #[must_use]
    pub fn ended(mut self) -> Summary {
        self.outcome().expect("the server ran")
    }

    /// What `run` returned.
    ///
    /// # Errors
    /// If `run` failed.
    ///
    /// # Panics
    /// If the server's thread panicked.
    pub fn outcome(&mut self) -> io::Result<Summary> {
        let thread = mem::take(&mut self.thread).expect("it is waited for once");
        thread.join().expect("no panic leaves the server")
    }
}

impl Drop for Running {
    /// A test that fails leaves no server behind. It is not waited for: its handler may be stuck.
    fn drop(&mut self) {
        self.handle.stop();
    }
}
