//! Field names and values of a response, checked where they are made (RFC 9110 section 5).
//!
//! CR, LF and NUL cannot be inside a [`FieldValue`], so nothing a program passes on can end its line
//! and begin another.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::wire::grammar::{is_token, trim_blanks};
use crate::wire::value_run;

/// The value of a response's field.
///
/// Literals become values by themselves. What comes from outside goes through
/// [`new`](Self::new), which says whether it fits.
///
/// ```
/// use longhand::FieldValue;
/// assert!(FieldValue::new("/home?q=1").is_ok());
/// assert_eq!(FieldValue::new("/\r\nSet-Cookie: a=b").unwrap_err().at, 1);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FieldValue(Cow<'static, [u8]>);

/// A byte that no field value can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// Its offset.
    pub at: usize,
    /// The byte.
    pub found: u8,
}

impl FieldValue {
    /// A literal that is checked when the program is compiled, for values that are sent often.
    ///
    /// ```
    /// use longhand::{FieldValue, Response};
    /// const POLICY: FieldValue = FieldValue::literal("default-src 'self'");
    /// let page = Response::html("<p>Hello").field("Content-Security-Policy", POLICY);
    /// ```
    ///
    /// # Panics
    /// If it holds anything but visible ASCII characters and blanks between them; in a constant that is
    /// an error of compilation.
    #[must_use]
    pub const fn literal(literal: &'static str) -> Self {
        let bytes = literal.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            let is_end = i == 0 || i == bytes.len() - 1;
            assert!(
                matches!(bytes[i], b'!'..=b'~') || (bytes[i] == b' ' && !is_end),
                "a literal field value: expected visible ASCII characters and blanks between them"
            );
            i += 1;
        }
        Self(Cow::Borrowed(bytes))
    }

    /// A value of these bytes, without the blanks around them.
    ///
    /// # Errors
    /// If one of them is a control other than HTAB.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, BadValue> {
        let bytes = bytes.into();
        check(&bytes)?;
        Ok(Self(
            if trim_blanks(&bytes).len() == bytes.len() {
                bytes
            } else {
                trim_blanks(&bytes).to_vec()
            }
            .into(),
        ))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn check(bytes: &[u8]) -> Result<(), BadValue> {
    let at = value_run(bytes);
    bytes.get(at).map_or(Ok(()), |&found| Err(BadValue { at, found }))
}

/// For literals.
///
/// # Panics
/// If the literal holds a control: a mistake in the program.
impl From<&'static str> for FieldValue {
    #[track_caller]
    fn from(literal: &'static str) -> Self {
        if let Err(bad) = check(literal.as_bytes()) {
            panic!("field value {literal:?}: {bad}");
        }
        Self(Cow::Borrowed(trim_blanks(literal.as_bytes())))
    }
}

macro_rules! from_number {
    ($($number:ty)*) => {
        $(impl From<$number> for FieldValue {
            fn from(number: $number) -> Self {
                Self(number.to_string().into_bytes().into())
            }
        })*
    };
}

from_number!(u8 u16 u32 u64 usize i32 i64);

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "byte {}: expected visible characters and blanks, found {:02x} hex (RFC 9110 section 5.5)",
            self.at, self.found
        )
    }
}

impl std::error::Error for BadValue {}

impl From<BadValue> for io::Error {
    fn from(bad: BadValue) -> Self {
        Self::new(io::ErrorKind::InvalidInput, bad)
    }
}

/// The fields that say where a message ends and what becomes of its connection. longhand writes them
/// itself; a second hand in it would be a second opinion.
const FRAMING: [&str; 5] =
    ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];

/// # Panics
/// If `name` is no token, or one of those fields.
#[track_caller]
pub(crate) fn check_name(name: &str) {
    assert!(
        is_token(name.as_bytes()),
        "field name {name:?}: expected a token (RFC 9110 section 5.1)"
    );
    assert!(
        !FRAMING.iter().any(|own| own.eq_ignore_ascii_case(name)),
        "field {name:?} is written by longhand: use .close() for Connection, a body of known length for \
         Content-Length, Response::stream for Transfer-Encoding, Response::upgrade for Upgrade"
    );
}
