//! What caches may do with a response: Cache-Control (RFC 9111 section 5.2.2) and Vary.
//!
//! What enters is what a program means; what leaves is the field's value. A set of directives that
//! contradicts itself is refused where it is written: as a `const`, by the compiler.
//!
//! ```
//! use longhand::Response;
//! use longhand_kit::cache::CacheControl;
//! use std::time::Duration;
//!
//! const NEWS: CacheControl = CacheControl::fresh(Duration::from_secs(60))
//!     .shared(Duration::from_secs(600))
//!     .while_revalidating(Duration::from_secs(30));
//!
//! let page = Response::html("<h1>News</h1>").field("Cache-Control", NEWS);
//! assert_eq!(NEWS.to_string(), "max-age=60, s-maxage=600, stale-while-revalidate=30");
//! # let _ = page;
//! ```
//!
//! Expires is not written: max-age says the same to every cache since HTTP/1.1, and needs no clock.

use std::fmt;
use std::time::Duration;

use longhand::wire::grammar::is_token;
use longhand::{FieldValue, Reply};

/// The directives of a Cache-Control field.
///
/// It begins with one of the five recipes, which stand for the cases that there are:
/// [`immutable`](Self::immutable), [`fresh`](Self::fresh), [`revalidate`](Self::revalidate),
/// [`private`](Self::private), [`never`](Self::never). The other methods add to it.
///
/// ```
/// # use std::time::Duration;
/// # use longhand_kit::cache::CacheControl;
/// let (minute, fresh) = (Duration::from_secs(60), CacheControl::fresh(Duration::from_secs(60)));
/// for (control, value) in [
///     (CacheControl::immutable(), "public, max-age=31536000, immutable"),
///     (CacheControl::revalidate().no_transform(), "no-cache, no-transform"),
///     (CacheControl::private(), "private, no-cache"),
///     (CacheControl::never().for_one(), "private, no-store"),
///     (fresh.for_one().must_revalidate(), "private, max-age=60, must-revalidate"),
///     (fresh.for_all().while_failing(minute), "public, max-age=60, stale-if-error=60"),
/// ] {
///     assert_eq!(control.to_string(), value);
/// }
/// ```
///
/// A method that adds a directive panics if that contradicts one that is there already: for a `const`,
/// the program does not compile.
///
/// ```compile_fail
/// # use longhand_kit::cache::CacheControl;
/// # use std::time::Duration;
/// const WRONG: CacheControl = CacheControl::private().shared(Duration::from_secs(60));
/// # let _ = WRONG;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheControl {
    no_store: bool,
    no_cache: bool,
    public: bool,
    private: bool,
    immutable: bool,
    must_revalidate: bool,
    no_transform: bool,
    // In seconds.
    max_age: Option<u64>,
    shared: Option<u64>,
    while_revalidating: Option<u64>,
    while_failing: Option<u64>,
}

impl CacheControl {
    const NOTHING: Self = Self {
        no_store: false,
        no_cache: false,
        public: false,
        private: false,
        immutable: false,
        must_revalidate: false,
        no_transform: false,
        max_age: None,
        shared: None,
        while_revalidating: None,
        while_failing: None,
    };

    /// For what never changes under its name, because the name holds a hash of it or a version: a year
    /// in every cache, and not asked for again at a reload (RFC 8246).
    #[must_use]
    pub const fn immutable() -> Self {
        Self { public: true, immutable: true, max_age: Some(31_536_000), ..Self::NOTHING }
    }

    /// For what may be out of date for so long: `max-age`, in whole seconds, a fraction cut off.
    #[must_use]
    pub const fn fresh(time: Duration) -> Self {
        Self { max_age: Some(time.as_secs()), ..Self::NOTHING }
    }

    /// For what is the same for all but may change at any time: stored, and asked about each time, which
    /// is answered by a short 304 where it has an `ETag` or a Last-Modified.
    #[must_use]
    pub const fn revalidate() -> Self {
        Self { no_cache: true, ..Self::NOTHING }
    }

    /// For the page of one user: stored by that user's browser alone, and asked about each time.
    #[must_use]
    pub const fn private() -> Self {
        Self { private: true, ..Self::revalidate() }
    }

    /// For what must not be left lying anywhere: never stored.
    #[must_use]
    pub const fn never() -> Self {
        Self { no_store: true, ..Self::NOTHING }
    }

    /// `public`: stored by shared caches even where the request had an Authorization.
    ///
    /// # Panics
    /// With `private` or `no-store`.
    #[must_use]
    #[track_caller]
    pub const fn for_all(self) -> Self {
        Self { public: true, ..self }.checked()
    }

