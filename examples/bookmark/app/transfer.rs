//! Import and export, as requests.
//!
//! The answer to an import is itself the page that shows how far it is: it is sent as it is made, and of
//! its lines that say how far only the last is in sight. So there is no list of imports to keep, another
//! instance behind a balancer need not know of it, and to close the page is to stop it.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use longhand::{BodyWriter, Reply, Request, Response, State, Status};
use longhand_kit::form::Form;
use longhand_kit::html::Html;
use longhand_kit::multipart::{Multipart, PartLimits};

use super::App;
use super::save::unanswered;
use crate::check::Outcome;
use crate::json::{Object, quoted};
use crate::names::way;
use crate::page::forms::{Field, import};
use crate::page::{END, Reader, begin, messages, reader};
use crate::rules::{Name, Uri};
use crate::time::seconds;
use crate::transfer::import::{Import, Report};
use crate::transfer::{Item, Skipped, jsonl, netscape, read};
use crate::trouble::{Trouble, log};
use crate::wants::Wants;

/// Bytes of a file.
const FILE: u64 = 16 << 20;

/// Bookmarks that an export reads in one step.
const STEP: usize = 500;

/// Skipped bookmarks that a report names.
const NAMED: usize = 1_000;

/// Between two lines that say how far it is.
const PAUSE: Duration = Duration::from_millis(250);

impl App {
    /// All bookmarks, as a file.
    pub(super) fn export<'s>(&'s self, request: &Request<'_>) -> Result<Reply<'s>, Trouble> {
        let query = Form::query(request).unwrap_or_default();
        let html = match query.first("format").unwrap_or("jsonl") {
            "jsonl" => false,
            "html" => true,
            other => {
                let text = messages::bad_query("format", other, "jsonl or html");
                return Err(Trouble::new(Status::BAD_REQUEST, text));
            }
        };
        // A file that takes the place of this server's bookmarks is to have every visit. A store that cannot
        // be written has it later.
        if let Err(error) = self.visits.write() {
            log(&error);
        }
        // What cannot be read is said before anything is sent.
        self.store.walk(None, 1, &mut |_, _| {})?;
        let (media_type, name) = if html {
            ("text/html; charset=utf-8", "attachment; filename=\"bookmarks.html\"")
        } else {
            ("application/jsonl; charset=utf-8", "attachment; filename=\"bookmarks.jsonl\"")
        };
        let file = Reply::stream(media_type, move |out| self.write_all(out, html));
        Ok(file.field("Content-Disposition", name))
    }

    /// In steps, between which others get at the store: a client that reads slowly holds nothing.
    fn write_all(&self, out: &mut BodyWriter<'_>, html: bool) -> io::Result<()> {
        if html {
            out.write_all(netscape::BEGIN.as_bytes())?;
        }
        let line = if html { netscape::line } else { jsonl::line };
        let mut last = None;
        loop {
            let mut lines = String::new();
            let step = self.store.walk(last.as_deref(), STEP, &mut |name, kept| {
                lines += &line(name, kept);
            });
            last = step.map_err(io::Error::other)?;
            out.write_all(lines.as_bytes())?;
            if last.is_none() {
                break;
            }
        }
        if html { out.write_all(netscape::END.as_bytes()) } else { Ok(()) }
    }

    pub(super) fn import_page(request: &Request<'_>) -> Response {
        Response::html(import(reader(request), None))
    }

    /// Imports a file while the answer is sent.
    pub(super) fn import<'s>(&'s self, request: &mut Request<'_>) -> Result<Reply<'s>, Trouble> {
        let reader = reader(request);
        let refuse = |status, text: String| {
            let page = import(reader, Some((Field::File, &text)));
            Trouble::new(status, text).with_page(page)
        };
        let query = Form::query(request)
            .map_err(|bad| refuse(Status::BAD_REQUEST, format!("The query: {bad}.")))?;
        if let Some(other) = query.first("check").filter(|check| !matches!(*check, "0" | "1")) {
            let text = messages::bad_query("check", other, "0 or 1");
            return Err(refuse(Status::BAD_REQUEST, text));
        }
        let busy = || {
            let text = "Nothing was imported: others are importing. Please try again shortly.";
            let busy = refuse(Status::SERVICE_UNAVAILABLE, text.to_owned());
            busy.field("Retry-After", "5")
        };
        let Some(upload) = self.uploads.take(Instant::now()) else { return Err(busy()) };
        let (bytes, check) = match receive(request) {
            Ok(received) => received,
            Err(error) => {
                let text = format!("Nothing was imported: {error}.");
                return Err(refuse(Response::from(error).status_code(), text));
            }
        };
        let Some(place) = self.imports.take(Instant::now()) else { return Err(busy()) };
        let found = read(&bytes).map_err(|text| refuse(Status::BAD_REQUEST, text))?;
        drop((bytes, upload));
        let is_own = self.is_own(request);
        let (local, now) = (request.local(), seconds(request.wall()));
        let way = move |name: &Name, uri: &Uri| way(&*self.store, name, uri, &is_own);
        let judge = move |uri: &Uri| {
            if !check {
                return Ok(());
            }
            let outcome = self.checker.check(uri, local);
            self.tally.checked(&outcome);
            match outcome {
                Outcome::Answered => Ok(()),
                Outcome::Busy => Err(messages::BUSY.to_owned()),
                Outcome::Failed(reason, told) => {
                    log(&reason);
                    Err(unanswered(uri.as_str(), told))
                }
            }
        };
        let work = move |found, tell: &mut dyn FnMut(usize) -> io::Result<()>| {
            let _place = place;
            let ending = || self.server.state() == State::Draining;
            let (store, slow) = (&*self.store, check);
            let saved = |count| self.tally.saved(count);
            Import { store, way: &way, judge: &judge, slow, now, saved: &saved, ending: &ending }
                .run(found, tell)
        };
        if Wants::of(request) == Wants::Json {
            return Ok(Reply::stream("application/json", move |out| {
                // A blank before a value says nothing (RFC 8259 section 2), but to whom it is sent: who is gone
                // is found out by it.
                let mut said = Instant::now();
                let report = work(found, &mut |_| {
                    if said.elapsed() < PAUSE {
                        return Ok(());
                    }
                    said = Instant::now();
                    out.write_all(b" ").and_then(|()| out.flush())
                })?;
                out.write_all(as_json(&report).as_bytes())
            }));
        }
        let page =
            Reply::stream("text/html; charset=utf-8", move |out| show(out, reader, found, work));
        // nginx would gather it, and nobody would see how far it is.
        Ok(page.field("X-Accel-Buffering", "no"))
    }
}

