//! HTTP/1.1, written out in longhand.
#![forbid(unsafe_code)]
mod limits;
pub mod wire;

pub use limits::Limits;
pub use wire::Status;
