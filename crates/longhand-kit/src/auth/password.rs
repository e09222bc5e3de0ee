//! Password hashes: what is kept in place of a password, as text.
//!
//! ```text
//! PBKDF2-SHA256$600000$ru0YBOCm4-mCx71p5lGZzA$YHZ8LxWkXhVhQq…
//! name          rounds salt                   hash
//! ```
//!
//! Salt (16 bytes) and hash (32) are base64url. There is one text for each hash. The name is there
//! so that another function can follow without a guess as to what is which.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::refusal::shown_as_text;
use crate::{base64, mac, random};

/// Rounds for new hashes: 600,000, as OWASP's Password Storage Cheat Sheet asks for. They take about
/// half a second of one core.
pub const DEFAULT_ROUNDS: u32 = 600_000;

/// The least is that of RFC 8018 section 4.2: fewer are a slip. The most takes about ten seconds: a
/// hash that comes from elsewhere must not keep a server busy for longer.
const ROUNDS: RangeInclusive<u32> = 1_000..=10_000_000;

const NAME: &str = "PBKDF2-SHA256";

/// What is kept of a password: enough to recognise it, and too little to find it out but by guessing.
///
/// ```
/// use longhand_kit::auth::{DEFAULT_ROUNDS, PasswordHash};
///
/// let rounds = 1_000; // DEFAULT_ROUNDS in earnest: this example is to be quick
/// let kept = PasswordHash::make("correct horse", rounds)?.to_string();
/// assert!(kept.starts_with("PBKDF2-SHA256$"));
///
/// let hash: PasswordHash = kept.parse().unwrap();
/// assert!(hash.verify("correct horse"));
/// assert!(!hash.verify("battery staple"));
/// assert!(hash.rounds() < DEFAULT_ROUNDS, "a new hash is due once the password is at hand");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct PasswordHash {
    rounds: u32,
    salt: [u8; 16],
    hash: [u8; 32],
}

impl PasswordHash {
    /// Hashes a password with a new salt and [`DEFAULT_ROUNDS`], or another number of them. It takes the time
    /// of all rounds, and the whole of a core for it: in a server, [`Accounts::hash`](super::Accounts::hash)
    /// sees to it that few are made at once.
    ///
    /// # Errors
    /// If the system has no random bytes for the salt.
    ///
    /// # Panics
    /// If `rounds` is not from 1,000 to 10,000,000.
    ///
    /// ```
    /// # use longhand_kit::auth::PasswordHash;
    /// let [one, other] = [PasswordHash::make("same", 1_000)?, PasswordHash::make("same", 1_000)?];
    /// assert_ne!(one.to_string(), other.to_string(), "two users with one password do not show");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn make(password: &str, rounds: u32) -> io::Result<Self> {
        let rounds = in_range(rounds);
        let salt = random::bytes()?;
        Ok(Self { rounds, salt, hash: mac::pbkdf2(password.as_bytes(), &salt, rounds) })
    }

    /// The hash of no password, that takes as long to verify as others of so many rounds.
    #[track_caller]
    pub(super) fn of_nothing(rounds: u32) -> Self {
        Self { rounds: in_range(rounds), salt: [0; 16], hash: [0; 32] }
    }

    /// Whether this is the password. It takes the time of all rounds, and the whole of a core for
    /// it: [`Accounts`](super::Accounts) sees to it that few are verified at once.
    #[must_use]
    pub fn verify(&self, password: &str) -> bool {
        mac::equal(&mac::pbkdf2(password.as_bytes(), &self.salt, self.rounds), &self.hash)
    }

    /// What tells it from every other hash. Not of its text: base64 takes a time that shows what is in it.
    pub(super) fn digest(&self) -> [u8; 32] {
        mac::sha256(&[&self.rounds.to_be_bytes()[..], &self.salt, &self.hash].concat())
    }

    /// How many rounds it took. Where they are fewer than [`DEFAULT_ROUNDS`], which grows with time,
    /// make a new hash when the password is next at hand.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.rounds
    }
}

#[track_caller]
fn in_range(rounds: u32) -> u32 {
    assert!(ROUNDS.contains(&rounds), "rounds: expected {ROUNDS:?}, found {rounds}");
    rounds
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, hash] = [&self.salt[..], &self.hash].map(base64::encode_url);
        write!(f, "{NAME}${}${salt}${hash}", self.rounds)
    }
}

/// Without salt and hash, which are good for guessing.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

// ABNF: password-hash = "PBKDF2-SHA256" "$" rounds "$" 22base64url "$" 43base64url
//       rounds        = %x31-39 *DIGIT                                        (of this crate)
impl FromStr for PasswordHash {
    type Err = BadPasswordHash;

