//! Cookies that a real browser keeps, hides, sends and drops: the kit's, and the example `cookies`.

use std::time::Duration;

use harness::browser::{Browser, Script};
use harness::json::Json;
use harness::program::{Program, command};
use harness::running::{Running, run};
use longhand::{Request, Response, Server};
use longhand_kit::cookie::{BadCookie, Cookies, SameSite, SetCookie};
use longhand_kit::html::Html;

use crate::{at, site};

/// Every octet that the value of a cookie may hold (RFC 6265 section 4.1.1).
fn octets() -> String {
    ('!'..='~').filter(|octet| !"\",;\\".contains(*octet)).collect()
}

/// A site that sets cookies of every kind at `/set`, removes them at `/remove`, and tells at every
/// other path, to every method, which it was sent.
fn jar() -> Running {
    run(Server::bind("127.0.0.1:0").unwrap(), |request: &mut Request<'_>| {
        let cookies = [
            SetCookie::new("plain", octets()),
            SetCookie::new("__Host-plain", "1").secure(),
            SetCookie::new("__Secure-none", "1").secure().same_site(SameSite::None),
            SetCookie::new("strict", "1").same_site(SameSite::Strict),
            SetCookie::new("readable", "1")
                .readable_by_scripts()
                .max_age(Duration::from_secs(3600)),
            SetCookie::new("deep", "1").path("/deep"),
        ];
        let response = told(request);
        match request.path() {
            "/set" => cookies.iter().try_fold(response, |response, cookie| cookie.add_to(response)),
            "/remove" => {
                // Over plain http to `localhost`, Secure does no harm to those without.
                let removed = ["plain", "__Host-plain", "__Secure-none", "strict", "readable"];
                let removed = removed.map(SetCookie::removing).map(SetCookie::secure);
                let deep = SetCookie::removing("deep").path("/deep");
                let mut all = removed.iter().chain([&deep]);
                all.try_fold(response, |response, cookie| cookie.add_to(response))
            }
            _ => Ok::<_, BadCookie>(response),
        }
    })
}

/// A page with the cookies of a request, one `name=value` a line.
fn told(request: &Request<'_>) -> Response {
    let mut page = Html::new();
    page.raw("<title>Jar</title><pre>");
    for (name, value) in Cookies::of(request).iter() {
        page.text(String::from_utf8_lossy(name)).raw("=").text(String::from_utf8_lossy(value));
        page.raw("\n");
    }
    page.raw("</pre>");
    Response::html(page)
}

/// The names of the cookies that the page was sent.
fn names(browser: &Browser) -> Vec<String> {
    let text = browser.text("pre");
    let mut names: Vec<String> =
        text.lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
    names.sort_unstable();
    names
}

const ALL: [&str; 5] = ["__Host-plain", "__Secure-none", "plain", "readable", "strict"];

#[test]
fn cookies_come_back_as_they_were_set_until_they_are_removed() {
    let jar = jar();
    let browser = Browser::start(Script::Runs);
    let home = at("localhost", jar.address());
    browser.open(&(home.clone() + "set"));
    browser.open(&home);
    assert_eq!(names(&browser), ALL);
    assert!(
        browser.text("pre").contains(&format!("plain={}", octets())),
        "{}",
        browser.text("pre")
    );
    // No script sees what is not meant for it.
    assert_eq!(browser.run("return document.cookie"), "readable=1".into());
    browser.open(&(home.clone() + "deep/er"));
    assert!(names(&browser).contains(&"deep".to_owned()));
    browser.open(&(home.clone() + "remove"));
    browser.open(&(home + "deep"));
    assert_eq!(names(&browser), [""; 0]);
}

