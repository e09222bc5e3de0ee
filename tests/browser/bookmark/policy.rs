//! What strangers chose stays text, and were it not, the policy of the pages would still hold.

use harness::browser::{Browser, Script};
use harness::json::Json;

use super::save;
use crate::{Bookmark, asked, at, fetch, percent, site};

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
    let shown =
        browser.run("return [...document.querySelectorAll('.pair')].map(pair => pair.innerText)");
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
        browser.follow(&format!(".list li:nth-child({number}) .pair a"));
        assert!(browser.url().starts_with(&at("localhost", site.address())), "{}", browser.url());
    }
    // The text of a refusal is one too.
    browser.open(&(home + "<script>document.title='ran'</script>nobody"));
    let text = browser.text("[role=alert]");
    assert!(text.starts_with("I don't know the name \"<script>"), "{text}");
    assert_ne!(browser.title(), "ran");
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
    let own = format!("{home}.static/");
    assert!(asked.len() >= 2 && asked[0] == home, "{asked:?}");
    assert!(asked[1..].iter().all(|url| url.starts_with(&own)), "{asked:?}");
    // The style is in force, whatever the policy says.
    let width = browser.run("return getComputedStyle(document.querySelector('main')).maxWidth");
    assert_eq!(width, "736px".into());
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
