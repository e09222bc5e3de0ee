//! What visitors and programs change besides saving: edits and deletions, in both languages.

use harness::program::Folder;

use crate::{OPEN, get, post, save, send, site, start};

const JSON: [(&str, &str); 1] = [("Accept", "application/json")];

/// A form's field that holds a URI without anything to encode.
fn body(fields: &str) -> Option<&[u8]> {
    Some(fields.as_bytes())
}

#[test]
fn an_edit_replaces_what_its_form_was_made_from_and_nothing_else() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("{}{path}", server.url);
    let uri = |path: &str| format!("http://{}{path}", site.address());
    assert_eq!(save(&server, "a", &uri("/")).status, 303);
    let edit = |was: &str, uri: &str| post(&at("/.edit/a"), &format!("was={was}&longuri={uri}"));
    assert_eq!(edit(&uri("/"), &uri("/200")).field("location"), Some("/.details/a"));
    let late = edit(&uri("/"), &uri("/?late"));
    assert_eq!(late.status, 409);
    assert!(late.body.contains(&format!("leads to {} meanwhile", uri("/200"))), "{}", late.body);
    let dead = edit(&uri("/200"), &uri("/404"));
    assert_eq!(dead.status, 404);
    assert!(dead.body.contains("answered with the status 404"), "{}", dead.body);
    assert_eq!(get(&at("/a")).field("location"), Some(&*uri("/200")));
    assert_eq!(post(&at("/.delete/a"), &format!("was={}", uri("/"))).status, 409);
    assert_eq!(post(&at("/.delete/a"), &format!("was={}", uri("/200"))).status, 303);
    assert_eq!(get(&at("/a")).status, 404);
    assert_eq!(post(&at("/.delete/a"), "").status, 404);
}

#[test]
fn a_form_about_what_was_deleted_meanwhile_is_not_told_that_there_never_was_such_a_name() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("{}{path}", server.url);
    let uri = format!("http://{}/?a=1", site.address());
    assert_eq!(save(&server, "a", &uri).status, 303);
    assert_eq!(post(&at("/.delete/a"), "").status, 303);
    let page = [("Accept", "text/html")];
    let form = format!("was={uri}&longuri={uri}%262");
    for (path, form) in [("/.edit/a", &*form), ("/.delete/a", &*format!("was={uri}"))] {
        let gone = post(&at(path), form);
        assert_eq!(gone.status, 409, "{path}");
        assert_eq!(gone.body, "Nothing was changed: \"a\" was deleted meanwhile.\n");
        // Who typed something is not left without it.
        let gone = send("POST", &at(path), &page, Some(form.as_bytes())).body;
        let again = format!("http%3A%2F%2F{}%2F%3Fa%3D1%262", site.address()).replace(':', "%3A");
        let again = again.replace("1%262", "1%262&amp;shortname=a\">Save it anew</a>");
        assert_eq!(gone.contains(&again), path == "/.edit/a", "{again}: {gone}");
    }
    // What says nothing of what it was made from speaks of a name that is not there.
    assert_eq!(post(&at("/.edit/a"), &format!("longuri={uri}")).status, 404);
    assert_eq!(post(&at("/.delete/a"), "").status, 404);
}

#[test]
fn programs_that_ask_for_json_get_it() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("{}{path}", server.url);
    let form = format!("longuri=http://{}/&shortname=a%22b", site.address());
    let saved = send("POST", &server.url, &JSON, body(&form));
    assert_eq!((saved.status, saved.field("location")), (201, Some("/a%22b")));
    assert!(saved.body.starts_with("{\"name\":\"a\\\"b\",\"uri\":\"http://"), "{}", saved.body);
    // Over what was saved a moment ago, so that only the store can tell.
    assert_eq!(send("POST", &server.url, &JSON, body(&form)).status, 200);
    assert_eq!(get(&at("/a%22b")).status, 303);
    let details = send("GET", &at("/a%22b+"), &JSON, None);
    assert!(details.body.contains("\"visits\":1,"), "{}", details.body);
    let list = send("GET", &at("/?q=A&sort=visits"), &JSON, None);
    assert!(list.body.ends_with("\"total\":1,\"page\":1,\"pages\":1}\n"), "{}", list.body);
    let wrong = send("GET", &at("/?sort=size"), &JSON, None);
    assert_eq!((wrong.status, wrong.body.starts_with("{\"error\":\"")), (400, true));
}

/// Visits go to the store every few seconds only.
#[test]
fn a_visit_of_a_moment_ago_is_in_the_list_and_in_an_export_and_outlives_an_edit() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("{}{path}", server.url);
    let uri = format!("http://{}/", site.address());
    for name in ["a", "b"] {
        assert_eq!(save(&server, name, &uri).status, 303);
    }
    assert_eq!(get(&at("/a")).status, 303);
    let page = get(&server.url).body;
    assert!(page.contains("<span>1 visit</span><a href=\"/.details/a\">"), "{page}");
    assert!(page.contains("<span>not visited yet</span><a href=\"/.details/b\">"), "{page}");
    assert_eq!(get(&at("/a")).status, 303);
    let list = send("GET", &server.url, &JSON, None).body;
    assert!(list.contains("\"visits\":2,\"last\":\""), "{list}");
    assert_eq!(get(&at("/a")).status, 303);
    let file = get(&at("/.export")).body;
    let line = file.lines().next().unwrap();
    assert!(line.contains("\"visits\":3,\"last\":\""), "{file}");
    assert_eq!(get(&at("/a")).status, 303);
    assert_eq!(post(&at("/.edit/a"), &format!("longuri={uri}?other")).status, 303);
    let details = send("GET", &at("/a+"), &JSON, None).body;
    assert!(details.contains("?other\"") && details.contains("\"visits\":4,"), "{details}");
}

#[test]
fn visits_outlive_the_program() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &*log)];
    let server = start(&settings);
    assert_eq!(save(&server, "a", &server.url).status, 303);
    for _ in 0..3 {
        assert_eq!(get(&format!("{}/a", server.url)).status, 303);
    }
    #[cfg(unix)]
    {
        server.signal("TERM");
        assert!(server.end().0.success());
        let server = start(&settings);
        let details = send("GET", &format!("{}/a+", server.url), &JSON, None);
        assert!(details.body.contains("\"visits\":3,"), "{}", details.body);
    }
}
