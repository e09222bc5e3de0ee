//! Every limit and deadline of a connection, with its default and the reason for it.
//!
//! All are on from the start: a server that faces the open internet should not need to know this
//! page. What a peer may take is numbered here; the few fixed numbers (two empty lines before a request, the
//! second for which a new connection keeps its place) stand where they are kept.

use core::time::Duration;

/// What a peer may take: bytes, lines, time, connections.
///
/// ```
/// use longhand::Limits;
/// use std::time::Duration;
///
/// let limits = Limits { body: 100 << 20, idle: Duration::from_secs(95), ..Limits::default() };
/// assert_eq!(limits.head, 16 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request-target. Default 8 KiB: RFC 9112 section 3 asks servers to support request-lines
    /// of 8,000 octets at the least. Over it: 414.
    pub target: usize,
    /// Bytes of a whole head, with its empty line. Default 16 KiB: browsers with full cookie jars
    /// stay under it, as do Node and most proxies. Over it: 431.
    pub head: usize,
    /// Field lines of a head, or of a trailer section. Default 100, as hyper and Python. Over it: 431.
    pub fields: usize,
    /// Bytes of a request body, chunked or not. Default 16 MiB; a handler sets its own for one
    /// request by [`Body::limit`](crate::Body::limit). Over it: 413.
    pub body: u64,
    /// Bytes of chunk extensions and trailers over one body. Default 16 KiB: nobody uses the first,
    /// and attackers send gigabytes of them. Over it: 400 for extensions, 431 for trailers.
    pub body_overhead: usize,
    /// How long a new connection may stay silent. Default 10 s. Over it: closed.
    pub first_byte: Duration,
    /// From the first byte of a head to its last, however it drips. Default 10 s. Over it: 408.
    pub head_time: Duration,
    /// How long reads of a body may wait beyond what its bytes earn at [`body_rate`](Self::body_rate).
    /// Default 10 s. Over it: 408.
    pub body_grace: Duration,
    /// Bytes a second that keep a body going: waiting uses the grace up, bytes earn it back at this
    /// rate. Default 1 KiB: an honest slow upload passes, a dripping one does not. The clock runs only
    /// while a read waits.
    pub body_rate: u64,
    /// How long a write may stand still. Default 30 s. Over it: the connection is cut. A send that got
    /// bytes out before it stood still tells of those first: on Linux it may take three times as long.
    /// There is no least rate: whoever makes room for more within that time is not cut.
    pub write_stall: Duration,
    /// How long a connection may rest between two requests. Default 75 s: longer than proxies keep
    /// theirs (nginx 60 s), so that it is they who close first. Over it: closed.
    pub idle: Duration,
    /// Bytes of an unread body that are read and dropped to keep the connection. Default 256 KiB.
    /// Over it: the answer says `Connection: close`.
    pub drain: u64,
    /// Silence that ends a lingering close. Default 1 s.
    pub linger: Duration,
    /// A lingering close altogether. Default 5 s.
    pub linger_time: Duration,
    /// Bytes that a lingering close reads and drops. Default 64 MiB: a client that uploads before it
    /// reads is heard out, so that the refusal is not lost to a reset.
    pub linger_bytes: u64,
    /// Connections served at once, each by a thread. Default 1,024. Over it the longest
    /// quiet connection is closed to make room: one between two requests, or one that has sent nothing
    /// for a second. Where none is quiet, 503 with `Retry-After`.
    ///
    /// Each has a descriptor, and up to sixteen threads that wait for the next reserve one: what the system
    /// gives (`ulimit -n`) should be that much more, and what handlers open.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            target: 8 << 10,
            head: 16 << 10,
            fields: 100,
            body: 16 << 20,
            body_overhead: 16 << 10,
            first_byte: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            body_grace: Duration::from_secs(10),
            body_rate: 1 << 10,
            write_stall: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            drain: 256 << 10,
            linger: Duration::from_secs(1),
            linger_time: Duration::from_secs(5),
            linger_bytes: 64 << 20,
            connections: 1_024,
        }
    }
}
