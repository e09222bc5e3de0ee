//! What a peer did wrong: which rule, at which byte, what stood there.
//!
//! A parser that refuses returns one [`Violation`]. It is `Copy`, it allocates nothing, and all its
//! words come from the one table in `rules.rs`.

use core::fmt;

use super::rules::{Class, Kind, Whose};
use super::status::Status;

/// A rule of the wire that a peer broke, and where.
///
/// Its [`Display`](fmt::Display) is the line that the peer reads and the log keeps. It repeats no
/// byte of the peer's other than the one at fault, as two hexadecimal digits.
///
/// ```
/// use longhand::{Limits, wire};
///
/// let refused = wire::explain(b"GET /hi HTTP/1.1\nHost: x\n\n", &Limits::default());
/// let violation = refused.violation().unwrap();
/// assert_eq!(violation.name(), "bare-lf");
/// assert_eq!(violation.at(), 16);
/// assert_eq!(violation.to_string(), "byte 16: expected CR LF, found LF (RFC 9112 section 2.2)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    kind: Kind,
    at: u32,
    found: Option<u8>,
}

impl Violation {
    /// `at` is counted from the first byte of the message. No limit lets a head or a size line come
    /// near 4 GiB; a body's offset saturates.
    #[cold]
    pub(crate) fn new(kind: Kind, at: usize, found: Option<u8>) -> Self {
        Self { kind, at: u32::try_from(at).unwrap_or(u32::MAX), found }
    }

    /// The same violation in bytes counted from `base` bytes earlier.
    #[must_use]
    pub(crate) fn moved(self, base: usize) -> Self {
        Self::new(self.kind, base.saturating_add(self.at as usize), self.found)
    }

    /// Which rule was broken.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The offset of the byte at fault from the start of the message. In a body it is counted from
    /// the start of the body.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at as usize
    }

    /// The byte at fault. `None` where something is missing or whole elements are at fault.
    #[must_use]
    pub fn found(&self) -> Option<u8> {
        self.found
    }

    /// The rule's stable name: `bare-lf`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> Status {
        self.kind.status()
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.kind.help()
    }
}

impl Kind {
    /// The rule's stable name: `bare-lf`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.rule().name
    }

    /// The status that answers a violation of it.
    #[must_use]
    pub const fn status(self) -> Status {
        self.rule().status
    }

    /// How it is decided.
    #[must_use]
    pub const fn class(self) -> Class {
        self.rule().class
    }

    /// Whose rule it is.
    #[must_use]
    pub const fn whose(self) -> Whose {
        self.rule().whose
    }

    /// What was wanted at the place.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        self.rule().expected
    }

    /// Where the rule stands: `RFC 9112 section 2.2`.
    #[must_use]
    pub const fn section(self) -> &'static str {
        self.rule().section
    }

    /// The rule in our words, with its reason.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.rule().text
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(self) -> &'static str {
        self.rule().help
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: expected {}", self.at, self.kind.expected())?;
        if let Some(found) = self.found {
            write!(f, ", found {}", Octet(found))?;
        }
        write!(f, " ({})", self.kind.section())
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Violation({} at {self})", self.name())
    }
}

impl core::error::Error for Violation {}

/// A byte by the name people know it by. Anything that is no letter of a control code is shown in
/// hexadecimal alone, so that no byte of a peer's comes back to it as text.
struct Octet(u8);

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\n' => f.write_str("LF"),
            b'\r' => f.write_str("CR"),
            b'\t' => f.write_str("HTAB"),
            b' ' => f.write_str("SP"),
            0 => f.write_str("NUL"),
            other => write!(f, "{other:02x} hex"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_words_in_the_house_style() {
        let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.section().starts_with("RFC "), "{kind:?}");
            assert!(kind.text().ends_with('.') && kind.help().len() > 10, "{kind:?}");
            let words = format!("{} {}", kind.text(), kind.help()).to_lowercase();
            for banned in ["invalid", "illegal", "simply"] {
                assert!(!words.contains(banned), "{kind:?} says {banned}");
            }
        }
    }

    #[test]
    fn a_violation_fits_in_two_registers() {
        assert!(size_of::<Violation>() <= 8);
    }
}
