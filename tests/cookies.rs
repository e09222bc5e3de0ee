//! The example `cookies` from outside: the steps of the course's own test, what a browser may send
//! beside them, and what the settings promise.
//!
//! A program is started, requests go over a socket as bytes, answers are read. Nothing waits a while.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use harness::answer::{Answer, answers};
use harness::program::{Program, command, run};

const NEW: &str = "new-new-new-new-new-new-new-new-";
const OLD: &str = "old-old-old-old-old-old-old-old-";

fn start(keys: &str) -> Program {
    Program::start(command("cookies", &[("PORT", "0"), ("SECRET_KEY", keys)]))
}

/// Asks for a path with these Cookie lines, each as the bytes it has.
fn get(server: &Program, path: &str, lines: &[&[u8]]) -> Answer {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n").into_bytes();
    for line in lines {
        request.extend([b"Cookie: ", *line, b"\r\n"].concat());
    }
    server.client().send([&request, &b"\r\n"[..]].concat()).answer()
}

fn post(server: &Program, path: &str, form: &str) -> Answer {
    let length = form.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n");
    let media = "Content-Type: application/x-www-form-urlencoded";
    server.client().send(format!("{head}{media}\r\n\r\n{form}")).answer()
}

/// What a browser sends back of the one cookie that an answer sets.
fn pair(answer: &Answer) -> String {
    let set: Vec<&str> = answer
        .fields
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    let [cookie] = set[..] else { panic!("not one cookie: {answer:?}") };
    cookie.split(';').next().unwrap().to_owned()
}

/// The first paragraph of the page: what the visitor is told.
fn told(page: &Answer) -> String {
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"), "{page:?}");
    let text = page.text();
    assert!(text.contains("<title>I Remember You</title>"), "{text}");
    assert!(
        text.contains("<form method=\"POST\">") && text.contains("name=\"yourname\""),
        "{text}"
    );
    let (_, message) = text.split_once("<p>").unwrap();
    message.split_once("</p>").unwrap().0.to_owned()
}

fn greeted(page: &Answer) -> Option<String> {
    assert_eq!(page.status, 200, "{page:?}");
    let told = told(page);
    Some(told.strip_prefix("Hello again, ")?.strip_suffix('!')?.to_owned())
}

#[test]
fn the_steps_of_the_courses_own_test() {
    let server = start(NEW);
    assert_eq!(greeted(&get(&server, "/", &[])), None);
    let saved = post(&server, "/", "yourname=Alice");
    assert_eq!((saved.status, saved.field("location")), (303, Some("/")));
    assert!(saved.field("set-cookie").is_some());
    assert_eq!(greeted(&get(&server, "/", &[b"yourname=Alice"])).as_deref(), Some("Alice"));
}

#[test]
fn a_cookie_lasts_a_minute_and_no_other_host_or_script_gets_it() {
    let server = start(NEW);
    let plain = post(&server, "/", "yourname=Alice");
    let expected = "yourname=Alice; Max-Age=60; Path=/; HttpOnly; SameSite=Lax";
    assert_eq!(plain.field("set-cookie"), Some(expected));
    let signed = post(&server, "/signed", "yourname=Alice");
    assert_eq!((signed.status, signed.field("location")), (303, Some("/signed")));
    let (_, attributes) = signed.field("set-cookie").unwrap().split_once("; ").unwrap();
    assert_eq!(attributes, "Max-Age=60; Path=/signed; HttpOnly; SameSite=Lax");
    for answer in [&plain, &signed, &get(&server, "/", &[])] {
        assert_eq!(answer.field("cache-control"), Some("no-store"));
    }
}

#[test]
fn every_name_comes_back_on_both_pages_and_is_no_markup() {
    let server = start(NEW);
    let long = "n".repeat(1_000);
    for (encoded, shown) in [
        ("Ada", "Ada"),
        ("O%27Neil", "O&#39;Neil"),
        ("Zo%C3%AB+%26+B%C3%A9a", "Zoë &amp; Béa"),
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a%3Bb%2Cc%22d%5Ce%3Df", "a;b,c&quot;d\\e=f"),
        ("100%25+%2541", "100% %41"),
        ("%0D%0ASet-Cookie:+x%3Dy", "\r\nSet-Cookie: x=y"),
        ("+a+", " a "),
        ("%E2%80%80%00", "\u{2000}\0"),
        (&long, &long),
    ] {
        for path in ["/", "/signed"] {
            let saved = post(&server, path, &format!("yourname={encoded}&yourname=second"));
            assert_eq!(saved.status, 303, "{saved:?}");
            let page = get(&server, path, &[pair(&saved).as_bytes()]);
            assert_eq!(greeted(&page).as_deref(), Some(shown), "{path}");
        }
    }
    // As it is where the alphabet allows it.
    assert_eq!(pair(&post(&server, "/", "yourname=O%27Neil")), "yourname=O'Neil");
}

