//! Files in and out: what comes of each, while it goes on and when it ends early.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Instant;

use harness::client::{Client, NEVER};
use harness::program::Program;
use harness::running::run;
use longhand::{Request, Response, Server, Status};

use crate::{Answer, OPEN, get, save, send, site, start};

/// The lines of a file, for names from `from` on that lead to one site.
fn lines(from: usize, to: usize, uri: &str) -> String {
    (from..to).map(|n| format!("{{\"name\":\"{n}\",\"uri\":\"{uri}\"}}\n")).collect()
}

/// Sends a file as the body itself.
fn import(server: &Program, query: &str, media_type: &str, file: &[u8]) -> Answer {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(format!("{}/.import{query}", server.url));
    let request = request.header("Content-Type", media_type).header("Accept", "application/json");
    let mut answer = request.send(file).unwrap();
    let status = answer.status().as_u16();
    let body = answer.body_mut().read_to_string().unwrap();
    Answer { status, fields: Vec::new(), body }
}

/// A form as a browser sends one with a file, as a request by hand.
fn upload(file: &str, more: &str, fields: &str) -> String {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.jsonl\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{file}\r\n{more}--x--\r\n"
    );
    format!(
        "POST /.import HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n{fields}\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const CHECKED: &str = "--x\r\nContent-Disposition: form-data; name=\"check\"\r\n\r\n1\r\n";

#[test]
fn what_is_exported_wiped_and_imported_is_exported_the_same() {
    let site = site();
    for (format, media_type) in [("jsonl", "application/jsonl"), ("html", "text/html")] {
        let (first, second) = (start(&OPEN), start(&OPEN));
        for name in ["a", "b%20%3C", "docs/"] {
            assert_eq!(save(&first, name, &format!("http://{}/", site.address())).status, 303);
        }
        let export = |url: &str| get(&format!("{url}/.export?format={format}")).body;
        let file = export(&first.url);
        let fields = [("Content-Type", media_type), ("Accept", "application/json")];
        let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
        let mut request = agent.post(format!("{}/.import?check=0", second.url));
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let report = request.send(&file).unwrap().body_mut().read_to_string().unwrap();
        assert!(report.trim_start().starts_with("{\"saved\":3,\"skipped\":0,"), "{report}");
        assert_eq!(export(&second.url), file);
    }
}

#[test]
fn a_file_is_uploaded_by_a_form_and_reported_on_a_page() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("http://{}{path}", site.address());
    let file = format!(
        "{{\"name\":\"good\",\"uri\":\"{}\"}}\n{{\"name\":\"<dead>\",\"uri\":\"{}\"}}\nnot JSON\n",
        at("/"),
        at("/404")
    );
    let mut client = server.client();
    let answer = client.send(upload(&file, CHECKED, "")).answer();
    assert_eq!(answer.status, 200);
    let page = answer.text();
    for wanted in ["1 saved, 2 skipped.", "Line 2, <bdi>&lt;dead&gt;</bdi>", "status 404", "Line 3"]
    {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert_eq!(get(&format!("{}/good", server.url)).field("location"), Some(&*at("/")));
    // Unchecked, as the box in the form says.
    let answer = client.send(upload(&file, "", "")).answer();
    assert!(answer.text().contains("1 saved, 2 skipped."), "{}", answer.text());
    assert_eq!(get(&format!("{}/%3Cdead%3E", server.url)).status, 303);
}

#[test]
fn what_is_no_file_of_bookmarks_is_refused_and_says_why() {
    let server = start(&OPEN);
    for (file, status, named) in [
        (&b""[..], 400, "empty"),
        (b"\xff\xd8\xff\xe0", 400, "wanted bookmarks as HTML or as lines of JSON"),
        (&vec![b' '; (16 << 20) + 1], 413, "16777216"),
    ] {
        let answer = import(&server, "", "application/octet-stream", file);
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(named), "{named}: {}", answer.body);
    }
    let mut client = server.client();
    let foreign = "Sec-Fetch-Site: cross-site\r\nOrigin: http://other.example\r\n";
    let file = lines(0, 3, &server.url);
    assert_eq!(client.send(upload(&file, "", foreign)).answer().status, 403);
    assert!(get(&server.url).body.contains("None yet."));
}

