//! SHA-256 (FIPS 180-4): any number of bytes in, 32 bytes out.
//!
//! The message is cut into blocks of 64 bytes (section 5.2.1). A state of eight words begins as a
//! constant, and each block is stirred into it by 64 rounds (section 6.2.2); what is behind the last
//! block is padded to a whole one, and the state is the hash. A message may have 2^61 bytes; nobody
//! can feed more.

/// The state before the first block: the first 32 bits of the fractional parts of the square roots
/// of the first 8 primes (section 5.3.3). Numbers with nothing up their sleeve, as a test shows.
const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// One constant for each round: the same of the cube roots of the first 64 primes (section 4.2.2).
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// Bytes in one block.
pub(super) const BLOCK: usize = 64;

/// The state between two blocks.
pub(super) type State = [u32; 8];

/// The hash of bytes that lie together.
///
/// ```
/// use longhand_kit::mac::sha256;
/// assert_eq!(sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(bytes);
    hash.finish()
}

/// A hash under way, for bytes that come piece by piece.
///
/// ```
/// use longhand_kit::mac::{Sha256, sha256};
/// let mut hash = Sha256::new();
/// hash.update(b"a");
/// hash.update(b"bc");
/// assert_eq!(hash.finish(), sha256(b"abc"));
/// ```
#[derive(Clone)]
pub struct Sha256 {
    state: State,
    /// Bytes so far. What is over a multiple of [`BLOCK`] waits in `block`.
    length: u64,
    block: [u8; BLOCK],
}

impl Sha256 {
    /// The hash of no bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self { state: START, length: 0, block: [0; BLOCK] }
    }

    /// Adds bytes to the message. Where it is cut makes no difference.
    pub fn update(&mut self, mut bytes: &[u8]) {
        let waiting = self.waiting();
        self.length = self.length.wrapping_add(bytes.len() as u64);
        if waiting > 0 {
            let (fits, rest) = bytes.split_at(bytes.len().min(BLOCK - waiting));
            self.block[waiting..waiting + fits.len()].copy_from_slice(fits);
            if waiting + fits.len() < BLOCK {
                return;
            }
            compress(&mut self.state, &words(&self.block));
            bytes = rest;
        }
        let mut blocks = bytes.chunks_exact(BLOCK);
        for block in &mut blocks {
            compress(&mut self.state, &words(block));
        }
        let rest = blocks.remainder();
        self.block[..rest.len()].copy_from_slice(rest);
    }

    /// The hash of the whole message.
    ///
    /// A message that differs from another differs behind its padding too: a one bit, zeros up to a
    /// whole block, and in the last eight bytes the length of the message in bits (section 5.1.1).
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        let waiting = self.waiting();
        self.block[waiting] = 0x80;
        self.block[waiting + 1..].fill(0);
        if waiting + 1 > BLOCK - 8 {
            compress(&mut self.state, &words(&self.block));
            self.block.fill(0);
        }
        self.block[BLOCK - 8..].copy_from_slice(&self.length.wrapping_mul(8).to_be_bytes());
        compress(&mut self.state, &words(&self.block));
        bytes(&self.state)
    }

    /// The state, of a message whose length is a multiple of [`BLOCK`].
    pub(super) fn state(&self) -> State {
        debug_assert_eq!(self.waiting(), 0, "bytes wait that are not in the state yet");
        self.state
    }

    fn waiting(&self) -> usize {
        usize::from(self.length.to_le_bytes()[0]) % BLOCK
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the state: it is as good as the bytes, which may be a key.
impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sha256").finish_non_exhaustive()
    }
}

/// Stirs one block of 16 words into the state (section 6.2.2; its functions are in section 4.1.2).
pub(super) fn compress(state: &mut State, block: &[u32; 16]) {
    let mut w = *block;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    // Eight rounds at a time: while they wait for each other, the processor makes the words of the
    // next eight. That is a quarter faster than all words first; after eight, each letter is in its place.
    for (step, constants) in ROUNDS.chunks_exact(8).enumerate() {
        let first = step % 2 * 8;
        if step >= 2 {
            schedule(&mut w, first);
        }
        let sums: [u32; 8] = std::array::from_fn(|t| w[first + t].wrapping_add(constants[t]));
        // Steps 2 and 3: the rounds.
        for sum in sums {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            // Each bit of e chooses between the bit of f and that of g.
            let choice = (e & f) ^ (!e & g);
            let t1 = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(s1);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            // What two of the three bits say.
            let majority = (a & b) ^ (a & c) ^ (b & c);
            let t2 = s0.wrapping_add(majority);
            (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
            (d, c, b, a) = (c, b, a, t1.wrapping_add(t2));
        }
    }
    // Step 4: adding the state from before makes sure that nobody can run the rounds backwards.
    for (word, stirred) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(stirred);
    }
}

/// Step 1: the message schedule, in which every word of the block reaches every later round. The next
/// eight words take the places of those sixteen rounds before.
fn schedule(w: &mut [u32; 16], first: usize) {
    for t in first..first + 8 {
        let (one, nine, fourteen) = (w[(t + 1) % 16], w[(t + 9) % 16], w[(t + 14) % 16]);
        let s0 = one.rotate_right(7) ^ one.rotate_right(18) ^ one >> 3;
        let s1 = fourteen.rotate_right(17) ^ fourteen.rotate_right(19) ^ fourteen >> 10;
        w[t] = s1.wrapping_add(nine).wrapping_add(s0).wrapping_add(w[t]);
    }
}

/// The 16 words of a block of 64 bytes, the highest byte of each first (section 3.1).
pub(super) fn words(block: &[u8]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, octets) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]);
    }
    words
}

