//! Which bookmark a path means, and where it leads from there.
//!
//! A path enters; the names that could be meant leave, the best first. Names are compared decoded, so
//! that `/a%2Fb` and `/a/b` are the same, and by their case. A name that ends in `/` takes longer paths
//! too: `docs/` is for `/docs/a/b`, whose rest is added to the URI as it came.

use std::borrow::Cow;

use longhand::wire::percent_decode;

use crate::rules::{NAME_BYTES, Name, Uri};
use crate::store::{Store, StoreError};

/// Own names after each other: no browser follows more redirects.
const HOPS: usize = 20;

/// A path as it came, without its first slash, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Path<'r> {
    raw: &'r str,
    decoded: Cow<'r, [u8]>,
}

/// A bookmark that a path means.
#[derive(Debug)]
pub(crate) struct Meant {
    pub(crate) name: String,
    /// Where it leads, with what the path has beyond the name.
    pub(crate) leads: String,
}

impl<'r> Path<'r> {
    /// Takes the path of a request or of a URI. Of one with a broken escape, that stays as it is.
    pub(crate) fn new(path: &'r str) -> Self {
        let raw = path.strip_prefix('/').unwrap_or(path);
        let decoded = match percent_decode(raw) {
            Ok(decoded) if decoded.len() < raw.len() => Cow::Owned(decoded),
            _ => Cow::Borrowed(raw.as_bytes()),
        };
        Self { raw, decoded }
    }

    pub(crate) fn decoded(&self) -> &[u8] {
        &self.decoded
    }

    /// Its text, without blanks around it: they do not count, since they come along with what is pasted.
    /// What is no text is no name.
    pub(crate) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.decoded).ok().map(str::trim)
    }

    /// The names that it may mean: itself, and then those that end in `/`, the longest first.
    fn candidates(&self) -> Vec<&str> {
        let Ok(text) = str::from_utf8(&self.decoded) else { return Vec::new() };
        let mut names = vec![text.trim()];
        let slashes = text.match_indices('/').map(|(at, _)| at + 1);
        let shorter = slashes.filter(|&end| end <= NAME_BYTES && end < text.len());
        let mut shorter: Vec<_> = shorter.map(|end| &text[..end]).collect();
        shorter.reverse();
        names.append(&mut shorter);
        names.retain(|name| !name.is_empty());
        names
    }

    /// Finds the bookmark. `query` is what the request has behind its path.
    pub(crate) fn find(
        &self,
        store: &dyn Store,
        query: Option<&str>,
    ) -> Result<Option<Meant>, StoreError> {
        let names = self.candidates();
        let mut from = 0;
        while let Some((at, kept)) = store.first(&names[from..])? {
            let name = names[from + at];
            let leads = match from + at {
                0 => Some(kept.uri.clone()),
                _ => self.beyond(name).and_then(|rest| extended(&kept.uri, rest, query)),
            };
            if let Some(leads) = leads {
                return Ok(Some(Meant { name: name.to_owned(), leads }));
            }
            from += at + 1;
        }
        Ok(None)
    }

    /// What the path has behind a name that it begins with, still encoded. Not where it goes back:
    /// `docs/` is not for what is beside it.
    fn beyond(&self, name: &str) -> Option<&'r str> {
        let mut rest = self.raw;
        for _ in 0..name.len() {
            let octet = if rest.starts_with('%') { 3 } else { 1 };
            rest = rest.get(octet..)?;
        }
        let goes_back = |segment: &[u8]| matches!(segment, b"." | b"..");
        let decoded = &self.decoded[name.len()..];
        // Browsers take a backslash for a slash.
        let mut segments = decoded.split(|octet| matches!(octet, b'/' | b'\\'));
        (!segments.any(goes_back)).then_some(rest)
    }
}

/// A URI with more behind it. One that ends in a query or a fragment has no place for it. One that is
/// only a host gets a path first: what is added is never a part of the host.
fn extended(uri: &str, rest: &str, query: Option<&str>) -> Option<String> {
    if uri.contains(['?', '#']) {
        return None;
    }
    let slash = match uri.split_once("://") {
        Some((_, after)) if !after.contains('/') => "/",
        _ => "",
    };
    Some(match query {
        Some(query) => format!("{uri}{slash}{rest}?{query}"),
        None => format!("{uri}{slash}{rest}"),
    })
}

/// Where a way by names of this server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Somewhere.
    Out,
    /// Where it began.
    Back,
    /// After too many names; in a circle of others, perhaps.
    Long,
}

