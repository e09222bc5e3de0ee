//! Which bookmarks a list shows: those that a search finds, in one of three orders, a page of them.
//!
//! The query of a request enters as a [`Selection`], all bookmarks go by twice, and a [`Found`] leaves:
//! one page, and how many there are. The first time each that is found leaves its rank and its place, 16
//! bytes; the second time those on the page are copied. So no page of 100,000 costs much more than
//! walking past them, whichever it is.

use std::cmp::Reverse;

use longhand_kit::form::Form;

use crate::page::messages;
use crate::rules::in_ascii;
use crate::store::{Kept, Store, StoreError};

/// Bookmarks on a page.
pub(crate) const PAGE: usize = 100;

/// Bytes of a search: more than a name and the host of a URI have.
const QUERY: usize = 200;

/// The order of a list. Equals are in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Name,
    Newest,
    Visits,
}

impl Sort {
    pub(crate) const ALL: [(Self, &str, &str); 3] = [
        (Self::Name, "name", "Name"),
        (Self::Newest, "newest", "Newest"),
        (Self::Visits, "visits", "Most visited"),
    ];

    /// As it stands in a query.
    pub(crate) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(sort, ..)| *sort == self).map_or("name", |(_, text, _)| text)
    }
}

/// What a list is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// The search as it was typed.
    pub(crate) query: String,
    pub(crate) sort: Sort,
    /// From 1 on.
    pub(crate) page: usize,
}

/// What a list shows.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) bookmarks: Vec<(String, Kept)>,
    /// How many the search finds, on all pages.
    pub(crate) total: usize,
    /// The page that was asked for, or the last that there is.
    pub(crate) page: usize,
    pub(crate) pages: usize,
}

impl Selection {
    /// Reads a query.
    ///
    /// # Errors
    /// What was found and what was wanted, in a sentence.
    pub(crate) fn read(query: &Form) -> Result<Self, String> {
        let text = query.first("q").unwrap_or_default().trim();
        if text.len() > QUERY {
            let found = format!("… {} bytes …", text.len());
            return Err(messages::bad_query("q", &found, "at most 200 bytes"));
        }
        let sort = match query.first("sort") {
            None | Some("") => Sort::Name,
            Some(wanted) => match Sort::ALL.iter().find(|(_, text, _)| *text == wanted) {
                Some((sort, ..)) => *sort,
                None => {
                    return Err(messages::bad_query("sort", wanted, "name, newest or visits"));
                }
            },
        };
        let page = match query.first("page") {
            None | Some("") => 1,
            Some(text) => match text.parse() {
                Ok(page @ 1..=1_000_000) => page,
                _ => return Err(messages::bad_query("page", text, "a number from 1 on")),
            },
        };
        Ok(Self { query: text.to_owned(), sort, page })
    }

    /// Looks through a store.
    pub(crate) fn find(&self, store: &dyn Store) -> Result<Found, StoreError> {
        let search = Search::new(&self.query);
        let mut ranks = Vec::new();
        let mut place = 0;
        store.scan(&mut |name, kept| {
            if search.finds(name, kept) {
                // They come in the order of the names: among equals, the first comes first.
                ranks.push((self.rank(kept), place));
            }
            place += 1;
        })?;
        let total = ranks.len();
        let pages = total.div_ceil(PAGE).max(1);
        let page = self.page.min(pages);
        let wanted = nth_page(ranks, page);
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_unstable_by_key(|&at| wanted[at].1);
        let mut bookmarks: Vec<Option<(String, Kept)>> = vec![None; wanted.len()];
        let mut next = order.into_iter().peekable();
        let mut place = 0;
        store.scan(&mut |name, kept| {
            if let Some(at) = next.next_if(|&at| wanted[at].1 == place) {
                // Where somebody has saved or deleted one meanwhile, another may stand here.
                if search.finds(name, kept) {
                    bookmarks[at] = Some((name.to_owned(), kept.clone()));
                }
            }
            place += 1;
        })?;
        let bookmarks = bookmarks.into_iter().flatten().collect();
        Ok(Found { bookmarks, total, page, pages })
    }

    /// What comes first is least.
    fn rank(&self, kept: &Kept) -> Reverse<u64> {
        Reverse(match self.sort {
            Sort::Name => 0,
            Sort::Newest => kept.created,
            Sort::Visits => kept.visits,
        })
    }

    /// The address of the same list with another order or page.
    pub(crate) fn link(&self, sort: Sort, page: usize) -> String {
        let mut pairs = Vec::new();
        if !self.query.is_empty() {
            pairs.push(("q", self.query.clone()));
        }
        if sort != Sort::Name {
            pairs.push(("sort", sort.as_str().to_owned()));
        }
        if page > 1 {
            pairs.push(("page", page.to_string()));
        }
        if pairs.is_empty() {
            return "/".to_owned();
        }
        format!("/?{}", pairs.into_iter().collect::<Form>().encode())
    }
}

/// What is on a page that there is, in its order: without sorting what is not on it.
fn nth_page<T: Ord>(mut ranks: Vec<T>, page: usize) -> Vec<T> {
    let before = (page - 1) * PAGE;
    if before > 0 {
        ranks.select_nth_unstable(before);
        ranks.drain(..before);
    }
    if ranks.len() > PAGE {
        ranks.select_nth_unstable(PAGE);
        ranks.truncate(PAGE);
    }
    ranks.sort_unstable();
    ranks
}

/// Words, all of which must be in a name or its URI, each as it is in a name and as it is in a URI, where
/// letters beyond ASCII are escaped. Case does not count, but of those letters in a URI.
struct Search(Vec<(String, String)>);