/// The bytes of a state.
pub(super) fn bytes(state: &State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (octets, word) in bytes.chunks_exact_mut(4).zip(state) {
        octets.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::hex;

    /// The largest x whose power is not above `limit`.
    fn root(power: u32, limit: u128) -> u128 {
        (0..40).rev().fold(0, |x, bit| {
            let larger = x | 1 << bit;
            if larger.checked_pow(power).is_some_and(|it| it <= limit) { larger } else { x }
        })
    }

    #[test]
    fn the_constants_are_the_roots_of_the_first_primes() {
        let primes = (2_u32..).filter(|n| (2..*n).all(|divisor| n % divisor != 0)).map(u128::from);
        let fraction = |x: u128| u32::try_from(x & 0xFFFF_FFFF).unwrap();
        for (i, prime) in primes.take(64).enumerate() {
            // The 32 bits behind the point: the root of the prime times 2^32, which is the root of
            // the prime times 2^64 or 2^96.
            assert_eq!(ROUNDS[i], fraction(root(3, prime << 96)), "cube root of {prime}");
            if let Some(&word) = START.get(i) {
                assert_eq!(word, fraction(root(2, prime << 64)), "square root of {prime}");
            }
        }
    }

    #[test]
    fn the_figures_of_the_standard_and_its_vectors_hold() {
        let million = vec![b'a'; 1_000_000];
        let table: [(&str, Vec<u8>, &str); 9] = [
            // FIPS 180-2 appendix B, and NIST's CAVP file SHA256ShortMsg.rsp.
            ("empty", vec![], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (
                "abc",
                b"abc".to_vec(),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                "two blocks",
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec(),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (
                "a million",
                million,
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ),
            (
                "8 bits",
                hex("d3"),
                "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1",
            ),
            (
                "16 bits",
                hex("11af"),
                "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98",
            ),
            (
                "512 bits",
                hex("5a86b737eaea8ee976a0a24da63e7ed7eefad18a101c1211e2b3650c5187c2a8
                     a650547208251f6d4237e661c7bf4c77f335390394c37fa1a9f9be836ac28509"),
                "42e61e174fbb3897d6dd6cef3dd2802fe67b331953b06114a65c772859dfc1aa",
            ),
            // NIST's page of examples: messages of zeros around the edges of the padding.
            (
                "55 zeros",
                vec![0; 55],
                "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7",
            ),
            (
                "64 zeros",
                vec![0; 64],
                "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b",
            ),
        ];
        for (what, message, hash) in table {
            assert_eq!(sha256(&message)[..], hex(hash), "{what}");
        }
    }

    /// The Monte Carlo test of NIST's SHAVS section 6.4: 100,000 hashes, each of the three before it.
    /// Seed, first and last figure are those of its file SHA256Monte.rsp.
    #[test]
    fn a_long_chain_of_hashes_ends_where_it_should() {
        let mut seed = hex("6d1e72ad03ddeb5de891e572e2396f8da015d899ef0e79503152d6010a3fe691");
        for count in 0..100 {
            let mut last = [(); 3].map(|()| seed.clone()).concat();
            for _ in 0..1_000 {
                let hash = sha256(&last);
                last.drain(..32);
                last.extend(hash);
            }
            seed = last.split_off(64);
            if count == 0 {
                let first = "e93c330ae5447738c8aa85d71a6c80f2a58381d05872d26bdd39f1fcd4f2b788";
                assert_eq!(seed, hex(first));
            }
        }
        let last = "6a912ba4188391a78e6f13d88ed2d14e13afce9db6f7dcbf4a48c24f3db02778";
        assert_eq!(seed, hex(last));
    }

    /// Where implementations have counted bytes or bits in 32 bits: a message of 4 GiB and one byte
    /// is neither that byte nor endless. The figure is that of Python's hashlib.
    #[test]
    #[ignore = "hashes 4 GiB: run it in release"]
    fn a_message_may_be_longer_than_32_bits_can_count() {
        let piece = vec![0; 1 << 20];
        let mut hash = Sha256::new();
        (0..4_096).for_each(|_| hash.update(&piece));
        hash.update(b"!");
        assert_eq!(
            hash.finish()[..],
            hex("3e9f7d9f4b73e7a67d43d21ce5365877daf3fbd487515fad61fb8dd3496bd225")
        );
    }

    fn message(length: usize) -> Vec<u8> {
        (0..length)
            .map(|i| [1, 35, 167, 89][i % 4_usize] ^ u8::try_from(i % 251).unwrap())
            .collect()
    }

    #[test]
    fn where_a_message_is_cut_makes_no_difference() {
        for length in 0..=300 {
            let message = message(length);
            let whole = sha256(&message);
            for at in 0..=length {
                let mut hash = Sha256::new();
                hash.update(&message[..at]);
                hash.update(&message[at..]);
                assert_eq!(hash.finish(), whole, "{length} bytes cut at {at}");
            }
        }
    }

    #[test]
    fn pieces_of_any_length_make_the_same_hash() {
        let message = message(10_000);
        let whole = sha256(&message);
        let mut seed = 0x7368_6132_3536_2121_u64;
        for _ in 0..200 {
            let mut hash = Sha256::new();
            let mut rest = &message[..];
            while !rest.is_empty() {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                // Short ones, empty ones, ones of several blocks.
                let most = [3, 65, 130, 1_000][usize::try_from(seed >> 62).unwrap()];
                let (piece, after) = rest
                    .split_at(rest.len().min(usize::try_from(seed >> 8 & 0xFFFF).unwrap() % most));
                hash.update(piece);
                rest = after;
            }
            assert_eq!(hash.finish(), whole);
        }
    }
}