/// The file of a request, and whether what is in it is to be checked. From a form, or as the body
/// itself, as `curl --data-binary` sends it.
fn receive(request: &mut Request<'_>) -> io::Result<(Vec<u8>, bool)> {
    request.body().limit(FILE);
    let media_type = request.field_text("Content-Type").unwrap_or_default();
    if !media_type.to_ascii_lowercase().starts_with("multipart/") {
        let query = Form::query(request).unwrap_or_default();
        return Ok((request.body().read_all()?, query.first("check") != Some("0")));
    }
    let limits = PartLimits { parts: 10, file: FILE, ..PartLimits::default() };
    let (mut file, mut check) = (Vec::new(), false);
    let mut form = Multipart::of(request, &limits)?;
    while let Some(mut part) = form.next()? {
        match part.name() {
            "file" => drop(part.read_to_end(&mut file)?),
            "check" => check = true,
            _ => {}
        }
    }
    Ok((file, check))
}

/// The page of an import, as it goes on.
fn show(
    out: &mut BodyWriter<'_>,
    reader: Reader,
    found: Vec<Result<Item, Skipped>>,
    work: impl FnOnce(
        Vec<Result<Item, Skipped>>,
        &mut dyn FnMut(usize) -> io::Result<()>,
    ) -> io::Result<Report>,
) -> io::Result<()> {
    let total = found.iter().filter(|it| it.is_ok()).count();
    let mut page = begin("Import – Bookmark Server", reader);
    page.raw("<h1>Import</h1>\n<div role=\"status\">\n");
    out.write_all(page.as_str().as_bytes())?;
    let mut said: Option<Instant> = None;
    let mut tell = |done: usize| {
        if said.is_some_and(|said| said.elapsed() < PAUSE) {
            return Ok(());
        }
        said = Some(Instant::now());
        let mut line = Html::new();
        line.raw("<p class=\"now\"><progress aria-label=\"Import\"").attribute("value", done);
        line.attribute("max", total).raw("></progress> ");
        line.text(done).raw(" of ").text(total).raw(" …</p>\n");
        out.write_all(line.as_str().as_bytes())?;
        out.flush()
    };
    tell(0)?;
    let report = work(found, &mut tell)?;
    let mut page = Html::new();
    page.raw("<p class=\"now note\">").text(summary(&report)).raw("</p>\n</div>\n");
    if !report.skipped.is_empty() {
        page.raw("<h2>Skipped</h2>\n<ul class=\"skipped\">\n");
        for Skipped { line, name, uri, why } in report.skipped.iter().take(NAMED) {
            page.raw("<li>Line ").text(line).raw(", <bdi>").text(name).raw("</bdi> : ");
            page.text(uri).raw("<br>").text(why).raw("</li>\n");
        }
        page.raw("</ul>\n");
        if report.skipped.len() > NAMED {
            page.raw("<p>And ").text(report.skipped.len() - NAMED).raw(" more.</p>\n");
        }
    }
    page.raw("<p><a href=\"/\">All bookmarks</a></p>\n").raw(END);
    out.write_all(page.as_str().as_bytes())
}

fn summary(report: &Report) -> String {
    let mut text = format!("{} saved, {} skipped.", report.saved, report.skipped.len());
    if let Some(why) = &report.stopped {
        let left = report.left;
        text += &format!(" It stopped with {left} left: {why} Import the same file again later.");
    }
    text
}

fn as_json(report: &Report) -> String {
    let skipped: Vec<String> = report
        .skipped
        .iter()
        .take(NAMED)
        .map(|Skipped { line, name, uri, why }| {
            let object = Object::new().raw("line", line).text("name", name);
            object.text("uri", uri).text("why", why).end()
        })
        .collect();
    let object = Object::new().raw("saved", report.saved).raw("skipped", report.skipped.len());
    let object = object.raw("why", format_args!("[{}]", skipped.join(",")));
    let stopped = report.stopped.as_ref().map_or("null".to_owned(), |why| quoted(why));
    object.raw("left", report.left).raw("stopped", stopped).end() + "\n"
}
