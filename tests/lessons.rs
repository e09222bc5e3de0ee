//! The tools of those who learn by hand. The checks of `harness::lessons`, on a server that keeps every
//! rule and on one that never says a word; and the programs `check` and `wire`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use harness::client::NEVER;
use harness::lessons::{CHECKS, Outcome, Patience};
use harness::program::example;
use harness::running::run;
use longhand::{IntoResponse, Limits, Request, Response, Server, Status};

/// Nobody listens here. A port that was free a moment ago may be another test's by now.
const NOBODY: &str = "127.0.0.1:1";

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
    let (code, text) = check(&[NOBODY]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("no connection to "), "{text}");
}

/// Runs `wire` with this input; gives what it was found to send, and how it ended.
fn wire(flags: &[&str], input: &[u8], answer: &[u8]) -> (Vec<u8>, Output) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address").to_string();
    let wire = typed(Command::new(example("wire")).args(flags).arg(address), input);
    let (mut stream, _) = listener.accept().expect("it connects");
    stream.set_read_timeout(Some(NEVER)).expect("a timeout can be set");
    let mut sent = Vec::new();
    stream.read_to_end(&mut sent).expect("its side ends with its input");
    stream.write_all(answer).expect("it still reads");
    drop(stream);
    (sent, wire.wait_with_output().expect("it ends"))
}

fn typed(command: &mut Command, input: &[u8]) -> Child {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads its input");
    child
}

#[test]
fn wire_sends_what_it_says_and_shows_what_comes() {
    for (flags, input, expected) in [
        (&[][..], "GET / HTTP/1.1\nHost: x\r\n\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (&[], "a\nno end", "a\r\nno end"),
        (&["--lf"], "GET /\n", "GET /\n"),
        (&["--raw"], "a\\r\\n\\t\\x00\\x7Fz\nb\n", "a\r\n\t\0\x7fzb"),
        (&["--split", "1"], "ab\n", "ab\r\n"),
    ] {
        let (sent, output) = wire(flags, input.as_bytes(), b"");
        assert_eq!(sent.escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string());
        assert_eq!(output.status.code(), Some(0), "{flags:?}: {output:?}");
    }
    for (flags, input, bytes) in
        [(&[][..], &b"caf\xe9\n"[..], &b"caf\xe9\r\n"[..]), (&["--raw"], br"\\x\x41\\", br"\xA\")]
    {
        let (sent, output) = wire(flags, input, b"");
        assert_eq!(sent, bytes, "{}", input.escape_ascii());
        assert!(output.status.success());
    }
    let (_, output) = wire(&[], b"", b"a\r\nb\x1b[2J\0\x7f\xff\t");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a␍␊\nb␛[2J␀␡\\xff␉");
    assert!(String::from_utf8_lossy(&output.stderr).contains("the peer has ended its side"));
}

#[test]
fn wire_is_a_server_that_answers_a_client_that_has_ended_its_side() {
    let mut wire = typed(
        Command::new(example("wire")).args(["--listen", "127.0.0.1:0"]),
        b"HTTP/1.1 200 OK\n\n",
    );
    let mut line = String::new();
    let stdout = wire.stdout.as_mut().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let address = line.trim_end().strip_prefix("listening on http://").expect("its address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(NEVER)).expect("a timeout can be set");
    stream.shutdown(Shutdown::Write).expect("it is connected");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\n\r\n");
    assert!(wire.wait().expect("it ends").success());
}

#[test]
fn wire_tells_bad_arguments_from_no_connection() {
    let code = |arguments: &[&str], input: &[u8]| {
        let output = typed(Command::new(example("wire")).args(arguments), input).wait_with_output();
        output.expect("it ends").status.code()
    };
    for arguments in [&[][..], &["nowhere"], &["--split", "x", "a:1"], &["a:1", "b:2"], &["--no"]] {
        assert_eq!(code(arguments, b""), Some(2), "{arguments:?}");
    }
    assert_eq!(code(&[NOBODY], b""), Some(1));
}
