//! The pages: what was recorded, as HTML.

use std::io::{self, Write};
use std::time::Duration;

use longhand::Limits;
use longhand::wire::Violation;
use longhand_kit::html::Html;

use crate::exchange::Connection;
use crate::recorder::Log;

/// `/` and `--html`: all connections; `asked_by` is the one that asked for the page, whose last
/// exchange comes first.
pub(crate) fn page(connections: &[Connection], asked_by: Option<u32>, now: Duration) -> Html {
    let mut page = Html::new();
    page.raw("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>X-ray</title><h1>X-ray</h1>\n");
    for connection in connections {
        page.raw("<h2>Connection ").text(connection.number);
        if asked_by == Some(connection.number) {
            page.raw(", which asked for this page");
        }
        page.raw("</h2>\n<p>Open for ").text((now - connection.opened).as_secs()).raw(" s\n");
        for exchange in &connection.exchanges {
            page.raw("<p>Request ").text(exchange.number).raw(": ");
            page.text(exchange.request.bytes.len()).raw(" bytes\n");
        }
    }
    page
}

/// `/try`: these bytes, explained as a request would be; with none, the form alone.
pub(crate) fn tried(typed: Option<&str>, limits: &Limits) -> Html {
    let mut page = Html::new();
    page.raw("<!doctype html><title>Try</title>").text(typed.unwrap_or_default());
    let refused = longhand::wire::explain(typed.unwrap_or_default().as_bytes(), limits).violation();
    page.text(refused.as_ref().map_or("", Violation::name));
    page
}

/// `/live`: grows an article for each exchange that is answered, and ends when `ends` says so.
pub(crate) fn live(out: &mut dyn Write, log: &Log, ends: impl Fn() -> bool) -> io::Result<()> {
    let mut seen = 0;
    while !ends() {
        seen = log.wait(seen, Duration::from_millis(500));
        writeln!(out, "<p>{seen} exchanges")?;
        out.flush()?;
    }
    Ok(())
}
