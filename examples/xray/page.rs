//! The pages: what was recorded, as HTML that needs no script and loads nothing.
//!
//! Each is one response, with its style inside. Every byte of a peer's is text in it; the policy
//! that goes with it lets the one style in, by its hash, and nothing else.

mod ledger;
mod live;
mod meaning;
mod notes;
mod bytes;
mod try_it;

use std::sync::LazyLock;
use std::time::Duration;

use longhand::wire::Part;
use longhand::{IntoResponse, Reply};
use longhand_kit::html::Html;
use longhand_kit::{base64, mac};

use crate::exchange::{Connection, Exchange, Message};

use bytes::Place;
pub(crate) use live::live;
pub(crate) use try_it::tried;

/// How bytes look, wherever they are shown.
pub(crate) const BYTES_CSS: &str = include_str!("page/bytes.css");

/// The same in the themes of the documentation.
pub(crate) const THEMES_CSS: &str = concat!(
    ":is([data-theme=dark], [data-theme=ayu]) .xray { ",
    include_str!("page/dark.css"),
    "}\n.xray .ledger tbody tr:not(:target):nth-child(n) { background: none }\n"
);

/// All of a page's style: its own, and that of bytes, in the light and in the dark.
const STYLE: &str = concat!(
    include_str!("page/bytes.css"),
    include_str!("page/page.css"),
    "@media (prefers-color-scheme: dark) { .xray { ",
    include_str!("page/dark.css"),
    "} }\n"
);

/// What the pages may load (nothing) and do: they have one style, and forms for this server.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = base64::encode(mac::sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
});

/// The fields that go with every page.
pub(crate) fn guarded<'s>(page: impl IntoResponse<'s>) -> Reply<'s> {
    page.into_response()
        .field("Cache-Control", "no-store")
        .field("Content-Security-Policy", POLICY.as_str())
        .field("X-Content-Type-Options", "nosniff")
}

/// A page up to its heading: `main` is open.
pub(crate) fn begin(title: &str, lead: &str) -> Html {
    let mut page = Html::new();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")
        .text(title);
    page.raw(
        "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    );
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<style>").raw(STYLE);
    page.raw("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the bytes</a>\n<header class=\"xray\"><nav aria-label=\"Pages\">");
    page.raw("<a href=\"/\">X-ray</a> <a href=\"/live\">Live</a> <a href=\"/try\">Try</a> <a href=\"/form\">Form</a>");
    page.raw("</nav></header>\n<main id=\"main\" class=\"xray\">\n<h1>")
        .text(title)
        .raw("</h1>\n<p class=\"lead\">");
    page.text(lead).raw("</p>\n");
    page
}

/// The end of a page that [`begin`] began.
pub(crate) fn end(page: &mut Html) {
    page.raw("</main>\n</body>\n</html>\n");
}

/// Who asks for the page.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) connection: Option<u32>,
    /// By which name: the commands to paste have it too.
    pub(crate) host: &'a str,
}

/// `/`: the request that asks for it, then all connections and what to do next.
pub(crate) fn home(connections: &[Connection], asked: Asked<'_>, now: Duration) -> Html {
    let lead = "Every byte of the request that fetched this page, named by the parser that read it. \
                Choose some, and they lead to what they mean.";
    let mut page = begin("X-ray", lead);
    let asking = connections.iter().find(|one| asked.connection == Some(one.number));
    if let Some((connection, exchange)) = asking.and_then(|one| Some((one, one.exchanges.last()?)))
    {
        page.raw("<section>\n").piece(&heading(connection, exchange));
        page.piece(&message(&exchange.request, "Request", None, Place { page: "", ids: "q" }));
        page.raw("<p>The answer is this page. A page cannot hold its own bytes; <a");
        page.attribute("href", format_args!("/seen/{}/{}", connection.number, exchange.number));
        page.raw(">they are there</a> now that it has been sent.</p>\n</section>\n");
    }
    page.piece(&table(connections, now)).piece(&poke(asked.host));
    end(&mut page);
    page
}

/// `/seen/3/1`: request 1 of connection 3, if it is still recorded.
pub(crate) fn one(connections: &[Connection], number: u32, request: u32) -> Option<Html> {
    let connection = connections.iter().find(|one| one.number == number)?;
    let exchange = connection.exchanges.iter().find(|exchange| exchange.number == request)?;
    Some(seen(&summary(exchange), connection, std::slice::from_ref(exchange)))
}

/// Exchanges with all that is known of them.
pub(crate) fn seen(title: &str, connection: &Connection, exchanges: &[Exchange]) -> Html {
    let lead = "Every byte of both sides, named by the parser that read it.";
    let mut page = begin(title, lead);
    for exchange in exchanges {
        let ids = if exchanges.len() > 1 { format!("e{}", exchange.number) } else { String::new() };
        page.raw("<section>\n").piece(&heading(connection, exchange));
        page.piece(&whole(exchange, &ids)).raw("</section>\n");
    }
    end(&mut page);
    page
}

