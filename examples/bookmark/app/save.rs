//! What changes bookmarks: the course's form, and the pages that edit and delete.
//!
//! Nothing is locked while a URI is checked: it may be one of this server. What the form was made from
//! goes along with an edit and a deletion, so that neither undoes what somebody else did meanwhile.

use longhand::{Request, Response, Status};
use longhand_kit::form::Form;

use super::App;
use crate::check::{Outcome, Told};
use crate::names::{Way, way};
use crate::page::forms::{Entered, Field, Wrong, delete, edit, gone, not_saved, value};
use crate::page::list::json;
use crate::page::{Reader, address, messages, reader};
use crate::rules::{Name, Uri};
use crate::store::{self, Change, Kept, When};
use crate::time::seconds;
use crate::trouble::{Trouble, log};
use crate::wants::Wants;

/// Why a bookmark is not saved, and which field of the form that is about.
pub(super) struct Refusal {
    pub(super) status: Status,
    pub(super) field: Field,
    pub(super) text: String,
}

impl Refusal {
    fn new(status: Status, field: Field, text: impl Into<String>) -> Self {
        Self { status, field, text: text.into() }
    }

    /// With a page that has the form again, made from what is wrong.
    fn with_page(self, page: impl FnOnce(Wrong<'_>) -> longhand_kit::html::Html) -> Trouble {
        let page = page(Some((self.field, &self.text)));
        let trouble = Trouble::new(self.status, self.text).with_page(page);
        if self.status == Status::SERVICE_UNAVAILABLE {
            return trouble.field("Retry-After", "5");
        }
        trouble
    }
}

impl App {
    /// Saves what the course's form holds, once its URI has answered, in the place of what is there.
    pub(super) fn save(&self, request: &mut Request<'_>) -> Result<Response, Trouble> {
        let form = Form::read(request)?;
        let entered = Entered::of(&form);
        let reader = reader(request);
        let refuse =
            |refusal: Refusal| refusal.with_page(|wrong| not_saved(reader, &entered, wrong));
        let missing =
            |field, name| Refusal::new(Status::BAD_REQUEST, field, messages::missing(name));
        let Some(uri) = value(&form, "longuri") else {
            return Err(refuse(missing(Field::LongUri, "longuri")));
        };
        let Some(name) = value(&form, "shortname") else {
            return Err(refuse(missing(Field::ShortName, "shortname")));
        };
        let bad = |bad| {
            refuse(Refusal::new(Status::BAD_REQUEST, Field::ShortName, messages::bad_name(&bad)))
        };
        let name = Name::parse(name).map_err(bad)?;
        let uri = self.checked(request, &name, uri)?.map_err(refuse)?;
        let now = seconds(request.wall());
        if Wants::of(request) != Wants::Json {
            self.put(&name, &uri, now, When::Any)?;
            return Ok(Response::redirect("/"));
        }
        let status = match self.store.get(name.as_str())? {
            Some(_) => Status::OK,
            None => Status::CREATED,
        };
        self.put(&name, &uri, now, When::Any)?;
        let kept = self.store.get(name.as_str())?.unwrap_or_else(|| Kept::new(&uri, now));
        let response = Response::json(json(name.as_str(), &kept) + "\n").status(status);
        Ok(response.field("Location", location(&name)))
    }

    /// A URI that may be saved under a name: it is one, it answers, and it does not lead back.
    fn checked(
        &self,
        request: &Request<'_>,
        name: &Name,
        text: &str,
    ) -> Result<Result<Uri, Refusal>, Trouble> {
        let refuse = |status, text| Ok(Err(Refusal::new(status, Field::LongUri, text)));
        let uri = match Uri::parse(text) {
            Ok(uri) => uri,
            // A URI that cannot exist is one that does not answer.
            Err(bad) => return refuse(Status::NOT_FOUND, messages::bad_uri(text, &bad)),
        };
        if way(&*self.store, name, &uri, self.is_own(request))? != Way::Out {
            return refuse(Status::BAD_REQUEST, messages::circle(name.as_str()));
        }
        let outcome = self.checker.check(&uri, request.local());
        self.tally.checked(&outcome);
        match outcome {
            Outcome::Answered => Ok(Ok(uri)),
            Outcome::Busy => {
                let status = Status::SERVICE_UNAVAILABLE;
                Ok(Err(Refusal::new(status, Field::Form, messages::BUSY)))
            }
            Outcome::Failed(reason, told) => {
                log(&reason);
                refuse(Status::NOT_FOUND, unanswered(uri.as_str(), told))
            }
        }
    }

    /// Saves, and says what is there instead where the condition does not hold.
    fn put(&self, name: &Name, uri: &Uri, now: u64, when: When) -> Result<store::Outcome, Trouble> {
        let outcome =
            self.change(Change { name: name.clone(), to: Some(Kept::new(uri, now)), when })?;
        if outcome == store::Outcome::Done {
            self.tally.saved(1);
        }
        Ok(outcome)
    }

    fn change(&self, change: Change) -> Result<store::Outcome, Trouble> {
        let outcomes = self.store.change(&[change]).map_err(|error| Trouble::not_stored(&error))?;
        Ok(outcomes.into_iter().next().unwrap_or(store::Outcome::Refused(None)))
    }

