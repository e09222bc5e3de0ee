//! A limit on how often one client may ask: a token bucket for each, in bounded memory.
//!
//! What enters is the time and the client's address; what leaves is `Ok`, or [`TooMany`], whose
//! answer is 429 with Retry-After (RFC 6585 section 4).
//!
//! ```
//! use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
//! use longhand_kit::rate::RateLimit;
//! use std::time::Duration;
//!
//! // Two at once, then one more every ten seconds.
//! let searches = RateLimit::new(2, Duration::from_secs(10));
//! let handler = |request: &mut Request<'_>| -> Result<Response, Response> {
//!     if let Some(peer) = request.peer() {
//!         searches.admit(request.now(), peer.ip())?;
//!     }
//!     Ok(Response::text("found\n"))
//! };
//!
//! let get = "GET /search HTTP/1.1\r\nHost: x\r\n\r\n";
//! let mut client = Scripted::new()
//!     .address("192.0.2.1:4000".parse().unwrap())
//!     .send(get).send(get).send(get)
//!     .wait(Duration::from_secs(10)).send(get)
//!     .end();
//! serve_connection(&mut client, &Limits::default(), handler);
//! let output = client.output_text();
//! assert_eq!(output.matches("HTTP/1.1 200 ").count(), 3);
//! assert_eq!(output.matches("HTTP/1.1 429 ").count(), 1);
//! assert!(output.contains("\r\nRetry-After: 10\r\n"));
//! ```
//!
//! # Who a client is
//!
//! An IPv4 address, or the first 64 bits of an IPv6 address, which is what one customer of a
//! provider has at least: whoever has a /64 has 2^64 addresses. An IPv4 address that is mapped into
//! IPv6 is that IPv4 address. Behind a proxy the peer is the proxy, and the address to give is the
//! one that [`forwarded`](crate::forwarded) finds: it believes the proxy's fields and nobody else's,
//! for a client that may choose its own address has no limit at all. A peer at a Unix socket has no
//! address: it is a proxy, or somebody on the same machine.
//!
//! # What it does not stop
//!
//! - **A client with many networks.** A /48, which some providers give to each customer, holds 65,536
//!   /64, and so has 65,536 times the rate; as many rented machines have as much. Against a /48, ask a
//!   second limit, for the address with its last 80 bits cleared.
//! - **Many clients at once.** Each stays within its own rate. What bounds all of them together is
//!   `longhand`'s cap on connections.
//! - **Forgetting, while all places are taken.** The fullest bucket goes first, and its client gains
//!   what was missing in it: one request, where it has asked once. To have an empty bucket forgotten,
//!   a client must empty a bucket for every place there is: more requests than it gains.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use longhand::{IntoResponse, Reply, Status};

use crate::expiring::Expiring;
use crate::refusal::refusal;

/// Places for clients, unless [`RateLimit::places`] says otherwise: 9 MB at most.
const PLACES: usize = 1 << 16;

/// What is told apart when clients are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network(u128);

