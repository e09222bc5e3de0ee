//! What holds of any input, whatever its bytes are.
//!
//! One function for each parser that strangers feed: bytes enter, and a law that is broken is a panic.
//! No panic anywhere is one law of many; most are about sense: the same bytes mean the same however
//! they were cut, what was read and written again is read as the same, nothing is longer than what it
//! was read from, a limit is kept, and where a slow and obvious way to read exists, it agrees.
//!
//! Two drivers call these: `tests/fuzzing.rs` with bytes that a seed and the grammar decide, and the
//! targets of `tests/fuzz`, where coverage leads.

use crate::random::Random;

pub mod chunked;
pub mod conversation;
pub mod cookies;
pub mod forms;
pub mod forwarded;
pub mod head;
pub mod multipart;
pub mod paths;
pub mod ranges;
pub mod responses;
pub mod values;
pub mod wire;

/// The laws of one parser.
pub type Laws = fn(&[u8]);

/// All of them, by the name of their fuzz target.
pub const ALL: &[(&str, Laws)] = &[
    ("head", head::check),
    ("chunked", chunked::check),
    ("conversation", conversation::check),
    ("responses", responses::check),
    ("cookies", cookies::check),
    ("forms", forms::check),
    ("multipart", multipart::check),
    ("ranges", ranges::check),
    ("paths", paths::check),
    ("forwarded", forwarded::check),
    ("values", values::check),
];

/// Random numbers that the bytes decide: an input that breaks a law breaks it again.
fn random_of(bytes: &[u8]) -> Random {
    // FNV-1a.
    let seed = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    });
    Random::new(seed)
}

/// Lengths of pieces of up to `largest` bytes, of which `bytes` bytes are made up.
fn pieces(bytes: usize, largest: usize, random: &mut Random) -> Vec<usize> {
    let mut left = bytes;
    std::iter::from_fn(|| {
        let piece = (1 + random.below(largest)).min(left);
        left -= piece;
        (piece > 0).then_some(piece)
    })
    .collect()
}

/// Splits off the first byte, by which an input chooses among settings.
fn setting(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}