#[test]
fn a_browser_reads_the_attributes_as_they_were_meant() {
    let jar = jar();
    let browser = Browser::start(Script::Runs);
    browser.open(&(at("localhost", jar.address()) + "set"));
    let cookies = browser.cookies();
    for (name, http_only, secure, same_site, lasts) in [
        ("plain", true, false, "Lax", false),
        ("__Host-plain", true, true, "Lax", false),
        ("__Secure-none", true, true, "None", false),
        ("strict", true, false, "Strict", false),
        ("readable", false, false, "Lax", true),
    ] {
        let cookie = cookies.iter().find(|cookie| cookie.get("name").text() == Some(name));
        let cookie = cookie.unwrap_or_else(|| panic!("{name} was not kept"));
        assert_eq!(*cookie.get("httpOnly"), Json::Bool(http_only), "{name}");
        assert_eq!(*cookie.get("secure"), Json::Bool(secure), "{name}");
        assert_eq!(cookie.get("sameSite").text(), Some(same_site), "{name}");
        assert_eq!(cookie.get("path").text(), Some("/"), "{name}");
        assert_eq!(cookie.get("expiry").number().is_some(), lasts, "{name}");
        assert_eq!(cookie.get("domain").text(), Some("localhost"), "{name}");
    }
}

/// Chromium counts plain http to `localhost` as safe, and to no other name.
#[test]
fn secure_cookies_are_refused_over_plain_http_to_any_other_host() {
    let jar = jar();
    let browser = Browser::start(Script::Runs);
    let home = at("plain.test", jar.address());
    browser.open(&(home.clone() + "set"));
    browser.open(&home);
    assert_eq!(names(&browser), ["plain", "readable", "strict"]);
}

#[test]
fn what_another_site_sends_comes_without_cookies() {
    let jar = jar();
    let browser = Browser::start(Script::Runs);
    let home = at("localhost", jar.address());
    browser.open(&(home.clone() + "set"));
    let foreign = site(format!(
        "<a id=link href=\"{home}\">a link</a>\
         <form method=POST action=\"{home}\"><button id=post>a form</button></form>"
    ));
    let (own, other) = (at("localhost", foreign.address()), at("other.test", foreign.address()));
    // Of two ports of one host, neither is another site.
    for (from, by, wanted) in [
        (&other, "#post", &["__Secure-none"][..]),
        (&other, "#link", &["__Host-plain", "__Secure-none", "plain", "readable"]),
        (&own, "#post", &ALL),
        (&own, "#link", &ALL),
    ] {
        browser.open(from);
        browser.follow(by);
        assert_eq!(browser.title(), "Jar");
        assert_eq!(names(&browser), wanted, "{by} of {from}");
    }
}

#[test]
fn the_example_remembers_a_name_with_script_and_without() {
    let key = "0123456789abcdef0123456789abcdef";
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("SECRET_KEY", key)];
    let program = Program::start(command("cookies", &settings));
    for script in [Script::Runs, Script::Off] {
        let browser = Browser::start(script);
        for host in ["localhost", "plain.test"] {
            for path in ["", "signed"] {
                let url = at(host, program.address()) + path;
                browser.open(&url);
                assert_eq!(browser.title(), "I Remember You");
                let before = browser.text("p");
                assert!(!before.contains("Hello again"), "{before}");
                let name = "Zoë \"<b>\"; a=b, 100% \\ +";
                browser.type_into("[name=yourname]", name);
                browser.submit("[name=yourname]");
                assert_eq!(browser.url(), url);
                assert_eq!(browser.text("p"), format!("Hello again, {name}!"), "{url}");
                browser.reload();
                assert_eq!(browser.text("p"), format!("Hello again, {name}!"), "{url}");
            }
        }
    }
}

#[test]
fn the_example_refuses_a_signed_name_that_was_changed() {
    let program = Program::start(command("cookies", &[("PORT", "0"), ("HOST", "127.0.0.1")]));
    let browser = Browser::start(Script::Runs);
    let url = at("localhost", program.address()) + "signed";
    browser.open(&url);
    browser.type_into("[name=yourname]", "Ada");
    browser.submit("[name=yourname]");
    assert_eq!(browser.text("p"), "Hello again, Ada!");
    let cookies = browser.cookies();
    let value = cookies.iter().find_map(|cookie| cookie.get("value").text()).unwrap();
    // `QWRh` is Ada; `QWRb` is Ad[.
    let forged = value.replacen("QWRh", "QWRb", 1);
    assert_ne!(value, forged);
    let name = cookies[0].get("name").text().unwrap();
    browser.forget_cookies();
    browser.run(&format!("document.cookie = '{name}={forged}; Path=/signed'"));
    browser.reload();
    let told = browser.text("p");
    assert!(told.starts_with("I do not believe your cookie"), "{told}");
}
