//! The checks of `harness::lessons`, checked: on a server that keeps every rule, and on one that never
//! says a word.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use harness::client::NEVER;
use harness::lessons::{CHECKS, Outcome, Patience};
use harness::program::example;
use harness::running::run;
use longhand::{IntoResponse, Limits, Request, Response, Server, Status};

/// What the checks ask of a server.
fn answer(request: &mut Request<'_>) -> std::io::Result<Response> {
    Ok(match (request.method(), request.path()) {
        ("GET", "/") => Response::text("hello\n"),
        ("GET", "/slow") => {
            // Work of a second. Nobody sends.
            let (_sender, work) = channel::<()>();
            let _ = work.recv_timeout(Duration::from_secs(1));
            Response::text("at last\n")
        }
        ("POST", "/echo") => Response::bytes("text/plain", request.body().read_all()?),
        ("POST", "/") => {
            let form = String::from_utf8_lossy(&request.body().read_all()?).into_owned();
            let host = form.trim_start_matches("longuri=http://").split('/').next();
            let mut stream = TcpStream::connect(host.unwrap_or_default())?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
            let mut found = String::new();
            stream.read_to_string(&mut found)?;
            assert!(found.starts_with("HTTP/1.1 200 "), "{found}");
            Response::redirect("/")
        }
        _ => Status::NOT_FOUND.into_response(),
    })
}

fn all(address: SocketAddr, patience: Patience) -> Vec<(Outcome, String)> {
    let reports = CHECKS.iter().map(|check| check.of(address, patience));
    reports.map(|report| (report.outcome.clone(), report.to_string())).collect()
}

#[test]
fn a_server_on_longhand_passes_every_check() {
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let server = server.limits(Limits { body: 1_000_000, ..Limits::default() });
    let server = run(server, answer);
    let patience = Patience { answer: NEVER, until: Instant::now() + NEVER };
    let reports = all(server.address(), patience);
    for (outcome, report) in reports {
        assert_eq!(outcome, Outcome::Passed, "{report}");
    }
}

#[test]
fn a_server_that_says_nothing_ends_every_check_and_passes_none() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let answer = Duration::from_millis(50);
    let began = Instant::now();
    for (outcome, report) in all(address, Patience { answer, until: began + 10 * answer }) {
        assert!(matches!(outcome, Outcome::Failed(_) | Outcome::Unreachable(_)), "{report}");
        assert!(report.contains("  reported ") && report.contains("(RFC 9"), "{report}");
    }
    assert!(began.elapsed() < NEVER / 4);
}

#[test]
fn check_says_by_its_exit_code_how_it_went() {
    let check = |arguments: &[&str]| {
        let output = Command::new(example("check")).args(arguments).output().expect("it runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), text)
    };
    for arguments in [&[][..], &["nowhere"], &["127.0.0.1:1", "S9"], &["127.0.0.1:1", "S"]] {
        let (code, text) = check(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {text}");
        assert!(text.contains("usage: check HOST:PORT"), "{text}");
    }
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let server = run(server, answer);
    let address = server.address().to_string();
    let (good, bad) = (check(&[&address, "s2", "S3"]), check(&[&address, "S4"]));
    assert_eq!(good.0, Some(0), "{}", good.1);
    assert!(good.1.ends_with("2 passed, 0 failed, 0 left out\n"), "{}", good.1);
    // Its limit is higher, so that it takes what is to be refused.
    assert_eq!(bad.0, Some(0), "{}", bad.1);
    assert!(bad.1.contains("S4 left out: ") && bad.1.contains("  needs "), "{}", bad.1);
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let (code, text) = check(&[&closed.expect("a free port").to_string()]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("no connection to "), "{text}");
}
