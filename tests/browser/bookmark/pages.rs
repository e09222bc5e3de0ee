//! What holds on every page: it fits a narrow window, in light and in dark colours, and has nothing that
//! shuts somebody out.

use harness::browser::{Browser, Colours, Script};
use harness::json::Json;

use crate::axe::findings;
use crate::{Bookmark, at, site};

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
    }
    let markup = "return document.querySelectorAll('script, img, [onerror]').length";
    if browser.title().contains("ran") || browser.run(markup) != Json::Number(0.0) {
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

#[test]
fn every_page_is_sound_in_both_colours_and_in_a_narrow_window() {
    let site = site("<title>The site</title>");
    let uri = at("localhost", site.address());
    let browser = Browser::start(Script::Runs);
    let mut wrong = Vec::new();
    let mut look = |page: &str, url: &str| {
        browser.open(url);
        wrong.extend(faults(page, &browser));
    };
    let empty = Bookmark::start();
    look("empty", &empty.at("localhost"));
    let server = full(&uri);
    look("list", &server.at("localhost"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
