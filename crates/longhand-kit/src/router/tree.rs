//! Finds the route of a request: a tree of segments, whose leaves know methods.
//!
//! A method and a path, still percent-encoded, enter; the number of a route leaves, with the places
//! of its parameters in the path, or the methods that the place does have.
//!
//! At each slash the literal is tried before the parameter, and the parameter before the rest. The
//! first leaf that has the method is then the most specific of all that match. `/new/{x}` and
//! `/{y}/edit` would break that: of the two, the search for `/new/edit` would choose whichever has
//! its literal further left. But they cross, and so cannot both exist: wherever two routes match one
//! path, the more specific is at no slash the wider. A leaf without the method is left again, since a
//! wider pattern may have it.
//!
//! Each node is entered at most once for a request, and no deeper than the longest pattern: what a
//! client sends makes neither the search nor the stack grow.

use std::collections::HashMap;
use std::ops::Range;

use longhand::wire::percent_decode;

use super::pattern::{Pattern, Segment};

/// The routes that end in one place: method, and number of the route.
type Ends = Vec<(Option<String>, usize)>;

/// What may follow after the segments that led here.
#[derive(Debug, Default)]
pub(super) struct Node {
    literals: HashMap<Vec<u8>, Self>,
    param: Option<Box<Self>>,
    rest: Ends,
    ends: Ends,
}

/// The way of a request through the tree.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) route: usize,
    /// Where its parameters stand in the path, in order, the rest last.
    pub(super) spans: Vec<Range<usize>>,
}

impl Node {
    pub(super) fn insert(&mut self, pattern: &Pattern, route: usize) {
        let end = (pattern.method.clone(), route);
        let mut node = self;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(literal) => node.literals.entry(literal.clone()).or_default(),
                Segment::Param(_) => node.param.get_or_insert_default(),
                Segment::Rest(_) => {
                    node.rest.push(end);
                    return;
                }
            };
        }
        node.ends.push(end);
    }

    /// The route, or the methods of all routes that match the path: none where there is no such place.
    pub(super) fn find(&self, method: &str, path: &str) -> Result<Way, Vec<&str>> {
        let mut search = Search { method, path, spans: Vec::new(), methods: Vec::new() };
        let start = path.starts_with('/').then_some(1);
        match search.enter(self, start) {
            Some(route) => Ok(Way { route, spans: search.spans }),
            None => Err(search.methods),
        }
    }

    fn literal(&self, segment: &str) -> Option<&Self> {
        if !segment.contains('%') {
            return self.literals.get(segment.as_bytes());
        }
        self.literals.get(&percent_decode(segment).ok()?)
    }
}

struct Search<'p, 't> {
    method: &'p str,
    path: &'p str,
    spans: Vec<Range<usize>>,
    /// The methods of the leaves that did not have the one asked for: what 405 names.
    methods: Vec<&'t str>,
}