    /// `private`: stored by the user's own browser alone.
    ///
    /// # Panics
    /// With `public`, which [`immutable`](Self::immutable) has too, or `s-maxage`.
    #[must_use]
    #[track_caller]
    pub const fn for_one(self) -> Self {
        Self { private: true, ..self }.checked()
    }

    /// `s-maxage`: fresh for so long in shared caches, in whole seconds.
    ///
    /// # Panics
    /// With `private`, or without `max-age`.
    #[must_use]
    #[track_caller]
    pub const fn shared(self, time: Duration) -> Self {
        Self { shared: Some(time.as_secs()), ..self }.checked()
    }

    /// `must-revalidate`: never used stale, even where the server cannot be reached.
    ///
    /// # Panics
    /// With `stale-while-revalidate` or `stale-if-error`, or without `max-age`.
    #[must_use]
    #[track_caller]
    pub const fn must_revalidate(self) -> Self {
        Self { must_revalidate: true, ..self }.checked()
    }

    /// `stale-while-revalidate`: used stale for so long, in whole seconds, while a cache asks for a new
    /// one (RFC 5861).
    ///
    /// # Panics
    /// With `must-revalidate`, or without `max-age`.
    #[must_use]
    #[track_caller]
    pub const fn while_revalidating(self, time: Duration) -> Self {
        Self { while_revalidating: Some(time.as_secs()), ..self }.checked()
    }

    /// `stale-if-error`: used stale for so long, in whole seconds, where a cache cannot get a new one
    /// (RFC 5861).
    ///
    /// # Panics
    /// With `must-revalidate`, or without `max-age`.
    #[must_use]
    #[track_caller]
    pub const fn while_failing(self, time: Duration) -> Self {
        Self { while_failing: Some(time.as_secs()), ..self }.checked()
    }

    /// `no-transform`: passed on byte by byte, by proxies that would compress or shrink it.
    #[must_use]
    pub const fn no_transform(self) -> Self {
        Self { no_transform: true, ..self }
    }

    #[track_caller]
    const fn checked(self) -> Self {
        let used_stale = self.while_revalidating.is_some() || self.while_failing.is_some();
        let ages = self.shared.is_some() || self.must_revalidate || used_stale;
        assert!(!(self.public && self.private), "public contradicts private");
        assert!(!(self.public && self.no_store), "public contradicts no-store");
        assert!(!(self.private && self.shared.is_some()), "s-maxage contradicts private");
        assert!(
            !(self.must_revalidate && used_stale),
            "must-revalidate contradicts stale-while-revalidate and stale-if-error"
        );
        assert!(
            self.max_age.is_some() || !ages,
            "s-maxage, must-revalidate, stale-while-revalidate and stale-if-error need max-age"
        );
        self
    }
}

// ABNF: Cache-Control = #cache-directive; cache-directive = token [ "=" ( token / quoted-string ) ]
//                                                                         (RFC 9111 section 5.2)
impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |said: bool, name: &str| said.then(|| name.to_owned());
        let time = |seconds: Option<u64>, name| seconds.map(|seconds| format!("{name}={seconds}"));
        let directives = [
            word(self.public, "public"),
            word(self.private, "private"),
            word(self.no_store, "no-store"),
            word(self.no_cache, "no-cache"),
            time(self.max_age, "max-age"),
            time(self.shared, "s-maxage"),
            word(self.immutable, "immutable"),
            word(self.must_revalidate, "must-revalidate"),
            time(self.while_revalidating, "stale-while-revalidate"),
            time(self.while_failing, "stale-if-error"),
            word(self.no_transform, "no-transform"),
        ];
        f.write_str(&directives.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl From<CacheControl> for FieldValue {
    fn from(control: CacheControl) -> Self {
        Self::new(control.to_string()).expect("directives are visible characters")
    }
}

/// The same response with this field of the request in its Vary, once: the response depends on it (RFC
/// 9110 section 12.5.5). `*` says that it depends on more than fields, and stands in place of all names.
///
/// # Panics
/// If `name` is no field name.
///
/// ```
/// # use longhand::Response;
/// use longhand_kit::cache::vary;
/// let reply = vary(vary(Response::text("hi\n"), "Accept-Encoding"), "accept-encoding");
/// assert_eq!(reply.field_value("Vary").unwrap().as_bytes(), b"Accept-Encoding");
/// ```
#[track_caller]
pub fn vary<'s>(reply: Reply<'s>, name: &str) -> Reply<'s> {
    assert!(is_token(name.as_bytes()), "Vary on {name:?}: expected a field name");
    let mut names: Vec<u8> = Vec::new();
    let mut is_said = false;
    for (_, value) in reply.fields().filter(|(field, _)| field.eq_ignore_ascii_case("Vary")) {
        for other in longhand::wire::elements(value.as_bytes()) {
            is_said |= other == b"*" || other.eq_ignore_ascii_case(name.as_bytes());
            names.extend_from_slice(other);
            names.extend_from_slice(b", ");
        }
    }
    if is_said {
        return reply;
    }
    if name == "*" {
        names.clear();
    }
    names.extend_from_slice(name.as_bytes());
    reply.field("Vary", FieldValue::new(names).expect("names from a field value"))
}

