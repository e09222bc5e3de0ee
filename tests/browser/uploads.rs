//! Uploads as a real browser sends them, read by the kit.

use std::fs;
use std::io::Read;

use harness::browser::{Browser, Script};
use harness::program::Folder;
use harness::running::{Running, run};
use longhand::{Request, Response, Server};
use longhand_kit::html::Html;
use longhand_kit::multipart::{Multipart, PartLimits};

use crate::at;

const FORM: &str = "<title>Upload</title><form method=POST enctype=multipart/form-data>\
    <input name=title><textarea name='a \"b\" é'></textarea>\
    <input type=file name=file multiple><button>Send</button></form>";

/// A site whose form tells what it was sent: name, file name, media type, and what was in it.
fn receiver() -> Running {
    run(Server::bind("127.0.0.1:0").unwrap(), |request: &mut Request<'_>| {
        if request.method() == "GET" {
            return Ok(Response::html(FORM));
        }
        let mut page = Html::new();
        page.raw("<title>Sent</title><pre>");
        let mut parts = Multipart::of(request, &PartLimits::default())?;
        while let Some(mut part) = parts.next()? {
            page.text(format!("{:?} {:?} {}", part.name(), part.file_name(), part.media_type()));
            let mut content = Vec::new();
            part.read_to_end(&mut content)?;
            page.text(format!(" {}\n", content.escape_ascii()));
        }
        page.raw("</pre>");
        Ok::<_, Response>(Response::html(page))
    })
}

#[test]
fn files_and_fields_arrive_as_they_were_chosen() {
    let receiver = receiver();
    let folder = Folder::new();
    let every: Vec<u8> = (0..=255).collect();
    let text = b"--\r\n------WebKitFormBoundary\r\n--";
    let files = [("all bytes.bin", &every[..]), ("a \"é\" %41;.txt", text), ("none.gif", b"")];
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    for script in [Script::Runs, Script::Off] {
        let browser = Browser::start(script);
        browser.open(&at("localhost", receiver.address()));
        browser.type_into("[name=title]", "Zoë");
        browser.type_into("textarea", "1\n2");
        // Paths of several files are parted by line ends.
        browser.type_into("[type=file]", &files.map(|(name, _)| folder.file(name)).join("\n"));
        browser.follow("button");
        assert_eq!(browser.title(), "Sent", "{}", browser.source());
        let every = every.escape_ascii();
        let wanted = format!(
            "\"title\" None text/plain Zo\\xc3\\xab\n\
             \"a \\\"b\\\" é\" None text/plain 1\\r\\n2\n\
             \"file\" Some(\"all bytes.bin\") application/octet-stream {every}\n\
             \"file\" Some(\"a \\\"é\\\" %41;.txt\") text/plain {}\n\
             \"file\" Some(\"none.gif\") image/gif ",
            text.escape_ascii()
        );
        assert_eq!(browser.text("pre").trim_end(), wanted.trim_end());
    }
}

#[test]
fn a_form_without_a_file_says_so_by_an_empty_name() {
    let receiver = receiver();
    let browser = Browser::start(Script::Runs);
    browser.open(&at("localhost", receiver.address()));
    browser.follow("button");
    let text = browser.text("pre");
    assert!(text.contains("\n\"file\" Some(\"\") application/octet-stream"), "{text}");
}
