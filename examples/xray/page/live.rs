//! `/live`: a page that never ends. Its body is chunked, and each exchange that is answered adds an
//! article, so it is live without a script, and a lesson in chunks itself.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::bytes::{Place, rows};
use super::{begin, end, summary};
use crate::exchange::{Connection, Exchange};
use crate::recorder::Log;
use longhand_kit::html::Html;

/// Grows until `ends` says so.
pub(crate) fn live(out: &mut dyn Write, log: &Log, ends: impl Fn() -> bool) -> io::Result<()> {
    let lead = "This page never ends: each request that is answered adds an article, in a chunk of its own.";
    // Before the first chunk: who has read that finds all that comes after it.
    let mut shown = BTreeSet::new();
    log.look(|all| shown.extend(answered(all).map(|(number, exchange)| (number, exchange.number))));
    send(out, &begin("Live", lead))?;
    let (mut seen, mut beat) = (0, Instant::now());
    while !ends() {
        seen = log.wait(seen, Duration::from_millis(500));
        let mut news = Vec::new();
        log.look(|all| {
            shown.retain(|(one, _)| all.iter().any(|left| left.number == *one));
            for (number, exchange) in answered(all) {
                if shown.insert((number, exchange.number)) {
                    news.push(article(number, exchange));
                }
            }
        });
        for article in &news {
            send(out, article)?;
        }
        // Only who is written to is found to be gone, and gives back the seat.
        if news.is_empty() && beat.elapsed() >= Duration::from_secs(5) {
            beat = Instant::now();
            out.write_all(b"<!-- -->\n")?;
            out.flush()?;
        }
    }
    let mut last = Html::new();
    last.raw("<p class=\"lead\">The server is ending: this is the last chunk.</p>\n");
    end(&mut last);
    send(out, &last)
}

fn answered(all: &[Connection]) -> impl Iterator<Item = (u32, &Exchange)> {
    let exchanges = all.iter().flat_map(|one| one.exchanges.iter().map(|each| (one.number, each)));
    exchanges.filter(|(_, exchange)| exchange.is_answered())
}

fn article(number: u32, exchange: &Exchange) -> Html {
    let mut page = Html::new();
    let there = format!("/seen/{number}/{}", exchange.number);
    page.raw("<article>\n<h2><a").attribute("href", &there).raw(">Connection ").text(number);
    page.raw(", request ")
        .text(exchange.number)
        .raw("</a> <small>")
        .text(summary(exchange))
        .raw("</small></h2>\n");
    page.piece(&rows(&exchange.request, Place { page: &there, ids: "q" }));
    for (response, ids) in exchange.responses.iter().zip(["a", "b", "c", "d"]) {
        page.piece(&rows(response, Place { page: &there, ids }));
    }
    page.raw("</article>\n");
    page
}

fn send(out: &mut dyn Write, page: &Html) -> io::Result<()> {
    out.write_all(page.as_str().as_bytes())?;
    out.flush()
}
