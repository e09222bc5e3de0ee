//! Random numbers that are the same on every run, and the mutations made with them.
//!
//! A seed enters; out comes a sequence that depends on nothing else, so that a failure names the
//! seed and is seen again. The generator is splitmix64: one multiplication chain over a counter,
//! good enough to choose test inputs and nothing else.

/// A sequence of numbers that its seed decides.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// What messages are made of, and what breaks them: a mutation by single bytes alone would hardly
/// ever find two fields that contradict each other.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\x7f",
    b"\x80",
    b"%",
    b"%2F",
    b"?",
    b"*",
    b"//",
    b"http://",
    b"@",
    b"[",
    b"]",
    b";a=b",
    b";\"",
    b"\"",
    b"\\",
    b"0",
    b"f",
    b"F00000000000000f",
    b"0\r\n",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"GET ",
    b"CONNECT ",
    b"OPTIONS * ",
    b" HTTP/1.1\r\n",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 204 \r\n",
    b"Host: a\r\n",
    b"Host: [::1]:80\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 18446744073709551616\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"A: b\r\n",
    b" folded\r\n",
];

impl Random {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to but not including `end`, which is 0 for an `end` of 0. The tiny
    /// preference for small numbers does not matter to a test.
    pub fn below(&mut self, end: usize) -> usize {
        let bits = usize::try_from(self.next_u64() >> 32).unwrap_or_default();
        bits.checked_rem(end).unwrap_or_default()
    }

    /// One octet.
    pub fn octet(&mut self) -> u8 {
        self.next_u64().to_le_bytes()[7]
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// `length` octets.
    pub fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.octet()).collect()
    }

    /// `bytes` with one to four small changes: an octet replaced, removed, inserted or with one bit
    /// turned; a word of HTTP inserted; a run removed, repeated, or taken from `other`; the end cut.
    pub fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let run = at..(at + 1 + self.below(12)).min(bytes.len());
            match self.below(9) {
                0 if at < bytes.len() => bytes[at] = self.octet(),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 if at < bytes.len() => {
                    bytes.remove(at);
                }
                3 => bytes.insert(at, self.octet()),
                4 | 5 => {
                    let word = *self.pick(WORDS);
                    bytes.splice(at..at, word.iter().copied());
                }
                6 if at < bytes.len() => {
                    bytes.drain(run);
                }
                7 if at < bytes.len() => {
                    let again = bytes[run].to_vec();
                    bytes.splice(at..at, again);
                }
                8 => {
                    let from = self.below(other.len() + 1);
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
                _ => bytes.truncate(at),
            }
        }
        bytes
    }
}