/// Both sides of an exchange.
pub(crate) fn whole(exchange: &Exchange, ids: &str) -> Html {
    let mut page = Html::new();
    let request = format!("{ids}q");
    let refused = exchange.refusal().map(|refusal| notes::refused(exchange, refusal));
    let request = Place { page: "", ids: &request };
    let title = if exchange.request.is_response() { "Response" } else { "Request" };
    page.piece(&message(&exchange.request, title, refused.as_ref(), request));
    // A server sends one, and perhaps a 100 before it.
    for (response, letter) in exchange.responses.iter().zip('a'..='z') {
        let title = if response.part(Part::Status).starts_with(b"1") {
            "Interim response"
        } else {
            "Response"
        };
        let ids = format!("{ids}{letter}");
        page.piece(&message(response, title, None, Place { page: "", ids: &ids }));
    }
    page
}

/// A message: why it was refused if it was, bytes, notes, ledger, dump.
fn message(
    message: &Message,
    title: &'static str,
    refused: Option<&Html>,
    place: Place<'_>,
) -> Html {
    let mut page = Html::new();
    page.raw("<h3>").raw(title).raw(" <small>").text(message.bytes.len() as u64 + message.missed);
    page.raw(" bytes</small></h3>\n").piece(refused.unwrap_or(&Html::new()));
    page.piece(&bytes::rows(message, place)).piece(&notes::notes(message));
    page.piece(&notes::edges(message))
        .piece(&ledger::ledger(message, place))
        .piece(&ledger::dump(message));
    page
}

fn heading(connection: &Connection, exchange: &Exchange) -> Html {
    let mut heading = Html::new();
    heading.raw("<h2>Connection ").text(connection.number).raw(", request ").text(exchange.number);
    if let Some(peer) = connection.peer {
        heading.raw(" <small>from ").text(peer).raw("</small>");
    }
    heading.raw("</h2>\n");
    heading
}

/// All connections, idle ones too.
fn table(connections: &[Connection], now: Duration) -> Html {
    let mut table = Html::new();
    table.raw("<section>\n<h2>Connections</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Connections\"><table>\n<thead><tr>");
    for column in ["No.", "From port", "Opened", "Reads", "Exchanges", "State"] {
        table.raw("<th scope=\"col\">").raw(column).raw("</th>");
    }
    table.raw("</tr></thead>\n<tbody>\n");
    for one in connections.iter().rev() {
        table.raw("<tr><th scope=\"row\">").text(one.number).raw("</th><td>");
        table.text(one.peer.map_or(0, |peer| peer.port())).raw("</td><td>");
        table
            .text((now.saturating_sub(one.opened)).as_secs())
            .raw(" s ago</td><td>")
            .text(one.reads)
            .raw("</td><td>");
        for exchange in &one.exchanges {
            table
                .raw("<a")
                .attribute("href", format_args!("/seen/{}/{}", one.number, exchange.number))
                .raw(">");
            table.text(summary(exchange)).raw("</a> ");
        }
        table.raw("</td><td>").text(state(one, now)).raw("</td></tr>\n");
    }
    table.raw("</tbody>\n</table></div>\n</section>\n");
    table
}

/// `GET /hi 200`, as far as it has come.
pub(crate) fn summary(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let target = request.spans.iter().find(|span| span.0 == Part::Target);
    let target = target.map_or(0..0, |(_, at)| at.clone());
    let shown = target.clone().take(24).map(|at| crate::part::glyph(request.shown(at)));
    let cut = if target.len() > 24 { "…" } else { "" };
    let or =
        |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let status = exchange.response().map_or(&[][..], |response| response.part(Part::Status));
    let status = or(&String::from_utf8_lossy(status), "…");
    format!("{} {}{cut} {status}", or(&request.method(), "?"), shown.collect::<String>())
}

fn state(connection: &Connection, now: Duration) -> String {
    let open = now.saturating_sub(connection.opened).as_secs();
    match connection.closed {
        Some((at, why)) => {
            format!("closed after {:.1} s: {why}", (at - connection.opened).as_secs_f32())
        }
        None if connection.reads == 0 => {
            format!("open {open} s, no byte yet: browsers do this, to have one ready")
        }
        None => "open".to_owned(),
    }
}

/// What to do next.
fn poke(host: &str) -> Html {
    let mut page = Html::new();
    page.raw("<section>\n<h2>Poke it</h2>\n<ul class=\"poke\">\n");
    for (path, words) in [
        ("/chunked", "answers in pieces, with a trailer"),
        ("/redirect", "sends you back here: two requests"),
        ("/slow", "takes a second"),
        ("/status/418", "or any status from 200 to 599"),
        ("/form", "sends the same fields in two ways"),
        ("/try", "reads bytes that you type"),
        ("/live", "never ends, and grows with each request"),
    ] {
        page.raw("<li><a")
            .attribute("href", path)
            .raw(">")
            .raw(path)
            .raw("</a> ")
            .raw(words)
            .raw("</li>\n");
    }
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    page.raw("</ul>\n<h3>From a terminal</h3>\n<pre tabindex=\"0\">curl -i -d hello http://")
        .text(host);
    page.raw("/echo\ncargo run --example wire -- ").text(host);
    page.raw("\nprintf &#39;GET /chunked HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n&#39; | nc ")
        .text(name)
        .raw(" ")
        .text(port);
    page.raw("</pre>\n</section>\n");
    page
}
