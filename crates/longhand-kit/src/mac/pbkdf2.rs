//! PBKDF2 (RFC 8018 section 5.2) over HMAC-SHA-256: a hash that is slow on purpose.
//!
//! People choose passwords that can be guessed. What can be done is to make each guess cost: the
//! HMAC is taken over its own result as many times as `rounds` says. A salt, which is no secret but
//! different for each password, makes sure that a guess is good for one hash alone.

use super::hmac::Hmac;
use super::sha256::{bytes, compress, words};

/// The first block of 32 bytes that PBKDF2 derives from a password: all that a hash needs.
///
/// ```
/// use longhand_kit::mac::pbkdf2;
/// let hash = pbkdf2(b"password", b"salt", 4096);
/// assert_eq!(hash[..4], [0xc5, 0xe4, 0x78, 0xd5]);
/// ```
///
/// # Panics
/// If `rounds` is 0, of which there is no hash.
#[must_use]
pub fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    assert!(rounds > 0, "rounds: expected at least 1, found 0");
    let mut mac = Hmac::new(password);
    // Each HMAC begins with the two blocks of the key. They are hashed here, once.
    let states = mac.states();
    mac.update(salt);
    mac.update(&1_u32.to_be_bytes());
    // Every message from now on is 32 bytes long, so that one block holds it with its padding: the
    // one bit behind it, and its length with the block of the key before it, in bits.
    let mut block = words(&mac.finish());
    block[8] = 1 << 31;
    block[15] = (64 + 32) * 8;
    let mut result = block;
    for _ in 1..rounds {
        for mut state in states {
            compress(&mut state, &block);
            block[..8].copy_from_slice(&state);
        }
        for (word, u) in result.iter_mut().zip(block) {
            *word ^= u;
        }
    }
    let [result @ .., _, _, _, _, _, _, _, _] = result;
    bytes(&result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::{hex, hmac};

    #[test]
    fn known_figures_hold() {
        for (password, salt, rounds, hash) in [
            // RFC 7914 section 11: the first 32 of its 64 bytes.
            (
                "passwd",
                "salt",
                1,
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
            ),
            (
                "Password",
                "NaCl",
                80_000,
                "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
            ),
        ] {
            let found = pbkdf2(password.as_bytes(), salt.as_bytes(), rounds);
            assert_eq!(found[..], hex(hash), "{password}");
        }
    }

    /// The definition, written down as RFC 8018 section 5.2 has it, without what makes it fast.
    #[test]
    fn it_is_the_sum_of_hmacs_of_hmacs() {
        for length in [0, 1, 31, 32, 63, 64, 65, 200] {
            let (password, salt) = (vec![0x70; length], vec![0x73; length]);
            let mut u = hmac(&password, &[&salt, &[0, 0, 0, 1]]);
            let mut sum = u;
            for rounds in 1..5 {
                assert_eq!(
                    pbkdf2(&password, &salt, rounds),
                    sum,
                    "{length} bytes, {rounds} rounds"
                );
                u = hmac(&password, &[&u]);
                sum.iter_mut().zip(u).for_each(|(sum, u)| *sum ^= u);
            }
        }
    }
}
