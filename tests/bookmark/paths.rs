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

#[test]
fn circles_are_refused_however_long_and_by_whichever_name_of_this_server() {
    let server = start(&OPEN);
    let own = |path: &str| format!("{}{path}", server.url);
    let port = server.address().port();
    for uri in [own("/a"), own("/%61"), format!("http://localhost:{port}/a?b"), own("/a%23x")] {
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
