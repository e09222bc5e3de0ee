//! What a response's body is made of.

use std::borrow::Cow;
use std::io::{self, Read};

use crate::writer::{BodyWriter, Upgraded};

/// What a body is made of.
pub(crate) enum Content<'s> {
    Bytes(Cow<'s, [u8]>),
    Reader(Box<dyn Read + 's>, Option<u64>),
    Stream(Stream<'s>),
    /// Taken out when the switch is made.
    Upgrade(Option<Takeover<'s>>),
}

/// Nothing.
impl Default for Content<'_> {
    fn default() -> Self {
        Self::Bytes(Cow::Borrowed(&[]))
    }
}

/// What writes a body as it is made.
pub(crate) type Stream<'s> = Box<dyn FnOnce(&mut BodyWriter<'_>) -> io::Result<()> + 's>;

/// What runs after a switch of protocols.
pub(crate) type Takeover<'s> = Box<dyn FnOnce(Upgraded<'_>) -> io::Result<()> + 's>;
