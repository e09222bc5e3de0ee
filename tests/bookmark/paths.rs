//! Names that take longer paths, and bookmarks that would lead in a circle.

use harness::program::Program;

use crate::{OPEN, get, save, site, start};

fn leads(server: &Program, path: &str) -> Option<String> {
    get(&format!("{}{path}", server.url)).field("location").map(str::to_owned)
}

#[test]
fn a_name_that_ends_in_a_slash_takes_longer_paths() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("http://{}{path}", site.address());
    for (name, uri) in [("docs/", "/"), ("docs/rust/", "/200"), ("q/", "/?q=")] {
        assert_eq!(save(&server, name, &at(uri)).status, 303, "{name}");
    }
    for (path, leads_to) in [
        ("/docs/", Some("/")),
        ("/docs/a/b?c=d%20e", Some("/a/b?c=d%20e")),
        ("/docs%2Fa%2fb", Some("/a%2fb")),
        ("/docs/%C3%A4", Some("/%C3%A4")),
        ("/docs/rust/x", Some("/200x")),
        ("/docs", None),
        ("/docs/../secret", None),
        ("/docs/%2e%2E/secret", None),
        ("/q/x", None),
    ] {
        assert_eq!(leads(&server, path), leads_to.map(at), "{path}");
    }
}

/// What follows such a name was put right behind the host, and became a part of it: a stranger could
/// lead anybody anywhere by it.
#[test]
fn what_follows_a_name_is_never_a_part_of_the_host() {
    let (server, site) = (start(&OPEN), site());
    let host = format!("http://{}", site.address());
    for uri in [&host, &format!("{host}/")] {
        assert_eq!(save(&server, "g/", uri).status, 303, "{uri}");
        for rest in
            ["", "@evil.example/", ".evil.example/x", ":80@evil.example/", "x?y=z", "%40evil"]
        {
            let leads_to = leads(&server, &format!("/g/{rest}")).unwrap();
            let slash = if rest.is_empty() && uri == &host { "" } else { "/" };
            assert_eq!(leads_to, format!("{host}{slash}{rest}"));
        }
    }
    for back in ["..\\..\\x", "..%5c..%5cx", "a/..\\x"] {
        let answer = get(&format!("{}/g/{back}", server.url));
        assert_eq!(answer.status, 404, "{back}");
    }
}

/// It led to where `docs/` leads, with a `+` behind.
#[test]
fn details_are_found_below_a_name_that_takes_longer_paths() {
    let (server, site) = (start(&OPEN), site());
    let uri = format!("http://{}/", site.address());
    for name in ["docs/", "docs/x", "docs/y%2B"] {
        assert_eq!(save(&server, name, &uri).status, 303, "{name}");
    }
    for (path, leads_to) in [
        ("/docs/+", None),
        ("/docs/x+", None),
        ("/docs/y+", Some(String::new())),
        ("/docs/z+", Some("z+".to_owned())),
    ] {
        let leads_to = leads_to.map(|rest| format!("{uri}{rest}"));
        assert_eq!(leads(&server, path), leads_to, "{path}");
        assert_eq!(
            get(&format!("{}{path}", server.url)).status,
            if leads_to.is_some() { 303 } else { 200 }
        );
    }
}

#[test]
fn circles_are_refused_however_long_and_by_whichever_name_of_this_server() {
    let server = start(&OPEN);
    let own = |path: &str| format!("{}{path}", server.url);
    let port = server.address().port();
    for uri in [own("/a"), own("/%61"), format!("http://localhost:{port}/a?b"), own("/./b/../a")] {
        let refused = save(&server, "a", &uri);
        assert_eq!(refused.status, 400, "{uri}: {refused:?}");
        assert!(refused.body.contains("lead back to itself"), "{}", refused.body);
    }
    // Each of these answers, so that only the last can close the circle.
    for (name, uri) in [("c", "/"), ("b", "/c"), ("a", "/b")] {
        assert_eq!(save(&server, name, &own(uri)).status, 303, "{name}");
    }
    assert_eq!(save(&server, "c", &own("/a")).status, 400);
    assert_eq!(save(&server, "d/", &own("/")).status, 303);
    assert_eq!(save(&server, "d/", &own("/d/x")).status, 400);
    assert_eq!(leads(&server, "/c"), Some(own("/")));
}
