//! Set-Cookie lines that browsers keep (RFC 6265bis sections 4.1, 5.5 and 5.6).
//!
//! A cookie is built from defaults that are safe: it goes to the whole site and to no other host,
//! scripts cannot read it, and forms of other sites are sent without it. What a browser would drop
//! or shorten is refused, with the part and the place.

use std::fmt;
use std::time::{Duration, SystemTime};

use longhand::wire::format_date;
use longhand::wire::grammar::is_tchar;
use longhand::{FieldValue, Reply};

use super::bad::BadCookie;
use super::octets::{
    COOKIE_OCTETS, MAX_AGE, MAX_ATTRIBUTE, MAX_DATE, MAX_PAIR, check_domain, check_length,
    check_octets, is_av_octet, is_cookie_octet,
};
use crate::seconds::seconds;

/// With which requests of other sites a cookie is sent (RFC 6265bis section 4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With none: not even when somebody follows a link to this site.
    Strict,
    /// When somebody comes to this site by a link, and not with forms that another site posts.
    Lax,
    /// With all. It demands Secure.
    None,
}

/// One of these and no two: browsers that find Max-Age and Expires together go by the former.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    /// Until the browser is closed.
    Visit,
    Removed,
    Seconds(u64),
    /// In seconds since 1970.
    Until(u64),
}

/// A cookie to be set. Without further calls it lasts until the browser is closed and has `Path=/`,
/// `HttpOnly` and `SameSite=Lax`; and no Domain, so that no other host gets it.
///
/// Everything is checked when it is [added to a response](Self::add_to).
///
/// ```
/// use std::time::Duration;
/// use longhand::Response;
/// use longhand_kit::cookie::SetCookie;
///
/// let day = Duration::from_secs(24 * 60 * 60);
/// let response = SetCookie::new("__Host-basket", "a3.b1").secure().max_age(day).add_to(Response::text("ok\n"))?;
/// assert_eq!(
///     response.field_value("Set-Cookie").unwrap().as_bytes(),
///     b"__Host-basket=a3.b1; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax"
/// );
///
/// let refused = SetCookie::new("basket", "a3, b1").add_to(Response::text("ok\n")).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "cookie \"basket\": value, byte 2: expected no control, blank, quote, comma, semicolon, \
///      backslash or octet beyond ASCII (`encode` makes it fit), found 2c hex"
/// );
/// # Ok::<(), longhand_kit::cookie::BadCookie>(())
/// ```
///
/// Its `Debug` shows the name alone.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a cookie does nothing until it is added to a response"]
pub struct SetCookie {
    name: String,
    value: String,
    lifetime: Lifetime,
    domain: Option<String>,
    path: String,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
}

