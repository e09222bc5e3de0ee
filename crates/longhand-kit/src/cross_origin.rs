//! Who may change something: a guard against the forms of other origins (CSRF) that needs no tokens.
//!
//! What a request says about its origin enters; it passes, or a [`CrossOrigin`] leaves. Nothing is
//! remembered. The rule is that of Go's `http.CrossOriginProtection`:
//!
//! 1. Safe methods pass: they change nothing.
//! 2. `Sec-Fetch-Site` is the browser's own word, which no script can set. `same-origin` and `none`
//!    (typed, or a bookmark) pass; any other value is refused unless `Origin` is
//!    [trusted](Guard::trust).
//! 3. Without it, a request without `Origin` passes: it comes from no browser of this decade.
//! 4. Otherwise `Origin` has to name the host and port that the request is for, or be trusted.
//!    `null` never does.
//!
//! Step 4 is needed: browsers send no `Sec-Fetch-Site` to plain-http hosts other than localhost. It
//! compares `Origin` with the host that the request is for, so behind a proxy one of these must hold:
//! the proxy [passes `Host` on](crate::forwarded#nginx); the guard [knows it](Guard::proxies) and the
//! forwarded host; or the address that it gives to this site is [trusted](Guard::trust). And pages must
//! not be sent with `Referrer-Policy: no-referrer`, or their own forms come with the origin `null`.
//! `same-origin` is a good value.
//!
//! Origins are compared, and not only sites: a page of a neighbouring subdomain or of another port
//! comes as `same-site`, and is refused like the rest.
//!
//! What it does not do: it believes `Host`. Somebody can point a name of their own at this server (DNS
//! rebinding), and pages under that name pass. They come without this site's cookies; but a server that
//! trusts whoever reaches it must compare `Host` with its own names as well.
//!
//! Turned down: tokens in forms. They need a secret or a session and a field in every form, and sooner
//! or later one form is forgotten. Set cookies with `SameSite=Lax` as well.

use std::fmt;

use longhand::{IntoResponse, Reply, Request, Status};

use crate::forwarded::Proxies;
use crate::origin::Origin;
use crate::refusal::refusal;

/// Lets a request pass unless a page of another origin may have caused it.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::cross_origin::Guard;
///
/// let guard = Guard::new().trust("https://app.example.org".parse()?);
/// let save = |request: &mut Request<'_>| -> Result<Response, Response> {
///     guard.admit(request)?;
///     Ok(Response::text("saved\n"))
/// };
/// # let ask = |field: &str| {
/// #     let request = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{field}\r\n\r\n");
/// #     let mut peer = Scripted::new().send(request).end();
/// #     serve_connection(&mut peer, &Limits::default(), save);
/// #     peer.output_text()[9..12].to_owned()
/// # };
/// assert_eq!(ask("Sec-Fetch-Site: same-origin"), "200");
/// assert_eq!(ask("Origin: https://app.example.org"), "200");
/// assert_eq!(ask("Origin: https://evil.example"), "403");
/// # Ok::<(), longhand_kit::origin::BadOrigin>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a guard guards nothing until requests go through `admit`"]
pub struct Guard {
    trusted: Vec<Origin>,
    proxies: Proxies,
}

impl Guard {
    /// A guard that trusts the pages of one origin alone: those of the host that a request is for.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, whose requests may come from the pages of `origin` too: another site of one's own, or
    /// this one under the address that a proxy in front gives it.
    pub fn trust(mut self, origin: Origin) -> Self {
        self.trusted.push(origin);
        self
    }

