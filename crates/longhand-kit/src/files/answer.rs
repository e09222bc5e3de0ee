//! From a request to the answer of a folder.
//!
//! What enters is a request; what leaves is the file that it asks for, whole, in part or not at all, or
//! a redirect, a listing, a refusal. Which file it is, is decided here; how much of it, by `content.rs`.

use std::fs::{File, Metadata};
use std::path::Path;

use longhand::wire::{percent_decode, percent_encode};
use longhand::{FieldValue, IntoResponse, Request, Response, Status};

use super::find::{Failure, Found, find, of_opening};
use super::path::{Refused, read};
use super::version::represent;
use super::{Dir, NO_CACHE, listing};
use crate::cache::vary;
use crate::{media, negotiate};

/// The Allow field for all other methods (RFC 9110 section 10.2.1).
const METHODS: &str = "GET, HEAD, OPTIONS";

/// The codings of siblings, the better first: the name of the coding, and the suffix.
const CODINGS: [(&str, &str); 2] = [("br", "br"), ("gzip", "gz")];

impl Dir {
    /// The answer to a request by its whole path. The module's examples show it.
    pub fn handle(&self, request: &Request<'_>) -> Response {
        self.answer(request, request.path())
    }

    /// The answer to a request by `path`: the rest of its path behind a prefix, still
    /// percent-encoded, with the slash it begins with or without.
    ///
    /// ```
    /// # use longhand::{Limits, Request, serve_connection, transport::Scripted};
    /// use longhand_kit::files::Dir;
    /// use longhand_kit::router::{Router, rest};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longhand-route-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # std::fs::write(folder.join("a.txt"), "hello\n")?;
    /// let site = Dir::new(&folder)?;
    /// let router = Router::new()
    ///     .route("GET /static/{*file}", |request| site.answer(request, rest(request)));
    /// # let mut client = Scripted::new().send("GET /static/a.txt HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), |request| router.handle(request));
    /// # assert!(client.output_text().ends_with("\r\n\r\nhello\n"));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn answer(&self, request: &Request<'_>, path: &str) -> Response {
        let reply = match request.method() {
            "GET" | "HEAD" => {
                self.look_up(request, path).unwrap_or_else(|refusal| self.worded(request, refusal))
            }
            "OPTIONS" => Response::new(Status::NO_CONTENT).field("Allow", METHODS),
            _ => Status::METHOD_NOT_ALLOWED.into_response().field("Allow", METHODS),
        };
        let reply = reply.field("X-Content-Type-Options", "nosniff");
        if self.negotiates { vary(reply, "Accept-Encoding") } else { reply }
    }

    fn look_up(&self, request: &Request<'_>, path: &str) -> Result<Response, Response> {
        if is_doubled(request, path) {
            return Err(Status::NOT_FOUND.into_response());
        }
        let asked = read(path, self.dots).map_err(|refused| match refused {
            Refused::Bad(bad) => bad.into_response(),
            Refused::Absent => Status::NOT_FOUND.into_response(),
        })?;
        let mut place = self.root.clone();
        place.extend(&asked.names);
        match find(&self.root, &place).map_err(Failure::into_response)? {
            // `a.txt/` is in no folder called `a.txt`.
            Found::File(..) if asked.folder => Err(Status::NOT_FOUND.into_response()),
            Found::File(file, facts) => Ok(self.send(request, &place, file, facts)),
            Found::Folder(_) if !request.path().ends_with('/') => Ok(with_slash(request)),
            Found::Folder(real) => self.send_folder(request, &real),
        }
    }

    fn send_folder(&self, request: &Request<'_>, folder: &Path) -> Result<Response, Response> {
        let place = folder.join(&self.index);
        match find(&self.root, &place) {
            Ok(Found::File(file, facts)) => return Ok(self.send(request, &place, file, facts)),
            Ok(Found::Folder(_)) | Err(Failure::Absent(_)) if self.lists => {}
            Ok(Found::Folder(_)) => return Err(Status::NOT_FOUND.into_response()),
            Err(failure) => return Err(failure.into_response()),
        }
        let title = String::from_utf8_lossy(&request.decoded_path()).into_owned();
        listing::page(&self.root, folder, &title, self.dots)
            .map(|page| page.answer(request))
            .map_err(|error| of_opening(error).into_response())
    }

    /// A 404 with the page that was named for it, if that is there. Always whole: preconditions and
    /// ranges are about what was asked for, and not about this page.
    fn worded(&self, request: &Request<'_>, refusal: Response) -> Response {
        let is_page = |_: &&String| refusal.status_code() == Status::NOT_FOUND;
        let Some(name) = self.not_found.as_ref().filter(is_page) else { return refusal };
        let place = self.root.join(name);
        let Ok(Found::File(file, facts)) = find(&self.root, &place) else { return refusal };
        let (file, facts, coding) = self.chosen(request, &place, file, facts);
        let page = Response::reader(media::by_suffix(&place), file, Some(facts.len()));
        let reply = refusal.with_body_of(page);
        match coding {
            Some(coding) => reply.field("Content-Encoding", coding),
            None => reply,
        }
    }

    /// Sends the open file, or a sibling of it. `place` has the name that the client asked for: if that
    /// is a link, the file's own name may have another suffix.
    fn send(&self, request: &Request<'_>, place: &Path, file: File, facts: Metadata) -> Response {
        let (file, facts, coding) = self.chosen(request, place, file, facts);
        represent(request, place, file, &facts, coding)
            .field("Cache-Control", self.control(place))
            .answer(request)
    }

    /// The file, or the sibling of it that is sent in its place, and then in which coding.
    fn chosen(
        &self,
        request: &Request<'_>,
        place: &Path,
        file: File,
        facts: Metadata,
    ) -> (File, Metadata, Option<&'static str>) {
        match self.sibling(request, place, &facts) {
            Some((file, facts, coding)) => (file, facts, Some(coding)),
            None => (file, facts, None),
        }
    }

    /// The sibling that the client likes best, if it likes one better than the file itself.
    fn sibling(
        &self,
        request: &Request<'_>,
        place: &Path,
        facts: &Metadata,
    ) -> Option<(File, Metadata, &'static str)> {
        if !self.negotiates {
            return None;
        }
        // Of codings that a client likes as much, the first counts: `identity`, the file itself, is last.
        let [best, second] = CODINGS.map(|(coding, _suffix)| coding);
        let liked = negotiate::codings(request, &[best, second, "identity"]);
        liked.into_iter().take_while(|coding| *coding != "identity").find_map(|coding| {
            let (_, suffix) = CODINGS.into_iter().find(|known| known.0 == coding)?;
            let mut name = place.as_os_str().to_owned();
            name.push(".");
            name.push(suffix);
            match find(&self.root, Path::new(&name)) {
                Ok(Found::File(file, own)) if !is_older(&own, facts) => Some((file, own, coding)),
                _ => None,
            }
        })
    }

    fn control(&self, place: &Path) -> FieldValue {
        let name = place.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let rule = self.cache.iter().find(|rule| name.ends_with(&rule.0));
        rule.map_or_else(|| NO_CACHE.into(), |rule| rule.1.clone())
    }
}

