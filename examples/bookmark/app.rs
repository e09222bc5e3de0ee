//! Which request is answered how.
//!
//! A request enters, a response leaves; what they have in common (who may save, the fields of every
//! response) is done here once, the rest is a table of methods and names.
//!
//! The empty name is the page with the form. Names that begin with `.` are the program's own, and a
//! visitor's bookmark can never hide one. Every other path is a name: percent-decoded, so that
//! `/a%2Fb` and `/a/b` are the same, and without its query.

use std::fmt::Display;
use std::io::{self, Write};
use std::str;

use longhand::{FieldValue, Handle, Request, Response, Status};
use longhand_kit::cross_origin::Guard;
use longhand_kit::form::Form;
use longhand_kit::health::{self, Leaving};

use crate::check::{Checker, Outcome};
use crate::page;
use crate::rules::{Name, Uri};
use crate::store::{Change, Kept, Store, StoreError, When};
use crate::time::seconds;

/// The methods of names, and of the program's own pages.
const ALL: &str = "GET, HEAD, OPTIONS, POST";
const READING: &str = "GET, HEAD, OPTIONS";

/// What all requests share.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) checker: Checker,
    /// Against other sites' forms.
    pub(crate) guard: Guard,
    pub(crate) server: Handle,
}

impl App {
    /// Answers one request.
    pub(crate) fn answer(&self, request: &mut Request<'_>) -> Response {
        let mut response = self.route(request);
        for (name, value) in page::FIELDS {
            response = response.field(name, value);
        }
        match response.field_value("Cache-Control") {
            Some(_) => response,
            None => response.field("Cache-Control", "no-store"),
        }
    }

    fn route(&self, request: &mut Request<'_>) -> Response {
        if let Err(reason) = self.guard.admit(request) {
            return refusal(Status::FORBIDDEN, page::forbidden(&reason));
        }
        let name = name_of(request);
        let own = name.starts_with(b".");
        let allowed = if own { READING } else { ALL };
        match (request.method(), name.as_slice()) {
            ("GET" | "HEAD", b"") => self.index(),
            ("GET" | "HEAD", b".healthz") => health::answer(self.server.state(), Leaving::NotFound),
            ("GET" | "HEAD", page::STYLE_NAME) => style(),
            ("GET" | "HEAD", name) => self.look_up(name),
            ("POST", _) if !own => self.save(request),
            ("OPTIONS", _) => Response::new(Status::NO_CONTENT).field("Allow", allowed),
            (method, _) => {
                let text = page::not_allowed(method, allowed);
                refusal(Status::METHOD_NOT_ALLOWED, text).field("Allow", allowed)
            }
        }
    }

    fn index(&self) -> Response {
        match list(&*self.store) {
            // A browser may keep it for its back button, but asks before it shows it again.
            Ok(listed) => Response::html(page::index(&listed)).field("Cache-Control", "no-cache"),
            Err(error) => not_read(&error),
        }
    }

    fn look_up(&self, name: &[u8]) -> Response {
        // What is no text is no name; and blanks around one do not count here either.
        let found = str::from_utf8(name).map_or(Ok(None), |name| self.store.get(name.trim()));
        match found {
            Ok(Some(kept)) => redirect(kept.uri),
            Ok(None) => refusal(Status::NOT_FOUND, page::unknown(&String::from_utf8_lossy(name))),
            Err(error) => not_read(&error),
        }
    }

    /// Saves what the form holds, once its URI has answered. Nothing is locked meanwhile: the URI
    /// may be one of this server.
    fn save(&self, request: &mut Request<'_>) -> Response {
        let form = match Form::read(request) {
            Ok(form) => form,
            // A failed body is answered by the connection, with the same status.
            Err(bad) => {
                let text = page::not_a_form(&bad);
                return refusal(Response::from(bad).status_code(), text);
            }
        };
        // Blanks come along with what is pasted. An empty field counts as none, also before others.
        let value = |field| form.all(field).map(str::trim).find(|value| !value.is_empty());
        let Some(uri) = value("longuri") else { return missing("longuri") };
        let Some(name) = value("shortname") else { return missing("shortname") };
        let name = match Name::parse(name) {
            Ok(name) => name,
            Err(refused) => return refusal(Status::BAD_REQUEST, page::bad_name(&refused)),
        };
        match Uri::parse(uri) {
            Ok(uri) => match self.checker.check(&uri, request.local()) {
                Outcome::Answered => self.put(name, &uri, seconds(request.wall())),
                other => unanswered(&uri, other),
            },
            // A URI that cannot exist is one that does not answer.
            Err(refused) => refusal(Status::NOT_FOUND, page::bad_uri(uri, &refused)),
        }
    }

