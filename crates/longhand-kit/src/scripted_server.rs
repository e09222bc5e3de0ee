//! For tests: a server whose connections are scripted, so that its events can be observed without a
//! socket.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use longhand::transport::{Accepted, Acceptor, Scripted};
use longhand::{Event, IntoResponse, Request, Server};

/// Serves these peers to their end. The observer has been told of everything when this returns.
pub(crate) fn serve<'s, F, R>(
    peers: Vec<Scripted>,
    observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    handler: F,
) where
    F: Fn(&mut Request<'_>) -> R + Sync,
    R: IntoResponse<'s>,
{
    let open = AtomicUsize::new(peers.len());
    let server = Server::new(Queue { state: Mutex::new((peers.into(), 0)), news: Condvar::new() });
    let handle = server.handle();
    let server = server.observe(move |event| {
        observer(event);
        if matches!(event, Event::Closed { .. }) && open.fetch_sub(1, Ordering::SeqCst) == 1 {
            handle.stop();
        }
    });
    server.run(handler).unwrap();
}

/// The peers that have not been accepted, and how many threads are to be woken.
struct Queue {
    state: Mutex<(VecDeque<Scripted>, usize)>,
    news: Condvar,
}

impl Acceptor for Queue {
    type Transport = Scripted;

    fn accept(&self) -> io::Result<Accepted<Scripted>> {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(peer) = state.0.pop_front() {
                return Ok(Accepted::Connection(peer));
            }
            if state.1 > 0 {
                state.1 -= 1;
                return Ok(Accepted::Wake);
            }
            state = self.news.wait(state).unwrap();
        }
    }

    fn wake(&self) -> io::Result<()> {
        self.state.lock().unwrap().1 += 1;
        self.news.notify_one();
        Ok(())
    }

    fn refuse(&self, _: Scripted, _: &[u8]) {}

    fn local(&self) -> Option<SocketAddr> {
        None
    }
}