impl Search {
    fn new(query: &str) -> Self {
        let in_uri = |word| in_ascii(word).to_ascii_lowercase();
        let words = query.split_whitespace().map(|word| (word.to_lowercase(), in_uri(word)));
        Self(words.collect())
    }

    fn finds(&self, name: &str, kept: &Kept) -> bool {
        let found =
            |(word, in_uri): &(String, String)| contains(name, word) || contains(&kept.uri, in_uri);
        self.0.iter().all(found)
    }
}

/// Whether a text contains a word in lower case. Most texts are ASCII, and need no copy for that.
fn contains(text: &str, word: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(word);
    }
    // Tried at every place, a long word could be compared to its end at each.
    if word.len() > 32 {
        return text.to_ascii_lowercase().contains(word);
    }
    let word = word.as_bytes();
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Name, Uri};
    use crate::store::memory::Memory;
    use crate::store::{Change, Visits, When};

    fn store(count: usize) -> Memory {
        let store = Memory::new();
        let changes: Vec<_> = (0..count)
            .map(|number| {
                let uri = Uri::parse(&format!("http://example.org/Path{}", number % 7)).unwrap();
                let name = Name::parse(&format!("{number:05} käse")).unwrap();
                let created = (number * 31 % count) as u64;
                Change { name, to: Some(Kept::new(&uri, created)), when: When::Any }
            })
            .collect();
        store.change(&changes).unwrap();
        let visits: Vec<_> = (0..count)
            .map(|number| Visits {
                name: format!("{number:05} käse"),
                count: (number * 17 % 23) as u64,
                last: 1,
            })
            .collect();
        store.visit(&visits).unwrap();
        store
    }

    fn select(query: &str) -> Selection {
        Selection::read(&Form::parse(query).unwrap()).unwrap()
    }

    /// The same, slowly: all, sorted, a page of them.
    fn slowly(store: &Memory, selection: &Selection) -> Vec<String> {
        let mut all = Vec::new();
        let search = Search::new(&selection.query);
        store.scan(&mut |name, kept| all.push((name.to_owned(), kept.clone()))).unwrap();
        all.retain(|(name, kept)| search.finds(name, kept));
        all.sort_by_key(|(_, kept)| selection.rank(kept));
        let of_page = all.into_iter().skip((selection.page - 1) * PAGE).take(PAGE);
        of_page.map(|(name, _)| name).collect()
    }

    #[test]
    fn every_page_of_every_order_is_as_sorting_them_all_would_give() {
        let store = store(2_345);
        for sort in ["name", "newest", "visits"] {
            for page in [1, 2, 7, 23, 24] {
                let selection = select(&format!("q=path&sort={sort}&page={page}"));
                let found = selection.find(&store).unwrap();
                let names: Vec<_> = found.bookmarks.into_iter().map(|(name, _)| name).collect();
                assert_eq!(names, slowly(&store, &selection), "{sort} {page}");
                assert_eq!((found.total, found.page, found.pages), (2_345, page, 24));
            }
        }
    }

    #[test]
    fn a_word_beyond_ascii_is_found_in_a_uri_where_it_is_escaped() {
        let uri = Uri::parse("http://example.org/1?Größe=1").unwrap();
        let kept = Kept::new(&uri, 0);
        for (query, found) in [("Größe", true), ("größe", true), ("GRößE", true), ("grösse", false)]
        {
            assert_eq!(Search::new(query).finds("a", &kept), found, "{query}");
        }
        let long = format!("{}B", "a".repeat(40));
        let kept = Kept::new(&Uri::parse(&format!("http://example.org/{long}")).unwrap(), 0);
        assert!(Search::new(&long).finds("a", &kept));
    }

    #[test]
    fn a_search_finds_all_its_words_in_any_case() {
        let store = store(100);
        for (query, total) in [
            ("", 100),
            ("PATH3", 14),
            ("K%C3%84SE+path3", 14),
            ("00012", 1),
            ("00012+path3", 0),
            ("example.org", 100),
            ("%F0%9F%98%80", 0),
            ("nothing", 0),
        ] {
            let found = select(&format!("q={query}")).find(&store).unwrap();
            assert_eq!(found.total, total, "{query}");
            assert_eq!(found.pages, 1);
        }
    }

    #[test]
    fn a_page_beyond_the_last_is_the_last() {
        let found = select("page=9").find(&store(250)).unwrap();
        assert_eq!((found.page, found.pages, found.bookmarks.len()), (3, 3, 50));
        let found = select("page=9").find(&store(0)).unwrap();
        assert_eq!((found.page, found.pages, found.bookmarks.len()), (1, 1, 0));
    }

    #[test]
    fn links_keep_the_search_and_say_what_differs() {
        let selection = select("q=a+%26+b&sort=newest");
        assert_eq!(selection.link(Sort::Name, 1), "/?q=a+%26+b");
        assert_eq!(selection.link(Sort::Newest, 3), "/?q=a+%26+b&sort=newest&page=3");
        assert_eq!(select("").link(Sort::Name, 1), "/");
    }

    #[test]
    fn a_query_that_no_link_has_is_refused_by_name() {
        for (query, wanted) in [
            ("sort=size", "`sort=size`"),
            ("page=0", "`page=0`"),
            ("page=-1", "`page=-1`"),
            ("page=x", "`page=x`"),
            ("page=99999999999999999999", "`page="),
            (&format!("q={}", "x".repeat(201)), "201 bytes"),
        ] {
            let refused = Selection::read(&Form::parse(query).unwrap()).unwrap_err();
            assert!(refused.contains(wanted), "{refused}");
        }
    }
}
