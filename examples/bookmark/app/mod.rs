//! Which request is answered how.
//!
//! A request enters, a response leaves; what they have in common (whose form it is, who may do it, the
//! fields of every response) is done here once, the rest is a table of addresses and methods.
//!
//! The empty name is the page with the form. Names that begin with `.` are the program's own, and a
//! visitor's bookmark can never hide one. Every other path is a name.

use std::net::IpAddr;
use std::sync::Arc;

use longhand::{Handle, IntoResponse, Reply, Request, Response, Status};
use longhand_kit::cache::vary;
use longhand_kit::cross_origin::Guard;
use longhand_kit::forwarded::Proxies;
use longhand_kit::health::{self, Leaving};
use longhand_kit::origin::Origin;

use crate::address::own;
use crate::check::Checker;
use crate::names::Path;
use crate::page::{self, messages};
use crate::people::{Need, People};
use crate::places::Places;
use crate::rules::Uri;
use crate::store::Store;
use crate::tally::Tally;
use crate::trouble::Trouble;
use crate::visits::Counter;

mod read;
mod save;
mod transfer;

/// What all requests share.
pub(crate) struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) visits: Arc<Counter>,
    pub(crate) checker: Checker,
    /// For imports, and for the files of those that are to begin: all of them are in memory.
    pub(crate) imports: Places,
    pub(crate) uploads: Places,
    /// Against other sites' forms.
    pub(crate) guard: Guard,
    pub(crate) people: People,
    pub(crate) proxies: Proxies,
    /// Where visitors find this server, if that was set.
    pub(crate) base: Option<Origin>,
    pub(crate) tally: &'static Tally,
    pub(crate) server: Handle,
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'n> {
    List,
    /// A bookmark, or what could become one.
    Name,
    Details(&'n str),
    Edit(&'n str),
    Delete(&'n str),
    Export,
    Import,
    SignIn,
    SignOut,
    Asset(&'n str),
    Health,
    Metrics,
    /// The program's own, and there is nothing.
    Nowhere,
}

impl<'n> Place<'n> {
    fn of(path: &'n Path<'_>) -> Self {
        if path.decoded().is_empty() {
            return Self::List;
        }
        if !path.decoded().starts_with(b".") {
            return Self::Name;
        }
        let Some(text) = path.text() else { return Self::Nowhere };
        match text {
            ".export" => Self::Export,
            ".import" => Self::Import,
            ".login" => Self::SignIn,
            ".logout" => Self::SignOut,
            ".healthz" => Self::Health,
            ".metrics" => Self::Metrics,
            _ if text.starts_with(".static/") => Self::Asset(text),
            _ => match text.split_once('/') {
                Some((".details", name)) => Self::Details(name),
                Some((".edit", name)) => Self::Edit(name),
                Some((".delete", name)) => Self::Delete(name),
                _ => Self::Nowhere,
            },
        }
    }

    fn methods(self) -> &'static str {
        match self {
            Self::SignOut => "OPTIONS, POST",
            Self::List
            | Self::Name
            | Self::Edit(_)
            | Self::Delete(_)
            | Self::Import
            | Self::SignIn => "GET, HEAD, OPTIONS, POST",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    /// What its visitors must be allowed to do.
    fn need(self, method: &str) -> Need {
        match self {
            Self::SignIn | Self::SignOut | Self::Asset(_) | Self::Health => Need::Nothing,
            Self::Edit(_) | Self::Delete(_) | Self::Import | Self::Metrics => Need::Change,
            _ if method == "POST" => Need::Change,
            _ => Need::Read,
        }
    }
}

impl App {
    /// Answers one request.
    pub(crate) fn answer<'s>(&'s self, request: &mut Request<'_>) -> Reply<'s> {
        let mut response = match self.route(request) {
            Ok(response) => response,
            Err(trouble) => trouble.answer(request),
        };
        for (name, value) in page::FIELDS {
            response = response.field(name, value);
        }
        // What everybody gets alike says so itself; all else depends on who asks, and for what form.
        match response.field_value("Cache-Control") {
            Some(_) => response,
            None => vary(vary(response.field("Cache-Control", "no-store"), "Accept"), "Cookie"),
        }
    }

    fn route<'s>(&'s self, request: &mut Request<'_>) -> Result<Reply<'s>, Trouble> {
        if let Err(reason) = self.guard.admit(request) {
            return Err(Trouble::new(Status::FORBIDDEN, messages::forbidden(&reason)));
        }
        let path = request.path();
        let path = Path::new(path);
        let place = Place::of(&path);
        self.people.admit(request, place.need(request.method()))?;
        let method = request.method();
        Ok(match (method, place) {
            ("GET" | "HEAD", Place::List) => self.list(request)?,
            ("GET" | "HEAD", Place::Name) => self.look_up(request, &path)?,
            ("GET" | "HEAD", Place::Details(name)) => self.details(request, name)?,
            ("GET" | "HEAD", Place::Edit(name)) => self.edit_page(request, name)?,
            ("GET" | "HEAD", Place::Delete(name)) => self.delete_page(request, name)?,
            ("GET" | "HEAD", Place::Export) => self.export(request)?,
            ("GET" | "HEAD", Place::Import) => Self::import_page(request),
            ("GET" | "HEAD", Place::SignIn) => People::sign_in_page(request),
            ("GET" | "HEAD", Place::Asset(name)) => asset(name)?,
            ("GET" | "HEAD", Place::Health) => {
                health::answer(self.server.state(), Leaving::NotFound)
            }
            ("GET" | "HEAD", Place::Metrics) => self.tally.page(&self.server, &self.visits),
            ("POST", Place::List | Place::Name) => self.save(request)?,
            ("POST", Place::Edit(name)) => self.edit(request, name)?,
            ("POST", Place::Delete(name)) => self.delete(request, name)?,
            ("POST", Place::Import) => self.import(request)?,
            ("POST", Place::SignIn) => self.people.sign_in(request)?,
            ("POST", Place::SignOut) => self.people.sign_out(request)?,
            (_, Place::Nowhere) => return Err(nothing(&path)),
            ("OPTIONS", place) => Response::new(Status::NO_CONTENT).field("Allow", place.methods()),
            (method, place) => {
                let text = messages::not_allowed(method, place.methods());
                let trouble = Trouble::new(Status::METHOD_NOT_ALLOWED, text);
                return Err(trouble.field("Allow", place.methods()));
            }
        })
    }

    /// An answer that a client may keep for its back button, but asks before it shows it again. What is
    /// private it must not keep: it would still be there for whoever sits there after somebody signed out.
    fn asks_again<'r>(&self, response: impl IntoResponse<'r>) -> Reply<'r> {
        let kept = if self.people.is_private() { "no-store" } else { "private, no-cache" };
        let response = response.into_response().field("Cache-Control", kept);
        vary(vary(response, "Accept"), "Cookie")
    }

    /// Whether a URI is one of this server, as this request reached it.
    fn is_own(&self, request: &Request<'_>) -> impl Fn(&Uri) -> bool + use<> {
        let authority = self.proxies.client(request).authority().to_owned();
        let base = self.base.clone();
        let addresses = own(request.local(), self.checker.listens());
        let port = request.local().map(|local| local.port());
        move |uri| {
            let origin = uri.origin();
            let by_address = || {
                let host = origin.host().trim_matches(['[', ']']);
                // Compared as addresses: of IPv6 there are many spellings.
                let address = host.parse::<IpAddr>().ok().map(|it| it.to_canonical());
                Some(origin.port()) == port
                    && (host == "localhost"
                        || addresses.iter().any(|own| Some(own.ip()) == address))
            };
            base.as_ref() == Some(origin) || origin.is_at(&authority) || by_address()
        }
    }
}

fn asset(name: &str) -> Result<Response, Trouble> {
    let nothing = || Trouble::new(Status::NOT_FOUND, messages::unknown(name));
    page::asset(name).ok_or_else(nothing)
}

/// Nothing is known by this path.
fn nothing(path: &Path<'_>) -> Trouble {
    let name = String::from_utf8_lossy(path.decoded());
    Trouble::new(Status::NOT_FOUND, messages::unknown(&name))
}
