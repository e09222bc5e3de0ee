//! The head of a part: its name, the name of its file, its type (RFC 7578 sections 4.2 to 4.8).
//!
//! What enters are the bytes up to the empty line; what leaves are the three values, or what is wrong
//! and how many bytes into them. The field lines are read by longhand's own parser: a part may not say
//! what a request may not.

use std::str;

use longhand::Limits;
use longhand::wire::{Fields, Kind, Parsed};

use super::PartLimits;
use super::label::Expected;
use crate::parameters::Parameterised;

/// What was expected, and how many bytes into the head.
type Wrong = (Expected, usize);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<String>,
}

impl Head {
    pub(super) fn parse(bytes: &[u8], limits: &PartLimits) -> Result<Self, Wrong> {
        let limits = Limits { fields: limits.fields, head: limits.head, ..Limits::default() };
        let mut lines = Vec::new();
        let fields = match Fields::parse(bytes, &limits, &mut lines) {
            Ok(Parsed::Complete { value, .. }) => value,
            Ok(Parsed::Partial) => return Err((Expected::END.into(), bytes.len())),
            Err(violation) => {
                let expected = match violation.kind() {
                    Kind::HeadTooLarge => Expected::at_most(limits.head, "bytes in its head"),
                    Kind::TooManyFields => {
                        Expected::at_most(limits.fields, "field lines in its head")
                    }
                    kind => format!("{} ({})", kind.expected(), kind.section()).into(),
                };
                return Err((expected, violation.at()));
            }
        };
        check_encoding(&fields)?;
        let (name, file_name) = disposition(&fields)?;
        let media_type = single(&fields, "Content-Type")?.map(|(_, text)| text.to_owned());
        Ok(Self { name, file_name, media_type })
    }
}

// ABNF: disposition      = "Content-Disposition" ":" disposition-type *( ";" disposition-parm )
//       disposition-type = "form-data"            (RFC 2183 section 2; RFC 7578 section 4.2)
fn disposition(fields: &Fields<'_>) -> Result<(String, Option<String>), Wrong> {
    let (at, text) = single(fields, "Content-Disposition")?.ok_or((Expected::NAME.into(), 0))?;
    let parsed = Parameterised::parse(text).map_err(|(what, i)| (what.into(), at + i))?;
    match parsed.get("name") {
        Some(name) if parsed.is("form-data") => {
            Ok((unescape(name), parsed.get("filename").map(unescape)))
        }
        _ => Err((Expected::NAME.into(), at)),
    }
}

/// The text of a field that may occur once, behind its offset in the head.
fn single<'b>(fields: &Fields<'b>, name: &str) -> Result<Option<(usize, &'b str)>, Wrong> {
    let mut values = fields.all_at(name);
    let Some((at, value)) = values.next() else { return Ok(None) };
    if let Some((second, _)) = values.next() {
        return Err(("this field once".into(), second));
    }
    match str::from_utf8(value) {
        Ok(text) => Ok(Some((at, text))),
        Err(error) => Err((Expected::UTF8.into(), at + error.valid_up_to())),
    }
}

/// Nothing here undoes base64 or quoted-printable, so Content-Transfer-Encoding may only say that
/// neither was done.
fn check_encoding(fields: &Fields<'_>) -> Result<(), Wrong> {
    const NONE: [&str; 3] = ["7bit", "8bit", "binary"];
    match single(fields, "Content-Transfer-Encoding")? {
        Some((at, encoding)) if !NONE.iter().any(|none| encoding.eq_ignore_ascii_case(none)) => {
            Err((Expected::supported("content that is not encoded"), at))
        }
        _ => Ok(()),
    }
}

/// Undoes what browsers do to names, so that they fit between quotes, and nothing more: they leave
/// every other `%` as it is.
fn unescape(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}
