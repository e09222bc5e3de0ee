//! How a connection is closed (RFC 9112 sections 9.6 and 9.8).
//!
//! Closing a socket while bytes of the peer lie unread in it sends a reset, and a reset takes away the
//! answer that the peer has not read yet. So the sending side ends first, and what still comes is
//! read and dropped for a while.

use std::io;

use crate::exchange::End;
use crate::limits::Limits;
use crate::link::{Link, Source};
use crate::observe::Why;
use crate::transport::deadline;

/// Closes a connection as its end demands; gives why it ended, which may be that this failed.
///
/// TLS says its end, so that the peer can tell it from a cut, and what the peer says in turn must not
/// meet a closed socket. What has failed is cut, and so that the peer can tell, it says nothing.
pub(crate) fn close(link: &mut Link<'_>, end: End, limits: &Limits) -> Why {
    let secure = link.transport.is_secure();
    let (why, closed) = match end {
        End::Now(why @ (Why::PeerClosed | Why::Idle)) if secure => {
            let _ = link.transport.close_write();
            (why, Ok(()))
        }
        End::Now(why) => (why, Ok(())),
        End::Flushed(why) if !secure => (why, link.flush()),
        End::Flushed(why) | End::Lingering(why) => (why, linger(link, limits)),
    };
    closed.map_or(Why::Failed, |()| why)
}

/// Writes what is owed, ends the sending side, and hears the peer out: until it ends, falls silent, or
/// has had its time and its bytes.
fn linger(link: &mut Link<'_>, limits: &Limits) -> io::Result<()> {
    link.flush()?;
    link.transport.close_write()?;
    let end = deadline(link.now(), limits.linger_time);
    let mut scrap = vec![0; 16 << 10];
    let mut left = limits.linger_bytes;
    while left > 0 {
        let now = link.now();
        let patience = limits.linger.min(end.saturating_duration_since(now));
        match link.receive(&mut scrap, now, patience) {
            Ok(0) | Err(_) => break,
            Ok(count) => left = left.saturating_sub(count as u64),
        }
    }
    Ok(())
}
