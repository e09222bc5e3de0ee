//! What holds on every page: it fits a narrow window, in light and in dark colours, and has nothing that
//! shuts somebody out.

use harness::browser::{Browser, Colours, Script};
use harness::json::Json;

use super::picture::keep;
use super::{line, locked, save, sign_in};
use crate::axe::findings;
use crate::{Bookmark, at, percent, site};

/// What would stick out of a narrow page, and what would be markup were it not text.
const LONG: &str = "a_name_of_a_hundred_bytes_that_has_no_blank_and_no_hyphen_at_which_any_line_could_\
                    be_broken_in_two_a";
const MARKUP: &str =
    "<script>document.title='ran'</script><img src=x onerror=document.title='ran'>";

/// A server with bookmarks for some pages, among them such as a page would not expect.
fn full(uri: &str) -> Bookmark {
    let server = Bookmark::start();
    let longest = format!("{uri}{}", "x".repeat(2048 - uri.len()));
    let strange = format!("{uri}#{MARKUP}").replace(' ', "%20");
    let many: Vec<_> = (0..230).map(|number| format!("bookmark-{number:03}")).collect();
    let many = many.iter().map(|name| (name.as_str(), uri));
    let odd =
        [(LONG, &longest[..]), (MARKUP, &strange), ("שלום/مرحبا", uri), ("a b/../c?d#e%", uri)];
    assert_eq!((LONG.len(), longest.len()), (100, 2048));
    server.save(odd.into_iter().chain(many));
    server
}

/// What is wrong with the page that a browser shows, in both colours.
fn faults(page: &str, browser: &Browser) -> Vec<String> {
    let mut faults = Vec::new();
    let mut backgrounds = Vec::new();
    for (colours, width) in [(Colours::Light, 320), (Colours::Dark, 320), (Colours::Dark, 1280)] {
        browser.prefer(colours);
        browser.resize(width, 800);
        let mut fault =
            |text: &str| faults.push(format!("{page}, {colours:?}, {width} px: {text}"));
        findings(browser).iter().for_each(|finding| fault(finding));
        let wide = browser.run("return document.scrollingElement.scrollWidth - innerWidth");
        if wide.number() > Some(0.0) {
            fault(&format!("{wide} px stick out: {}", browser.run(WIDEST)));
        }
        backgrounds.push(browser.run(BACKGROUND));
        keep(&format!("{page}, {colours:?}, {width}.png"), &browser.picture(width));
    }
    let markup = "return document.querySelectorAll('script, img, [onerror]').length";
    if browser.title() == "ran" || browser.run(markup) != Json::Number(0.0) {
        faults.push(format!("{page}: a name became markup"));
    }
    // Perceived lightness, from black, 0, to white, 255.
    if !(backgrounds[0].number() > Some(200.0) && backgrounds[1].number() < Some(60.0)) {
        faults.push(format!("{page}: background light {} dark {}", backgrounds[0], backgrounds[1]));
    }
    faults
}

/// How light the page is behind its text. Where no colour is set, the browser's own is painted, which the
/// system colour `Canvas` is.
const BACKGROUND: &str = "
    const probe = document.createElement('i');
    probe.style.color = 'Canvas';
    document.body.append(probe);
    const canvas = getComputedStyle(probe).color;
    probe.remove();
    const set = [document.body, document.documentElement]
        .map(element => getComputedStyle(element).backgroundColor);
    const painted = set.find(colour => colour !== 'rgba(0, 0, 0, 0)') ?? canvas;
    const [red, green, blue] = painted.match(/[0-9.]+/g).map(Number);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue";

/// The innermost elements that reach beyond the window.
const WIDEST: &str = "
    const wide = [...document.querySelectorAll('*')]
        .filter(element => element.getBoundingClientRect().right > innerWidth);
    return wide.filter(element => !wide.some(other => other !== element && element.contains(other)))
        .map(element => element.outerHTML.slice(0, 100))";

/// Looks at pages, each by its name, and remembers what is wrong with any.
struct Looks {
    browser: Browser,
    wrong: Vec<String>,
}

impl Looks {
    fn begin() -> Self {
        Self { browser: Browser::start(Script::Runs), wrong: Vec::new() }
    }

    /// At the page that is there, which is to have some text: else another was looked at.
    #[track_caller]
    fn look(&mut self, page: &str, wanted: &str) {
        let text = self.browser.text("body");
        assert!(text.contains(wanted), "{page}: {wanted} is not in {text}");
        self.wrong.extend(faults(page, &self.browser));
        self.browser.resize(1280, 800);
    }

    #[track_caller]
    fn open(&mut self, page: &str, url: &str, wanted: &str) {
        self.browser.open(url);
        self.look(page, wanted);
    }

