//! What one can ask for: the pages, and targets that show something of HTTP when poked.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use longhand::{Handle, IntoResponse, Limits, Reply, Request, Response, State, Status};
use longhand_kit::form::Form;
use longhand_kit::multipart::{Multipart, PartLimits};
use longhand_kit::router::{Router, parse_param};

use crate::page;
use crate::recorder::Log;

/// Whom the pages are shown to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Who asks for this machine by a name of its own.
    Loopback,
    /// Everybody who can reach it.
    All,
}

/// When `/live` ends.
#[derive(Clone)]
pub(crate) enum Ends {
    Now,
    WithServer(Handle),
}

impl Ends {
    fn have_come(&self) -> bool {
        match self {
            Self::Now => true,
            Self::WithServer(handle) => handle.state() != State::Ready,
        }
    }
}

/// The routes.
pub(crate) fn routes(
    log: &Arc<Log>,
    ends: Ends,
    limits: Limits,
    audience: Audience,
) -> Router<'static> {
    let (recorded, one, live) = (Arc::clone(log), Arc::clone(log), Arc::clone(log));
    Router::new()
        .route("GET /", move |request| {
            admit(request, audience)?;
            let connection = recorded.number_of(request.peer());
            let asked = page::Asked { connection, host: request.authority() };
            let page = recorded.look(|all| page::home(all, asked, recorded.now()));
            Ok::<_, Response>(page::guarded(page))
        })
        .route("GET /seen/{connection}/{request}", move |request| {
            admit(request, audience)?;
            let (number, asked) =
                (parse_param(request, "connection")?, parse_param(request, "request")?);
            let page = one.look(|all| page::one(all, number, asked));
            let gone = || {
                Response::text("That exchange is not recorded, or no longer.\n")
                    .status(Status::NOT_FOUND)
            };
            page.map(page::guarded).ok_or_else(gone)
        })
        .route("GET /live", move |request| {
            admit(request, audience)?;
            let (log, ends) = (Arc::clone(&live), ends.clone());
            let stream = move |out: &mut longhand::BodyWriter<'_>| {
                page::live(out, &log, || ends.have_come())
            };
            let page = Response::stream("text/html; charset=utf-8", stream);
            Ok::<_, Response>(page::guarded(page))
        })
        .route("GET /try", move |request| {
            let form = Form::query(request)?;
            Ok::<_, Response>(page::guarded(page::tried(form.first("bytes"), &limits)))
        })
        .route("/echo", |request| {
            let media =
                request.field("Content-Type").unwrap_or(b"application/octet-stream").to_vec();
            let body = request.body().read_all()?;
            let echo = Response::bytes("application/octet-stream", body);
            // A browser shows what it is sent as what it is called, and scripts are not for echoing.
            let is_text =
                media.starts_with(b"text/plain") || media.starts_with(b"application/x-www");
            let media =
                if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
            Ok::<_, Response>(echo.field("Content-Type", media))
        })
        .route("GET /slow", |_| {
            thread::sleep(Duration::from_secs(1));
            Response::text("a second later\n")
        })
        .route("GET /chunked", |_| {
            Response::stream("text/plain; charset=utf-8", |out| {
                for line in ["one flush,\n", "one chunk:\n", "its size is hexadecimal\n"] {
                    out.write_all(line.as_bytes())?;
                    out.flush()?;
                }
                out.trailer("Server-Note", "trailers come last");
                Ok(())
            })
        })
        .route("GET /redirect", |_| Response::redirect("/"))
        .route("/status/{code}", |request| {
            let code: u16 = parse_param(request, "code")?;
            // 1xx is no final status, and 101 would leave HTTP.
            let status = Status::new(code).filter(|_| (200..600).contains(&code));
            status.map(IntoResponse::into_response).ok_or_else(|| {
                Response::text("expected a status from 200 to 599\n").status(Status::NOT_FOUND)
            })
        })
        .route("GET /form", |_| forms())
        .route("POST /form", submitted)
}

/// A page of another name could be somebody else's, who had that name point here to read what is
/// recorded: it is not shown (RFC 9110 section 7.4). The fix is in the answer.
fn admit(request: &Request<'_>, audience: Audience) -> Result<(), Response> {
    let authority = request.authority();
    let host = authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    let host = host.map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    let is_own = host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        // HTTP/1.0 needs no Host, and no browser speaks it.
        || host.is_empty();
    if is_own || audience == Audience::All {
        return Ok(());
    }
    let text = "expected Host: localhost, or an address of this machine: what is recorded here is \
                not for pages of other names. Started with HOST=0.0.0.0, xray shows it to all.\n";
    Err(Response::text(text).status(Status::MISDIRECTED_REQUEST))
}

fn forms() -> Response {
    let mut page = page::begin(
        "Form",
        "The same fields, sent in two ways. What comes of them is shown byte by byte.",
    );
    for media in ["application/x-www-form-urlencoded", "multipart/form-data"] {
        page.raw("<form method=\"post\" action=\"/form\"").attribute("enctype", media);
        page.raw(">\n<h2>").text(media).raw("</h2>\n<p><label>Word <input name=\"word\" ");
        page.raw("value=\"a&amp;b = c d\"></label></p>\n<p><label>File <input type=\"file\" name=\"file\">");
        page.raw("</label></p>\n<p><button>Send</button></p>\n</form>\n");
    }
    page::end(&mut page);
    page::guarded(page)
}

/// What came, whichever way it was sent.
fn submitted(request: &mut Request<'_>) -> Result<Reply<'static>, Response> {
    let mut page = page::begin("Form", "What came. Its bytes are among the connections.");
    page.raw("<dl>\n");
    let media = request.field("Content-Type").unwrap_or_default();
    if media.to_ascii_lowercase().starts_with(b"multipart/") {
        let mut parts = Multipart::of(request, &PartLimits::default())?;
        while let Some(mut part) = parts.next()? {
            page.raw("<dt>").text(part.name()).raw("</dt><dd>");
            if let Some(file) = part.file_name().map(str::to_owned) {
                let (media, length) =
                    (part.media_type().to_owned(), io::copy(&mut part, &mut io::sink())?);
                page.text(format_args!("file {file:?}, {media}, {length} bytes"));
            } else {
                page.text(part.text()?);
            }
            page.raw("</dd>\n");
        }
    } else {
        for (name, value) in Form::read(request)?.iter() {
            page.raw("<dt>").text(name).raw("</dt><dd>").text(value).raw("</dd>\n");
        }
    }
    page.raw("</dl>\n<p><a href=\"/\">Every byte of it</a></p>\n");
    page::end(&mut page);
    Ok(page::guarded(page))
}
