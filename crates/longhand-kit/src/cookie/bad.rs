//! Why a cookie is not sent: the part that browsers would not keep, and its place in it. The answer to
//! that is 500.

use std::fmt;

use longhand::{IntoResponse, Reply, Status};

use crate::refusal::refusal;

/// A cookie that browsers would drop, cut or change; its text says which part of it, where, and what
/// was wanted. It shows the start of the cookie's name, and nothing of its value but one byte.
///
/// ```
/// use longhand_kit::cookie::SetCookie;
/// let bad = SetCookie::new("__Host-id", "a3b1").field_value().unwrap_err();
/// assert_eq!(bad.to_string(), "cookie \"__Host-id\": the prefix __Host- demands Secure");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCookie {
    pub(super) name: String,
    pub(super) problem: String,
}

impl fmt::Display for BadCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `?` leaves no control character in a log, `take` no megabyte.
        let name: String = self.name.chars().take(40).collect();
        write!(f, "cookie {name:?}: {}", self.problem)
    }
}

impl std::error::Error for BadCookie {}

/// 500, whose [cause](Reply::because) it is: what goes into a cookie is the program's to know.
impl<'s> IntoResponse<'s> for BadCookie {
    fn into_response(self) -> Reply<'s> {
        Status::INTERNAL_SERVER_ERROR.into_response().because(self)
    }
}

refusal!(BadCookie);
