//! The example `files` from outside: a folder is made, a program serves it, requests are sent.
//!
//! In parts: what a path may say (`paths`), what may stand in a folder (`kinds`), the page that shows
//! it (`listing`), the settings (`settings`), and, here, the answers themselves.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[cfg(unix)]
#[path = "files/kinds.rs"]
mod kinds;
#[path = "files/listing.rs"]
mod listing;
#[path = "files/paths.rs"]
mod paths;
#[path = "files/settings.rs"]
mod settings;

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use harness::answer::{Answer, first};
use harness::program::{Folder, Program, command};

/// A folder with a site in it, and a file beside the site that nobody may get.
struct Site {
    folder: Folder,
    root: PathBuf,
}

const SECRET: &str = "what stands outside";

impl Site {
    fn new() -> Self {
        let folder = Folder::new();
        let root = folder.path().join("site");
        fs::create_dir(&root).unwrap();
        fs::write(folder.path().join("secret.txt"), SECRET).unwrap();
        Self { folder, root }
    }

    /// Makes a file that was last modified an hour ago, and the folders on the way to it.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        self.date(name, SystemTime::now() - Duration::from_secs(3_600));
        self
    }

    fn date(&self, name: &str, date: SystemTime) {
        let file = File::options().append(true).open(self.root.join(name)).unwrap();
        file.set_modified(date).unwrap();
    }

    fn serve(&self, settings: &[(&str, &str)]) -> Program {
        let settings: Vec<_> =
            [("PORT", "0")].into_iter().chain(settings.iter().copied()).collect();
        let mut command = command("files", &settings);
        command.arg(&self.root);
        Program::start(command)
    }
}

/// The answer to one request, on a connection of its own. `fields` are whole lines.
fn ask(program: &Program, method: &str, target: &str, fields: &str) -> Answer {
    let mut client = program.client();
    client.send(format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n"
    ));
    let bytes = client.rest().unwrap();
    let (answer, length) = first(&bytes, method);
    assert_eq!(length, bytes.len(), "{method} {target}: more came than was announced");
    answer
}

fn get(program: &Program, target: &str) -> Answer {
    ask(program, "GET", target, "")
}

const DIGITS: &str = "0123456789";

fn digits() -> (Site, Program) {
    let site = Site::new();
    site.write("digits.txt", DIGITS).write("empty", "");
    let program = site.serve(&[]);
    (site, program)
}

#[test]
fn a_client_that_has_the_version_is_not_sent_it_again() {
    let (site, program) = digits();
    let whole = get(&program, "/digits.txt");
    let (tag, date) = (whole.field("etag").unwrap(), whole.field("last-modified").unwrap());
    assert!(tag.starts_with('"'), "strong: {tag}");
    for (fields, status) in [
        (format!("If-None-Match: {tag}\r\n"), 304),
        (format!("If-None-Match: W/{tag}, \"x\"\r\n"), 304),
        ("If-None-Match: \"x\"\r\n".to_owned(), 200),
        ("If-None-Match: *\r\n".to_owned(), 304),
        (format!("If-Modified-Since: {date}\r\n"), 304),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(), 200),
        (format!("If-Match: {tag}\r\n"), 200),
        ("If-Match: \"x\"\r\n".to_owned(), 412),
        ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(), 412),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&program, method, "/digits.txt", &fields);
            assert_eq!(answer.status, status, "{method} {fields}");
            let shown = method == "GET" && status == 200;
            assert_eq!(answer.text() == DIGITS, shown, "{method} {fields}");
        }
    }
    // The same length, another time: another version.
    site.write("digits.txt", "9876543210");
    let changed = ask(&program, "GET", "/digits.txt", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((changed.status, changed.text().as_str()), (200, "9876543210"));
}

#[test]
fn a_file_that_may_still_change_within_its_date_has_no_version() {
    let (site, program) = digits();
    site.date("digits.txt", SystemTime::now());
    let answer = get(&program, "/digits.txt");
    assert_eq!((answer.status, answer.text().as_str()), (200, DIGITS));
    assert_eq!((answer.field("etag"), answer.field("last-modified")), (None, None));
}

