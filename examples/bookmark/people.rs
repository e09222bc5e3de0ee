//! Who may do what: one password, for those who change bookmarks or, if the server is private, for all.
//!
//! A request enters; who asks leaves, or what has to be done first. People sign in on a page and have a
//! session from then on; programs send the password along (Basic, any user name). Wrong passwords are
//! slowed down by the kit's `Accounts`. A session holds a stamp of the password, so that it ends when
//! the password changes, also where sessions outlive the program.

use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use longhand::{FieldValue, Request, Response, Status};
use longhand_kit::auth::{Accounts, DEFAULT_ROUNDS, PasswordHash, Refused};
use longhand_kit::form::Form;
use longhand_kit::forwarded::Proxies;
use longhand_kit::log::User;
use longhand_kit::origin::{Origin, Scheme};
use longhand_kit::redirect::Local;
use longhand_kit::session::{self, Key, SessionError, Sessions};
use longhand_kit::{base64, mac};

use crate::page::Reader;
use crate::page::forms::{Field, Wrong, sign_in, signed_in, value};
use crate::store::Store;
use crate::trouble::Trouble;
use crate::wants::Wants;

/// The setting `PASSWORD`: a password, or the hash of one as the kit writes it.
pub(crate) struct Password {
    hash: PasswordHash,
    /// What a session holds. It tells no more than the hash does.
    stamp: Vec<u8>,
}

impl FromStr for Password {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("a password, or no setting".to_owned());
        }
        if text.starts_with("PBKDF2-") {
            let hash: PasswordHash = text.parse().map_err(|bad| format!("a hash: {bad}"))?;
            return Ok(Self { hash, stamp: mac::sha256(text.as_bytes()).to_vec() });
        }
        // The salt is always the same, so that sessions outlive a restart. It is there for lists of many
        // users' hashes, and here there is one, which is written down nowhere.
        let salt = b"longhand-bookmar";
        let key = mac::pbkdf2(text.as_bytes(), salt, DEFAULT_ROUNDS);
        let (salt, kept) = (base64::encode_url(salt), base64::encode_url(key));
        let hash = format!("PBKDF2-SHA256${DEFAULT_ROUNDS}${salt}${kept}");
        let hash = hash.parse().map_err(|bad| format!("a hash: {bad}"))?;
        Ok(Self { hash, stamp: mac::hmac(&key, &[b"session"]).to_vec() })
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// For everybody, always.
    Nothing,
    Read,
    Change,
}

/// The guard over a server's bookmarks.
pub(crate) struct People {
    lock: Option<Lock>,
    private: bool,
    proxies: Proxies,
}

struct Lock {
    /// Visitors come by https, says `BASE_URL`, whatever a proxy says or is not believed.
    https: bool,
    accounts: Accounts,
    stamp: Vec<u8>,
    /// Browsers drop a cookie that is for https alone where they came by http, and one that is not could
    /// be planted from there. So each way has its own.
    secure: Sessions<Shared>,
    plain: Sessions<Shared>,
}

/// The sessions of a store, shared.
struct Shared(Arc<dyn Store>);

impl session::Store for Shared {
    fn get(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.0.sessions().get(key)
    }

    fn put(&self, key: &Key, seen: Option<&[u8]>, new: &[u8], keep: Duration) -> io::Result<bool> {
        self.0.sessions().put(key, seen, new, keep)
    }

    fn remove(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.0.sessions().remove(key)
    }
}

impl People {
    /// # Errors
    /// The system has no random bytes.
    pub(crate) fn new(
        password: Option<Password>,
        private: bool,
        proxies: Proxies,
        base: Option<&Origin>,
        store: &Arc<dyn Store>,
    ) -> io::Result<Self> {
        let lock = match password {
            None => None,
            Some(Password { hash, stamp }) => {
                let rounds = hash.rounds();
                let accounts = Accounts::new(move |_| Some(hash.clone()))?;
                let accounts = accounts.rounds(rounds).realm("bookmarks");
                let sessions = || Sessions::over(Shared(Arc::clone(store)));
                let (secure, plain) = (sessions(), sessions().insecure_http());
                let https = base.is_some_and(|base| base.scheme() == Scheme::Https);
                Some(Lock { https, accounts, stamp, secure, plain })
            }
        };
        Ok(Self { lock, private, proxies })
    }

    /// Finds out who asks, keeps it beside the request for its page and the log, and lets those through
    /// who may do what they want to.
    pub(crate) fn admit(&self, request: &mut Request<'_>, need: Need) -> Result<(), Trouble> {
        let Some(lock) = &self.lock else { return Ok(()) };
        let mut reader = Reader { locked: true, signed_in: false };
        // Also for the page that says what went wrong here.
        request.set(reader);
        // Where it makes no difference, nobody waits for the store.
        if need != Need::Nothing {
            reader.signed_in = lock.knows(request, &self.proxies)?;
            request.set(reader);
        }
        let is_open = need == Need::Nothing || (need == Need::Read && !self.private);
        if is_open || reader.signed_in {
            return Ok(());
        }
        // Programs, which have no session. Only now: to look at a password takes half a second.
        if request.field("Authorization").is_some() {
            let client = self.proxies.client(request).address();
            let user = lock.accounts.basic(request, client).map_err(|response| {
                let text = String::from_utf8_lossy(response.body_bytes().unwrap_or_default());
                Trouble::like(&response, text.trim_end())
            })?;
            request.set(User(user));
            request.set(Reader { locked: true, signed_in: true });
            return Ok(());
        }
        Err(asked(request))
    }

