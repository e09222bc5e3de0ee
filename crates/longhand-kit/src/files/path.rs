//! From the path of a request to names in a folder, by rules alone: no file is looked at here.
//!
//! What enters is the path as it was sent, behind the place where the folder is mounted; what leaves
//! are the names of its segments, decoded once (RFC 3986 sections 2.1 and 3.3), or why there are
//! none. What could lead out of the folder is refused and not repaired: servers that repair `..` have
//! again and again had a hole there. An encoded slash is refused too, because one server takes it for
//! part of a name and the next for the end of one.

use std::fmt;

use longhand::wire::percent_decode;
use longhand::{IntoResponse, Reply, Status};

use crate::device::is_device;

/// The longest name that file systems have, in bytes.
const MAX_NAME: usize = 255;

/// Whether names that begin with a dot are served. `.well-known` is, either way (RFC 8615).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DotNames {
    Hidden,
    Served,
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) names: Vec<String>,
    /// It ends with a slash, or there is nothing in it: a folder is meant.
    pub(super) folder: bool,
}

/// Why a path has no names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No client that means well sends it: 400.
    Bad(BadPath),
    /// Nothing of that name is served, whatever is there: 404.
    Absent,
}

// ABNF: path-absolute = "/" [ segment-nz *( "/" segment ) ]             (RFC 3986 section 3.3)
/// Reads a path. The slash it begins with may be missing, as behind a route's prefix.
pub(super) fn read(path: &str, dots: DotNames) -> Result<Asked, Refused> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Asked { names: Vec::new(), folder: true });
    }
    let (path, folder) = path.strip_suffix('/').map_or((path, false), |path| (path, true));
    let mut names = Vec::new();
    for (at, segment) in path.split('/').enumerate() {
        let bad = |problem| Refused::Bad(BadPath { segment: at + 1, problem });
        names.push(decode(segment).map_err(bad)?);
    }
    // Only now: a path that is malformed anywhere is a 400, also behind a name that is not served.
    let served = names.iter().all(|name| is_served(name, dots));
    if served { Ok(Asked { names, folder }) } else { Err(Refused::Absent) }
}

fn decode(segment: &str) -> Result<String, Problem> {
    let octets = percent_decode(segment).map_err(|_| Problem::Escape)?;
    let name = String::from_utf8(octets).map_err(|_| Problem::Utf8)?;
    Problem::of(&name).map_or(Ok(name), Err)
}

/// Whether an entry of this name is served, if it is there.
pub(super) fn is_served(name: &str, dots: DotNames) -> bool {
    let is_hidden = dots == DotNames::Hidden && name.starts_with('.') && name != ".well-known";
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && Problem::of(name).is_none();
    is_name && !is_hidden && !(cfg!(windows) && is_special_on_windows(name))
}

/// Whether Windows takes a name for something else than a file of that name: a device (with any suffix,
/// and with superscript digits), a stream of another file, a short name, or the name without the dot
/// or space at its end.
pub(super) fn is_special_on_windows(name: &str) -> bool {
    let is_other_file = name.ends_with(['.', ' '])
        || name.contains(|letter: char| letter < ' ' || "<>:\"/\\|?*".contains(letter))
        || name.split('~').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    is_other_file || is_device(name)
}

/// A path that is refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadPath {
    segment: usize,
    problem: Problem,
}

/// What can be wrong with a segment. `Display` of [`BadPath`] has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Escape,
    Utf8,
    Dots,
    Nul,
    Slash,
    Backslash,
}

impl Problem {
    /// What is wrong with a name, if anything is.
    fn of(name: &str) -> Option<Self> {
        if name == "." || name == ".." {
            return Some(Self::Dots);
        }
        name.chars().find_map(|letter| match letter {
            '\0' => Some(Self::Nul),
            '/' => Some(Self::Slash),
            // A letter like others on Unix, a slash on Windows and in browsers.
            '\\' => Some(Self::Backslash),
            _ => None,
        })
    }
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "path segment {}: expected a name, found ", self.segment)?;
        f.write_str(match self.problem {
            Problem::Escape => "a % without two hexadecimal digits",
            Problem::Utf8 => "escapes that are not UTF-8",
            Problem::Dots => "`.` or `..`",
            Problem::Nul => "NUL",
            Problem::Slash => "an encoded slash",
            Problem::Backslash => "a backslash",
        })
    }
}

impl std::error::Error for BadPath {}

