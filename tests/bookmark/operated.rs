//! What whoever runs it sees: a line for each response, and counters.

use harness::program::{Program, command};

use crate::{OPEN, get, save, send, site, start, unused_address};

#[test]
fn each_response_is_a_line_on_standard_output_without_what_was_searched() {
    for (format, wanted) in
        [("combined", "\"GET /nobody HTTP/1.1\" 404 "), ("json", "\"target\":\"/nobody\"")]
    {
        let settings = [&OPEN[..], &[("ACCESS_LOG", format)]].concat();
        let server = Program::start(command("bookmark", &settings));
        for path in ["/?q=secret", "/nobody"] {
            get(&format!("{}{path}", server.url));
        }
        let lines = server.said("nobody");
        assert!(lines.iter().any(|line| line.contains(wanted)), "{lines:?}");
        assert!(lines.len() == 2 && !lines.concat().contains("secret"), "{lines:?}");
    }
}

#[test]
fn it_counts_what_it_did() {
    let (server, site) = (start(&OPEN), site());
    assert_eq!(save(&server, "a", &format!("http://{}/", site.address())).status, 303);
    assert_eq!(save(&server, "b", &format!("http://{}/", unused_address())).status, 404);
    for _ in 0..3 {
        assert_eq!(get(&format!("{}/a", server.url)).status, 303);
    }
    let lines = "{\"name\":\"x\",\"uri\":\"http://a/\"}\n{\"name\":\"y\",\"uri\":\"http://a/\"}\n";
    let import = format!("{}/.import?check=0", server.url);
    assert_eq!(send("POST", &import, &[], Some(lines.as_bytes())).status, 200);
    let page = get(&format!("{}/.metrics", server.url));
    assert_eq!(page.field("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "# TYPE bookmark_redirects_total counter",
        "bookmark_redirects_total 3",
        "bookmark_saves_total 3",
        "bookmark_checks_total{outcome=\"answered\"} 1",
        "bookmark_checks_total{outcome=\"failed\"} 1",
    ] {
        assert!(page.body.lines().any(|other| other == line), "{line}: {}", page.body);
    }
    assert_eq!(send("HEAD", &format!("{}/.metrics", server.url), &[], None).body, "");
}
