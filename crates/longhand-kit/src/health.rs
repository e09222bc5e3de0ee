//! Whether a server wants more traffic: what a load balancer asks.
//!
//! The state of the server enters, a response leaves. It is 200 only while the server is ready; from
//! the lame duck on it says no, and the balancer sends new requests elsewhere while those that are
//! under way end. It answers for this process alone: one that fails because a database does takes
//! all servers out at once.

use longhand::{Response, State, Status};

/// How to say no: by which status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// 404: HAProxy with `http-check disable-on-404` then sends no new clients, and lets those that
    /// it has go on. Most others take it for a failure, as they do any error.
    NotFound,
    /// 503: a failure to every balancer.
    Unavailable,
}

/// Answers a health check: 200 with `ok` while the server is ready, else the no that `leaving` names.
/// It is never cached.
///
/// ```
/// # use longhand::{Request, Response, Server, State};
/// use longhand_kit::health::{self, Leaving};
///
/// let server = Server::bind("127.0.0.1:0")?;
/// let handle = server.handle();
/// let answer = |request: &mut Request<'_>| match request.path() {
///     "/.healthz" => health::answer(handle.state(), Leaving::NotFound),
///     _ => Response::text("hello\n"),
/// };
/// # let _: &dyn Fn(&mut Request<'_>) -> Response = &answer;
/// assert_eq!(health::answer(State::Ready, Leaving::NotFound).status_code().code(), 200);
/// assert_eq!(health::answer(State::LameDuck, Leaving::NotFound).status_code().code(), 404);
/// assert_eq!(health::answer(State::Draining, Leaving::Unavailable).status_code().code(), 503);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn answer(state: State, leaving: Leaving) -> Response {
    let response = match (state, leaving) {
        (State::Ready, _) => Response::text("ok"),
        (_, Leaving::NotFound) => Response::text("going away\n").status(Status::NOT_FOUND),
        (_, Leaving::Unavailable) => {
            Response::text("going away\n").status(Status::SERVICE_UNAVAILABLE)
        }
    };
    response.field("Cache-Control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ready_server_says_yes_and_no_answer_is_cached() {
        for (state, leaving, status, body) in [
            (State::Ready, Leaving::NotFound, 200, "ok"),
            (State::Ready, Leaving::Unavailable, 200, "ok"),
            (State::LameDuck, Leaving::NotFound, 404, "going away\n"),
            (State::LameDuck, Leaving::Unavailable, 503, "going away\n"),
            (State::Draining, Leaving::NotFound, 404, "going away\n"),
            (State::Draining, Leaving::Unavailable, 503, "going away\n"),
        ] {
            let response = answer(state, leaving);
            assert_eq!(response.status_code().code(), status, "{state:?} {leaving:?}");
            assert_eq!(response.body_bytes(), Some(body.as_bytes()), "{state:?} {leaving:?}");
            let cached = response.field_value("Cache-Control").unwrap();
            assert_eq!(cached.as_bytes(), b"no-store", "{state:?} {leaving:?}");
        }
    }
}