impl SetCookie {
    /// A cookie of this name and value, which are sent as they are. Values that hold more than visible
    /// ASCII go through [`encode`](super::encode) or base64 first.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            lifetime: Lifetime::Visit,
            domain: None,
            path: "/".to_owned(),
            secure: false,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }

    /// Removes the cookie of this name from a browser, given the same Path and Domain as it was set
    /// with, and Secure if its name has a prefix.
    ///
    /// ```
    /// # use longhand::Response;
    /// # use longhand_kit::cookie::SetCookie;
    /// let response = SetCookie::removing("basket").path("/shop").add_to(Response::text("empty\n"))?;
    /// assert_eq!(
    ///     response.field_value("Set-Cookie").unwrap().as_bytes(),
    ///     b"basket=; Max-Age=0; Path=/shop; HttpOnly; SameSite=Lax"
    /// );
    /// # Ok::<(), longhand_kit::cookie::BadCookie>(())
    /// ```
    pub fn removing(name: impl Into<String>) -> Self {
        Self { lifetime: Lifetime::Removed, ..Self::new(name, "") }
    }

    /// Lasts so long from now on, in whole seconds: from one second to 400 days, which is the most
    /// that browsers grant. It replaces [`expires`](Self::expires).
    pub fn max_age(self, age: Duration) -> Self {
        Self { lifetime: Lifetime::Seconds(age.as_secs()), ..self }
    }

    /// Lasts until then, to the second, by the browser's clock, which may be wrong. The browser takes a
    /// date more than 400 days ahead for 400 days. It replaces [`max_age`](Self::max_age), which is
    /// better unless a date is meant.
    pub fn expires(self, time: SystemTime) -> Self {
        Self { lifetime: Lifetime::Until(seconds(time)), ..self }
    }

    /// Goes to this host and all those below it, which must include the host that sets it.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// Goes to this path and those below it. That protects nothing: other paths of the site can
    /// reach it by a frame.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// Goes over secure connections only, and is kept only if it came over one. Chromium and Firefox
    /// count plain http on localhost as secure; on any other plain-http host the cookie is dropped.
    pub fn secure(self) -> Self {
        Self { secure: true, ..self }
    }

    /// Is [`secure`](Self::secure) if `is_secure`: for programs that run on plain-http hosts as well.
    /// Ask [`Client::is_secure`](crate::forwarded::Client::is_secure) behind a proxy, and
    /// [`Request::is_secure`](longhand::Request::is_secure) where TLS ends in this process.
    pub fn secure_if(self, is_secure: bool) -> Self {
        Self { secure: is_secure, ..self }
    }

    /// Is sent with those requests of other sites that `same_site` names.
    pub fn same_site(self, same_site: SameSite) -> Self {
        Self { same_site, ..self }
    }

    /// Is without `HttpOnly`, so that the page's own scripts can read it.
    pub fn readable_by_scripts(self) -> Self {
        Self { http_only: false, ..self }
    }

    /// Is kept apart for each site that shows this one in a frame. It demands Secure.
    pub fn partitioned(self) -> Self {
        Self { partitioned: true, ..self }
    }

    /// The response with this cookie, in place of one of the same name that it sets already: browsers
    /// are not to get two (RFC 6265bis section 4.1.1).
    ///
    /// # Errors
    /// If a browser would drop, cut or shorten it: a name that is no token or a value with an octet that
    /// a cookie cannot hold, more than 4,096 bytes of both or 1,024 of an attribute, a path that does
    /// not begin with `/`, a domain that is no host name, a lifetime of none or more than 400 days;
    /// `SameSite=None` or Partitioned without Secure; a name that begins with `__Secure-`, in any
    /// case, without Secure, or with `__Host-` without Secure and `Path=/` or with a Domain.
    ///
    /// ```
    /// # use longhand::Response;
    /// # use longhand_kit::cookie::SetCookie;
    /// let response = SetCookie::new("step", "1").add_to(Response::text("ok\n"))?;
    /// let response = SetCookie::new("step", "2").add_to(response)?;
    /// assert_eq!(response.fields().filter(|(name, _)| *name == "Set-Cookie").count(), 1);
    /// # Ok::<(), longhand_kit::cookie::BadCookie>(())
    /// ```
    pub fn add_to<'s>(&self, response: Reply<'s>) -> Result<Reply<'s>, BadCookie> {
        let value = self.field_value()?;
        let sets_another = |value: &FieldValue| {
            let name = value.as_bytes().split(|octet| b"=; \t".contains(octet)).next();
            name != Some(self.name.as_bytes())
        };
        let lines = response.fields().filter(|(name, _)| name.eq_ignore_ascii_case("Set-Cookie"));
        let others: Vec<FieldValue> =
            lines.map(|(_, value)| value.clone()).filter(sets_another).collect();
        let response = response.without_field("Set-Cookie");
        Ok(others
            .into_iter()
            .chain([value])
            .fold(response, |response, value| response.add_field("Set-Cookie", value)))
    }

    /// The value of the Set-Cookie line, for responses that are made in another way.
    ///
    /// # Errors
    /// As [`add_to`](Self::add_to).
    pub fn field_value(&self) -> Result<FieldValue, BadCookie> {
        let value =
            self.check().and_then(|()| FieldValue::new(self.line()).map_err(|bad| bad.to_string()));
        value.map_err(|problem| BadCookie { name: self.name.clone(), problem })
    }

    fn check(&self) -> Result<(), String> {
        let av_octets = "no control, semicolon or octet beyond ASCII";
        check_octets("name", "a token (RFC 9110 section 5.6.2)", &self.name, is_tchar)?;
        check_octets("value", COOKIE_OCTETS, &self.value, is_cookie_octet)?;
        check_octets("Path", av_octets, &self.path, is_av_octet)?;
        check_length("name and value", self.name.len() + self.value.len(), MAX_PAIR)?;
        check_length("Path", self.path.len(), MAX_ATTRIBUTE)?;
        self.domain.as_deref().map_or(Ok(()), check_domain)?;
        if let Lifetime::Seconds(found) = self.lifetime {
            if !(1..=MAX_AGE).contains(&found) {
                return Err(format!(
                    "Max-Age: expected 1 to {MAX_AGE} seconds (400 days), found {found}"
                ));
            }
        }
        self.check_conditions()
    }

    /// What browsers demand of a cookie as a whole (RFC 6265bis section 5.7, steps 19 to 21): they
    /// match the prefixes in any case.
    fn check_conditions(&self) -> Result<(), String> {
        let begins_with = |prefix: &str| {
            self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let dated = !matches!(self.lifetime, Lifetime::Until(seconds) if seconds > MAX_DATE);
        let (host, none) = (begins_with("__Host-"), self.same_site == SameSite::None);
        for (what, applies, wanted, fulfilled) in [
            ("a cookie", true, "a name", !self.name.is_empty()),
            ("Path", true, "`/` as its first byte", self.path.starts_with('/')),
            // Browsers trim the blank: `/a ` would become `/a`.
            ("Path", true, "a last byte that is no blank", !self.path.ends_with(' ')),
            ("Expires", true, "a year of four digits", dated),
            ("the prefix __Host-", host, "Secure", self.secure),
            ("the prefix __Host-", host, "Path=/", self.path == "/"),
            ("the prefix __Host-", host, "to have no Domain", self.domain.is_none()),
            ("the prefix __Secure-", begins_with("__Secure-"), "Secure", self.secure),
            ("SameSite=None", none, "Secure", self.secure),
            ("Partitioned", self.partitioned, "Secure", self.secure),
        ] {
            if applies && !fulfilled {
                return Err(format!("{what} demands {wanted}"));
            }
        }
        Ok(())
    }

    // ABNF: set-cookie-string = BWS cookie-pair *( BWS ";" OWS cookie-av )
    //                                                           (RFC 6265bis section 4.1.1)
    fn line(&self) -> String {
        let mut line = format!("{}={}", self.name, self.value);
        match self.lifetime {
            Lifetime::Visit => {}
            Lifetime::Seconds(seconds) => line += &format!("; Max-Age={seconds}"),
            Lifetime::Until(seconds) => {
                line.push_str("; Expires=");
                line.extend(format_date(seconds).map(char::from));
            }
            Lifetime::Removed => line += "; Max-Age=0",
        }
        if let Some(domain) = &self.domain {
            line += &format!("; Domain={domain}");
        }
        line += &format!("; Path={}", self.path);
        line += if self.secure { "; Secure" } else { "" };
        line += if self.http_only { "; HttpOnly" } else { "" };
        line += &format!("; SameSite={:?}", self.same_site);
        line += if self.partitioned { "; Partitioned" } else { "" };
        line
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::Response;

    fn line(cookie: &SetCookie) -> String {
        String::from_utf8(cookie.field_value().unwrap().as_bytes().to_vec()).unwrap()
    }

    fn refusal(cookie: &SetCookie) -> String {
        cookie.field_value().unwrap_err().to_string()
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn plain() -> SetCookie {
        SetCookie::new("a", "b")
    }

    fn lines(response: &Response) -> Vec<String> {
        let set = response.fields().filter(|(name, _)| *name == "Set-Cookie");
        set.map(|(_, value)| String::from_utf8(value.as_bytes().to_vec()).unwrap()).collect()
    }

    #[test]
    fn attributes_are_written_as_browsers_read_them() {
        let hour = Duration::from_millis(3_600_999);
        for (cookie, expected) in [
            (plain(), "a=b; Path=/; HttpOnly; SameSite=Lax"),
            (SetCookie::new("a", ""), "a=; Path=/; HttpOnly; SameSite=Lax"),
            (
                SetCookie::new("!#$%&'*+-.^_`|~09azAZ", "!#+-:<[]~="),
                "!#$%&'*+-.^_`|~09azAZ=!#+-:<[]~=; Path=/; HttpOnly; SameSite=Lax",
            ),
            (plain().max_age(hour), "a=b; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"),
            (
                plain().expires(at(784_111_777)),
                "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/; HttpOnly; SameSite=Lax",
            ),
            (
                plain().max_age(hour).expires(at(0)),
                "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax",
            ),
            (
                plain().expires(at(MAX_DATE)),
                "a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Path=/; HttpOnly; SameSite=Lax",
            ),
            (
                plain().domain("Example.com").path("/a b=c"),
                "a=b; Domain=Example.com; Path=/a b=c; HttpOnly; SameSite=Lax",
            ),
            (
                plain().secure().same_site(SameSite::None).partitioned(),
                "a=b; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
            ),
            (
                plain().readable_by_scripts().same_site(SameSite::Strict),
                "a=b; Path=/; SameSite=Strict",
            ),
            (
                SetCookie::new("__Host-a", "b").secure(),
                "__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax",
            ),
            (
                SetCookie::new("__seCURE-a", "b").secure().path("/x").domain("localhost"),
                "__seCURE-a=b; Domain=localhost; Path=/x; Secure; HttpOnly; SameSite=Lax",
            ),
            (
                SetCookie::removing("a").domain("b.c").path("/d"),
                "a=; Max-Age=0; Domain=b.c; Path=/d; HttpOnly; SameSite=Lax",
            ),
            (
                SetCookie::removing("__Host-a").secure(),
                "__Host-a=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
            ),
        ] {
            assert_eq!(line(&cookie), expected);
        }
    }

    #[test]
    fn what_a_browser_would_drop_is_refused_with_its_part_and_place() {
        let part = |wanted: &str| wanted.to_owned();
        let (secure, second) = (plain().secure(), Duration::from_secs(1));
        for (cookie, expected) in [
            (SetCookie::new("", "b"), part("cookie \"\": a cookie demands a name")),
            (SetCookie::new("a b", "c"), part("cookie \"a b\": name, byte 1: expected a token")),
            (
                SetCookie::new("a\n", "c"),
                part("name, byte 1: expected a token (RFC 9110 section 5.6.2), found 0a hex"),
            ),
            (SetCookie::new("é", "c"), part("name, byte 0")),
            (SetCookie::new("a=", "c"), part("found 3d hex")),
            (SetCookie::new("a", "b;c"), part("value, byte 1")),
            (SetCookie::new("a", "b c"), part("found 20 hex")),
            (SetCookie::new("a", "\"b\""), part("value, byte 0")),
            (SetCookie::new("a", "b\\"), part("found 5c hex")),
            (SetCookie::new("a", "\r\nSet-Cookie: x=y"), part("found 0d hex")),
            (SetCookie::new("a", "\0"), part("found 00 hex")),
            (SetCookie::new("a", "\u{7f}"), part("found 7f hex")),
            (SetCookie::new("a", "é"), part("found c3 hex")),
            (
                SetCookie::new("a", "v".repeat(4_096)),
                part("name and value: expected at most 4096 bytes, found 4097"),
            ),
            (plain().path(""), part("Path demands `/`")),
            (plain().path("x"), part("Path demands `/`")),
            (plain().path("/;Domain=x"), part("Path, byte 1")),
            (plain().path("/\t"), part("Path, byte 1")),
            (plain().path("/é"), part("Path, byte 1")),
            (plain().path("/ "), part("Path demands a last byte")),
            (
                plain().path(format!("/{}", "p".repeat(1_024))),
                part("Path: expected at most 1024 bytes, found 1025"),
            ),
            (plain().domain(""), part("Domain: expected labels")),
            (plain().domain(".a"), part("Domain: expected labels")),
            (plain().domain("a."), part("Domain: expected labels")),
            (plain().domain("a..b"), part("Domain: expected labels")),
            (plain().domain("a-.b"), part("Domain: expected labels")),
            (plain().domain("l".repeat(64)), part("Domain: expected labels")),
            (
                plain().domain("l.".repeat(127)),
                part("Domain: expected at most 253 bytes, found 254"),
            ),
            (plain().domain("a_b"), part("Domain, byte 1")),
            (plain().domain("a:80"), part("Domain, byte 1")),
            (plain().domain("é"), part("Domain, byte 0")),
            (plain().domain("a;b"), part("Domain, byte 1")),
            (
                plain().max_age(Duration::ZERO),
                part("Max-Age: expected 1 to 34560000 seconds (400 days), found 0"),
            ),
            (plain().max_age(Duration::from_millis(999)), part("found 0")),
            (plain().max_age(second * 34_560_001), part("found 34560001")),
            (plain().expires(at(MAX_DATE + 1)), part("Expires demands a year of four digits")),
            (plain().same_site(SameSite::None), part("SameSite=None demands Secure")),
            (plain().partitioned(), part("Partitioned demands Secure")),
            (SetCookie::new("__Secure-a", "b"), part("the prefix __Secure- demands Secure")),
            (SetCookie::new("__sECURE-a", "b"), part("the prefix __Secure- demands Secure")),
            (SetCookie::new("__Host-a", "b"), part("the prefix __Host- demands Secure")),
            (SetCookie::new("__HOST-", "b"), part("the prefix __Host- demands Secure")),
            (
                SetCookie { name: "__host-a".into(), ..secure.clone() }.path("/x"),
                part("the prefix __Host- demands Path=/"),
            ),
            (
                SetCookie { name: "__Host-a".into(), ..secure }.domain("x"),
                part("the prefix __Host- demands to have no Domain"),
            ),
            (SetCookie::removing("__Host-a"), part("the prefix __Host- demands Secure")),
        ] {
            let refusal = refusal(&cookie);
            assert!(refusal.contains(&expected), "{refusal:?} and not {expected:?}");
        }
        // Each of them at its limit.
        line(&SetCookie::new("a", "v".repeat(4_095)));
        line(&plain().path(format!("/{}", "p".repeat(1_023))).max_age(second * 34_560_000));
        line(&plain().max_age(second).domain("l".repeat(63)));
    }

    #[test]
    fn a_refusal_is_one_short_line_without_the_value() {
        let text = refusal(&SetCookie::new("\x1b[31m\n".repeat(100_000), "secret"));
        assert!(text.len() < 400 && !text.contains(char::is_control), "{text}");
        let text = refusal(&SetCookie::new("id", "secret;"));
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(
            format!("{:?}", SetCookie::new("id", "secret")),
            "SetCookie { name: \"id\", .. }"
        );
    }

    #[test]
    fn a_response_sets_a_name_once_and_the_last_one_counts() {
        let response = Response::text("").add_field("set-cookie", "own=1; Path=/");
        let response = plain().add_to(response).unwrap();
        let response = SetCookie::new("ab", "c").add_to(response).unwrap();
        let response = SetCookie::new("A", "d").add_to(response).unwrap();
        let response = SetCookie::removing("a").path("/x").add_to(response).unwrap();
        let response = SetCookie::new("own", "2").add_to(response).unwrap();
        let rest = "; HttpOnly; SameSite=Lax";
        assert_eq!(
            lines(&response),
            [
                format!("ab=c; Path=/{rest}"),
                format!("A=d; Path=/{rest}"),
                format!("a=; Max-Age=0; Path=/x{rest}"),
                format!("own=2; Path=/{rest}"),
            ]
        );
        let refused = SetCookie::new("a b", "").add_to(response).unwrap_err();
        assert_eq!(Response::from(refused).status_code().code(), 500);
    }
}
