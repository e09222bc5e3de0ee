//! Why somebody was not let in, and the answer to that.
//!
//! A verdict of `accounts.rs` enters; 403, 429 or 503 leaves, in words that do not tell which users
//! exist.

use std::fmt;
use std::time::Duration;

use longhand::{IntoResponse, Reply, Status};

use crate::rate::TooMany;
use crate::refusal::refusal;

/// How long a thread waits for its turn to verify.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Why somebody was not let in. Under `?` in a handler it is the answer to that.
///
/// ```
/// # use longhand::{IntoResponse, Status};
/// use longhand_kit::auth::{Accounts, Refused};
/// # let now = std::time::Instant::now();
/// let accounts = Accounts::new(|_user| None)?.rounds(1_000);
/// let refused = accounts.check(now, None, "ada", "secret").unwrap_err();
/// assert_eq!(refused, Refused::Wrong);
/// assert_eq!(refused.to_string(), "wrong user name or password"); // and not which of both
/// assert_eq!(refused.into_response().status_code(), Status::FORBIDDEN);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// There is no such user, or it has another password. Answered by 403 and not by 401, which would
    /// open the browser's own dialogue; only [`Accounts::basic`](super::Accounts::basic) answers 401.
    Wrong,
    /// There were too many passwords from this client, and this one was not looked at. Answered by
    /// 429 with the seconds to wait in Retry-After.
    TooMany(TooMany),
    /// Too many passwords are being verified. Answered by 503, Retry-After 5 seconds.
    Busy,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => f.write_str("wrong user name or password"),
            Self::TooMany(too_many) => write!(f, "not looked at: {too_many}"),
            Self::Busy => f.write_str("too many are signing in: try again in a few seconds"),
        }
    }
}

impl std::error::Error for Refused {}

/// 403, 429 or 503, the latter two with Retry-After.
impl<'s> IntoResponse<'s> for Refused {
    fn into_response(self) -> Reply<'s> {
        let answer = Reply::text(format!("{self}\n")).field("Cache-Control", "no-store");
        match self {
            Self::Wrong => answer.status(Status::FORBIDDEN),
            Self::TooMany(too_many) => too_many.into_response(),
            Self::Busy => {
                answer.status(Status::SERVICE_UNAVAILABLE).field("Retry-After", PATIENCE.as_secs())
            }
        }
    }
}

refusal!(Refused);
