//! Sessions as they are kept: found by the ID of a request, replaced, opened, forgotten.
//!
//! Each step is one of the store's; what several steps make together, and why in that order, is told
//! where they are put together, in `sessions.rs`.

use std::io;
use std::time::Duration;

use longhand::{Reply, Request};

use super::error::SessionError;
use super::record::{MAX_BYTES, Record};
use super::store::{Key, Store};
use crate::cookie::{Cookies, SetCookie};
use crate::{base64, mac, random};

pub(super) const PREFIX: &str = "__Host-";

/// Characters of an ID: 32 bytes in base64url.
pub(super) const LENGTH: usize = 43;

/// Seconds for which [`Record::Moved`] stays where a session was before it got another ID: longer than
/// any request is under way that was sent with the old one.
pub(super) const MOVED: u64 = 60;

/// How often a change is tried. Each time that it fails another request has come first, so that some
/// request always succeeds.
pub(super) const TRIES: usize = 100;

/// A store, and the rules by which sessions are kept in it.
pub(super) struct Kept<S> {
    pub(super) store: S,
    /// The cookie's name. With [`PREFIX`] the cookie is Secure, without it is not.
    pub(super) cookie: String,
    pub(super) idle: u64,
    pub(super) longest: u64,
}

/// What a request's ID stands for.
pub(super) enum Found {
    Nothing,
    /// A session that has another ID by now.
    Moved,
    Session(Live),
}

pub(super) struct Live {
    pub(super) key: Key,
    /// The record as it is in the store.
    pub(super) stored: Vec<u8>,
    pub(super) began: u64,
    pub(super) used: u64,
    pub(super) value: Vec<u8>,
}

impl<S: Store> Kept<S> {
    pub(super) fn is_secure(&self) -> bool {
        self.cookie.starts_with(PREFIX)
    }

    /// The key of the ID that a request brings, whether there is such a session or not.
    pub(super) fn key(&self, request: &Request<'_>) -> Option<Key> {
        let id = Cookies::of(request).get(&self.cookie)?;
        (id.len() == LENGTH).then(|| mac::sha256(id))
    }

    pub(super) fn load(&self, request: &Request<'_>, now: u64) -> io::Result<Found> {
        let Some(key) = self.key(request) else { return Ok(Found::Nothing) };
        let Some(stored) = self.store.get(&key)? else { return Ok(Found::Nothing) };
        let since = |time: u64| now.saturating_sub(time);
        match Record::decode(&stored)? {
            Record::Live { began, used, value }
                if since(used) < self.idle && since(began) < self.longest =>
            {
                return Ok(Found::Session(Live { key, stored, began, used, value }));
            }
            Record::Moved { at, .. } if since(at) < MOVED => return Ok(Found::Moved),
            _ => {}
        }
        self.store.remove(&key)?;
        Ok(Found::Nothing)
    }

    /// Puts another value where `live` was found, if it is still there; whether it was.
    pub(super) fn replace(&self, live: &Live, value: Vec<u8>, now: u64) -> io::Result<bool> {
        let left = self.longest.saturating_sub(now.saturating_sub(live.began));
        let record = Record::Live { began: live.began, used: now, value }.encode();
        let keep = Duration::from_secs(self.idle.min(left));
        self.store.put(&live.key, Some(&live.stored), &record, keep)
    }

    /// Puts where `live` was found that it has moved, if it is still there; whether it was.
    pub(super) fn move_on(&self, live: &Live, to: Key, now: u64) -> io::Result<bool> {
        let moved = Record::Moved { at: now, to }.encode();
        self.store.put(&live.key, Some(&live.stored), &moved, Duration::from_secs(MOVED))
    }

    /// A new session: its ID, and the key under which it is.
    pub(super) fn open(&self, value: Vec<u8>, now: u64) -> Result<(String, Key), SessionError> {
        let record = Record::Live { began: now, used: now, value: fitting(value)? }.encode();
        let id = base64::encode_url(random::bytes::<32>()?);
        let key = mac::sha256(id.as_bytes());
        let keep = Duration::from_secs(self.idle.min(self.longest));
        if self.store.put(&key, None, &record, keep)? {
            return Ok((id, key));
        }
        // Not by chance, before the sun goes out.
        Err(io::Error::other("random bytes came twice").into())
    }

    /// Ends the session under a key, and the one that it has become meanwhile.
    pub(super) fn forget(&self, mut key: Key, now: u64) -> io::Result<()> {
        for _ in 0..TRIES {
            match self.store.remove(&key)?.map(|record| Record::decode(&record)).transpose()? {
                Some(Record::Moved { at, to }) if now.saturating_sub(at) < MOVED => key = to,
                _ => break,
            }
        }
        Ok(())
    }

    pub(super) fn set<'s>(&self, cookie: SetCookie, response: Reply<'s>) -> Reply<'s> {
        let cookie = if self.is_secure() { cookie.secure() } else { cookie };
        let response = cookie.add_to(response).expect("the name was checked, the rest is our own");
        // No cache may give one visitor's cookie to others. Where the program says something, it knows.
        match response.field_value("Cache-Control") {
            Some(_) => response,
            None => response.field("Cache-Control", "no-store"),
        }
    }
}

pub(super) fn fitting(value: Vec<u8>) -> Result<Vec<u8>, SessionError> {
    if value.len() <= MAX_BYTES { Ok(value) } else { Err(SessionError::TooLong(value.len())) }
}

pub(super) fn contended() -> SessionError {
    io::Error::other(format!("the session was changed by others {TRIES} times in a row")).into()
}
