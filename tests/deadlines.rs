//! Every limit and every deadline, each just under and just over.
//!
//! A scripted peer takes a little less, or a little more, than section 5 of the design lets it;
//! what it is answered, when, and how the connection ends is compared. The clock is the script's,
//! so an hour costs nothing and a millisecond is exact.

#[path = "deadlines/bodies.rs"]
mod bodies;
#[path = "deadlines/endings.rs"]
mod endings;
#[path = "deadlines/heads.rs"]
mod heads;

use std::io;
use std::time::Duration;

use harness::talk::Talk;
use longhand::{Request, Response, Why};

const TICK: Duration = Duration::from_millis(1);
const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn hello(_: &mut Request<'_>) -> Response {
    Response::text("hello")
}

fn echo(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::bytes("text/plain", request.body().read_all()?))
}

fn ignore(_: &mut Request<'_>) -> Response {
    Response::text("ignored")
}

/// The head of a POST with this field.
fn post(field: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n")
}

/// That the one answer is this refusal, says that the connection closes, and that it closes by
/// lingering.
#[track_caller]
fn assert_refused(talk: &Talk, status: u16, rule: &str) {
    let answer = talk.only();
    assert_eq!((answer.status, &answer.rule()[..]), (status, rule));
    assert!(answer.closes(), "{answer:?}");
    assert!(talk.lingered_from().is_some(), "a refusal is not to be lost to a reset");
    assert_eq!(talk.why, Why::ServerAsked);
}

#[track_caller]
fn assert_served(talk: &Talk, answers: usize) {
    assert_eq!(talk.statuses(), vec![200; answers]);
}
