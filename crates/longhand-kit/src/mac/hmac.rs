//! HMAC (RFC 2104) over SHA-256: a hash that takes a key to make.
//!
//! `SHA-256(key ‖ message)` would not do: whoever has it can go on hashing, and gets the tag of a
//! longer message without the key. HMAC hashes twice, each time behind the key in another guise
//! (section 2):
//!
//! ```text
//! hmac(key, message) = SHA-256(key ^ opad ‖ SHA-256(key ^ ipad ‖ message))
//! ```

use super::sha256::{BLOCK, Sha256, sha256};

const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5c;

/// The tag of a message that lies in parts, one behind the other.
///
/// The parts are not kept apart: `[b"ab", b"c"]` and `[b"a", b"bc"]` are the same message. Where a
/// part may come from outside, put a separator behind it that it cannot contain, or its length
/// before it; and begin with what the tag is for.
///
/// ```
/// use longhand_kit::mac::hmac;
/// let key = [7; 32];
/// assert_eq!(hmac(&key, &[b"cookie\0", b"name"]), hmac(&key, &[b"cookie\0name"]));
/// assert_ne!(hmac(&key, &[b"cookie\0", b"name"]), hmac(&key, &[b"token\0", b"name"]));
/// ```
#[must_use]
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::new(key);
    parts.iter().for_each(|part| mac.update(part));
    mac.finish()
}

/// A tag under way. A clone from before the first [`update`](Self::update) makes the next tag under
/// the same key, whose blocks are hashed once.
///
/// ```
/// use longhand_kit::mac::{Hmac, hmac};
/// let keyed = Hmac::new(b"key");
/// let mut mac = keyed.clone();
/// mac.update(b"message");
/// assert_eq!(mac.finish(), hmac(b"key", &[b"message"]));
/// ```
#[derive(Clone)]
pub struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    /// No message yet, under a key of any length. Good keys have 32 random bytes; a longer one is
    /// hashed first, as the RFC has it, and gains nothing.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            block[..32].copy_from_slice(&sha256(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let behind = |pad: u8| {
            let mut hash = Sha256::new();
            hash.update(&block.map(|octet| octet ^ pad));
            hash
        };
        Self { inner: behind(IPAD), outer: behind(OPAD) }
    }

    /// Adds bytes to the message. Where it is cut makes no difference.
    pub fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// The tag of the whole message. Compare it by [`equal`](super::equal).
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        self.outer.update(&self.inner.finish());
        self.outer.finish()
    }

    /// The two hashes behind the key's blocks, where no message was added yet.
    pub(super) fn states(&self) -> [super::sha256::State; 2] {
        [self.inner.state(), self.outer.state()]
    }
}

/// Without what was made of the key.
impl std::fmt::Debug for Hmac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hmac").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::hex;

    #[test]
    fn the_vectors_of_rfc_4231_hold() {
        let long_key = [0xaa; 131];
        let counting: Vec<u8> = (1..=25).collect();
        let table: [(&str, &[u8], &[u8], &str); 6] = [
            ("4.2", &[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            ("4.3", b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            ("4.4", &[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            ("4.5", &counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                "4.7",
                &long_key,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                "4.8",
                &long_key,
                b"This is a test using a larger than block-size key and a larger than block-size data. \
                  The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (section, key, message, tag) in table {
            assert_eq!(hmac(key, &[message])[..], hex(tag), "section {section}");
        }
    }

    /// A key of a block stands for itself, a longer one for its hash: the edge where that turns.
    #[test]
    fn a_key_is_hashed_only_above_one_block() {
        let key = [0x6b; 65];
        assert_eq!(hmac(&key, &[b"m"]), hmac(&sha256(&key), &[b"m"]));
        assert_ne!(hmac(&key[..64], &[b"m"]), hmac(&sha256(&key[..64]), &[b"m"]));
        let mut padded = [0; 64];
        padded[..40].copy_from_slice(&key[..40]);
        assert_eq!(hmac(&key[..40], &[b"m"]), hmac(&padded, &[b"m"]), "zeros fill the block");
    }
}