#[test]
fn ranges_are_parts_of_the_file() {
    let (_site, program) = digits();
    let tag = get(&program, "/digits.txt").field("etag").unwrap().to_owned();
    for (fields, status, range, body) in [
        ("Range: bytes=0-0\r\n".to_owned(), 206, Some("bytes 0-0/10"), "0"),
        ("Range: bytes=3-5\r\n".to_owned(), 206, Some("bytes 3-5/10"), "345"),
        ("Range: bytes=7-\r\n".to_owned(), 206, Some("bytes 7-9/10"), "789"),
        ("Range: bytes=-2\r\n".to_owned(), 206, Some("bytes 8-9/10"), "89"),
        ("Range: bytes=8-99\r\n".to_owned(), 206, Some("bytes 8-9/10"), "89"),
        ("Range: bytes=x\r\n".to_owned(), 200, None, DIGITS),
        (format!("Range: bytes=0-0\r\nIf-Range: {tag}\r\n"), 206, Some("bytes 0-0/10"), "0"),
        ("Range: bytes=0-0\r\nIf-Range: \"x\"\r\n".to_owned(), 200, None, DIGITS),
        // Overlapping, and more than eight.
        ("Range: bytes=0-5,3-8\r\n".to_owned(), 200, None, DIGITS),
        ("Range: bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8\r\n".to_owned(), 200, None, DIGITS),
    ] {
        let answer = ask(&program, "GET", "/digits.txt", &fields);
        assert_eq!(answer.status, status, "{fields}");
        assert_eq!(answer.field("content-range"), range, "{fields}");
        assert_eq!(answer.text(), body, "{fields}");
    }
    let beyond = ask(&program, "GET", "/digits.txt", "Range: bytes=10-\r\n");
    assert_eq!((beyond.status, beyond.field("content-range")), (416, Some("bytes */10")));
    assert_eq!(ask(&program, "GET", "/empty", "Range: bytes=0-\r\n").status, 200);
    let several = ask(&program, "GET", "/digits.txt", "Range: bytes=0-1,5-6\r\n");
    assert_eq!(several.status, 206);
    assert!(several.field("content-type").unwrap().starts_with("multipart/byteranges; boundary="));
    let text = several.text();
    for part in ["bytes 0-1/10\r\n\r\n01\r\n--", "bytes 5-6/10\r\n\r\n56\r\n--"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn head_is_told_what_get_is_and_no_range_counts() {
    let (_site, program) = digits();
    let lines = |answer: &Answer| -> Vec<_> {
        answer.fields.iter().filter(|line| line.0 != "date").cloned().collect()
    };
    for target in ["/digits.txt", "/empty", "/none", "/%2f"] {
        let (whole, head) = (get(&program, target), ask(&program, "HEAD", target, ""));
        assert_eq!(whole.status, head.status, "{target}");
        assert_eq!(lines(&whole), lines(&head), "{target}");
        assert_eq!(head.body, b"", "{target}");
    }
    let head = ask(&program, "HEAD", "/digits.txt", "Range: bytes=0-0\r\n");
    assert_eq!((head.status, head.field("content-length")), (200, Some("10")));
}

#[test]
fn other_methods_change_nothing_and_are_told_which_there_are() {
    let (site, program) = digits();
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"] {
        let answer = ask(&program, method, "/digits.txt", "Content-Length: 0\r\n");
        assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, OPTIONS")));
    }
    for target in ["/digits.txt", "/none", "*"] {
        let answer = ask(&program, "OPTIONS", target, "");
        assert_eq!((answer.status, answer.field("allow")), (204, Some("GET, HEAD, OPTIONS")));
    }
    assert_eq!(fs::read_to_string(site.root.join("digits.txt")).unwrap(), DIGITS);
}

#[test]
fn siblings_are_sent_where_they_are_asked_for() {
    let site = Site::new();
    site.write("a.css", "plain").write("a.css.br", "as br").write("a.css.gz", "as gzip");
    let (with, without) = (site.serve(&[("PRECOMPRESSED", "1")]), site.serve(&[]));
    for (accepted, coding, body) in [
        ("gzip, deflate, br", Some("br"), "as br"),
        ("gzip;q=1, br;q=0.9", Some("gzip"), "as gzip"),
        ("br;q=0, *", Some("gzip"), "as gzip"),
        ("*;q=0", None, "plain"),
    ] {
        let fields = format!("Accept-Encoding: {accepted}\r\n");
        let answer = ask(&with, "GET", "/a.css", &fields);
        assert_eq!(answer.field("content-encoding"), coding, "{accepted}");
        assert_eq!(answer.text(), body, "{accepted}");
        assert_eq!(answer.field("content-type"), Some("text/css; charset=utf-8"));
        assert_eq!(answer.field("vary"), Some("Accept-Encoding"), "{accepted}");
        let plain = ask(&without, "GET", "/a.css", &fields);
        assert_eq!((plain.text().as_str(), plain.field("vary")), ("plain", None));
    }
    let fields = "Accept-Encoding: br\r\nRange: bytes=-2\r\n";
    let part = ask(&with, "GET", "/a.css", fields);
    assert_eq!((part.status, part.text().as_str()), (206, "br"));
    // What was changed and not compressed again is sent as it is.
    site.write("a.css", "changed");
    site.date("a.css", SystemTime::now() - Duration::from_secs(1_800));
    assert_eq!(ask(&with, "GET", "/a.css", "Accept-Encoding: br\r\n").text(), "changed");
}