#[test]
fn strangers_and_those_with_other_cookies_are_told_apart() {
    let server = start(NEW);
    for path in ["/", "/signed"] {
        let stranger = told(&get(&server, path, &[]));
        assert!(stranger.contains("don't know you yet"), "{stranger}");
        for line in [
            &b""[..],
            b"a=b",
            b"yourname",
            b"Yourname=Ada",
            b"=yourname",
            b"yourname=",
            b"signedname",
        ] {
            let unsure = told(&get(&server, path, &[line]));
            assert_ne!(unsure, stranger, "{}", line.escape_ascii());
            assert!(unsure.contains("not sure who you are"), "{unsure}");
        }
    }
}

#[test]
fn whatever_bytes_a_browser_sends_the_name_is_found_among_them() {
    let server = start(NEW);
    let many: Vec<String> = (0..198).map(|n| format!("n{n}=v")).collect();
    let many = format!("{}; yourname=Ada; last=1", many.join("; "));
    let long = format!("a={}; yourname=Ada", "v".repeat(8 << 10));
    let sandwich = b"$Version=1; a=\"b; yourname=Ada; c=d\"";
    for (lines, shown) in [
        (&[&b"yourname=Ada"[..]][..], "Ada"),
        (&[b"yourname=Ada; yourname=Grace"], "Ada"),
        (&[b"a=b; c", b"yourname=Ada", b"yourname=Grace"], "Ada"),
        (&[b";;bad[name=1;=x; \tyourname\t=\tAda\t;"], "Ada"),
        (&[sandwich], "Ada"),
        (&["\u{2000}yourname=Eve; yourname=Ada".as_bytes()], "Ada"),
        (&[many.as_bytes()], "Ada"),
        (&[long.as_bytes()], "Ada"),
        (&[b"yourname=a b=c"], "a b=c"),
        (&[b"yourname=\"Ada\""], "&quot;Ada&quot;"),
        (&[b"yourname=100%"], "100%"),
        (&[b"yourname=\xE9t\xE9"], "\u{fffd}t\u{fffd}"),
        (&["yourname=été".as_bytes()], "été"),
        (&[b"yourname=%ff"], "\u{fffd}"),
        (&[b"yourname=<b>"], "&lt;b&gt;"),
    ] {
        let page = get(&server, "/", lines);
        assert_eq!(greeted(&page).as_deref(), Some(shown), "{}", lines[0].escape_ascii());
    }
    // A name too many is not found, and does no harm.
    let more: Vec<String> = (0..300).map(|n| format!("n{n}=v")).collect();
    assert_eq!(get(&server, "/", &[more.join(";").as_bytes()]).status, 200);
}

#[test]
fn a_signed_name_that_was_changed_is_refused_and_not_repeated() {
    let server = start(NEW);
    let pair = pair(&post(&server, "/signed", "yourname=Alice"));
    assert_eq!(greeted(&get(&server, "/signed", &[pair.as_bytes()])).as_deref(), Some("Alice"));
    let start = "signedname=".len();
    let mut client = server.client();
    for at in start..pair.len() {
        let mut changed = pair.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let line = [b"Cookie: ", &changed[..], b"\r\n\r\n"].concat();
        let page = client.send("GET /signed HTTP/1.1\r\nHost: x\r\n").send(line).answer();
        assert_eq!(greeted(&page), None);
        let (told, text) = (told(&page), page.text());
        assert!(told.contains("not believe"), "{told}");
        assert!(!text.contains("Alice") && !text.contains("QWxpY2U"), "{text}");
    }
    for value in ["Alice", "", "..", "\"", "QWxpY2U.99999999999.AAAA"] {
        let page = get(&server, "/signed", &[format!("signedname={value}").as_bytes()]);
        assert!(told(&page).contains("not believe"), "{value}");
        assert!(!page.text().contains("Alice"));
    }
    // The other page's name is not one of this page, and the other way round.
    assert_eq!(greeted(&get(&server, "/signed", &[b"yourname=Alice"])), None);
    assert_eq!(greeted(&get(&server, "/", &[pair.as_bytes()])), None);
}