/// Whether the slash that `path` begins with stands behind another one. `read` would take it for the
/// one before the first name: `//private/a`, which `/{*rest}` matches, would be served as `private/a`
/// past a route that guards `/private/{*rest}`.
fn is_doubled(request: &Request<'_>, path: &str) -> bool {
    let before = request.path().strip_suffix(path);
    path.starts_with('/') && before.is_some_and(|before| before.ends_with('/'))
}

/// Whether a sibling was made before the last change of its file. Where the system tells no time, the
/// sibling is taken for current.
fn is_older(sibling: &Metadata, file: &Metadata) -> bool {
    match (sibling.modified(), file.modified()) {
        (Ok(sibling), Ok(file)) => sibling < file,
        _ => false,
    }
}

/// To the folder as a folder, so that the relative links of its page mean what is in it. The place is
/// relative and begins with `./`: whatever the name is, it is no host and no scheme.
fn with_slash(request: &Request<'_>) -> Response {
    let name = request.path().rsplit('/').next().unwrap_or_default();
    let name = percent_encode(&percent_decode(name).unwrap_or_default());
    let query = request.query().map_or_else(String::new, |query| format!("?{query}"));
    Response::redirect(&format!("./{name}/{query}"))
        .status(Status::MOVED_PERMANENTLY)
        .field("Cache-Control", NO_CACHE)
}
