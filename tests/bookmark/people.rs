//! Who may read and who may change, where there is a password.

use harness::program::{Folder, Program};

use crate::{Answer, OPEN, form, get, post, send, site, start};

/// 1,000 rounds: a hash that a test has time for.
fn hash(password: &str) -> String {
    longhand_kit::auth::PasswordHash::make(password, 1_000).unwrap().to_string()
}

/// A server whose password is "open".
fn locked(more: &[(&str, &str)]) -> Program {
    start(&[&OPEN[..], &[("PASSWORD", &*hash("open"))], more].concat())
}

/// The cookie of a session, as a browser sends it back.
fn cookie(signed_in: &Answer) -> String {
    let cookie = signed_in.field("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn sign_in(server: &Program) -> String {
    let signed_in = post(&format!("{}/.login", server.url), "password=open");
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    cookie(&signed_in)
}

/// Saves the server's own page, and says what came of it.
fn change(server: &Program, fields: &[(&str, &str)]) -> u16 {
    send("POST", &server.url, fields, Some(form("a", &server.url).as_bytes())).status
}

#[test]
fn with_a_password_only_who_knows_it_changes_anything() {
    let server = locked(&[]);
    assert_eq!(change(&server, &[]), 401);
    assert_eq!(change(&server, &[("Accept", "text/html")]), 403);
    let basic = |password: &str| {
        let credentials = longhand_kit::base64::encode(format!("x:{password}"));
        change(&server, &[("Authorization", &format!("Basic {credentials}"))])
    };
    assert_eq!((basic("shut"), basic("open")), (401, 303));
    // A wrong one is told of in the form that was asked for, like everything.
    let wrong = [("Accept", "application/json"), ("Authorization", "Basic eDpzaHV0")];
    let wrong = send("GET", &format!("{}/.import", server.url), &wrong, None);
    assert_eq!(wrong.body, "{\"error\":\"wrong user name or password\"}\n");
    assert!(wrong.field("www-authenticate").is_some_and(|field| field.starts_with("Basic ")));
    // To read and to follow is for everybody.
    assert_eq!(get(&format!("{}/a", server.url)).status, 303);
    assert_eq!(get(&format!("{}/a+", server.url)).status, 200);
    for path in ["/.edit/a", "/.delete/a", "/.import", "/.metrics"] {
        let asked = send("GET", &format!("{}{path}", server.url), &[("Accept", "text/html")], None);
        assert_eq!(asked.status, 303, "{path}");
        let next = path.replace('/', "%2F");
        assert_eq!(asked.field("location"), Some(&*format!("/.login?next={next}")));
        assert_eq!(get(&format!("{}{path}", server.url)).status, 401, "{path}");
    }
    for path in ["/.edit/a", "/.delete/a", "/.import"] {
        assert_eq!(post(&format!("{}{path}", server.url), "longuri=x").status, 401, "{path}");
    }
    assert_eq!(get(&format!("{}/a", server.url)).status, 303);
}

#[test]
fn a_session_lasts_from_signing_in_to_signing_out() {
    let server = locked(&[]);
    let login = format!("{}/.login", server.url);
    assert_eq!(post(&login, "password=shut").status, 403);
    assert_eq!(post(&login, "").status, 403);
    for (next, leads) in [
        ("", "/"),
        ("%2F.edit%2Fa%3Fb", "/.edit/a?b"),
        ("%2F%2Fevil.example", "/"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("%2F.login", "/"),
        ("%2F.logout", "/"),
    ] {
        let signed_in = post(&login, &format!("password=open&next={next}"));
        assert_eq!((signed_in.status, signed_in.field("location")), (303, Some(leads)), "{next}");
    }
    // A redirect that goes on to another server would be stopped by the policy of the page with the form.
    let page = [("Accept", "text/html")];
    for (next, moves_on) in [("%2Fa%3Fb", Some("0; url=/a?b")), ("%2F%3Fq%3Da", None)] {
        let form = format!("password=open&next={next}");
        let signed_in = send("POST", &login, &page, Some(form.as_bytes()));
        assert_eq!(signed_in.status, if moves_on.is_some() { 200 } else { 303 }, "{next}");
        assert_eq!(signed_in.field("refresh"), moves_on, "{next}");
        assert!(signed_in.field("set-cookie").is_some(), "{next}");
    }
    let signed_in = post(&login, "password=open");
    let whole = signed_in.field("set-cookie").unwrap();
    for part in ["sid=", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(whole.contains(part), "{part}: {whole}");
    }
    let session = cookie(&signed_in);
    let session = [("Cookie", session.as_str())];
    assert_eq!(change(&server, &session), 303);
    let page = send("GET", &server.url, &session, None);
    assert!(page.body.contains("Sign out"), "{}", page.body);
    let out = send("POST", &format!("{}/.logout", server.url), &session, Some(b""));
    assert_eq!((out.status, out.field("location")), (303, Some("/")));
    // Not only in the browser that was told to forget it.
    assert_eq!(change(&server, &session), 401);
    assert_eq!(
        change(&server, &[("Cookie", "sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]),
        401
    );
}

#[test]
fn wrong_passwords_have_to_wait_and_the_right_one_with_them() {
    let server = locked(&[]);
    let login = format!("{}/.login", server.url);
    // More than any limit that would be one.
    let delayed = (0..100).find_map(|_| {
        let answer = post(&login, "password=shut");
        (answer.status != 403).then_some(answer)
    });
    let delayed = delayed.expect("somebody who guesses is slowed down");
    assert_eq!(delayed.status, 429);
    assert!(delayed.field("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert!(delayed.body.contains("wait"), "{}", delayed.body);
    assert_eq!(post(&login, "password=open").status, 429);
}

#[test]
fn a_private_server_shows_nothing_to_strangers() {
    let (server, site) = (locked(&[("PRIVATE", "1")]), site());
    let session = sign_in(&server);
    let session = [("Cookie", session.as_str())];
    let form = form("a", &format!("http://{}/", site.address()));
    let save = |fields| send("POST", &server.url, fields, Some(form.as_bytes())).status;
    assert_eq!((save(&[]), save(&session)), (401, 303));
    for path in ["/", "/?q=a", "/a", "/a+", "/.details/a", "/nobody", "/.export", "/.metrics"] {
        let uri = format!("{}{path}", server.url);
        assert_eq!(get(&uri).status, 401, "{path}");
        let page = send("GET", &uri, &[("Accept", "text/html")], None);
        assert_eq!(page.status, 303, "{path}");
        assert!(page.field("location").unwrap().starts_with("/.login?next="), "{page:?}");
        let known = send("GET", &uri, &session, None).status;
        assert!(matches!(known, 200 | 303 | 404), "{path}: {known}");
    }
    // Nor does a name that exists read otherwise than one that does not.
    let named = |name: &str| get(&format!("{}/{name}", server.url)).body;
    assert_eq!(named("a"), named("b"));
    for path in ["/.healthz", "/.login"] {
        assert_eq!(get(&format!("{}{path}", server.url)).status, 200, "{path}");
    }
}

/// A browser that still had it would show it to whoever sits there after somebody signed out.
#[test]
fn what_is_private_is_kept_nowhere_and_what_is_public_is_asked_for_again() {
    for (private, kept) in [("1", "no-store"), ("0", "private, no-cache")] {
        let server = locked(&[("PRIVATE", private)]);
        let session = sign_in(&server);
        let session = [("Cookie", session.as_str())];
        // Not its own page, which a check may not see where it is private.
        let site = site();
        let form = form("a", &format!("http://{}/", site.address()));
        assert_eq!(send("POST", &server.url, &session, Some(form.as_bytes())).status, 303);
        for path in ["/", "/a+", "/.details/a"] {
            let page = send("GET", &format!("{}{path}", server.url), &session, None);
            assert_eq!((page.status, page.field("cache-control")), (200, Some(kept)), "{path}");
        }
    }
}

/// A browser has no way back to a form whose answer came from the same address.
#[test]
fn a_form_that_came_without_a_session_is_filled_in_again_after_signing_in() {
    let server = locked(&[]);
    let session = sign_in(&server);
    let session = [("Cookie", session.as_str())];
    assert_eq!(change(&server, &session), 303);
    let entered = "longuri=http%3A%2F%2Fa%2F%3Fb%3D%2526&shortname=%22%3C";
    for (path, wanted) in [
        ("/", ["value=\"http://a/?b=%26\"", "value=\"&quot;&lt;\""]),
        // Any address takes the form; a bookmark's own would lead away.
        ("/a", ["value=\"http://a/?b=%26\"", "value=\"&quot;&lt;\""]),
        ("/.edit/a", ["value=\"http://a/?b=%26\"", "action=\"/.edit/a\""]),
        ("/.delete/a", ["action=\"/.delete/a\"", "Delete it"]),
        ("/.import", ["action=\"/.import\"", "type=\"file\""]),
    ] {
        let uri = format!("{}{path}", server.url);
        let asked = send("POST", &uri, &[("Accept", "text/html")], Some(entered.as_bytes()));
        assert_eq!(asked.status, 403, "{path}");
        let (_, next) = asked.body.split_once("name=\"next\" value=\"").expect("the form");
        let next = next.split('"').next().unwrap().replace("&amp;", "&");
        let next = longhand::wire::percent_encode(next.as_bytes());
        let signed_in =
            post(&format!("{}/.login", server.url), &format!("password=open&next={next}"));
        let leads = signed_in.field("location").unwrap();
        let page = send("GET", &format!("{}{leads}", server.url), &session, None);
        for wanted in wanted {
            assert!(page.body.contains(wanted), "{path}: {wanted} is not in {}", page.body);
        }
    }
}

#[test]
fn private_without_a_password_is_refused() {
    let settings = [&OPEN[..], &[("PRIVATE", "1")]].concat();
    let (code, _, errors) = harness::program::run(harness::program::command("bookmark", &settings));
    assert!(code == 2 && errors.contains("PRIVATE=1") && errors.contains("PASSWORD"), "{errors}");
}

#[test]
fn sessions_outlive_the_program_and_end_with_the_password() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let (first, second) = (hash("open"), hash("other"));
    let begin = |hash: &str| {
        start(&[&OPEN[..2], &[("STORE", &*log), ("PASSWORD", hash)], &OPEN[3..]].concat())
    };
    let server = begin(&first);
    let session = sign_in(&server);
    let session = [("Cookie", session.as_str())];
    assert_eq!(change(&server, &session), 303);
    server.kill();
    let again = begin(&first);
    assert_eq!(change(&again, &session), 303);
    again.kill();
    let changed = begin(&second);
    assert_eq!(change(&changed, &session), 401);
}

#[test]
fn behind_a_trusted_proxy_by_https_the_cookie_is_for_https_alone() {
    let over_https = |server: &Program| {
        let fields = [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.7")];
        let login = format!("{}/.login", server.url);
        send("POST", &login, &fields, Some(b"password=open"))
    };
    let server = locked(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    let signed_in = over_https(&server);
    let whole = signed_in.field("set-cookie").unwrap();
    assert!(whole.starts_with("__Host-sid=") && whole.contains("; Secure"), "{whole}");
    let session = cookie(&signed_in);
    let https = [("Cookie", session.as_str()), ("X-Forwarded-Proto", "https")];
    assert_eq!(change(&server, &https), 303);
    // By http it counts for nothing: there somebody else may have planted it.
    assert_eq!(change(&server, &https[..1]), 401);
    // Whose visitors come by https, says so itself.
    let server = locked(&[("BASE_URL", "https://go.example")]);
    let signed_in = send("POST", &format!("{}/.login", server.url), &[], Some(b"password=open"));
    let whole = signed_in.field("set-cookie").unwrap();
    assert!(whole.starts_with("__Host-sid=") && whole.contains("; Secure"), "{whole}");
    // Whom nobody trusts says what he likes.
    let server = locked(&[]);
    let whole = over_https(&server);
    let whole = whole.field("set-cookie").unwrap();
    assert!(whole.starts_with("sid=") && !whole.contains("Secure"), "{whole}");
}
