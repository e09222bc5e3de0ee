//! The bookmark server as a visitor uses it.

use harness::browser::{Browser, Script};
use harness::json::Json;

use crate::{Bookmark, asked, at, fetch, site};

/// Fills in the form and sends it by its button.
fn save(browser: &Browser, uri: &str, name: &str) {
    browser.type_into("#longuri", uri);
    browser.type_into("#shortname", name);
    browser.follow("button");
}

#[test]
fn a_bookmark_is_saved_and_followed_with_script_and_without() {
    let site = site("<title>The site</title>");
    for script in [Script::Runs, Script::Off] {
        let server = Bookmark::start();
        let browser = Browser::start(script);
        let home = server.at("localhost");
        browser.open(&home);
        assert_eq!(browser.title(), "Bookmark Server");
        assert!(browser.text("main").contains("None yet."), "{}", browser.text("main"));

        let uri = at("localhost", site.address()) + "long?way=to#it";
        save(&browser, &uri, "s");
        assert_eq!((browser.url(), browser.title()), (home.clone(), "Bookmark Server".into()));
        assert_eq!(browser.text("li"), format!("s : {uri}"));
        // The page came of a redirect: to load it again saves nothing again.
        browser.reload();
        let posts = server.relay.requests().into_iter().filter(|asked| asked.method == "POST");
        assert_eq!(posts.count(), 1);

        browser.follow("li a");
        assert_eq!((browser.url(), browser.title()), (uri, "The site".to_owned()), "{script:?}");
        browser.open(&(home + "s"));
        assert_eq!(browser.title(), "The site");
    }
}

#[test]
fn what_cannot_be_saved_is_said_and_names_what_was_typed() {
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    browser.open(&server.at("localhost"));
    save(&browser, "this is <b>fake</b>", "bad");
    let text = browser.text("body");
    assert!(text.starts_with("Not saved: \"this is <b>fake</b>\" cannot be fetched."), "{text}");
    assert_eq!(server.location("bad"), None);
}

#[test]
fn the_form_is_complete_before_it_is_sent() {
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    browser.open(&server.at("localhost"));
    browser.type_into("#shortname", "a");
    browser.click("button");
    let missing = browser.run("return document.querySelector(':invalid:not(form)').id");
    assert_eq!(missing, "longuri".into());
    assert!(server.relay.requests().iter().all(|asked| asked.method == "GET"));
}

/// The guard of `bookmark` rests on what browsers send, which is not the same to every host.
#[test]
fn its_own_form_saves_on_every_kind_of_origin() {
    let site = site("");
    let uri = at("localhost", site.address());
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    for (host, fetch_site) in [
        ("localhost", Some("same-origin")),
        ("127.0.0.1", Some("same-origin")),
        ("plain.test", None),
    ] {
        let home = server.at(host);
        browser.open(&home);
        save(&browser, &uri, host);
        assert_eq!(server.location(host).as_ref(), Some(&uri), "{}", browser.text("body"));
        let requests = server.relay.requests();
        let mut posts = requests.iter().filter(|asked| asked.method == "POST");
        let post = posts.find(|asked| home.contains(asked.field("host").unwrap())).unwrap();
        assert_eq!(post.field("sec-fetch-site"), fetch_site, "{host}");
        assert_eq!(post.field("origin"), home.strip_suffix('/'), "{host}");
    }
}

#[test]
fn what_others_have_saved_stays_text() {
    let site = site("");
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    let home = server.at("localhost");
    let names = [
        "<script>document.title='ran'</script>",
        "\"><img src=x onerror=document.title='ran'>",
        "'onmouseover='document.title=1'",
        "</a></ul></main></body>&lt;b>&amp;",
        "javascript:document.title='ran'",
        "<!--",
    ];
    // A query that a check can ask for, and a fragment, which it does not send.
    let path = "?'&lt;&amp;#\"><script>document.title='ran'</script>&lt;'<!--";
    browser.open(&home);
    for name in names {
        let uri = at("localhost", site.address()) + path;
        save(&browser, &uri, name);
        assert_eq!(browser.title(), "Bookmark Server", "{name}");
        assert_eq!(server.location(&percent(name)), Some(uri), "{name}");
    }
    let shown = browser.run("return [...document.querySelectorAll('li')].map(li => li.innerText)");
    let mut shown: Vec<&str> = shown.list().iter().filter_map(Json::text).collect();
    shown.sort_unstable();
    let mut saved = names.map(|name| format!("{name} : {}{path}", at("localhost", site.address())));
    saved.sort_unstable();
    assert_eq!(shown, saved);
    let odd = "return document.querySelectorAll('script, img, li b, [onmouseover]').length";
    assert_eq!(browser.run(odd), Json::Number(0.0));
    // Every name can be followed.
    for number in 1..=names.len() {
        browser.open(&home);
        browser.follow(&format!("li:nth-child({number}) a"));
        assert!(browser.url().starts_with(&at("localhost", site.address())), "{}", browser.url());
    }
    // The text of a refusal is one too.
    browser.open(&(home + "<script>document.title='ran'</script>nobody"));
    let text = browser.text("body");
    assert!(text.starts_with("I don't know the name \"<script>"), "{text}");
    assert_ne!(browser.title(), "ran");
}

