//! Signed values: a cookie or a link that comes back as it was made, or is refused.
//!
//! What enters is a value, what it is for, and when it expires; what leaves is a text that a cookie
//! or a URI can hold as it is. Whoever gets it can read the value: it is signed, not encrypted. But
//! nobody can change it, use it for something else, or use it longer.
//!
//! ```
//! use longhand_kit::signed::{Keys, Unverified};
//!
//! # use std::time::{Duration, SystemTime};
//! let keys = Keys::parse("0123456789abcdef0123456789abcdef")?;
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000); // in a handler: request.wall()
//! let minute = Duration::from_secs(60);
//! let signed = keys.sign("sign-in", "user", "ada", now + minute);
//! assert_eq!(signed, "YWRh.1000060.NV-OPzaF4yepotVtgk6ucGQTp4Emf6nep4y82LFnjow");
//! assert_eq!(keys.verify("sign-in", "user", &signed, now), Ok(b"ada".to_vec()));
//! assert_eq!(keys.verify("sign-in", "user", &signed, now + minute), Err(Unverified::Expired));
//! assert_eq!(keys.verify("sign-in", "admin", &signed, now), Err(Unverified::Signature));
//! # Ok::<(), longhand_kit::signed::BadKeys>(())
//! ```
//!
//! # The form
//!
//! `value.expiry.tag`: the value in base64url, the second since 1970 at which it is over in decimal,
//! and HMAC-SHA256 (RFC 2104) in base64url, over purpose, name and expiry, each behind its length in
//! eight bytes with the highest first, and then the value. The lengths are why no two different
//! inputs are the same bytes. There is one text for each signature: base64 with padding or left-over
//! bits and numbers with zeros in front are refused.
//!
//! The name is signed because otherwise the value of one cookie could be sent as that of another,
//! and the expiry because the clock of a browser is its owner's.

use std::time::SystemTime;
use std::{fmt, io, str};

use longhand::{IntoResponse, Reply, Status};

use crate::refusal::{refusal, shown_as_text};
use crate::seconds::seconds;
use crate::{base64, mac, random};

/// The least bytes of a key: as many as the hash has. More add nothing, and less can be guessed.
///
/// ```
/// use longhand_kit::signed::{Keys, MIN_KEY_BYTES};
/// assert!(Keys::parse("k".repeat(MIN_KEY_BYTES)).is_ok());
/// assert!(Keys::parse("k".repeat(MIN_KEY_BYTES - 1)).is_err());
/// ```
pub const MIN_KEY_BYTES: usize = 32;

