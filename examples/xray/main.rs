//! The X-ray: every byte that a client sends and gets, named by the parser that serves it.
//!
//! ```text
//! cargo run --example xray                       a server to poke; what passes is drawn here
//! cargo run --example xray -- --file request     explains the bytes of a file
//! cargo run --example xray -- --explain bare-lf  tells all about one refusal
//! ```

mod exchange;
mod page;
mod part;
mod recorder;
mod routes;

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longhand::transport::{Acceptor, TcpAcceptor};
use longhand::{Limits, Request, Server};

use recorder::{Log, Recording};
use routes::Audience;

/// People type slowly.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    serve()
}

fn serve() -> ExitCode {
    let limits = Limits {
        first_byte: PATIENCE,
        head_time: PATIENCE,
        body_grace: PATIENCE,
        idle: PATIENCE,
        connections: 200,
        ..Limits::default()
    };
    let audience = if env::var_os("HOST").is_some() { Audience::All } else { Audience::Loopback };
    let inner = TcpAcceptor::own(setup::listener());
    let Some(address) = inner.local() else { return ExitCode::FAILURE };
    let log = Log::new(Instant::now(), limits.clone(), false);
    let server = Server::new(Recording { inner, log: Arc::clone(&log) }).limits(limits.clone());
    let router = routes::routes(&log, server.handle(), limits, audience);
    println!("listening on {}", setup::url(address));
    setup::run_quietly(
        server,
        move |event| log.tell(event),
        |request: &mut Request<'_>| router.handle(request),
    )
}
