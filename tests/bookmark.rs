//! The example `bookmark` from outside: a program is started, requests are sent, answers are read.
//!
//! What it promises, in parts: what the course's exercise asks for and what this server adds (here),
//! which bookmark a path means (`paths`), edits and deletions (`changes`), files in and out
//! (`transfer`), who may change what (`guard`, `people`), the settings (`settings`), what whoever runs
//! it sees (`operated`) and holds for it (`service`), and what outlives whom (`durable`, `ending`). Nothing waits a while: each test
//! reads until what it waits for has come.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "bookmark/asked.rs"]
mod asked;
#[path = "bookmark/changes.rs"]
mod changes;
#[path = "bookmark/durable.rs"]
mod durable;
#[cfg(unix)]
#[path = "bookmark/ending.rs"]
mod ending;
#[path = "bookmark/guard.rs"]
mod guard;
#[path = "bookmark/operated.rs"]
mod operated;
#[path = "bookmark/paths.rs"]
mod paths;
#[path = "bookmark/people.rs"]
mod people;
#[cfg(unix)]
#[path = "bookmark/service.rs"]
mod service;
#[path = "bookmark/settings.rs"]
mod settings;
#[path = "bookmark/transfer.rs"]
mod transfer;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use harness::program::Program;

use asked::{Answer, FORM_HEAD, form, get, post, save, send, site, start};

/// Keeps nothing, listens on loopback, checks everything that is asked for.
const OPEN: [(&str, &str); 4] =
    [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", "memory"), ("CHECK_PRIVATE", "allow")];

/// The same, and checks itself and the public internet only.
const PLAIN: [(&str, &str); 3] = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", "memory")];

#[test]
fn the_steps_of_the_courses_own_test() {
    let (server, site) = (start(&OPEN), site());
    let answer = get(&server.url);
    assert_eq!(answer.status, 200);
    assert!(answer.field("content-type").unwrap().starts_with("text/html"));
    assert!(answer.body.contains("<title>Bookmark Server</title>"));
    assert_eq!(post(&server.url, "").status, 400);
    assert_eq!(post(&server.url, "shortname=bad&longuri=this+is+fake").status, 404);
    let uri = format!("http://{}/", site.address());
    let saved = save(&server, "google", &uri);
    assert_eq!((saved.status, saved.field("location")), (303, Some("/")));
    let found = get(&format!("{}/google", server.url));
    assert_eq!((found.status, found.field("location")), (303, Some(uri.as_str())));
}

#[test]
fn the_page_has_a_form_and_every_bookmark_in_order() {
    let server = start(&PLAIN);
    for path in ["", "/", "/?", "/?q=1", "/?longuri=x"] {
        let page = get(&format!("{}{path}", server.url));
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
        for wanted in ["<form method=\"POST\"", "name=\"longuri\"", "name=\"shortname\""] {
            assert!(page.body.contains(wanted), "{wanted}");
        }
    }
    // Itself is what it can always check.
    let uri = format!("{}/?a=1", server.url);
    for name in ["b", "a%2Fb", "%3Cb%3Ex", "B"] {
        assert_eq!(save(&server, name, &uri.replace('&', "%26")).status, 303);
    }
    let page = get(&server.url).body;
    let list: Vec<&str> = page.split("<bdi>").skip(1).collect();
    let names: Vec<&str> = list.iter().map(|item| item.split("</bdi>").next().unwrap()).collect();
    assert_eq!(names, ["&lt;b&gt;x", "B", "a/b", "b"]);
    assert!(
        list.iter()
            .all(|item| item.contains(&format!("</a> : <span class=\"uri\">{uri}</span></p>"))),
        "{page}"
    );
}

#[test]
fn a_name_leads_to_its_uri_byte_for_byte() {
    let (server, site) = (start(&OPEN), site());
    let uri = |path: &str| format!("http://{}{path}", site.address());
    // Of each: the name and the URI as a form encodes them, where it is found, where it leads.
    for (name, encoded, path, location) in [
        ("a", uri("/"), "/a", uri("/")),
        ("a", uri("/200"), "/a", uri("/200")),
        ("a%2Fb+c", uri("/"), "/a/b%20c", uri("/")),
        ("a%2Fb+c", uri("/"), "/a%2Fb%20c", uri("/")),
        ("k%C3%A4se", uri("/?%C3%B6"), "/k%C3%A4se", uri("/?%C3%B6")),
        ("query", uri("/?a%3D1%26b%3D%5B2%5D%7C%27%23c"), "/query?x=1", uri("/?a=1&b=[2]|'#c")),
        ("q%3Fx", uri("/"), "/q%3Fx", uri("/")),
        ("*", uri("/"), "/*", uri("/")),
        ("%2F", uri("/"), "//", uri("/")),
        ("redirected", uri("/redirect"), "/redirected", uri("/redirect")),
        ("+blanks%09", format!("%0D%0A+{}+", uri("/")), "/blanks", uri("/")),
        ("+blanks%09", uri("/"), "/%20blanks%09", uri("/")),
    ] {
        let saved = save(&server, name, &encoded);
        assert_eq!((saved.status, saved.field("location")), (303, Some("/")), "{name}: {saved:?}");
        let found = get(&format!("{}{path}", server.url));
        assert_eq!((found.status, found.field("location")), (303, Some(&*location)), "{path}");
        assert_eq!(found.field("cache-control"), Some("no-store"));
        assert_eq!(found.body, "");
    }
}

#[test]
fn unknown_names_are_named() {
    let server = start(&PLAIN);
    assert_eq!(save(&server, "known", &server.url).status, 303);
    for (path, named) in [
        ("/nobody", "\"nobody\""),
        ("/Known", "\"Known\""),
        ("/known/", "\"known/\""),
        ("/k%C3%A4se/1%202", "\"käse/1 2\""),
        ("/%FF", "\"\u{fffd}\""),
        ("/.all", "\".all\""),
        ("/%1B%5B31m", "\"\u{fffd}[31m\""),
    ] {
        let answer = get(&format!("{}{path}", server.url));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.body.contains(named), "{path}: {}", answer.body);
    }
}

