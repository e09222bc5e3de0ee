//! HTTP/1.1 as bytes: bytes in, values out.
//!
//! Nothing under this module does I/O, reads a clock or starts a thread. Parsers take what has
//! arrived and say [`Parsed::Complete`], [`Parsed::Partial`] or a [`Violation`] with the byte at
//! fault; whoever holds the connection decides what to do about it.
//!
//! Two laws hold for every parser here and are tested on every golden case, each of its prefixes and
//! thousands of mutations:
//!
//! - **Coverage.** The [spans](explain()) of any input are in order, without overlap and without gap.
//! - **Minimal prefix.** For a [syntax](Class::Syntax) error at byte k, the first k bytes alone are
//!   unfinished, and the first k+1 give the same error.
//!
//! This module is public so that clients, proxies, tools and lessons can use it. It may change with
//! every 0.x release.

pub mod grammar;
mod run;
mod span;
mod status;
mod rules;
mod violation;
mod lesson;
mod target;
mod fields;
mod scan;
mod start_line;
mod head;
mod framing;
mod chunked;
mod date;
mod explain;

pub use chunked::{Chunk, ChunkedDecoder, encode_chunk_size};
pub use date::{format_date, parse_date};
pub use explain::{Explained, Verdict, explain, explain_response};
pub use fields::{FieldLine, Fields, elements, unquote};
pub use framing::Framing;
pub use head::{Parsed, RequestHead, ResponseHead, Version};
pub use rules::{Class, Hint, Kind, Sample, Scene, Whose};
pub use span::Part;
pub use status::Status;
pub use target::{BadEscape, Target, percent_decode, percent_encode};
pub use violation::Violation;

pub(crate) use fields::shown;
pub(crate) use run::value_run;
pub(crate) use scan::Layout;
pub(crate) use start_line::{request as scan_request, response as scan_response};

#[cfg(doc)]
#[doc = include_str!("errors.md")]
pub mod errors {}

#[cfg(doc)]
#[doc = include_str!("illustrated.md")]
pub mod illustrated {}
