//! How far an element goes: runs of octets, and names compared, several octets a step.
//!
//! Bytes enter; how many of them at the front are of a kind leaves, or whether two names are the same. What
//! is allowed where, `grammar.rs` says; this file only asks it fast.

use super::grammar::{PATH, REG_NAME, TARGET, TCHAR, Table, is_value};

/// How many octets at the front of `bytes` are of a token.
#[inline]
pub(crate) fn token_run(bytes: &[u8]) -> usize {
    run(&TCHAR, bytes)
}

/// How many octets at the front of `bytes` are of a request-target.
#[inline]
pub(crate) fn target_run(bytes: &[u8]) -> usize {
    run(&TARGET, bytes)
}

/// How many octets at the front of `bytes` are of a path, escapes aside: those of a request-target
/// without `%` and the `?` that begins a query.
#[inline]
pub(crate) fn path_run(bytes: &[u8]) -> usize {
    run(&PATH, bytes)
}

/// How many octets at the front of `bytes` are of a registered name, escapes aside.
#[inline]
pub(crate) fn reg_name_run(bytes: &[u8]) -> usize {
    run(&REG_NAME, bytes)
}

/// How many octets at the front of `bytes` are in `table`. Eight octets a step, so that the end of the
/// input is tested once in eight; names are too short for longer steps to pay.
#[inline(always)]
fn run(table: &Table, bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((step, after)) = rest.split_first_chunk::<8>() {
        for (i, &octet) in step.iter().enumerate() {
            if !table[octet as usize] {
                return bytes.len() - rest.len() + i;
            }
        }
        rest = after;
    }
    let tail = rest.iter().position(|&octet| !table[octet as usize]);
    bytes.len() - rest.len() + tail.unwrap_or(rest.len())
}

/// Whether two names are the same in any case (RFC 9110 section 5.1).
///
/// Eight octets a step: a name in other capitals than ours differs at its first letter, and then each octet
/// would cost eight instructions.
pub(crate) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // The last octets are a step too, which overlaps the one before.
    if let (Some(one_end), Some(other_end)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        let mut steps = one.chunks_exact(8).zip(other.chunks_exact(8));
        return steps.all(|(one, other)| {
            match (one.first_chunk::<8>(), other.first_chunk::<8>()) {
                (Some(one), Some(other)) => differ_in_case_alone(*one, *other),
                _ => unreachable!("chunks of eight have eight"),
            }
        }) && differ_in_case_alone(*one_end, *other_end);
    }
    // Four to seven: the first four and the last four, which may overlap.
    if let (Some([a, b, c, d]), Some([e, f, g, h])) = (one.first_chunk(), one.last_chunk()) {
        if let (Some([i, j, k, l]), Some([m, n, o, p])) = (other.first_chunk(), other.last_chunk())
        {
            let one = [*a, *b, *c, *d, *e, *f, *g, *h];
            return differ_in_case_alone(one, [*i, *j, *k, *l, *m, *n, *o, *p]);
        }
    }
    one.eq_ignore_ascii_case(other)
}

/// Whether two times eight octets differ in nothing but the case of letters: one bit of a lane that
/// holds a letter.
#[inline(always)]
fn differ_in_case_alone(one: [u8; 8], other: [u8; 8]) -> bool {
    let (one, other) = (u64::from_le_bytes(one), u64::from_le_bytes(other));
    // Seven bits a lane: what is added below fills the eighth, and no more.
    let lower = (one | (LANES * 0x20)) & !HIGH;
    let from_a = lower + LANES * u64::from(0x80 - b'a');
    let beyond_z = lower + LANES * u64::from(0x7f - b'z');
    // The high bit of each lane that holds a letter; two places lower it is the bit of its case.
    let letters = from_a & !beyond_z & !one & HIGH;
    (one ^ other) & !(letters >> 2) == 0
}

/// A one in each of eight lanes, and the highest bit of each.
const LANES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many octets at the front of `bytes` belong to a field value: the index of the first that
/// [`is_value`] refuses, or the length.
///
/// Sixteen octets a step, as two words whose lanes are tested together. The test flags every lane that
/// must stop the run, and a few that need not: HTAB, and lanes that a borrow or a carry from the one
/// below has changed. So a flag is a question, which the table answers.
#[inline]
pub(crate) fn value_run(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((step, after)) = rest.split_first_chunk::<16>() {
        let (low, high) = step.split_at(8);
        let (low, high) = (flags(low), flags(high));
        if low | high == 0 {
            rest = after;
            continue;
        }
        let skip = if low != 0 { low.trailing_zeros() } else { 64 + high.trailing_zeros() };
        match &rest[(skip / 8) as usize..] {
            [octet, after @ ..] if is_value(*octet) => rest = after,
            stopped => return bytes.len() - stopped.len(),
        }
    }
    let tail = rest.iter().position(|&octet| !is_value(octet));
    bytes.len() - rest.len() + tail.unwrap_or(rest.len())
}

/// The high bit of each lane that may hold a control octet or DEL: subtracting 0x20 sets it for a control,
/// adding 1 for DEL; lanes that had it set before are left out.
#[inline(always)]
fn flags(lanes: &[u8]) -> u64 {
    let Some(lanes) = lanes.first_chunk::<8>() else { return 0 };
    let word = u64::from_le_bytes(*lanes);
    (word.wrapping_sub(LANES * 0x20) | word.wrapping_add(LANES)) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_run_stops_where_the_table_does_at_every_place_for_every_octet() {
        for length in 0..40 {
            for place in 0..length {
                for octet in 0..=255u8 {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = octet;
                    let wanted = bytes.iter().position(|&b| !is_value(b)).unwrap_or(length);
                    assert_eq!(value_run(&bytes), wanted, "{octet:#x} at {place} of {length}");
                }
            }
        }
        // Two octets that are each other's neighbours: a borrow must not move the stop.
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                let bytes = [b'x', first, second, b'y', 0x80, b'\t', 0xff, b' ', b'z', 0x01];
                let wanted = bytes.iter().position(|&b| !is_value(b)).unwrap_or(bytes.len());
                assert_eq!(value_run(&bytes), wanted);
            }
        }
    }

    #[test]
    fn a_run_of_a_table_stops_where_the_table_does_at_every_place() {
        for length in 0..40 {
            for place in 0..=length {
                let mut bytes = vec![b'a'; length];
                bytes[place..].fill(b' ');
                assert_eq!(token_run(&bytes), place, "{place} of {length}");
                bytes[place..].fill(b'?');
                assert_eq!(path_run(&bytes), place);
                assert_eq!(reg_name_run(&bytes), place);
                assert_eq!(target_run(&bytes), length);
            }
        }
    }

    #[test]
    fn names_are_the_same_where_std_says_so_for_every_pair_of_octets_at_every_place() {
        for length in 1..20 {
            for place in 0..length {
                let (mut one, mut other) = (vec![b'x'; length], vec![b'X'; length]);
                for a in 0..=255u8 {
                    // The far apart differ in several bits, and those in one bit are all here.
                    for b in [a, a ^ 1, a ^ 0x20, a ^ 0x80, a ^ 0xa0, a.wrapping_add(0x21)] {
                        (one[place], other[place]) = (a, b);
                        let wanted = one.eq_ignore_ascii_case(&other);
                        assert_eq!(is_same_name(&one, &other), wanted, "{a:#x} {b:#x} {length}");
                    }
                }
            }
        }
        assert!(is_same_name(b"", b"") && !is_same_name(b"a", b"ab"));
    }
}