#[test]
fn what_cannot_be_saved_is_refused_and_says_why() {
    let (server, site) = (start(&OPEN), site());
    let good = format!("http://{}/", site.address());
    let status = |status: u16| format!("http://{}/{status}", site.address());
    let nobody = format!("http://{}/", unused_address());
    for (form, wanted, named) in [
        (String::new(), 400, "`longuri`"),
        (form("", &good), 400, "`shortname`"),
        (form("++%09", &good), 400, "`shortname`"),
        (form("a", ""), 400, "`longuri`"),
        ("shortname=a".to_owned(), 400, "`longuri`"),
        (format!("longuri={good}"), 400, "`shortname`"),
        (format!("longuri={good}&Shortname=a"), 400, "`shortname`"),
        (form(".a", &good), 400, "`.a`"),
        (form("%2Ehealthz", &good), 400, "`.healthz`"),
        (form("a%00", &good), 400, "U+0000"),
        (form("a%0D%0Ab", &good), 400, "U+000D"),
        (form(&"n".repeat(101), &good), 400, "101 bytes"),
        (form("a%FF", &good), 400, "UTF-8"),
        (form("a", "http%3A%2F%2F%C3"), 400, "UTF-8"),
        (form("a%2", &good), 400, "hexadecimal"),
        (form("a", "this+is+fake"), 404, "\"this is fake\""),
        (form("a", "ftp://example.org/"), 404, "\"ftp://example.org/\""),
        (form("a", "javascript:alert(1)"), 404, "\"javascript:alert(1)\""),
        (form("a", "http://u@example.org/"), 404, "\"http://u@example.org/\""),
        (form("a", &format!("{good}{}", "x".repeat(2048))), 404, &good),
        (form("a", &format!("{good}%0D%0ASet-Cookie:b")), 404, &good),
        (form("a", &status(204)), 404, &status(204)),
        (form("a", &status(404)), 404, &status(404)),
        (form("a", &status(500)), 404, &status(500)),
        (form("a", &nobody), 404, &nobody),
    ] {
        let answer = post(&server.url, &form);
        assert_eq!(answer.status, wanted, "{form}: {answer:?}");
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.body.contains(named), "{form}: {}", answer.body);
        assert_eq!(answer.body.matches('\n').count(), 1, "{form}: {}", answer.body);
    }
    assert!(get(&server.url).body.contains("None yet."));
}