    /// The same behind proxies: the host that counts is the one that the client asked them for.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// # use longhand_kit::cross_origin::Guard;
    /// use longhand_kit::forwarded::Proxies;
    ///
    /// let guard = Guard::new().proxies(Proxies::x_forwarded("192.0.2.1")?.and_host());
    /// # let mut client = Scripted::new().address("192.0.2.1:80".parse().unwrap()).send("POST / HTTP/1.1\r\nHost: a\r\n")
    /// #     .send("Content-Length: 0\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: b.example\r\n")
    /// #     .send("Origin: https://b.example\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| -> Result<Response, Response> {
    /// // From the proxy at 192.0.2.1, with X-Forwarded-Host and Origin of b.example:
    /// guard.admit(request)?;
    /// #     Ok(Response::text("saved"))
    /// # });
    /// # assert!(client.output_text().ends_with("saved"));
    /// # Ok::<(), longhand_kit::forwarded::BadPrefix>(())
    /// ```
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Judges a request. Call it before the request is carried out.
    ///
    /// # Errors
    /// If a page of another origin may have caused it. The answer to that is 403.
    pub fn admit(&self, request: &Request<'_>) -> Result<(), CrossOrigin> {
        // Joined, a field that was sent twice is a value that no rule accepts.
        let value = |name| {
            let lines: Vec<&[u8]> = request.fields().all(name).collect();
            (!lines.is_empty()).then(|| lines.join(&b", "[..]))
        };
        let (site, origin) = (value("Sec-Fetch-Site"), value("Origin"));
        let client = self.proxies.client(request);
        let claim = Claim {
            method: request.method(),
            sec_fetch_site: site.as_deref(),
            origin: origin.as_deref(),
            host: client.authority(),
        };
        self.judge(&claim)
    }

    fn judge(&self, claim: &Claim<'_>) -> Result<(), CrossOrigin> {
        if matches!(claim.method, "GET" | "HEAD" | "OPTIONS") {
            return Ok(());
        }
        let origin = claim.origin.and_then(parse_origin);
        let is_trusted = origin.as_ref().is_some_and(|origin| self.trusted.contains(origin));
        // Fetch Metadata defines no empty value: it is taken for an absent field.
        match claim.sec_fetch_site.filter(|value| !value.is_empty()) {
            Some(b"same-origin" | b"none") => Ok(()),
            Some(_) if is_trusted => Ok(()),
            Some(_) => Err(CrossOrigin::CrossSite),
            None if claim.origin.is_none() || is_trusted => Ok(()),
            None => match origin {
                Some(origin) if origin.is_at(claim.host) => Ok(()),
                Some(origin) => Err(CrossOrigin::OtherHost { origin, host: claim.host.to_owned() }),
                None => Err(CrossOrigin::NoOrigin),
            },
        }
    }
}

/// What a request says about where it comes from: values of its fields, `None` for an absent field.
/// As bytes: a value that is not UTF-8 is to be refused, and not taken for an absent one.
struct Claim<'r> {
    method: &'r str,
    sec_fetch_site: Option<&'r [u8]>,
    origin: Option<&'r [u8]>,
    host: &'r str,
}

fn parse_origin(value: &[u8]) -> Option<Origin> {
    Origin::parse(std::str::from_utf8(value).ok()?).ok()
}

/// Why a request was refused. Its text may be shown to whoever sent it. Under `?` in a handler it is
/// a 403.
///
/// ```
/// # use longhand::{IntoResponse, Status};
/// use longhand_kit::cross_origin::CrossOrigin;
/// let refused = CrossOrigin::NoOrigin;
/// assert_eq!(refused.to_string(), "Origin names no site");
/// assert_eq!(refused.into_response().status_code(), Status::FORBIDDEN);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrossOrigin {
    /// `Sec-Fetch-Site` says that a page of another origin has caused it: of another site
    /// (`cross-site`), or of this one under another name or port (`same-site`).
    CrossSite,
    /// `Origin` names another host or port than the request is for. Often the reason is a proxy in front
    /// that does not pass `Host` on; so the response's cause, for the log, has both.
    OtherHost {
        /// What `Origin` says.
        origin: Origin,
        /// The host and port that the request is for.
        host: String,
    },
    /// `Origin` is `null`, or cannot be read as an origin.
    NoOrigin,
}

impl fmt::Display for CrossOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CrossSite => "the browser says that this comes from a page of another origin",
            Self::OtherHost { .. } => "Origin names another host than the request is for",
            Self::NoOrigin => "Origin names no site",
        })
    }
}

