//! Message authentication: SHA-256, HMAC and PBKDF2, written out to be read.
//!
//! What enters are bytes and keys; what leaves are 32 bytes that nobody can make who does not know
//! the same key. The sources are FIPS 180-4, RFC 2104 and RFC 8018; each of the three files names
//! its sections.
//!
//! ```
//! use longhand_kit::mac;
//!
//! let tag = mac::hmac(b"a key of at least 32 random bytes", &[b"session\0", b"ada"]);
//! let again = mac::hmac(b"a key of at least 32 random bytes", &[b"session\0", b"ada"]);
//! assert!(mac::equal(&tag, &again), "never compare tags with ==");
//! ```
//!
//! # What it is for
//!
//! For the integrity of cookies and tokens, for keeping a hash in place of a secret, and for hashes
//! of passwords. There are no branches and no look-ups that depend on a secret, only additions,
//! rotations and boolean steps, so there is nothing that its time could tell; and in safe Rust no
//! length can run over a buffer, which is how other implementations failed.
//!
//! # What it is not for
//!
//! It encrypts nothing and agrees on no keys, and that is on purpose: those are easily written wrong
//! in ways that no test shows. It does not wipe memory, which needs `unsafe` to be sure. Against
//! guessing of stolen password hashes, a function that needs much memory, such as Argon2id, is
//! better than PBKDF2 at any number of rounds.
//!
//! # Another implementation
//!
//! Where a reviewed one is asked for (FIPS 140, say), replace the bodies of [`Sha256`], [`Hmac`] and
//! [`pbkdf2()`] by calls to it: everything else in this crate reaches them through these signatures.
//! There is no trait to plug it in by: nobody changes the function while a program runs, and each
//! type that signs or verifies would carry a parameter for it.

use std::hint::black_box;

mod sha256;
mod hmac;
mod pbkdf2;

pub use hmac::{Hmac, hmac};
pub use pbkdf2::pbkdf2;
pub use sha256::{Sha256, sha256};

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
///
/// `==` stops at the first difference, and so tells one who may try often how much of a guess was
/// right. Only the lengths are no secret here. `cargo bench -p benches --bench timing`, in the repository,
/// shows both in a histogram.
///
/// ```
/// use longhand_kit::mac::equal;
/// assert!(equal(b"tag", b"tag"));
/// assert!(!equal(b"tag", b"tab") && !equal(b"tag", b"ta"));
/// ```
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    // The optimiser must not see that only "zero or not" is asked, and stop early after all.
    black_box(difference) == 0
}

/// Bytes from hexadecimal digits, for the vectors of the standards.
#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sees_every_bit_of_every_byte() {
        let tag = sha256(b"");
        assert!(equal(&tag, &sha256(b"")));
        assert!(equal(b"", b""));
        for at in 0..tag.len() {
            for bit in 0..8 {
                let mut other = tag;
                other[at] ^= 1 << bit;
                assert!(!equal(&tag, &other), "byte {at}, bit {bit}");
            }
        }
        assert!(!equal(&tag, &tag[..31]) && !equal(&[], &tag) && !equal(&tag, &[0; 33]));
    }
}