/// An address where nobody listens: it was free a moment ago.
fn unused_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn any_path_takes_the_form_and_the_first_value_of_a_field_wins() {
    let server = start(&PLAIN);
    let home = &server.url;
    for (path, form, name, uri) in [
        ("/other", form("a", home), "a", home.clone()),
        ("/a/b?c=d", form("b", home), "b", home.clone()),
        ("/?longuri=x", form("c", home), "c", home.clone()),
        ("/", format!("{}&shortname=x&longuri={home}/x", form("d", home)), "d", home.clone()),
        ("/", format!("shortname=&{}", form("e", home)), "e", home.clone()),
        ("/", format!("&&other=1&{}&", form("f", home)), "f", home.clone()),
        ("/", form("a", &format!("{home}/?again")), "a", format!("{home}/?again")),
    ] {
        assert_eq!(post(&format!("{home}{path}"), &form).status, 303, "{path} {form}");
        let found = get(&format!("{home}/{name}"));
        assert_eq!(found.field("location"), Some(uri.as_str()), "{form}");
    }
    assert_eq!(get(&format!("{home}/x")).status, 404);
}

#[test]
fn bodies_arrive_in_any_framing_up_to_a_limit() {
    let server = start(&PLAIN);
    let form = form("a", &server.url);
    let mut client = server.client();
    let (first, second) = form.split_at(9);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    client.send(format!(
        "{FORM_HEAD}Transfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n",
        chunk(first),
        chunk(second)
    ));
    assert_eq!(client.answer().status, 303);
    // Without a body, and without a length: both fields are missing.
    client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    // What does not say that it is a form is none.
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b");
    assert_eq!(client.answer().status, 415);
    client.send(format!("{FORM_HEAD}Content-Length: 1000000\r\n\r\n"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (413, true));
}

#[test]
fn methods_are_answered_or_refused_with_those_that_are_allowed() {
    let server = start(&PLAIN);
    assert_eq!(save(&server, "a", &server.url).status, 303);
    let names = "GET, HEAD, OPTIONS, POST";
    let own = "GET, HEAD, OPTIONS";
    for (method, path, wanted, allow) in [
        ("HEAD", "/", 200, None),
        ("HEAD", "/a", 303, None),
        ("HEAD", "/nobody", 404, None),
        ("HEAD", "/.healthz", 200, None),
        ("OPTIONS", "/", 204, Some(names)),
        ("OPTIONS", "/a", 204, Some(names)),
        ("OPTIONS", "/.healthz", 204, Some(own)),
        ("PUT", "/", 405, Some(names)),
        ("DELETE", "/a", 405, Some(names)),
        ("PATCH", "/a", 405, Some(names)),
        ("get", "/a", 405, Some(names)),
        ("BREW", "/", 405, Some(names)),
        ("POST", "/.healthz", 405, Some(own)),
        ("POST", "/.metrics", 405, Some(own)),
        ("POST", "/.all", 404, None),
        ("PUT", "/.details/a", 405, Some(own)),
    ] {
        let answer = send(method, &format!("{}{path}", server.url), &[], None);
        assert_eq!((answer.status, answer.field("allow")), (wanted, allow), "{method} {path}");
        if method == "HEAD" {
            let length = |answer: &Answer| answer.field("content-length").map(str::to_owned);
            assert_eq!(answer.body, "");
            assert_eq!(length(&answer), length(&get(&format!("{}{path}", server.url))), "{path}");
        }
    }
    let mut client = server.client();
    client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("allow")), (204, Some(names)));
}