    pub(super) fn edit_page(&self, request: &Request<'_>, name: &str) -> Result<Response, Trouble> {
        let (name, kept) = self.existing(name)?;
        let query = Form::query(request).unwrap_or_default();
        let entered = value(&query, "longuri").unwrap_or(&kept.uri);
        Ok(Response::html(edit(reader(request), name, &kept.uri, entered, None)))
    }

    /// Lets a name lead elsewhere, if it still leads to where the form says.
    pub(super) fn edit(&self, request: &mut Request<'_>, name: &str) -> Result<Response, Trouble> {
        let form = Form::read(request)?;
        let reader = reader(request);
        let entered = value(&form, "longuri").unwrap_or_default().to_owned();
        let deleted = || {
            let entered = Entered { longuri: entered.clone(), shortname: name.to_owned() };
            was_deleted(reader, name, Some(&entered))
        };
        let (name, kept) = self.still_there(&form, name, deleted)?;
        let was = form.first("was").unwrap_or(&kept.uri).to_owned();
        let refuse =
            |refusal: Refusal| refusal.with_page(|wrong| edit(reader, name, &was, &entered, wrong));
        if entered.is_empty() {
            let text = "The form field `longuri` is missing or empty.";
            return Err(refuse(Refusal::new(Status::BAD_REQUEST, Field::LongUri, text)));
        }
        let parsed = parsed(name)?;
        let uri = self.checked(request, &parsed, &entered)?.map_err(refuse)?;
        let now = seconds(request.wall());
        match self.put(&parsed, &uri, now, When::Leads(was))? {
            store::Outcome::Done => self.changed(request, name),
            store::Outcome::Refused(None) => Err(deleted()),
            store::Outcome::Refused(Some(there)) => {
                Err(conflict(name, &there, |wrong| edit(reader, name, &there.uri, &entered, wrong)))
            }
        }
    }

    /// What a form is about. Where that is gone, one that says what it was made from is told that, and
    /// not that there never was such a name.
    fn still_there<'n>(
        &self,
        form: &Form,
        name: &'n str,
        deleted: impl FnOnce() -> Trouble,
    ) -> Result<(&'n str, Kept), Trouble> {
        match self.found(name)? {
            None if form.first("was").is_some() => Err(deleted()),
            None => self.existing(name),
            Some(found) => Ok(found),
        }
    }

    /// After an edit: the details, in the form that was asked for.
    fn changed(&self, request: &Request<'_>, name: &str) -> Result<Response, Trouble> {
        if Wants::of(request) == Wants::Json {
            return self.details(request, name);
        }
        Ok(Response::redirect(&format!("/.details/{}", address(name))))
    }

    pub(super) fn delete_page(
        &self,
        request: &Request<'_>,
        name: &str,
    ) -> Result<Response, Trouble> {
        let (name, kept) = self.existing(name)?;
        Ok(Response::html(delete(reader(request), name, &kept.uri, None)))
    }

    /// Deletes a bookmark, if it still leads to where the form says. Without a word about that, as a
    /// program may send it, whatever it leads to.
    pub(super) fn delete(
        &self,
        request: &mut Request<'_>,
        name: &str,
    ) -> Result<Response, Trouble> {
        let form = Form::read(request)?;
        let reader = reader(request);
        let deleted = || was_deleted(reader, name, None);
        let (name, _) = self.still_there(&form, name, deleted)?;
        let when = form.first("was").map_or(When::Any, |was| When::Leads(was.to_owned()));
        match self.change(Change { name: parsed(name)?, to: None, when })? {
            store::Outcome::Done => {
                self.visits.forget(name);
                if Wants::of(request) == Wants::Json {
                    return Ok(Response::new(Status::NO_CONTENT));
                }
                Ok(Response::redirect("/"))
            }
            store::Outcome::Refused(None) => Err(deleted()),
            store::Outcome::Refused(Some(there)) => {
                Err(conflict(name, &there, |wrong| delete(reader, name, &there.uri, wrong)))
            }
        }
    }
}

/// 409 with a page that begins from what is there now.
fn conflict(
    name: &str,
    there: &Kept,
    page: impl FnOnce(Wrong<'_>) -> longhand_kit::html::Html,
) -> Trouble {
    let text = messages::changed(name, Some(&there.uri));
    Refusal::new(Status::CONFLICT, Field::Form, text).with_page(page)
}

/// 409 where nothing is there any more.
fn was_deleted(reader: Reader, name: &str, entered: Option<&Entered>) -> Trouble {
    let text = messages::changed(name, None);
    let page = gone(reader, &text, entered);
    Trouble::new(Status::CONFLICT, text).with_page(page)
}

/// A name that is in the store, so that it is one.
fn parsed(name: &str) -> Result<Name, Trouble> {
    Name::parse(name).map_err(|bad| Trouble::new(Status::BAD_REQUEST, messages::bad_name(&bad)))
}

fn location(name: &Name) -> longhand::FieldValue {
    // Percent-encoded, it is visible ASCII.
    longhand::FieldValue::new(format!("/{}", address(name.as_str()))).unwrap_or_else(|_| "/".into())
}

/// Why a URI is not saved, as far as it may be told.
pub(super) fn unanswered(uri: &str, told: Told) -> String {
    match told {
        Told::Status(status) => messages::other_status(uri, status),
        Told::Redirects => messages::redirects(uri),
        Told::Nothing => messages::unanswered(uri),
    }
}
