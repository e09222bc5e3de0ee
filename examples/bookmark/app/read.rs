//! What only reads: the list, a redirect, the details of a bookmark.

use longhand::{FieldValue, Reply, Request, Response, Status};
use longhand_kit::form::Form;

use super::{App, nothing};
use crate::names::{Meant, Path};
use crate::page::forms::Entered;
use crate::page::list::{json, list, list_json};
use crate::page::{details, messages, reader};
use crate::select::Selection;
use crate::store::Kept;
use crate::time::seconds;
use crate::trouble::{Trouble, log};
use crate::wants::Wants;

impl App {
    pub(super) fn list(&self, request: &Request<'_>) -> Result<Response, Trouble> {
        let bad = |text| Trouble::new(Status::BAD_REQUEST, text);
        let query = Form::query(request);
        let query = query.map_err(|refusal| bad(format!("The query: {refusal}.")))?;
        let selection = Selection::read(&query).map_err(bad)?;
        let mut found = selection.find(&*self.store)?;
        for (name, kept) in &mut found.bookmarks {
            self.add_pending(name, kept);
        }
        Ok(match Wants::of(request) {
            Wants::Json => self.asks_again(Response::json(list_json(&found))),
            _ => self.asks_again(list(reader(request), &Entered::of(&query), &selection, &found)),
        })
    }

    /// 303 to where a name leads; its details where a `+` follows it. What is saved with a `+` at its end
    /// comes before that, and a name that takes longer paths after it.
    pub(super) fn look_up(
        &self,
        request: &Request<'_>,
        path: &Path<'_>,
    ) -> Result<Response, Trouble> {
        let meant = path.find(&*self.store, request.query())?;
        let is_exact = meant.as_ref().is_some_and(|meant| path.text() == Some(&*meant.name));
        let details = path.text().and_then(|text| text.strip_suffix('+'));
        if let Some(name) = details.filter(|_| !is_exact)
            && let Some((name, kept)) = self.found(name)?
        {
            return Ok(self.about(request, name, &kept));
        }
        let Some(meant) = meant else { return Err(nothing(path)) };
        if request.method() == "GET" {
            self.visits.note(&meant.name, seconds(request.wall()));
            self.tally.redirected();
        }
        redirect(meant)
    }

    pub(super) fn details(&self, request: &Request<'_>, name: &str) -> Result<Response, Trouble> {
        let (name, kept) = self.existing(name)?;
        Ok(self.about(request, name, &kept))
    }

    fn about(&self, request: &Request<'_>, name: &str, kept: &Kept) -> Response {
        match Wants::of(request) {
            Wants::Json => self.asks_again(Response::json(json(name, kept) + "\n")),
            _ => self.asks_again(details::details(reader(request), name, kept)),
        }
    }

    /// What is kept under a name, or 404.
    pub(super) fn existing<'n>(&self, name: &'n str) -> Result<(&'n str, Kept), Trouble> {
        let unknown = || Trouble::new(Status::NOT_FOUND, messages::unknown(name));
        self.found(name)?.ok_or_else(unknown)
    }

    /// What is kept under a name, with the visits that are not in the store yet.
    pub(super) fn found<'n>(&self, name: &'n str) -> Result<Option<(&'n str, Kept)>, Trouble> {
        let Some(mut kept) = self.store.get(name)? else { return Ok(None) };
        self.add_pending(name, &mut kept);
        Ok(Some((name, kept)))
    }

    /// Adds the visits that are not in the store yet: who comes back from a bookmark sees the own one.
    fn add_pending(&self, name: &str, kept: &mut Kept) {
        if let Some((count, last)) = self.visits.pending(name) {
            kept.visits = kept.visits.saturating_add(count);
            kept.last = kept.last.max(Some(last));
        }
    }
}

/// 303 to a bookmark, byte for byte as it was saved. `Response::redirect` would encode what no
/// request-target may hold, and a visitor shall come to what was checked.
fn redirect(meant: Meant) -> Result<Reply<'static>, Trouble> {
    match FieldValue::new(meant.leads) {
        Ok(uri) => Ok(Response::new(Status::SEE_OTHER).field("Location", uri)),
        // `rules.rs` admits nothing of the kind.
        Err(bad) => {
            log(&bad);
            Err(Trouble::new(Status::INTERNAL_SERVER_ERROR, messages::NOT_READ))
        }
    }
}
