//! Ten thousand bookmarks: search, order, pages.

use harness::browser::Browser;

use super::{BOTH, line};
use crate::Bookmark;

/// How many there are; a page shows 100.
const MANY: usize = 10_000;

/// Names from 00000 on. Each third leads to another host, which a search can find; of the last two, one
/// is the youngest and one the most visited.
fn full() -> Bookmark {
    let server = Bookmark::start();
    let mut lines = String::new();
    for number in 0..MANY {
        let host = if number % 3 == 0 { "third.example" } else { "www.example" };
        let more = match number {
            9_998 => {
                ",\"visits\":41,\"last\":\"2021-01-01T00:00:00Z\",\"created\":\"2020-01-01T00:00:00Z\""
            }
            9_999 => ",\"created\":\"2021-01-01T00:00:00Z\"",
            _ => ",\"created\":\"2020-01-01T00:00:00Z\"",
        };
        let line = line(&format!("{number:05}"), &format!("http://{host}/{number}"));
        lines += &line.replace("}\n", &format!("{more}}}\n"));
    }
    server.import(&lines);
    server
}

/// The first bookmark of a list, and how many the list says there are.
fn seen(browser: &Browser) -> (String, String, usize) {
    let count = browser.texts(".pair").len();
    (browser.text(".list li:first-child .pair a"), browser.text("[role=status]"), count)
}

fn sees(first: &str, status: &str, count: usize) -> (String, String, usize) {
    (first.to_owned(), status.to_owned(), count)
}

#[test]
fn ten_thousand_are_searched_ordered_and_turned_over_with_script_and_without() {
    let server = full();
    for script in BOTH {
        let browser = Browser::start(script);
        browser.open(&server.at("localhost"));
        assert_eq!(seen(&browser), sees("00000", "10000 bookmarks", 100));
        assert_eq!(browser.text(".pages"), "Page 1 of 100\nNext →");
        browser.follow(".pages a[rel=next]");
        assert_eq!(seen(&browser), sees("00100", "10000 bookmarks", 100));
        browser.follow(".pages a[rel=prev]");
        assert_eq!(seen(&browser), sees("00000", "10000 bookmarks", 100));

        // An order begins on the first page, and stays with a search.
        browser.follow(".tools nav li:nth-child(2) a");
        assert_eq!(seen(&browser), sees("09999", "10000 bookmarks", 100));
        browser.follow(".tools nav li:nth-child(3) a");
        assert_eq!(seen(&browser), sees("09998", "10000 bookmarks", 100));
        assert_eq!(browser.text(".tools [aria-current]"), "Most visited");
        assert!(browser.text(".list li:first-child .meta").starts_with("41 visits"));

        // Words may come in any order and case, each from the name or the URI.
        browser.type_into("#q", "Third.EXAMPLE 9");
        browser.submit("#q");
        let status = "1147 bookmarks with “Third.EXAMPLE 9” · show all";
        assert_eq!(seen(&browser), sees("00009", status, 100), "{script:?}");
        assert_eq!(browser.text(".tools [aria-current]"), "Most visited");
        browser.follow(".pages a[rel=next]");
        assert_eq!(seen(&browser), sees("01191", status, 100));
        assert_eq!(browser.value("#q"), "Third.EXAMPLE 9");
        browser.follow("[role=status] a");
        assert_eq!(seen(&browser), sees("00000", "10000 bookmarks", 100));

        // The button does what the enter key does.
        browser.type_into("#q", "/1234");
        browser.follow(".seek button");
        let status = "1 bookmark with “/1234” · show all";
        assert_eq!(seen(&browser), sees("01234", status, 1));
        browser.open(&(server.at("localhost") + "?page=100"));
        assert_eq!(seen(&browser), sees("09900", "10000 bookmarks", 100));
        assert_eq!(browser.text(".pages"), "← Previous\nPage 100 of 100");
    }
}

#[test]
fn a_search_for_nothing_that_there_is_says_so_and_leads_back() {
    let server = Bookmark::start();
    server.import(&line("a", "http://a.example/"));
    for script in BOTH {
        let browser = Browser::start(script);
        browser.open(&server.at("localhost"));
        browser.type_into("#q", "<script>nobody");
        browser.submit("#q");
        assert_eq!(browser.text("[role=status]"), "0 bookmarks with “<script>nobody” · show all");
        assert!(browser.text("main").contains("Nothing found."), "{}", browser.text("main"));
        assert_eq!(browser.value("#q"), "<script>nobody");
        browser.follow("[role=status] a");
        assert_eq!(browser.texts(".pair"), ["a : http://a.example/"]);
    }
}
