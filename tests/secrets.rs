//! Secrets stay where they are: planted ones are looked for in everything that a program writes.
//!
//! A password, a token, a key, a session's ID or a credential enters by every door that there is; the
//! `Debug` of values, errors, panics, events, logs, counters, pages and files come out, and none has it,
//! in whatever spelling (`planted`). In parts: values and errors (`values`), a server of the kit's
//! guards (`guards`), the bookmark server as a program (`program`).
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "secrets/guards.rs"]
mod guards;
#[path = "secrets/planted.rs"]
mod planted;
#[cfg(unix)]
#[path = "secrets/program.rs"]
mod program;
#[path = "secrets/values.rs"]
mod values;
