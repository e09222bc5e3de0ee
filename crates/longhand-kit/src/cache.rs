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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheControl {
    reuse: Reuse,
    audience: Audience,
    /// s-maxage, in seconds.
    shared: Option<u64>,
    stale: Stale,
    no_transform: bool,
}

/// How long a stored response may be used without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reuse {
    /// It is not stored.
    Never,
    /// Not without asking.
    Asking,
    /// So many seconds.
    Fresh(u64),
    /// So many seconds, even if its reader reloads the page (RFC 8246).
    Immutable(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    Unsaid,
    Public,
    Private,
}

/// What becomes of a response that has been fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stale {
    Unsaid,
    MustRevalidate,
    /// Seconds for which it may be used while it is revalidated, and where that fails (RFC 5861).
    Usable {
        revalidating: Option<u64>,
        failing: Option<u64>,
    },
}

impl CacheControl {
    /// For what never changes under its name, because the name holds a hash of it or a version: a year
    /// in every cache, and not asked for again at a reload.
    #[must_use]
    pub const fn immutable() -> Self {
        Self { audience: Audience::Public, ..Self::new(Reuse::Immutable(31_536_000)) }
    }

    /// For what may be out of date for so long. Whole seconds; caches take more than 68 years for
    /// that.
    #[must_use]
    pub const fn fresh(time: Duration) -> Self {
        Self::new(Reuse::Fresh(time.as_secs()))
    }

    /// For what is the same for all but may change at any time: stored, and asked for each time, which
    /// costs a 304 where it has an `ETag` or a Last-Modified.
    #[must_use]
    pub const fn revalidate() -> Self {
        Self::new(Reuse::Asking)
    }

    /// For the page of one user: stored by that user's browser alone, and asked for each time.
    #[must_use]
    pub const fn private() -> Self {
        Self { audience: Audience::Private, ..Self::new(Reuse::Asking) }
    }

    /// For what must not be left lying anywhere: never stored.
    #[must_use]
    pub const fn never() -> Self {
        Self::new(Reuse::Never)
    }

    const fn new(reuse: Reuse) -> Self {
        Self {
            reuse,
            audience: Audience::Unsaid,
            shared: None,
            stale: Stale::Unsaid,
            no_transform: false,
        }
    }

    /// `public`: stored by shared caches even where the request had an Authorization.
    ///
    /// # Panics
    /// If it is private, or never stored.
    #[must_use]
    #[track_caller]
    pub const fn for_all(mut self) -> Self {
        assert!(!matches!(self.audience, Audience::Private), "public contradicts private");
        self.assert_stored();
        self.audience = Audience::Public;
        self
    }

    /// `private`: stored by the user's own browser alone.
    ///
    /// # Panics
    /// If it is public, has a time for shared caches, or is never stored.
    #[must_use]
    #[track_caller]
    pub const fn for_one(mut self) -> Self {
        assert!(!matches!(self.audience, Audience::Public), "private contradicts public");
        assert!(self.shared.is_none(), "private contradicts s-maxage, which is for shared caches");
        self.assert_stored();
        self.audience = Audience::Private;
        self
    }

    /// `s-maxage`: fresh for so long in shared caches.
    ///
    /// # Panics
    /// If it is private, or not to be used without asking.
    #[must_use]
    #[track_caller]
    pub const fn shared(mut self, time: Duration) -> Self {
        assert!(!matches!(self.audience, Audience::Private), "s-maxage contradicts private");
        self.assert_fresh();
        self.shared = Some(time.as_secs());
        self
    }

    /// `must-revalidate`: never used stale, even where the server cannot be reached.
    ///
    /// # Panics
    /// If it may be used stale, or is not to be used without asking.
    #[must_use]
    #[track_caller]
    pub const fn must_revalidate(mut self) -> Self {
        assert!(
            !matches!(self.stale, Stale::Usable { .. }),
            "must-revalidate contradicts the use of what is stale"
        );
        self.assert_fresh();
        self.stale = Stale::MustRevalidate;
        self
    }

    /// `stale-while-revalidate`: used stale for so long while a cache asks for a new one (RFC 5861).
    ///
    /// # Panics
    /// If it must be revalidated, or is not to be used without asking.
    #[must_use]
    #[track_caller]
    pub const fn while_revalidating(mut self, time: Duration) -> Self {
        let (_, failing) = self.usable_stale();
        self.stale = Stale::Usable { revalidating: Some(time.as_secs()), failing };
        self
    }

    /// `stale-if-error`: used stale for so long where a cache cannot get a new one (RFC 5861).
    ///
    /// # Panics
    /// If it must be revalidated, or is not to be used without asking.
    #[must_use]
    #[track_caller]
    pub const fn while_failing(mut self, time: Duration) -> Self {
        let (revalidating, _) = self.usable_stale();
        self.stale = Stale::Usable { revalidating, failing: Some(time.as_secs()) };
        self
    }

    /// `no-transform`: passed on byte by byte, by proxies that would compress or shrink it.
    #[must_use]
    pub const fn no_transform(mut self) -> Self {
        self.no_transform = true;
        self
    }

    #[track_caller]
    const fn usable_stale(&self) -> (Option<u64>, Option<u64>) {
        self.assert_fresh();
        match self.stale {
            Stale::Unsaid => (None, None),
            Stale::Usable { revalidating, failing } => (revalidating, failing),
            Stale::MustRevalidate => panic!("must-revalidate contradicts the use of what is stale"),
        }
    }

    #[track_caller]
    const fn assert_stored(&self) {
        assert!(!matches!(self.reuse, Reuse::Never), "no-store: it is not stored for anybody");
    }

    #[track_caller]
    const fn assert_fresh(&self) {
        let is_fresh = matches!(self.reuse, Reuse::Fresh(_) | Reuse::Immutable(_));
        assert!(is_fresh, "no-cache and no-store: it is never used without asking");
    }
}

// ABNF: Cache-Control = #cache-directive; cache-directive = token [ "=" ( token / quoted-string ) ]
//                                                                         (RFC 9111 section 5.2)
impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.audience {
            Audience::Unsaid => {}
            Audience::Public => f.write_str("public, ")?,
            Audience::Private => f.write_str("private, ")?,
        }
        match self.reuse {
            Reuse::Never => f.write_str("no-store")?,
            Reuse::Asking => f.write_str("no-cache")?,
            Reuse::Fresh(seconds) => write!(f, "max-age={seconds}")?,
            Reuse::Immutable(seconds) => write!(f, "max-age={seconds}, immutable")?,
        }
        let (mut revalidating, mut failing) = (None, None);
        if let Stale::Usable { .. } = self.stale {
            (revalidating, failing) = self.usable_stale();
        }
        for (name, seconds) in [
            ("s-maxage", self.shared),
            ("stale-while-revalidate", revalidating),
            ("stale-if-error", failing),
        ] {
            if let Some(seconds) = seconds {
                write!(f, ", {name}={seconds}")?;
            }
        }
        if self.stale == Stale::MustRevalidate {
            f.write_str(", must-revalidate")?;
        }
        if self.no_transform {
            f.write_str(", no-transform")?;
        }
        Ok(())
    }
}

impl From<CacheControl> for FieldValue {
    fn from(control: CacheControl) -> Self {
        Self::new(control.to_string()).expect("directives are visible characters")
    }
}

/// Says that a response depends on this field of the request: adds it to Vary, once (RFC 9110 section
/// 12.5.5). `*`, which says that it depends on more than fields, stays or replaces the rest.
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
