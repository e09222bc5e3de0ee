//! What a peer did wrong: which rule, at which byte, what stood there.
//!
//! A parser that refuses returns one [`Violation`]. It is `Copy`, it allocates nothing, and all its
//! words come from the one table in `rules`.

use core::fmt;

use super::rules::{Class, Hint, Kind, Sample, Whose};
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
    /// Whether `at` is counted from the start of the body.
    in_body: bool,
}

impl Violation {
    /// `at` is counted from the first byte of the message. No limit lets a head or a size line come
    /// near 4 GiB; a body's offset saturates.
    #[cold]
    pub(crate) fn new(kind: Kind, at: usize, found: Option<u8>) -> Self {
        Self { kind, at: u32::try_from(at).unwrap_or(u32::MAX), found, in_body: false }
    }

    /// The same violation, counted from the start of the body.
    #[must_use]
    pub(crate) fn of_body(self) -> Self {
        Self { in_body: true, ..self }
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

    /// What to do about it, in one sentence: that of a [`Hint`] for the byte at fault, if there is one.
    #[must_use]
    pub fn help(&self) -> &'static str {
        let fits = |hint: &&Hint| self.found.is_some_and(|found| hint.found.contains(&found));
        self.kind.hints().iter().find(fits).map_or(self.kind.help(), |hint| hint.help)
    }
}

impl Kind {
    /// The kind of this stable name.
    ///
    /// ```
    /// use longhand::wire::Kind;
    /// assert_eq!(Kind::named("bare-lf"), Some(Kind::BareLf));
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
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

    /// The rule in our words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.rule().text
    }

    /// Why it matters.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.rule().why
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(self) -> &'static str {
        self.rule().help
    }

    /// What to do about it where the byte at fault tells more.
    #[must_use]
    pub const fn hints(self) -> &'static [Hint] {
        self.rule().hints
    }

    /// Bytes that break it.
    #[must_use]
    pub const fn sample(self) -> Sample {
        self.rule().sample
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.in_body { " of the body" } else { "" };
        write!(f, "byte {}{place}: expected {}", self.at, self.kind.expected())?;
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
pub(super) struct Octet(pub(super) u8);

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
            assert!(kind.text().ends_with('.') && kind.why().ends_with('.'), "{kind:?}");
            let helps = kind.hints().iter().map(|hint| hint.help).chain([kind.help()]);
            for words in helps.chain([kind.expected(), kind.text(), kind.why()]) {
                assert!(words.len() >= 5 && words.is_ascii(), "{kind:?}: {words}");
                for banned in ["invalid", "illegal", "simply", "you "] {
                    assert!(!words.to_lowercase().contains(banned), "{kind:?} says {banned}");
                }
            }
        }
    }

    #[test]
    fn a_violation_fits_in_two_registers() {
        assert!(size_of::<Violation>() <= 8);
    }
}
