//! The state machine of a connection, from outside.
//!
//! Scripted peers send requests; what they are answered, in which writes, and how the connection
//! ends is compared. Every answer is read by `wire::explain_response`. Nothing waits and no socket
//! is opened: `serve_connection` is the code that serves sockets.

#[path = "exchange/closing.rs"]
mod closing;
#[path = "exchange/expectations.rs"]
mod expectations;
#[path = "exchange/failures.rs"]
mod failures;
#[path = "exchange/model.rs"]
mod model;
#[path = "exchange/persistence.rs"]
mod persistence;
#[path = "exchange/pipelining.rs"]
mod pipelining;
#[path = "exchange/responses.rs"]
mod responses;
#[path = "exchange/streams.rs"]
mod streams;
#[path = "exchange/upgrades.rs"]
mod upgrades;

/// A request without a body.
const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// A request of this version with these field lines, each with its CR LF, and this body.
fn request(line: &str, fields: &str, body: &str) -> String {
    format!("{line}\r\nHost: x\r\n{fields}\r\n{body}")
}

/// A POST of HTTP/1.1 with these field lines and this body.
fn post(fields: &str, body: &str) -> String {
    request("POST / HTTP/1.1", fields, body)
}
