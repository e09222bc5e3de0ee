//! What is remembered of passwords: the right ones, and who gave wrong ones.
//!
//! Neither is kept as it came. Both are kept as HMACs under a random key that is nowhere but in this
//! process: so nobody can choose what falls together, and how long a look-up takes tells nothing
//! about a password.

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::expiring::Expiring;
use crate::mac::Hmac;
use crate::random;
use crate::rate::{Network, TooMany};

pub(super) const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Right passwords that are remembered at once: as many people as work with one small server.
const RIGHT: usize = 1 << 10;

/// Wrong passwords that cost nothing: those of people who have several.
const FREE: u32 = 5;
/// No delay is longer: a user who comes back after a break gets in.
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
pub(super) const FORGOTTEN: Duration = Duration::from_secs(60 * 60);
/// Clients and accounts whose wrong passwords are counted. To have one forgotten within the hour after
/// its delay takes as many wrong passwords for others. One client has not so many: `accounts.rs`
/// counts all of its own together, before any of them is noted here.
pub(super) const WRONG: usize = 1 << 16;

type Tag = [u8; 32];

pub(super) struct Attempts {
    keyed: Hmac,
    passwords: Mutex<Passwords>,
}

struct Passwords {
    right: Expiring<Tag, ()>,
    wrong: Expiring<Tag, Wrong>,
}

/// What is known of one client at one account.
struct Wrong {
    count: u32,
    /// When the next password is looked at.
    next: Instant,
}

/// One password from one client for one account.
pub(super) struct Attempt {
    right: Tag,
    wrong: Tag,
}

impl Attempts {
    pub(super) fn new() -> io::Result<Self> {
        let passwords = Passwords { right: Expiring::new(RIGHT), wrong: Expiring::new(WRONG) };
        Ok(Self { keyed: Hmac::new(&random::bytes::<32>()?), passwords: Mutex::new(passwords) })
    }

    /// `account` is a digest: all are of one length, so that nothing runs into the password behind it
    /// and the tags of all accounts take the same time.
    pub(super) fn of(&self, client: IpAddr, account: &[u8; 32], password: &str) -> Attempt {
        let client = Network::at(client).octets();
        Attempt {
            right: self.tag(&[b"right\0", account, password.as_bytes()]),
            wrong: self.tag(&[b"wrong\0", &client, account]),
        }
    }

    fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut mac = self.keyed.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finish()
    }

    /// Whether the password is known to be right; an error while a delay runs, in which not even that
    /// may be told.
    pub(super) fn recall(&self, now: Instant, attempt: &Attempt) -> Result<bool, TooMany> {
        let passwords = self.passwords();
        // The delay before the look-up: else guesses were answered as fast as they come.
        if let Some((_, wrong)) = passwords.wrong.get(&attempt.wrong, now) {
            let wait = wrong.next.saturating_duration_since(now);
            if wait > Duration::ZERO {
                return Err(TooMany { wait });
            }
        }
        Ok(passwords.right.get(&attempt.right, now).is_some())
    }

    /// Keeps the verdict on a password.
    pub(super) fn note(&self, now: Instant, attempt: &Attempt, is_right: bool) {
        let mut passwords = self.passwords();
        if is_right {
            passwords.wrong.remove(&attempt.wrong);
            passwords.right.put(attempt.right, (), now + REMEMBERED, now);
        } else {
            let before =
                passwords.wrong.get(&attempt.wrong, now).map_or(0, |(_, wrong)| wrong.count);
            let count = before.saturating_add(1);
            let delay = delay_after(count);
            let wrong = Wrong { count, next: now + delay };
            passwords.wrong.put(attempt.wrong, wrong, now + delay + FORGOTTEN, now);
        }
    }

    /// Each entry is true by itself: a panic elsewhere leaves nothing half done.
    fn passwords(&self) -> MutexGuard<'_, Passwords> {
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the next password has to wait after so many wrong ones: 1 s after the first that is not
/// free, then twice as long each time.
pub(super) fn delay_after(wrong: u32) -> Duration {
    wrong.checked_sub(FREE + 1).map_or(Duration::ZERO, |doublings| {
        let seconds = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        Duration::from_secs(seconds).min(MAX_DELAY)
    })
}

#[cfg(test)]
mod tests {
    // For the tests of others as well.
    impl Attempts {
        pub(in crate::auth) fn counted(&self) -> usize {
            self.passwords().wrong.len()
        }
    }

    use super::*;

    #[test]
    fn delays_double_up_to_a_quarter_of_an_hour() {
        for (wrong, seconds) in [
            (0, 0),
            (1, 0),
            (5, 0),
            (6, 1),
            (7, 2),
            (8, 4),
            (15, 512),
            (16, 900),
            (70, 900),
            (u32::MAX, 900),
        ] {
            assert_eq!(delay_after(wrong).as_secs(), seconds, "after {wrong}");
        }
    }
}