/// Every octet as `%xx`.
fn percent(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

#[test]
fn its_page_asks_nobody_else_for_anything() {
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    let home = server.at("localhost");
    let _ = browser.asked_for();
    browser.open(&home);
    // A browser asks by itself for the icon of a site whose page names none.
    let icon = format!("{home}favicon.ico");
    let mut asked = browser.asked_for();
    asked.retain(|url| *url != icon);
    assert_eq!(asked, [home.clone(), format!("{home}.static/style.css")]);
    // The style is in force, whatever the policy says.
    let width = browser.run("return getComputedStyle(document.body).maxWidth");
    assert_eq!(width, "672px".into());
    let mut complaints = browser.complaints();
    complaints.retain(|text| !text.starts_with(&icon));
    assert_eq!(complaints, Vec::<String>::new());
}

/// Were there ever a hole in how the page is written, its policy would still hold. The same page
/// without one shows that it is the policy that does it.
#[test]
fn its_policy_stops_what_is_smuggled_into_the_page() {
    let elsewhere = site("ok");
    let server = Bookmark::start();
    let bare = site(fetch(server.program.address(), "/"));
    let browser = Browser::start(Script::Runs);
    let other = at("other.test", elsewhere.address());
    let add = |name: &str, how: &str| {
        format!(
            "return new Promise(done => {{
                const added = document.createElement('{name}');
                added.onload = () => done('loaded');
                added.onerror = () => done('refused');
                {how};
                document.body.append(added);
            }})"
        )
    };
    for (url, guarded) in [(server.at("localhost"), true), (at("localhost", bare.address()), false)]
    {
        browser.open(&url);
        let _ = (browser.complaints(), asked(&elsewhere));

        let inline = "const script = document.createElement('script');
                      script.textContent = 'window.ran = true';
                      document.body.append(script);
                      return window.ran === true";
        assert_eq!(browser.run(inline), Json::Bool(!guarded));
        let handler = "document.body.setAttribute('onclick', 'window.clicked = true');
                       document.body.click();
                       return window.clicked === true";
        assert_eq!(browser.run(handler), Json::Bool(!guarded));
        let script = browser.run(&add("script", &format!("added.src = '{other}script'")));
        let style = format!("added.rel = 'stylesheet'; added.href = '{other}style'");
        let style = browser.run(&add("link", &style));
        let _ = browser.run(&add("img", &format!("added.src = '{other}image'")));
        let send = format!(
            "return fetch('{other}fetch', {{ mode: 'no-cors' }})
                            .then(() => 'loaded', () => 'refused')"
        );
        let sent = browser.run(&send);
        let count = asked(&elsewhere);
        if guarded {
            assert_eq!([script, style, sent], ["refused", "refused", "refused"].map(Json::from));
            assert_eq!(count, 0);
            let complaints = browser.complaints();
            assert!(complaints.len() >= 5, "{complaints:?}");
        } else {
            assert_eq!([script, sent], ["loaded", "loaded"].map(Json::from));
            assert!(count >= 3, "{count}");
        }
    }
}

#[test]
fn its_form_cannot_be_bent_to_another_site_nor_framed() {
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    let elsewhere = site("");
    let home = server.at("localhost");
    browser.open(&home);
    let other = at("other.test", elsewhere.address());
    browser.run(&format!("document.querySelector('form').action = '{other}'"));
    browser.type_into("#longuri", "x");
    browser.type_into("#shortname", "x");
    browser.click("button");
    browser.wait_for("a complaint", || {
        let complaints = browser.complaints();
        complaints.iter().any(|text| text.contains("form-action")).then_some(())
    });
    assert_eq!((browser.url(), asked(&elsewhere)), (home.clone(), 0));

    let framing = site(format!("<iframe src=\"{home}\"></iframe>"));
    browser.open(&at("localhost", framing.address()));
    browser.wait_for("a complaint", || {
        let complaints = browser.complaints();
        complaints.iter().any(|text| text.contains("frame-ancestors")).then_some(())
    });
}
