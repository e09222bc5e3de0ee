//! What visitors and programs change besides saving: edits, deletions, imports, and who may.

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
fn programs_that_ask_for_json_get_it() {
    let (server, site) = (start(&OPEN), site());
    let at = |path: &str| format!("{}{path}", server.url);
    let form = format!("longuri=http://{}/&shortname=a%22b", site.address());
    let saved = send("POST", &server.url, &JSON, body(&form));
    assert_eq!((saved.status, saved.field("location")), (201, Some("/a%22b")));
    assert!(saved.body.starts_with("{\"name\":\"a\\\"b\",\"uri\":\"http://"), "{}", saved.body);
    assert_eq!(get(&at("/a%22b")).status, 303);
    let details = send("GET", &at("/a%22b+"), &JSON, None);
    assert!(details.body.contains("\"visits\":1,"), "{}", details.body);
    let list = send("GET", &at("/?q=A&sort=visits"), &JSON, None);
    assert!(list.body.ends_with("\"total\":1,\"page\":1,\"pages\":1}\n"), "{}", list.body);
    let wrong = send("GET", &at("/?sort=size"), &JSON, None);
    assert_eq!((wrong.status, wrong.body.starts_with("{\"error\":\"")), (400, true));
}

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
        assert!(report.starts_with("{\"saved\":3,\"skipped\":0,"), "{report}");
        assert_eq!(export(&second.url), file);
    }
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

#[test]
fn with_a_password_only_who_knows_it_changes_anything() {
    // 1,000 rounds: a hash of "open" that a test has time for.
    let hash = longhand_kit::auth::PasswordHash::make("open", 1_000).unwrap().to_string();
    let settings = [&OPEN[..], &[("PASSWORD", &*hash)]].concat();
    let (server, site) = (start(&settings), site());
    let form = format!("longuri=http://{}/&shortname=a", site.address());
    let page = [("Accept", "text/html")];
    assert_eq!(post(&server.url, &form).status, 401);
    assert_eq!(send("POST", &server.url, &page, body(&form)).status, 403);
    let basic = |password: &str| {
        let credentials = longhand_kit::base64::encode(format!("x:{password}"));
        let value = format!("Basic {credentials}");
        send("POST", &server.url, &[("Authorization", &value)], body(&form)).status
    };
    assert_eq!((basic("shut"), basic("open")), (401, 303));
    assert_eq!(get(&format!("{}/a", server.url)).status, 303);
    let login = format!("{}/.login", server.url);
    assert_eq!(post(&login, "password=shut").status, 403);
    let signed_in = post(&login, "password=open&next=//evil");
    assert_eq!((signed_in.status, signed_in.field("location")), (303, Some("/")));
    let cookie = signed_in.field("set-cookie").unwrap();
    assert!(cookie.starts_with("sid=") && cookie.contains("HttpOnly"), "{cookie}");
    let cookie = [("Cookie", cookie.split(';').next().unwrap())];
    assert_eq!(send("POST", &server.url, &cookie, body(&form)).status, 303);
    assert_eq!(send("POST", &format!("{}/.logout", server.url), &cookie, body("")).status, 303);
    assert_eq!(send("POST", &server.url, &cookie, body(&form)).status, 401);
}