    fn from_str(text: &str) -> Result<Self, BadPasswordHash> {
        let mut at = 0;
        let mut parts = text.split('$').map(|part| {
            let start = at;
            at += part.len() + 1;
            (start, part)
        });
        let mut next = || parts.next().unwrap_or((text.len(), ""));
        let (start, name) = next();
        if name != NAME {
            return Err(bad(start, "PBKDF2-SHA256"));
        }
        let (start, digits) = next();
        let is_number =
            digits.bytes().all(|octet| octet.is_ascii_digit()) && !digits.starts_with('0');
        let rounds = digits.parse().ok().filter(|rounds| is_number && ROUNDS.contains(rounds));
        let rounds = rounds.ok_or(bad(start, "rounds from 1000 to 10000000"))?;
        let salt = bytes(next(), "a salt of 16 bytes in base64url")?;
        let hash = bytes(next(), "a hash of 32 bytes in base64url")?;
        match parts.next() {
            None => Ok(Self { rounds, salt, hash }),
            Some((start, _)) => Err(bad(start - 1, "its end")),
        }
    }
}

fn bytes<const N: usize>(
    (start, part): (usize, &str),
    expected: &'static str,
) -> Result<[u8; N], BadPasswordHash> {
    let decoded = base64::decode_url(part).map_err(|wrong| bad(start + wrong.at, expected))?;
    decoded.try_into().map_err(|_| bad(start, expected))
}

/// A text that is no password hash.
///
/// It repeats nothing of the text: somebody may have put a password in its place.
///
/// ```
/// # use longhand_kit::auth::PasswordHash;
/// let bad = "hunter2".parse::<PasswordHash>().unwrap_err();
/// assert_eq!(bad.at, 0);
/// assert_eq!(bad.to_string(), "password hash, byte 0: expected PBKDF2-SHA256");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BadPasswordHash {
    /// The offset of what is wrong.
    pub at: usize,
    expected: &'static str,
}

fn bad(at: usize, expected: &'static str) -> BadPasswordHash {
    BadPasswordHash { at, expected }
}

impl fmt::Display for BadPasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "password hash, byte {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for BadPasswordHash {}

shown_as_text!(BadPasswordHash);

#[cfg(test)]
mod tests {
    use super::*;

    /// By Python's `hashlib.pbkdf2_hmac("sha256", "pässword:".encode(), bytes(range(16)), 1000)`.
    const KNOWN: &str =
        "PBKDF2-SHA256$1000$AAECAwQFBgcICQoLDA0ODw$iBWOBkrHpi8TV_RNLFSpsKQ4HKZx-ulR63PQ8FIT6cc";

    #[test]
    fn a_hash_made_elsewhere_is_verified() {
        let hash: PasswordHash = KNOWN.parse().unwrap();
        assert!(hash.verify("pässword:"));
        for other in ["", "pässword", "pässword: ", "Pässword:", "pa\u{308}ssword:"] {
            assert!(!hash.verify(other), "{other:?}");
        }
        assert_eq!((hash.to_string().as_str(), hash.rounds()), (KNOWN, 1000));
    }

    #[test]
    fn the_same_password_has_another_hash_each_time() {
        let [a, b] = [(); 2].map(|()| PasswordHash::make("same", 1000).unwrap());
        assert_ne!(a.to_string(), b.to_string());
        assert!(a.verify("same") && b.verify("same"));
        assert_eq!(format!("{a:?}"), "PasswordHash { rounds: 1000, .. }");
    }

    #[test]
    fn nothing_is_a_password_of_nothing() {
        let none = PasswordHash::of_nothing(1000);
        assert!(!none.verify("") && !none.verify("\0"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (from, to, at, expected) in [
            ("PBKDF2-SHA256", "", 0, "PBKDF2-SHA256"),
            ("PBKDF2-SHA256", "pbkdf2-sha256", 0, "PBKDF2-SHA256"),
            ("PBKDF2-SHA256", " PBKDF2-SHA256", 0, "PBKDF2-SHA256"),
            (KNOWN, "hunter2", 0, "PBKDF2-SHA256"),
            (KNOWN, "PBKDF2-SHA256", 13, "rounds"),
            ("1000", "", 14, "rounds"),
            ("1000", "999", 14, "rounds"),
            ("1000", "10000001", 14, "rounds"),
            ("1000", "4294967296000", 14, "rounds"),
            ("1000", "+1000", 14, "rounds"),
            ("1000", "01000", 14, "rounds"),
            ("1000", "1e3", 14, "rounds"),
            ("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0O", 19, "a salt"),
            ("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODx", 40, "a salt"),
            ("AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODw==", 41, "a salt"),
            ("Dw$", "Dw$$", 42, "a hash"),
        ] {
            let text = KNOWN.replace(from, to);
            let bad = text.parse::<PasswordHash>().unwrap_err();
            assert!(bad.at == at && bad.expected.starts_with(expected), "{text}: {bad}");
            assert_eq!(format!("{bad:?}"), bad.to_string(), "what `main` ends with");
        }
        let longer = format!("{KNOWN}$").parse::<PasswordHash>().unwrap_err();
        assert_eq!((longer.at, longer.expected), (KNOWN.len(), "its end"));
    }

    #[test]
    fn every_shorter_text_is_refused() {
        for end in 0..KNOWN.len() {
            assert!(KNOWN[..end].parse::<PasswordHash>().is_err(), "{end}");
        }
    }
}