impl Network {
    pub(crate) fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(address.to_bits() >> 64 << 64),
        }
    }

    pub(crate) fn octets(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// A bucket of tokens for each client: a request takes one, and they come back one by one.
///
/// All threads share it, and ask it before they do the work. A request that is refused takes no
/// token: a client that waits as long as it is told is let in.
///
/// ```
/// use longhand_kit::rate::RateLimit;
/// use std::time::{Duration, Instant};
///
/// let limit = RateLimit::new(1, Duration::from_secs(60));
/// let (now, client) = (Instant::now(), "192.0.2.1".parse().unwrap()); // in a handler: request.now()
/// assert!(limit.admit(now, client).is_ok());
/// let refused = limit.admit(now + Duration::from_secs(20), client).unwrap_err();
/// assert_eq!(refused.wait, Duration::from_secs(40));
/// assert!(limit.admit(now + Duration::from_secs(60), client).is_ok());
/// ```
pub struct RateLimit {
    /// How long it takes until one token has come back.
    each: Duration,
    /// How long until all have: the burst times `each`.
    all: Duration,
    /// When a bucket will be full again says how full it is now. A full one need not be kept.
    full_again: Mutex<Expiring<Network, ()>>,
}

impl RateLimit {
    /// Lets each client ask `burst` times at once, and then once more each time `each` has passed.
    ///
    /// # Panics
    /// If one of them is 0, or if a bucket took more than a year to fill.
    #[must_use]
    #[track_caller]
    pub fn new(burst: u32, each: Duration) -> Self {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        let all =
            each.checked_mul(burst).filter(|all| (Duration::from_nanos(1)..=YEAR).contains(all));
        let Some(all) = all else {
            panic!("rate of {burst} and one each {each:?}: expected both above 0, a year at most");
        };
        Self { each, all, full_again: Mutex::new(Expiring::new(PLACES)) }
    }

    /// The same with places for at most this many clients; 65,536 if not set, and one at least. A place takes about 130
    /// bytes, and is free again once its bucket is full.
    ///
    /// ```
    /// use longhand_kit::rate::RateLimit;
    /// use std::{net::IpAddr, time::{Duration, Instant}};
    ///
    /// let limit = RateLimit::new(1, Duration::from_secs(60)).places(2);
    /// let now = Instant::now(); // in a handler: request.now()
    /// let ask = |last: u8| limit.admit(now, IpAddr::from([192, 0, 2, last])).is_ok();
    /// assert!(ask(1) && !ask(1) && ask(2));
    /// assert!(ask(3), "a third client takes the place of another");
    /// ```
    #[must_use]
    pub fn places(self, most: usize) -> Self {
        Self { full_again: Mutex::new(Expiring::new(most)), ..self }
    }

    /// Takes a token from the client's bucket. `now` is [`Request::now`](longhand::Request::now).
    ///
    /// # Errors
    /// If no token is left: [`TooMany`], with how long to wait for one.
    pub fn admit(&self, now: Instant, client: IpAddr) -> Result<(), TooMany> {
        let client = Network::at(client);
        // Nothing under the lock can panic half way, and each entry is true by itself.
        let mut buckets = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = buckets
            .get(&client, now)
            .map_or(Duration::ZERO, |(full, ())| full.saturating_duration_since(now));
        let missing = missing + self.each;
        if missing > self.all {
            return Err(TooMany { wait: missing - self.all });
        }
        buckets.put(client, (), now + missing, now);
        Ok(())
    }

    /// Puts back a token that [`admit`](Self::admit) took for what turned out to be free.
    pub(crate) fn give_back(&self, now: Instant, client: IpAddr) {
        let client = Network::at(client);
        let mut buckets = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((full, ())) = buckets.get(&client, now) else { return };
        match full.checked_sub(self.each).filter(|full| *full > now) {
            Some(full) => buckets.put(client, (), full, now),
            None => buckets.remove(&client),
        }
    }
}

/// Without the clients, who are nobody's business in a log.
impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("each", &self.each).finish_non_exhaustive()
    }
}

/// A client has asked too often, and is told when to ask again.
///
/// ```
/// use longhand::{IntoResponse, Status};
/// use longhand_kit::rate::TooMany;
/// use std::time::Duration;
///
/// let refused = TooMany { wait: Duration::from_millis(1_500) };
/// assert_eq!(refused.to_string(), "too many requests: try again in 2 s");
/// assert_eq!(refused.into_response().status_code(), Status::TOO_MANY_REQUESTS);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How long the client has to wait.
    pub wait: Duration,
}

impl TooMany {
    /// Whole seconds, rounded up: one who comes back after them is let in.
    fn seconds(self) -> u64 {
        self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many requests: try again in {} s", self.seconds())
    }
}

impl std::error::Error for TooMany {}

/// 429 with Retry-After.
impl<'s> IntoResponse<'s> for TooMany {
    fn into_response(self) -> Reply<'s> {
        Reply::text(format!("{self}\n"))
            .status(Status::TOO_MANY_REQUESTS)
            .field("Retry-After", self.seconds())
            // RFC 6585 section 4: such an answer is nobody else's.
            .field("Cache-Control", "no-store")
    }
}

