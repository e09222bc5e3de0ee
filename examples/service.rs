//! What a supervisor such as systemd and a server have to tell each other: here is your socket, and I am
//! ready.
//!
//! A socket that the supervisor holds outlives the server. Who connects while one server ends and the
//! next begins waits in its queue, and nobody is refused.

use std::net::TcpListener;

/// The listening socket that was passed as standard input, where `LISTEN=stdin` says so (systemd:
/// `StandardInput=socket`). Anything else there ends the program with exit code 2.
pub(crate) fn inherited() -> Option<TcpListener> {
    match super::optional::<String>("LISTEN", "`stdin`")?.as_str() {
        "stdin" => Some(standard_input()),
        other => super::bad_setting("LISTEN", other, "`stdin`, or no setting"),
    }
}

#[cfg(unix)]
fn standard_input() -> TcpListener {
    use std::net::TcpStream;
    use std::os::fd::AsFd;

    let input = std::io::stdin();
    let copy = || {
        input.as_fd().try_clone_to_owned().unwrap_or_else(|error| {
            super::bad_setting("LISTEN", "stdin", &format!("a listening socket there: {error}"))
        })
    };
    let listener = TcpListener::from(copy());
    if let Err(error) = listener.local_addr() {
        super::bad_setting("LISTEN", "stdin", &format!("a listening socket there: {error}"));
    }
    // What inetd and `Accept=yes` pass: one connection for each program.
    if TcpStream::from(copy()).peer_addr().is_ok() {
        super::bad_setting("LISTEN", "stdin", "a listening socket there, found a connection");
    }
    listener
}

#[cfg(not(unix))]
fn standard_input() -> TcpListener {
    super::bad_setting("LISTEN", "stdin", "no setting: sockets are passed so on Unix alone")
}

/// Tells the supervisor how it stands, if it wants to know: `READY=1`, `STOPPING=1` (`sd_notify(3)`). It
/// names a Unix socket, by a path or, after `@`, in the abstract namespace.
#[cfg(target_os = "linux")]
pub(crate) fn tell(state: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let Some(place) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match place.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&place),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        super::complain(&format!("NOTIFY_SOCKET={}: {error}", place.to_string_lossy()));
    }
}

/// Nobody asks for it here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tell(_: &str) {}
