//! The head of a part: its name, the name of its file, its type (RFC 7578 sections 4.2 to 4.8).
//!
//! What enters are the bytes up to the empty line; what leaves are the three values, or what is wrong
//! and how many bytes into them. The field lines are read by longhand's own parser, as a section of
//! trailers: a part may not say what a request may not.

use std::str;

use longhand::Limits;
use longhand::wire::{ChunkedDecoder, Fields, Kind, Parsed};

use super::PartLimits;
use super::error::Expected;
use crate::content_type::Parameterised;

/// What the head of a part says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<String>,
}

impl Head {
    pub(super) fn parse(bytes: &[u8], limits: &PartLimits) -> Result<Self, (Expected, usize)> {
        let mut lines = Vec::new();
        let limits = Limits {
            fields: limits.fields,
            // The empty line is not counted among them.
            body_overhead: limits.head.saturating_sub(2),
            ..Limits::default()
        };
        let fields = match ChunkedDecoder::new(&limits).trailers(bytes, &limits, &mut lines) {
            Ok(Parsed::Complete { value, .. }) => value,
            Ok(Parsed::Partial) => return Err((Expected::END, bytes.len())),
            Err(violation) => {
                let expected = match violation.kind() {
                    Kind::TrailersTooLarge => {
                        Expected::at_most(limits.body_overhead + 2, "bytes in its head")
                    }
                    Kind::TooManyFields => {
                        Expected::at_most(limits.fields, "field lines in its head")
                    }
                    kind => Expected::Rule(kind),
                };
                return Err((expected, violation.at()));
            }
        };
        check_encoding(&fields, bytes)?;
        let (name, file_name) = disposition(&fields, bytes)?;
        let media_type = single(&fields, "Content-Type", bytes)?.map(|(text, _)| text.to_owned());
        Ok(Self { name, file_name, media_type })
    }
}

// ABNF: disposition      = "Content-Disposition" ":" disposition-type *( ";" disposition-parm )
//       disposition-type = "form-data"            (RFC 2183 section 2; RFC 7578 section 4.2)
fn disposition(
    fields: &Fields<'_>,
    head: &[u8],
) -> Result<(String, Option<String>), (Expected, usize)> {
    let (text, at) = single(fields, "Content-Disposition", head)?.ok_or((Expected::NAME, 0))?;
    let parsed = Parameterised::parse(text).map_err(|(what, i)| (Expected::This(what), at + i))?;
    match parsed.get("name") {
        Some(name) if parsed.value.eq_ignore_ascii_case("form-data") => {
            Ok((unescape(name), parsed.get("filename").map(unescape)))
        }
        _ => Err((Expected::NAME, at)),
    }
}

/// The text of a field that may occur once, and where in the head it begins.
fn single<'b>(
    fields: &Fields<'b>,
    name: &str,
    head: &[u8],
) -> Result<Option<(&'b str, usize)>, (Expected, usize)> {
    let mut values = fields.all(name);
    let Some(value) = values.next() else { return Ok(None) };
    // Where a slice of the head begins in it.
    let offset = |value: &[u8]| value.as_ptr() as usize - head.as_ptr() as usize;
    if let Some(second) = values.next() {
        return Err((Expected::This("this field once"), offset(second)));
    }
    match str::from_utf8(value) {
        Ok(text) => Ok(Some((text, offset(value)))),
        Err(error) => Err((Expected::UTF8, offset(value) + error.valid_up_to())),
    }
}

/// Content-Transfer-Encoding may say that nothing was done to the content.
fn check_encoding(fields: &Fields<'_>, head: &[u8]) -> Result<(), (Expected, usize)> {
    const NONE: [&str; 3] = ["7bit", "8bit", "binary"];
    match single(fields, "Content-Transfer-Encoding", head)? {
        Some((encoding, at)) if !NONE.iter().any(|none| encoding.eq_ignore_ascii_case(none)) => {
            Err((Expected::Supported("content that is not encoded"), at))
        }
        _ => Ok(()),
    }
}

/// Undoes what browsers do to names, so that they fit between quotes, and nothing more: they leave
/// every other `%` as it is.
fn unescape(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}
