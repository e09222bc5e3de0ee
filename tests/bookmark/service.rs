//! Under a supervisor: a socket that outlives the program, and the words that it waits for.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use harness::client::{Client, NEVER};
use harness::program::{Folder, Program, command, run};

use crate::asked::{form, site};
use crate::{FORM_HEAD, PLAIN, get};

/// A server on a socket that the test holds.
fn on(listener: &TcpListener, log: &str) -> Program {
    let mut command = command("bookmark", &[("LISTEN", "stdin"), ("STORE", log)]);
    command.env("ACCESS_LOG", "off").env("CHECK_PRIVATE", "allow");
    command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
    Program::start(command)
}

#[test]
fn no_request_fails_across_restarts_where_the_socket_is_held() {
    const REQUESTS: usize = 500;
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Not itself: a server that ends has nobody to answer it until the next one is there.
    let (done, site) = (AtomicUsize::new(0), site());
    let uri = format!("http://{}/", site.address());
    let first = on(&listener, &log);
    assert_eq!(first.address(), address);
    let mut server = Some(first);
    thread::scope(|scope| {
        for client in 0..2 {
            let (done, uri) = (&done, &uri);
            scope.spawn(move || {
                for number in 0..REQUESTS {
                    // Each on a connection of its own: those that wait in the queue are asked for.
                    let mut connection = Client::to(address);
                    let form = form(&format!("{client}-{number}"), uri);
                    let wanted = if number % 10 == 0 {
                        let length = form.len();
                        connection
                            .send(format!("{FORM_HEAD}Content-Length: {length}\r\n\r\n{form}"));
                        303
                    } else {
                        connection.get("/");
                        200
                    };
                    assert_eq!(connection.answer().status, wanted, "{client}-{number}");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for restart in 1..=4 {
            let end = Instant::now() + NEVER;
            while done.load(Ordering::Relaxed) < restart * REQUESTS / 3 {
                assert!(Instant::now() < end, "requests go on");
                thread::yield_now();
            }
            // The next one begins before this one has ended, or after.
            let next = (restart % 2 == 0).then(|| on(&listener, &log));
            let last = server.take().unwrap();
            last.signal("TERM");
            let (status, errors) = last.end();
            server = Some(next.unwrap_or_else(|| on(&listener, &log)));
            assert!(status.success(), "{status} {errors:?}");
        }
    });
    let list = get(&format!("http://{address}/.export")).body;
    assert_eq!(list.lines().count(), 2 * REQUESTS / 10);
}

#[test]
fn what_is_no_listening_socket_is_refused() {
    let refused = |input: Stdio, listen: &str| {
        let mut command = command("bookmark", &[("LISTEN", listen), ("STORE", "memory")]);
        let (code, output, errors) = run({
            command.stdin(input);
            command
        });
        assert_eq!((code, output.as_str()), (2, ""), "{errors}");
        errors
    };
    assert!(
        refused(Stdio::null(), "stdin").starts_with("LISTEN=stdin: expected a listening socket")
    );
    assert_eq!(refused(Stdio::null(), "fd:3"), "LISTEN=fd:3: expected `stdin`, or no setting\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let errors = refused(Stdio::from(OwnedFd::from(connection)), "stdin");
    assert!(errors.ends_with("found a connection\n"), "{errors}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_supervisor_is_told_when_it_is_ready_and_when_it_ends() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    let folder = Folder::new();
    let path = folder.file("notify");
    let abstract_name = format!("longhand-{}", std::process::id());
    let named = SocketAddr::from_abstract_name(&abstract_name).unwrap();
    for (told, place) in [
        (UnixDatagram::bind(&path).unwrap(), path.clone()),
        (UnixDatagram::bind_addr(&named).unwrap(), format!("@{abstract_name}")),
    ] {
        told.set_read_timeout(Some(NEVER)).unwrap();
        let hear = || {
            let mut words = [0; 64];
            let length = told.recv(&mut words).unwrap();
            String::from_utf8_lossy(&words[..length]).into_owned()
        };
        let settings = [&PLAIN[..], &[("NOTIFY_SOCKET", &place)]].concat();
        let server = crate::start(&settings);
        assert_eq!(hear(), "READY=1");
        server.signal("TERM");
        assert_eq!(hear(), "STOPPING=1");
        assert!(server.end().0.success());
    }
    // Nobody there: it says so, and serves.
    let server = crate::start(&[&PLAIN[..], &[("NOTIFY_SOCKET", &folder.file("none"))]].concat());
    assert_eq!(get(&server.url).status, 200);
    server.signal("TERM");
    let (status, errors) = server.end();
    assert!(status.success() && errors[0].starts_with("NOTIFY_SOCKET="), "{errors:?}");
}