/// The keys of a program, the newest first: that one signs, and all of them verify.
///
/// So a key is replaced without a visitor noticing: put the new one in front, and take the old one
/// away when what it has signed is over. Its `Debug` shows no key.
#[derive(Clone)]
pub struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// The keys of a setting, `SECRET_KEY=new,old`: separated by commas, without whitespace at their
    /// ends. A key is the bytes of its text: 64 hexadecimal digits are a good one.
    ///
    /// # Errors
    /// If one of them has fewer than [`MIN_KEY_BYTES`] bytes: which, and how many it has.
    ///
    /// ```
    /// use longhand_kit::signed::Keys;
    /// let refused = Keys::parse("0123456789abcdef0123456789abcdef,changeme").unwrap_err();
    /// assert_eq!(refused.to_string(), "key 2 of 2 has 8 bytes, expected at least 32");
    /// ```
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, BadKeys> {
        let parts = text.as_ref().split(|&octet| octet == b',');
        let keys: Vec<_> = parts.map(|key| key.trim_ascii().to_vec()).collect();
        if let Some(place) = keys.iter().position(|key| key.len() < MIN_KEY_BYTES) {
            return Err(BadKeys { key: place + 1, of: keys.len(), bytes: keys[place].len() });
        }
        Ok(Self(keys))
    }

    /// One key that nobody knows. What it signs is refused after a restart, and by other instances.
    ///
    /// ```
    /// use longhand_kit::signed::{Keys, Unverified};
    /// # use std::time::{Duration, SystemTime};
    /// let now = SystemTime::now();
    /// let signed = Keys::random()?.sign("sign-in", "user", "ada", now + Duration::from_secs(60));
    /// let restarted = Keys::random()?;
    /// assert_eq!(restarted.verify("sign-in", "user", signed, now), Err(Unverified::Signature));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn random() -> io::Result<Self> {
        Ok(Self(vec![random::bytes::<MIN_KEY_BYTES>()?.to_vec()]))
    }

    /// Signs a value. `purpose` says what the program means by it, `name` under which name it will
    /// come back, `expiry` the time from which it is refused, in whole seconds: a fraction is cut off.
    #[must_use]
    pub fn sign(
        &self,
        purpose: &str,
        name: &str,
        value: impl AsRef<[u8]>,
        expiry: SystemTime,
    ) -> String {
        let (value, expiry) = (value.as_ref(), seconds(expiry).to_string());
        // There is one at least: what is split has a part.
        let tag = tag(&self.0[0], purpose, name, &expiry, value);
        format!("{}.{expiry}.{}", base64::encode_url(value), base64::encode_url(tag))
    }

    /// The value that was signed for this purpose and name. `now` is
    /// [`Request::wall`](longhand::Request::wall).
    ///
    /// # Errors
    /// If it was not, or has expired. Treat the value as absent, or answer with the error (403).
    pub fn verify(
        &self,
        purpose: &str,
        name: &str,
        signed: impl AsRef<[u8]>,
        now: SystemTime,
    ) -> Result<Vec<u8>, Unverified> {
        let Parts { value, expiry, tag: sent } =
            Parts::of(signed.as_ref()).ok_or(Unverified::Malformed)?;
        let expected = |key: &Vec<u8>| tag(key, purpose, name, &expiry.to_string(), &value);
        // One after the other: how many keys there are is no secret, and which one fits neither.
        if !self.0.iter().any(|key| mac::equal(&expected(key), &sent)) {
            return Err(Unverified::Signature);
        }
        if seconds(now) < expiry { Ok(value) } else { Err(Unverified::Expired) }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

fn tag(key: &[u8], purpose: &str, name: &str, expiry: &str, value: &[u8]) -> [u8; 32] {
    let length = |text: &str| (text.len() as u64).to_be_bytes();
    mac::hmac(
        key,
        &[
            &length(purpose),
            purpose.as_bytes(),
            &length(name),
            name.as_bytes(),
            &length(expiry),
            expiry.as_bytes(),
            value,
        ],
    )
}

struct Parts {
    value: Vec<u8>,
    expiry: u64,
    tag: Vec<u8>,
}

impl Parts {
    /// Takes apart what [`Keys::sign`] writes, and nothing else.
    fn of(signed: &[u8]) -> Option<Self> {
        let mut parts = signed.split(|&octet| octet == b'.');
        let (value, text, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let text = str::from_utf8(text).ok()?;
        let expiry: u64 = text.parse().ok()?;
        // `parse` takes `+1` and `01` as well.
        let is_canonical = expiry.to_string() == text && parts.next().is_none();
        let (value, tag) = (base64::decode_url(value).ok()?, base64::decode_url(tag).ok()?);
        is_canonical.then_some(Self { value, expiry, tag })
    }
}

/// Why a signed value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unverified {
    /// It is not in the form of signed values.
    Malformed,
    /// None of the keys has signed it, with this value, for this purpose, name and expiry.
    Signature,
    /// It was good until its expiry.
    Expired,
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "signed value: expected value, expiry and signature",
            Self::Signature => "signed value: the signature does not belong to it",
            Self::Expired => "signed value: it has expired",
        })
    }
}

impl std::error::Error for Unverified {}

/// 403 with the reason.
impl<'s> IntoResponse<'s> for Unverified {
    fn into_response(self) -> Reply<'s> {
        Reply::text(format!("{self}\n")).status(Status::FORBIDDEN)
    }
}