    /// Whether what is read is for those alone who know the password.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// The page to sign in.
    pub(crate) fn sign_in_page(request: &Request<'_>) -> Response {
        let query = Form::query(request).unwrap_or_default();
        Response::html(sign_in(next(&query).as_str(), None)).field("Cache-Control", "no-store")
    }

    /// Signs somebody in who knows the password, and leads on to where that one wanted to go.
    pub(crate) fn sign_in(&self, request: &mut Request<'_>) -> Result<Response, Trouble> {
        let Some(lock) = &self.lock else { return Ok(Response::redirect("/")) };
        let form = Form::read(request)?;
        let next = next(&form);
        let password = form.first("password").unwrap_or_default();
        let client = self.proxies.client(request).address();
        if let Err(refused) = lock.accounts.check(request.now(), client, "bookmark", password) {
            let text = said(&refused);
            let wrong: Wrong<'_> = Some((Field::Password, &text));
            let page = sign_in(next.as_str(), wrong);
            return Err(Trouble::like(&Response::from(refused), text).with_page(page));
        }
        let sessions = lock.sessions(request, &self.proxies);
        Ok(sessions.sign_in(request, &*lock.stamp, leads_on(request, &next))?)
    }

    /// Ends a session, here and in the browser.
    pub(crate) fn sign_out(&self, request: &Request<'_>) -> Result<Response, Trouble> {
        let home = Response::redirect("/");
        let Some(lock) = &self.lock else { return Ok(home) };
        Ok(lock.sessions(request, &self.proxies).end(request, home)?)
    }
}

impl Lock {
    fn sessions(&self, request: &Request<'_>, proxies: &Proxies) -> &Sessions<Shared> {
        if self.https || proxies.client(request).is_secure() { &self.secure } else { &self.plain }
    }

    /// Whether the request has a session that began with this password.
    fn knows(&self, request: &Request<'_>, proxies: &Proxies) -> Result<bool, Trouble> {
        let found = self.sessions(request, proxies).find(request)?;
        Ok(found.is_some_and(|stamp| mac::equal(&stamp, &self.stamp)))
    }
}

/// What leads on after signing in. A bookmark leads to another server, and no redirect after a form may:
/// `form-action 'self'` is for each of them (Content Security Policy 3, section 6.4.1), and a browser stays
/// where it is without a word. So a page comes between, which moves on by itself.
fn leads_on(request: &Request<'_>, next: &Local) -> Response {
    let place = next.as_str();
    let is_own = place == "/" || place.starts_with("/?") || place.starts_with("/.");
    if is_own || Wants::of(request) != Wants::Page {
        return next.see_other();
    }
    // HTML, section 7.4.2.5 ("The `Refresh` header"): every browser follows it, without script.
    match FieldValue::new(format!("0; url={place}")) {
        Ok(moves_on) => Response::html(signed_in(place)).field("Refresh", moves_on),
        // What may be in a `Location` may be here; were it not so, one would be led where one may be led.
        Err(_) => next.see_other(),
    }
}

/// What one has to do first: a browser is led to the page for it and comes back, a program is told.
fn asked(request: &mut Request<'_>) -> Trouble {
    let text = "A password is needed for this: sign in first.";
    let here = Local::of(request).unwrap_or_default();
    if Wants::of(request) != Wants::Page {
        let challenge = "Basic realm=\"bookmarks\", charset=\"UTF-8\"";
        return Trouble::new(Status::UNAUTHORIZED, text).field("WWW-Authenticate", challenge);
    }
    if !matches!(request.method(), "GET" | "HEAD") {
        let page = sign_in(filled(request).as_str(), Some((Field::Form, text)));
        return Trouble::new(Status::FORBIDDEN, text).with_page(page);
    }
    let query = Form::from_iter([("next", here.as_str())]).encode();
    Trouble::leads(&format!("/.login?{query}"))
}

/// The page with the form that was sent, filled in again: a browser has no way back to it where both have
/// one address.
fn filled(request: &mut Request<'_>) -> Local {
    // A file is no part of this, nor is what is no form.
    let form = Form::read(request).unwrap_or_default();
    let fields = ["longuri", "shortname"];
    let entered = fields.iter().filter_map(|&name| Some((name, value(&form, name)?)));
    let query = entered.collect::<Form>().encode();
    // Any address takes the form that saves; that of a bookmark would lead away.
    let path = request.path();
    let path = if path.starts_with("/.") { path } else { "/" };
    let mark = if query.is_empty() { "" } else { "?" };
    Local::parse(&format!("{path}{mark}{query}")).unwrap_or_default()
}

/// Where one wants to go after signing in: to a page of this site, or to its first one.
fn next(form: &Form) -> Local {
    let next = form.first("next").unwrap_or("/");
    Local::parse(next).ok().filter(|next| !next.as_str().starts_with("/.log")).unwrap_or_default()
}

fn said(refused: &Refused) -> String {
    match refused {
        Refused::Wrong => "That is not the password.".to_owned(),
        Refused::TooMany(_) => "Too many wrong passwords: please wait a while.".to_owned(),
        _ => "Too many are signing in at this moment: please try again.".to_owned(),
    }
}

/// A session that cannot be looked up is no reason to sign somebody out.
impl From<SessionError> for Trouble {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Io(error) => Self::of_store(&error),
            other => Self::from(Response::from(other)),
        }
    }
}