impl std::error::Error for CrossOrigin {}

/// 403 with the reason; of another host the [cause](Reply::because) has both values.
impl<'s> IntoResponse<'s> for CrossOrigin {
    fn into_response(self) -> Reply<'s> {
        let reply = Reply::text(format!("{self}\n")).status(Status::FORBIDDEN);
        match self {
            Self::OtherHost { origin, host } => {
                reply.because(format!("Origin is {origin}, and the request is for {host:?}"))
            }
            _ => reply,
        }
    }
}

refusal!(CrossOrigin);

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Event, Limits, Response, serve_connection};
    use std::sync::{Arc, Mutex};

    use crate::scripted_server::serve;

    /// `method | sec-fetch-site | origin | host | trusted`; `-` for absent.
    fn verdict(row: &str) -> Result<(), CrossOrigin> {
        let cells: Vec<Option<&str>> =
            row.split('|').map(str::trim).map(|cell| (cell != "-").then_some(cell)).collect();
        let [method, site, origin, host, trusted] = cells[..] else { panic!("{row}") };
        let trusted = trusted.map(|origin| Origin::parse(origin).unwrap());
        let guard = trusted.into_iter().fold(Guard::new(), Guard::trust);
        guard.judge(&Claim {
            method: method.unwrap(),
            sec_fetch_site: site.map(str::as_bytes),
            origin: origin.map(str::as_bytes),
            host: host.unwrap_or_default(),
        })
    }

    #[test]
    fn what_may_pass() {
        for row in [
            "GET     | cross-site  | https://evil.example | a | -",
            "HEAD    | cross-site  | https://evil.example | a | -",
            "OPTIONS | cross-site  | https://evil.example | a | -",
            "POST    | same-origin | - | a | -",
            "POST    | same-origin | https://a | b | -",
            "POST    | none        | - | a | -",
            "POST    | -           | - | a | -",
            "POST    | -           | - | - | -",
            "POST    |             | - | a | -",
            "POST    | -           | http://a | a | -",
            "POST    | -           | http://a:8000 | a:8000 | -",
            "POST    | -           | http://A:8000 | a:8000 | -",
            "POST    | -           | http://a | A:80 | -",
            "POST    | -           | https://a | a | -",
            "POST    | -           | https://a | a:443 | -",
            "POST    | -           | http://[::1]:8000 | [::1]:8000 | -",
            "POST    | -           | https://go.example.org | 10.0.0.1 | https://go.example.org",
            "POST    | cross-site  | https://go.example.org | a | https://go.example.org",
            "POST    | same-site   | https://go.example.org | a | https://go.example.org/",
        ] {
            assert_eq!(verdict(row), Ok(()), "{row}");
        }
    }

    #[test]
    fn what_is_refused() {
        for row in [
            "POST   | cross-site  | https://evil.example | a | -",
            "POST   | cross-site  | - | a | -",
            "POST   | same-site   | - | a | -",
            "PUT    | cross-site  | - | a | -",
            "DELETE | cross-site  | - | a | -",
            "post   | cross-site  | - | a | -",
            "get    | cross-site  | - | a | -",
            "TRACE  | cross-site  | - | a | -",
            "POST   | Same-Origin | - | a | -",
            "POST   | same-origin, cross-site | - | a | -",
            "POST   | cross-site  | http://a | a | -",
            "POST   | -           | null | a | -",
            "POST   | -           |  | a | -",
            "POST   | -           | null | null | -",
            "POST   | -           | http://evil.example | a | -",
            "POST   | -           | http://a:8001 | a:8000 | -",
            "POST   | -           | http://a | a:8000 | -",
            "POST   | -           | http://a:8000 | a | -",
            "POST   | -           | https://a | a:80 | -",
            "POST   | -           | http://a | - | -",
            "POST   | -           | http://a.evil.example | a | -",
            "POST   | -           | http://evil.example/a | a | -",
            "POST   | -           | http://a@evil.example | a | -",
            "POST   | -           | a | a | -",
            "POST   | -           | file://a | a | -",
            "POST   | -           | http://go.example.org | a | https://go.example.org",
            "POST   | cross-site  | - | a | https://go.example.org",
            "POST   | -           | http://a, http://a | a | -",
        ] {
            assert!(verdict(row).is_err(), "{row}");
        }
    }

    /// The status of the answer to `request`, of which `\n` ends the lines.
    fn status(guard: &Guard, peer: &str, request: &str) -> String {
        let request = format!("{request}\n\n").replace('\n', "\r\n");
        let mut peer = Scripted::new().address(peer.parse().unwrap()).send(request).end();
        serve_connection(&mut peer, &Limits::default(), |request| -> Result<Response, Response> {
            guard.admit(request)?;
            Ok(Response::text("saved"))
        });
        let output = peer.output_text();
        output[9..12].to_owned() + output.rsplit_once("\r\n\r\n").unwrap().1
    }

    #[test]
    fn a_value_that_is_no_text_is_not_an_absent_one() {
        let claim =
            Claim { method: "POST", sec_fetch_site: None, origin: Some(b"http://\xff"), host: "a" };
        assert_eq!(Guard::new().judge(&claim), Err(CrossOrigin::NoOrigin));
    }

    #[test]
    fn a_refusal_is_a_403_that_says_why() {
        let answer = |fields: &str| {
            status(&Guard::new(), "192.0.2.1:1", &format!("POST / HTTP/1.1\nHost: a\n{fields}"))
        };
        for (fields, wanted) in [
            ("Origin: http://a", "200saved"),
            ("Origin: http://b", "403Origin names another host than the request is for\n"),
            ("Origin: null", "403Origin names no site\n"),
            ("Origin: http://a\nOrigin: http://a", "403Origin names no site\n"),
            ("Sec-Fetch-Site: same-origin", "200saved"),
            (
                "Sec-Fetch-Site: same-origin\nSec-Fetch-Site: same-origin",
                "403the browser says that this comes from a page of another origin\n",
            ),
        ] {
            assert_eq!(answer(fields), wanted, "{fields}");
        }
    }

    #[test]
    fn a_page_of_the_same_site_is_refused_in_words_that_are_true_of_it() {
        let refusal =
            verdict("POST | same-site | https://b.a.example | a.example | -").unwrap_err();
        let text = refusal.to_string();
        assert!(text.contains("another origin") && !text.contains("site"), "{text}");
    }

    #[test]
    fn the_observer_is_told_of_both_hosts() {
        let told = Arc::new(Mutex::new(String::new()));
        let telling = Arc::clone(&told);
        let observer = move |event: &Event<'_>| {
            if let Event::Answered(answered) = event {
                *telling.lock().unwrap() = answered.error.unwrap().to_string();
            }
        };
        let request =
            "POST / HTTP/1.1\r\nHost: a:8000\r\nOrigin: https://A\r\nContent-Length: 0\r\n\r\n";
        let guard = Guard::new();
        serve(vec![Scripted::new().send(request).end()], observer, move |request| {
            guard.admit(request).map(|()| "saved")
        });
        assert_eq!(*told.lock().unwrap(), "Origin is https://a, and the request is for \"a:8000\"");
    }

    #[test]
    fn behind_a_trusted_proxy_the_host_is_the_one_it_was_asked_for() {
        let guard = Guard::new().proxies(Proxies::x_forwarded("10.0.0.1").unwrap().and_host());
        let request = "POST / HTTP/1.1\nHost: backend\nOrigin: https://go.example\n\
                       X-Forwarded-Host: go.example\nX-Forwarded-For: 192.0.2.1";
        assert_eq!(status(&guard, "10.0.0.1:1", request), "200saved");
        assert!(status(&guard, "10.0.0.2:1", request).starts_with("403"));
        assert!(status(&Guard::new(), "10.0.0.1:1", request).starts_with("403"));
    }
}
