//! Which peers are trusted: addresses, prefixes of them, and the peers of Unix sockets.
//!
//! The text of a setting enters; prefixes leave, or which entry is wrong and what was wanted
//! (RFC 4632 section 3.1, RFC 4291 section 2.3). `10.0.0.1/8` is refused and not read as
//! `10.0.0.0/8`: whether one machine was meant or its whole network is for the writer to say.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::refusal::shown_as_text;

/// Peers that are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Those without an address.
    Unix,
    /// Those whose address begins with this many bits of this one, whose other bits are 0.
    Network(IpAddr, u32),
}

/// Reads a list, separated by commas or blanks.
pub(super) fn prefixes(list: &str) -> Result<Vec<Prefix>, BadPrefix> {
    let entries = list.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty());
    let read = |(i, entry): (usize, &str)| {
        let bad = |wanted| BadPrefix { entry: i + 1, found: entry.to_owned(), wanted };
        Prefix::parse(entry).map_err(bad)
    };
    entries.enumerate().map(read).collect()
}

impl Prefix {
    /// Reads one entry, or says what was wanted.
    fn parse(entry: &str) -> Result<Self, String> {
        if entry == "unix" {
            return Ok(Self::Unix);
        }
        let (address, length) = match entry.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (entry, None),
        };
        let Ok(address) = address.parse::<IpAddr>() else {
            return Err("an address, address/length, or unix".into());
        };
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => bits,
            Some(digits) => length_of(digits)
                .filter(|length| *length <= bits)
                .ok_or_else(|| format!("a length from 0 to {bits} after the slash"))?,
        };
        // `::ffff:10.0.0.0/104` is `10.0.0.0/8`: peers are compared in that form.
        let (address, length) = match address.to_canonical() {
            v4 @ IpAddr::V4(_) if address.is_ipv6() && length >= 96 => (v4, length - 96),
            _ => (address, length),
        };
        match masked(address, length) {
            first if first == address => Ok(Self::Network(address, length)),
            first => Err(format!("{first}/{length}, with no bits behind the prefix")),
        }
    }

    /// Whether it holds a peer, whose address is in its canonical form.
    pub(super) fn holds(self, peer: Option<IpAddr>) -> bool {
        match (self, peer) {
            (Self::Unix, None) => true,
            (Self::Network(first, length), Some(peer)) => {
                first.is_ipv4() == peer.is_ipv4() && masked(peer, length) == first
            }
            _ => false,
        }
    }
}

/// A number of at most three digits: `str::parse` alone would take `+8`.
fn length_of(digits: &str) -> Option<u32> {
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// The address with nothing but its first `length` bits, which are no more than it has.
fn masked(address: IpAddr, length: u32) -> IpAddr {
    // A shift by all bits overflows; the mask of length 0 is 0.
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

/// What is wrong with an entry of a list of trusted proxies.
#[derive(Clone, PartialEq, Eq)]
pub struct BadPrefix {
    entry: usize,
    found: String,
    wanted: String,
}

/// Which entry, counted from 1, what stands there and what was wanted.
impl fmt::Display for BadPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, found, wanted } = self;
        write!(f, "trusted proxy {entry}, {found:?}: expected {wanted}")
    }
}

impl std::error::Error for BadPrefix {}

shown_as_text!(BadPrefix);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_the_addresses_that_begin_with_it() {
        for (prefix, inside, outside) in [
            ("10.0.0.0/8", "10.0.0.0 10.255.255.255", "9.255.255.255 11.0.0.0 ::a00:0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0 192.0.2.2"),
            ("192.0.2.0/31", "192.0.2.0 192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "0.0.0.0 255.255.255.255", ":: ::1"),
            ("::1", "::1", ":: ::2 127.0.0.1"),
            ("fd00::/8", "fd00:: fdff::1", "fc00::1 fe00::1"),
            ("::/0", ":: ffff::", "10.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0 ::1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ] {
            let prefix = Prefix::parse(prefix).unwrap();
            let holds = |text: &str| prefix.holds(Some(text.parse().unwrap()));
            assert!(inside.split(' ').all(holds), "{prefix:?}");
            assert!(!outside.split(' ').any(holds) && !prefix.holds(None), "{prefix:?}");
        }
        assert!(Prefix::Unix.holds(None) && !Prefix::Unix.holds(Some([127, 0, 0, 1].into())));
    }

    #[test]
    fn lists_are_parted_by_commas_or_blanks() {
        assert_eq!(prefixes(""), Ok(vec![]));
        assert_eq!(prefixes(" , \n"), Ok(vec![]));
        assert_eq!(prefixes("unix,::1 10.0.0.0/8\t,  10.0.0.1/32").map(|list| list.len()), Ok(4));
    }

    #[test]
    fn what_is_no_prefix_is_refused_and_named() {
        for (list, message) in [
            ("::1, proxy", "2, \"proxy\": expected an address, address/length, or unix"),
            ("10.0.0", "1, \"10.0.0\": expected an address, address/length, or unix"),
            ("[::1]", "1, \"[::1]\": expected an address, address/length, or unix"),
            ("10.0.0.1:80", "1, \"10.0.0.1:80\": expected an address, address/length, or unix"),
            ("UNIX", "1, \"UNIX\": expected an address, address/length, or unix"),
            ("10.0.0.0/33", "1, \"10.0.0.0/33\": expected a length from 0 to 32 after the slash"),
            ("10.0.0.0/+8", "1, \"10.0.0.0/+8\": expected a length from 0 to 32 after the slash"),
            ("10.0.0.0/", "1, \"10.0.0.0/\": expected a length from 0 to 32 after the slash"),
            ("::/0008", "1, \"::/0008\": expected a length from 0 to 128 after the slash"),
            (
                "10.1.0.0/8",
                "1, \"10.1.0.0/8\": expected 10.0.0.0/8, with no bits behind the prefix",
            ),
            ("fd00::1/8", "1, \"fd00::1/8\": expected fd00::/8, with no bits behind the prefix"),
            ("a\n\u{1b}b", "1, \"a\": expected an address, address/length, or unix"),
        ] {
            let refused = prefixes(list).unwrap_err();
            assert_eq!(refused.to_string(), format!("trusted proxy {message}"), "{list:?}");
            assert_eq!(format!("{refused:?}"), refused.to_string(), "what `main` ends with");
        }
    }
}
