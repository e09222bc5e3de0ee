//! What may stand in a Set-Cookie line, and how much of it (RFC 6265bis sections 4.1.1, 5.5, 5.6).
//!
//! Parts of a cookie enter; whether they fit leaves, or the place where they do not.

use longhand::wire::percent_encode;

/// What browsers keep of a name and its value together, in bytes (RFC 6265bis section 5.6).
pub(super) const MAX_PAIR: usize = 4_096;
/// What browsers keep of an attribute's value, in bytes (RFC 6265bis section 5.6).
pub(super) const MAX_ATTRIBUTE: usize = 1_024;
/// The longest that browsers keep a cookie: 400 days, in seconds (RFC 6265bis section 5.5).
pub(super) const MAX_AGE: u64 = 34_560_000;
/// 9999-12-31 23:59:59, the last second that an HTTP date can name: its year has four digits.
pub(super) const MAX_DATE: u64 = 253_402_300_799;

/// Any bytes as a value that fits into a cookie: `%` and what a cookie cannot hold is percent-encoded,
/// and the rest stays as it is. [`percent_decode`](longhand::wire::percent_decode) undoes it.
///
/// ```
/// use longhand::wire::percent_decode;
/// use longhand_kit::cookie::encode;
/// assert_eq!(encode("Ada"), "Ada");
/// assert_eq!(encode("Zoë, 100%"), "Zo%C3%AB%2C%20100%25");
/// assert_eq!(percent_decode("Zo%C3%AB%2C%20100%25").unwrap(), "Zoë, 100%".as_bytes());
/// ```
#[must_use]
pub fn encode(value: impl AsRef<[u8]>) -> String {
    value.as_ref().iter().fold(String::new(), |mut encoded, &octet| {
        match octet {
            b'%' => encoded.push_str("%25"),
            _ if is_cookie_octet(octet) => encoded.push(char::from(octet)),
            _ => encoded.push_str(&percent_encode(&[octet])),
        }
        encoded
    })
}

/// For the error's text: it names the way out, too.
pub(super) const COOKIE_OCTETS: &str = "no control, blank, quote, comma, semicolon, backslash \
    or octet beyond ASCII (`encode` makes it fit)";

// ABNF: cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E (RFC 6265bis section 4.1.1)
pub(super) fn is_cookie_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"\",;\\".contains(&octet)
}

// ABNF: av-octet = %x20-3A / %x3C-7E                            (RFC 6265bis section 4.1.1)
pub(super) fn is_av_octet(octet: u8) -> bool {
    matches!(octet, b' '..=b'~') && octet != b';'
}

// ABNF: subdomain = label *( "." label )       (RFC 1034 section 3.5, RFC 1123 section 2.1)
pub(super) fn check_domain(domain: &str) -> Result<(), String> {
    let is_octet = |octet: u8| octet.is_ascii_alphanumeric() || b"-.".contains(&octet);
    check_octets("Domain", "letters, digits, `-` and `.`", domain, is_octet)?;
    // A host name is never longer: far below what browsers keep of an attribute.
    check_length("Domain", domain.len(), 253)?;
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    if domain.split('.').all(is_label) {
        return Ok(());
    }
    let wanted = "labels of 1 to 63 bytes that neither begin nor end with `-`, with `.` between";
    Err(format!("Domain: expected {wanted}"))
}

pub(super) fn check_octets(
    part: &str,
    wanted: &str,
    text: &str,
    is_wanted: impl Fn(u8) -> bool,
) -> Result<(), String> {
    match text.bytes().enumerate().find(|&(_, octet)| !is_wanted(octet)) {
        Some((at, found)) => {
            Err(format!("{part}, byte {at}: expected {wanted}, found {found:02x} hex"))
        }
        None => Ok(()),
    }
}

pub(super) fn check_length(part: &str, bytes: usize, most: usize) -> Result<(), String> {
    if bytes <= most {
        return Ok(());
    }
    Err(format!("{part}: expected at most {most} bytes, found {bytes}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::wire::percent_decode;

    #[test]
    fn every_encoded_value_fits_and_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let encoded = encode(&all);
        assert!(encoded.bytes().all(is_cookie_octet));
        assert_eq!(percent_decode(&encoded).unwrap(), all);
        let plain: String = (' '..='~').filter(|c| !" \",;\\%".contains(*c)).collect();
        assert_eq!(encode(&plain), plain);
        assert_eq!(encode("%41"), "%2541");
    }
}
