//! Who may save: forms of this site, programs that are no browsers, and nobody else's pages.

use crate::{PLAIN, Program, form, get, send, start};

fn status(server: &Program, method: &str, fields: &[(&str, &str)]) -> u16 {
    let form = form("a", &server.url);
    let body = (method == "POST").then_some(form.as_bytes());
    send(method, &server.url, fields, body).status
}

#[test]
fn requests_from_elsewhere_change_nothing() {
    let server = start(&PLAIN);
    let own = server.url.as_str();
    for (fields, wanted) in [
        (&[][..], 303),
        (&[("Sec-Fetch-Site", "same-origin")], 303),
        (&[("Sec-Fetch-Site", "none")], 303),
        (&[("Sec-Fetch-Site", "same-origin"), ("Origin", "http://other.example")], 303),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (&[("Sec-Fetch-Site", "anything")], 403),
        (&[("Sec-Fetch-Site", "cross-site"), ("Origin", own)], 403),
        (&[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")], 403),
        (&[("Origin", own)], 303),
        (&[("Origin", "http://other.example")], 403),
        (&[("Origin", "http://127.0.0.1")], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", "")], 403),
        (&[("Origin", own), ("Origin", own)], 403),
    ] {
        assert_eq!(status(&server, "POST", fields), wanted, "{fields:?}");
    }
    let foreign = &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://other.example")];
    for (method, wanted) in
        [("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("PUT", 403), ("DELETE", 403)]
    {
        assert_eq!(status(&server, method, foreign), wanted, "{method}");
    }
}

#[test]
fn a_refusal_is_a_403_that_says_why_and_saves_nothing() {
    let server = start(&PLAIN);
    let form = form("a", &server.url);
    let fields = [("Origin", "http://other.example")];
    let answer = send("POST", &server.url, &fields, Some(form.as_bytes()));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    assert!(answer.body.contains("Origin names another host"), "{}", answer.body);
    assert_eq!(get(&format!("{}/a", server.url)).status, 404);
}

#[test]
fn the_host_that_counts_is_the_one_the_request_is_for() {
    let server = start(&PLAIN);
    let form = form("a", &server.url);
    let mut client = server.client();
    for (target, host, origin, wanted) in [
        ("/", "go.example", "http://go.example", 303),
        ("/", "go.example:80", "http://GO.example", 303),
        ("/", "go.example", "https://go.example", 303),
        ("/", "go.example", "http://go.example:8000", 403),
        ("http://go.example/", "other.example", "http://go.example", 303),
        ("http://go.example/", "other.example", "http://other.example", 403),
    ] {
        let length = form.len();
        client.send(format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ));
        assert_eq!(client.answer().status, wanted, "{target} {host} {origin}");
    }
}
