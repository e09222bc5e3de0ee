//! Patterns of routes, and which of two is the more specific.
//!
//! The text of a pattern enters, out of the program's own source; its method and segments leave, or
//! what is wrong with it. Two patterns are compared as the sets of requests that they match: that is
//! Go's rule since 1.22, and it makes the order of registration meaningless. A number of points for
//! each segment would order any two, and give some of those that merely overlap a winner that nobody
//! chose. Paths are those of RFC 3986 section 3.3, methods those of RFC 9110 section 9.1.

use longhand::wire::grammar::is_token;
use longhand::wire::{percent_decode, percent_encode};

/// A pattern, taken apart.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As it was registered; under a prefix, with it.
    pub(super) text: String,
    /// `None`: any.
    pub(super) method: Option<String>,
    pub(super) segments: Vec<Segment>,
}

/// What stands between two slashes, or behind the last one.
#[derive(Debug)]
pub(super) enum Segment {
    /// This one, decoded.
    Literal(Vec<u8>),
    /// Any one that is not empty.
    Param(String),
    /// This one and all that follow, be they empty.
    Rest(String),
}

/// The requests that one pattern matches, compared as a set with those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// The other matches all of them, and more: this one is the more specific.
    Narrower,
    Wider,
    /// Both match some, and each matches others that the other does not.
    Crossing,
    Apart,
}

impl Relation {
    /// The relation of two patterns whose methods compare as `self` and whose paths as `other`, or of
    /// which two segments do.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Apart, _) | (_, Self::Apart) => Self::Apart,
            (Self::Same, relation) | (relation, Self::Same) => relation,
            (one, other) if one == other => one,
            _ => Self::Crossing,
        }
    }
}

impl Pattern {
    // pattern = [ method SP ] 1*( "/" segment );  method = token                (RFC 9110 section 9.1)
    // segment = literal / "{" name "}" / "{*" name "}";  literal = *pchar       (RFC 3986 section 3.3)
    /// Reads a pattern; or says what was expected of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (method, path) = match text.split_once(' ') {
            Some((method, path)) if !text.starts_with('/') => (Some(method), path),
            _ => (None, text),
        };
        match method {
            Some(method) if is_standard_but_for_case(method) => {
                let upper = method.to_ascii_uppercase();
                return Err(format!("{method:?}: methods have a case, and this one is {upper}"));
            }
            Some("CONNECT") => return Err("CONNECT never reaches a handler".into()),
            Some(method) if !is_token(method.as_bytes()) => {
                return Err(format!("{method:?} is no method"));
            }
            _ => {}
        }
        let Some(path) = path.strip_prefix('/') else {
            return Err("expected a path that begins with /, behind a method and one space".into());
        };
        let segments: Vec<_> = path.split('/').map(segment).collect::<Result<_, _>>()?;
        for (i, segment) in segments.iter().enumerate() {
            if matches!(segment, Segment::Rest(_)) && i + 1 < segments.len() {
                return Err("{*…} can only stand at the end".into());
            }
            let Some(name) = segment.name() else { continue };
            if segments[..i].iter().any(|before| before.name() == Some(name)) {
                return Err(format!("{{{name}}} stands there twice"));
            }
        }
        Ok(Self { text: text.to_owned(), method: method.map(str::to_owned), segments })
    }

    /// The pattern with a prefix before its path.
    pub(super) fn under(&self, prefix: &str) -> Result<Self, String> {
        let path_at = self.text.find('/').unwrap_or_default();
        let (method, path) = self.text.split_at(path_at);
        Self::parse(&format!("{method}{prefix}{path}"))
    }

    /// The names of what is not literal, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::name)
    }

    pub(super) fn relation(&self, other: &Self) -> Relation {
        let methods = methods(self.method.as_deref(), other.method.as_deref());
        methods.and(paths(&self.segments, &other.segments))
    }

    /// A request that both match, for the message; they must not be apart.
    pub(super) fn common_request(&self, other: &Self) -> String {
        let methods = [self.method.as_deref(), other.method.as_deref()];
        // Of GET and HEAD, HEAD is what both match.
        let method = if methods.contains(&Some("HEAD")) { Some("HEAD") } else { methods[0] };
        let mut request = format!("{} ", method.or(methods[1]).unwrap_or("GET"));
        for i in 0..self.segments.len().max(other.segments.len()) {
            request.push('/');
            match (self.segments.get(i), other.segments.get(i)) {
                (Some(Segment::Literal(literal)), _) | (_, Some(Segment::Literal(literal))) => {
                    request.push_str(&percent_encode(literal));
                }
                (Some(Segment::Param(_)), _) | (_, Some(Segment::Param(_))) => request.push('x'),
                _ => {}
            }
        }
        request
    }
}

impl Segment {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Param(name) | Self::Rest(name) => Some(name),
        }
    }
}