refusal!(Unverified);

/// A key that is too short to be one; its text shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BadKeys {
    key: usize,
    of: usize,
    bytes: usize,
}

impl fmt::Display for BadKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, of, bytes } = self;
        write!(f, "key {key} of {of} has {bytes} bytes, expected at least {MIN_KEY_BYTES}")
    }
}

impl std::error::Error for BadKeys {}

shown_as_text!(BadKeys);

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NEW: &str = "new-new-new-new-new-new-new-new-";
    const OLD: &str = "old-old-old-old-old-old-old-old-";
    const NOW: u64 = 1_000_000;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn keys(text: &str) -> Keys {
        Keys::parse(text).unwrap()
    }

    fn verify(keys: &Keys, signed: impl AsRef<[u8]>) -> Result<Vec<u8>, Unverified> {
        keys.verify("purpose", "name", signed, at(NOW))
    }

    #[test]
    fn what_was_signed_comes_back_until_it_expires() {
        let keys = keys(NEW);
        let all: Vec<u8> = (0..=255).collect();
        for value in [&b""[..], b"a", b"a.b", b"\0\0", &all, &[0xFF; 4_000]] {
            let signed = keys.sign("purpose", "name", value, at(NOW + 1));
            assert_eq!(verify(&keys, &signed).as_deref(), Ok(value));
            let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
            assert!(signed.bytes().all(fits), "{signed}");
        }
        for (expiry, expected) in
            [(0, false), (NOW - 1, false), (NOW, false), (NOW + 1, true), (1 << 40, true)]
        {
            let verified = verify(&keys, keys.sign("purpose", "name", "v", at(expiry)));
            let expected = if expected { Ok(b"v".to_vec()) } else { Err(Unverified::Expired) };
            assert_eq!(verified, expected, "{expiry}");
        }
        let fraction = at(NOW) + Duration::from_millis(999);
        let signed = keys.sign("purpose", "name", "v", fraction);
        assert_eq!(keys.verify("purpose", "name", signed, at(NOW)), Err(Unverified::Expired));
    }

    #[test]
    fn each_change_of_a_byte_is_refused() {
        let keys = keys(NEW);
        let signed = keys.sign("purpose", "name", "a value", at(NOW + 60)).into_bytes();
        assert!(verify(&keys, &signed).is_ok());
        let refused = |changed: &[u8]| {
            let shown = changed.escape_ascii();
            assert!(
                matches!(
                    verify(&keys, changed),
                    Err(Unverified::Malformed | Unverified::Signature)
                ),
                "{shown}"
            );
        };
        for at in 0..signed.len() {
            for bit in 0..8 {
                let mut changed = signed.clone();
                changed[at] ^= 1 << bit;
                refused(&changed);
            }
            refused(&signed[..at]);
            refused(&[&signed[..at], &signed[at + 1..]].concat());
            refused(&[&signed[..at], b"A", &signed[at..]].concat());
        }
    }

    #[test]
    fn what_is_no_signed_value_is_malformed() {
        let keys = keys(NEW);
        let signed = keys.sign("purpose", "name", "v", at(NOW + 60));
        let (value, rest) = signed.split_once('.').unwrap();
        let (expiry, tag) = rest.split_once('.').unwrap();
        for text in [
            String::new(),
            "..".into(),
            value.into(),
            format!("{value}.{expiry}"),
            format!("{signed}."),
            format!("{signed}.{tag}"),
            format!("{value}=.{expiry}.{tag}"),
            format!("{value}.{expiry}.{tag}="),
            // The bits that the last digit leaves over.
            format!("{}h.{expiry}.{tag}", &value[..1]),
            format!("{value}.0{expiry}.{tag}"),
            format!("{value}.+{expiry}.{tag}"),
            format!("{value}.-1.{tag}"),
            format!("{value}..{tag}"),
            format!("{value}.18446744073709551616.{tag}"),
            format!(" {signed}"),
            format!("\"{signed}\""),
        ] {
            assert_eq!(verify(&keys, &text), Err(Unverified::Malformed), "{text}");
        }
        assert_eq!(verify(&keys, b"\xFF.\xFF.\xFF"), Err(Unverified::Malformed));
        for text in [format!("{value}.{expiry}."), format!("{value}.{expiry}.AAAA")] {
            assert_eq!(verify(&keys, &text), Err(Unverified::Signature), "{text}");
        }
    }

    #[test]
    fn a_value_is_good_for_its_purpose_and_name_alone() {
        let keys = keys(NEW);
        let signed = |purpose, name| keys.sign(purpose, name, "v", at(NOW + 60));
        for (purpose, name) in [
            ("purpose", "other"),
            ("other", "name"),
            ("name", "purpose"),
            // What would be the same if the parts stood side by side, or with NUL between.
            ("purposen", "ame"),
            ("purpos", "ename"),
            ("purpose\0name", ""),
            ("", "purposename"),
        ] {
            assert_eq!(verify(&keys, signed(purpose, name)), Err(Unverified::Signature));
        }
        // The end of the expiry is not the beginning of the value.
        let tag = |expiry, value: &[u8]| tag(NEW.as_bytes(), "p", "n", expiry, value);
        assert_ne!(tag("12", b"3"), tag("1", b"23"));
        // Nor does a name reach into the expiry, even if it spells out the length of one.
        let named = |name, expiry, value: &[u8]| super::tag(b"", "p", name, expiry, value);
        assert_ne!(
            named("n", "1", b"\0\0\0\0\0\0\0\x012v"),
            named("n\0\0\0\0\0\0\0\x011", "2", b"v")
        );
    }

    #[test]
    fn the_newest_key_signs_and_all_that_are_left_verify() {
        let (old, both, new) = (keys(OLD), keys(&format!("{NEW},{OLD}")), keys(NEW));
        let by = |keys: &Keys| keys.sign("purpose", "name", "v", at(NOW + 60));
        assert_eq!(by(&both), by(&new));
        for (signed, verifies) in [
            (by(&old), [true, true, false]),
            (by(&both), [false, true, true]),
            (by(&Keys::random().unwrap()), [false, false, false]),
        ] {
            let found = [&old, &both, &new].map(|keys| verify(keys, &signed).is_ok());
            assert_eq!(found, verifies);
        }
    }

    #[test]
    fn keys_that_are_too_short_are_told_by_number_and_length() {
        let short = &NEW[1..];
        for (text, expected) in [
            ("", "key 1 of 1 has 0 bytes, expected at least 32"),
            (" \n", "key 1 of 1 has 0 bytes, expected at least 32"),
            (short, "key 1 of 1 has 31 bytes, expected at least 32"),
            (&format!("{NEW},"), "key 2 of 2 has 0 bytes, expected at least 32"),
            (&format!(",{NEW}"), "key 1 of 2 has 0 bytes, expected at least 32"),
            (&format!("{NEW},{OLD}, {short} "), "key 3 of 3 has 31 bytes, expected at least 32"),
        ] {
            let refused = Keys::parse(text).unwrap_err();
            assert_eq!(refused.to_string(), expected);
            assert_eq!(format!("{refused:?}"), expected, "what `main` ends with");
        }
        let spaced = keys(&format!(" {NEW} , {OLD}\n"));
        assert!(verify(&spaced, keys(OLD).sign("purpose", "name", "v", at(NOW + 60))).is_ok());
        let shown = format!("{spaced:?}");
        assert_eq!(shown, "Keys(2)");
    }

    #[test]
    fn a_refusal_in_a_handler_is_a_403_with_its_reason() {
        let response = longhand::Response::from(Unverified::Expired);
        assert_eq!(response.status_code(), Status::FORBIDDEN);
        assert_eq!(response.body_bytes(), Some(&b"signed value: it has expired\n"[..]));
    }
}
