//! A folder, served: files with their validators and ranges; on request, files that were compressed
//! beforehand, and a page that lists a folder.
//!
//! What enters are GET and HEAD requests for a path, what leaves is the file of that name inside the
//! folder, or the answer that there is none. [`Dir`] has the settings, [`Dir::handle`] and
//! [`Dir::answer`] (in `answer.rs`) answer a request, [`content`] sends one file. Conditional requests and ranges are
//! [`content`](crate::content)'s (RFC 9110 sections 13 and 14), types are by
//! [`suffix`](crate::media), codings are [`negotiated`](crate::negotiate).
//!
//! ```
//! # use longhand::{Limits, Request, serve_connection, transport::Scripted};
//! use longhand_kit::{cache::CacheControl, files::Dir};
//!
//! # let folder = std::env::temp_dir().join(format!("longhand-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # std::fs::write(folder.join("a.txt"), "hello\n")?;
//! let site = Dir::new(&folder)?.precompressed().cache(".css", CacheControl::immutable());
//! let handler = |request: &mut Request<'_>| site.handle(request);
//!
//! let mut client = Scripted::new().send("GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! serve_connection(&mut client, &Limits::default(), handler);
//! assert!(client.output_text().contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
//! assert!(client.output_text().ends_with("\r\n\r\nhello\n"));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What is served
//!
//! Regular files and folders whose real place is inside the root, by names that mean the same to
//! every system. A path is decoded once and never repaired:
//!
//! | path | answer |
//! | --- | --- |
//! | `..`, `.`, NUL, a backslash, an encoded slash, escapes that are not UTF-8 | 400 |
//! | an empty segment, as in `//`, and a slash behind the one of a route's prefix | 404 |
//! | a name that begins with a dot, unless [`hidden`](Dir::hidden); `.well-known` is served | 404 |
//! | on Windows: devices (`NUL.txt`), streams (`a:b`), short names (`GIT~1`), `a.` | 404 |
//! | a link that leads out of the root or in a circle | 404 |
//! | a FIFO, a socket, a device | 404, and it is never opened |
//! | what this process may not read | 404, as what is not there |
//! | a folder without its slash | 301 to `./name/`, with the query |
//! | a folder without index, unless [`listing`](Dir::listing) | 404 |
//!
//! A link inside of the root is followed, also to what is hidden: somebody made it for that. These
//! settings serve more than that:
//!
//! ```
//! # use longhand::{Limits, Request, serve_connection, transport::Scripted};
//! # use longhand_kit::files::Dir;
//! # let folder = std::env::temp_dir().join(format!("longhand-more-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # std::fs::write(folder.join(".notes"), "")?;
//! let site = Dir::new(&folder)?.index("start.html").listing().hidden();
//! # let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| site.handle(request));
//! // The folder has no start.html, but a file `.notes`: GET / is answered by a page that lists it.
//! assert!(client.output_text().contains("<a href=\"./.notes\">"));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Names are compared by the file system. Those of Windows and macOS take `PRIVATE` for `private`, and
//! serve `/PRIVATE/a` past a route that guards `/private/{*path}`: keep what is not for everybody in a
//! folder of its own, outside of this one.
//!
//! # Versions
//!
//! A tag is made of the time at which a file was modified, to the nanosecond, and its length. Two
//! changes within one tick of the file system's clock would share a tag, and the slowest such clock
//! ticks every two seconds. So a file that was modified within the last two seconds has neither tag nor
//! date yet, and a file dated in the future has neither until two seconds after that date. Nor have
//! files dated 1970: repeatable builds give that date to all versions.
//!
//! # What caches do
//!
//! A file without a [`cache`](Dir::cache) rule is sent with `no-cache`: a client keeps it, and asks
//! each time whether it is still the same, which is answered by a 304 of some hundred bytes. Without
//! Cache-Control browsers would use it for a tenth of its age (RFC 9111 section 4.2.2), and show a page
//! as it was yesterday.
//!
//! # A page of one's own for 404
//!
//! A file of the folder, sent with status 404:
//!
//! ```
//! # use longhand::{Limits, Request, serve_connection, transport::Scripted};
//! # use longhand_kit::files::Dir;
//! # let folder = std::env::temp_dir().join(format!("longhand-404-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # std::fs::write(folder.join("404.html"), "<h1>Nothing here</h1>\n")?;
//! let site = Dir::new(&folder)?.not_found("404.html");
//! # let handler = |request: &mut Request<'_>| site.handle(request);
//! # let mut client = Scripted::new().send("GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! # serve_connection(&mut client, &Limits::default(), handler);
//! # assert!(client.output_text().starts_with("HTTP/1.1 404 "));
//! # assert!(client.output_text().ends_with("\r\n\r\n<h1>Nothing here</h1>\n"));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Anything else is for a handler to do, which sees the response before it is sent:
//!
//! ```
//! # use longhand::{Request, Response, Status};
//! # use longhand_kit::files::Dir;
//! /// An application in one page, which reads the path itself: 200, whatever the path.
//! fn app(site: &Dir, request: &mut Request<'_>) -> Response {
//!     let reply = site.handle(request);
//!     match reply.status_code() {
//!         Status::NOT_FOUND => site.answer(request, "/index.html"),
//!         _ => reply,
//!     }
//! }
//! ```

