//! Seven servers that almost work.
//!
//! Each is small, looks finished, and has one fault that its users report in the comment at its top.
//! `s1.rs` to `s7.rs` are to be mended; `solutions/` has one way to do it. `tests/exercises.rs` says
//! what is still wrong, and `cargo run --example exercise -- s1` runs one to be looked at by hand.
//! They are for one lesson each: what else a server on the open internet needs (limits, deadlines)
//! they leave out.

use std::env::{self, VarError};
use std::net::TcpListener;

pub mod s1;
pub mod s2;
pub mod s3;
pub mod s4;
pub mod s5;
pub mod s6;
pub mod s7;
pub mod solutions;

/// Takes a listener and serves for ever.
pub type Serve = fn(TcpListener);

/// S1 to S7, as they are in this folder; where `LONGHAND_EX=solutions` is set, as they are in
/// `solutions`.
///
/// # Errors
/// If `LONGHAND_EX` is something else.
pub fn servers() -> Result<[Serve; 7], String> {
    match env::var("LONGHAND_EX").as_deref() {
        Err(VarError::NotPresent) | Ok("") => {
            Ok([s1::serve, s2::serve, s3::serve, s4::serve, s5::serve, s6::serve, s7::serve])
        }
        Ok("solutions") => Ok(solutions::SERVERS),
        found => Err(format!("LONGHAND_EX={}: expected solutions", found.unwrap_or("?"))),
    }
}
