//! What a refusal says of the part that is being read.
//!
//! Enters what was wanted and what was found, at which byte; leaves the [`Refusal`], which names the
//! part. Its text may be shown to the one who sent it, as text: it contains the start of what came
//! from there.

use std::borrow::Cow;
use std::fmt::Display;

use longhand::{Refusal, Status};

use crate::content_type::start;

pub(super) const MEDIA_TYPE: &str = "multipart/form-data";

/// Which part it is.
#[derive(Default)]
pub(super) struct Label {
    /// Its number, counted from 1; 0 before the first.
    pub(super) number: usize,
    /// Its name, once that is known: what is wrong then is in the content.
    pub(super) name: Option<String>,
}

impl Label {
    /// What is wrong at a byte of the body. The line that was `found` is shown, or the start of it; but
    /// not where there is merely too much of it (413): there is nothing wrong in what it says.
    pub(super) fn refuse(&self, at: u64, expected: Expected, found: &[u8]) -> Refusal {
        let Expected { status, what } = expected;
        let mut text = match (self.number, &self.name) {
            (0, _) => "before the first part".to_owned(),
            (number, None) => format!("part {number}"),
            (number, Some(name)) => format!("part {number} ({:?})", start(name)),
        };
        text += &format!(", byte {at}: expected {what}");
        if !found.is_empty() && status != Status::CONTENT_TOO_LARGE {
            let line_end = found.iter().skip(1).position(|octet| *octet == b'\r');
            let end = line_end.map_or(found.len(), |i| i + 1).min(40);
            text += &format!(", found \"{}\"", found[..end].escape_ascii());
        }
        let refusal = Refusal::new(status, text);
        match status {
            Status::UNSUPPORTED_MEDIA_TYPE => refusal.field("Accept", MEDIA_TYPE),
            _ => refusal,
        }
    }
}

/// What was expected where something else was found, and the status that says so.
pub(super) struct Expected {
    status: Status,
    what: Cow<'static, str>,
}

impl Expected {
    pub(super) const END: &str = "the closing delimiter, found the end of the body";
    pub(super) const NAME: &str = "Content-Disposition: form-data with a name";
    pub(super) const UTF8: &str = "UTF-8";

    pub(super) fn at_most(most: impl Display, what: &str) -> Self {
        let what = format!("at most {most} {what}").into();
        Self { status: Status::CONTENT_TOO_LARGE, what }
    }

    /// What is valid in itself, and not read here.
    pub(super) fn supported(what: &'static str) -> Self {
        Self { status: Status::UNSUPPORTED_MEDIA_TYPE, what: what.into() }
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Expected {
    fn from(what: T) -> Self {
        Self { status: Status::BAD_REQUEST, what: what.into() }
    }
}
