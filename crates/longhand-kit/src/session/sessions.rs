//! What a program does with sessions. Each method takes several steps in the store, and other requests
//! may come between any two of them.

use std::io;
use std::string::FromUtf8Error;
use std::time::Duration;

use longhand::{Reply, Request};

use super::error::SessionError;
use super::kept::{Found, Kept, LENGTH, PREFIX, TRIES, contended, fitting};
use super::store::{Memory, Store};
use crate::cookie::{Cookies, SetCookie};
use crate::seconds::seconds;

/// The sessions of a program: see the [module](super) for what its handlers do. It is built once:
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::session::{Memory, Sessions};
/// # use std::time::Duration;
///
/// let sessions = Sessions::over(Memory::new(1_000))
///     .name("shop")
///     .idle(Duration::from_secs(30 * 60))
///     .longest(Duration::from_secs(24 * 60 * 60))
///     .insecure_http();
/// # let begin = |request: &mut Request<'_>| -> Result<Response, Response> {
/// # assert_eq!(sessions.find(request)?, None);
/// # Ok(sessions.begin(request, "1", Response::text(""))?) };
/// # let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), begin);
/// # let output = client.output_text();
/// assert!(output.contains("\r\nSet-Cookie: shop="));
/// assert!(!output.contains("Secure"));
/// ```
pub struct Sessions<S: Store = Memory>(Kept<S>);

impl Sessions {
    /// Sessions in memory, 65,536 at most: then the one unused longest makes room for another. So
    /// whoever may begin them without a limit can end all others.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Memory::new(1 << 16))
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Store> Sessions<S> {
    /// Sessions in this store, in a cookie named `__Host-sid`, which are over after 12 hours without
    /// use and after 7 days with it.
    #[must_use]
    pub fn over(store: S) -> Self {
        let (hour, day) = (60 * 60, 24 * 60 * 60);
        let cookie = format!("{PREFIX}sid");
        Self(Kept { store, cookie, idle: 12 * hour, longest: 7 * day })
    }

    /// Names the cookie, behind its prefix: for a host with several programs.
    ///
    /// # Panics
    /// If it cannot be a cookie's name, or brings a prefix of its own.
    #[must_use]
    pub fn name(self, name: &'static str) -> Self {
        let longest = SetCookie::new(format!("{PREFIX}{name}"), "x".repeat(LENGTH)).secure();
        let fits = !name.is_empty() && !name.starts_with("__") && longest.field_value().is_ok();
        assert!(fits, "session cookie {name:?}: expected a token without a prefix");
        let prefix = if self.0.is_secure() { PREFIX } else { "" };
        Self(Kept { cookie: format!("{prefix}{name}"), ..self.0 })
    }

    /// Sets after how long without use a session is over, in whole seconds; 12 hours if not set.
    #[must_use]
    pub fn idle(self, idle: Duration) -> Self {
        Self(Kept { idle: idle.as_secs(), ..self.0 })
    }

    /// Sets after how long a session is over, however much it is used, in whole seconds; 7 days if not
    /// set. With a new ID the time begins anew.
    #[must_use]
    pub fn longest(self, longest: Duration) -> Self {
        Self(Kept { longest: longest.as_secs(), ..self.0 })
    }

    /// Sets the cookie without Secure and without the prefix `__Host-`: for a program on a
    /// plain-http host other than localhost, where browsers drop it otherwise. Whoever is on the way
    /// can then read it, and plant one.
    #[must_use]
    pub fn insecure_http(self) -> Self {
        let cookie = self.0.cookie.trim_start_matches(PREFIX).to_owned();
        Self(Kept { cookie, ..self.0 })
    }

    /// The value of the session that a request belongs to, if there is one. This counts as
    /// a use, noted to the minute.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find(&self, request: &Request<'_>) -> Result<Option<Vec<u8>>, SessionError> {
        let now = seconds(request.wall());
        let Found::Session(live) = self.0.load(request, now)? else { return Ok(None) };
        // A write for each request would be waste. Where a minute is much of `idle`, a sixteenth of it
        // is the error that a session's end may have.
        if now.saturating_sub(live.used) >= 60.min(self.0.idle / 16) {
            // If it fails, another request has come first, and was a use as well.
            self.0.replace(&live, live.value.clone(), now)?;
        }
        Ok(Some(live.value))
    }

