//! Which octets are allowed where: one table per ABNF rule, and nothing else.
//!
//! What enters is a byte, what leaves is yes or no. The rules are those of RFC 9110 sections 5.5 and
//! 5.6 and of RFC 3986 appendix A; everything above this file asks here and never compares
//! characters by itself.

/// A set of octets, looked up by the octet itself.
type Table = [bool; 256];

/// Builds a table from a list of single octets and inclusive ranges, at compile time.
const fn table(singles: &[u8], ranges: &[(u8, u8)]) -> Table {
    let mut table = [false; 256];
    let mut i = 0;
    while i < singles.len() {
        table[singles[i] as usize] = true;
        i += 1;
    }
    let mut i = 0;
    while i < ranges.len() {
        let mut octet = ranges[i].0 as usize;
        while octet <= ranges[i].1 as usize {
            table[octet] = true;
            octet += 1;
        }
        i += 1;
    }
    table
}

const ALPHA_DIGIT: [(u8, u8); 3] = [(b'A', b'Z'), (b'a', b'z'), (b'0', b'9')];

static TCHAR: Table = table(b"!#$%&'*+-.^_`|~", &ALPHA_DIGIT);
static TARGET: Table = table(b"!$%&'()*+,-./:;=?@[\\]^_`{|}~", &ALPHA_DIGIT);
static PATH: Table = table(b"!$&'()*+,-./:;=@[\\]^_`{|}~", &ALPHA_DIGIT);
static REG_NAME: Table = table(b"-._~!$&'()*+,;=", &ALPHA_DIGIT);
static VALUE: Table = table(b"\t", &[(0x20, 0x7e), (0x80, 0xff)]);
static QDTEXT: Table = table(b"\t !", &[(0x23, 0x5b), (0x5d, 0x7e), (0x80, 0xff)]);

// ABNF: tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|"
//             / "~" / DIGIT / ALPHA                                       (RFC 9110 section 5.6.2)
/// An octet of a token: a method, a field name, the name of a coding.
#[inline]
#[must_use]
pub fn is_tchar(octet: u8) -> bool {
    TCHAR[octet as usize]
}

// ABNF: token = 1*tchar                                                 (RFC 9110 section 5.6.2)
/// Whether all of `bytes` is one token.
///
/// ```
/// use longhand::wire::grammar::is_token;
/// assert!(is_token(b"X-Request-Id"));
/// assert!(!is_token(b"two words") && !is_token(b""));
/// ```
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&octet| is_tchar(octet))
}

// ABNF: pchar = unreserved / pct-encoded / sub-delims / ":" / "@"       (RFC 3986 section 3.3)
/// An octet of a request-target.
///
/// RFC 3986 allows less: browsers send brackets, braces, backslash, caret, backtick and bar in
/// queries as they stand (the WHATWG URL Standard does not encode them), so these pass. `#`, `"`, `<`, `>`, blanks, controls and
/// everything from 0x80 up are refused: no client has a reason to send them.
#[inline]
#[must_use]
pub fn is_target(octet: u8) -> bool {
    TARGET[octet as usize]
}

// ABNF: reg-name = *( unreserved / pct-encoded / sub-delims )           (RFC 3986 section 3.2.2)
/// An octet of a registered name other than the `%` of an escape.
#[inline]
#[must_use]
pub fn is_reg_name(octet: u8) -> bool {
    REG_NAME[octet as usize]
}

// ABNF: field-content = field-vchar [ 1*( SP / HTAB / field-vchar ) field-vchar ]
//       field-vchar   = VCHAR / obs-text                                (RFC 9110 section 5.5)
/// An octet that may stand in a field value: SP, HTAB, VCHAR and obs-text; no other control.
#[inline]
#[must_use]
pub fn is_value(octet: u8) -> bool {
    VALUE[octet as usize]
}

// ABNF: qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text        (RFC 9110 section 5.6.4)
/// An octet of a quoted-string that needs no backslash.
#[inline]
#[must_use]
pub fn is_qdtext(octet: u8) -> bool {
    QDTEXT[octet as usize]
}

