//! What all example servers share: where they listen, and how they end.
//!
//! Settings come from the environment. A bad one is named and ends the program with exit code 2,
//! before anything is served.

mod service;

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::process::{ExitCode, exit};
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use longhand::transport::Acceptor;
use longhand::{Event, IntoResponse, Request, Server};
use longhand_kit::forwarded::Proxies;

/// The value of a setting, or `default` where it is not set. One that cannot be read ends the
/// program with exit code 2 and says what was wanted.
pub fn setting<T: FromStr>(name: &str, default: T, wanted: &str) -> T {
    optional(name, wanted).unwrap_or(default)
}

/// The value of a setting that may be absent. One that cannot be read ends the program with exit
/// code 2 and says what was wanted.
pub fn optional<T: FromStr>(name: &str, wanted: &str) -> Option<T> {
    match env::var(name) {
        Err(env::VarError::NotPresent) => None,
        Ok(text) => Some(text.parse().unwrap_or_else(|_| bad_setting(name, &text, wanted))),
        Err(env::VarError::NotUnicode(text)) => bad_setting(name, &text.to_string_lossy(), wanted),
    }
}

/// Names a bad setting and ends the program with exit code 2.
pub fn bad_setting(name: &str, found: &str, wanted: &str) -> ! {
    eprintln!("{name}={found}: expected {wanted}");
    exit(2)
}

/// A line for whoever reads standard output. Where nobody takes it, it is lost: a server serves all the
/// same.
pub fn say(line: &(impl Display + ?Sized)) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A line for whoever reads standard error. Where nobody takes it, it is lost.
pub fn complain(line: &(impl Display + ?Sized)) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether there is no descriptor left, in this process or in the system: nobody else's fault, and over
/// soon.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    // ENFILE and EMFILE, on Linux, macOS and the BSDs.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// A time in milliseconds from the environment.
pub fn millis(name: &str, default: Duration) -> Duration {
    let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(setting(name, default, "a number of milliseconds"))
}

/// What a program without arguments does with its arguments: help, or a refusal, and its exit code.
pub fn help(text: &str) -> Option<ExitCode> {
    let argument = env::args_os().nth(1)?;
    if argument == "--help" || argument == "-h" {
        print!("{text}");
        return Some(ExitCode::SUCCESS);
    }
    eprintln!("{}: expected no argument, or --help", argument.display());
    Some(ExitCode::from(2))
}

/// The proxies in front whose `X-Forwarded-…` fields are believed, from `TRUSTED_PROXIES`.
pub fn proxies() -> Proxies {
    let text: String = setting("TRUSTED_PROXIES", String::new(), "addresses like 10.0.0.0/8, ::1");
    let proxies = Proxies::x_forwarded(&text);
    proxies.unwrap_or_else(|bad| bad_setting("TRUSTED_PROXIES", &text, &bad.to_string())).and_host()
}

/// A server on `HOST` (default 127.0.0.1) and `PORT` (default 8000), or on the socket that a supervisor
/// passed (`LISTEN=stdin`).
pub fn bind() -> Server {
    if let Some(listener) = service::inherited() {
        return Server::from(listener);
    }
    bind_to(&setting("HOST", "127.0.0.1".to_owned(), "a host name or address"))
}

/// The same; but where `PORT` is set and `HOST` is not, on all interfaces. That is how hosting
/// platforms start a program: they choose the port, and come in from outside.
pub fn bind_hosted() -> Server {
    let socket_or_host = env::var_os("LISTEN").or(env::var_os("HOST"));
    if socket_or_host.is_some() || env::var_os("PORT").is_none() {
        return bind();
    }
    let port = port();
    // `::` takes IPv4 too, unless this machine has no IPv6.
    let all = [(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()];
    listen(&all[..], "all interfaces", port)
}

/// A server on this host and on `PORT` (default 8000).
pub fn bind_to(host: &str) -> Server {
    let port = port();
    listen((host.trim_start_matches('[').trim_end_matches(']'), port), host, port)
}

/// A listener on `HOST` and `PORT`, as [`bind`] takes one: for a server with an acceptor of its own.
pub fn listener() -> TcpListener {
    let host: String = setting("HOST", "127.0.0.1".to_owned(), "a host name or address");
    let port = port();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    TcpListener::bind((bare, port)).unwrap_or_else(|error| cannot_listen(&host, port, &error))
}

fn port() -> u16 {
    setting("PORT", 8000, "a port from 0 to 65535")
}

fn listen(addresses: impl ToSocketAddrs, host: &str, port: u16) -> Server {
    Server::bind(addresses).unwrap_or_else(|error| cannot_listen(host, port, &error))
}

fn cannot_listen(host: &str, port: u16, error: &io::Error) -> ! {
    let other = match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => {
            "; PORT=8001, say, takes another port"
        }
        _ => "",
    };
    eprintln!("cannot listen on {host}, port {port}: {error}{other}");
    exit(2)
}