mod path;
mod find;
mod listing;
mod version;
mod answer;

use std::io;
use std::path::{Path, PathBuf};

use longhand::FieldValue;

use path::DotNames;

pub use version::content;

/// The Cache-Control where no rule fits: a cache may keep it, and asks about it each time.
const NO_CACHE: &str = "no-cache";

/// A folder that is served. [`handle`](Self::handle) and [`answer`](Self::answer) answer a request; the
/// other methods are settings.
#[derive(Clone, Debug)]
pub struct Dir {
    root: PathBuf,
    index: String,
    /// What is sent with a 404.
    not_found: Option<String>,
    dots: DotNames,
    /// Folders without an index are listed.
    lists: bool,
    /// Compressed siblings are looked for.
    negotiates: bool,
    cache: Vec<(String, FieldValue)>,
}

impl Dir {
    /// The folder at `root`: its files by their names, `index.html` for a folder, nothing hidden, no
    /// listing.
    ///
    /// If `root` is a link, it is followed once, here: start the program again where it changes, as with
    /// each release.
    ///
    /// # Errors
    /// If there is nothing at `root`, or no folder; the error names it.
    ///
    /// ```
    /// # use longhand_kit::files::Dir;
    /// let error = Dir::new("no/such/folder").unwrap_err();
    /// assert!(error.to_string().starts_with("folder no/such/folder: "));
    /// ```
    pub fn new(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref();
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("folder {}: {error}", root.display()))
        };
        let real = std::fs::canonicalize(root).map_err(named)?;
        if !std::fs::metadata(&real).map_err(named)?.is_dir() {
            return Err(named(io::Error::new(io::ErrorKind::NotADirectory, "it is none")));
        }
        Ok(Self {
            root: real,
            index: "index.html".to_owned(),
            not_found: None,
            dots: DotNames::Hidden,
            lists: false,
            negotiates: false,
            cache: Vec::new(),
        })
    }

    /// The same with another file than `index.html` as the answer for its folder.
    ///
    /// # Panics
    /// If `name` is not the name of one file.
    #[must_use]
    #[track_caller]
    pub fn index(mut self, name: &str) -> Self {
        let is_name = path::is_served(name, DotNames::Served);
        assert!(is_name, "index {name:?}: expected the name of one file");
        name.clone_into(&mut self.index);
        self
    }

    /// The same with this file of the folder as the body of each 404. It is sent whole and without
    /// validators, and read anew each time; while it cannot be read, the answer is a bare 404. It is
    /// shown under any path, so links in it must begin with a slash.
    ///
    /// # Panics
    /// If `name` is not the name of one file.
    #[must_use]
    #[track_caller]
    pub fn not_found(mut self, name: &str) -> Self {
        let is_name = path::is_served(name, DotNames::Served);
        assert!(is_name, "not found {name:?}: expected the name of one file");
        self.not_found = Some(name.to_owned());
        self
    }

    /// The same with a page that lists what is in a folder without an index. Not by default, because
    /// it shows names to everybody.
    #[must_use]
    pub fn listing(mut self) -> Self {
        self.lists = true;
        self
    }

    /// The same with names that begin with a dot served too: `.git`, `.env` and all others.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.dots = DotNames::Served;
        self
    }

    /// The same with compressed siblings: for `a.js`, `a.js.br` or `a.js.gz` is sent to a client that
    /// accepts that coding. A sibling that is older than `a.js` is not: `a.js` was changed since, and not
    /// compressed again. Every answer gets `Vary: Accept-Encoding`.
    ///
    /// Nothing is compressed while it is served.
    ///
    /// ```
    /// # use longhand::{Limits, Request, serve_connection, transport::Scripted};
    /// # use longhand_kit::files::Dir;
    /// # let folder = std::env::temp_dir().join(format!("longhand-br-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # std::fs::write(folder.join("a.js"), "let a = 1;")?;
    /// # std::fs::write(folder.join("a.js.br"), "in brotli")?;
    /// let site = Dir::new(&folder)?.precompressed(); // with a.js and a.js.br
    /// # let mut client = Scripted::new()
    /// #     .send("GET /a.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| site.handle(request));
    /// assert!(client.output_text().contains("\r\nContent-Encoding: br\r\n"));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn precompressed(mut self) -> Self {
        self.negotiates = true;
        self
    }

    /// The same with this Cache-Control for files whose name ends with `suffix`, in any case; `""` is
    /// every file. The first rule that fits counts; where none does, it is `no-cache`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use longhand_kit::{cache::CacheControl, files::Dir};
    /// # let folder = std::env::temp_dir();
    /// let minute = CacheControl::fresh(Duration::from_secs(60));
    /// let site = Dir::new(folder)?.cache(".js", CacheControl::immutable()).cache("", minute);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn cache(mut self, suffix: &str, control: impl Into<FieldValue>) -> Self {
        self.cache.push((suffix.to_ascii_lowercase(), control.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Event, Limits, Request, Status, serve_connection};
    use std::fs::{self, File};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, UNIX_EPOCH};

    use crate::scripted_server::serve;

    /// A tree of its own, all of whose files are dated a day before the scripted clock.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let name = format!("longhand-files-{}-{name}", std::process::id());
            let tree = Self(std::env::temp_dir().join(name));
            let _ = fs::remove_dir_all(&tree.0);
            fs::create_dir(&tree.0).unwrap();
            for (name, text) in files {
                tree.write(name, text, DATE);
            }
            tree
        }

        fn write(&self, name: &str, text: &str, seconds: u64) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let date = UNIX_EPOCH + Duration::from_secs(seconds);
            File::options().write(true).open(path).unwrap().set_modified(date).unwrap();
        }

        fn dir(&self) -> Dir {
            Dir::new(&self.0).unwrap()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const DATE: u64 = 784_111_777 - 86_400;

    /// The answer to one request: its head and its body.
    fn ask(dir: &Dir, request: &str) -> (String, String) {
        let mut client = Scripted::new().send(request).end();
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            // As behind a router's prefix, where there is one.
            match request.path().strip_prefix("/static") {
                Some(rest) => dir.answer(request, rest),
                None => dir.handle(request),
            }
        });
        let answer = client.output_text();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (format!("{head}\r\n"), body.to_owned())
    }

    fn get(dir: &Dir, path: &str) -> (String, String) {
        ask(dir, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    fn status(dir: &Dir, path: &str) -> u16 {
        get(dir, path).0[9..12].parse().unwrap()
    }

    fn field(head: &str, name: &str) -> Option<String> {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|line| line.0 == name).map(|line| line.1.to_owned())
    }

    #[test]
    fn a_file_is_sent_with_its_type_and_its_version() {
        let tree = Tree::new("plain", &[("a b.html", "<p>"), ("sub/x", "?")]);
        let (head, body) = get(&tree.dir(), "/a%20b.html");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!(body, "<p>");
        let fields =
            ["Content-Type", "Last-Modified", "X-Content-Type-Options", "Vary", "Cache-Control"];
        let found = fields.map(|name| field(&head, name));
        let found: Vec<_> = found.iter().map(Option::as_deref).collect();
        let date = "Sat, 05 Nov 1994 08:49:37 GMT";
        assert_eq!(
            found,
            [Some("text/html; charset=utf-8"), Some(date), Some("nosniff"), None, Some("no-cache")]
        );
        let tag = field(&head, "ETag").unwrap();
        let again = format!("GET /a%20b.html HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n");
        assert!(ask(&tree.dir(), &again).0.starts_with("HTTP/1.1 304 "));
        assert_eq!(get(&tree.dir(), "/sub/x").1, "?");
    }

    #[test]
    fn what_is_not_there_has_a_page_and_stays_a_404() {
        let tree = Tree::new("404", &[("404.html", "nothing here"), ("a/b", "b"), (".git/x", "x")]);
        let (bare, dir) = (tree.dir(), tree.dir().not_found("404.html"));
        for (path, expected) in
            [("/none", 404), ("/a/", 404), ("/a/b/", 404), ("/.git/x", 404), ("/%2f", 400)]
        {
            let is_page = expected == 404;
            assert_eq!((status(&bare, path), status(&dir, path)), (expected, expected), "{path}");
            assert_eq!(get(&dir, path).1 == "nothing here", is_page, "{path}");
        }
        let (head, body) = get(&dir, "/404.html");
        assert!(head.starts_with("HTTP/1.1 200 ") && body == "nothing here");
        let fields = "If-None-Match: *\r\nIf-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT\r\n\
                      Range: bytes=0-1\r\nIf-Match: \"a\"";
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let (head, body) =
                ask(&dir, &format!("{method} /none HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n"));
            let status = match method {
                "POST" => "405",
                "OPTIONS" => "204",
                _ => "404",
            };
            assert_eq!(&head[9..12], status, "{method}");
            assert_eq!(body == "nothing here", method == "GET");
            assert_eq!(field(&head, "X-Content-Type-Options").unwrap(), "nosniff");
            if status == "404" {
                assert_eq!(field(&head, "Content-Length").unwrap(), "12");
                assert_eq!(field(&head, "Content-Type").unwrap(), "text/html; charset=utf-8");
                let validators = ["ETag", "Last-Modified", "Accept-Ranges", "Content-Range"];
                assert!(validators.iter().all(|name| field(&head, name).is_none()), "{head}");
            }
        }
    }

    #[test]
    fn the_page_of_a_404_is_negotiated_and_may_be_missing() {
        let tree = Tree::new("404-coded", &[("404.html", "nothing"), ("404.html.gz", "zipped")]);
        let dir = tree.dir().precompressed().not_found("404.html");
        for (accept, coding, text) in
            [("gzip", Some("gzip"), "zipped"), ("br", None, "nothing"), ("", None, "nothing")]
        {
            let sent = format!("GET /x HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accept}\r\n\r\n");
            let (head, body) = ask(&dir, &sent);
            assert!(head.starts_with("HTTP/1.1 404 "));
            assert_eq!(field(&head, "Content-Encoding").as_deref(), coding);
            assert_eq!(field(&head, "Vary").unwrap(), "Accept-Encoding");
            assert_eq!(body, text);
        }
        for name in ["other.html", "404"] {
            fs::create_dir_all(tree.0.join("404")).unwrap();
            assert_eq!(get(&tree.dir().not_found(name), "/x").1, "404 Not Found\n");
        }
        for name in ["", "..", "a/b", "/404.html"] {
            let named = std::panic::catch_unwind(|| tree.dir().not_found(name));
            assert!(named.is_err(), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_cause_of_a_404_is_told_beside_its_page() {
        let tree = Tree::new("404-cause", &[("404.html", "nothing here")]);
        std::os::unix::fs::symlink("circle", tree.0.join("circle")).unwrap();
        let dir = tree.dir().not_found("404.html");
        let told = Arc::new(Mutex::new(None));
        let telling = Arc::clone(&told);
        let observer = move |event: &Event<'_>| {
            if let Event::Answered(answered) = event {
                let error = answered.error.map(ToString::to_string);
                *telling.lock().unwrap() = Some((answered.status.code(), answered.body, error));
            }
        };
        let peer = Scripted::new().send("GET /circle HTTP/1.1\r\nHost: x\r\n\r\n").end();
        serve(vec![peer], observer, move |request| dir.handle(request));
        let (status, body, error) = told.lock().unwrap().take().unwrap();
        assert_eq!((status, body), (404, 12));
        assert!(error.is_some(), "why it cannot be followed");
    }

    #[test]
    fn every_answer_forbids_to_guess_at_types() {
        let tree = Tree::new("sniff", &[("a", "a"), ("d/index.html", "")]);
        let dir = tree.dir().listing();
        for path in ["/", "/a", "/d", "/d/", "/none", "/%2f"] {
            let (head, _) = get(&dir, path);
            assert_eq!(field(&head, "X-Content-Type-Options").unwrap(), "nosniff", "{path}");
        }
    }

    #[test]
    fn folders_have_a_slash_an_index_and_else_nothing() {
        let tree = Tree::new(
            "folders",
            &[
                ("with/index.html", "index"),
                ("with/other.htm", "other"),
                ("without/a", "a"),
                ("file", "f"),
            ],
        );
        let dir = tree.dir();
        assert_eq!(get(&dir, "/with/").1, "index");
        assert_eq!(get(&dir.clone().index("other.htm"), "/with/").1, "other");
        assert_eq!(status(&dir, "/without/"), 404);
        assert_eq!(status(&dir, "/"), 404);
        assert_eq!(status(&dir, "/file/"), 404);
        assert_eq!(status(&dir, "/file/x"), 404);
        for (path, location) in [
            ("/with", "./with/"),
            ("/with?a=/b&c=%20", "./with/?a=/b&c=%20"),
            ("/wit%68", "./with/"),
            ("/without", "./without/"),
            ("http://h/with?q", "./with/?q"),
            ("/static", "./static/"),
            ("/static/with", "./with/"),
        ] {
            let (head, _) = get(&dir, path);
            assert!(head.starts_with("HTTP/1.1 301 "), "{path}: {head}");
            assert_eq!(field(&head, "Location").unwrap(), location, "{path}");
        }
        assert_eq!(get(&dir, "/static/with/").1, "index");
    }

    #[test]
    fn only_get_and_head_are_answered_and_the_rest_is_told() {
        let tree = Tree::new("methods", &[("a.txt", "text")]);
        for (method, status, body) in [
            ("GET", "200", "text"),
            ("HEAD", "200", ""),
            ("OPTIONS", "204", ""),
            ("POST", "405", "405 Method Not Allowed\n"),
            ("DELETE", "405", "405 Method Not Allowed\n"),
            ("get", "405", "405 Method Not Allowed\n"),
        ] {
            let (head, found) =
                ask(&tree.dir(), &format!("{method} /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"));
            assert_eq!((&head[9..12], &*found), (status, body), "{method}");
            let allow = (status != "200").then_some("GET, HEAD, OPTIONS");
            assert_eq!(field(&head, "Allow").as_deref(), allow, "{method}");
        }
        let (head, _) = ask(&tree.dir(), "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
    }

    #[test]
    fn the_first_cache_rule_that_fits_counts() {
        let tree = Tree::new("cache", &[("A.HTML", ""), ("a.min.js", ""), ("a.js", ""), ("x", "")]);
        let dir = tree
            .dir()
            .cache(".html", "no-cache")
            .cache(".min.js", "immutable")
            .cache(".JS", "max-age=1");
        let control = |dir: &Dir, path| field(&get(dir, path).0, "Cache-Control");
        assert_eq!(control(&dir, "/A.HTML").unwrap(), "no-cache");
        assert_eq!(control(&dir, "/a.min.js").unwrap(), "immutable");
        assert_eq!(control(&dir, "/a.js").unwrap(), "max-age=1");
        assert_eq!(control(&dir, "/x").unwrap(), "no-cache");
        let dir = dir.cache("", "max-age=2");
        assert_eq!(control(&dir, "/x").unwrap(), "max-age=2");
        assert_eq!(control(&dir, "/none"), None, "what is not there may come");
    }

    #[test]
    fn dot_names_are_served_only_when_asked_for() {
        let tree =
            Tree::new("dots", &[(".env", "key"), (".git/config", ""), (".well-known/x", "")]);
        for (path, plain, hidden) in [
            ("/.env", 404, 200),
            ("/.git/config", 404, 200),
            ("/.git", 404, 301),
            ("/%2eenv", 404, 200),
            ("/.well-known/x", 200, 200),
        ] {
            assert_eq!(status(&tree.dir(), path), plain, "{path}");
            assert_eq!(status(&tree.dir().hidden(), path), hidden, "{path}");
        }
    }

    #[test]
    fn a_sibling_is_sent_to_who_accepts_it_as_a_version_of_its_own() {
        let tree = Tree::new(
            "coded",
            &[
                ("a.js", "plain"),
                ("a.js.br", "br..."),
                ("a.js.gz", "gz..."),
                ("b.js", "plain"),
                ("b.js.gz", "gz"),
            ],
        );
        tree.write("old.js", "new", DATE + 1);
        tree.write("old.js.gz", "old", DATE);
        let dir = tree.dir().precompressed();
        let under = |dir: &Dir, path: &str, accepted: &str| {
            ask(
                dir,
                &format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accepted}\r\n\r\n"),
            )
        };
        let mut tags = Vec::new();
        for (path, accepted, coding, body) in [
            ("/a.js", "gzip, br", Some("br"), "br..."),
            ("/a.js", "gzip, br;q=0.5", Some("gzip"), "gz..."),
            ("/a.js", "identity, br;q=0.5", None, "plain"),
            ("/a.js", "zstd", None, "plain"),
            ("/a.js", "identity;q=0", None, "plain"),
            ("/b.js", "gzip;q=0.1, br", Some("gzip"), "gz"),
            ("/b.js", "br", None, "plain"),
            ("/old.js", "gzip", None, "new"),
            ("/a.js.gz", "gzip", None, "gz..."),
        ] {
            let (head, found) = under(&dir, path, accepted);
            assert_eq!(field(&head, "Content-Encoding").as_deref(), coding, "{path} {accepted}");
            assert_eq!(found, body, "{path} {accepted}");
            let media_type = if path == "/a.js.gz" {
                "application/gzip"
            } else {
                "text/javascript; charset=utf-8"
            };
            assert_eq!(field(&head, "Content-Type").unwrap(), media_type);
            tags.push((coding, field(&head, "ETag").unwrap()));
        }
        // Same length, same date: the coding alone makes the difference.
        assert!(
            tags[0].1 != tags[1].1 && tags[0].1 != tags[2].1 && tags[1].1 != tags[2].1,
            "{tags:?}"
        );
        assert_eq!(under(&tree.dir(), "/a.js", "br").1, "plain", "not asked for");
        let (head, body) = ask(
            &dir,
            "GET /a.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nRange: bytes=0-1\r\n\r\n",
        );
        assert!(
            head.starts_with("HTTP/1.1 206 ") && head.contains("Content-Range: bytes 0-1/5\r\n"),
            "{head}"
        );
        assert_eq!(
            (body.as_str(), field(&head, "Content-Encoding").unwrap().as_str()),
            ("br", "br")
        );
    }

    #[test]
    fn every_answer_of_a_folder_with_siblings_varies() {
        let tree = Tree::new("vary", &[("a", "a"), ("d/x", "")]);
        let dir = tree.dir().precompressed().listing();
        let tag = field(&get(&dir, "/a").0, "ETag").unwrap();
        for (target, fields, status) in [
            ("/a", String::new(), "200"),
            ("/a", format!("If-None-Match: {tag}\r\n"), "304"),
            ("/a", "If-Match: \"other\"\r\n".to_owned(), "412"),
            ("/a", "Range: bytes=0-0\r\n".to_owned(), "206"),
            ("/a", "Range: bytes=9-\r\n".to_owned(), "416"),
            ("/d", String::new(), "301"),
            ("/d/", String::new(), "200"),
            ("/none", String::new(), "404"),
            ("/..", String::new(), "400"),
        ] {
            let (head, _) = ask(&dir, &format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"));
            assert_eq!(&head[9..12], status, "{target} {fields}");
            assert_eq!(
                field(&head, "Vary").as_deref(),
                Some("Accept-Encoding"),
                "{target} {fields}"
            );
        }
    }

    #[test]
    fn a_root_that_is_no_folder_is_named() {
        let tree = Tree::new("root", &[("file", "")]);
        for name in ["none", "file"] {
            let path = tree.0.join(name);
            let error = Dir::new(&path).unwrap_err().to_string();
            assert!(error.starts_with(&format!("folder {}: ", path.display())), "{error}");
        }
    }

    #[test]
    #[should_panic(expected = "index \"a/b\": expected the name of one file")]
    fn an_index_that_is_a_path_is_a_mistake_of_the_program() {
        let _ = Dir::new(std::env::temp_dir()).unwrap().index("a/b");
    }

    #[test]
    fn a_doubled_slash_does_not_pass_a_guarded_route() {
        use crate::router::{Router, rest};
        let tree =
            Tree::new("doubled", &[("private/a", "secret"), ("a", "a"), ("index.html", "i")]);
        let site = tree.dir();
        let router = Router::new()
            .route("GET /private/{*path}", |_| Status::FORBIDDEN)
            .route("GET /static/{*path}", |request| site.answer(request, rest(request)))
            .route("GET /{*path}", |request| site.answer(request, rest(request)));
        for (target, status) in [
            ("/private/a", "403"),
            ("//private/a", "404"),
            ("///private/a", "404"),
            ("http://x//private/a", "404"),
            ("/a", "200"),
            ("//a", "404"),
            ("/", "200"),
            ("//", "404"),
            ("/static/a", "200"),
            ("/static//a", "404"),
            ("/static//private/a", "404"),
            ("/static/", "200"),
            ("/static//", "404"),
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
            let mut client = Scripted::new().send(request).end();
            serve_connection(&mut client, &Limits::default(), |request| router.handle(request));
            assert_eq!(client.output_text()[9..12], *status, "{target}");
        }
    }
}
