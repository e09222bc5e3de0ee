//! The smallest server: the README's lines, with the address from the environment.
//!
//! ```text
//! cargo run --example hello
//! curl -i http://127.0.0.1:8000/some/where
//! ```

use std::process::ExitCode;

use longhand::{Request, Response};

fn main() -> ExitCode {
    let server = setup::bind();
    setup::run(server, |request: &mut Request<'_>| {
        Response::text(format!("You asked for {}\n", request.path()))
    })
}