/// Whether a name would lead back to itself, if it led to this URI: by URIs of this server, as `is_own`
/// tells them.
pub(crate) fn way(
    store: &dyn Store,
    name: &Name,
    uri: &Uri,
    is_own: impl Fn(&Uri) -> bool,
) -> Result<Way, StoreError> {
    let mut uri = uri.clone();
    for _ in 0..HOPS {
        if !is_own(&uri) {
            return Ok(Way::Out);
        }
        let (path, query) = uri.path_and_query();
        let path = Path::new(&path);
        let candidates = path.candidates();
        let own = candidates.iter().position(|candidate| *candidate == name.as_str());
        let next = path.find(store, query)?;
        let other = next
            .as_ref()
            .and_then(|next| candidates.iter().position(|candidate| *candidate == next.name));
        match (own, other, next) {
            // Once it is saved, this name is found first.
            (Some(own), Some(other), _) if own <= other => return Ok(Way::Back),
            (Some(_), None, _) => return Ok(Way::Back),
            (_, _, None) => return Ok(Way::Out),
            (_, _, Some(next)) => match Uri::parse(&next.leads) {
                Ok(next) => uri = next,
                Err(_) => return Ok(Way::Out),
            },
        }
    }
    Ok(Way::Long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;
    use crate::store::{Change, Kept, When};

    fn store(bookmarks: &[(&str, &str)]) -> Memory {
        let store = Memory::new();
        for (name, uri) in bookmarks {
            let to = Some(Kept::new(&Uri::parse(uri).unwrap(), 0));
            let change = Change { name: Name::parse(name).unwrap(), to, when: When::Any };
            store.change(&[change]).unwrap();
        }
        store
    }

    #[test]
    fn a_path_means_its_own_name_or_the_longest_that_ends_in_a_slash() {
        let store = store(&[
            ("a", "http://x/a"),
            ("docs/", "http://x/d/"),
            ("docs/rust/", "http://x/r/"),
            ("docs/rust/q", "http://x/q"),
            ("query/", "http://x/?q="),
            ("deep/query/", "http://x/#"),
            ("deep/", "http://x/deep/"),
            ("k\u{e4}/", "http://x/k"),
            ("/", "http://x/slash"),
        ]);
        for (path, query, leads) in [
            ("/a", None, Some("http://x/a")),
            ("/a", Some("b=c"), Some("http://x/a")),
            ("/%61%20", None, Some("http://x/a")),
            ("/A", None, None),
            ("/a/", None, None),
            ("/docs/", None, Some("http://x/d/")),
            ("/docs", None, None),
            ("/docs/x%20y/z", None, Some("http://x/d/x%20y/z")),
            ("/docs%2Fx%2fy", Some("q=%41"), Some("http://x/d/x%2fy?q=%41")),
            ("/docs/rust/q", None, Some("http://x/q")),
            ("/docs/rust/q/r", None, Some("http://x/r/q/r")),
            ("/docs/rust/", Some("x"), Some("http://x/r/")),
            ("/docs/../a", None, None),
            ("/docs/x/%2E%2e/a", None, None),
            ("/docs/..a", None, Some("http://x/d/..a")),
            ("/query/x", None, None),
            ("/deep/query/x", None, Some("http://x/deep/query/x")),
            ("/k%C3%A4/%C3%B6", None, Some("http://x/k%C3%B6")),
            ("//", None, Some("http://x/slash")),
            ("//x", None, Some("http://x/slashx")),
            ("/%FF", None, None),
            ("/", None, None),
        ] {
            let found = Path::new(path).find(&store, query).unwrap();
            assert_eq!(found.as_ref().map(|meant| &*meant.leads), leads, "{path}");
        }
        let long = format!("/{}/x", "y/".repeat(2_000));
        assert!(Path::new(&long).candidates().len() <= NAME_BYTES);
    }

    #[test]
    fn a_circle_is_found_however_it_is_closed() {
        let store = store(&[
            ("b", "http://own/c?x#y"),
            ("c", "http://own/d"),
            ("e", "http://own/"),
            ("away", "http://x/a"),
            ("docs/", "http://own/r/"),
            ("x", "http://own/y"),
            ("y", "http://own/x"),
        ]);
        for (name, uri, circle) in [
            ("a", "http://own/a", true),
            ("a", "http://own/%61?q=1#z", true),
            ("a", "http://own/./x/%2e%2E/a", true),
            ("a", "http://own/A", false),
            ("a", "http://x/a", false),
            ("a", "http://own/", false),
            ("a", "http://own", false),
            ("d", "http://own/b", true),
            ("a", "http://own/b", false),
            ("a", "http://own/away", false),
            ("a", "http://own/e", false),
            ("a", "http://own/.details/a", false),
            ("r/", "http://own/docs/x", true),
            ("r/", "http://own/r/", true),
            ("r/z", "http://own/docs/z", true),
            ("r/z", "http://own/docs/y", false),
            ("s/", "http://own/s/t", true),
            ("a", "http://own/x", true),
        ] {
            let uri = Uri::parse(uri).unwrap();
            let is_own = |uri: &Uri| uri.origin().host() == "own";
            let found = way(&store, &Name::parse(name).unwrap(), &uri, is_own).unwrap();
            assert_eq!(found != Way::Out, circle, "{name} {}", uri.as_str());
        }
    }
}
