//! The type of a request's body, and the answer to one of another type.
//!
//! A request enters; its Content-Type leaves (RFC 9110 section 8.3), or the refusal that says what was
//! wanted and what was found. Several lines of it count as none: two programs would disagree about
//! which of them counts.

use std::str;

use longhand::{Refusal, Request, Status};

use crate::parameters::Parameterised;

/// The request's Content-Type, if it has one that can be read.
pub(crate) fn content_type<'c>(request: &Request<'c>) -> Option<Parameterised<'c>> {
    let fields = request.fields();
    let mut lines = fields.all("Content-Type");
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    Parameterised::parse(str::from_utf8(line).ok()?).ok()
}

// "The server can send an Accept header field in the response"               (RFC 9110 section 12.5.1)
/// 415 for a body that is not `media_type`, or not as `wanted` says more closely.
pub(crate) fn unsupported(
    request: &Request<'_>,
    media_type: &'static str,
    wanted: &str,
) -> Refusal {
    let fields = request.fields();
    let mut lines = fields.all("Content-Type");
    let found = match (lines.next(), lines.next()) {
        (None, _) => "none".to_owned(),
        // `?` leaves no control character in a log, `start` no megabyte.
        (Some(line), None) => format!("{:?}", start(&String::from_utf8_lossy(line))),
        (Some(_), Some(_)) => "\"several lines of it\"".to_owned(),
    };
    let text = format!("Content-Type: expected {wanted}, found {found}");
    Refusal::new(Status::UNSUPPORTED_MEDIA_TYPE, text).field("Accept", media_type)
}

// "An origin server MAY respond with a status code of 415 (Unsupported Media Type) if a representation in
// the request message has a content coding that is not acceptable."       (RFC 9110 section 8.4)
/// Refuses a body that is packed: nothing here unpacks one, and packed bytes are no form.
pub(crate) fn unpacked(request: &Request<'_>) -> Result<(), Refusal> {
    let fields = request.fields();
    let Some(coding) =
        fields.list("Content-Encoding").find(|coding| !coding.eq_ignore_ascii_case(b"identity"))
    else {
        return Ok(());
    };
    let found = start(&String::from_utf8_lossy(coding));
    let text = format!("Content-Encoding: expected none, found {found:?}");
    Err(Refusal::new(Status::UNSUPPORTED_MEDIA_TYPE, text).field("Accept-Encoding", "identity"))
}

/// As much of what was sent as is shown.
pub(crate) fn start(text: &str) -> String {
    text.chars().take(80).collect()
}
