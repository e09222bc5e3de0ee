//! One of the seven servers that almost work, to be looked at by hand.
//!
//! ```text
//! cargo run --example exercise -- s1
//! LONGHAND_EX=solutions cargo run --example exercise -- s1
//! ```
//!
//! The servers are in `tests/exercises`; the top of each tells what its users report, and one command
//! with which to see it. What is still wrong: `cargo test -p tests --test exercises`.

use std::env;
use std::net::TcpListener;
use std::process::exit;

#[path = "../tests/exercises/mod.rs"]
pub mod exercises;

fn main() {
    let servers = exercises::servers().unwrap_or_else(|error| fail(&error));
    let name = env::args().nth(1).unwrap_or_default();
    let number = name.strip_prefix(['s', 'S']).and_then(|number| number.parse::<usize>().ok());
    let serve = number.and_then(|number| servers.get(number.checked_sub(1)?));
    let Some(serve) = serve else { fail("usage: exercise s1, …, exercise s7") };

    let host: String = setup::setting("HOST", "127.0.0.1".to_owned(), "a host name or address");
    let port: u16 = setup::setting("PORT", 8000, "a port from 0 to 65535");
    let listener = TcpListener::bind((&*host, port))
        .unwrap_or_else(|error| fail(&format!("cannot listen on {host}, port {port}: {error}")));
    if let Ok(address) = listener.local_addr() {
        println!("listening on http://{address}");
    }
    serve(listener);
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    exit(2)
}