    /// What [`find`](Self::find) finds where the value is text, such as a user's name.
    ///
    /// # Errors
    /// As [`find`](Self::find), and if the value is not UTF-8: something else has written it.
    pub fn find_text(&self, request: &Request<'_>) -> Result<Option<String>, SessionError> {
        let text = self.find(request)?.map(String::from_utf8).transpose();
        // The place alone: `FromUtf8Error` has the whole value in it, and errors are logged.
        let wrong = |bad: FromUtf8Error| {
            let bad = format!("session value: {}", bad.utf8_error());
            io::Error::new(io::ErrorKind::InvalidData, bad).into()
        };
        text.map_err(wrong)
    }

    /// Begins a session of which this is the first thing that is stored, and lets the response set
    /// its cookie. If the request has a session, that one ends. For a sign-in, take
    /// [`sign_in`](Self::sign_in).
    ///
    /// # Errors
    /// [`SessionError::Gone`] if the request's session got another ID while it was under way: this
    /// one would push that out of the browser. Or if the value is too long, or the store fails.
    pub fn begin<'s>(
        &self,
        request: &Request<'_>,
        value: impl Into<Vec<u8>>,
        response: Reply<'s>,
    ) -> Result<Reply<'s>, SessionError> {
        let value = value.into();
        let first = |found: &Found| match found {
            Found::Moved => None,
            Found::Nothing | Found::Session(_) => Some(value.clone()),
        };
        self.renew(request, first, response)
    }

    /// Changes the value of the request's session, and gives the new one; `None` where it has no
    /// session. `change` is called again if another request has changed it meanwhile.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// # use std::time::Duration;
    /// use longhand_kit::{rate::RateLimit, session::Sessions};
    ///
    /// let sessions = Sessions::new();
    /// // Anybody may come here, and each new one takes a place: ten at once, then one each minute.
    /// let begins = RateLimit::new(10, Duration::from_secs(60));
    /// let add = |request: &mut Request<'_>| -> Result<Response, Response> {
    ///     if let Some(items) = sessions.update(request, |items| [items, b"+1"].concat())? {
    ///         return Ok(Response::text(format!("{} bytes\n", items.len())));
    ///     }
    ///     if let Some(peer) = request.peer() {
    ///         begins.admit(request.now(), peer.ip())?;
    ///     }
    ///     Ok(sessions.begin(request, "1", Response::text("the first\n"))?)
    /// };
    /// # let mut client = Scripted::new()
    /// #     .address("192.0.2.1:4000".parse().unwrap())
    /// #     .send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(12))
    /// #     .end();
    /// # serve_connection(&mut client, &Limits::default(), add);
    /// # let output = client.output_text();
    /// # assert_eq!(output.matches("Set-Cookie: ").count(), 10);
    /// # assert_eq!(output.matches("HTTP/1.1 429 ").count(), 2);
    /// ```
    ///
    /// # Errors
    /// If the value is too long, or the store fails.
    pub fn update<V: Into<Vec<u8>>>(
        &self,
        request: &Request<'_>,
        mut change: impl FnMut(&[u8]) -> V,
    ) -> Result<Option<Vec<u8>>, SessionError> {
        let now = seconds(request.wall());
        for _ in 0..TRIES {
            let Found::Session(live) = self.0.load(request, now)? else { return Ok(None) };
            let value = fitting(change(&live.value).into())?;
            if self.0.replace(&live, value.clone(), now)? {
                return Ok(Some(value));
            }
        }
        Err(contended())
    }

    /// Begins the session of somebody whose password was just checked, under a new ID, whatever the
    /// request has: [`rotate`](Self::rotate) to a value that is known.
    ///
    /// # Errors
    /// If the value is too long, or the store fails.
    pub fn sign_in<'s>(
        &self,
        request: &Request<'_>,
        value: impl Into<Vec<u8>>,
        response: Reply<'s>,
    ) -> Result<Reply<'s>, SessionError> {
        let value = value.into();
        self.rotate(request, |_| Some(value.clone()), response)
    }

    /// Gives the request's session a new ID and a new value, or begins one, and lets the response set
    /// the cookie. The old ID is worth nothing any more.
    ///
    /// Take it for every change of what somebody may do. `change` gets the value so far, or `None` if
    /// there is no session, or none any more: who somebody is must then come from what was just
    /// checked. It is called again if another request has changed the session meanwhile.
    ///
    /// # Errors
    /// [`SessionError::Gone`] if `change` gives `None`. Or if the value is too long, or the store
    /// fails.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// # use longhand_kit::session::Sessions;
    /// # let sessions = Sessions::new();
    /// let sign_in = |request: &mut Request<'_>| -> Result<Response, Response> {
    ///     assert_eq!(sessions.find(request)?, None);
    ///     // What a stranger had in the basket goes along.
    ///     let change = |basket: Option<&[u8]>| Some([b"Ada:", basket.unwrap_or_default()].concat());
    ///     Ok(sessions.rotate(request, change, Response::redirect("/"))?)
    /// };
    /// # let mut client = Scripted::new().send("POST / HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), sign_in);
    /// # assert!(client.output_text().contains("\r\nSet-Cookie: __Host-sid="));
    /// ```
    pub fn rotate<'s, V: Into<Vec<u8>>>(
        &self,
        request: &Request<'_>,
        mut change: impl FnMut(Option<&[u8]>) -> Option<V>,
        response: Reply<'s>,
    ) -> Result<Reply<'s>, SessionError> {
        let changed = |found: &Found| match found {
            Found::Session(live) => change(Some(&live.value)).map(Into::into),
            Found::Nothing | Found::Moved => change(None).map(Into::into),
        };
        self.renew(request, changed, response)
    }

    /// Opens a session with the value that `value` gives for what was found, in place of that.
    fn renew<'s>(
        &self,
        request: &Request<'_>,
        mut value: impl FnMut(&Found) -> Option<Vec<u8>>,
        response: Reply<'s>,
    ) -> Result<Reply<'s>, SessionError> {
        let now = seconds(request.wall());
        for _ in 0..TRIES {
            let found = self.0.load(request, now)?;
            let value = value(&found).ok_or(SessionError::Gone)?;
            // First the new one, whose ID nobody knows yet: whoever ends the old one from here on
            // either makes the next step fail or finds its way to the new one.
            let (id, to) = self.0.open(value, now)?;
            match found {
                Found::Session(live) if !self.0.move_on(&live, to, now)? => {
                    self.0.store.remove(&to)?;
                }
                _ => return Ok(self.0.set(SetCookie::new(&*self.0.cookie, id), response)),
            }
        }
        Err(contended())
    }

    /// Ends the request's session, on the server and, by the response, in the browser. A request
    /// without one leaves the response as it is.
    ///
    /// # Errors
    /// If the store fails.
    pub fn end<'s>(
        &self,
        request: &Request<'_>,
        response: Reply<'s>,
    ) -> Result<Reply<'s>, SessionError> {
        if Cookies::of(request).get(&self.0.cookie).is_none() {
            return Ok(response);
        }
        if let Some(key) = self.0.key(request) {
            self.0.forget(key, seconds(request.wall()))?;
        }
        Ok(self.0.set(SetCookie::removing(&*self.0.cookie), response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Key;
    use longhand::transport::Scripted;
    use longhand::{IntoResponse, Limits, Response, Status, serve_connection};
    use std::cell::{Cell, RefCell};
    use std::thread;

    /// What `act` makes of a request with this Cookie line, at a second of the script.
    fn at<T>(second: u64, cookie: &str, act: impl Fn(&Request<'_>) -> T) -> T {
        let (long, pause) = (Duration::from_secs(1 << 30), Duration::from_secs(second));
        let line = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
        let mut client = Scripted::new()
            .wait(pause)
            .send(format!("GET / HTTP/1.1\r\nHost: x\r\n{line}\r\n"))
            .end();
        let limits = Limits { first_byte: long, ..Limits::default() };
        let result = RefCell::new(None);
        serve_connection(&mut client, &limits, |request| {
            result.replace(Some(act(request)));
            Response::text("")
        });
        result.into_inner().expect("the request was served")
    }

    fn with<T>(cookie: &str, act: impl Fn(&Request<'_>) -> T) -> T {
        at(0, cookie, act)
    }

    fn home() -> Response {
        Response::redirect("/")
    }

    fn set(response: &Response) -> Option<String> {
        let value = response.field_value("Set-Cookie")?;
        Some(String::from_utf8(value.as_bytes().to_vec()).unwrap())
    }

    /// What a browser sends back.
    fn pair(response: &Response) -> String {
        let set = set(response).expect("a cookie is set");
        set.split(';').next().unwrap().to_owned()
    }

    fn begin<S: Store>(sessions: &Sessions<S>, value: &str) -> String {
        pair(&with("", |request| sessions.begin(request, value, home()).unwrap()))
    }

    /// Signs in: what the browser has from then on.
    fn sign_in<S: Store>(sessions: &Sessions<S>, cookie: &str, user: &'static str) -> String {
        pair(&with(cookie, |request| sessions.sign_in(request, user, home()).unwrap()))
    }

    fn found_at<S: Store>(sessions: &Sessions<S>, second: u64, cookie: &str) -> Option<String> {
        at(second, cookie, |request| sessions.find_text(request).unwrap())
    }

    fn found<S: Store>(sessions: &Sessions<S>, cookie: &str) -> Option<String> {
        found_at(sessions, 0, cookie)
    }

    /// Signs out: what the browser is told about its cookie.
    fn end<S: Store>(sessions: &Sessions<S>, cookie: &str) -> Option<String> {
        end_at(sessions, 0, cookie)
    }

    fn end_at<S: Store>(sessions: &Sessions<S>, second: u64, cookie: &str) -> Option<String> {
        at(second, cookie, |request| set(&sessions.end(request, home()).unwrap()))
    }

    fn is_gone<T>(result: Result<T, SessionError>) -> bool {
        matches!(result, Err(SessionError::Gone))
    }

    #[test]
    fn the_cookie_is_one_that_no_other_host_and_no_script_can_reach() {
        let cookie = |sessions: Sessions| {
            set(&with("", |request| sessions.begin(request, "v", home()).unwrap())).unwrap()
        };
        for (set, name, rest) in [
            (cookie(Sessions::new()), "__Host-sid=", "; Path=/; Secure; HttpOnly; SameSite=Lax"),
            (
                cookie(Sessions::new().name("app")),
                "__Host-app=",
                "; Path=/; Secure; HttpOnly; SameSite=Lax",
            ),
            (cookie(Sessions::new().insecure_http()), "sid=", "; Path=/; HttpOnly; SameSite=Lax"),
            (
                cookie(Sessions::new().insecure_http().name("app")),
                "app=",
                "; Path=/; HttpOnly; SameSite=Lax",
            ),
            (
                cookie(Sessions::new().name("app").insecure_http()),
                "app=",
                "; Path=/; HttpOnly; SameSite=Lax",
            ),
        ] {
            let id = set.strip_prefix(name).and_then(|set| set.strip_suffix(rest)).expect(&set);
            assert_eq!(crate::base64::decode_url(id).unwrap().len(), 32, "{set}");
        }
    }

    #[test]
    fn names_that_are_no_cookies_names_are_a_mistake_of_the_program() {
        for name in ["", "a b", "a;b", "é", "__Host-sid", "__secure-x"] {
            assert!(std::panic::catch_unwind(|| Sessions::new().name(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_an_error_where_text_is_wanted() {
        let sessions = Sessions::new();
        let bytes = pair(&with("", |request| sessions.begin(request, *b"\xFF", home()).unwrap()));
        assert_eq!(with(&bytes, |request| sessions.find(request).unwrap()), Some(vec![0xFF]));
        let found = with(&bytes, |request| sessions.find_text(request));
        assert!(
            matches!(found, Err(SessionError::Io(error)) if error.kind() == io::ErrorKind::InvalidData)
        );
    }

    #[test]
    fn what_was_stored_is_found_by_its_id_alone() {
        let sessions = Sessions::new();
        let (ada, bob) = (begin(&sessions, "ada"), begin(&sessions, "bob"));
        assert_ne!(ada, bob);
        assert_eq!(found(&sessions, &ada).as_deref(), Some("ada"));
        assert_eq!(found(&sessions, &bob).as_deref(), Some("bob"));
        // The first of a name counts, and no other name does.
        assert_eq!(found(&sessions, &format!("x=1; {bob}; {ada}")).as_deref(), Some("bob"));
        let id = ada.strip_prefix("__Host-sid=").unwrap();
        for cookie in [
            String::new(),
            format!("sid={id}"),
            format!("__host-sid={id}"),
            format!("\u{2000}__Host-sid={id}"),
            format!("__Host-sid={}", &id[1..]),
            format!("__Host-sid={id}A"),
            format!("__Host-sid=\"{id}\""),
            format!("__Host-sid={}", "A".repeat(43)),
            format!("__Host-sid={}; {ada}", "A".repeat(43)),
            "__Host-sid=".into(),
        ] {
            assert_eq!(found(&sessions, &cookie), None, "{cookie}");
        }
    }

    #[test]
    fn a_visitor_of_whom_nothing_is_stored_gets_no_cookie_and_takes_no_room() {
        let sessions = Sessions::new();
        let unknown = format!("__Host-sid={}", "A".repeat(43));
        for cookie in ["", "a=b", &unknown] {
            assert_eq!(found(&sessions, cookie), None);
            let changed = with(cookie, |request| sessions.update(request, |_| "x").unwrap());
            assert_eq!(changed, None);
            let none = |_: Option<&[u8]>| None::<Vec<u8>>;
            assert!(is_gone(with(cookie, |request| sessions.rotate(request, none, home()))));
        }
        assert_eq!(end(&sessions, "a=b"), None);
        assert_eq!(sessions.0.store.count(), 0);
    }

    #[test]
    fn an_id_that_somebody_planted_is_worth_nothing() {
        let sessions = Sessions::new();
        // One that was made up is not taken over.
        let made_up = format!("__Host-sid={}", "A".repeat(43));
        let begun = with(&made_up, |request| sessions.begin(request, "cart", home()).unwrap());
        assert_ne!(pair(&begun), made_up);
        assert_ne!(sign_in(&sessions, &made_up, "ada"), made_up);
        assert_eq!(found(&sessions, &made_up), None);

        // One that the attacker has got from the server, and given to the victim.
        let planted = begin(&sessions, "cart of the attacker");
        let signed_in = sign_in(&sessions, &planted, "ada");
        assert_ne!(signed_in, planted);
        assert_eq!(found(&sessions, &planted), None);
        let change = |request: &Request<'_>| sessions.update(request, |_| "mine").unwrap();
        assert_eq!(with(&planted, change), None);
        assert_eq!(found(&sessions, &signed_in).as_deref(), Some("ada"));

        // More rights, another ID; the value goes along.
        let administrator = with(&signed_in, |request| {
            let change = |user: Option<&[u8]>| Some([user?, b", administrator"].concat());
            pair(&sessions.rotate(request, change, home()).unwrap())
        });
        assert_eq!(found(&sessions, &signed_in), None);
        assert_eq!(found(&sessions, &administrator).as_deref(), Some("ada, administrator"));
    }

    #[test]
    fn a_session_is_over_after_a_while_without_use() {
        let sessions = Sessions::new().idle(Duration::from_secs(160)).longest(Duration::MAX);
        let cookie = begin(&sessions, "ada");
        // Uses are noted to a sixteenth of the time, so that not every one is written.
        for (second, there) in [(159, true), (159 + 159, true), (159 + 159 + 9, true)] {
            assert_eq!(found_at(&sessions, second, &cookie).is_some(), there, "{second}");
        }
        assert_eq!(found_at(&sessions, 159 + 159 + 160, &cookie), None);
        assert_eq!(sessions.0.store.count(), 0, "it is gone, and not only hidden");
        // A change is a use as well.
        let cookie = begin(&sessions, "ada");
        let changed = at(100, &cookie, |request| sessions.update(request, |_| "b").unwrap());
        assert!(changed.is_some() && found_at(&sessions, 259, &cookie).is_some());
    }

    #[test]
    fn a_session_is_over_after_a_longer_while_however_much_it_is_used() {
        let sessions = Sessions::new();
        let hour = 3_600;
        let cookie = begin(&sessions, "ada");
        for second in (0..7 * 24 * hour).step_by(11 * 3_600) {
            assert!(found_at(&sessions, second, &cookie).is_some(), "{second}");
        }
        assert!(found_at(&sessions, 7 * 24 * hour - 1, &cookie).is_some());
        assert_eq!(found_at(&sessions, 7 * 24 * hour, &cookie), None);
        let cookie = begin(&sessions, "ada");
        assert!(found_at(&sessions, 12 * hour - 1, &cookie).is_some());
        let cookie = begin(&sessions, "ada");
        assert_eq!(found_at(&sessions, 12 * hour, &cookie), None);
    }

    #[test]
    fn the_end_removes_both_sides() {
        let sessions = Sessions::new();
        let cookie = begin(&sessions, "ada");
        let removing = "__Host-sid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(end(&sessions, &cookie).as_deref(), Some(removing));
        assert_eq!((found(&sessions, &cookie), sessions.0.store.count()), (None, 0));
        // What the browser still has goes as well, known or not.
        assert_eq!(end(&sessions, &cookie).as_deref(), Some(removing));
        assert_eq!(end(&sessions, "__Host-sid=x").as_deref(), Some(removing));
    }

    #[test]
    fn caches_keep_no_response_that_sets_the_cookie() {
        let sessions = Sessions::new();
        let control = |response: &Response| {
            response.field_value("Cache-Control").unwrap().as_bytes().to_vec()
        };
        let begun = with("", |request| sessions.begin(request, "v", home()).unwrap());
        assert_eq!(control(&begun), b"no-store");
        let own = with("", |request| {
            let response = home().field("Cache-Control", "private");
            sessions.begin(request, "v", response).unwrap()
        });
        assert_eq!(control(&own), b"private");
    }

    #[test]
    fn an_ended_session_is_not_brought_back_by_a_request_that_began_before() {
        let sessions = Sessions::new();
        let cookie = begin(&sessions, "ada");
        let changed = with(&cookie, |request| {
            sessions.update(request, |_| {
                // Between reading and writing, another request signs out.
                end(&sessions, &cookie);
                "changed"
            })
        });
        assert_eq!(changed.unwrap(), None);
        assert_eq!((found(&sessions, &cookie), sessions.0.store.count()), (None, 0));

        // Nor by one that gives it a new ID: what that was to carry on is no more.
        let cookie = begin(&sessions, "ada");
        let rotated = with(&cookie, |request| {
            let carry_on = |value: Option<&[u8]>| {
                end(&sessions, &cookie);
                value.map(<[u8]>::to_vec)
            };
            sessions.rotate(request, carry_on, home())
        });
        assert!(is_gone(rotated));
        assert_eq!(sessions.0.store.count(), 0);
    }

    #[test]
    fn the_end_reaches_a_session_that_has_just_got_another_id() {
        let sessions = Sessions::new();
        let first = begin(&sessions, "cart");
        let second = sign_in(&sessions, &first, "ada");
        let third = sign_in(&sessions, &second, "ada");
        // Sent before the browser had the new ones.
        end(&sessions, &first);
        assert_eq!(found(&sessions, &third), None);
        assert_eq!(sessions.0.store.count(), 0);
        // Later on, an old ID is nobody's.
        let first = begin(&sessions, "cart");
        let second = sign_in(&sessions, &first, "ada");
        end_at(&sessions, 60, &first);
        assert_eq!(found(&sessions, &second).as_deref(), Some("ada"));
    }

    #[test]
    fn a_new_id_is_not_pushed_out_by_a_request_that_came_with_the_old_one() {
        let sessions = Sessions::new();
        let old = begin(&sessions, "cart");
        let changed = with(&old, |request| {
            sessions.update(request, |value| {
                if value == b"cart" {
                    sign_in(&sessions, &old, "ada");
                }
                "two items"
            })
        });
        assert_eq!(changed.unwrap(), None, "the change is not written under the old ID");

        let old = begin(&sessions, "cart");
        let new = sign_in(&sessions, &old, "ada");
        let late = |request: &Request<'_>| sessions.begin(request, "cart", home());
        let refused = with(&old, late).unwrap_err();
        assert_eq!(refused.into_response().status_code(), Status::CONFLICT);
        assert_eq!(found(&sessions, &new).as_deref(), Some("ada"));
        // After a minute no such request is under way any more. Nor may a sign-in ever fail by it.
        assert_ne!(pair(&at(60, &old, late).unwrap()), old);
        assert_ne!(sign_in(&sessions, &old, "ada"), new);
    }

    #[test]
    fn a_change_between_reading_and_rotating_goes_along() {
        let sessions = Sessions::new();
        let old = begin(&sessions, "1");
        let calls = Cell::new(0);
        let new = with(&old, |request| {
            let sign_in = |value: Option<&[u8]>| {
                calls.set(calls.get() + 1);
                if calls.get() == 1 {
                    let changed = with(&old, |request| sessions.update(request, |_| "2"));
                    assert!(changed.unwrap().is_some());
                }
                Some([value.unwrap(), b" ada"].concat())
            };
            pair(&sessions.rotate(request, sign_in, home()).unwrap())
        });
        assert_eq!(found(&sessions, &new).as_deref(), Some("2 ada"));
        assert_eq!((found(&sessions, &old), calls.get()), (None, 2));
        assert_eq!(sessions.0.store.count(), 2, "the session, and where it was");
    }

    #[test]
    fn no_change_is_lost_however_many_are_made_at_once() {
        let sessions = Sessions::new();
        let cookie = begin(&sessions, "");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let add = |value: &[u8]| [value, b"x"].concat();
                        with(&cookie, |request| sessions.update(request, add).unwrap().unwrap());
                    }
                });
            }
        });
        assert_eq!(found(&sessions, &cookie).unwrap().len(), 200);
    }

    #[test]
    fn a_session_holds_so_much_and_no_more() {
        let sessions = Sessions::new();
        let (most, more) = (vec![b'x'; 4_096], vec![b'x'; 4_097]);
        let cookie = pair(&with("", |r| sessions.begin(r, most.clone(), home()).unwrap()));
        let too_long = [
            with("", |request| sessions.begin(request, more.clone(), home()).err()),
            with(&cookie, |request| sessions.update(request, |_| more.clone()).err()),
            with(&cookie, |request| sessions.rotate(request, |_| Some(more.clone()), home()).err()),
        ];
        for error in too_long {
            let text = error.unwrap().to_string();
            assert_eq!(text, "session value: expected at most 4096 bytes, found 4097");
        }
        assert_eq!(found(&sessions, &cookie).unwrap().len(), 4_096);
    }

    /// Remembers what it was given, or fails.
    struct Watched {
        memory: Memory,
        seen: RefCell<Vec<u8>>,
        fails: Cell<bool>,
    }

    impl Watched {
        fn new() -> Self {
            let (memory, seen, fails) = (Memory::new(10), RefCell::default(), Cell::default());
            Self { memory, seen, fails }
        }

        fn note(&self, bytes: &[u8]) -> io::Result<()> {
            self.seen.borrow_mut().extend_from_slice(bytes);
            if self.fails.get() { Err(io::Error::other("secret detail")) } else { Ok(()) }
        }
    }

    impl Store for Watched {
        fn get(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
            self.note(key)?;
            self.memory.get(key)
        }

        fn put(
            &self,
            key: &Key,
            seen: Option<&[u8]>,
            record: &[u8],
            keep: Duration,
        ) -> io::Result<bool> {
            self.note(&[key, record].concat())?;
            self.memory.put(key, seen, record, keep)
        }

        fn remove(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
            self.note(key)?;
            self.memory.remove(key)
        }
    }

    #[test]
    fn the_store_never_sees_an_id() {
        let sessions = Sessions::over(Watched::new());
        let first = begin(&sessions, "cart");
        let second = sign_in(&sessions, &first, "ada");
        assert!(found(&sessions, &second).is_some());
        end(&sessions, &second);
        let seen = sessions.0.store.seen.borrow();
        for cookie in [first, second] {
            let id = cookie.strip_prefix("__Host-sid=").unwrap();
            let raw = crate::base64::decode_url(id).unwrap();
            let contains = |part: &[u8]| seen.windows(part.len()).any(|window| window == part);
            assert!(!contains(&raw) && !contains(id.as_bytes()));
            assert!(contains(&crate::mac::sha256(id.as_bytes())));
        }
    }

    #[test]
    fn a_store_that_fails_is_a_500_that_tells_nothing() {
        let sessions = Sessions::over(Watched::new());
        let cookie = begin(&sessions, "ada");
        sessions.0.store.fails.set(true);
        let answers: [Response; 4] = [
            with(&cookie, |request| sessions.find(request).unwrap_err()).into(),
            with("", |request| sessions.begin(request, "", home()).unwrap_err()).into(),
            with(&cookie, |request| sessions.update(request, |_| "").unwrap_err()).into(),
            with(&cookie, |request| sessions.end(request, home()).unwrap_err()).into(),
        ];
        for answer in answers {
            assert_eq!(answer.status_code(), Status::INTERNAL_SERVER_ERROR);
            assert_eq!(answer.body_bytes(), Some(&b"500 Internal Server Error\n"[..]));
        }
    }
}