fn segment(text: &str) -> Result<Segment, String> {
    if let Some(inside) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        let (name, make): (_, fn(String) -> Segment) = match inside.strip_prefix('*') {
            Some(name) => (name, Segment::Rest),
            None => (inside, Segment::Param),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(format!("{text}: expected a name of letters, digits and _ in the braces"));
        }
        return Ok(make(name.to_owned()));
    }
    if text.contains(['{', '}']) {
        return Err(format!("{text}: a parameter takes a whole segment, as in /{{id}}/"));
    }
    // Other routers' ways to write a parameter. As literals they would match nothing that is asked for.
    if text.starts_with([':', '*']) {
        return Err(format!("{text}: a parameter is written {{id}}, and what remains {{*rest}}"));
    }
    if text.contains(['?', '#']) || text.contains(|c: char| c.is_control() || c == ' ') {
        return Err(format!("{text:?}: expected a path, without a blank, ? and #"));
    }
    percent_decode(text).map(Segment::Literal).map_err(|bad| format!("{text}: {bad}"))
}

/// Whether this is the name of a method that everybody knows, written as no client sends it: such a
/// route would never be taken (RFC 9110 section 9.1).
fn is_standard_but_for_case(method: &str) -> bool {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    !known.contains(&method) && known.iter().any(|name| name.eq_ignore_ascii_case(method))
}

/// GET takes HEAD as well: whoever answers the one has answered the other (RFC 9110 section 9.3.2).
fn methods(one: Option<&str>, other: Option<&str>) -> Relation {
    match (one, other) {
        _ if one == other => Relation::Same,
        (None, _) | (Some("GET"), Some("HEAD")) => Relation::Wider,
        (_, None) | (Some("HEAD"), Some("GET")) => Relation::Narrower,
        _ => Relation::Apart,
    }
}

fn paths(one: &[Segment], other: &[Segment]) -> Relation {
    let mut relation = Relation::Same;
    for i in 0.. {
        let here = match (one.get(i), other.get(i)) {
            (None, None) | (Some(Segment::Rest(_)), Some(Segment::Rest(_))) => break,
            (None, _) | (_, None) => return Relation::Apart,
            // The rest takes what the other wants here and behind, and more.
            (Some(Segment::Rest(_)), _) => return relation.and(Relation::Wider),
            (_, Some(Segment::Rest(_))) => return relation.and(Relation::Narrower),
            (Some(one), Some(other)) => one_segment(one, other),
        };
        if here == Relation::Apart {
            return here;
        }
        relation = relation.and(here);
    }
    relation
}

fn one_segment(one: &Segment, other: &Segment) -> Relation {
    match (one, other) {
        (Segment::Literal(one), Segment::Literal(other)) if one != other => Relation::Apart,
        // A parameter is not empty.
        (Segment::Literal(text), Segment::Param(_)) if !text.is_empty() => Relation::Narrower,
        (Segment::Param(_), Segment::Literal(text)) if !text.is_empty() => Relation::Wider,
        (Segment::Literal(_), Segment::Param(_)) | (Segment::Param(_), Segment::Literal(_)) => {
            Relation::Apart
        }
        _ => Relation::Same,
    }
}