// ABNF: OWS = *( SP / HTAB )                                            (RFC 9110 section 5.6.3)
/// A blank: the optional whitespace around field values and list elements.
#[inline]
#[must_use]
pub fn is_blank(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// `bytes` without the blanks at both ends. SP and HTAB only: a Unicode trim would eat more.
#[must_use]
pub fn trim_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The value of one hexadecimal digit, `None` for any other octet.
#[inline]
#[must_use]
pub fn hex_value(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// Bytes that a rule above has found to be ASCII, as text. Anything else comes out empty.
#[inline]
pub(crate) fn ascii(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

/// How many octets at the front of `bytes` are of a token.
#[inline]
#[must_use]
pub fn token_run(bytes: &[u8]) -> usize {
    run(&TCHAR, bytes)
}

/// How many octets at the front of `bytes` are of a request-target.
#[inline]
#[must_use]
pub fn target_run(bytes: &[u8]) -> usize {
    run(&TARGET, bytes)
}

/// How many octets at the front of `bytes` are of a path, escapes aside: those of a request-target
/// without `%` and the `?` that begins a query.
#[inline]
#[must_use]
pub fn path_run(bytes: &[u8]) -> usize {
    run(&PATH, bytes)
}

/// How many octets at the front of `bytes` are of a registered name, escapes aside.
#[inline]
#[must_use]
pub fn reg_name_run(bytes: &[u8]) -> usize {
    run(&REG_NAME, bytes)
}

/// How many octets at the front of `bytes` are in `table`. Eight octets a step, whose length is then
/// asked for once; names are too short for more than that.
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
/// Eight octets a step: a name that a client sends in capitals differs from the one that is looked up
/// at its first letter, and octet by octet that costs eight instructions each.
pub(crate) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // The last octets are a step too, which overlaps the one before.
    if let (Some(one_end), Some(other_end)) = (one.last_chunk(), other.last_chunk()) {
        let mut steps = one.chunks_exact(8).zip(other.chunks_exact(8));
        return steps.all(|(one, other)| match (one.first_chunk(), other.first_chunk()) {
            (Some(one), Some(other)) => differ_in_case_alone(*one, *other),
            _ => true,
        }) && differ_in_case_alone(*one_end, *other_end);
    }
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
    let lower = (one | (LANES * 0x20)) & !HIGH;
    let from_a = lower + LANES * u64::from(0x80 - b'a');
    let beyond_z = lower + LANES * u64::from(0x7f - b'z');
    let letters = from_a & !beyond_z & !one & HIGH;
    (one ^ other) & !(letters >> 2) == 0
}

const LANES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many octets at the front of `bytes` belong to a field value: the index of the first that
/// [`is_value`] refuses, or the length.
///
/// Sixteen octets a step, as two words whose lanes are tested together. The test flags every lane that
/// must stop the run, and a few that need not: HTAB, and lanes that a borrow or a carry from the one
/// below has changed. So a flag is a question, which the table answers.
#[inline]
#[must_use]
pub fn value_run(bytes: &[u8]) -> usize {
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

/// The high bit of each lane that may hold a control octet or DEL: 0x20 less borrows, or 1 more makes
/// 0x80, and the lane's own high bit was not set.
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
    fn the_tables_hold_what_the_abnf_says() {
        let count = |table: &Table| table.iter().filter(|&&yes| yes).count();
        assert_eq!(count(&TCHAR), 15 + 62);
        assert_eq!(count(&VALUE), 1 + 95 + 128);
        for octet in 0..=255 {
            let in_path = is_target(octet) && octet != b'%' && octet != b'?';
            assert_eq!(PATH[octet as usize], in_path, "{octet:#x}");
        }
        for octet in b"\"(),/:;<=>?@[\\]{} \t\x7f\x80" {
            assert!(!is_tchar(*octet), "{octet:#x} is a delimiter or no VCHAR");
        }
        for octet in b" #\"<>\x00\x7f\x80\xff" {
            assert!(!is_target(*octet), "{octet:#x} in a target");
        }
    }

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

    #[test]
    fn trimming_knows_blanks_only() {
        assert_eq!(trim_blanks(b" \t a b\t "), b"a b");
        assert_eq!(trim_blanks("\u{2000}a".as_bytes()), "\u{2000}a".as_bytes());
        assert_eq!(trim_blanks(b"  "), b"");
    }
}