#[test]
fn the_programs_own_pages_cannot_be_hidden() {
    let server = start(&PLAIN);
    for path in ["/.healthz", "/.healthz?x", "/%2Ehealthz"] {
        let health = get(&format!("{}{path}", server.url));
        assert_eq!((health.status, health.body.as_str()), (200, "ok"), "{path}");
        assert_eq!(health.field("cache-control"), Some("no-store"));
    }
    let page = get(&server.url);
    assert_eq!(page.field("cache-control"), Some("private, no-cache"));
    let (_, style) = page.body.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = get(&format!("{}{}", server.url, style.split('"').next().unwrap()));
    assert_eq!(style.status, 200);
    assert_eq!(style.field("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(style.field("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(save(&server, "%2Ehealthz", &server.url).status, 400);
}

#[test]
fn a_bookmark_of_this_very_server_is_saved_at_once() {
    let server = start(&PLAIN);
    let begun = Instant::now();
    for path in ["", "/", "/?a", "/.healthz"] {
        assert_eq!(save(&server, "self", &format!("{}{path}", server.url)).status, 303);
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // A name that leads to itself is found out before anything is asked.
    let itself = save(&server, "self", &format!("{}/self", server.url));
    assert_eq!((itself.status, itself.body.contains("lead back to itself")), (400, true));
}

#[test]
fn many_bookmarks_of_this_server_at_once_all_end() {
    let server = start(&PLAIN);
    for (count, may_be_busy) in [(8, false), (64, true)] {
        let together = Barrier::new(count);
        let answers: Vec<(Answer, Duration)> = thread::scope(|scope| {
            let one = |number| {
                let (together, url) = (&together, server.url.as_str());
                scope.spawn(move || {
                    together.wait();
                    let begun = Instant::now();
                    (post(url, &form(&format!("n{number}"), url)), begun.elapsed())
                })
            };
            let all: Vec<_> = (0..count).map(one).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for (answer, took) in answers {
            match answer.status {
                303 => {}
                503 if may_be_busy => assert!(answer.field("retry-after").is_some()),
                _ => panic!("{count} at once: {answer:?}"),
            }
            assert!(took < Duration::from_secs(8), "{count} at once: {took:?}");
        }
    }
}

#[test]
fn every_kind_of_answer_has_the_fields_that_protect_visitors() {
    let server = start(&PLAIN);
    let at = |path: &str| format!("{}{path}", server.url);
    let foreign = [("Sec-Fetch-Site", "cross-site")];
    let answers = [
        get(&at("/")),
        save(&server, "a", &server.url),
        get(&at("/a")),
        get(&at("/nobody")),
        get(&at("/.healthz")),
        get(&at("/a+")),
        post(&at("/"), ""),
        post(&at("/"), "%"),
        post(&at("/"), &form(".a", "b")),
        post(&at("/"), &form("a", "b")),
        post(&at("/"), &form("a", &format!("http://{}/", unused_address()))),
        send("POST", &at("/"), &foreign, Some(b"")),
        send("PUT", &at("/"), &[], None),
        send("OPTIONS", &at("/"), &[], None),
        send("HEAD", &at("/"), &[], None),
    ];
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let wanted = [200, 303, 303, 404, 200, 200, 400, 400, 400, 404, 404, 403, 405, 204, 200];
    assert_eq!(statuses, wanted);
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                  base-uri 'none'; frame-ancestors 'none'";
    for answer in answers {
        assert_eq!(answer.field("content-security-policy"), Some(policy), "{answer:?}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.field("referrer-policy"), Some("same-origin"), "{answer:?}");
        assert!(answer.field("cache-control").is_some(), "{answer:?}");
    }
}
