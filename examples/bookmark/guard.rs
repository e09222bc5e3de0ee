//! Who may change something: a guard against other sites' forms (CSRF) that needs no tokens.
//!
//! What a request says about its origin enters, a [`Verdict`] leaves; nothing is remembered. The
//! rule is that of Go's `http.CrossOriginProtection`:
//!
//! 1. Safe methods pass: they change nothing.
//! 2. `Sec-Fetch-Site` is the browser's own word, which no script can set. `same-origin` and `none`
//!    (typed, or a bookmark) pass; any other value is refused unless `Origin` is `BASE_URL`.
//! 3. Without it, a request without `Origin` passes: it comes from no browser of this decade.
//! 4. Otherwise `Origin` has to name the host and port of `Host`, or be `BASE_URL`. `null` never
//!    does.
//!
//! Step 4 is needed: browsers send no `Sec-Fetch-Site` to plain-http hosts other than localhost. A
//! proxy in front must therefore pass `Host` on, or `BASE_URL` be set. And the pages must be sent
//! with `Referrer-Policy: same-origin`: under `no-referrer` their own forms come with the origin
//! `null`.

use crate::rules::{Origin, host_and_port};

/// Fields of every response: no script, no frame, nothing from elsewhere; types are not guessed.
pub(crate) const RESPONSE_FIELDS: [(&str, &str); 3] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
];

/// What a request says about where it comes from: values of its fields, `None` for an absent field.
///
/// As bytes, so that a value that is no text is refused and not taken for an absent one. Of a field
/// that was sent twice, hand over the lines joined by `, `: no rule accepts that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'r> {
    pub(crate) method: &'r str,
    pub(crate) sec_fetch_site: Option<&'r [u8]>,
    pub(crate) origin: Option<&'r [u8]>,
    pub(crate) host: Option<&'r [u8]>,
}

/// Whether a request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allow,
    /// To be answered 403; the reason is fit for the one who asked.
    Refuse(&'static str),
}

/// Judges a request. `base` is the address that a proxy in front gives to this server.
pub(crate) fn judge(claim: &Claim<'_>, base: Option<&Origin>) -> Verdict {
    if matches!(claim.method, "GET" | "HEAD" | "OPTIONS") {
        return Verdict::Allow;
    }
    let origin = claim.origin.and_then(parse_origin);
    let is_base = base.is_some() && origin.as_ref() == base;
    // An empty field says as much as none.
    match claim.sec_fetch_site.filter(|value| !value.is_empty()) {
        Some(b"same-origin" | b"none") => Verdict::Allow,
        Some(_) if is_base => Verdict::Allow,
        Some(_) => Verdict::Refuse("the browser says that this form is part of another site"),
        None if claim.origin.is_none() || is_base => Verdict::Allow,
        None => match origin {
            Some(origin) if is_host(&origin, claim.host) => Verdict::Allow,
            Some(_) => Verdict::Refuse(
                "Origin names another host than Host (behind a proxy, set BASE_URL)",
            ),
            None => Verdict::Refuse("Origin names no site"),
        },
    }
}

fn parse_origin(value: &[u8]) -> Option<Origin> {
    Origin::parse(str::from_utf8(value).ok()?).ok()
}

/// Whether `Host` names the same place. It has no scheme, so the origin's tells the default port: a
/// proxy that ends TLS leaves `Origin: https://a` and `Host: a`.
fn is_host(origin: &Origin, host: Option<&[u8]>) -> bool {
    let host = host.and_then(|host| str::from_utf8(host).ok()).and_then(host_and_port);
    host.is_some_and(|(host, port)| {
        host == origin.host && port.unwrap_or(origin.scheme.port()) == origin.port
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `method | sec-fetch-site | origin | host | base`; `-` for absent.
    fn verdict(row: &str) -> Verdict {
        let cells: Vec<Option<&str>> =
            row.split('|').map(str::trim).map(|cell| (cell != "-").then_some(cell)).collect();
        let [method, site, origin, host, base] = cells[..] else { panic!("{row}") };
        let base = base.map(|base| Origin::parse(base).unwrap());
        let claim = Claim {
            method: method.unwrap(),
            sec_fetch_site: site.map(str::as_bytes),
            origin: origin.map(str::as_bytes),
            host: host.map(str::as_bytes),
        };
        judge(&claim, base.as_ref())
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
            assert_eq!(verdict(row), Verdict::Allow, "{row}");
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
            assert!(matches!(verdict(row), Verdict::Refuse(_)), "{row}");
        }
    }

    #[test]
    fn a_value_that_is_no_text_is_not_an_absent_one() {
        let claim = Claim {
            method: "POST",
            sec_fetch_site: None,
            origin: Some(b"http://\xff"),
            host: Some(b"a"),
        };
        assert!(matches!(judge(&claim, None), Verdict::Refuse(_)));
    }

    #[test]
    fn the_policy_is_one_line() {
        for (name, value) in RESPONSE_FIELDS {
            assert!(!value.contains(['\n', '\r']) && !value.contains("  "), "{name}: {value}");
        }
    }
}
