//! The lingering close (RFC 9112 section 9.6).
//!
//! Closing a socket while bytes of the peer lie unread in it sends a reset, and a reset takes away the
//! answer that the peer has not read yet. So the sending side ends first, and what still comes is
//! read and dropped for a while.

use std::io;

use crate::limits::Limits;
use crate::link::{Link, Source};
use crate::transport::deadline;

/// Writes what is owed, ends the sending side, and hears the peer out: until it ends, falls silent, or
/// has had its time and its bytes.
pub(crate) fn linger(link: &mut Link<'_>, limits: &Limits) -> io::Result<()> {
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
