//! Bytes as text: base64 and base64url (RFC 4648 sections 4 and 5), each in one form only.
//!
//! What enters and leaves are bytes of any kind and their text. Decoding is strict, because what is
//! signed or compared as text must not have two spellings: no whitespace, no other alphabet, and
//! the bits that the last character leaves over are zero (section 3.5). The standard alphabet is
//! padded to a multiple of four, as Basic credentials are; base64url is not padded, as in cookies
//! and tokens. There is no lenient mode: a text that was wrapped or re-encoded on its way is one
//! that somebody has changed.
//!
//! ```
//! use longhand_kit::base64;
//!
//! assert_eq!(base64::encode(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
//! assert_eq!(base64::encode_url([0xFB, 0xFF]), "-_8");
//! assert_eq!(base64::decode_url("-_8").unwrap(), [0xFB, 0xFF]);
//! assert_eq!(
//!     base64::decode_url("-_9").unwrap_err().to_string(),
//!     "base64, byte 2: expected a last character whose left-over bits are zero"
//! );
//! ```

use std::fmt;

use longhand::{IntoResponse, Reply, Status};

use crate::refusal::refusal;

/// The two alphabets differ in the characters for 62 and 63, and here in their padding.
#[derive(Clone, Copy, PartialEq)]
enum Alphabet {
    Standard,
    Url,
}

impl Alphabet {
    fn last_two(self) -> [u8; 2] {
        match self {
            Self::Standard => *b"+/",
            Self::Url => *b"-_",
        }
    }

    /// The character for a number below 64.
    fn character(self, number: u8) -> char {
        char::from(match number {
            0..26 => b'A' + number,
            26..52 => b'a' + (number - 26),
            52..62 => b'0' + (number - 52),
            _ => self.last_two()[usize::from(number & 1)],
        })
    }

    fn number(self, character: u8) -> Option<u8> {
        let [plus, slash] = self.last_two();
        Some(match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            _ if character == plus => 62,
            _ if character == slash => 63,
            _ => return None,
        })
    }
}

/// Bytes in base64, padded.
///
/// ```
/// use longhand_kit::base64::encode;
/// assert_eq!(encode(b"ada:secret"), "YWRhOnNlY3JldA=="); // as in `Authorization: Basic`
/// ```
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    let mut text = encode_in(Alphabet::Standard, bytes.as_ref());
    while text.len() % 4 != 0 {
        text.push('=');
    }
    text
}

/// Bytes in base64url, without padding: for cookies, tokens and URIs.
///
/// ```
/// # use longhand_kit::{base64, random};
/// let token = base64::encode_url(random::bytes::<32>()?);
/// assert_eq!(token.len(), 43); // four characters for three bytes
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn encode_url(bytes: impl AsRef<[u8]>) -> String {
    encode_in(Alphabet::Url, bytes.as_ref())
}

/// The bytes of a text in padded base64.
///
/// # Errors
/// Whatever [`encode`] does not write, with its place. The answer to that is 400.
///
/// ```
/// use longhand_kit::base64::decode;
/// assert_eq!(decode("Zm9vYg==").unwrap(), b"foob");
/// for other in ["Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zm9v\nYg==", " Zm9vYg==", "Zm9v===="] {
///     assert!(decode(other).is_err(), "{other:?}");
/// }
/// ```
pub fn decode(text: impl AsRef<[u8]>) -> Result<Vec<u8>, BadBase64> {
    decode_in(Alphabet::Standard, text.as_ref())
}

/// The bytes of a text in base64url without padding.
///
/// # Errors
/// Whatever [`encode_url`] does not write, with its place. The answer to that is 400.
///
/// ```
/// use longhand_kit::base64::decode_url;
/// assert_eq!(decode_url("Zm9vYg").unwrap(), b"foob");
/// assert!(decode_url("Zm9vYg==").is_err(), "padding belongs to the other form");
/// ```
pub fn decode_url(text: impl AsRef<[u8]>) -> Result<Vec<u8>, BadBase64> {
    decode_in(Alphabet::Url, text.as_ref())
}

/// Three octets are 24 bits, which are four characters; of one octet left over come two characters, of
/// two octets three.
fn encode_in(alphabet: Alphabet, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let octet = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for place in 0..=group.len() {
            let [.., number] = (bits >> (18 - 6 * place)).to_be_bytes();
            text.push(alphabet.character(number & 63));
        }
    }
    text
}

fn decode_in(alphabet: Alphabet, text: &[u8]) -> Result<Vec<u8>, BadBase64> {
    let characters = match (alphabet, text) {
        (Alphabet::Standard, [before @ .., b'=', b'='] | [before @ .., b'=']) => before,
        _ => text,
    };
    let mut bytes = Vec::with_capacity(characters.len() / 4 * 3 + 2);
    for (index, group) in characters.chunks(4).enumerate() {
        let start = index * 4;
        let mut bits = 0;
        for (place, &character) in group.iter().enumerate() {
            let number = alphabet.number(character).ok_or(bad(start + place, "its alphabet"))?;
            bits |= u32::from(number) << (18 - 6 * place);
        }
        let [_, octets @ ..] = bits.to_be_bytes();
        // Two characters are one octet and four bits, three are two octets and two bits.
        let whole = group.len() - 1;
        if whole == 0 {
            return Err(bad(start + 1, "a second character, for the rest of the octet"));
        }
        if octets[whole..].iter().any(|&left_over| left_over != 0) {
            return Err(bad(start + whole, "a last character whose left-over bits are zero"));
        }
        bytes.extend_from_slice(&octets[..whole]);
    }
    let padding = if alphabet == Alphabet::Standard { (4 - characters.len() % 4) % 4 } else { 0 };
    if text.len() != characters.len() + padding {
        return Err(bad(characters.len(), "as many = as make the length a multiple of four"));
    }
    Ok(bytes)
}