/// 400 with what is wrong and where. It repeats nothing of the path.
impl<'s> IntoResponse<'s> for BadPath {
    fn into_response(self) -> Reply<'s> {
        Reply::text(format!("{self}\n")).status(Status::BAD_REQUEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(path: &str) -> (usize, Problem) {
        match read(path, DotNames::Served) {
            Err(Refused::Bad(BadPath { segment, problem })) => (segment, problem),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn names_are_decoded_once_and_a_slash_at_the_end_means_a_folder() {
        for (path, names, folder) in [
            ("/", &[][..], true),
            ("", &[], true),
            ("/a", &["a"], false),
            ("a", &["a"], false),
            ("/a/", &["a"], true),
            ("/a/b.txt", &["a", "b.txt"], false),
            ("/a%20b/%C3%A9", &["a b", "é"], false),
            ("/%2541", &["%41"], false),
            ("/%252e%252e", &["%2e%2e"], false),
            ("/a..b/...", &["a..b", "..."], false),
            ("/+;=:@,&", &["+;=:@,&"], false),
            ("/%0A%3F%23", &["\n?#"], false),
            ("/~home", &["~home"], false),
        ] {
            let asked = read(path, DotNames::Served).unwrap();
            assert_eq!(asked.names, names, "{path}");
            assert_eq!(asked.folder, folder, "{path}");
        }
    }

    /// Every spelling of a way out, with what is wrong with it.
    #[test]
    fn no_spelling_leads_out_of_the_folder() {
        for (spellings, problem) in [
            (&["..", ".", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%2e"][..], Problem::Dots),
            (&["%2f", "..%2f..", "%2Fetc", "..%2F", "a%2f..%2fb", "%2f%2e%2e"], Problem::Slash),
            (&["\\", "..\\..", "%5c", "..%5c..%5cx", "a%5Cb", "C:%5C"], Problem::Backslash),
            (&["%00", "..%00", "a%00.txt", "%00%2e%2e"], Problem::Nul),
            // Overlong forms of `.`, `/` and `\`, and octets that begin no character.
            (
                &["%c0%ae%c0%ae", "%c0%af", "%c1%9c", "%e0%80%ae", "%f0%80%80%af", "%ff", "%c3"],
                Problem::Utf8,
            ),
            (&["%", "%2", "%zz", "%u002e", "%%32%65", "%c0%9v"], Problem::Escape),
        ] {
            for spelling in spellings {
                for (path, segment) in [
                    (format!("/{spelling}"), 1),
                    (spelling.to_string(), 1),
                    (format!("/{spelling}/"), 1),
                    (format!("/a/{spelling}/b"), 2),
                    (format!("/a//{spelling}/etc/passwd"), 3),
                ] {
                    assert_eq!(bad(&path), (segment, problem), "{path}");
                }
            }
        }
    }

    #[test]
    fn a_doubled_encoding_is_a_name_and_no_way_out() {
        let asked = read("/%252e%252e%252fetc", DotNames::Served).unwrap();
        assert_eq!(asked.names, ["%2e%2e%2fetc"]);
    }

    #[test]
    fn empty_and_endless_names_are_absent() {
        let longest = format!("/{}", "é".repeat(127));
        assert!(read(&longest, DotNames::Hidden).is_ok());
        for path in ["//", "//a", "/a//", "/a//b", "///", "//evil.example", &format!("{longest}ab")]
        {
            assert_eq!(read(path, DotNames::Served), Err(Refused::Absent), "{path}");
        }
    }

    #[test]
    fn dot_names_are_hidden_but_the_well_known_one() {
        for path in
            ["/.git/config", "/.env", "/a/.htpasswd", "/.well-known/.x", "/.well-knownx", "/..."]
        {
            assert_eq!(read(path, DotNames::Hidden), Err(Refused::Absent), "{path}");
            assert!(read(path, DotNames::Served).is_ok(), "{path}");
        }
        assert!(read("/.well-known/acme-challenge/x", DotNames::Hidden).is_ok());
        assert!(read("/a.b", DotNames::Hidden).is_ok());
    }

    #[test]
    fn names_that_windows_reads_in_another_way_are_known_everywhere() {
        for name in [
            "CON",
            "con",
            "Con.txt",
            "nul",
            "NUL.tar.gz",
            "aux",
            "prn.",
            "COM1",
            "com9.log",
            "LPT1",
            "lpt3.x",
            "COM¹",
            "com².txt",
            "LPT³",
            "CONIN$",
            "conout$.x",
            "NUL ",
            "nul .txt",
            "a.",
            "a ",
            "a. .",
            "...",
            "a:b",
            "a::$DATA",
            "c:",
            "x.txt:stream",
            "GIT~1",
            "PROGRA~12.TXT",
            "a~1b",
            "a|b",
            "a?",
            "a*",
            "<a>",
            "a\"b",
            "a\\b",
            "a\u{1}",
            "COM0",
        ] {
            assert!(is_special_on_windows(name), "{name:?}");
            if cfg!(windows) {
                assert!(!is_served(name, DotNames::Served), "{name:?}");
            }
        }
        for name in [
            "a",
            "console",
            "CONS",
            "xCON",
            "com",
            "COM10",
            "COMA",
            "com¹²",
            "nullable.txt",
            "aux1",
            "a.con",
            "a~",
            "a~b1",
            "file.txt~",
            " a",
            "a b",
            "é",
            ".git",
            "LPT",
            "a.b.c",
        ] {
            assert!(!is_special_on_windows(name), "{name:?}");
        }
    }

    #[test]
    fn what_was_read_from_a_path_is_served_and_what_is_not_was_not() {
        // All octets by twos, escaped: whatever is read is a name that the listing would show.
        for high in 0..=255u8 {
            for low in 0..=255u8 {
                let path = format!("/%{high:02x}%{low:02X}");
                match read(&path, DotNames::Served) {
                    Ok(asked) => {
                        assert!(is_served(&asked.names[0], DotNames::Served), "{path}");
                        assert_eq!(asked.names[0].as_bytes(), [high, low]);
                    }
                    Err(Refused::Bad(_)) => {}
                    Err(Refused::Absent) if cfg!(windows) => {}
                    Err(Refused::Absent) => panic!("{path}"),
                }
            }
        }
    }

    #[test]
    fn a_refusal_says_where_and_repeats_nothing() {
        let Err(Refused::Bad(bad)) = read("/a/<script>%5c", DotNames::Hidden) else { panic!() };
        assert_eq!(bad.to_string(), "path segment 2: expected a name, found a backslash");
    }
}
