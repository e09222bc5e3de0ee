//! The example `xray` from outside: what it draws of bytes, what it keeps to itself, how it ends.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "xray/pages.rs"]
mod pages;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use harness::client::Client;
use harness::golden::{self, unescape};
use harness::program::{Folder, Program, command, run};
use longhand::Limits;
use longhand::wire::{Part, Verdict};

/// Runs `[NAME=value] xray ARGUMENTS` with these bytes on standard input: what it says, exit code.
fn explain(bytes: &[u8], words: &[&str]) -> (String, i32) {
    let program = words.iter().position(|word| *word == "xray").expect("a call of xray");
    let settings: Vec<_> = words[..program].iter().map(|w| w.split_once('=').unwrap()).collect();
    let mut command = command("xray", &settings);
    command.args(&words[program + 1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("xray starts");
    child.stdin.take().unwrap().write_all(bytes).expect("it reads all");
    let output = child.wait_with_output().expect("it ends");
    (String::from_utf8(output.stdout).expect("it writes text"), output.status.code().unwrap())
}

/// One session anew: every command of `text` with what comes of it.
fn replayed(text: &str, place: &Path) -> String {
    let mut found = String::new();
    let mut code = None;
    for line in text.lines().filter(|line| line.starts_with("$ ")) {
        found += &format!("{line}\n");
        if line == "$ echo $?" {
            found += &format!("{}\n", code.expect("a command before it"));
            continue;
        }
        let command = line.strip_prefix("$ printf '").and_then(|line| line.split_once("' | "));
        let (bytes, words) = command.unwrap_or_else(|| panic!("{}: {line}", place.display()));
        let bytes = unescape(bytes).unwrap_or_else(|e| panic!("{}: {e}", place.display()));
        let (said, ended) = explain(&bytes, &words.split(' ').collect::<Vec<_>>());
        found += &said;
        code = Some(ended);
    }
    found
}

#[test]
fn bytes_are_drawn_as_the_files_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("xray");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    assert!(files.len() > 11, "{files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let wanted = fs::read_to_string(&file).unwrap();
        let found = replayed(&wanted, &file);
        assert!(found.chars().all(is_inert), "{}: {found:?}", file.display());
        if golden::rewrites() {
            fs::write(&file, found).unwrap();
        } else if let Some((line, (wanted, found))) =
            (1..).zip(wanted.lines().zip(found.lines())).find(|(_, (a, b))| a != b)
        {
            wrong.push(format!("{}:{line}\n  wanted {wanted}\n  found  {found}", file.display()));
        } else if wanted.lines().count() != found.lines().count() {
            wrong.push(format!("{}: another number of lines", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_verdict_is_the_parsers_for_every_golden_case() {
    let limits = Limits::default();
    let mut tried = 0;
    for case in golden::cases().iter().filter(|case| case.settings.limits == limits) {
        let is_response = case.settings.response_to.as_deref();
        if case.bytes.is_empty()
            || !matches!(is_response, None | Some("GET"))
            || is_response.is_some() != case.bytes.starts_with(b"HTTP/")
        {
            continue;
        }
        let mut rest = &case.bytes[..];
        let verdict = loop {
            let explained = case.settings.explain(rest);
            let last = explained.spans.last().cloned();
            match (explained.verdict, last) {
                (Verdict::Accepted, Some((Part::Next, at))) => rest = &rest[at.start..],
                // Nothing but the end of the file is its end.
                (Verdict::Unfinished, Some((Part::Body | Part::EndOfHead, _)))
                    if is_response.is_some() && !rest.contains(&b':') =>
                {
                    break Verdict::Accepted;
                }
                (verdict, _) => break verdict,
            }
        };
        let wanted = match verdict {
            Verdict::Accepted => 0,
            Verdict::Refused(_) => 1,
            Verdict::Unfinished => 2,
        };
        let (said, code) = explain(&case.bytes, &["xray", "--file", "-"]);
        let error = verdict_name(verdict).map(|name| format!("error[{name}]: "));
        assert_eq!(code, wanted, "{}\n{said}", case.place());
        assert_eq!(error.is_some(), said.contains("\nerror["), "{}", case.place());
        assert!(said.contains(&error.unwrap_or_default()), "{}\n{said}", case.place());
        assert!(said.chars().all(is_inert), "{}: {said:?}", case.place());
        tried += 1;
    }
    assert!(tried > 150, "only {tried}");
}

fn verdict_name(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Refused(violation) => Some(violation.name()),
        Verdict::Accepted | Verdict::Unfinished => None,
    }
}

/// No escape, no control but the end of a line, no byte as it came.
fn is_inert(glyph: char) -> bool {
    glyph == '\n' || !glyph.is_control()
}

#[test]
fn a_request_is_drawn_as_it_came_with_its_refusal() {
    let program = Program::start(command("xray", &[("PORT", "0")]));
    let mut client = program.client();
    client.send("GET /\x1b[2J HTTP/1.1\r\nHost: localhost\r\nCookie: geheim\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    client.end();
    let said = program.said("conn 1 closed").join("\n");
    let port = client.stream.local_addr().unwrap().port();
    assert!(said.contains(&format!("conn 1 open from 127.0.0.1:{port}\n")), "{said}");
    assert!(said.contains("1 read, 0.0 s") && said.contains("▏G  E  T  ␠  /"), "{said}");
    assert!(said.contains("error[target-octet]: found byte 1b, expected"), "{said}");
    assert!(said.contains("byte 5 (line 1, column 6), in read 1\n"), "{said}");
    assert!(said.contains("\n   1 | GET /␛[2J HTTP/1.1␍␊\n     |      ^ byte 1b\n"), "{said}");
    assert!(said.contains("= answered 400 Bad Request, then closed\n"), "{said}");
    assert!(said.contains("conn 1, response 1: ") && !said.contains("geheim"), "{said}");
    assert!(!said.contains('\x1b'), "{said}");
}

#[test]
fn what_is_recorded_is_not_for_pages_of_other_names() {
    let status = |settings: &[(&str, &str)], path: &str, host: &str| {
        let program = Program::start(command("xray", settings));
        let mut client = Client::to(program.address());
        client.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        client.answer().status
    };
    let own = [("PORT", "0")];
    assert_eq!(status(&own, "/", "attacker.example"), 421);
    assert_eq!(status(&own, "/live", "127.0.0.1.attacker.example"), 421);
    assert_eq!(status(&own, "/status/204", "attacker.example"), 204);
    for host in ["localhost:8000", "127.0.0.1", "[::1]:8000", "127.1.2.3:80"] {
        assert_eq!(status(&own, "/", host), 200, "{host}");
    }
    let host = |host| [("PORT", "0"), ("HOST", host)];
    assert_eq!(status(&host("127.0.0.1"), "/", "class.example"), 421);
    assert_eq!(status(&host("0.0.0.0"), "/", "class.example"), 200);
}

#[test]
fn the_targets_answer_as_they_say() {
    let program = Program::start(command("xray", &[("PORT", "0")]));
    let mut client = program.client();
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n<script>!");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, "<script>!".into()));
    assert_eq!(answer.field("content-type"), Some("application/octet-stream"));
    let answer = client.get("/redirect").answer();
    assert_eq!((answer.status, answer.field("location")), (303, Some("/")));
    assert_eq!(client.get("/chunked").answer().field("transfer-encoding"), Some("chunked"));
    for (path, status) in
        [("/status/418", 418), ("/status/99", 404), ("/status/x", 404), ("/slow", 200)]
    {
        assert_eq!(client.get(path).answer().status, status, "{path}");
    }
    let form = "word=%3Cb%3E&file=";
    let post = format!(
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    assert!(client.send(post).answer().text().contains("&lt;b&gt;"));
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"<a>.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nfour\r\n--x--\r\n";
    let post = format!(
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let answer = client.send(post).answer();
    assert!(answer.text().contains("&lt;a&gt;.txt&quot;, text/plain, 4 bytes"), "{answer:?}");
    // An upload larger than what is kept does not take the connection out of sight.
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    client.send(vec![b'x'; 100_000]);
    assert_eq!(client.answer().text().len(), 100_000);
    assert_eq!(client.get("/form").answer().status, 200);
    let said = program.said("response 11: ").join("\n");
    assert!(said.contains("request 10: 100056 bytes, ") && said.contains("request 11: "), "{said}");
}

#[test]
fn a_page_that_never_ends_ends_with_the_server() {
    let program = Program::start(command("xray", &[("PORT", "0")]));
    let mut client = program.client();
    client.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.expect_bytes(b"\r\n\r\n");
    #[cfg(unix)]
    {
        program.signal("TERM");
        assert!(client.rest().unwrap().ends_with(b"0\r\n\r\n"));
        let _ = program.said("conn 1 closed");
        assert_eq!(program.said(""), [""], "one more line, and it is empty");
        let (status, errors) = program.end();
        assert!(status.success() && errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn a_refusal_is_explained_by_its_name() {
    let with = |arguments: &[&str]| {
        let mut command = command("xray", &[]);
        command.args(arguments);
        run(command)
    };
    let (code, text, _) = with(&["--explain", "host-missing"]);
    assert!(
        code == 0
            && text.starts_with("host-missing: 400 Bad Request\n")
            && text.contains("RFC 9112"),
        "{text}"
    );
    let (code, _, error) = with(&["--explain", "no-such-name"]);
    assert!(code == 2 && error.contains("expected one of tls-hello, "), "{error}");
    for arguments in [
        &["--file"][..],
        &["--html", "/no/such/folder/x"],
        &["--colour"],
        &["--file", "/no/such/file"],
    ] {
        let (code, text, error) = with(arguments);
        assert!(code == 2 && text.is_empty() && error.contains(": "), "{arguments:?}: {error}");
    }
}

#[test]
fn a_page_is_made_of_a_file_and_is_the_same_each_time() {
    let folder = Folder::new();
    let (request, page) = (folder.file("request"), folder.file("page.html"));
    fs::write(&request, "GET /status/418 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let make = || {
        let mut command = command("xray", &[]);
        command.args(["--file", &request, "--html", &page]);
        assert_eq!(run(command), (0, String::new(), String::new()));
        fs::read_to_string(&page).unwrap()
    };
    let first = make();
    assert!(first.starts_with("<!doctype html>") && first == make());
    for file in [&request, &page] {
        fs::remove_file(file).unwrap();
    }
}