/// A text that is not base64 in its one form.
///
/// It repeats nothing of the text, which may be a secret. Under `?` in a handler it is a 400.
///
/// ```
/// use longhand_kit::base64::decode;
/// let bad = decode("Zm9v\nYmFy").unwrap_err();
/// assert_eq!(bad.at, 4);
/// assert_eq!(bad.to_string(), "base64, byte 4: expected its alphabet");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadBase64 {
    /// The offset of the first byte that is wrong, or the length where one is missing.
    pub at: usize,
    expected: &'static str,
}

fn bad(at: usize, expected: &'static str) -> BadBase64 {
    BadBase64 { at, expected }
}

impl fmt::Display for BadBase64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "base64, byte {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for BadBase64 {}

/// 400 with what is wrong and where.
impl<'s> IntoResponse<'s> for BadBase64 {
    fn into_response(self) -> Reply<'s> {
        Reply::text(format!("{self}\n")).status(Status::BAD_REQUEST)
    }
}

refusal!(BadBase64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_section_10_hold_in_both_forms() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
            let url = text.trim_end_matches('=');
            assert_eq!(encode_url(bytes), url);
            assert_eq!(decode_url(url).unwrap(), bytes.as_bytes());
        }
    }

    #[test]
    fn the_alphabets_are_those_of_tables_1_and_2() {
        let bytes: Vec<u8> = (0..48u32)
            .map(|i| {
                // The 64 numbers from 0 up, six bits each, as octets.
                let bit = |n: u32| u8::from((n / 6) >> (5 - n % 6) & 1 == 1);
                (0..8).fold(0, |octet, k| octet << 1 | bit(i * 8 + k))
            })
            .collect();
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        assert_eq!(encode(&bytes), format!("{letters}+/"));
        assert_eq!(encode_url(&bytes), format!("{letters}-_"));
        assert_eq!(decode(format!("{letters}+/")).unwrap(), bytes);
        assert_eq!(decode_url(format!("{letters}-_")).unwrap(), bytes);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, at, expected) in [
            ("Zm9v!A==", 4, "its alphabet"),
            ("Zm9v\r\n", 4, "its alphabet"),
            ("Zm-v", 2, "its alphabet"),
            ("Z=9v", 1, "its alphabet"),
            ("====", 0, "its alphabet"),
            ("Z===", 1, "its alphabet"),
            ("Z", 1, "a second character"),
            ("=", 0, "as many ="),
            ("Zg", 2, "as many ="),
            ("Zg=", 2, "as many ="),
            ("Zm9v=", 4, "as many ="),
            ("Zh==", 1, "a last character"),
            ("Zm9=", 2, "a last character"),
        ] {
            let bad = decode(text).unwrap_err();
            assert_eq!(bad.at, at, "{text:?}: {bad}");
            assert!(bad.expected.starts_with(expected), "{text:?}: {bad}");
        }
        for (text, at) in [("Zg==", 2), ("Zm+v", 2), ("Zm9vZ", 5), ("Zh", 1), ("Zm9", 2)] {
            assert_eq!(decode_url(text).unwrap_err().at, at, "{text:?}");
        }
    }

    /// So there is one text for each sequence of bytes: whatever is read is written the same.
    #[test]
    fn every_text_of_four_frequent_characters_is_refused_or_canonical() {
        const FREQUENT: &[u8] = b"AQgwz09+/-_= \n\0\xFF";
        let n = FREQUENT.len();
        let (mut read, mut refused) = (0, 0);
        for i in 0..n.pow(4) {
            let text: Vec<u8> = (0..4).map(|k| FREQUENT[i / n.pow(k) % n]).collect();
            for length in 0..=4 {
                let text = &text[..length];
                match (decode(text), decode_url(text)) {
                    (Err(_), Err(_)) => refused += 1,
                    (standard, url) => {
                        read += 1;
                        assert!(standard.is_err() || encode(standard.unwrap()).as_bytes() == text);
                        assert!(url.is_err() || encode_url(url.unwrap()).as_bytes() == text);
                    }
                }
            }
        }
        assert!(read > 10_000 && refused > 10_000, "{read} read, {refused} refused");
    }

    #[test]
    fn encoding_then_decoding_is_identity_at_every_length() {
        for length in 0..200_u8 {
            let bytes: Vec<u8> = (0..length).map(|i| i.wrapping_mul(151) ^ length).collect();
            assert_eq!(decode(encode(&bytes)).unwrap(), bytes);
            assert_eq!(decode_url(encode_url(&bytes)).unwrap(), bytes);
        }
    }
}
