//! A server of https: `probe`, behind the adapter of `tls.rs`, with a redirect from http.
//!
//! ```text
//! sh examples/https/certificates.sh target/certificates
//! CERT=target/certificates/localhost.pem KEY=target/certificates/localhost.key \
//!     cargo run --manifest-path examples/https/Cargo.toml
//! curl --cacert target/certificates/authority.pem https://localhost:8000/
//! ```
//!
//! `CERT` and `KEY` are files in PEM. With `HTTP_PORT` it listens there too, and sends whoever comes by
//! http to https. The paths are those of `probe` and `/visits`, which counts in a cookie.

mod acceptor;
#[allow(dead_code, reason = "its main is the other example's")]
#[path = "../../probe.rs"]
mod probe;
mod redirect;
mod tls;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use longhand::transport::{Acceptor, TcpAcceptor};
use longhand::{Reply, Request, Response, Server};
use longhand_kit::cookie::{Cookies, SetCookie};

use acceptor::{Identity, TlsAcceptor};

/// A browser that has been here over https comes by https for a year (RFC 6797).
const A_YEAR: &str = "max-age=31536000";

fn main() -> ExitCode {
    let identity = match Identity::read(file("CERT"), file("KEY")) {
        Ok(identity) => identity,
        Err(problem) => {
            eprintln!("{problem}; examples/https/certificates.sh makes both files");
            return ExitCode::from(2);
        }
    };
    let acceptor = TlsAcceptor { tcp: TcpAcceptor::own(setup::listener()), identity };
    let Some(address) = acceptor.local() else { return ExitCode::FAILURE };
    let redirect = redirect::start(address.port());
    let one_m = b"0123456789abcdef".repeat(65_536);
    let named = std::env::var_os("PROBE_FILE");
    let named = named.as_deref().map(Path::new);
    let server = Server::new(acceptor).limits(probe::limits());
    let mut lines = setup::listening(&setup::url(address).replacen("http", "https", 1));
    if let Some(redirect) = &redirect {
        lines += &format!("\nredirecting from {}", redirect.url);
    }
    let ended = setup::run_saying(server, lines, |request: &mut Request<'_>| {
        let authority = request.authority();
        let reply = match request.path() {
            "/visits" => visits(request),
            _ => probe::answer(request, &one_m, named),
        };
        reply.map(|reply| strict(reply, authority))
    });
    if let Some(redirect) = redirect {
        redirect.end();
    }
    ended
}

fn file(name: &str) -> PathBuf {
    let wanted = "a file in PEM; examples/https/certificates.sh makes both";
    setup::optional(name, wanted).unwrap_or_else(|| setup::bad_setting(name, "", wanted))
}

/// Counts in a cookie. `__Host-`: browsers take it only from https and only for this very host, so
/// nobody on the way, and no neighbour under the same domain, can have set it.
fn visits(request: &Request<'_>) -> io::Result<Reply<'static>> {
    let before = Cookies::of(request).text("__Host-visits").and_then(|text| text.parse().ok());
    let visits = before.unwrap_or(0_u32).saturating_add(1);
    let reply = Response::text(format!("visits: {visits}\n")).field("Cache-Control", "no-store");
    SetCookie::new("__Host-visits", visits.to_string())
        .secure()
        .add_to(reply)
        .map_err(io::Error::other)
}

/// Asks browsers to come by https from now on. Not for addresses, where it says nothing, nor for names
/// without a dot: it would hold for every other server on `localhost`, on all ports.
fn strict<'s>(reply: Reply<'s>, authority: &str) -> Reply<'s> {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let is_name = host.parse::<IpAddr>().is_err() && !host.starts_with('[');
    if is_name && host.trim_end_matches('.').contains('.') {
        return reply.field("Strict-Transport-Security", A_YEAR);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_bound_to_https_by_names_with_a_dot_alone() {
        for (authority, bound) in [
            ("example.test", true),
            ("example.test:8443", true),
            ("localhost", false),
            ("localhost:8443", false),
            ("localhost.", false),
            ("127.0.0.1:8443", false),
            ("192.0.2.7", false),
            ("[::1]:8443", false),
            ("[::ffff:192.0.2.7]", false),
        ] {
            let reply = strict(Response::text("hello"), authority);
            let found = reply.field_value("Strict-Transport-Security").is_some();
            assert_eq!(found, bound, "{authority}");
        }
    }
}