/// Reads on until `wanted` has come.
fn read_until(client: &mut Client, read: &mut String, wanted: &str) {
    let mut some = [0; 4_096];
    while !read.contains(wanted) {
        let count = std::io::Read::read(&mut client.stream, &mut some).unwrap();
        assert!(count > 0, "{wanted:?} did not come: {read}");
        read.push_str(&String::from_utf8_lossy(&some[..count]));
    }
}

/// A server, and a site whose pages wait to be let go, each once: enough for every check.
fn slow() -> (Program, harness::running::Running, std::sync::mpsc::Sender<()>) {
    let (let_go, go) = channel::<()>();
    let go = Mutex::new(go);
    let site = run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        let gone = go.lock().unwrap().recv().is_err();
        Response::new(if gone { Status::NOT_FOUND } else { Status::OK })
    });
    (start(&OPEN), site, let_go)
}

#[test]
fn the_page_of_an_import_says_how_far_it_is_while_it_goes_on() {
    let (server, site, let_go) = slow();
    let file = lines(0, 20, &format!("http://{}/", site.address()));
    let mut client = server.client();
    client.send(upload(&file, CHECKED, ""));
    let mut page = String::new();
    read_until(&mut client, &mut page, "0 of 20 …");
    // Others save meanwhile.
    assert_eq!(save(&server, "other", &server.url).status, 303);
    for _ in 0..20 {
        let_go.send(()).unwrap();
    }
    read_until(&mut client, &mut page, "20 saved, 0 skipped.");
    assert!(!page.contains("<script"), "{page}");
}

/// Each was judged before the other was saved.
#[test]
fn two_lines_that_lead_to_each_other_are_not_both_saved() {
    let server = start(&OPEN);
    let line =
        |name: &str, to: &str| format!("{{\"name\":\"{name}\",\"uri\":\"{}/{to}\"}}\n", server.url);
    let file = [line("a", "b"), line("b", "c"), line("c", "a"), line("d", "a")].concat();
    let answer = import(&server, "?check=0", "application/jsonl", file.as_bytes());
    assert!(answer.body.contains("\"saved\":3,\"skipped\":1"), "{}", answer.body);
    assert!(answer.body.contains("would lead back to itself"), "{}", answer.body);
    let mut at = "/d".to_owned();
    for _ in 0..5 {
        match get(&format!("{}{at}", server.url)).field("location") {
            Some(next) => at = next.strip_prefix(&server.url).unwrap().to_owned(),
            None => return,
        }
    }
    panic!("it goes round and round");
}

/// A long way that ends is none; of two that lead to each other one goes, and who leads there stays.
#[test]
fn of_a_file_only_what_leads_back_to_itself_is_left_out() {
    let server = start(&OPEN);
    let line =
        |name: &str, to: &str| format!("{{\"name\":\"{name}\",\"uri\":\"{}/{to}\"}}\n", server.url);
    let chain: String = (10..40).map(|n| line(&n.to_string(), &(n + 1).to_string())).collect();
    let answer = import(&server, "?check=0", "application/jsonl", chain.as_bytes());
    assert!(answer.body.contains("\"saved\":30,\"skipped\":0"), "{}", answer.body);
    let file = [line("a", "b"), line("b", "c"), line("c", "b")].concat();
    let answer = import(&server, "?check=0", "application/jsonl", file.as_bytes());
    assert!(answer.body.contains("\"saved\":2,\"skipped\":1"), "{}", answer.body);
    let status = |name| get(&format!("{}/{name}", server.url)).status;
    assert_eq!(status("a"), 303);
    // Which of the two depends on how many were judged before the first was saved.
    assert_eq!(status("b") + status("c"), 303 + 404);
}