/// Prints where the server listens, and serves until SIGTERM or SIGINT has drained it: `LAME_DUCK_MS`
/// (default 0), then `DRAIN_MS` (default 10000). The exit code is 1 where a handler would not end.
pub fn run<'s, F, R>(server: Server, handler: F) -> ExitCode
where
    F: Fn(&mut Request<'_>) -> R + Sync,
    R: IntoResponse<'s>,
{
    match server.local_addr() {
        Ok(address) => serve(server, Some(listening(&url(address))), handler),
        Err(error) => failed(&error),
    }
}

/// The same with an observer. One is told of every request, and that has its price: who wants to
/// know nothing has none.
pub fn run_observed<'s, F, R>(
    server: Server,
    observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    handler: F,
) -> ExitCode
where
    F: Fn(&mut Request<'_>) -> R + Sync,
    R: IntoResponse<'s>,
{
    run(server.observe(observer), handler)
}

/// The same without the line, for a server that prints its own, and with an observer.
pub fn run_quietly<'s, A, F, R>(
    server: Server<A>,
    observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    handler: F,
) -> ExitCode
where
    A: Acceptor,
    F: Fn(&mut Request<'_>) -> R + Sync,
    R: IntoResponse<'s>,
{
    serve(server.observe(observer), None, handler)
}

/// The same for a server with an acceptor of its own, which says these lines once it is ready: the
/// first is [`listening`].
pub fn run_saying<'s, A, F, R>(server: Server<A>, lines: String, handler: F) -> ExitCode
where
    A: Acceptor,
    F: Fn(&mut Request<'_>) -> R + Sync,
    R: IntoResponse<'s>,
{
    serve(server, Some(lines), handler)
}

/// The line that says where a server listens.
pub fn listening(url: &str) -> String {
    format!("listening on {url}")
}

/// An address that one can open: a server on all interfaces has none of its own.
pub fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        return format!("http://localhost:{}", address.port());
    }
    format!("http://{address}")
}

fn serve<'s, A, F, R>(server: Server<A>, lines: Option<String>, handler: F) -> ExitCode
where
    A: Acceptor,
    F: Fn(&mut Request<'_>) -> R + Sync,
    R: IntoResponse<'s>,
{
    let lame_duck = millis("LAME_DUCK_MS", Duration::ZERO);
    let deadline = millis("DRAIN_MS", Duration::from_secs(10));
    let handle = server.handle();
    let terminate = move || {
        service::tell("STOPPING=1");
        handle.drain(lame_duck, deadline);
        // What has not ended by then was cut, and ends within a moment; a handler that waits for
        // something else does not.
        thread::sleep(lame_duck + deadline + Duration::from_secs(1));
        let connections = handle.connections();
        if connections > 0 {
            let plural = if connections == 1 { "" } else { "s" };
            complain(&format!("{connections} connection{plural} did not end in time"));
            exit(1);
        }
    };
    if let Err(error) = longhand_signal::on_terminate(terminate) {
        complain(&format!("signals end this program at once: {error}"));
    }
    // From this line on it may be asked to end, so signals come first.
    if let Some(lines) = lines {
        say(&lines);
    }
    service::tell("READY=1");
    match server.run(handler) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn Display) -> ExitCode {
    complain(error);
    ExitCode::FAILURE
}