#[cfg(test)]
mod tests {
    use std::panic::{UnwindSafe, catch_unwind};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn recipes_and_what_is_added_to_them() {
        for (control, expected) in [
            (CacheControl::immutable(), "public, max-age=31536000, immutable"),
            (CacheControl::fresh(MINUTE), "max-age=60"),
            (CacheControl::fresh(Duration::from_millis(1_999)), "max-age=1"),
            (CacheControl::revalidate(), "no-cache"),
            (CacheControl::private(), "private, no-cache"),
            (CacheControl::never(), "no-store"),
            (CacheControl::never().no_transform(), "no-store, no-transform"),
            (CacheControl::never().for_one(), "private, no-store"),
            (CacheControl::revalidate().for_all(), "public, no-cache"),
            (CacheControl::revalidate().for_one(), "private, no-cache"),
            (CacheControl::fresh(MINUTE).for_one(), "private, max-age=60"),
            (CacheControl::fresh(MINUTE).must_revalidate(), "max-age=60, must-revalidate"),
            (
                CacheControl::fresh(MINUTE)
                    .while_failing(2 * MINUTE)
                    .while_revalidating(MINUTE)
                    .shared(3 * MINUTE)
                    .for_all(),
                "public, max-age=60, s-maxage=180, stale-while-revalidate=60, stale-if-error=120",
            ),
        ] {
            assert_eq!(control.to_string(), expected);
            assert_eq!(FieldValue::from(control).as_bytes(), expected.as_bytes());
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        fn refused(build: impl FnOnce() -> CacheControl + UnwindSafe) -> bool {
            catch_unwind(build).is_err()
        }
        let fresh = CacheControl::fresh(MINUTE);
        let (asking, never) = (CacheControl::revalidate(), CacheControl::never());
        assert!(refused(|| CacheControl::private().for_all()));
        assert!(refused(|| CacheControl::immutable().for_one()));
        assert!(refused(|| fresh.for_one().shared(MINUTE)));
        assert!(refused(|| fresh.shared(MINUTE).for_one()));
        assert!(refused(|| fresh.must_revalidate().while_failing(MINUTE)));
        assert!(refused(|| fresh.while_revalidating(MINUTE).must_revalidate()));
        for control in [asking, never] {
            assert!(refused(|| control.shared(MINUTE)));
            assert!(refused(|| control.must_revalidate()));
            assert!(refused(|| control.while_revalidating(MINUTE)));
            assert!(refused(|| control.while_failing(MINUTE)));
        }
        assert!(refused(|| never.for_all()));
    }

    #[test]
    fn vary_adds_a_name_once_and_keeps_the_star() {
        let cases: &[(&[&str], &str, &[&str])] = &[
            (&[], "Accept", &["Accept"]),
            (&["Cookie"], "Accept", &["Cookie, Accept"]),
            (&["Cookie", "Origin,,Host"], "Accept", &["Cookie, Origin, Host, Accept"]),
            (&["Cookie, ACCEPT"], "Accept", &["Cookie, ACCEPT"]),
            (&["Accept-Encoding"], "Accept", &["Accept-Encoding, Accept"]),
            (&["*"], "Accept", &["*"]),
            (&["Cookie", "*"], "Accept", &["Cookie", "*"]),
            (&["Cookie"], "*", &["*"]),
        ];
        for (before, name, after) in cases {
            let reply =
                before.iter().fold(Reply::text(""), |reply, line| reply.add_field("Vary", *line));
            let reply = vary(reply, name);
            let lines: Vec<_> = reply
                .fields()
                .filter(|(name, _)| *name == "Vary")
                .map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            assert_eq!(lines, *after, "{before:?} and {name}");
        }
        assert!(catch_unwind(|| drop(vary(Reply::text(""), "a b"))).is_err());
    }
}