    #[track_caller]
    fn end(self) {
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}

#[test]
fn lists_and_what_is_about_one_bookmark_are_sound_in_both_colours_and_in_a_narrow_window() {
    let site = site("<title>The site</title>");
    let uri = at("localhost", site.address());
    let mut looks = Looks::begin();
    let empty = Bookmark::start();
    looks.open("empty", &empty.at("localhost"), "None yet.");
    let server = full(&uri);
    let home = server.at("localhost");
    looks.open("list", &home, "234 bookmarks");
    looks.open("last page", &format!("{home}?page=3&sort=visits"), "Page 3 of 3");
    let markup = percent(MARKUP);
    looks.open("found", &format!("{home}?q={}", percent(&LONG[..99])), "1 bookmark with");
    looks.open("nothing found", &format!("{home}?q=nobody{markup}"), "Nothing found.");
    for (kind, name) in [("long", percent(LONG)), ("markup", markup)] {
        looks.open(&format!("details, {kind}"), &format!("{home}{name}+"), "Created");
        looks.open(&format!("edit, {kind}"), &format!("{home}.edit/{name}"), "Replace it");
        looks.open(&format!("delete, {kind}"), &format!("{home}.delete/{name}"), "Keep it");
        looks.open(&format!("unknown, {kind}"), &format!("{home}{name}{name}"), "I don't know");
    }
    looks.end();
}

#[test]
fn what_is_said_where_something_does_not_go_is_sound_in_both_colours_and_in_a_narrow_window() {
    let site = site("<title>The site</title>");
    let uri = at("localhost", site.address());
    let mut looks = Looks::begin();
    let server = full(&uri);
    let home = server.at("localhost");
    for (page, uri, name, wanted) in [
        ("bad URI", MARKUP, "x", "cannot be fetched"),
        ("bad name", &*uri, ".x", "Not saved. "),
        ("circle", &*format!("{home}x"), "x", "lead back to itself"),
    ] {
        looks.browser.open(&home);
        save(&looks.browser, uri, name);
        looks.look(page, wanted);
    }
    looks.browser.open(&format!("{home}.edit/{}", percent("a b/../c?d#e%")));
    server.save([("a b/../c?d#e%", &*format!("{uri}other"))]);
    looks.browser.follow("main form button");
    looks.look("edit, conflict", "Nothing was changed");
    looks.browser.open(&format!("{home}.edit/bookmark-000"));
    looks.browser.clear("#longuri");
    looks.browser.type_into("#longuri", MARKUP);
    looks.browser.follow("main form button");
    looks.look("edit, bad URI", "cannot be fetched");
    looks.browser.open(&format!("{home}.delete/bookmark-000"));
    server.save([("bookmark-000", &*format!("{uri}other"))]);
    looks.browser.follow("main form button");
    looks.look("delete, conflict", "Nothing was changed");
    looks.browser.open(&format!("{home}.edit/bookmark-001"));
    server.delete("bookmark-001");
    looks.browser.follow("main form button");
    looks.look("edit, gone", "was deleted meanwhile");
    looks.open("bad query", &format!("{home}?sort=nothing"), "wanted name, newest or visits");
    let foreign = format!("<form method=POST action=\"{home}\"><button>Yes!</button></form>");
    let foreign = crate::site(foreign);
    looks.browser.open(&at("other.test", foreign.address()));
    looks.browser.follow("button");
    looks.look("foreign", "Nothing was done");
    looks.end();
}

#[test]
fn signing_in_and_importing_are_sound_in_both_colours_and_in_a_narrow_window() {
    let mut looks = Looks::begin();
    let server = locked(&[("PRIVATE", "1")]);
    let home = server.at("localhost");
    looks.open("sign in", &home, "Whoever runs this server");
    sign_in(&looks.browser, "shut");
    looks.look("sign in, wrong", "not the password");
    sign_in(&looks.browser, "open");
    looks.look("empty, signed in", "Sign out");
    looks.open("import", &format!("{home}.import"), "At most 16 MiB");
    let mut import = |page: &str, lines: &str, wanted: &str| {
        let file = looks.browser.folder().join("file");
        std::fs::write(&file, lines).unwrap();
        looks.browser.open(&format!("{home}.import"));
        looks.browser.type_into("#file", file.to_str().unwrap());
        looks.browser.click("#check");
        looks.browser.follow("main form button");
        looks.look(page, wanted);
    };
    import("import, wrong", MARKUP.replace('<', " ").as_str(), "found `");
    let skipped = line(LONG, &"x".repeat(2048)) + &line(MARKUP, "javascript:1") + "no JSON\n";
    import("import, done", &(line(LONG, "http://a.example/") + &skipped), "1 saved, 3 skipped.");
    looks.browser.open(&home);
    looks.browser.forget_cookies();
    save(&looks.browser, "http://a.example/", "a");
    looks.look("sign in, for a form", "A password is needed");
    // More than any limit that would be one.
    for _ in 0..100 {
        if looks.browser.text("[role=alert]").contains("wait") {
            looks.look("sign in, too often", "Too many wrong passwords");
            looks.end();
            return;
        }
        sign_in(&looks.browser, "shut");
    }
    panic!("somebody who guesses is not slowed down");
}