#[test]
fn what_would_be_guessed_at_or_is_too_much_is_refused() {
    let server = start(&OPEN);
    let refused = |query: &str, file: &[u8]| {
        let answer = import(&server, query, "application/jsonl", file);
        assert_eq!(answer.status, 400);
        answer.body
    };
    let told =
        refused("?check=0", b"{\"name\":\"a\",\"uri\":\"http://a/\"}\n{\"name\":\"n\xff\"}\n");
    assert!(told.contains("lines of JSON in UTF-8, found the byte 0xFF on line 2"), "{told}");
    let told = refused("?check=0", &b"{\n".repeat(200_001));
    assert!(told.contains("wanted at most 200000 bookmarks, found more"), "{told}");
    assert!(refused("?check=maybe", b"{}").contains("wanted 0 or 1"));
    assert!(refused("?check=%ff", b"{}").contains("The query: "));
    let many: String = (0..101).map(|n| format!("\"{n}\":0,")).collect();
    let many = format!("{{{many}\"name\":\"a\"}}\n");
    let answer = import(&server, "?check=0", "application/jsonl", many.as_bytes());
    assert!(answer.body.contains("at most 100 names"), "{}", answer.body);
    let deep = format!("{{\"a\":[{}0]}}", "[[[0]]],".repeat(10_000));
    let answer = import(&server, "?check=0", "application/jsonl", deep.as_bytes());
    assert!(answer.body.contains("wanted at most 65536 bytes, found 80009"), "{}", answer.body);
}

#[test]
fn who_goes_away_during_an_import_ends_it() {
    goes_away("text/html", "0 of 1000 …");
    goes_away("application/json", "\r\n\r\n");
}

fn goes_away(accept: &str, begun: &str) {
    let (server, site, let_go) = slow();
    let file = lines(0, 1_000, &format!("http://{}/", site.address()));
    let mut client = server.client();
    client.send(upload(&file, CHECKED, "").replace("text/html", accept));
    read_until(&mut client, &mut String::new(), begun);
    drop(client);
    // The checks go on until the server finds that nobody reads: then this is its only connection.
    let end = Instant::now() + NEVER;
    while !get(&format!("{}/.metrics", server.url)).body.contains("\nlonghand_connections 1\n") {
        let_go.send(()).unwrap();
        assert!(Instant::now() < end, "it goes on");
    }
    let count = send("GET", &server.url, &[("Accept", "application/json")], None).body;
    assert!(!count.contains("\"total\":1000"), "{count}");
}

#[cfg(unix)]
#[test]
fn an_import_in_the_way_of_a_drain_says_what_is_left() {
    let (server, site, let_go) = slow();
    let file = lines(0, 1_000, &format!("http://{}/", site.address()));
    let mut client = server.client();
    client.send(upload(&file, CHECKED, ""));
    let mut page = String::new();
    read_until(&mut client, &mut page, "0 of 1000 …");
    let mut resting = server.client();
    assert_eq!(resting.get("/.healthz").answer().status, 200);
    server.signal("TERM");
    resting.expect_end();
    for _ in 0..1_000 {
        let _ = let_go.send(());
    }
    read_until(&mut client, &mut page, "</html>");
    assert!(page.contains(" saved, 0 skipped. It stopped with "), "{page}");
    drop(client);
    drop(let_go);
    assert!(server.end().0.success());
}

#[test]
fn an_export_is_a_file_with_everything() {
    let server = start(&OPEN);
    assert!(
        import(&server, "?check=0", "application/jsonl", lines(0, 1_234, &server.url).as_bytes())
            .body
            .trim_start()
            .starts_with("{\"saved\":1234,")
    );
    for (format, media_type, name) in [
        ("jsonl", "application/jsonl; charset=utf-8", "bookmarks.jsonl"),
        ("html", "text/html; charset=utf-8", "bookmarks.html"),
    ] {
        let file = get(&format!("{}/.export?format={format}", server.url));
        assert_eq!(file.field("content-type"), Some(media_type));
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(file.field("content-disposition"), Some(&*disposition));
        assert_eq!(file.body.matches(&server.url).count(), 1_234);
    }
    let wrong = get(&format!("{}/.export?format=xml", server.url));
    assert_eq!((wrong.status, wrong.body.contains("jsonl or html")), (400, true));
}
