//! Times as protocols and records write them.

use std::time::SystemTime;

/// Whole seconds since 1970; a time before that counts as 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