refusal!(TooMany);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const SECOND: Duration = Duration::from_secs(1);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_is_let_in_and_then_one_by_one() {
        let start = Instant::now();
        let limit = RateLimit::new(3, 2 * SECOND);
        // Milliseconds from the start, and how long is to be waited then.
        for (at, wait) in [
            (0, None),
            (0, None),
            (0, None),
            (0, Some(2000)),
            (500, Some(1500)),
            (1999, Some(1)),
            (2000, None),
            (2000, Some(2000)),
            (5000, None),
            (5000, Some(1000)),
            (60_000, None),
            (60_000, None),
            (60_000, None),
            (60_000, Some(2000)),
        ] {
            let found = limit.admit(start + Duration::from_millis(at), ip("192.0.2.1")).err();
            assert_eq!(found.map(|it| it.wait.as_millis()), wait, "after {at} ms");
        }
    }

    #[test]
    fn a_token_that_was_given_back_can_be_taken_again() {
        let now = Instant::now();
        let (limit, client) = (RateLimit::new(2, SECOND), ip("192.0.2.1"));
        for _ in 0..10 {
            limit.admit(now, client).unwrap();
            limit.give_back(now, client);
        }
        assert_eq!(limit.full_again.lock().unwrap().len(), 0, "a full bucket is not kept");
        limit.give_back(now, client);
        assert!(limit.admit(now, client).is_ok() && limit.admit(now, client).is_ok());
        assert_eq!(limit.admit(now, client), Err(TooMany { wait: SECOND }), "full is full");
        limit.give_back(now, client);
        assert_eq!((limit.admit(now, client), limit.admit(now, client).is_ok()), (Ok(()), false));
    }

    #[test]
    fn whoever_waits_as_told_is_let_in() {
        let mut now = Instant::now();
        let limit = RateLimit::new(5, Duration::from_millis(1_700));
        let mut admitted = 0;
        for _ in 0..200 {
            match limit.admit(now, ip("192.0.2.1")) {
                Ok(()) => admitted += 1,
                Err(too_many) => {
                    now += Duration::from_secs(too_many.seconds());
                    limit.admit(now, ip("192.0.2.1")).unwrap();
                }
            }
        }
        assert!(admitted >= 5);
    }

    #[test]
    fn clients_are_told_apart_by_address_or_64_bits_of_it() {
        let same = |a, b| Network::at(ip(a)) == Network::at(ip(b));
        for (a, b) in [
            ("192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8::1", "2001:db8::ffff:0:1"),
            ("2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("192.0.2.1", "192.0.2.2"),
            ("2001:db8:1:2::1", "2001:db8:1:3::1"),
            ("0.0.0.0", "::"),
            ("::ffff:0.0.0.0", "::"),
            ("::1", "127.0.0.1"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_crowd_of_addresses_stays_below_the_bound_and_frees_nobody() {
        let start = Instant::now();
        let limit = RateLimit::new(10, SECOND).places(500);
        let limited = ip("192.0.2.1");
        (0..10).for_each(|_| limit.admit(start, limited).unwrap());
        for i in 0..100_000_u32 {
            // Half of them in one /48, one for each /64 of it.
            let address = match i % 2 {
                0 => IpAddr::V4(Ipv4Addr::from(0x0A00_0000 + i)),
                _ => IpAddr::V6(Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(i >> 1) << 64)),
            };
            limit.admit(start, address).unwrap();
        }
        assert_eq!(limit.full_again.lock().unwrap().len(), 500);
        assert_eq!(limit.admit(start, limited), Err(TooMany { wait: SECOND }));
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten_as_others_come() {
        let mut now = Instant::now();
        let limit = RateLimit::new(10, SECOND);
        for i in 0..10_000_u32 {
            limit.admit(now, IpAddr::V4(Ipv4Addr::from(i))).unwrap();
            now += Duration::from_millis(10);
        }
        let kept = limit.full_again.lock().unwrap().len();
        assert!(kept <= 101, "{kept} are kept, 100 came within the last second");
    }

    #[test]
    fn the_answer_says_when_in_whole_seconds() {
        for (millis, seconds) in [(1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")] {
            let answer = TooMany { wait: Duration::from_millis(millis) }.into_response();
            assert_eq!(answer.status_code(), Status::TOO_MANY_REQUESTS);
            assert_eq!(answer.field_value("Retry-After").unwrap().as_bytes(), seconds.as_bytes());
        }
    }

    #[test]
    fn rates_that_are_none_are_refused_at_once() {
        for (burst, each) in
            [(0, SECOND), (1, Duration::ZERO), (u32::MAX, SECOND), (2, Duration::MAX)]
        {
            assert!(std::panic::catch_unwind(|| RateLimit::new(burst, each)).is_err());
        }
    }
}
