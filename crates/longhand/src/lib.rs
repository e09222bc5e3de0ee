//! HTTP/1.1, written out in longhand.
#![forbid(unsafe_code)]
pub mod wire;
mod limits;
pub mod transport;
mod observe;
mod link;
mod body;
mod request;
mod value;
mod writer;
mod response;
mod respond;
mod admit;
mod seat;
mod buffer;
mod connection;

pub use body::Body;
pub use connection::serve_connection;
pub use limits::Limits;
pub use observe::{Answered, Event, Why};
pub use request::{Persistence, Request};
pub use response::{IntoResponse, Reply, Response};
pub use seat::State;
pub use value::{BadValue, FieldValue};
pub use wire::Status;
pub use writer::{BodyWriter, Halves, Upgraded};
mod registry;
mod drain;
mod server;
pub use drain::Handle;
pub use server::{Server, Summary};
