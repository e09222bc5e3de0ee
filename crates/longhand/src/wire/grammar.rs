//! Which octets are allowed where: one table per ABNF rule, and nothing else.
//!
//! What enters is a byte, what leaves is yes or no. The rules are those of RFC 9110 sections 5.5 and
//! 5.6 and of RFC 3986 appendix A. The files that follow ask here which octets an element may have; by
//! themselves they name only the delimiters between elements, such as a colon or CR LF.

/// A set of octets, looked up by the octet itself.
pub(super) type Table = [bool; 256];

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

pub(super) static TCHAR: Table = table(b"!#$%&'*+-.^_`|~", &ALPHA_DIGIT);
pub(super) static TARGET: Table = table(b"!$%&'()*+,-./:;=?@[\\]^_`{|}~", &ALPHA_DIGIT);
pub(super) static PATH: Table = table(b"!$&'()*+,-./:;=@[\\]^_`{|}~", &ALPHA_DIGIT);
pub(super) static REG_NAME: Table = table(b"-._~!$&'()*+,;=", &ALPHA_DIGIT);
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
/// An octet of a request-target, in any of its forms.
///
/// RFC 3986 allows less (`pchar`, `/` and `?`): browsers send brackets, braces, backslash, caret, backtick and bar in
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
    fn trimming_knows_blanks_only() {
        assert_eq!(trim_blanks(b" \t a b\t "), b"a b");
        assert_eq!(trim_blanks("\u{2000}a".as_bytes()), "\u{2000}a".as_bytes());
        assert_eq!(trim_blanks(b"  "), b"");
    }
}