    fn put(&self, name: Name, uri: &Uri, now: u64) -> Response {
        let change = Change { name, to: Some(Kept::new(uri, now)), when: When::Any };
        match self.store.change(&[change]) {
            Ok(_) => Response::redirect("/"),
            Err(error) => {
                log(&error);
                refusal(Status::INTERNAL_SERVER_ERROR, page::NOT_STORED)
            }
        }
    }
}

/// As many bookmarks as fit a page.
fn list(store: &dyn Store) -> Result<page::Listed, StoreError> {
    let mut left = page::ROOM;
    let mut listed = page::Listed { bookmarks: Vec::new(), more: 0 };
    store.scan(&mut |name, kept| match left.checked_sub(name.len() + kept.uri.len()) {
        Some(rest) if listed.more == 0 => {
            left = rest;
            listed.bookmarks.push((name.to_owned(), kept.uri.clone()));
        }
        _ => listed.more += 1,
    })?;
    Ok(listed)
}

/// The path without its first slash, decoded.
fn name_of(request: &Request<'_>) -> Vec<u8> {
    let path = request.decoded_path();
    path.strip_prefix(b"/").unwrap_or(&path).to_vec()
}

/// 303 to a bookmark, byte for byte as it was saved. `Response::redirect` would encode what no
/// request-target may hold, and a visitor shall come to what was checked.
fn redirect(uri: String) -> Response {
    match FieldValue::new(uri) {
        Ok(uri) => Response::new(Status::SEE_OTHER).field("Location", uri),
        // `rules.rs` admits nothing of the kind.
        Err(bad) => {
            log(&bad);
            refusal(Status::INTERNAL_SERVER_ERROR, page::NOT_READ)
        }
    }
}

fn style() -> Response {
    let style = Response::bytes("text/css; charset=utf-8", page::STYLE.as_bytes());
    // An hour: long enough for a visit, short enough for a new version of this program.
    style.field("Cache-Control", "public, max-age=3600")
}

fn unanswered(uri: &Uri, outcome: Outcome) -> Response {
    if let Outcome::Failed(reason) = outcome {
        log(&reason);
        return refusal(Status::NOT_FOUND, page::unanswered(uri.as_str()));
    }
    refusal(Status::SERVICE_UNAVAILABLE, page::BUSY).field("Retry-After", "5")
}

fn missing(field: &str) -> Response {
    refusal(Status::BAD_REQUEST, page::missing(field))
}

fn not_read(error: &dyn Display) -> Response {
    log(error);
    refusal(Status::INTERNAL_SERVER_ERROR, page::NOT_READ)
}

fn refusal(status: Status, text: impl Into<String>) -> Response {
    Response::text(text.into()).status(status)
}

/// A line for whoever runs this server. Where nobody takes it, it is lost: no visitor waits for it.
fn log(line: &(impl Display + ?Sized)) {
    let _ = io::stderr().write_all(page::plain(&line.to_string()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    #[test]
    fn bookmarks_without_end_do_not_make_a_page_without_end() {
        let page = |count: usize, path: &str| {
            let store = Memory::new();
            for number in 0..count {
                let name = Name::parse(&format!("{number:05}")).unwrap();
                let uri = Uri::parse(&format!("http://example.org/{path}{number}")).unwrap();
                let change = Change { name, to: Some(Kept::new(&uri, 0)), when: When::Any };
                store.change(&[change]).unwrap();
            }
            page::index(&list(&store).unwrap())
        };
        let all = page(1_000, "");
        assert_eq!(all.matches("<li>").count(), 1_000);
        assert!(!all.contains("<p>And "), "a thousand are all shown");
        for (count, path) in [(20_000, String::new()), (300, "&".repeat(2_000))] {
            let page = page(count, &path);
            assert!(page.len() < 9 * page::ROOM, "{} bytes", page.len());
            let shown = page.matches("<li>").count();
            let more = format!("<p>And {} more, each at its short name.</p>", count - shown);
            assert!(shown > 0 && page.contains(&more), "{shown}");
        }
    }

    /// Rare from outside: all places have to stay taken until the time of a check is over.
    #[test]
    fn a_check_that_found_no_place_may_be_tried_again() {
        let uri = Uri::parse("http://example.org/").unwrap();
        let busy = unanswered(&uri, Outcome::Busy);
        assert_eq!(busy.status_code(), Status::SERVICE_UNAVAILABLE);
        assert_eq!(busy.field_value("Retry-After").unwrap().as_bytes(), b"5");
        let failed = unanswered(&uri, Outcome::Failed(String::new()));
        assert_eq!(failed.status_code(), Status::NOT_FOUND);
    }
}