#[cfg(test)]
impl Pattern {
    /// Whether it matches a request: the words of the documentation, segment by segment, for tests.
    pub(super) fn takes(&self, method: &str, path: &str) -> bool {
        let own = self.method.as_deref().unwrap_or(method);
        let asked: Vec<_> = path[1..].split('/').map(|s| percent_decode(s).unwrap()).collect();
        let rest_at = self.segments.iter().position(|s| matches!(s, Segment::Rest(_)));
        let long_enough = match rest_at {
            Some(at) => asked.len() > at,
            None => asked.len() == self.segments.len(),
        };
        let takes = |(segment, asked): (&Segment, &Vec<u8>)| match segment {
            Segment::Literal(literal) => literal == asked,
            Segment::Param(_) => !asked.is_empty(),
            Segment::Rest(_) => true,
        };
        (own == method || (own, method) == ("GET", "HEAD"))
            && long_enough
            && self.segments.iter().zip(&asked).all(takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart() {
        for (text, method, segments) in [
            ("/", None, "[Literal([])]"),
            ("GET /", Some("GET"), "[Literal([])]"),
            ("//", None, "[Literal([]), Literal([])]"),
            ("m-search /", Some("m-search"), "[Literal([])]"),
            ("M-SEARCH /a/{b_1}", Some("M-SEARCH"), "[Literal([97]), Param(\"b_1\")]"),
            ("/{*r}", None, "[Rest(\"r\")]"),
            ("/%7Ba%2F/é", None, "[Literal([123, 97, 47]), Literal([195, 169])]"),
            ("/a:b/a*", None, "[Literal([97, 58, 98]), Literal([97, 42])]"),
        ] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.method.as_deref(), method, "{text}");
            assert_eq!(format!("{:?}", pattern.segments), segments, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for (text, problem) in [
            ("", "expected a path that begins with /"),
            ("bookmarks", "expected a path that begins with /"),
            ("GET", "expected a path that begins with /"),
            ("GET ", "expected a path that begins with /"),
            ("GET  /", "expected a path that begins with /"),
            ("GET bookmarks", "expected a path that begins with /"),
            (" /", "\"\" is no method"),
            ("G@T /", "\"G@T\" is no method"),
            ("get /x", "\"get\": methods have a case, and this one is GET"),
            ("Patch /x", "\"Patch\": methods have a case, and this one is PATCH"),
            ("connect /x", "\"connect\": methods have a case, and this one is CONNECT"),
            ("CONNECT /", "CONNECT never reaches a handler"),
            ("/{}", "{}: expected a name"),
            ("/{*}", "{*}: expected a name"),
            ("/{a-b}", "{a-b}: expected a name"),
            ("/{a}{b}", "{a}{b}: expected a name"),
            ("/{a}.html", "{a}.html: a parameter takes a whole segment"),
            ("/{a", "{a: a parameter takes a whole segment"),
            ("/a}", "a}: a parameter takes a whole segment"),
            ("/:id", ":id: a parameter is written {id}"),
            ("/*", "*: a parameter is written {id}"),
            ("/a?b", "\"a?b\": expected a path"),
            ("/a b", "\"a b\": expected a path"),
            ("/a\n", "\"a\\n\": expected a path"),
            ("/100%", "100%: byte 3: expected two hexadecimal digits"),
            ("/{*a}/b", "{*…} can only stand at the end"),
            ("/{*a}/", "{*…} can only stand at the end"),
            ("/{a}/b/{a}", "{a} stands there twice"),
            ("/{a}/{*a}", "{a} stands there twice"),
        ] {
            let found = Pattern::parse(text).expect_err(text);
            assert!(found.contains(problem), "{text:?}: {found}");
        }
    }

    /// Every path up to `most` segments of these, the last of which may be of `last` too.
    fn all_paths(segments: &[&str], last: &[&str], most: usize) -> Vec<String> {
        let mut starts = vec![String::new()];
        let mut paths = Vec::new();
        for length in 1..=most {
            let longer = |with: &[&str]| -> Vec<String> {
                starts
                    .iter()
                    .flat_map(|start| with.iter().map(move |s| format!("{start}/{s}")))
                    .map(|path| path.replace('N', &length.to_string()))
                    .collect()
            };
            paths.extend(longer(last));
            starts = longer(segments);
            paths.extend_from_slice(&starts);
        }
        paths
    }

    #[test]
    fn relations_are_those_of_the_sets_of_requests() {
        let texts = all_paths(&["a", "b", "", "{pN}"], &["{*r}"], 3);
        let patterns: Vec<Pattern> = ["", "GET ", "HEAD ", "POST "]
            .iter()
            .flat_map(|method| texts.iter().map(move |path| format!("{method}{path}")))
            .map(|text| Pattern::parse(&text).unwrap())
            .collect();
        // One segment more than any pattern, and one method that none has.
        let paths = all_paths(&["a", "b", ""], &[], 4);
        // A bit for each request.
        let sets: Vec<Vec<u64>> = patterns
            .iter()
            .map(|pattern| {
                let methods = ["GET", "HEAD", "POST", "PUT"];
                let requests = methods.iter().flat_map(|m| paths.iter().map(move |p| (m, p)));
                let taken: Vec<bool> = requests.map(|(m, p)| pattern.takes(m, p)).collect();
                let word =
                    |bits: &[bool]| bits.iter().fold(0, |word, &bit| word << 1 | u64::from(bit));
                taken.chunks(64).map(word).collect()
            })
            .collect();
        let mut seen = [0; 5];
        for (one, ones) in patterns.iter().zip(&sets) {
            for (other, others) in patterns.iter().zip(&sets) {
                let any = |test: fn(u64, u64) -> u64| {
                    ones.iter().zip(others).any(|(&one, &other)| test(one, other) != 0)
                };
                let both = any(|one, other| one & other);
                let (only_one, only_other) =
                    (any(|one, other| one & !other), any(|one, other| !one & other));
                let wanted = match (both, only_one, only_other) {
                    (false, ..) => Relation::Apart,
                    (_, false, false) => Relation::Same,
                    (_, false, true) => Relation::Narrower,
                    (_, true, false) => Relation::Wider,
                    _ => Relation::Crossing,
                };
                assert_eq!(one.relation(other), wanted, "{} and {}", one.text, other.text);
                seen[wanted as usize] += 1;
                if both {
                    let request = one.common_request(other);
                    let (method, path) = request.split_once(' ').unwrap();
                    let taken = [one, other].map(|pattern| pattern.takes(method, path));
                    assert_eq!(taken, [true; 2], "{}, {}: {request}", one.text, other.text);
                }
            }
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }
}