impl<'t> Search<'_, 't> {
    /// Looks below `node`, which was reached by what stands before `start`; `None` at the path's end.
    fn enter(&mut self, node: &'t Node, start: Option<usize>) -> Option<usize> {
        let Some(start) = start else { return self.end(&node.ends) };
        let path = self.path;
        let slash = path[start..].find('/').map(|i| start + i);
        let segment = start..slash.unwrap_or(path.len());
        let next = slash.map(|slash| slash + 1);
        if let Some(child) = node.literal(&path[segment.clone()]) {
            if let Some(route) = self.enter(child, next) {
                return Some(route);
            }
        }
        if let (Some(child), false) = (&node.param, segment.is_empty()) {
            self.spans.push(segment);
            if let Some(route) = self.enter(child, next) {
                return Some(route);
            }
            self.spans.pop();
        }
        let route = self.end(&node.rest)?;
        self.spans.push(start..path.len());
        Some(route)
    }

    fn end(&mut self, ends: &'t Ends) -> Option<usize> {
        let of = |method| ends.iter().find(|end| end.0.as_deref() == method).map(|end| end.1);
        let by_get = || if self.method == "HEAD" { of(Some("GET")) } else { None };
        let route = of(Some(self.method)).or_else(by_get).or_else(|| of(None));
        if route.is_none() {
            self.methods.extend(ends.iter().filter_map(|end| end.0.as_deref()));
        }
        route
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::pattern::Relation;

    /// Numbers that look random and are the same in every run (xorshift64).
    struct Seeded(u64);

    impl Seeded {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
            texts[self.below(texts.len())]
        }

        fn pattern(&mut self) -> Pattern {
            let mut text = self.of(&["", "", "GET ", "GET ", "HEAD ", "POST "]).to_owned();
            for i in 0..=self.below(4) {
                let segment = self.of(&["a", "b", "c", "%2F", "", "{p}", "{p}", "{p}"]);
                text.push_str(&format!("/{}", segment.replace('p', &format!("p{i}"))));
            }
            if self.below(4) == 0 {
                text.push_str("/{*rest}");
            }
            Pattern::parse(&text).unwrap()
        }

        fn path(&mut self) -> String {
            (0..=self.below(5))
                .map(|_| {
                    format!("/{}", self.of(&["a", "b", "c", "%61", "%2F", "%2f", "d", "", "a%2Fb"]))
                })
                .collect()
        }

        /// Patterns of which no two cross, in a random order.
        fn routes(&mut self) -> Vec<Pattern> {
            let mut routes: Vec<Pattern> = Vec::new();
            for _ in 0..self.below(60) {
                let pattern = self.pattern();
                let crosses = |other: &Pattern| {
                    matches!(pattern.relation(other), Relation::Same | Relation::Crossing)
                };
                if !routes.iter().any(crosses) {
                    routes.push(pattern);
                }
            }
            routes
        }

        fn shuffle<T>(&mut self, list: &mut [T]) {
            for i in (1..list.len()).rev() {
                list.swap(i, self.below(i + 1));
            }
        }
    }

    fn tree<'p>(routes: impl IntoIterator<Item = &'p Pattern>) -> Node {
        let mut tree = Node::default();
        routes.into_iter().enumerate().for_each(|(i, pattern)| tree.insert(pattern, i));
        tree
    }

    /// The one whose requests are all those of every other that matches, by looking at each.
    fn most_specific<'p>(routes: &[&'p Pattern], method: &str, path: &str) -> Option<&'p Pattern> {
        let matching: Vec<_> = routes.iter().filter(|p| p.takes(method, path)).collect();
        let is_narrowest = |pattern: &&&&Pattern| {
            matching
                .iter()
                .all(|other| matches!(pattern.relation(other), Relation::Same | Relation::Narrower))
        };
        let best = matching.iter().find(is_narrowest);
        assert_eq!(best.is_none(), matching.is_empty(), "{method} {path}: no one is the narrowest");
        best.map(|pattern| **pattern)
    }

    #[test]
    fn any_order_finds_what_a_look_at_every_route_finds() {
        let mut seeded = Seeded(0x726F_7574_6572);
        let (mut found, mut other_method, mut nowhere) = (0, 0, 0);
        for _ in 0..400 {
            let routes = seeded.routes();
            let mut order: Vec<&Pattern> = routes.iter().collect();
            seeded.shuffle(&mut order);
            let tree = tree(order.iter().copied());
            for _ in 0..60 {
                let method = seeded.of(&["GET", "HEAD", "POST", "PUT"]);
                let path = seeded.path();
                match (tree.find(method, &path), most_specific(&order, method, &path)) {
                    (Ok(Way { route, spans }), Some(wanted)) => {
                        assert_eq!(order[route].text, wanted.text, "{method} {path}");
                        assert_eq!(spans.len(), wanted.names().count(), "{method} {path}");
                        found += 1;
                    }
                    (Err(mut methods), None) => {
                        let mut wanted: Vec<_> = ["GET", "HEAD", "POST"]
                            .into_iter()
                            .filter(|m| {
                                order
                                    .iter()
                                    .any(|p| p.method.as_deref() == Some(m) && p.takes(m, &path))
                            })
                            .collect();
                        methods.sort_unstable();
                        methods.dedup();
                        if methods.is_empty() {
                            nowhere += 1;
                        } else {
                            other_method += 1;
                        }
                        wanted.sort_unstable();
                        assert_eq!(methods, wanted, "{method} {path}");
                    }
                    (ours, theirs) => panic!("{method} {path}: {ours:?}, not {theirs:?}"),
                }
            }
        }
        let seen = [found, other_method, nowhere];
        assert!(seen.iter().all(|&count| count > 1_000), "{seen:?}: too one-sided");
    }

    #[test]
    fn parameters_are_where_they_stand_in_the_path() {
        let patterns: Vec<_> = ["/{a}/x/{b}/{*c}", "/{a}/{y}/{b}", "/u/%2F/{z}"]
            .iter()
            .map(|text| Pattern::parse(text).unwrap())
            .collect();
        let tree = tree(&patterns);
        for (path, route, values) in [
            ("/1/x/22/3/4", 0, &["1", "22", "3/4"][..]),
            ("/1/x/22/", 0, &["1", "22", ""]),
            // Given up by the first on its way.
            ("/1/x/22", 1, &["1", "x", "22"]),
            ("/%2f/%78/%20//", 0, &["%2f", "%20", "/"]),
            ("/u/%2f/%2F", 2, &["%2F"]),
        ] {
            let found = tree.find("GET", path).unwrap();
            assert_eq!(found.route, route, "{path}");
            let spans: Vec<_> = found.spans.iter().map(|span| &path[span.clone()]).collect();
            assert_eq!(spans, values, "{path}");
        }
    }

    #[test]
    fn long_paths_are_left_where_the_patterns_end() {
        let patterns = ["/{a}/{b}", "/a/{*rest}"].map(|text| Pattern::parse(text).unwrap());
        let tree = tree(&patterns);
        let deep = "/a".repeat(1_000_000);
        assert_eq!(tree.find("GET", &deep).unwrap().spans.first(), Some(&(3..deep.len())));
        assert!(tree.find("GET", &format!("/b{deep}")).unwrap_err().is_empty());
        assert!(tree.find("GET", "*").unwrap_err().is_empty());
    }
}