#[test]
fn keys_are_replaced_from_the_front() {
    let (old, both, new) = (start(OLD), start(&format!("{NEW}, {OLD}")), start(NEW));
    let by_old = pair(&post(&old, "/signed", "yourname=Ada"));
    let by_both = pair(&post(&both, "/signed", "yourname=Ada"));
    for (pair, known) in [(by_old, [true, true, false]), (by_both, [false, true, true])] {
        let pair = &pair;
        let found = [&old, &both, &new]
            .map(|server| greeted(&get(server, "/signed", &[pair.as_bytes()])).is_some());
        assert_eq!(found, known);
    }
}

#[test]
fn without_a_key_there_is_a_random_one_and_a_warning() {
    let settings = [("PORT", "0")];
    let (one, other) = (
        Program::start(command("cookies", &settings)),
        Program::start(command("cookies", &settings)),
    );
    let pair = pair(&post(&one, "/signed", "yourname=Ada"));
    assert_eq!(greeted(&get(&one, "/signed", &[pair.as_bytes()])).as_deref(), Some("Ada"));
    assert_eq!(greeted(&get(&other, "/signed", &[pair.as_bytes()])), None);
    #[cfg(unix)]
    {
        one.signal("TERM");
        let (status, errors) = one.end();
        assert!(status.success());
        assert!(errors.len() == 1 && errors[0].contains("SECRET_KEY"), "{errors:?}");
    }
}

#[test]
fn a_key_that_is_empty_or_short_is_refused_by_number_and_length() {
    for (keys, expected) in [
        ("", "SECRET_KEY: key 1 of 1 has 0 bytes, expected at least 32\n"),
        ("changeme", "SECRET_KEY: key 1 of 1 has 8 bytes, expected at least 32\n"),
        (&format!("{NEW},changeme"), "SECRET_KEY: key 2 of 2 has 8 bytes, expected at least 32\n"),
        (&format!("{NEW},"), "SECRET_KEY: key 2 of 2 has 0 bytes, expected at least 32\n"),
    ] {
        let (code, output, errors) =
            run(command("cookies", &[("PORT", "0"), ("SECRET_KEY", keys)]));
        assert_eq!((code, output.as_str(), errors.as_str()), (2, "", expected));
    }
}

#[test]
fn what_is_no_form_with_a_name_is_refused_and_says_why() {
    let server = start(NEW);
    let long = format!("yourname={}", "n".repeat(1_001));
    let longer = format!("yourname={}", "n".repeat(20_000));
    for path in ["/", "/signed"] {
        for (form, named) in [
            ("", "`yourname`"),
            ("yourname", "`yourname`"),
            ("yourname=", "`yourname`"),
            ("yourname=++%09", "`yourname`"),
            ("Yourname=Ada", "`yourname`"),
            ("yourname=%", "hexadecimal"),
            ("yourname=%FF", "UTF-8"),
            (&long, "1001 bytes, up to 1000"),
            (&longer, "20000 bytes, up to 1000"),
        ] {
            let answer = post(&server, path, form);
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(answer.text().contains(named), "{form}: {}", answer.text());
            assert_eq!(answer.field("set-cookie"), None);
        }
    }
    let mut client = server.client();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    client.send(format!("{head}Content-Length: 1000000\r\n\r\n"));
    assert_eq!(client.answer().status, 413);
    let mut client = server.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nyourname=Ada");
    assert_eq!(client.answer().status, 415);
}

#[test]
fn other_methods_and_paths_are_refused_with_what_there_is() {
    let server = start(NEW);
    let methods = "GET, HEAD, OPTIONS, POST";
    for (method, path, status, allow) in [
        ("HEAD", "/", 200, None),
        ("HEAD", "/signed", 200, None),
        ("GET", "/?yourname=x", 200, None),
        ("OPTIONS", "/", 204, Some(methods)),
        ("PUT", "/", 405, Some(methods)),
        ("DELETE", "/signed", 405, Some(methods)),
        ("get", "/", 405, Some(methods)),
        ("GET", "/favicon.ico", 404, None),
        ("POST", "/other", 404, None),
        ("GET", "/signed/", 404, None),
    ] {
        let mut client = server.client();
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        let answer = answers(&client.rest().unwrap(), &[method]).remove(0);
        assert_eq!((answer.status, answer.field("allow")), (status, allow), "{method} {path}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
        if method == "HEAD" {
            assert!(answer.body.is_empty() && answer.field("content-length") != Some("0"));
        }
    }
}
